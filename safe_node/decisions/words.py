"""What owners and wallets signed, brought by a peer: read as if they had brought it themselves, and no more.

A word is believed for its own signature, so a peer can hold back words and invent none. What only the owner
may do at once, an owner's tombstone that erases without grace, a peer cannot: it brings it as a wallet would.
"""

from __future__ import annotations

from collections.abc import Iterable

from safe_node.accounts import AdmittedAuthorisation, AdmittedRevocation
from safe_node.deletions import AdmittedForgetting, AdmittedRevival, AdmittedTombstone
from safe_node.repairs import Word, WordKind
from trust.authorisation import SignedAuthorisation, read_authorisation, read_revocation
from trust.ids import KEY_BYTES, Signature, WalletKey
from trust.tombstone import read_owner_tombstone, read_revival, read_tombstone

AdmittedWord = (
    AdmittedAuthorisation | AdmittedRevival | AdmittedTombstone | AdmittedRevocation | AdmittedForgetting
)

_NO_WALLET = WalletKey(bytes(KEY_BYTES))
"""Who brings a tombstone that a peer told of: never its owner."""


def believed_order(words: Iterable[Word]) -> list[Word]:
    """Each word once, in the order of their kinds: who acts for whom comes before what they deleted."""
    return sorted(set(words), key=lambda word: (word.kind, word.body))


def admit_word(word: Word) -> AdmittedWord:
    """Check a word's signature.

    Raises:
        TrustError: It is no such word, or its signature does not hold.
    """
    body, signature = word.body, word.signature
    match word.kind:
        case WordKind.AUTHORISATION:
            said = read_authorisation(SignedAuthorisation(body, Signature(signature)))
            return AdmittedAuthorisation(said.owner_key, said.wallet_key, body, signature)
        case WordKind.REVIVAL:
            revival = read_revival(body, signature)
            return AdmittedRevival(
                owner_key=revival.owner_key,
                deliverer=WalletKey(revival.owner_key),
                item_id=revival.item_id,
                generation=revival.generation,
                tombstone_hash=revival.tombstone_hash,
                revival=body,
                signature=signature,
            )
        case WordKind.TOMBSTONE:
            return _tombstone(body, signature)
        case WordKind.REVOCATION:
            revoked = read_revocation(body, signature)
            return AdmittedRevocation(revoked.owner_key, revoked.wallet_key, body, signature)
        case WordKind.FORGETTING:
            return AdmittedForgetting(read_owner_tombstone(body, signature).owner_key, body, signature)


def _tombstone(body: bytes, signature: bytes) -> AdmittedTombstone:
    said = read_tombstone(body, signature)
    return AdmittedTombstone(
        signer=said.wallet_key,
        deliverer=_NO_WALLET,
        item_id=said.item_id,
        generation=said.generation,
        body=body,
        signature=signature,
    )
