"""Bringing values back: who may lie or be away, who is named, what is refused before anybody is asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from msgspec import structs

from rpc_edge.errors import NothingListens
from support.memory_safes import KeptPiece, MemorySafe, MemorySafes, check_books, opened
from support.sample_documents import draw
from support.wallet_samples import small_value
from trust.manifest import sign_manifest
from trust.refusals import StorageFull
from trust.wallet_refusals import CertificateUnknown
from wallet_client.network.failures import NotRegisteredThere, WrongKeyShare, WrongPiece
from wallet_client.network.messages import FetchedPiece
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.errors import KeyNotInWallet, TooFewSafes
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.receipts.errors import UnknownReceipt
from wallet_client.receipts.receipt import ReceiptId, state_of
from wallet_client.receipts.shelf import get_receipt, put_receipt
from wallet_client.storage.errors import WalletFull
from wallet_client.values.errors import ValueDamaged
from wallet_client.values.value import Value
from wallet_client.wallet import Wallet

VALUES = [small_value(f"value {i}", payload=draw(f"payload {i}", 37 * i)) for i in range(20)]
LARGE = small_value("large", payload=draw("large", 4_000_000))


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet."""
    async with opened(folder, safes) as made:
        yield made


async def away(wallet: Wallet, values: list[Value], policy: str = "threshold") -> list[ReceiptId]:
    """Receipts of values that are no longer in the wallet."""
    with wallet.store.transaction():
        ids = [wallet.store.values.add(value) for value in values]
    report = await back_up(wallet, ids, policy)
    await drop_backed_up(wallet, ids, accept_fewer=True)
    return [entry.receipt_id for entry in report.entries]


def contents(wallet: Wallet) -> list[Value]:
    """All values, by name."""
    found = [wallet.store.values.get(one.id) for one in wallet.store.values.summaries()]
    return sorted(found, key=lambda value: (len(value.name), value.name))


@pytest.mark.parametrize("down", list(combinations(range(1, 6), 2)))
async def test_any_two_safes_may_be_gone(wallet: Wallet, safes: MemorySafes, down: tuple[int, int]) -> None:
    """Small values and a streamed one; both are named."""
    receipts = await away(wallet, [*VALUES[:3], LARGE])
    safes.take_down(*down)
    report = await recover(wallet, receipts)
    assert contents(wallet) == [LARGE, *VALUES[:3]]
    assert {name: type(failure) for name, failure in report.failed.items()} == {
        f"safe-{number}": NothingListens for number in down
    }


def flipped(content: bytes | None) -> bytes | None:
    """The last bit changed."""
    return content[:-1] + bytes([content[-1] ^ 1]) if content else content


LIES: dict[str, tuple[Callable[[FetchedPiece], FetchedPiece], type[Exception]]] = {
    "a bit of the blob": (lambda piece: FetchedPiece(flipped(piece.blob), piece.key_share), WrongPiece),
    "no blob": (lambda piece: FetchedPiece(None, piece.key_share), WrongPiece),
    "an empty blob": (lambda piece: FetchedPiece(b"", piece.key_share), WrongPiece),
    "a short blob": (lambda piece: FetchedPiece((piece.blob or b"")[:-1], piece.key_share), WrongPiece),
    "a long blob": (lambda piece: FetchedPiece((piece.blob or b"") + b"x", piece.key_share), WrongPiece),
    "a bit of the key share": (
        lambda piece: FetchedPiece(piece.blob, flipped(piece.key_share)),
        WrongKeyShare,
    ),
    "no key share": (lambda piece: FetchedPiece(piece.blob, None), WrongKeyShare),
    "a short key share": (lambda piece: FetchedPiece(piece.blob, bytes(31)), WrongKeyShare),
    "a key share that is no scalar": (lambda piece: FetchedPiece(piece.blob, b"\xff" * 32), WrongKeyShare),
    "the key share zero": (lambda piece: FetchedPiece(piece.blob, bytes(32)), WrongKeyShare),
}


