"""May this safe help in a repair session? Only for the safe at which the signed manifest places the piece.

Checked here, in this order: the session's form, the roster it goes by, its signature, its time, who takes
part, who calls; then, against the helper's own manifest, that each named share index is placed at the safe
the session names for it, that as many help as the threshold asks for, and that the pieces can be repaired
this way at all.
"""

from __future__ import annotations

from typing import Literal

from safe_node.decisions.admission import Membership
from trust.errors import DocumentMalformed, RosterRefused, SignatureInvalid
from trust.ids import SafeId
from trust.manifest import Manifest, Place
from trust.peer_refusals import RepairSessionInvalid
from trust.repair_session import FRESH_SECONDS, RepairSession, verify_session
from trust.roster import SafeEntry
from trust.wallet_refusals import NotPlacedHere, RosterUnknown

Asked = Literal["sum", "summand", "fragment"]
"""A sum or a fragment is for who lost the piece, a summand for another helper."""


def judge_session(
    body: bytes, signature: bytes, caller: SafeId, asked: Asked, membership: Membership, now: int
) -> RepairSession:
    """Check a session as far as it tells by itself.

    Args:
        body: Exact bytes of the RepairSession.
        signature: The requester's, 64 bytes.
        caller: Whose certificate the connection has.
        asked: What for.
        membership: This safe, one of the helpers, and its rosters.
        now: Whole seconds since 1970-01-01 UTC.

    Raises:
        RepairSessionInvalid: Names what does not hold.
        RosterUnknown: It goes by another roster than this safe's newest.
    """
    session = _read(body)
    check_roster(session.roster_version, session.roster_hash, membership)
    _check_signature(session, body, signature, membership)
    if abs(now - session.begun_at) > FRESH_SECONDS:
        raise RepairSessionInvalid("begun_at")
    if session.helper(membership.safe_id) is None:
        raise RepairSessionInvalid("helpers")
    if asked == "summand":
        if caller == membership.safe_id or session.helper(caller) is None:
            raise RepairSessionInvalid("helpers")
    elif caller != session.requester:
        raise RepairSessionInvalid("requester")
    return session


def check_roster(version: int, fingerprint: bytes, membership: Membership) -> None:
    """Hold the other side's newest roster against this safe's: both must go by the same.

    Raises:
        RosterUnknown: They do not; names this safe's own version.
    """
    newest = membership.newest.version
    if version != newest or fingerprint != membership.fingerprints[newest]:
        raise RosterUnknown(newest)


def judge_help(session: RepairSession, manifest: Manifest, asked: Asked) -> None:
    """Hold a session against the manifest of its batch, which is the helper's own.

    Raises:
        NotPlacedHere: The lost piece, or a helper's, is placed elsewhere.
        RepairSessionInvalid: Not as many helpers as the threshold, or pieces that are not repaired this way.
    """
    places = {place.x: place for place in manifest.placement}
    _require_at(places.get(session.x), session.requester, session.part)
    for helper in session.helpers:
        _require_at(places.get(helper.x), helper.safe_id, session.part)
    needed = manifest.terms.value.k if session.part == "value" else manifest.terms.key.k
    if len(session.helpers) != needed:
        raise RepairSessionInvalid("helpers")
    if session.part == "value" and not _is_repaired_by(manifest, asked):
        raise RepairSessionInvalid("part")
    if session.part == "key" and asked == "fragment":
        raise RepairSessionInvalid("part")


def _is_repaired_by(manifest: Manifest, asked: Asked) -> bool:
    """Sealed fragments go as they are, Shamir's shares by sums alone, shares sealed by themselves never."""
    if manifest.terms.order != "seal-then-divide":
        return False
    return (manifest.terms.value.scheme == "compact") == (asked == "fragment")


def _require_at(place: Place | None, safe_id: SafeId, part: str) -> None:
    if place is None or place.safe_id != safe_id or not (place.value if part == "value" else place.key):
        raise NotPlacedHere


def _read(body: bytes) -> RepairSession:
    try:
        return RepairSession.from_bytes(body)
    except DocumentMalformed:
        raise RepairSessionInvalid("session") from None


def _check_signature(session: RepairSession, body: bytes, signature: bytes, membership: Membership) -> None:
    try:
        verify_session(session, body, signature, _entry(session, membership).signing_key)
    except SignatureInvalid:
        raise RepairSessionInvalid("signature") from None


def _entry(session: RepairSession, membership: Membership) -> SafeEntry:
    try:
        return membership.newest.safe(session.requester)
    except RosterRefused:
        raise RepairSessionInvalid("requester") from None
