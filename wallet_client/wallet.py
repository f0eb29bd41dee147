"""An open wallet: its store, its keys, its verified roster, and the links to the safes.

    async with await Wallet.open(home, unlock) as wallet:
        await back_up(wallet, [value_id], "threshold")

The roster is verified against the fingerprint pinned at `init` before any safe is contacted.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from threshold.randomness import RandomSource, SystemRandomness
from trust.authorisation import SignedAuthorisation
from trust.documents import SigningKey
from trust.ids import Hash, SafeId, Signature
from trust.manifest import Ownership
from trust.roster import Roster, SignedRoster, verify_chain
from trust.roster_file import read_roster
from wallet_client.network.carriers import Carrier
from wallet_client.network.links import Links
from wallet_client.pipeline.batch import WalletKeys
from wallet_client.pipeline.binding import Binding, digest_secret
from wallet_client.policies.policy import Policy
from wallet_client.policies.shelf import find_policy
from wallet_client.storage.keyfile import Unlock
from wallet_client.storage.lock import HomeLock
from wallet_client.storage.secret import Secret
from wallet_client.storage.store import WalletStore
from wallet_client.triggers.trigger import GO_ON
from wallet_client.values.value import ValueId

PATIENCE_SECONDS = 5.0
"""How long a safe may make no progress before its call is given up."""

LOCK_WAIT_SECONDS = 30.0
"""How long to wait for another process that is changing the wallet."""


class Wallet:
    """What operations work on; make it with `open`."""

    def __init__(
        self,
        home: Path,
        store: WalletStore,
        roster: Roster,
        patience_seconds: float,
        carrier: Carrier | None = None,
    ) -> None:
        self.home = home
        self.store = store
        self.roster = roster
        self.keys = wallet_keys(store)
        self.links = Links(roster, self.keys.signing, patience_seconds, carrier)
        self.lock = HomeLock(home, wait_seconds=0)
        self.lock_wait_seconds = LOCK_WAIT_SECONDS
        self.rng: RandomSource = SystemRandomness()
        self.clock: Callable[[], float] = time.time
        self.settling = asyncio.Lock()
        self.making_keys = asyncio.Lock()
        self.changers = 0
        self.changed = asyncio.Event()
        self.running_triggers: set[str] = set()
        self.abandoned: set[str] = set()
        self.turns: defaultdict[SafeId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._claimed: set[ValueId] = set()
        self._released = asyncio.Event()

    @classmethod
    async def open(
        cls,
        home: Path,
        unlock: Unlock,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        carrier: Carrier | None = None,
    ) -> Self:
        """Open a wallet; nothing is contacted yet. A carrier, if there is one, carries all its traffic.

        A carrier that is a safe of the roster, the gateway, also gathers pieces from the others.

        Raises:
            WalletError: As `WalletStore.open` has it.
            RosterRefused: The wallet's roster is not the pinned one, or was rolled back.
            UnknownGateway: The carrier is to be a safe that the roster does not have.
        """
        store = await asyncio.to_thread(WalletStore.open, home, unlock)
        try:
            return cls(home, store, pinned_roster(store), patience_seconds, carrier)
        except BaseException:
            store.close()
            raise

    def now(self) -> int:
        """The wallet's clock, whole seconds."""
        return int(self.clock())

    @asynccontextmanager
    async def claim(self, value_ids: Iterable[ValueId]) -> AsyncIterator[None]:
        """Have these values to oneself among the tasks of this process; waits for those who have them."""
        wanted = set(value_ids)
        while wanted & self._claimed:
            await self._released.wait()
        self._claimed |= wanted
        try:
            yield
        finally:
            # Nothing is awaited here: a second Ctrl-C must not leave values claimed for ever.
            self._claimed -= wanted
            self._released.set()
            self._released = asyncio.Event()

    def policy(self, name: str) -> Policy:
        """The policy of that name, for this wallet's roster.

        Raises:
            UnknownPolicy: There is none; names those there are.
            PolicyUnfit: It came from a file, and the roster cannot carry it any more.
        """
        return find_policy(self.store, name, self.roster)

    def safe_name(self, safe_id: SafeId) -> str:
        """What people call a safe; one that left the roster goes by its id."""
        return safe_name(self.roster, safe_id)

    async def close(self) -> None:
        """Close links and store."""
        try:
            await self.links.close()
        finally:
            self.store.close()

    async def __aenter__(self) -> Self:
        """The wallet itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()


def wallet_keys(store: WalletStore) -> WalletKeys:
    """Secret: what the wallet signs, seals and binds with."""
    seed, owner = store.signing_seed().reveal(), store.settings.get().owner
    bindings = {one.id: one for one in (Binding(secret.reveal()) for secret in store.keys.bindings())}
    signed = SignedAuthorisation(owner.authorisation, Signature(owner.signature)) if owner else None
    ownership = Ownership(owner.binding_id, signed) if owner and signed else None
    return WalletKeys(SigningKey(seed), digest_secret(seed), bindings, ownership)


def pinned_roster(store: WalletStore) -> Roster:
    """The wallet's roster, verified against its pin.

    Raises:
        RosterRefused: It is not the pinned one, does not hold, or was rolled back.
    """
    return _pinned_chain(store)[-1].roster


def pinned_versions(store: WalletStore) -> tuple[Roster, ...]:
    """Every version of the wallet's roster, the newest last; raises as `pinned_roster`."""
    return tuple(signed.roster for signed in _pinned_chain(store))


