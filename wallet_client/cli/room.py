"""The options that make room, for `add`, `import` and `recover`, and what they print."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from wallet_client.operations.progress import Progress
    from wallet_client.operations.put_away import PutAway
    from wallet_client.operations.room import MakeRoom
    from wallet_client.wallet import Wallet

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class RoomOptions:
    """How room shall be made.

    Args:
        by_conditions: What the conditions select may leave.
        moving: Values that may leave, as the owner names them.
    """

    by_conditions: bool
    moving: tuple[str, ...]

    def ways(self, wallet: "Wallet", progress: "Progress | None" = None) -> "list[MakeRoom]":
        """In the order in which they are tried; the triggers `on shortage` last.

        Raises:
            UnknownValue: A value that shall leave is not in the wallet.
            Ambiguous: More than one could be meant.
        """
        from wallet_client.operations.progress import silent
        from wallet_client.operations.room import by_conditions, by_moving
        from wallet_client.operations.triggers import TriggerRunner

        told = progress or silent
        ways: list[MakeRoom] = []
        if self.moving:
            ids = [wallet.store.values.find(text) for text in self.moving]
            ways.append(by_moving(wallet, ids, told))
        if self.by_conditions:
            ways.append(by_conditions(wallet, progress=told))
        return [*ways, TriggerRunner(wallet).on_shortage]


def room_options(function: _Function) -> _Function:
    """Give a command --make-room and --move; they arrive as `make_room` and `move`."""
    function = click.option(
        "--move",
        multiple=True,
        metavar="VALUE",
        help="If room is short: back this value up, and erase it from the wallet once it is safe.",
    )(function)
    return click.option(
        "--make-room",
        is_flag=True,
        help="If room is short: do so with all that the conditions select.",
    )(function)


def moved_ids(moved: "Sequence[PutAway]") -> list[str]:
    """The values that left, for --json."""
    return [value_id for one in moved for value_id in one.left]


def moved_text(moved: "Sequence[PutAway]") -> str:
    """A line about what left; nothing where nothing did."""
    from wallet_client.cli.output import count_of

    ids = moved_ids(moved)
    return f"{count_of(len(ids), 'value')} put away to make room: {', '.join(ids)}" if ids else ""


def warn_of_moves(moved: "Sequence[PutAway]") -> None:
    """Name the safes that failed meanwhile."""
    from wallet_client.cli.output import warn_of_safes

    warn_of_safes({name: failure for one in moved for name, failure in one.failed.items()})
