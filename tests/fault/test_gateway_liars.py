"""A gateway, or a safe behind it, that lies: it is named, and no value comes back wrong.

Real safes, real links; what goes out of the gateway is spoilt on its way. Two of three bring back: the
gateway, safe-1, and safe-2 are asked first, safe-3 is spare.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import pytest_asyncio
from msgspec import structs

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.error_table import SAFE_ERRORS
from safe_node.handlers import collect
from safe_node.handlers.gather import gather
from support.gateways import GatewaySafes, gateway_safes
from support.memory_safes import use
from support.owners_at_real_safes import backed_up, wallet_at
from support.wallet_samples import small_value
from threshold.randomness import SystemRandomness
from trust.collected import Collecting
from trust.documents import SigningKey
from trust.grant import LIFE_SECONDS, Grant
from trust.ids import SafeId
from trust.refusals import InternalError
from trust.wallet_refusals import GrantExpired, StoredPieceDamaged
from wallet_client.network.carriers import Gateway
from wallet_client.network.failures import (
    NotAsSealed,
    NotGathered,
    SafeFailure,
    WrongKeyShare,
    WrongPiece,
    WrongReply,
)
from wallet_client.network.links import Links
from wallet_client.operations.backup import back_up
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.recover import RecoveryReport, recover
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.wallet import Wallet

pytestmark = pytest.mark.asyncio(loop_scope="module")
LARGE = 3 * 1_048_576
Responses: TypeAlias = list[pb.GatherResponse]
Spoil: TypeAlias = Callable[[Responses, Grant], Responses]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def safes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GatewaySafes]:
    """Three, two bring back; each test has a wallet of its own."""
    async with gateway_safes(tmp_path_factory.mktemp("safes"), 3, 2) as made:
        yield made


@asynccontextmanager
async def wallet_by_gateway(home: Path, safes: GatewaySafes, name: str = "safe-1") -> AsyncIterator[Wallet]:
    """The wallet in a folder, which reaches one safe alone."""
    async with wallet_at(home, safes.peers.local, seed=str(home)) as wallet:
        entries = tuple(
            structs.replace(entry, endpoint=f"127.0.0.1:{safes.ports[entry.safe_id]}")
            for entry in wallet.roster.safes
        )
        roster = structs.replace(wallet.roster, safes=entries)
        use(wallet, Links(roster, wallet.keys.signing, 20.0, Gateway(name)))
        yield wallet


async def kept(home: Path, safes: GatewaySafes, *names: str, policy: str = "threshold") -> list[ReceiptId]:
    """Values that are at the safes and not in the wallet any more."""
    async with wallet_at(home, safes.peers.local, seed=str(home)) as wallet:
        receipts = await backed_up(wallet, *names, policy=policy)
        with wallet.store.transaction():
            for one in wallet.store.values.summaries():
                wallet.store.values.remove(one.id)
    return receipts


async def recovered(home: Path, safes: GatewaySafes, receipts: list[ReceiptId]) -> RecoveryReport:
    """Through the gateway; the values are those that were backed up, whatever it did."""
    async with wallet_by_gateway(home, safes) as wallet:
        report = await recover(wallet, receipts)
        for one in wallet.store.values.summaries():
            value = wallet.store.values.get(one.id)
            assert value == small_value(value.name)
    return report


def spoiling(monkeypatch: pytest.MonkeyPatch, *spoils: Spoil) -> list[list[str]]:
    """Have every gateway spoil its first answers, one by one; gives whom each was asked for."""
    real, left, asked = gather, list(spoils), list[list[str]]()

    async def spoilt(
        gatherings: Any, caller: Any, request: pb.GatherRequest
    ) -> AsyncIterator[pb.GatherResponse]:
        grant = Grant.from_bytes(request.grant)
        roster = gatherings.safe.membership.newest
        names = [roster.safe(part.safe_id).name for part in grant.parts]
        asked.append(
            [f"{name}?" if one.is_spare else name for name, one in zip(names, request.lists, strict=True)]
        )
        answers = [answer async for answer in real(gatherings, caller, request)]
        spoil = left.pop(0) if left else lambda answers, _: answers
        for answer in spoil(answers, grant):
            yield answer

    monkeypatch.setattr("safe_node.handlers.servicer.gather", spoilt)
    return asked


def second(grant: Grant) -> SafeId:
    """Safe-2: asked first beside the gateway."""
    return next(part.safe_id for part in grant.parts if part.safe_id != grant.gateway)


def of_second(change: Callable[[Responses], Responses]) -> Spoil:
    """Change what comes of safe-2; what comes of others stays before it."""

    def spoil(answers: Responses, grant: Grant) -> Responses:
        theirs = [one for one in answers if one.safe_id == second(grant)]
        assert len(theirs) > 1
        return [one for one in answers if one.safe_id != second(grant)] + change(theirs)

    return spoil


def invented(answers: Responses, grant: Grant) -> Responses:
    """What the gateway makes up and seals in safe-2's name; it has another signing key."""
    sealer = Collecting(grant, second(grant), SigningKey(bytes(range(32))), SystemRandomness())
    part = pb.CollectedPart(results=[pb.FetchResult(piece=pb.StoredPiece(blob=bytes(100)))])
    frames = [sealer.seal(part.SerializeToString()), sealer.seal(None, is_last=True)]
    made_up = [pb.GatherResponse(safe_id=second(grant), frame=frame) for frame in frames]
    return [one for one in answers if one.safe_id != second(grant)] + made_up


