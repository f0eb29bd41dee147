"""What each rogue does, again and again; how often, and what each of these tries comes to."""

from support.factors import AUTHORITY_ALONE, AUTHORITY_AND_PIN, DEVICE, DEVICE_AND_PIN
from support.rogues import edits, gateway, grants, overheard, stores, sums, words
from support.rogues.hands import Row, Why
from support.rogues.records import at_record, touch
from support.rogues.scene import AUTHORITY_AND_DEVICE, VICTIMS
from support.rogues.words import word
from trust.access_policy import PIN_ALONE
from trust.authority_refusals import LoginRefused
from trust.ids import GuessId
from trust.owner_refusals import NotAnOwnersWallet, OwnerExists, RecordInvalid, UnlockRefused
from trust.peer_refusals import PieceUnknown, RepairSessionInvalid
from trust.refusals import Malformed
from trust.wallet_refusals import GrantExpired, GrantInvalid, NotPlacedHere, NotYourItem

LEDGERS = 3 * VICTIMS
"""Of one way: each of the three safes that are asked keeps one for each victim."""


def of_first(_: int) -> int:
    """The victim who has an account at the authority."""
    return 0


BY_WORD = at_record(AUTHORITY_AND_PIN, word())
BY_WORD_AND_DEVICE = at_record(AUTHORITY_AND_DEVICE, word(), touch)
BY_SERVICE = at_record(AUTHORITY_AND_DEVICE, words.word_of_the_service, touch, victims=of_first)

EASIER = (
    Row("enrols an easier record over the owner's", 12, edits.enrols_over, OwnerExists),
    Row(
        "lowers the policy of the owner's record",
        12,
        edits.stages_lowered,
        (RecordInvalid, "policy_signature"),
    ),
    Row("passes for a wallet of the owner's", 12, edits.reads_the_wallets, NotAnOwnersWallet),
    Row("signs the owner's word for a wallet", 12, edits.authorises_itself, (Malformed, "signature")),
)

ROGUE_AUTHORITY = (
    Row("asserts the owner, and guesses at the PIN", 3 * LEDGERS, BY_WORD, Why.WRONG_GUESS),
    Row(
        "shows the word for one guess with another as well",
        LEDGERS,
        at_record(AUTHORITY_AND_PIN, words.word_shown_twice),
        Why.NOT_TAKEN,
    ),
    Row("guesses on at a record that is locked", 30, BY_WORD, Why.NOT_TAKEN),
    Row(
        "asserts the owner as if that were enough",
        30,
        at_record(AUTHORITY_AND_PIN, word(), shown_as=AUTHORITY_ALONE),
        Why.NOT_TAKEN,
    ),
    Row("asserts the owner, without a device", 12, at_record(AUTHORITY_AND_DEVICE, word()), Why.NOT_TAKEN),
    Row("asserts the owner, and makes up a device", 30, BY_WORD_AND_DEVICE, Why.NOT_TAKEN),
    Row(
        "has its service assert the owner, and makes up a device",
        3,
        at_record(AUTHORITY_AND_DEVICE, words.word_of_the_service, touch, victims=of_first),
        Why.NOT_TAKEN,
    ),
    Row(
        "shows its word in a way that asks for none",
        30,
        at_record(DEVICE_AND_PIN, word(), touch),
        Why.NOT_TAKEN,
    ),
    Row(
        "has its identity name another signing key",
        12,
        at_record(AUTHORITY_AND_DEVICE, words.word_by_new_key, touch),
        Why.NOT_TAKEN,
    ),
    *EASIER,
)

BY_TOUCH = at_record(DEVICE_AND_PIN, touch)

STOLEN_DEVICE = (
    Row("signs for the owner, and guesses at the PIN", 3 * LEDGERS, BY_TOUCH, Why.WRONG_GUESS),
    Row(
        "answers one challenge for two guesses",
        LEDGERS,
        at_record(DEVICE_AND_PIN, words.touch_shown_twice),
        Why.NOT_TAKEN,
    ),
    Row("guesses on at a record that is locked", 30, BY_TOUCH, Why.NOT_TAKEN),
    Row(
        "signs as if the device were enough",
        30,
        at_record(DEVICE_AND_PIN, touch, shown_as=DEVICE),
        Why.NOT_TAKEN,
    ),
    Row(
        "guesses as if the PIN were enough",
        30,
        at_record(DEVICE_AND_PIN, shown_as=PIN_ALONE),
        Why.NOT_TAKEN,
    ),
    Row("signs, without an authority", 12, at_record(AUTHORITY_AND_DEVICE, touch), Why.NOT_TAKEN),
    Row("signs, and the authority's word by its own key", 30, BY_WORD_AND_DEVICE, Why.NOT_TAKEN),
    Row(
        "signs, and is an authority itself",
        30,
        at_record(AUTHORITY_AND_DEVICE, words.word_of_own_authority, touch),
        Why.NOT_TAKEN,
    ),
    Row("signs, and guesses at the password of the service", 3, BY_SERVICE, LoginRefused),
    *EASIER,
)

MIXED_WORDS = (
    ("the word is for another owner", words.word_for_another),
    ("the word is for another recipient", words.word_for_another_key),
    ("the word is for another guess", words.word_for_another_guess),
    ("the word is for other safes", words.word_for_another_safe),
    ("the word is of yesterday", words.word_of_yesterday),
    ("the word is signed by the key of the authority's identity", words.word_by_identity),
)
"""By who has authority and device both, so that this is all that is wrong."""

