"""What can be wrong with a trigger or a sensor, and what the person does next."""

from dataclasses import dataclass

from wallet_client.errors import NotKept, WalletError


@dataclass(eq=False)
class TriggerInvalid(WalletError):
    """A trigger cannot be made so.

    Args:
        text: The phrase or name at fault.
        reason: What is wrong with it, and what may stand there.
    """

    text: str
    reason: str
    sentence = "The trigger cannot be made: {text} {reason}."
    hint = "`kura trigger add --help` shows examples; docs/TRIGGERS.md explains each phrase."


@dataclass(eq=False)
class SensorInvalid(WalletError):
    """A sensor cannot be made so.

    Args:
        text: Its name.
        reason: What is wrong with it.
    """

    text: str
    reason: str
    sentence = "The sensor {text} cannot be made: {reason}."
    hint = "`kura sensor add --help` shows examples."


@dataclass(eq=False)
class TriggerNotOnRequest(WalletError):
    """A trigger was asked for that is none to be asked for.

    Args:
        name: The trigger.
    """

    name: str
    sentence = "The trigger {name} does not run on request."
    hint = "Make one with --when 'on request', or say `kura run-triggers` alone to run whatever is due."


@dataclass(eq=False)
class UnknownTrigger(NotKept):
    """No trigger has that name."""

    kind = "trigger"
    hint = "`kura trigger list` shows the triggers."


@dataclass(eq=False)
class UnknownSensor(NotKept):
    """No command was named so."""

    kind = "sensor"
    hint = "`kura sensor list` shows the sensors."


@dataclass(eq=False)
class UnknownSuspension(NotKept):
    """No recovery of that value is suspended."""

    kind = "suspension"
    hint = "It may have been finished meanwhile; `kura recover --suspended` continues what is left."
