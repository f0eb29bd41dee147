"""Safes that lie: any two of five are named and change nothing; three stop a recovery and spoil nothing.

All five are real processes whose store lies as it is told to (support.lying_safe).
"""

import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest
from msgspec import structs

from rpc_edge.errors import NoAnswer
from support.cluster import LocalCluster
from support.faults import SHORT_PATIENCE_SECONDS, fresh_wallet, kinds, receipts_of, state_of_wallet, stored
from support.lying_safe import AS_TOLD, HONEST, LIES
from trust.certificate import Certificate
from trust.digest import Digest
from trust.errors import TrustError
from trust.wallet_refusals import CertificateUnknown, NotYourItem
from wallet_client.network.failures import SafeFailure, TooSlow, WrongKeyShare, WrongPiece, explain
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.edit import edit
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.recover import recover
from wallet_client.receipts.receipt import Receipt, ReceiptId, verify_receipt
from wallet_client.receipts.shelf import update_receipt
from wallet_client.values.value import Value, ValueId
from wallet_client.wallet import Wallet

NAMES = tuple(f"safe-{number}" for number in range(1, 6))
SEED = 20_261
SMALL = Value(item_class="movie-ticket", name="small", payload=b"row 3, seat 4")
COMPACT = Value(item_class="file", name="dispersed", payload=random.Random(1).randbytes(100_000))
STREAMED = Value(item_class="file", name="streamed", payload=random.Random(2).randbytes(4 << 20))
WRONG: dict[str, tuple[type[SafeFailure], ...]] = {
    "flip-bit": (WrongPiece,),
    "other-item": (WrongPiece,),
    "old-generation": (WrongPiece,),
    "swap-key-share": (WrongKeyShare,),
    "garbage": (WrongPiece, WrongKeyShare),
    "slow": (TooSlow,),
}
"""What the wallet says of a safe that lies so."""


@dataclass(frozen=True)
class Liars:
    """Five safes that may be told to lie."""

    cluster: LocalCluster
    folder: Path

    def tell(self, lie: str, *names: str) -> None:
        """These lie so from now on, the others are honest."""
        for name in NAMES:
            beside = self.folder / f"{name}.new"
            beside.write_text(lie if name in names else HONEST)
            beside.replace(self.folder / name)


@pytest.fixture(scope="module")
def cluster_of_liars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Liars]:
    """Honest until told otherwise."""
    folder = tmp_path_factory.mktemp("lies")
    cluster = LocalCluster.started(tmp_path_factory.mktemp("liars"))
    liars = Liars(cluster, folder)
    try:
        liars.tell(HONEST)
        for name in NAMES:
            cluster.replace_with_liar(name, AS_TOLD, file=folder / name)
        yield liars
    finally:
        cluster.close()


@pytest.fixture
def liars(cluster_of_liars: Liars) -> Liars:
    """All honest."""
    cluster_of_liars.tell(HONEST)
    return cluster_of_liars


@pytest.fixture
async def wallet(liars: Liars, tmp_path: Path) -> AsyncIterator[Wallet]:
    """A fresh one."""
    async with fresh_wallet(liars.cluster, tmp_path / "wallet") as wallet:
        yield wallet


async def backed_up(wallet: Wallet, *values: Value) -> dict[ValueId, tuple[ReceiptId, Value]]:
    """Values that stand at all five safes and are erased from the wallet."""
    added = {wallet.store.values.add(value): value for value in values}
    report = await back_up(wallet, list(added), "threshold")
    assert {entry.state.word for entry in report.entries} == {"safe"}
    await drop_backed_up(wallet, list(added), accept_fewer=False)
    return {entry.value_id: (entry.receipt_id, added[entry.value_id]) for entry in report.entries}


async def recovered(wallet: Wallet, erased: dict[ValueId, tuple[ReceiptId, Value]]) -> dict[str, SafeFailure]:
    """Recover all of them, see that they are what they were, and give what went wrong at which safe."""
    report = await recover(wallet, [receipt_id for receipt_id, _ in erased.values()])
    assert set(report.recovered) == set(erased)
    assert {value_id: wallet.store.values.get(value_id) for value_id in erased} == {
        value_id: value for value_id, (_, value) in erased.items()
    }
    return dict(report.failed)