@pytest.mark.parametrize(("lie", "failure"), LIES.values(), ids=list(LIES))
async def test_two_safes_that_lie_are_named_and_change_nothing(
    wallet: Wallet,
    safes: MemorySafes,
    lie: Callable[[FetchedPiece], FetchedPiece],
    failure: type[Exception],
) -> None:
    """Also where the first three to answer are not the honest ones."""
    receipts = await away(wallet, VALUES[:5])
    for number in (1, 2):
        safes[number].alter = lie
    report = await recover(wallet, receipts)
    assert contents(wallet) == VALUES[:5]
    assert {name: type(error) for name, error in report.failed.items()} == {
        "safe-1": failure,
        "safe-2": failure,
    }


async def test_two_safes_that_swap_pieces_of_two_items_are_named(wallet: Wallet, safes: MemorySafes) -> None:
    """A true piece of another item is a wrong piece."""
    receipts = await away(wallet, VALUES[1:3])
    for number in (4, 5):
        kept = safes[number].pieces
        one, other = list(kept)
        kept[one].blob, kept[other].blob = kept[other].blob, kept[one].blob
    report = await recover(wallet, receipts)
    assert contents(wallet) == VALUES[1:3]
    assert {name: type(error) for name, error in report.failed.items()} == {
        "safe-4": WrongPiece,
        "safe-5": WrongPiece,
    }


async def test_different_safes_may_lie_about_different_items(wallet: Wallet, safes: MemorySafes) -> None:
    """Each item is combined from those that are right for it."""
    receipts = await away(wallet, VALUES[1:6])
    for number, item in zip((1, 2, 3, 4, 5), receipts, strict=True):
        item_id = get_receipt(wallet.store, item).read_leaf().item_id
        (damaged,) = [kept for name, kept in safes[number].pieces.items() if name[0] == item_id]
        damaged.blob = flipped(damaged.blob)
    report = await recover(wallet, receipts)
    assert contents(wallet) == VALUES[1:6]
    assert set(report.failed) == {f"safe-{number}" for number in range(1, 6)}


async def test_a_wiped_safe_is_named(wallet: Wallet, safes: MemorySafes) -> None:
    """It says what it knows: nothing."""
    receipts = await away(wallet, [*VALUES[:2], LARGE])
    safes[3].pieces.clear()
    report = await recover(wallet, receipts)
    assert contents(wallet) == [LARGE, *VALUES[:2]]
    assert isinstance(report.failed["safe-3"], CertificateUnknown)


async def test_a_safe_that_never_took_its_piece_is_named_too(wallet: Wallet, safes: MemorySafes) -> None:
    """With what helps."""
    safes.take_down(2)
    receipts = await away(wallet, VALUES[:2])
    safes.take_down()
    report = await recover(wallet, receipts)
    assert isinstance(report.failed["safe-2"], NotRegisteredThere)
    assert safes[2].calls == []


@pytest.mark.parametrize("values", [VALUES[:2], [LARGE]], ids=["small", "streamed"])
async def test_with_fewer_than_k_good_pieces_nothing_changes(
    wallet: Wallet, safes: MemorySafes, values: list[Value]
) -> None:
    """Every safe is named with its reason."""
    receipts = await away(wallet, values)
    safes.take_down(1, 2, 3)
    with pytest.raises(TooFewSafes) as caught:
        await recover(wallet, receipts)
    assert str(caught.value).splitlines() == [
        "Nothing was recovered: 2 of the 3 safes needed answered well.",
        *(f"  safe-{i}: nothing listens there (its operator must bring it back)" for i in (1, 2, 3)),
    ]
    assert contents(wallet) == []
    safes.take_down()
    check_books(wallet, safes)
    assert len((await recover(wallet, receipts)).recovered) == len(values)


async def test_too_few_key_shares_are_counted_as_such(wallet: Wallet, safes: MemorySafes) -> None:
    """Under `apart` both key safes are gone."""
    receipts = await away(wallet, VALUES[:1], "apart")
    safes.take_down(4, 5)
    with pytest.raises(TooFewSafes, match="0 of the 1 safes needed"):
        await recover(wallet, receipts)


