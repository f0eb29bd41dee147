"""A safe gathers for a wallet what a grant asks of it and of others: real servers, TLS, databases.

Every refusal with its outcome: who shows the grant, to whom, when, for what.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pysqlite3 as sqlite
import pytest
import pytest_asyncio

from kura.safe.v1 import owner_pb2, safe_pb2
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.errors import CallFailed, NoAnswer
from safe_node.handlers import gather as gathering_at
from safe_node.server import make_runner
from support.batches import KEYS
from support.gateways import SECONDS, Came, GatewaySafes, gateway_safes
from support.logged import log_into
from support.peer_safes import some_bytes
from support.safe_requests import deal
from support.sample_documents import NOW, draw, key
from support.tls_identities import identity
from threshold.hpke import derive_key_pair
from trust.authorisation import authorise_wallet, revoke_wallet
from trust.errors import EnvelopeBroken
from trust.grant import LIFE_SECONDS
from trust.ids import SafeId, WalletKey
from trust.owner_refusals import WalletRevoked
from trust.refusals import Busy, Refusal, SafeUnreachable
from trust.wallet_refusals import (
    CertificateUnknown,
    GrantExpired,
    GrantInvalid,
    NotYourItem,
    RosterUnknown,
    StoredPieceDamaged,
)
from wallet_client.pipeline.batch import PreparedBatch

pytestmark = pytest.mark.asyncio(loop_scope="module")
LARGE = 3 * 1_048_576
IDLE_SECONDS = 10.0
"""Long enough for what is done beside an idle call on a busy machine."""
THIEF = key("a thief")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def safes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GatewaySafes]:
    """Three, two bring back; no test leaves them otherwise than it found them."""
    async with gateway_safes(tmp_path_factory.mktemp("safes"), 3, 2) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def small(safes: GatewaySafes) -> tuple[PreparedBatch, dict[SafeId, list[bytes]]]:
    """Two items at all of them, with their certificates."""
    return await safes.registered([some_bytes(900), some_bytes(40)], "threshold")


Kept = tuple[PreparedBatch, dict[SafeId, list[bytes]]]


def blobs_of(came: Came) -> dict[SafeId, list[bytes]]:
    """All blobs by safe; a refusal in their place fails."""
    found: dict[SafeId, list[bytes]] = {}
    for safe_id, parts in came.items():
        assert not isinstance(parts, Refusal), parts
        found[safe_id] = [result.piece.blob for part in parts for result in part.results]
    return found


def kept_at(safes: GatewaySafes, batch: PreparedBatch) -> dict[SafeId, list[bytes]]:
    """The same from the databases, in the order of the certificates."""
    found: dict[SafeId, list[bytes]] = {}
    for safe in safes.safes:
        kept = safe.kept()
        (place,) = batch.manifest.places_at(safe.safe_id)
        found[safe.safe_id] = [kept[leaf, place.x][0] or b"" for leaf in batch.leaf_bytes]
    return found


@pytest.mark.parametrize("number", [0, 1, 2], ids=["the first", "the second", "the third"])
async def test_any_safe_gathers_from_all(safes: GatewaySafes, small: Kept, number: int) -> None:
    """Its own pieces too, each sealed by the safe that has it; as often as the grant is shown."""
    batch, lists = small
    gateway = safes.safes[number]
    grant = safes.grant(gateway, lists)
    for _ in range(2):
        assert blobs_of(await safes.gather(gateway, grant, lists)) == kept_at(safes, batch)


async def test_a_large_piece_comes_as_a_stream(safes: GatewaySafes) -> None:
    """Head first, then chunks; what is small in the same list stands before and behind."""
    (_, large), (_, little) = [
        await safes.registered([some_bytes(size)], "threshold", seed=f"of {size}") for size in (LARGE, 10)
    ]
    gateway, other = safes.safes[:2]
    lists = {other.safe_id: [*little[other.safe_id], *large[other.safe_id], *little[other.safe_id]]}
    came = await safes.gather(gateway, safes.grant(gateway, lists), lists)
    parts = came[other.safe_id]
    assert not isinstance(parts, Refusal)
    assert [len(one.results) for one in (parts[0], parts[-1])] == [1, 1]
    assert parts[1].head.blob_length == sum(len(one.chunk) for one in parts) > LARGE / 2


async def test_a_spare_is_asked_for_who_cannot_be_reached(safes: GatewaySafes, small: Kept) -> None:
    """And who cannot is named; without need a spare is left alone."""
    batch, lists = small
    gateway, second, third = safes.safes
    grant = safes.grant(gateway, lists)
    came = await safes.gather(gateway, grant, lists, spares=[third])
    assert set(came) == {gateway.safe_id, second.safe_id}
    await second.stop()
    try:
        came = await safes.gather(gateway, grant, lists, spares=[third])
    finally:
        await second.start()
        await gateway.reconnect()
    assert isinstance(came.pop(second.safe_id), SafeUnreachable)
    assert blobs_of(came) == {one.safe_id: kept_at(safes, batch)[one.safe_id] for one in (gateway, third)}


async def test_a_spare_is_asked_for_who_is_slow_and_the_first_who_are_done_count(
    safes: GatewaySafes, small: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow one is let go, and named."""
    batch, lists = small
    gateway, second, third = safes.safes
    let_go = asyncio.Event()

    async def never(*_: object) -> AsyncGenerator[bytes, None]:
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            let_go.set()

    assert gateway.helping is not None
    monkeypatch.setattr(gateway.helping.peers.to(second.safe_id), "collect", never)
    came = await safes.gather(gateway, safes.grant(gateway, lists), lists, spares=[third])
    assert isinstance(came.pop(second.safe_id), SafeUnreachable)
    assert blobs_of(came) == {one.safe_id: kept_at(safes, batch)[one.safe_id] for one in (gateway, third)}
    assert let_go.is_set()


