"""Who may change a wallet when: the lock between processes, claims between tasks, writes that end."""

import asyncio
import fcntl
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, lock_is_free, opened
from support.wallet_samples import small_value
from wallet_client.operations.backup import back_up
from wallet_client.operations.settle import changing
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.storage.errors import WalletBusy
from wallet_client.storage.lock import LOCK_NAME
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

A, B, C = (ValueId(f"v-{letter}") for letter in "abc")


@pytest.fixture
async def wallet(folder: Path) -> AsyncIterator[Wallet]:
    """An empty wallet before five safes."""
    async with opened(folder, MemorySafes.of()) as made:
        yield made


@contextmanager
def another_process(folder: Path) -> Iterator[None]:
    """Somebody else holds the lock, as the operating system sees it."""
    descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class TestLock:
    """Between processes."""

    async def test_it_is_held_during_a_change_and_free_after_it(self, wallet: Wallet, folder: Path) -> None:
        """Also when the change fails."""
        async with changing(wallet):
            assert not lock_is_free(folder)
        assert lock_is_free(folder)
        with pytest.raises(ZeroDivisionError):
            async with changing(wallet):
                raise ZeroDivisionError
        assert lock_is_free(folder)

    async def test_tasks_of_one_process_hold_it_together(self, wallet: Wallet, folder: Path) -> None:
        """The last one lets it go, whichever it is."""
        async with changing(wallet):
            async with changing(wallet):
                pass
            assert not lock_is_free(folder)
        assert lock_is_free(folder)

    async def test_while_another_process_holds_it_the_wallet_is_busy(
        self, wallet: Wallet, folder: Path
    ) -> None:
        """After the patience that it names; then it works again."""
        wallet.lock_wait_seconds = 0.04
        with another_process(folder), pytest.raises(WalletBusy, match=r"0\.04 seconds"):
            async with changing(wallet):
                raise AssertionError("two processes at once")
        async with changing(wallet):
            assert not lock_is_free(folder)

    async def test_it_is_taken_as_soon_as_the_other_process_is_done(
        self, wallet: Wallet, folder: Path
    ) -> None:
        """Well before the patience ends."""
        entered = asyncio.Event()

        async def change() -> None:
            async with changing(wallet):
                entered.set()

        with another_process(folder):
            waiting = asyncio.create_task(change())
            await asyncio.sleep(0.03)
            assert not entered.is_set()
        await asyncio.wait_for(waiting, 10)
        assert lock_is_free(folder)

    async def test_who_gives_up_waiting_leaves_nothing_taken(self, wallet: Wallet, folder: Path) -> None:
        """Ctrl-C while another process works: no thread stays behind that takes the lock later."""

        async def change() -> None:
            async with changing(wallet):
                raise AssertionError("cancelled before")

        with another_process(folder):
            waiting = asyncio.create_task(change())
            await asyncio.sleep(0.03)
            waiting.cancel()
            await asyncio.wait((waiting,))
            assert waiting.cancelled()
        assert lock_is_free(folder)
        assert wallet.changers == 0

    async def test_a_journal_that_cannot_be_read_leaves_the_lock_free(
        self, wallet: Wallet, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody else may have more luck."""

        def fails() -> None:
            raise OSError("disk")

        monkeypatch.setattr(wallet.store.journal, "entries", fails)
        with pytest.raises(OSError, match="disk"):
            async with changing(wallet):
                raise AssertionError("not reached")
        assert lock_is_free(folder)


class TestClaim:
    """Between tasks of one process."""

    async def test_who_wants_the_same_value_waits(self, wallet: Wallet) -> None:
        """Who wants another does not."""
        order: list[str] = []

        async def use(name: str, *values: ValueId) -> None:
            async with wallet.claim(values):
                order.append(f"{name} begins")
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                order.append(f"{name} ends")

        await asyncio.gather(use("one", A, B), use("two", B, C), use("three", C))
        assert order.index("one ends") < order.index("two begins")
        assert order.index("three begins") < order.index("one ends")

    async def test_all_values_are_claimed_or_none(self, wallet: Wallet) -> None:
        """Two that want the same two in another order do not wait for each other for ever."""

        async def use(*values: ValueId) -> None:
            async with wallet.claim(values):
                await asyncio.sleep(0)

        await asyncio.wait_for(
            asyncio.gather(*(use(*pair) for pair in [(A, B), (B, A), (B, C), (C, A)] * 5)), 10
        )

    async def test_who_is_cancelled_while_waiting_claims_nothing(self, wallet: Wallet) -> None:
        """And blocks nobody."""

        async def use() -> None:
            async with wallet.claim([A, B]):
                raise AssertionError("cancelled before")

        async with wallet.claim([A]):
            waiting = asyncio.create_task(use())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait((waiting,))
            async with wallet.claim([B]):
                pass
        async with wallet.claim([A, B]):
            pass

    async def test_a_failure_gives_the_values_back(self, wallet: Wallet) -> None:
        """Whatever it is."""
        with pytest.raises(ZeroDivisionError):
            async with wallet.claim([A]):
                raise ZeroDivisionError
        async with wallet.claim([A]):
            pass

    async def test_claiming_nothing_never_waits(self, wallet: Wallet) -> None:
        """Nobody has it."""
        async with wallet.claim([A]), wallet.claim([]):
            pass


class TestToTheEnd:
    """Threads that a cancellation must not leave behind."""

    async def test_it_gives_the_result_or_the_error(self) -> None:
        """As a thread does."""
        assert await to_the_end(divmod, 7, 2) == (3, 1)
        assert await to_the_end(int, "ff", base=16) == 255
        with pytest.raises(ZeroDivisionError):
            await to_the_end(divmod, 7, 0)

    @pytest.mark.parametrize("times", [1, 3])
    @pytest.mark.parametrize("fails", [False, True])
    async def test_a_cancellation_waits_for_the_thread(self, times: int, fails: bool) -> None:
        """However often; and however the thread ends."""
        begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            go_on.wait(10)
            ended.set()
            if fails:
                raise ZeroDivisionError

        running = asyncio.create_task(to_the_end(work))
        await asyncio.to_thread(begun.wait, 10)
        for _ in range(times):
            running.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert not running.done()
        go_on.set()
        await asyncio.wait((running,))
        assert running.cancelled()
        assert ended.is_set()

    async def test_an_error_nobody_saw_leaves_no_complaint(self) -> None:
        """The cancellation is what the caller asked for."""
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        go_on = threading.Event()

        def work() -> None:
            go_on.wait(10)
            raise ZeroDivisionError

        running = asyncio.create_task(to_the_end(work))
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.wait((running,))
        del running
        assert complaints == []


@pytest.mark.parametrize("beside_another", [False, True])
async def test_an_operation_that_was_given_up_is_ended_by_the_next_one(
    wallet: Wallet, beside_another: bool
) -> None:
    """In the same process, without a restart, also while others go on; `changing` tells what it did."""
    value_id = wallet.store.values.add(small_value("given up"))
    safes: MemorySafes = wallet.links  # type: ignore[assignment]
    entered = asyncio.Event()
    honest = safes[3].register

    async def never(parcel):  # type: ignore[no-untyped-def]
        entered.set()
        await asyncio.Event().wait()

    safes[3].register = never  # type: ignore[method-assign]
    running = asyncio.create_task(back_up(wallet, [value_id], "threshold"))
    await entered.wait()
    async with changing(wallet) if beside_another else nullcontext():
        running.cancel()
        await asyncio.wait((running,))
        safes[3].register = honest  # type: ignore[method-assign]
        assert len(wallet.store.journal.entries()) == 1
        async with changing(wallet) as settled:
            assert (settled.finished, settled.withdrawn) == (1, 0)
    assert wallet.store.journal.entries() == []
    assert len(wallet.store.receipts.entries()) == 1


async def test_an_operation_under_way_is_not_taken_for_one_that_was_given_up(wallet: Wallet) -> None:
    """By a task that begins a change beside it."""
    first, second = (wallet.store.values.add(small_value(name)) for name in ("first", "second"))
    safes: MemorySafes = wallet.links  # type: ignore[assignment]
    entered, go_on = asyncio.Event(), asyncio.Event()
    honest = safes[3].register

    async def slow(parcel):  # type: ignore[no-untyped-def]
        entered.set()
        await go_on.wait()
        return await honest(parcel)

    safes[3].register = slow  # type: ignore[method-assign]
    running = asyncio.create_task(back_up(wallet, [first], "threshold"))
    await entered.wait()
    safes[3].register = honest  # type: ignore[method-assign]
    async with changing(wallet) as settled:
        assert (settled.finished, settled.withdrawn) == (0, 0)
    await back_up(wallet, [second], "threshold")
    go_on.set()
    await running
    assert [safe.counter for safe in safes] == [2] * 5