PAIRS = list(combinations(NAMES, 2))


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
@pytest.mark.parametrize("lie", [lie for lie in LIES if lie not in {"slow", "old-generation"}])
async def test_two_safes_that_lie_are_named_and_change_nothing(
    lie: str, pair: tuple[str, str], wallet: Wallet, liars: Liars
) -> None:
    """All ten pairs, each kind of lie: both are blamed for it by name, and every byte comes back."""
    erased = await backed_up(wallet, SMALL, COMPACT)
    liars.tell(lie, *pair)
    failed = await recovered(wallet, erased)
    for name in pair:
        assert isinstance(failed[name], WRONG[lie])
        assert "do not trust it" in explain(failed[name])
    assert all(isinstance(failed[name], TooSlow) for name in failed.keys() - set(pair))


async def test_two_safes_that_serve_an_old_generation_change_nothing(wallet: Wallet, liars: Liars) -> None:
    """They keep what they were told to delete, and give it out under the new certificate."""
    pair = random.Random(SEED).choice(PAIRS)
    liars.tell("old-generation", *pair)
    value_id = wallet.store.values.add(SMALL)
    await back_up(wallet, [value_id], "threshold")
    new = SMALL.with_fields(remarks="the new generation, as long as the old: no")
    await edit(wallet, value_id, new)
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    (receipt,) = receipts_of(wallet)
    assert receipt.read_leaf().generation == 2
    failed = await recovered(wallet, {value_id: (receipt.receipt_id, new)})
    assert {name for name, failure in failed.items() if isinstance(failure, WrongPiece)} == set(pair)


async def test_two_safes_that_do_not_answer_are_named(wallet: Wallet, liars: Liars) -> None:
    """They are given a second more than the others need, and told slow."""
    erased = await backed_up(wallet, SMALL)
    pair = random.Random(SEED + 1).choice(PAIRS)
    liars.tell("slow", *pair)
    failed = await recovered(wallet, erased)
    assert isinstance(failed[pair[0]], TooSlow)
    assert isinstance(failed[pair[1]], TooSlow)


@pytest.mark.parametrize("lie", ["flip-bit", "garbage", "swap-key-share"])
async def test_two_safes_that_lie_in_a_stream_change_nothing(lie: str, wallet: Wallet, liars: Liars) -> None:
    """The first wrong block ends the stream; the others' pieces make the value."""
    erased = await backed_up(wallet, STREAMED)
    pair = random.Random(f"{SEED} {lie}").choice(PAIRS)
    liars.tell(lie, *pair)
    failed = await recovered(wallet, erased)
    for name in pair:
        assert isinstance(failed[name], WrongPiece | WrongKeyShare)


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie not in {"old-generation", "slow"}])
@pytest.mark.parametrize("value", [SMALL, STREAMED], ids=["a small value", "a streamed value"])
async def test_three_safes_that_lie_stop_a_recovery_and_each_is_named(
    lie: str, value: Value, wallet: Wallet, liars: Liars
) -> None:
    """TooFewSafes with each name and reason; the wallet is as it was; told the truth, the same call works."""
    await backed_up(wallet, Value(item_class="file", name="another item", payload=bytes(500)))
    erased = await backed_up(wallet, value)
    three = random.Random(f"{SEED} {lie}").sample(NAMES, 3)
    liars.tell(lie, *three)
    before = state_of_wallet(wallet)
    await assert_refused(wallet, erased, three)
    assert state_of_wallet(wallet) == before
    liars.tell(HONEST)
    await recovered(wallet, erased)


async def test_three_safes_that_do_not_answer_stop_a_recovery_at_the_deadline(
    liars: Liars, tmp_path: Path
) -> None:
    """Each is named, and the wallet is as it was."""
    async with fresh_wallet(
        liars.cluster, tmp_path / "wallet", patience_seconds=SHORT_PATIENCE_SECONDS
    ) as wallet:
        erased = await backed_up(wallet, SMALL)
        liars.tell("slow", *NAMES[1:4])
        before = state_of_wallet(wallet)
        failed = await assert_refused(wallet, erased, NAMES[1:4])
        assert {type(failure) for failure in failed.values()} == {NoAnswer}
        assert state_of_wallet(wallet) == before


