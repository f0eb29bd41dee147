"""May what a grant asks for be collected, as far as the grant tells by itself?

Checked here, in this order: the grant's form and signature, the gateway, the roster it goes by, its time, the
list. What may be given of it the store's judge says, piece by piece, as for a Fetch (retrieval.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from safe_node.decisions.admission import Membership
from safe_node.decisions.repair_sessions import check_roster
from trust.errors import DocumentMalformed, SignatureInvalid
from trust.grant import MAX_LIST_BYTES, Grant, granted_part, read_grant
from trust.ids import SafeId, WalletKey
from trust.wallet_refusals import GrantExpired, GrantInvalid


def judge_collection(
    body: bytes,
    signature: bytes,
    certificates: Sequence[bytes],
    caller: SafeId,
    membership: Membership,
    now_ms: int,
) -> Grant:
    """Check a grant that a peer shows.

    Args:
        body: Exact bytes of the Grant.
        signature: The wallet's.
        certificates: What the peer says that it asks of this safe.
        caller: Whose certificate the connection has.
        membership: This safe, and its rosters.
        now_ms: This safe's clock, milliseconds since 1970-01-01 UTC.

    Raises:
        GrantInvalid: Names what does not hold.
        RosterUnknown: It goes by another roster than this safe's newest.
        GrantExpired: It holds no more, or not yet.
    """
    grant = _judge(body, signature, caller, membership, now_ms)
    _check_list(grant, membership.safe_id, certificates)
    return grant


def judge_gathering(
    body: bytes,
    signature: bytes,
    lists: Sequence[Sequence[bytes]],
    caller: WalletKey,
    membership: Membership,
    now_ms: int,
) -> Grant:
    """Check a grant that a wallet shows its gateway, which this safe is to be; else as `judge_collection`.

    Args:
        lists: For each part of the grant, in order, the certificates.
        caller: Who signed the call.
    """
    grant = _judge(body, signature, membership.safe_id, membership, now_ms)
    if grant.wallet_key != caller:
        raise GrantInvalid("wallet_key")
    if len(lists) != len(grant.parts):
        raise GrantInvalid("parts")
    known = {entry.safe_id for entry in membership.newest.safes}
    for part, certificates in zip(grant.parts, lists, strict=True):
        if part.safe_id not in known:
            raise GrantInvalid("parts")
        _check_list(grant, part.safe_id, certificates)
    return grant


def _judge(body: bytes, signature: bytes, gateway: SafeId, membership: Membership, now_ms: int) -> Grant:
    grant = _read(body, signature)
    if grant.gateway != gateway:
        raise GrantInvalid("gateway")
    check_roster(grant.roster_version, grant.roster_hash, membership)
    if not grant.holds_at(now_ms // 1000):
        raise GrantExpired(now_ms)
    return grant


def _read(body: bytes, signature: bytes) -> Grant:
    try:
        return read_grant(body, signature)
    except DocumentMalformed:
        raise GrantInvalid("grant") from None
    except SignatureInvalid:
        raise GrantInvalid("signature") from None


def _check_list(grant: Grant, safe_id: SafeId, certificates: Sequence[bytes]) -> None:
    part = grant.part(safe_id)
    if part is None:
        raise GrantInvalid("parts")
    if len(certificates) != part.count or sum(map(len, certificates)) > MAX_LIST_BYTES:
        raise GrantInvalid("certificates")
    if granted_part(safe_id, certificates) != part:
        raise GrantInvalid("certificates")