def flipped(answers: Responses) -> Responses:
    frame = answers[0].frame
    changed = frame[:-1] + bytes([frame[-1] ^ 1])
    return [pb.GatherResponse(safe_id=answers[0].safe_id, frame=changed), *answers[1:]]


def in_clear(answers: Responses, grant: Grant) -> Responses:
    """A refusal that safe-2 never spoke."""
    word = SAFE_ERRORS.to_refusal(StoredPieceDamaged())
    return [one for one in answers if one.safe_id != second(grant)] + [
        pb.GatherResponse(safe_id=second(grant), failure=word)
    ]


@pytest.mark.parametrize(
    ("spoil", "failure", "again"),
    [
        pytest.param(of_second(lambda _: []), NotAsSealed, [["safe-3"]], id="drops all of one safe"),
        pytest.param(of_second(lambda answers: answers[:-1]), NotAsSealed, [], id="drops its end"),
        pytest.param(
            of_second(lambda answers: answers[1:]), NotAsSealed, [["safe-3"]], id="drops its beginning"
        ),
        pytest.param(
            of_second(lambda answers: answers[::-1]), NotAsSealed, [["safe-3"]], id="changes their order"
        ),
        pytest.param(
            of_second(lambda answers: [answers[0], *answers]), NotAsSealed, [], id="repeats a frame"
        ),
        pytest.param(of_second(flipped), NotAsSealed, [["safe-3"]], id="changes a bit"),
        pytest.param(invented, NotAsSealed, [["safe-3"]], id="makes pieces up"),
        pytest.param(in_clear, NotGathered, [["safe-3"]], id="says itself what only the safe may say"),
    ],
)
async def test_a_gateway_that_meddles_with_one_safe_is_noticed_and_another_asked(
    safes: GatewaySafes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Spoil,
    failure: type[SafeFailure],
    again: list[list[str]],
) -> None:
    """What did not open counts for nothing, and safe-3 gives it; what did was safe-2's and is taken."""
    receipts = await kept(tmp_path / "wallet", safes, "one")
    asked = spoiling(monkeypatch, spoil)
    report = await recovered(tmp_path / "wallet", safes, receipts)
    assert len(report.recovered) == 1
    assert {name: type(one) for name, one in report.failed.items()} == {"safe-2": failure}
    assert "safe-1" in str(report.failed["safe-2"])
    assert asked == [["safe-1", "safe-2", "safe-3?"], *again]


def swapped(answers: Responses, grant: Grant) -> Responses:
    """Each of the two safes' frames in the other's name."""
    other = {grant.gateway: second(grant), second(grant): grant.gateway}
    return [pb.GatherResponse(safe_id=other[SafeId(one.safe_id)], frame=one.frame) for one in answers]


def broken_off(answers: Responses, grant: Grant) -> Responses:
    raise InternalError("0123456789abcdef")


@pytest.mark.parametrize(
    ("spoil", "failures"),
    [
        pytest.param(swapped, {"safe-1": NotAsSealed, "safe-2": NotAsSealed}, id="swaps two safes' pieces"),
        pytest.param(
            lambda *_: [],
            {"safe-1": NotAsSealed, "safe-2": NotAsSealed},
            id="gives nothing, and says that was all",
        ),
        pytest.param(broken_off, {"safe-1": InternalError, "safe-2": NotGathered}, id="fails in the middle"),
    ],
)
async def test_a_gateway_that_leaves_too_little_is_named_and_nothing_comes_back(
    safes: GatewaySafes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Spoil,
    failures: dict[str, type[SafeFailure]],
) -> None:
    """No wrong value; by an honest gateway the value comes."""
    receipts = await kept(tmp_path / "wallet", safes, "one")
    spoiling(monkeypatch, spoil)
    with pytest.raises(TooFewSafes) as refused:
        await recovered(tmp_path / "wallet", safes, receipts)
    assert {name: type(one) for name, one in refused.value.failed.items()} == failures
    report = await recovered(tmp_path / "wallet", safes, receipts)
    assert (len(report.recovered), report.failed) == (1, {})


