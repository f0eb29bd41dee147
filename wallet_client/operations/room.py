"""Room in a wallet that has a limit: make it, or tell what would help.

When a value does not fit, the owner has three ways [E11, C21, C24]: let what the conditions select leave,
choose what leaves, or stop. Whichever it is, nothing leaves before it is `safe`, and nothing that was asked
for is half done: the same command goes on later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TypeAlias

from wallet_client.operations.progress import Progress, silent
from wallet_client.operations.put_away import PutAway, put_away
from wallet_client.operations.select import select
from wallet_client.storage.errors import WalletFull
from wallet_client.storage.store import WalletStore
from wallet_client.values.shown import shown
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

MakeRoom: TypeAlias = Callable[[int, Collection[ValueId]], Awaitable[PutAway]]
"""One way to make room for so many bytes, during which some values must stay; it may not suffice."""

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that could leave.

    Args:
        value_id: The value.
        name: What it is called.
        size_bytes: What its leaving frees.
        is_safe: Every safe has it: it may leave at once.
        clause: Why the conditions select it; "" where they do not.
    """

    value_id: ValueId
    name: str
    size_bytes: int
    is_safe: bool
    clause: str

    def __str__(self) -> str:
        """One line for people."""
        reasons = [self.clause] * bool(self.clause) + ["already safe"] * self.is_safe
        return f"{self.value_id} {shown(self.name)}, {self.size_bytes} bytes: {'; '.join(reasons)}"


@dataclass(eq=False)
class RoomShort(WalletFull):
    """What was asked for does not fit, with what would help.

    Args:
        candidates: What could leave, what the conditions select first.
        moved: What left already to make room, and what could not.
        suspended: How many recoveries wait for the room.
    """

    candidates: tuple[Candidate, ...] = ()
    moved: tuple[PutAway, ...] = ()
    suspended: int = 0
    hint = (
        "Say the same command with --make-room to put away what the conditions select, with --move VALUE to "
        "choose, or again later."
    )

    def __str__(self) -> str:
        """The figures, and every value that could leave."""
        lines = [super().__str__()]
        for title, found in (("the conditions select", self.selected), ("already safe", self.already_safe)):
            if found:
                total = sum(one.size_bytes for one in found)
                lines.append(f"  {title}: {total} bytes in {len(found)} value(s), which may leave")
        lines += [f"    {one}" for one in self.candidates[:_SHOWN]]
        if len(self.candidates) > _SHOWN:
            lines.append(f"    and {len(self.candidates) - _SHOWN} more")
        if left := sum(len(one.left) for one in self.moved):
            lines.append(f"  {left} value(s) were put away already")
        if staying := sum(len(one.staying) for one in self.moved):
            lines.append(f"  {staying} value(s) could not leave: not all of their safes have them yet")
        if self.suspended:
            lines.append(f"  {self.suspended} recovery(s) suspended: `kura recover --suspended` goes on")
        return "\n".join(lines)

    @property
    def selected(self) -> tuple[Candidate, ...]:
        """What --make-room would put away."""
        return tuple(one for one in self.candidates if one.clause)

    @property
    def already_safe(self) -> tuple[Candidate, ...]:
        """What could leave without asking a safe."""
        return tuple(one for one in self.candidates if one.is_safe)


def local_time(now: int, zone: tzinfo | None) -> datetime:
    """A moment with its zone; None for this machine's."""
    return datetime.fromtimestamp(now, UTC).astimezone(zone)


def candidates(store: WalletStore, when: datetime) -> tuple[Candidate, ...]:
    """What could leave the wallet: what the conditions select, then what is safe already."""
    states = {entry.id: entry.state for entry in store.receipts.entries()}
    found = [
        Candidate(
            one.summary.id,
            one.summary.name,
            one.summary.size_bytes,
            states.get(one.summary.receipt_id or "") == "safe",
            one.clause if one.selected else "",
        )
        for one in select(store, now=when)
    ]
    return tuple(sorted((one for one in found if one.clause or one.is_safe), key=lambda one: not one.clause))


def room_short(
    store: WalletStore, needed: int, when: datetime, moved: tuple[PutAway, ...] = (), suspended: int = 0
) -> RoomShort:
    """The report of a shortage.

    Args:
        needed: Bytes that shall come.
        when: The time with its zone, by which the conditions judge.
        moved: What left to make room, in vain.
        suspended: How many recoveries were suspended.
    """
    return RoomShort(needed, store.usage().free or 0, candidates(store, when), moved, suspended)


def fits(store: WalletStore, needed: int) -> bool:
    """Whether so many bytes more fit."""
    free = store.usage().free
    return free is None or needed <= free


async def make_room(
    wallet: Wallet, needed: int, ways: Sequence[MakeRoom], staying: Collection[ValueId] = ()
) -> tuple[PutAway, ...]:
    """Make room by one way after the other until it suffices; where it does already, nothing leaves.

    Args:
        needed: Bytes that shall come.
        ways: How, in order.
        staying: Values that must not leave.

    Returns:
        What left, by way; it may not have sufficed.

    Raises:
        TooFewSafes: What was to leave could not be backed up; it stays.
    """
    moved = []
    for way in ways:
        if await asyncio.to_thread(fits, wallet.store, needed):
            break
        moved.append(await way(needed, staying))
    return tuple(moved)


async def require_room(
    wallet: Wallet, needed: int, ways: Sequence[MakeRoom], zone: tzinfo | None = None
) -> tuple[PutAway, ...]:
    """As `make_room`, and refuse if it did not suffice.

    Raises:
        RoomShort: With what would help.
        TooFewSafes: What was to leave could not be backed up; it stays.
    """
    moved = await make_room(wallet, needed, ways)
    if not await asyncio.to_thread(fits, wallet.store, needed):
        when = local_time(wallet.now(), zone)
        raise await asyncio.to_thread(room_short, wallet.store, needed, when, moved)
    return moved


def by_conditions(wallet: Wallet, zone: tzinfo | None = None, progress: Progress = silent) -> MakeRoom:
    """The way [C21]: back up all that the conditions select, and let it leave once it is safe.

    Nothing leaves where all of it together would not suffice.
    """

    async def move(needed: int, staying: Collection[ValueId]) -> PutAway:
        found = await asyncio.to_thread(candidates, wallet.store, local_time(wallet.now(), zone))
        selected = [one for one in found if one.clause and one.value_id not in staying]
        if not fits(wallet.store, needed - sum(one.size_bytes for one in selected)):
            return PutAway()
        return await put_away(wallet, [one.value_id for one in selected], delete=True, progress=progress)

    return move


def by_moving(wallet: Wallet, value_ids: Sequence[ValueId], progress: Progress = silent) -> MakeRoom:
    """The way in which the owner chooses: back these up, and let them leave once they are safe."""

    async def move(needed: int, staying: Collection[ValueId]) -> PutAway:
        chosen = [value_id for value_id in value_ids if value_id not in staying]
        return await put_away(wallet, chosen, delete=True, progress=progress)

    return move
