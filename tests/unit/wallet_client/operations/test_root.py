"""The root: registered, erased from the wallet, fetched when a key is needed, forgotten again [E7, C13]."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import combinations
from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, opened
from support.open_wallet import erased_secrets_left, readable_in
from support.sample_documents import draw
from support.wallet_samples import FULL_VALUE, everything_in
from trust.algorithm_file import IssuedAlgorithm
from trust.key_algorithm import BUILT_IN, KeyAlgorithm, derive_scalar
from trust.policy import Division, KeyRule
from wallet_client.errors import AlreadyKept
from wallet_client.operations.algorithms import import_algorithm
from wallet_client.operations.backup import back_up, drop_backed_up, find_root
from wallet_client.operations.errors import AlgorithmChanged, TooFewSafes
from wallet_client.operations.key_backup import back_up_key
from wallet_client.operations.keys import make_key, recover_from_root, recover_key
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import policy_named
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage import records
from wallet_client.storage.errors import KeyNameRefused, SecondRoot
from wallet_client.storage.keyring import KeyEntry
from wallet_client.wallet import Wallet

ROOT = draw("the root", 32)
OFFICE = KeyAlgorithm("office", 1, "sha512", b"salt", b"keys of the office")
OFFICE_POLICY = Policy(
    name="office",
    summary="For a test.",
    sealing="shared-key",
    value=Division("shamir", 3, 5),
    key=KeyRule("root"),
    digest="sealed",
    algorithm="office/1",
)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every row secret drawn."""
    drawn: list[bytes] = []

    def draw_one() -> bytes:
        drawn.append(random.Random(len(drawn)).randbytes(32))
        return drawn[-1]

    monkeypatch.setattr(records, "new_row_secret", draw_one)
    return drawn


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@asynccontextmanager
async def wallet_in(folder: Path, safes: MemorySafes, seed: str = "wallet") -> AsyncIterator[Wallet]:
    """The wallet of a folder, that knows one more policy."""
    async with opened(folder, safes, seed) as wallet:
        wallet.policy = lambda name: (  # type: ignore[method-assign]
            OFFICE_POLICY if name == "office" else policy_named(name, wallet.roster)
        )
        yield wallet


def root_of(wallet: Wallet) -> KeyEntry:
    """The root as it stands now."""
    root = find_root(wallet)
    assert root is not None
    return root


async def away(wallet: Wallet, policy_name: str = "seed") -> ReceiptId:
    """A value that is at the safes and nowhere else."""
    value_id = wallet.store.values.add(FULL_VALUE)
    report = await back_up(wallet, [value_id], policy_name)
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    return report.entries[0].receipt_id


async def test_after_backup_and_recovery_the_root_is_nowhere_in_the_wallet(
    folder: Path, safes: MemorySafes, secrets: list[bytes]
) -> None:
    """Not in a row that opens, and not in one whose secret could still be found; twin: before, it is."""
    async with wallet_in(folder, safes) as wallet:
        await make_key(wallet, "root", "root", ROOT)
    assert ROOT in readable_in(folder)
    assert ROOT not in everything_in(folder)
    async with wallet_in(folder, safes, "again") as wallet:
        receipt_id = await away(wallet)
        assert not root_of(wallet).is_here
        await recover(wallet, [receipt_id])
        assert not root_of(wallet).is_here
    readable = readable_in(folder)
    assert FULL_VALUE.payload in readable
    assert ROOT not in readable
    assert derive_scalar(BUILT_IN, ROOT).to_bytes() not in readable
    assert erased_secrets_left(folder, secrets) == []
    async with wallet_in(folder, safes) as wallet:
        await recover_key(wallet, root_of(wallet).id)
    assert ROOT in readable_in(folder)


@pytest.mark.parametrize("down", list(combinations(range(1, 6), 2)))
async def test_the_root_comes_back_with_any_two_safes_gone(
    folder: Path, safes: MemorySafes, down: tuple[int, int]
) -> None:
    """For a value that needs it, and for good if asked; with three gone, neither."""
    async with wallet_in(folder, safes) as wallet:
        await make_key(wallet, "root", "root", ROOT)
        receipt_id = await away(wallet)
        safes.take_down(*down, next(number for number in range(1, 6) if number not in down))
        with pytest.raises(TooFewSafes):
            await recover(wallet, [receipt_id])
        safes.take_down(*down)
        assert (await recover(wallet, [receipt_id])).recovered
        assert wallet.store.values.get(wallet.store.values.summaries()[0].id) == FULL_VALUE
        await recover_key(wallet, root_of(wallet).id)
        assert wallet.store.keyring.secret(root_of(wallet).id).reveal() == ROOT


async def test_a_root_that_was_brought_back_stays(folder: Path, safes: MemorySafes) -> None:
    """Backups and resumes leave it where it is; nothing is fetched for it any more."""
    async with wallet_in(folder, safes) as wallet:
        await away(wallet)
        await recover_key(wallet, root_of(wallet).id)
        await away(wallet)
        await resume(wallet)
        assert root_of(wallet).is_here


async def test_a_root_that_did_not_leave_yet_can_be_told_to_stay(folder: Path, safes: MemorySafes) -> None:
    """While a safe is away it waits to leave; the person may decide otherwise."""
    async with wallet_in(folder, safes) as wallet:
        safes.take_down(3)
        value_id = wallet.store.values.add(FULL_VALUE)
        await back_up(wallet, [value_id], "seed")
        assert (await recover_key(wallet, root_of(wallet).id)).already == (root_of(wallet).id,)
        safes.take_down()
        await resume(wallet)
        assert root_of(wallet).is_here


