"""Everything a crash can tell apart: each call that changes a safe, each change of the wallet as a whole.

Steps (memory_safes.py) dies at every single write, and around every call. Within one transaction that makes
no difference, nor before and after what only reads; where an operation is long this is enough.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from support.memory_safes import MemorySafes, Steps
from wallet_client.wallet import Wallet

_READS = {"begin_unlock", "wallets", "status", "catalogue", "fetch", "fetch_stream"}
_TOOK_EFFECT = {"registered", "deleted"}


@dataclass
class Commits(Steps):
    """As Steps, but a transaction is one step.

    Args:
        passes_over: Calls that are no steps either, because they change nothing that matters here.
    """

    passes_over: Collection[str] = ()

    def watch(self, wallet: Wallet, safes: MemorySafes) -> None:
        """Count each call to a safe, and each change of the wallet, before it takes effect."""
        for safe in safes:
            safe.step = self._before
        database = wallet.store._database
        original = database.transaction

        @contextmanager
        def counted() -> Iterator[None]:
            if database._depth == 0:
                self("change")
            with original():
                yield

        database.transaction = counted  # type: ignore[method-assign]

    def _before(self, name: str) -> None:
        """What comes after a call took effect is no other than what comes before the next step."""
        if not name.endswith(" done") and name not in {*_READS, *_TOOK_EFFECT, *self.passes_over}:
            self(name)
