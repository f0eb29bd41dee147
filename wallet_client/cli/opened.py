"""The wallet of this run, opened for one command and closed again."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from wallet_client.cli.output import warn
from wallet_client.cli.session import Session
from wallet_client.storage.errors import TracesRemain
from wallet_client.storage.lock import HomeLock
from wallet_client.storage.store import WalletStore

if TYPE_CHECKING:
    from wallet_client.wallet import Wallet

_Result = TypeVar("_Result")


@contextmanager
def reading(session: Session) -> Iterator[WalletStore]:
    """The store, to look at; no safe is contacted.

    Raises:
        WalletError: It does not open.
    """
    with WalletStore.open(session.home, session.unlock()) as store:
        yield store
        _warn_of_traces(store)


@contextmanager
def writing(session: Session) -> Iterator[WalletStore]:
    """The store, to change: all changes happen together or not at all, and no other process makes any.

    Raises:
        WalletError: It does not open, or the change cannot be made.
    """
    with reading(session) as store, HomeLock(session.home), store.transaction():
        yield store


def with_wallet(session: Session, work: "Callable[[Wallet], Awaitable[_Result]]") -> _Result:
    """Do what needs the safes.

    Raises:
        WalletError: It does not open, or what the operation raises.
        RosterRefused: The wallet's roster does not hold; nothing was contacted.
    """
    import asyncio

    from rpc_edge.process_memory import keep_freed_memory
    from wallet_client.wallet import Wallet

    keep_freed_memory()

    home, carrier, unlock = session.home, session.carrier(), session.unlock()

    async def open_and_work() -> _Result:
        async with await Wallet.open(home, unlock, carrier=carrier) as wallet:
            result = await work(wallet)
            _warn_of_traces(wallet.store)
            return result

    return asyncio.run(open_and_work())


def _warn_of_traces(store: WalletStore) -> None:
    if store.traces_remain:
        warn(f"{TracesRemain()} {TracesRemain.hint}")
