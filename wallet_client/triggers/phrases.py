"""The phrases of a trigger: what must hold, and what it starts.

Each phrase is a value that cannot be made illegal and that prints as people write it. The first four are
*occasions*, moments at which a trigger may start; the others are *states*, which hold or do not hold then.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from wallet_client.triggers.units import days_text, duration_text, size_text

BUILT_IN_SENSORS: Final = ("network", "battery", "mains")
"""What the platform itself can tell; a command named so takes its place."""

Direction: TypeAlias = Literal["above", "below"]


@dataclass(frozen=True, slots=True)
class Every:
    """Once in every period, counted from when the trigger was made."""

    seconds: int

    def __str__(self) -> str:
        """As it is written."""
        return f"every {duration_text(self.seconds)}"


@dataclass(frozen=True, slots=True)
class At:
    """Once a day, at a local time of day."""

    hour: int
    minute: int

    def __str__(self) -> str:
        """As it is written."""
        return f"at {self.hour:02}:{self.minute:02}"


@dataclass(frozen=True, slots=True)
class OnShortage:
    """When a value that is added or recovered does not fit."""

    def __str__(self) -> str:
        """As it is written."""
        return "on shortage"


@dataclass(frozen=True, slots=True)
class OnRequest:
    """When a person or program asks for it by name."""

    def __str__(self) -> str:
        """As it is written."""
        return "on request"


@dataclass(frozen=True, slots=True)
class ValidityApproaching:
    """A receipt's value, away from the wallet, becomes usable within so many days."""

    days: int

    def __str__(self) -> str:
        """As it is written."""
        return f"validity approaching {days_text(self.days)}"


@dataclass(frozen=True, slots=True)
class FreeCapacity:
    """The wallet has more or less room than a level.

    Args:
        direction: Which of the two.
        level: Bytes, or percent of the capacity.
        is_percent: Which of the two.
    """

    direction: Direction
    level: int
    is_percent: bool

    def __str__(self) -> str:
        """As it is written."""
        level = f"{self.level}%" if self.is_percent else size_text(self.level)
        return f"free capacity {self.direction} {level}"


@dataclass(frozen=True, slots=True)
class NetworkAvailable:
    """Safes can probably be reached."""

    def __str__(self) -> str:
        """As it is written."""
        return "network available"


@dataclass(frozen=True, slots=True)
class BatteryAbove:
    """The battery has more than a level, or mains power will do too."""

    percent: int
    or_mains: bool

    def __str__(self) -> str:
        """As it is written."""
        return f"battery above {self.percent}%" + (" or on mains" if self.or_mains else "")


@dataclass(frozen=True, slots=True)
class OnMains:
    """The machine is plugged in."""

    def __str__(self) -> str:
        """As it is written."""
        return "on mains"


@dataclass(frozen=True, slots=True)
class SensorHolds:
    """A named sensor holds, or reads more or less than a bound.

    Args:
        name: The sensor.
        direction: None: its exit status alone tells.
        bound: What its number is compared with; 0 without direction.
    """

    name: str
    direction: Direction | None = None
    bound: Decimal = Decimal(0)

    def __str__(self) -> str:
        """As it is written."""
        return f"sensor {self.name}" + (f" {self.direction} {self.bound}" if self.direction else "")


Occasion: TypeAlias = Every | At | OnShortage | OnRequest
State: TypeAlias = (
    ValidityApproaching | FreeCapacity | NetworkAvailable | BatteryAbove | OnMains | SensorHolds
)
Phrase: TypeAlias = Occasion | State


@dataclass(frozen=True, slots=True)
class StartBackup:
    """Back up what the conditions select.

    Args:
        delete: Then erase from the wallet what is `safe`.
    """

    delete: bool

    def __str__(self) -> str:
        """As it is written."""
        return "backup and delete" if self.delete else "backup"


@dataclass(frozen=True, slots=True)
class RecoverUsable:
    """Recover what becomes usable within so many days, today included."""

    days: int

    def __str__(self) -> str:
        """As it is written."""
        return f"recover usable within {days_text(self.days)}"


@dataclass(frozen=True, slots=True)
class RecoverSuspended:
    """Go on with recoveries that stopped for want of room, as far as they fit now."""

    def __str__(self) -> str:
        """As it is written."""
        return "recover suspended"


Start: TypeAlias = StartBackup | RecoverUsable | RecoverSuspended


def sensors_in(phrase: Phrase) -> tuple[str, ...]:
    """The sensors that a phrase asks."""
    match phrase:
        case NetworkAvailable():
            return ("network",)
        case BatteryAbove(or_mains=True):
            return ("battery", "mains")
        case BatteryAbove():
            return ("battery",)
        case OnMains():
            return ("mains",)
        case SensorHolds(name=name):
            return (name,)
        case _:
            return ()