async def test_batches_that_can_be_recovered_are_though_another_cannot(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """The error tells of the one; the command may be repeated."""
    good = await away(wallet, VALUES[:2])
    bad = await away(wallet, VALUES[2:3])
    item_id = get_receipt(wallet.store, bad[0]).read_leaf().item_id
    for safe in safes:
        for name in [name for name in safe.pieces if name[0] == item_id][: 1 if safe is not safes[1] else 0]:
            safe.pieces[name] = _damaged(safe.pieces[name])
    with pytest.raises(TooFewSafes, match="1 of the 3 safes needed"):
        await recover(wallet, [*bad, *good])
    assert contents(wallet) == VALUES[:2]


def _damaged(kept: KeptPiece) -> KeptPiece:
    return replace(kept, blob=flipped(kept.blob))


async def test_a_value_that_is_in_the_wallet_is_left_as_it_is(wallet: Wallet, safes: MemorySafes) -> None:
    """And no safe is asked for it."""
    receipts = await away(wallet, VALUES[:3])
    first = await recover(wallet, receipts[:1])
    calls = [len(safe.calls) for safe in safes]
    again = await recover(wallet, [receipts[0], receipts[0]])
    assert (again.recovered, again.already) == ((), first.recovered)
    assert [len(safe.calls) for safe in safes] == calls
    rest = await recover(wallet, receipts)
    assert (len(rest.recovered), rest.already) == (2, first.recovered)


async def test_what_does_not_fit_is_refused_before_anything_is_fetched(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """With needed and free bytes; the same command goes on after room was made."""
    receipts = await away(wallet, VALUES[:3])
    needed = sum(get_receipt(wallet.store, receipt).members[0].size_bytes for receipt in receipts)
    wallet.store.settings.set_capacity(needed - 1)
    with pytest.raises(WalletFull) as caught:
        await recover(wallet, receipts)
    assert (caught.value.needed, caught.value.free) == (needed, needed - 1)
    assert [safe.calls.count("fetch") for safe in safes] == [0] * 5
    wallet.store.settings.set_capacity(needed)
    assert len((await recover(wallet, receipts)).recovered) == 3


async def test_unknown_receipts_are_refused_before_anything_is_fetched(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """All or none."""
    receipts = await away(wallet, VALUES[:1])
    with pytest.raises(UnknownReceipt):
        await recover(wallet, [*receipts, ReceiptId("r-nobody")])
    assert [safe.calls.count("fetch") for safe in safes] == [0] * 5


async def test_receipts_are_deleted_with_their_pieces_where_that_is_asked_for(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Once the values are here; those that were here already count too."""
    receipts = await away(wallet, VALUES[:3])
    await recover(wallet, receipts[:1])
    report = await recover(wallet, receipts, delete_receipts=True)
    assert (len(report.recovered), len(report.already)) == (2, 1)
    assert contents(wallet) == VALUES[:3]
    assert wallet.store.receipts.entries() == []
    assert safes.kept() == [set()] * 5
    check_books(wallet, safes)


async def test_a_recovery_that_fails_deletes_no_receipt(wallet: Wallet, safes: MemorySafes) -> None:
    """Nothing is erased before the value is here."""
    receipts = await away(wallet, VALUES[:2])
    safes.take_down(1, 2, 3)
    with pytest.raises(TooFewSafes):
        await recover(wallet, receipts, delete_receipts=True)
    safes.take_down()
    check_books(wallet, safes)
    assert len(wallet.store.receipts.entries()) == 2


async def test_two_recoveries_of_one_receipt_at_once_bring_it_back_once(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """The second waits, and finds it there."""
    receipts = await away(wallet, VALUES[:4])
    reports = await asyncio.gather(*(recover(wallet, receipts) for _ in range(3)))
    assert sorted(len(report.recovered) for report in reports) == [0, 0, 4]
    assert contents(wallet) == VALUES[:4]


async def test_recovering_and_deleting_beside_a_backup_under_another_policy(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Whichever comes first, the books are right in the end."""
    receipts = await away(wallet, VALUES[:4])
    ids = list((await recover(wallet, receipts)).recovered)
    await asyncio.gather(
        recover(wallet, receipts, delete_receipts=True),
        back_up(wallet, ids, "apart"),
        return_exceptions=True,
    )
    await resume(wallet)
    check_books(wallet, safes)
    assert contents(wallet) == VALUES[:4]


@pytest.mark.parametrize("policy", ["sealed", "sealed-pair", "divided"])
@pytest.mark.parametrize("is_known", [True, False], ids=["away", "never seen"])
async def test_a_key_that_is_kept_must_be_in_the_wallet(
    wallet: Wallet, safes: MemorySafes, policy: str, is_known: bool
) -> None:
    """Without it the pieces open nothing, and no safe is asked for them; the key is named if it can be."""
    receipts = await away(wallet, VALUES[:1], policy)
    (key,) = wallet.store.keyring.entries()
    if is_known:
        wallet.store.keyring.send_away(key.id)
    else:
        wallet.store.keyring.remove(key.id)
    calls = [len(safe.calls) for safe in safes]
    with pytest.raises(KeyNotInWallet) as caught:
        await recover(wallet, receipts)
    assert caught.value.name == (key.name if is_known else "")
    assert [len(safe.calls) for safe in safes] == calls
    assert contents(wallet) == []


async def test_pieces_that_were_registered_and_do_not_open_blame_no_safe(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """A manifest of this wallet that names another salt: the pieces are right, the seal is not."""
    receipts = await away(wallet, VALUES[1:2])
    receipt = get_receipt(wallet.store, receipts[0])
    other = structs.replace(receipt.read_manifest(), salt=bytes(32))
    body, signature = sign_manifest(other, wallet.keys.signing)
    changed = structs.replace(receipt, manifest=body, manifest_signature=signature)
    put_receipt(wallet.store, changed, state_of(receipt), 0)
    with pytest.raises(ValueDamaged):
        await recover(wallet, receipts)
    assert contents(wallet) == []


async def test_many_values_take_few_requests(wallet: Wallet, safes: MemorySafes) -> None:
    """One for a batch that fits in a message."""
    receipts = await away(wallet, VALUES)
    await recover(wallet, receipts)
    assert [safe.calls.count("fetch") for safe in safes] == [1] * 5
    assert contents(wallet) == VALUES


async def test_progress_ends_with_everything_fetched(wallet: Wallet, safes: MemorySafes) -> None:
    """It rises, and its total stays."""
    receipts = await away(wallet, [*VALUES, LARGE])
    seen: list[tuple[str, int, int]] = []
    await recover(wallet, receipts, progress=lambda *report: seen.append(report))
    await asyncio.sleep(0)
    assert {stage for stage, _, _ in seen} == {"fetch"}
    assert len({total for _, _, total in seen}) == 1
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1][1] == seen[-1][2]


async def test_a_safe_may_answer_with_less_than_it_certified_for_one_item(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """The rest of what it returned is used."""
    receipts = await away(wallet, VALUES[1:4])
    _lose_one(safes[2])
    safes.take_down(4, 5)
    with pytest.raises(TooFewSafes):
        await recover(wallet, receipts)
    safes.take_down(5)
    report = await recover(wallet, receipts)
    assert contents(wallet) == VALUES[1:4]
    assert isinstance(report.failed["safe-2"], CertificateUnknown)


def _lose_one(safe: MemorySafe) -> None:
    del safe.pieces[next(iter(safe.pieces))]


async def test_a_safe_that_still_owes_a_deletion_is_named(wallet: Wallet, safes: MemorySafes) -> None:
    """It was there for the recovery, and away when the pieces were to go."""
    receipts = await away(wallet, VALUES[:1])
    safes[4].refuses_deletion = StorageFull()
    report = await recover(wallet, receipts, delete_receipts=True)
    assert {name: type(failure) for name, failure in report.failed.items()} == {"safe-4": StorageFull}
    safes[4].refuses_deletion = None
    await resume(wallet)
    check_books(wallet, safes)
