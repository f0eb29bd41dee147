"""What can go wrong in the wallet itself, and what the person does next.

Every error is one fixed sentence with typed fields, and a `hint`: the next step. Names and paths
inside a sentence are escaped for the terminal. No sentence holds a passphrase, key or payload. What belongs
to one part stands in the `errors` of its package; here are the bases and what every part says.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from wallet_client.values.shown import shown


def _fit(field: object) -> object:
    return shown(str(field)) if isinstance(field, str | Path) else field


@dataclass(eq=False)
class WalletError(Exception):
    """Anything the wallet refuses or cannot do; nothing was changed unless the error says so.

    Attributes:
        sentence: What happened, with the fields' names in braces.
        hint: What to do next.
    """

    sentence: ClassVar[str] = ""
    hint: ClassVar[str] = ""

    def __str__(self) -> str:
        """The sentence with its fields, escaped."""
        return self.sentence.format(**{name: _fit(field) for name, field in vars(self).items()})


Kind = Literal[
    "value",
    "receipt",
    "operation",
    "delivery",
    "secret",
    "key",
    "algorithm",
    "setting",
    "condition",
    "deletion",
    "forgetting",
    "policy",
    "trigger",
    "sensor",
    "suspension",
    "authority",
]


@dataclass(eq=False)
class NotKept(WalletError):
    """The wallet keeps nothing under that name.

    Args:
        text: What was asked for.
    """

    text: str
    kind: ClassVar[Kind]

    def __str__(self) -> str:
        """Name what was asked for."""
        return f"The wallet keeps no {self.kind} {shown(self.text)}."


@dataclass(eq=False)
class AlreadyKept(WalletError):
    """Something is kept under that id already, and stays as it is.

    Args:
        kind: What it is.
        text: Its id.
    """

    kind: Kind
    text: str
    sentence = "The wallet keeps a {kind} {text} already."
    hint = "It was left as it is; remove it first if it is to be replaced."


@dataclass(eq=False)
class Ambiguous(WalletError):
    """More than one thing could be meant.

    Args:
        kind: What was looked for.
        text: What was asked for.
        candidates: The ids that fit, in the order kept.
    """

    kind: Kind
    text: str
    candidates: tuple[str, ...]
    hint = "Say the whole id, or more of its beginning."

    def __str__(self) -> str:
        """List the first candidates."""
        more = f" and {len(self.candidates) - 10} more" if len(self.candidates) > 10 else ""
        return f"{shown(self.text)} may be {', '.join(self.candidates[:10])}{more}."


@dataclass(eq=False)
class UnknownGateway(WalletError):
    """No safe of the roster is called so; nothing was contacted.

    Args:
        text: What was said.
        names: Those there are, separated by commas.
    """

    text: str
    names: str
    sentence = "The roster has no safe {text}; it has {names}."
    hint = "Name one of these, or say its id: `kura roster show` lists them. Nothing was contacted."