async def test_who_leaves_early_leaves_nothing_running(
    safes: GatewaySafes, small: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway's calls to its peers end with the wallet's."""
    _, lists = small
    gateway, second, _ = safes.safes
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def never(*_: object) -> AsyncGenerator[bytes, None]:
        begun.set()
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            let_go.set()

    assert gateway.helping is not None
    monkeypatch.setattr(gateway.helping.peers.to(second.safe_id), "collect", never)
    gathering = asyncio.create_task(safes.gather(gateway, safes.grant(gateway, lists), lists))
    await begun.wait()
    gathering.cancel()
    async with asyncio.timeout(SECONDS):
        await let_go.wait()


async def test_wallets_that_take_nothing_keep_nobody_else_waiting(
    safes: GatewaySafes, small: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All turns are taken by calls that are never read; whoever comes gets one, and the slowest does not end.

    It is told so where the gateway waited for a peer; where it waited for the wallet itself, nothing more
    comes until the call's own deadline.
    """
    batch, lists = small
    _, large = await safes.registered([some_bytes(LARGE)], "threshold", seed="of who takes nothing")
    gateway = safes.safes[0]
    monkeypatch.setattr(gathering_at, "AT_ONCE", 2)
    monkeypatch.setattr(gathering_at, "SETTLED_SECONDS", 0.0)
    assert gateway.helping is not None
    assert gateway.identity is not None
    log, peers = log_into(gateway.local.logged), gateway.helping.peers
    runner = make_runner(gateway.safe, gateway.local.settings, gateway.identity, log, peers)
    monkeypatch.setitem(safes.ports, gateway.safe_id, await runner.start())
    try:
        idle = [
            safes.answers(gateway, safes.grant(gateway, large), large, seconds=IDLE_SECONDS) for _ in range(2)
        ]
        for answers in idle:
            await anext(answers)
        for _ in range(3):
            came = await safes.gather(gateway, safes.grant(gateway, lists), lists)
            assert blobs_of(came) == kept_at(safes, batch)
        told = await asyncio.gather(*map(ended, idle))
        assert [one for one in told if one is not None] in ([Busy], [NoAnswer])
    finally:
        await runner.stop(0)


async def ended(answers: AsyncGenerator[safe_pb2.GatherResponse, None]) -> type[Exception] | None:
    """What ends a call once it is read after all; None: it came to its end."""
    try:
        async with aclosing(answers):
            async for _ in answers:
                pass
    except (Refusal, CallFailed) as failure:
        return type(failure)
    return None


async def test_a_gateway_that_takes_nothing_holds_up_no_other_gateway(
    safes: GatewaySafes, small: Kept
) -> None:
    """It has turns of its own at each peer: one more of its own waits, another's does not."""
    _, lists = small
    rogue, honest, peer = safes.safes
    assert peer.helping is not None
    turns = peer.helping.collections[rogue.safe_id]
    held = 0
    while not turns.locked():
        await turns.acquire()
        held += 1
    try:
        assert await safes.collect(peer, honest, safes.grant(honest, lists), lists[peer.safe_id])
    finally:
        for _ in range(held):
            turns.release()


@dataclass(frozen=True)
class Shown:
    """How a grant is shown to a peer by one that says it is the gateway; safes by their positions.

    Args:
        by: Whose certificate the call comes with.
        later_seconds: How much later.
    """

    by: int = 0
    grant: Mapping[str, Any] = field(default_factory=dict)
    of: int = 1
    later_seconds: int = 0


@pytest.mark.parametrize(
    ("shown", "refusal"),
    [
        pytest.param(Shown(by=2), GrantInvalid, id="another safe than the gateway shows it"),
        pytest.param(Shown(of=2), GrantInvalid, id="the list of another safe"),
        pytest.param(Shown(grant={"roster_hash": bytes(32)}), RosterUnknown, id="another roster"),
        pytest.param(
            Shown(grant={"roster_version": 2}), RosterUnknown, id="a roster that this safe has not seen"
        ),
        pytest.param(Shown(later_seconds=LIFE_SECONDS), GrantExpired, id="shown again after it expired"),
    ],
)
async def test_what_a_peer_refuses_a_gateway(
    safes: GatewaySafes, small: Kept, shown: Shown, refusal: type[Refusal]
) -> None:
    """By itself, whatever the gateway thought of it; the same grant unchanged is given what it asks for."""
    _, lists = small
    gateway, helper = safes.safes[0], safes.safes[1]
    good = safes.grant(gateway, lists)
    assert await safes.collect(helper, gateway, good, lists[helper.safe_id])
    clock = safes.peers.local.clock
    clock.ms += shown.later_seconds * 1000
    try:
        with pytest.raises(refusal):
            await safes.collect(
                helper,
                safes.safes[shown.by],
                safes.grant(
                    gateway,
                    lists,
                    **{"issued_at": good.issued_at, "expires_at": good.expires_at, **shown.grant},
                ),
                lists[safes.safes[shown.of].safe_id],
            )
    finally:
        clock.ms -= shown.later_seconds * 1000


async def test_after_it_expired_the_gateway_refuses_it_too(safes: GatewaySafes, small: Kept) -> None:
    """A grant that was good, shown again by the wallet that signed it."""
    _, lists = small
    gateway, clock = safes.safes[0], safes.peers.local.clock
    grant = safes.grant(gateway, lists)
    await safes.gather(gateway, grant, lists)
    clock.ms += LIFE_SECONDS * 1000
    try:
        with pytest.raises(GrantExpired):
            await safes.gather(gateway, grant, lists)
    finally:
        clock.ms -= LIFE_SECONDS * 1000


async def test_a_certificate_outside_the_roster_gets_no_connection(safes: GatewaySafes, small: Kept) -> None:
    """Though it bears the gateway's name, and shows a good grant."""
    _, lists = small
    gateway, helper = safes.safes[:2]
    grant = safes.grant(gateway, lists)
    stranger = identity(gateway.name)
    with pytest.raises(CallFailed):
        await safes.collect(helper, gateway, grant, lists[helper.safe_id], stranger=stranger)


async def test_another_wallet_gets_nothing_by_somebody_elses_grant(safes: GatewaySafes, small: Kept) -> None:
    """Shown as it is, put into its own name, or taken for another gateway."""
    _, lists = small
    gateway, other = safes.safes[:2]
    grant = safes.grant(gateway, lists)
    with pytest.raises(GrantInvalid, match="wallet_key"):
        await safes.gather(gateway, grant, lists, key=THIEF, signer=KEYS.signing)
    with pytest.raises(GrantInvalid, match="signature"):
        await safes.gather(gateway, grant, lists, signer=THIEF)
    with pytest.raises(GrantInvalid, match="gateway"):
        await safes.gather(other, grant, lists)


async def test_another_list_than_the_grants_is_refused(safes: GatewaySafes, small: Kept) -> None:
    """One certificate less, or the lists of two safes changed."""
    _, lists = small
    gateway, other = safes.safes[:2]
    grant = safes.grant(gateway, lists)
    fewer = {**lists, other.safe_id: lists[other.safe_id][:1]}
    swapped = {**lists, other.safe_id: lists[gateway.safe_id], gateway.safe_id: lists[other.safe_id]}
    for wrong in (fewer, swapped):
        with pytest.raises(GrantInvalid, match="certificates"):
            await safes.gather(gateway, grant, wrong)


async def test_what_is_another_wallets_is_refused_piece_by_piece(safes: GatewaySafes, small: Kept) -> None:
    """A good grant of a wallet that has somebody else's certificates; and of what no safe knows."""
    _, lists = small
    gateway, other = safes.safes[:2]
    mixed = {one.safe_id: [*lists[one.safe_id][:1], *lists[gateway.safe_id][1:]] for one in (gateway, other)}
    came = await safes.gather(gateway, safes.grant(gateway, mixed, THIEF), mixed, key=THIEF)
    assert refusals_of(came[gateway.safe_id]) == [NotYourItem, NotYourItem]
    assert refusals_of(came[other.safe_id]) == [NotYourItem, CertificateUnknown]


async def test_to_another_recipient_nothing_opens(safes: GatewaySafes, small: Kept) -> None:
    """Whoever overhears what is gathered."""
    _, lists = small
    gateway = safes.safes[0]
    with pytest.raises(EnvelopeBroken):
        await safes.gather(
            gateway, safes.grant(gateway, lists), lists, pair=derive_key_pair(draw("another", 32))
        )


async def test_a_revoked_wallet_is_refused_by_whoever_knows(safes: GatewaySafes) -> None:
    """By one peer, of which the gateway has not heard: the others give. By the gateway: nobody is asked."""
    owner, wallet = key("owner of the revoked"), key("revoked")
    gateway, second, third = safes.safes
    lists: dict[SafeId, list[bytes]] = {}
    for safe in safes.safes:
        dealt = deal(safes.peers.local.roster, wallet, [b"value"], label="revoked")
        request = safe_pb2.RegisterRequest(batches=[dealt.for_safe(safe.safe_id)])
        answer = await safe.local.caller(wallet).unary(
            "/kura.safe.v1.SafeService/Register", request, safe_pb2.RegisterResponse, SECONDS
        )
        lists[safe.safe_id] = list(answer.results[0].registration.certificates)
        word = authorise_wallet(WalletKey(wallet.public), NOW, owner)
        await safe.local.ask(
            owner_pb2.AuthoriseWalletRequest(authorisation=word.authorisation, signature=word.signature),
            wallet,
        )
    body, signature = revoke_wallet(WalletKey(wallet.public), NOW, owner)
    revocation = owner_pb2.RevokeWalletRequest(revocation=body, signature=signature)
    grant = safes.grant(gateway, lists, wallet)
    await second.local.ask(revocation, owner)
    came = await safes.gather(gateway, grant, lists, key=wallet)
    assert isinstance(came.pop(second.safe_id), WalletRevoked)
    assert set(blobs_of(came)) == {gateway.safe_id, third.safe_id}
    with pytest.raises(WalletRevoked):
        await safes.collect(second, gateway, grant, lists[second.safe_id], signer=wallet)
    await gateway.local.ask(revocation, owner)
    with pytest.raises(WalletRevoked):
        await safes.gather(gateway, grant, lists, key=wallet)


async def test_a_damaged_piece_is_told_as_its_own_safe_tells_it(safes: GatewaySafes) -> None:
    """Sealed, so that it is that safe's word, and nothing else is held up by it."""
    (_, large), (_, little) = [
        await safes.registered([some_bytes(size)], "threshold", seed=f"damaged {size}") for size in (LARGE, 5)
    ]
    gateway, other = safes.safes[:2]
    with sqlite.connect(str(other.local.home.database)) as connection:
        connection.execute("UPDATE blocks SET content = zeroblob(length(content)) WHERE id % 65536 = 1")
    wanted = {other.safe_id: [*large[other.safe_id], *little[other.safe_id]]}
    came = await safes.gather(gateway, safes.grant(gateway, wanted), wanted)
    assert refusals_of(came[other.safe_id]) == [StoredPieceDamaged, None]


def refusals_of(parts: list[safe_pb2.CollectedPart] | Refusal) -> list[type[Any] | None]:
    """The refusal of each result, None for a piece."""
    assert not isinstance(parts, Refusal), parts
    results = [result for part in parts for result in part.results]
    return [
        type(SAFE_ERRORS.from_refusal(one.refusal)) if one.HasField("refusal") else None for one in results
    ]