async def test_a_root_leaves_when_the_last_safe_has_it(folder: Path, safes: MemorySafes) -> None:
    """`registered` is not enough: until then it stays, and `resume` sends it away."""
    async with wallet_in(folder, safes) as wallet:
        safes.take_down(3)
        value_id = wallet.store.values.add(FULL_VALUE)
        await back_up(wallet, [value_id], "seed")
        assert root_of(wallet).is_here
        safes.take_down()
        await resume(wallet)
        assert not root_of(wallet).is_here


async def test_a_root_that_is_backed_up_by_itself_leaves_too(folder: Path, safes: MemorySafes) -> None:
    """Registering the seed is what deletes it; the next backup fetches it."""
    async with wallet_in(folder, safes) as wallet:
        root = await make_key(wallet, "root", "mine", ROOT)
        await back_up_key(wallet, root.id, "apart")
        assert not root_of(wallet).is_here
        receipt_id = await away(wallet)
        assert root_of(wallet).name == "mine"
        assert get_receipt(wallet.store, ReceiptId(root_of(wallet).receipt_id or "")).policy_name == "apart"
        await recover(wallet, [receipt_id])


async def test_an_algorithm_from_outside_makes_other_keys_and_is_named_in_the_manifest(
    folder: Path, safes: MemorySafes
) -> None:
    """And the seed that came with it is the root."""
    async with wallet_in(folder, safes) as wallet:
        taken = await import_algorithm(wallet, IssuedAlgorithm(OFFICE, ROOT), "root")
        assert (taken.algorithm, taken.already) == (OFFICE, False)
        assert taken.root == root_of(wallet)
        receipt_id = await away(wallet, "office")
        wrap = get_receipt(wallet.store, receipt_id).read_manifest().wrap
        assert wrap is not None
        assert wrap.algorithm == "office/1"
        entry = await recover_from_root(wallet, "shared", "office-key", "office/1")
        assert entry.key_id == wrap.key_id
        assert wallet.store.keyring.secret(entry.id).reveal() == derive_scalar(OFFICE, ROOT).to_bytes()
        assert (await recover(wallet, [receipt_id])).recovered


async def test_the_same_algorithm_and_seed_may_be_brought_again(folder: Path, safes: MemorySafes) -> None:
    """Nothing changes, whether the root is here or away."""
    async with wallet_in(folder, safes) as wallet:
        await import_algorithm(wallet, IssuedAlgorithm(OFFICE, ROOT), "root")
        again = await import_algorithm(wallet, IssuedAlgorithm(OFFICE, ROOT), "another")
        assert (again.already, again.root) == (True, None)
        await away(wallet, "office")
        assert (await import_algorithm(wallet, IssuedAlgorithm(OFFICE, b""), "another")).root is None
        assert (await import_algorithm(wallet, IssuedAlgorithm(OFFICE, ROOT), "another")).root is None
        assert [one.name for one in wallet.store.keyring.entries()] == ["root"]


@pytest.mark.parametrize(
    ("issued", "name", "error"),
    [
        pytest.param(
            IssuedAlgorithm(KeyAlgorithm("office", 1, "sha256", b"salt", b"keys of the office"), b""),
            "root",
            AlgorithmChanged,
            id="another description under a known name and version",
        ),
        pytest.param(
            IssuedAlgorithm(KeyAlgorithm("kura-hkdf", 1, "sha512", b"", b"kura/v1/root-key"), b""),
            "root",
            AlgorithmChanged,
            id="another description under the name of the built-in one",
        ),
        pytest.param(
            IssuedAlgorithm(KeyAlgorithm("office", 2, "sha512", b"", b"new"), bytes(32)),
            "other",
            SecondRoot,
            id="another seed than the wallet's",
        ),
    ],
)
async def test_what_contradicts_the_wallet_is_not_taken_in(
    folder: Path, safes: MemorySafes, issued: IssuedAlgorithm, name: str, error: type[Exception]
) -> None:
    """Nothing of it: neither description nor seed."""
    async with wallet_in(folder, safes) as wallet:
        await import_algorithm(wallet, IssuedAlgorithm(OFFICE, ROOT), "root")
        with pytest.raises(error):
            await import_algorithm(wallet, issued, name)
        assert wallet.store.keyring.algorithms() == [OFFICE]
        assert wallet.store.keyring.secret(root_of(wallet).id).reveal() == ROOT


@pytest.mark.parametrize(("name", "error"), [("a root", KeyNameRefused), ("taken", AlreadyKept)])
async def test_a_seed_that_cannot_be_named_leaves_its_algorithm_outside(
    folder: Path, safes: MemorySafes, name: str, error: type[Exception]
) -> None:
    """All or nothing."""
    async with wallet_in(folder, safes) as wallet:
        await make_key(wallet, "shared", "taken")
        with pytest.raises(error):
            await import_algorithm(wallet, IssuedAlgorithm(OFFICE, ROOT), name)
        assert wallet.store.keyring.algorithms() == []


async def test_a_root_brings_the_algorithms_with_it(folder: Path, safes: MemorySafes) -> None:
    """So that it is of use where nothing else is left."""
    async with wallet_in(folder, safes) as wallet:
        await import_algorithm(wallet, IssuedAlgorithm(OFFICE, ROOT), "root")
        await back_up_key(wallet, root_of(wallet).id, "threshold")
        wallet.store.keyring._algorithms.remove(OFFICE.label)
        await recover_key(wallet, root_of(wallet).id)
        assert wallet.store.keyring.algorithms() == [OFFICE]
