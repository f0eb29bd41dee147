"""The triggers a wallet keeps, each with the history of its runs, and the commands it knows as sensors."""

import msgspec

from wallet_client.storage.records import Records
from wallet_client.triggers.errors import SensorInvalid, TriggerInvalid
from wallet_client.triggers.parse import NAME
from wallet_client.triggers.trigger import TRIGGERS_MAX, History, Trigger

SENSORS_MAX = 100
ARGUMENTS_MAX = 50
COMMAND_MAX_CHARACTERS = 4_000


class TriggerEntry(msgspec.Struct, frozen=True, array_like=True):
    """A trigger and what is remembered of its runs."""

    trigger: Trigger
    history: History = History()


class Triggers:
    """The triggers of one wallet.

    Args:
        records: Their sealed rows.
    """

    def __init__(self, records: Records[TriggerEntry]) -> None:
        self._records = records

    def add(self, trigger: Trigger) -> None:
        """Keep a new trigger.

        Raises:
            AlreadyKept: The name is taken.
            TriggerInvalid: The wallet has 100 already.
        """
        with self._records.database.transaction():
            if self._records.total().records >= TRIGGERS_MAX:
                raise TriggerInvalid(trigger.name, f"would be one more than {TRIGGERS_MAX}")
            self._records.add(trigger.name, TriggerEntry(trigger))

    def entry(self, name: str) -> TriggerEntry:
        """One trigger.

        Raises:
            UnknownTrigger: There is none of that name.
        """
        return self._records.head(name)

    def entries(self) -> list[TriggerEntry]:
        """All triggers, in the order made."""
        return self._records.heads()

    def note(self, name: str, history: History) -> None:
        """Remember how its runs stand now.

        Raises:
            UnknownTrigger: There is none of that name.
        """
        with self._records.database.transaction():
            kept = self.entry(name)
            self._records.replace_head(name, msgspec.structs.replace(kept, history=history))

    def remove(self, name: str) -> None:
        """Forget a trigger.

        Raises:
            UnknownTrigger: There is none of that name.
        """
        self._records.remove(name)


class SensorEntry(msgspec.Struct, frozen=True, array_like=True):
    """A command that is asked as a sensor.

    Args:
        name: The sensor.
        command: The program and its arguments.
    """

    name: str
    command: tuple[str, ...]


class Sensors:
    """The commands that one wallet knows as sensors.

    Args:
        records: Their sealed rows.
    """

    def __init__(self, records: Records[SensorEntry]) -> None:
        self._records = records

    def put(self, name: str, command: tuple[str, ...]) -> None:
        """Name a command, in the place of the one of that name if there is one.

        Args:
            name: 1 to 64 of a-z, 0-9 and -; that of a built-in sensor takes its place.
            command: The program and its arguments: 1 to 50, together up to 4,000 characters, no NUL.

        Raises:
            SensorInvalid: One of these does not hold, or the wallet has 100 already.
        """
        _check_command(name, command)
        with self._records.database.transaction():
            if not self._records.has(name) and self._records.total().records >= SENSORS_MAX:
                raise SensorInvalid(name, f"there are {SENSORS_MAX} already")
            self._records.put(name, SensorEntry(name, command))

    def commands(self) -> dict[str, tuple[str, ...]]:
        """All commands by name, in the order named."""
        return {entry.name: entry.command for entry in self._records.heads()}

    def remove(self, name: str) -> None:
        """Forget a command.

        Raises:
            UnknownSensor: No command has that name.
        """
        self._records.remove(name)


def _check_command(name: str, command: tuple[str, ...]) -> None:
    if not NAME.fullmatch(name):
        raise SensorInvalid(name, "a name is 1 to 64 of a-z, 0-9 and -")
    if not command or not command[0]:
        raise SensorInvalid(name, "no command is given")
    if len(command) > ARGUMENTS_MAX or sum(map(len, command)) > COMMAND_MAX_CHARACTERS:
        raise SensorInvalid(name, f"its command has more than {COMMAND_MAX_CHARACTERS} characters")
    if any("\0" in argument for argument in command):
        raise SensorInvalid(name, "its command holds a NUL character")