def pinned_signing_keys(store: WalletStore) -> dict[SafeId, tuple[bytes, ...]]:
    """Every key with which a safe signs or has signed, of all versions of the wallet's roster.

    Raises:
        RosterRefused: As `pinned_roster` has it.
    """
    keys: defaultdict[SafeId, dict[bytes, None]] = defaultdict(dict)
    for signed in _pinned_chain(store):
        for safe in signed.roster.safes:
            keys[safe.safe_id][safe.signing_key] = None
    return {safe_id: tuple(known) for safe_id, known in keys.items()}


def _pinned_chain(store: WalletStore) -> tuple[SignedRoster, ...]:
    settings = store.settings.get()
    chain = read_roster(settings.roster)
    verify_chain(chain, Hash(settings.genesis_fingerprint), at_least=settings.roster_version)
    return chain


def safe_name(roster: Roster, safe_id: SafeId) -> str:
    """What people call a safe; one that is not in the roster goes by its id."""
    names = {safe.safe_id: safe.name for safe in roster.safes}
    return names.get(safe_id, f"former safe {safe_id.hex()}")


async def create_wallet(
    home: Path,
    unlock: Unlock,
    roster_file: bytes,
    capacity_bytes: int | None,
    rng: RandomSource | None = None,
) -> Roster:
    """Make a wallet that believes this roster from now on.

    Args:
        roster_file: Bytes of a roster file; its genesis fingerprint is pinned for good.
        capacity_bytes: How much its values may take; None for no limit.
        rng: For the wallet's signing seed.

    Returns:
        The newest roster of the file.

    Raises:
        RosterRefused: The roster does not hold.
        WalletError: As `WalletStore.create` has it.
    """
    chain = read_roster(roster_file)
    roster = verify_chain(chain)
    seed = Secret((rng or SystemRandomness()).read(32))
    store = await asyncio.to_thread(
        WalletStore.create,
        home,
        unlock,
        capacity_bytes=capacity_bytes,
        roster=roster_file,
        roster_fingerprint=genesis_fingerprint(chain),
        signing_seed=seed,
        roster_version=roster.version,
    )
    with store:
        await asyncio.to_thread(store.triggers.add, GO_ON)
    return roster


def genesis_fingerprint(chain: tuple[SignedRoster, ...]) -> Hash:
    """What a wallet pins, and what operators publish."""
    return chain[0].roster.fingerprint


def update_roster(store: WalletStore, roster_file: bytes) -> Roster:
    """Take in a newer roster that follows from the pinned genesis.

    Raises:
        RosterRefused: It does not, or is older than the one the wallet knows.
    """
    settings = store.settings.get()
    chain = read_roster(roster_file)
    roster = verify_chain(chain, Hash(settings.genesis_fingerprint), at_least=settings.roster_version)
    store.settings.set_roster(roster_file, roster.version)
    return roster
