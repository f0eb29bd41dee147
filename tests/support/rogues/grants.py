"""What a gateway makes of the grant that it was given."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from msgspec import structs

from support.rogues.gateway import HELPFUL, RECIPIENT, Change, Showing
from support.rogues.hands import Hand
from support.rogues.words import OWN
from support.sample_documents import draw
from threshold.hpke import KeyPair
from trust.documents import SigningKey
from trust.grant import Grant, sign_grant
from trust.ids import WalletKey


def as_it_is(_: Hand, heard: Showing, __: int) -> Showing:
    """Again; it holds for minutes."""
    return heard


def altered(**changes: Any) -> Change:
    """The wallet's signature under something else, to the rogue's own recipient."""

    def change(_: Hand, heard: Showing, __: int) -> Showing:
        fields = {"recipient_key": RECIPIENT.public} | changes
        return replace(heard, body=structs.replace(Grant.from_bytes(heard.body), **fields).to_bytes())

    return change


def prolonged(_: Hand, heard: Showing, number: int) -> Showing:
    """For other minutes."""
    grant, later = Grant.from_bytes(heard.body), 1 + number
    times = {"issued_at": grant.issued_at + later, "expires_at": grant.expires_at + later}
    return replace(heard, body=structs.replace(grant, **times).to_bytes())


def to_own_recipient(hand: Hand, heard: Showing, number: int) -> Showing:
    """Signed for the wallet, by its key or by what the rogue has instead; to a new recipient each time."""
    pair = KeyPair(draw(f"recipient {hand.name} {number}", 32))
    grant = structs.replace(Grant.from_bytes(heard.body), recipient_key=pair.public)
    return replace(_signed(heard, grant, hand.wallet or OWN), pair=pair)


def in_own_name(_: Hand, heard: Showing, __: int) -> Showing:
    """A good grant by a wallet of the rogue's."""
    grant = structs.replace(
        Grant.from_bytes(heard.body), wallet_key=WalletKey(OWN.public), recipient_key=RECIPIENT.public
    )
    return _signed(heard, grant, OWN)


def by_another_safe(_: Hand, heard: Showing, __: int) -> Showing:
    """The wallet's grant, shown by a safe that it does not name."""
    return replace(heard, by=HELPFUL)


def an_hour_old(hand: Hand, heard: Showing, _: int) -> Showing:
    """One that the wallet really signed, and that is over."""
    assert hand.gathering is not None
    body, signature = hand.gathering.kept
    return replace(heard, body=body, signature=signature)


def with_more(_: Hand, heard: Showing, __: int) -> Showing:
    """Asks for a piece twice where the wallet granted it once."""
    return _listing(heard, [*heard.certificates, heard.certificates[0]])


def with_a_bit_changed(_: Hand, heard: Showing, number: int) -> Showing:
    """Each bit of the wallet's signature in turn."""
    signature = bytearray(heard.signature)
    signature[number // 8 % len(signature)] ^= 1 << number % 8
    return replace(heard, signature=bytes(signature))


def with_another_list(hand: Hand, heard: Showing, number: int) -> Showing:
    """What the wallet asked of another safe."""
    assert hand.gathering is not None
    lists = [list(one.certificates) for one in hand.gathering.request.lists]
    others = [one for one in lists if one != list(heard.certificates)]
    return _listing(heard, others[number % len(others)])


def _signed(heard: Showing, grant: Grant, key: SigningKey) -> Showing:
    body, signature = sign_grant(grant, key)
    return replace(heard, body=body, signature=signature)


def _listing(heard: Showing, certificates: Sequence[bytes]) -> Showing:
    return replace(heard, certificates=certificates)