async def assert_refused(
    wallet: Wallet, erased: dict[ValueId, tuple[ReceiptId, Value]], names: Sequence[str]
) -> Mapping[str, SafeFailure]:
    """Recover in vain: exactly these safes are at fault, and the sentence has a line for each."""
    with pytest.raises(TooFewSafes) as refused:
        await recover(wallet, [receipt_id for receipt_id, _ in erased.values()])
    failure = refused.value
    assert set(failure.failed) == set(names)
    assert all(f"\n  {name}: " in str(failure) for name in names)
    assert (failure.good, failure.needed) == (2, 3)
    return failure.failed


CHANGES: dict[str, Callable[[Certificate, Certificate], Certificate]] = {
    "another safe's": lambda one, other: structs.replace(one, safe_id=other.safe_id),
    "another counter": lambda one, _: structs.replace(one, counter=one.counter + 1),
    "another digest": lambda one, _: structs.replace(one, digest=Digest("vacant", b"")),
    "another hash": lambda one, other: structs.replace(one, x_hash=other.x_hash),
    "another item": lambda one, _: structs.replace(one, item_id=bytes(16)),
    "another generation": lambda one, _: structs.replace(one, generation=one.generation + 1),
}


def with_changed(receipt: Receipt, ways: Mapping[int, str]) -> Receipt:
    """The receipt with the certificates at these share indices, which count the safes, changed so."""
    read = {signed.read().index: signed.read() for signed in receipt.certificates}
    changed = {x: CHANGES[how](read[x], read[x % 5 + 1]) for x, how in ways.items()}
    certificates = tuple(
        structs.replace(signed, certificate=changed.get(signed.read().index, signed.read()).to_bytes())
        for signed in receipt.certificates
    )
    return structs.replace(receipt, certificates=certificates)


@pytest.mark.parametrize("how", CHANGES)
async def test_two_changed_certificates_open_nothing_and_stop_nothing(
    how: str, wallet: Wallet, liars: Liars
) -> None:
    """The receipt does not hold offline; both safes answer NOT_FOUND, and the other three serve."""
    erased = await backed_up(wallet, SMALL)
    (receipt,) = receipts_of(wallet)
    spoilt = with_changed(receipt, {2: how, 4: how})
    assert any(isinstance(problem, TrustError) for problem in verify_receipt(spoilt, wallet.roster).values())
    update_receipt(wallet.store, spoilt)
    failed = await recovered(wallet, erased)
    assert isinstance(failed["safe-2"], CertificateUnknown)
    assert isinstance(failed["safe-4"], CertificateUnknown)


async def test_changed_foreign_and_deleted_certificates_get_one_reply(wallet: Wallet, liars: Liars) -> None:
    """Whatever is wrong with it, and after deletion with nothing wrong, the safes say the same word."""
    await backed_up(wallet, SMALL)
    (receipt,) = receipts_of(wallet)
    ways = dict(enumerate(list(CHANGES)[:5], start=1))
    refusals = []
    for spoilt in (with_changed(receipt, ways), receipt):
        if spoilt is receipt:
            await recover(wallet, [receipt.receipt_id], delete_receipts=True)
            wallet.store.values.remove(receipt.value_ids[0])
            assert not any(stored(liars.cluster, wallet).values())
        update_receipt(wallet.store, spoilt)
        with pytest.raises(TooFewSafes) as refused:
            await recover(wallet, [receipt.receipt_id])
        update_receipt(wallet.store, receipt)
        refusals.append(dict(refused.value.failed))
    replies = {(type(one), str(one)) for failed in refusals for one in failed.values()}
    assert [set(failed) for failed in refusals] == [set(NAMES), set(NAMES)]
    assert len(replies) == 1
    assert replies.pop()[0] is CertificateUnknown


async def test_another_wallets_receipt_opens_nothing(wallet: Wallet, liars: Liars, tmp_path: Path) -> None:
    """Certificates in other hands are refused by every safe (PERMISSION_DENIED)."""
    await backed_up(wallet, SMALL)
    (receipt,) = receipts_of(wallet)
    async with fresh_wallet(liars.cluster, tmp_path / "thief") as thief:
        update_receipt(thief.store, receipt)
        with pytest.raises(TooFewSafes) as refused:
            await recover(thief, [receipt.receipt_id])
        assert kinds(refused.value.failed) == dict.fromkeys(NAMES, NotYourItem)
        assert thief.store.values.summaries() == []
