"""What a safe takes for a grant: as a peer that is asked by a gateway, and as the gateway itself."""

from typing import Any

import pytest
from msgspec import structs

from safe_node.decisions.admission import Membership
from safe_node.decisions.grants import judge_collection, judge_gathering
from support.sample_documents import CHAIN, GENESIS, NOW, SAFE_IDS, WALLET, draw, key
from support.sample_grant import GATEWAY, GRANT, LISTS
from trust.documents import SigningKey
from trust.grant import MAX_LIST_BYTES, Grant, granted_part, sign_grant
from trust.ids import SafeId, WalletKey
from trust.refusals import Refusal
from trust.wallet_refusals import GrantExpired, GrantInvalid, RosterUnknown

PEER = SAFE_IDS[0]
AT_MS = NOW * 1000 + 999


def member(safe_id: SafeId, versions: int = 1) -> Membership:
    """A safe that knows so many versions of the roster."""
    return Membership.of(safe_id, [one.roster for one in CHAIN[:versions]], draw("decoys", 32))


def collected(
    grant: Grant = GRANT,
    *,
    signer: SigningKey = WALLET,
    certificates: Any = LISTS[0],
    caller: SafeId = GATEWAY,
    me: Membership | None = None,
    now_ms: int = AT_MS,
) -> Grant:
    """As the first safe, asked by the gateway, judges."""
    body, signature = sign_grant(grant, signer)
    return judge_collection(body, signature, certificates, caller, me or member(PEER), now_ms)


def gathered(
    grant: Grant = GRANT,
    *,
    lists: Any = LISTS,
    caller: WalletKey = GRANT.wallet_key,
    me: SafeId = GATEWAY,
    now_ms: int = AT_MS,
) -> Grant:
    """As the gateway judges."""
    body, signature = sign_grant(grant, WALLET)
    return judge_gathering(body, signature, lists, caller, member(me), now_ms)


def test_the_peer_and_the_gateway_take_the_same_grant() -> None:
    """Again and again until it expires."""
    assert collected() == gathered() == collected() == GRANT


def _with(**changes: Any) -> Grant:
    return structs.replace(GRANT, **changes)


LONG = [b"x" * (MAX_LIST_BYTES // 2 + 1)] * 2

REFUSED_BY_PEERS = [
    pytest.param({"signer": key("a thief")}, GrantInvalid("signature"), id="another signed it"),
    pytest.param(
        {"grant": _with(wallet_key=WalletKey(key("a thief").public))},
        GrantInvalid("signature"),
        id="a thief put their key into it",
    ),
    pytest.param(
        {"caller": SAFE_IDS[2]}, GrantInvalid("gateway"), id="another safe than the gateway shows it"
    ),
    pytest.param(
        {"grant": _with(gateway=SAFE_IDS[3])}, GrantInvalid("gateway"), id="it names another gateway"
    ),
    pytest.param({"me": member(SAFE_IDS[3])}, GrantInvalid("parts"), id="nothing is asked of this safe"),
    pytest.param({"certificates": LISTS[1]}, GrantInvalid("certificates"), id="another list"),
    pytest.param({"certificates": LISTS[0][:2]}, GrantInvalid("certificates"), id="a shorter list"),
    pytest.param(
        {"certificates": LISTS[0][::-1]}, GrantInvalid("certificates"), id="the list in another order"
    ),
    pytest.param(
        {"grant": _with(parts=(granted_part(PEER, LONG),)), "certificates": LONG},
        GrantInvalid("certificates"),
        id="certificates of more than 512 KiB",
    ),
    pytest.param(
        {"grant": _with(roster_hash=bytes(32))}, RosterUnknown(1), id="another roster of that number"
    ),
    pytest.param(
        {"me": member(PEER, 2)}, RosterUnknown(2), id="the wallet's roster is older than this safe's"
    ),
    pytest.param(
        {"grant": _with(roster_version=2, roster_hash=CHAIN[1].roster.fingerprint)},
        RosterUnknown(1),
        id="this safe was put back to an older roster",
    ),
    pytest.param({"now_ms": (NOW + 300) * 1000}, GrantExpired((NOW + 300) * 1000), id="it has expired"),
    pytest.param(
        {"now_ms": (NOW - 301) * 1000}, GrantExpired((NOW - 301) * 1000), id="it is from the future"
    ),
]


@pytest.mark.parametrize(("changes", "refusal"), REFUSED_BY_PEERS)
def test_what_a_peer_takes_for_no_grant(changes: dict[str, Any], refusal: Refusal) -> None:
    """Each with its word."""
    with pytest.raises(type(refusal)) as refused:
        collected(**changes)
    assert str(refused.value) == str(refusal)


def test_bytes_that_are_no_grant() -> None:
    with pytest.raises(GrantInvalid, match="grant"):
        judge_collection(b"", bytes(64), LISTS[0], GATEWAY, member(PEER), AT_MS)


STRANGER = granted_part(SafeId(draw("a stranger", 16)), LISTS[1])

REFUSED_BY_GATEWAYS = [
    pytest.param(
        {"caller": WalletKey(key("a thief").public)}, GrantInvalid("wallet_key"), id="another's grant"
    ),
    pytest.param({"me": PEER}, GrantInvalid("gateway"), id="a grant for another gateway"),
    pytest.param({"lists": LISTS[:1]}, GrantInvalid("parts"), id="a list is missing"),
    pytest.param({"lists": LISTS[::-1]}, GrantInvalid("certificates"), id="the lists of other safes"),
    pytest.param(
        {"grant": _with(parts=(GRANT.parts[0], STRANGER))}, GrantInvalid("parts"), id="a safe of no roster"
    ),
    pytest.param({"now_ms": (NOW + 300) * 1000}, GrantExpired((NOW + 300) * 1000), id="it has expired"),
]


@pytest.mark.parametrize(("changes", "refusal"), REFUSED_BY_GATEWAYS)
def test_what_a_gateway_takes_for_no_grant(changes: dict[str, Any], refusal: Refusal) -> None:
    """Before it asks anybody."""
    with pytest.raises(type(refusal)) as refused:
        gathered(**changes)
    assert str(refused.value) == str(refusal)


def test_the_sample_roster_has_the_gateway() -> None:
    """Else the tests above would show something else."""
    assert GENESIS.safe(GATEWAY).safe_id == GATEWAY