async def test_a_frame_for_a_safe_that_was_not_asked_is_nothing(
    safes: GatewaySafes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one for no safe at all, or one that comes when all was said."""
    receipts = await kept(tmp_path / "wallet", safes, "one")

    def more(answers: Responses, _: Grant) -> Responses:
        stray = pb.GatherResponse(safe_id=bytes(16), frame=b"stray")
        return [stray, *answers, answers[-1], stray]

    spoiling(monkeypatch, more)
    report = await recovered(tmp_path / "wallet", safes, receipts)
    assert (len(report.recovered), report.failed) == (1, {})


def wrong_blob(part: pb.CollectedPart) -> None:
    for result in part.results:
        result.piece.blob = result.piece.blob[:-1] + bytes([result.piece.blob[-1] ^ 1])


def wrong_share(part: pb.CollectedPart) -> None:
    for result in part.results:
        result.piece.key_share = bytes([result.piece.key_share[0] ^ 1]) + result.piece.key_share[1:]


def wrong_chunk(part: pb.CollectedPart) -> None:
    if part.HasField("chunk"):
        part.chunk = bytes(len(part.chunk))


def wrong_length(part: pb.CollectedPart) -> None:
    if part.HasField("head"):
        part.head.blob_length += 1


def too_many(part: pb.CollectedPart) -> None:
    part.results.extend(list(part.results))


def none_at_all(part: pb.CollectedPart) -> None:
    del part.results[:]


@pytest.mark.parametrize(
    ("lie", "size", "failure"),
    [
        pytest.param(too_many, 100, WrongReply, id="more than it was asked for"),
        pytest.param(none_at_all, 100, WrongReply, id="less than it was asked for"),
        pytest.param(wrong_blob, 100, WrongPiece, id="a wrong piece"),
        pytest.param(wrong_share, 100, WrongKeyShare, id="a wrong key share"),
        pytest.param(wrong_chunk, LARGE, WrongPiece, id="a wrong block of a large piece"),
        pytest.param(wrong_length, LARGE, WrongPiece, id="a large piece of another length"),
    ],
)
async def test_a_safe_behind_the_gateway_that_lies_is_named_itself(
    safes: GatewaySafes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lie: Callable[[pb.CollectedPart], None],
    size: int,
    failure: type[SafeFailure],
) -> None:
    """It signed what it sealed, so the gateway is out of it; the spare gives what is missing."""
    real = collect._parts

    async def lying(safe: Any, caller: Any, presented: Any) -> AsyncIterator[pb.CollectedPart]:
        async for part in real(safe, caller, presented):
            if safe.name == "safe-2":
                lie(part)
            yield part

    home, value = tmp_path / "wallet", small_value("one", payload=bytes(size))
    async with wallet_at(home, safes.peers.local, seed=str(home)) as wallet:
        with wallet.store.transaction():
            value_id = wallet.store.values.add(value)
        receipts = [one.receipt_id for one in (await back_up(wallet, [value_id], "threshold")).entries]
        with wallet.store.transaction():
            wallet.store.values.remove(value_id)
    monkeypatch.setattr(collect, "_parts", lying)
    async with wallet_by_gateway(home, safes) as wallet:
        report = await recover(wallet, receipts)
        assert wallet.store.values.get(value_id) == value
    assert {name: type(one) for name, one in report.failed.items()} == {"safe-2": failure}


async def test_a_safe_that_goes_on_for_ever_is_left(
    safes: GatewaySafes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pieces were good; what came behind them is not."""
    real = collect._parts

    async def endless(safe: Any, caller: Any, presented: Any) -> AsyncIterator[pb.CollectedPart]:
        async for part in real(safe, caller, presented):
            yield part
            while safe.name == "safe-2":
                yield part

    receipts = await kept(tmp_path / "wallet", safes, "one")
    monkeypatch.setattr(collect, "_parts", endless)
    report = await recovered(tmp_path / "wallet", safes, receipts)
    assert len(report.recovered) == 1
    assert {name: type(one) for name, one in report.failed.items()} == {"safe-2": WrongReply}


async def test_key_and_ciphertext_at_different_safes_come_through_either(
    safes: GatewaySafes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source's own case: the gateway has the one and gathers the other; nobody else is asked."""
    receipts = await kept(tmp_path / "wallet", safes, "one", policy="apart")
    for gateway, first in (("safe-3", "safe-1"), ("safe-1", "safe-3")):
        asked = spoiling(monkeypatch)
        async with wallet_by_gateway(tmp_path / "wallet", safes, gateway) as wallet:
            report = await recover(wallet, receipts)
            (one,) = wallet.store.values.summaries()
            assert wallet.store.values.get(one.id) == small_value("one")
            with wallet.store.transaction():
                wallet.store.values.remove(one.id)
        assert (len(report.recovered), report.failed) == (1, {})
        assert asked == [[gateway, first, "safe-2?"]]
        monkeypatch.undo()


async def test_a_wallet_whose_clock_is_behind_is_told_so_by_its_gateway(
    safes: GatewaySafes, tmp_path: Path
) -> None:
    """The grant that it makes has expired when it comes."""
    receipts = await kept(tmp_path / "wallet", safes, "one")
    async with wallet_by_gateway(tmp_path / "wallet", safes) as wallet:
        now = safes.peers.local.clock.ms / 1000
        wallet.clock = lambda: now - LIFE_SECONDS
        with pytest.raises(TooFewSafes) as refused:
            await recover(wallet, receipts)
    assert isinstance(refused.value.failed["safe-1"], GrantExpired)
    assert isinstance(refused.value.failed["safe-2"], NotGathered)