MIXED_TOUCHES = (
    ("the device signed for another guess", words.touch_for(guess_id=GuessId(bytes(16)))),
    ("the device signed for another blinded PIN", words.touch_for(element=bytes(32))),
    ("the device signed for another recipient", words.touch_for(recipient_key=bytes(32))),
    ("the device signed for another way", words.touch_for(way=DEVICE_AND_PIN)),
    ("the device signed another safe's challenge", words.touch_for_another_safe),
    ("the device signed a challenge about another owner", words.touch_for_another_owner),
    ("the challenge is the rogue's own", words.touch_over_own_challenge),
    ("a copy of the device signed, after the device did", words.touch_by_a_copy),
    ("nobody touched the device", words.touch_by(present=False)),
    ("the device signed for another page", words.touch_by(origin="https://somewhere.else")),
    ("the device signed for another roster", words.touch_by(relying_party="kura-elsewhere")),
    ("a bit of the signature is another", words.touch_without_signature),
)

MIXED = (
    *(
        Row(says, 12, at_record(AUTHORITY_AND_DEVICE, showing, touch), Why.NOT_TAKEN)
        for says, showing in MIXED_WORDS
    ),
    *(
        Row(says, 12, at_record(AUTHORITY_AND_DEVICE, word(), showing), Why.NOT_TAKEN)
        for says, showing in MIXED_TOUCHES
    ),
)

TO_OWN_RECIPIENT = gateway.shows(grants.to_own_recipient)
WORD_FOR_WORD = overheard.says_again(overheard.word_for_word)

ROGUE_GATEWAY = (
    Row("opens what it passed on", 60, gateway.opens_what_it_passed_on, Why.FOR_ANOTHER, alone=True),
    Row("shows the grant again", 60, gateway.shows(grants.as_it_is), Why.FOR_ANOTHER),
    Row("puts its own recipient in", 90, gateway.shows(grants.altered()), (GrantInvalid, "signature")),
    Row("signs for the wallet, by its own key", 150, TO_OWN_RECIPIENT, (GrantInvalid, "signature")),
    Row("grants itself the wallet's pieces", 90, gateway.shows(grants.in_own_name), NotYourItem),
    Row("shows it for other minutes", 90, gateway.shows(grants.prolonged), (GrantInvalid, "signature")),
    Row("shows one that is over", 60, gateway.shows(grants.an_hour_old), GrantExpired),
    Row("has another safe show it", 60, gateway.shows(grants.by_another_safe), (GrantInvalid, "gateway")),
    Row(
        "asks for more than was granted", 60, gateway.shows(grants.with_more), (GrantInvalid, "certificates")
    ),
    Row(
        "asks one safe for what another was",
        60,
        gateway.shows(grants.with_another_list),
        (GrantInvalid, "certificates"),
    ),
    Row(
        "changes a bit of its signature",
        150,
        gateway.shows(grants.with_a_bit_changed),
        (GrantInvalid, "signature"),
    ),
    Row("fetches the pieces itself", 60, gateway.fetches_itself, NotYourItem),
    Row("says a recovery again, word for word", 30, WORD_FOR_WORD, Why.FOR_ANOTHER),
    Row("says it for its own key", 30, overheard.says_again(overheard.to_own_key), UnlockRefused),
    Row(
        "claims its part for its own key",
        30,
        overheard.says_again(overheard.claimed_to_own_key),
        UnlockRefused,
    ),
    Row("says it as another guess", 30, overheard.says_again(overheard.as_another_guess), UnlockRefused),
    Row(
        "says it as another guess, for its own key",
        30,
        overheard.says_again(overheard.as_another_guess_to_own_key),
        UnlockRefused,
    ),
)

IN_ITS_NAME = sums.asks(sums.for_the_third)
GUESSING = stores.guessing(DEVICE_AND_PIN)

ROGUE_SAFES = (
    Row("guess at the PIN, the right one among their guesses", 7660, GUESSING, Why.TOO_LITTLE, alone=True),
    *(
        Row(
            f"put together what they store, by {' and '.join(way)}",
            10,
            stores.knowing_all(way),
            Why.TOO_LITTLE,
            alone=True,
        )
        for way in (DEVICE_AND_PIN, AUTHORITY_AND_PIN, AUTHORITY_AND_DEVICE)
    ),
    Row("hold the PIN against their tags", 150, stores.holds_against_tags, Why.TOO_LITTLE, alone=True),
    Row("ask for a third's share in its name", 24, IN_ITS_NAME, (RepairSessionInvalid, "signature")),
    Row(
        "ask for it with a session that it signed itself",
        24,
        sums.asks(sums.for_the_third, heard=True),
        (RepairSessionInvalid, "requester"),
    ),
    Row("ask for it in their own name", 24, sums.asks(sums.for_itself), NotPlacedHere),
    Row("ask one safe alone", 12, sums.asks(sums.with_one_helper), NotPlacedHere),
    Row(
        "ask for a helper's summand",
        12,
        sums.asks(sums.for_itself, "Summand"),
        (RepairSessionInvalid, "helpers"),
    ),
    Row("ask for what nobody has", 12, sums.asks(sums.for_its_own_share), PieceUnknown),
    *EASIER,
)
