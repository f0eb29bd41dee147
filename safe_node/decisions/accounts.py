"""Which wallets act for an owner, and what they may do about the guesses.

Only the owner's signed word makes a wallet theirs or ends that; who brings it is checked as well. A wallet
has one owner for good. A revocation stands for good too, also of a wallet that this safe never saw; it
concerns the owner who signed it alone, so that nobody can lock out another's wallet.
"""

from __future__ import annotations

from dataclasses import replace

from safe_node.accounts import (
    AdmittedAuthorisation,
    AdmittedRevocation,
    RevocationState,
    Standing,
    WalletState,
)
from safe_node.owners import Ledger
from trust.authorisation import SignedAuthorisation, read_authorisation, read_revocation
from trust.errors import DocumentMalformed, SignatureInvalid
from trust.ids import Signature, WalletKey
from trust.owner_refusals import (
    NotAnOwnersWallet,
    NotTheOwner,
    OwnerUnknown,
    RearmedLately,
    TooManyRevocations,
    WalletHasOwner,
    WalletRevoked,
)
from trust.refusals import Malformed
from trust.wallet_refusals import NotYourItem

REARM_EVERY_MS = 24 * 3_600_000

MAX_UNSEEN_REVOKED = 256
"""Wallets that one owner may revoke and never authorised here: rows that cost who makes keys nothing."""


def judge_authorisation(body: bytes, signature: bytes, caller: WalletKey) -> AdmittedAuthorisation:
    """Check an owner's word for the caller.

    Args:
        body: Exact bytes of the WalletAuthorisation.
        signature: Of the owner key it names, 64 bytes.
        caller: Whose signature the call carries.

    Raises:
        Malformed: It is none, or the signature does not hold.
        NotYourItem: It is for another wallet.
    """
    try:
        word = read_authorisation(SignedAuthorisation(body, Signature(signature)))
    except DocumentMalformed:
        raise Malformed("authorisation") from None
    except SignatureInvalid:
        raise Malformed("signature") from None
    if word.wallet_key != caller:
        raise NotYourItem
    return AdmittedAuthorisation(word.owner_key, word.wallet_key, body, signature)


def plan_authorisation(state: WalletState, word: AdmittedAuthorisation) -> bool:
    """Whether to write it; False when the wallet is that owner's already.

    Raises:
        WalletRevoked: Its owner, or this one, revoked the wallet, or this one was forgotten.
        WalletHasOwner: It is another owner's.
    """
    if state.revoked or state.forgotten:
        raise WalletRevoked
    if state.owner_key not in (None, word.owner_key):
        raise WalletHasOwner
    return state.owner_key is None


def judge_revocation(body: bytes, signature: bytes, caller: Standing) -> AdmittedRevocation:
    """Check an owner's word against a wallet, and who brings it.

    Args:
        body: Exact bytes of the WalletRevocation.
        signature: Of the owner key it names, 64 bytes.
        caller: Who brings it.

    Raises:
        Malformed: It is none, or the signature does not hold.
        NotAnOwnersWallet: The caller acts for nobody.
        NotTheOwner: It acts for another owner.
    """
    try:
        word = read_revocation(body, signature)
    except DocumentMalformed:
        raise Malformed("revocation") from None
    except SignatureInvalid:
        raise Malformed("signature") from None
    # An owner of whom this safe knows nothing yet is believed as well: the word is theirs.
    if word.owner_key not in (caller.key, caller.owner_key):
        raise NotAnOwnersWallet if caller.owner_key is None else NotTheOwner
    return AdmittedRevocation(word.owner_key, word.wallet_key, body, signature)


def plan_revocation(state: RevocationState, safes: int = 1) -> bool:
    """Whether to write a revocation; False when an earlier one stands.

    Args:
        state: What is stored.
        safes: How many took the owner's words: of what peers tell, all of the roster, so that all come to
            know the same, whatever was said to which of them first.

    Raises:
        TooManyRevocations: The wallet never was the owner's here, and neither were 256 others, times `safes`.
    """
    limit = MAX_UNSEEN_REVOKED * safes
    if state.stands:
        return False
    if not state.theirs and state.unseen >= limit:
        raise TooManyRevocations(limit)
    return True


def plan_rearming(ledger: Ledger | None, caller: Standing, now_ms: int) -> Ledger:
    """The ledger with all guesses given back.

    Args:
        ledger: Of the owner for whom the caller acts; None where the safe has no record of them.
        caller: The owner, who may always, or one of their wallets, once in 24 hours.
        now_ms: The clock.

    Raises:
        OwnerUnknown: There is no record.
        RearmedLately: A wallet did so less than 24 hours ago.
    """
    if ledger is None:
        raise OwnerUnknown
    if caller.is_owner:
        return replace(ledger, spent=0, last_spent_ms=0)
    again_at_ms = ledger.rearmed_ms + REARM_EVERY_MS
    if ledger.rearmed_ms and now_ms < again_at_ms:
        raise RearmedLately(again_at_ms)
    return Ledger(0, 0, now_ms)
