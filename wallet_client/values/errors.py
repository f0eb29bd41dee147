"""What can go wrong with a value and with the files it comes from (see wallet_client/errors.py)."""

from dataclasses import dataclass

from wallet_client.errors import NotKept, WalletError


@dataclass(eq=False)
class ValueRefused(WalletError):
    """A field of a value is over its limit.

    Args:
        field: The field as people know it, such as "class".
        reason: What is wrong with it, without its content.
    """

    field: str
    reason: str
    sentence = "The value's {field} {reason}."
    hint = "Change that field and try again."


@dataclass(eq=False)
class ValueDamaged(WalletError):
    """Bytes that should be a value are none.

    Args:
        reason: In words without content.
    """

    reason: str
    sentence = "The value is damaged: {reason}."
    hint = "Recover the value again from its receipt."


@dataclass(eq=False)
class ImportRefused(WalletError):
    """A file could not be taken in; nothing of it was added.

    Args:
        path: The file, and for a list of values the place in it, such as "a.json: values[2].name".
        reason: What is wrong with it.
    """

    path: str
    reason: str
    sentence = "{path} was not imported: {reason}."
    hint = "Nothing was added. Name another file, or mend this one and try again."


@dataclass(eq=False)
class UnknownValue(NotKept):
    """No value has that id or name."""

    kind = "value"
    hint = "`kura wallet list` shows the values with their ids."
