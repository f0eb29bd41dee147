"""What can go wrong in the wallet itself, and what the person does next.

Every error is one fixed sentence with typed fields, and a `hint`: the next step. Names and paths
inside a sentence are escaped for the terminal. No sentence holds a passphrase, key or payload.
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
class WalletMissing(WalletError):
    """There is no wallet in the folder.

    Args:
        home: The wallet's folder.
    """

    home: Path
    sentence = "There is no wallet in {home}."
    hint = "Make one with `kura wallet init`, or name another folder with --home or KURA_HOME."


@dataclass(eq=False)
class WalletExists(WalletError):
    """The folder already holds a wallet, which stays as it is.

    Args:
        home: The wallet's folder.
    """

    home: Path
    sentence = "There is a wallet in {home} already."
    hint = "Use it as it is, or name another folder with --home or KURA_HOME."


@dataclass(eq=False)
class WrongPassphrase(WalletError):
    """The passphrase does not open the wallet."""

    sentence = "The passphrase does not open this wallet."
    hint = "Nothing was changed. Try again; without the passphrase the wallet cannot be opened."


@dataclass(eq=False)
class PassphraseNeeded(WalletError):
    """The wallet has a passphrase and none was given."""

    sentence = "This wallet is locked by a passphrase."
    hint = "Set KURA_PASSPHRASE, name a file with --passphrase-file, or type it when asked."


@dataclass(eq=False)
class PassphraseUnused(WalletError):
    """A passphrase was given for a wallet that has none, so it protects nothing."""

    sentence = "This wallet is not protected by a passphrase."
    hint = (
        "It was made with --no-passphrase: whoever can read its folder can read its values. "
        "Say --no-passphrase to use it so, or make another wallet."
    )


@dataclass(eq=False)
class PassphraseRefused(WalletError):
    """A passphrase that no wallet can have.

    Args:
        reason: Why, without the passphrase.
    """

    reason: str
    sentence = "The passphrase {reason}."
    hint = "Choose another passphrase, or say --no-passphrase."


@dataclass(eq=False)
class WalletDamaged(WalletError):
    """The wallet's files are not as the wallet wrote them; nothing was overwritten.

    Args:
        what: The part at fault.
    """

    what: str
    sentence = "The wallet is damaged: {what}."
    hint = (
        "Nothing was overwritten. Put back a copy of the whole folder: a new wallet has neither the keys nor "
        "the receipts, so the safes give it nothing."
    )


@dataclass(eq=False)
class WalletTooNew(WalletError):
    """A newer version of Kura wrote the wallet.

    Args:
        found: Its schema version.
        known: The newest one this program knows.
    """

    found: int
    known: int
    sentence = "The wallet has version {found}; this program knows versions up to {known}."
    hint = "Install the newer Kura; this one leaves the wallet untouched."


@dataclass(eq=False)
class WalletFull(WalletError):
    """The value does not fit into the wallet's capacity.

    Args:
        needed: Bytes that the value takes.
        free: Bytes that are free.
    """

    needed: int
    free: int
    sentence = "The wallet is full: {needed} bytes are needed and {free} are free."
    hint = "Make room by `kura backup --delete` or `kura wallet remove`, then say the same command again."


@dataclass(eq=False)
class WalletBusy(WalletError):
    """Another process uses the wallet and did not finish in time.

    Args:
        waited_seconds: How long was waited.
    """

    waited_seconds: float
    sentence = "Another process has been using the wallet for {waited_seconds:g} seconds."
    hint = "Wait for the other `kura` command to end, then try again."


@dataclass(eq=False)
class StorageFailed(WalletError):
    """The device under the wallet failed; the change was not made.

    Args:
        reason: What failed.
    """

    reason: str
    sentence = "The wallet's files could not be used: {reason}."
    hint = "Nothing was changed. Check the device and the folder's permissions, then try again."


@dataclass(eq=False)
class TracesRemain(WalletError):
    """The change was made, but another reader kept the erased bytes from being overwritten yet."""

    sentence = "Removed, but traces remain on the device while another process reads the wallet."
    hint = "The next `kura` command that ends while no other runs overwrites them."


@dataclass(eq=False)
class DeviceFull(StorageFailed):
    """No space is left on the device; the change was not made."""

    reason: str = "the device is full"
    hint = "Nothing was changed. Free space on the device, then say the same command again."


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
class UnknownValue(NotKept):
    """No value has that id or name."""

    kind = "value"
    hint = "`kura wallet list` shows the values with their ids."


@dataclass(eq=False)
class UnknownReceipt(NotKept):
    """No receipt has that id."""

    kind = "receipt"
    hint = "`kura receipts` shows the receipts with their ids."


@dataclass(eq=False)
class UnknownDeletion(NotKept):
    """Nothing under that id was deleted."""

    kind = "deletion"
    hint = "`kura receipts deleted` shows the deletions with the ids of their receipts."


@dataclass(eq=False)
class UnknownOperation(NotKept):
    """The journal holds no such operation."""

    kind = "operation"
    hint = "It may have been finished meanwhile; `kura resume` shows what is open."


@dataclass(eq=False)
class UnknownDelivery(NotKept):
    """The outbox holds no such delivery."""

    kind = "delivery"
    hint = "It may have been delivered meanwhile; `kura resume` shows what waits."


@dataclass(eq=False)
class UnknownSecret(NotKept):
    """No secret is kept under that name."""

    kind = "secret"
    hint = "Put back a copy of the whole folder."


@dataclass(eq=False)
class UnknownKey(NotKept):
    """No key has that name or id."""

    kind = "key"
    hint = "`kura key list` shows the keys of this wallet."


@dataclass(eq=False)
class UnknownAlgorithm(NotKept):
    """No key-generation algorithm of that name and version is known."""

    kind = "algorithm"
    hint = "Bring its description with `kura key import-algorithm`."


@dataclass(eq=False)
class PolicyNotKept(NotKept):
    """No policy of that name came from a file."""

    kind = "policy"
    hint = "`kura policy list` shows all policies."


@dataclass(eq=False)
class KeyAway(WalletError):
    """A key's entry is in the wallet, and the key itself is not.

    Args:
        name: The key's.
    """

    name: str
    sentence = "The key {name} is not in the wallet; `kura key recover {name}` brings it back."
    hint = "Then say the same command again."


@dataclass(eq=False)
class UnknownCondition(NotKept):
    """No backup condition has that name."""

    kind = "condition"
    hint = "`kura condition list` shows the conditions."


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
class SecondRoot(AlreadyKept):
    """A wallet has one root."""

    sentence = "The wallet has a root already: {text}."
    hint = "It was left as it is: everything that comes from it would be lost with it."


@dataclass(eq=False)
class KeyNameRefused(WalletError):
    """No key can be called that.

    Args:
        name: What was asked for.
    """

    name: str
    sentence = "A key cannot be called {name}."
    hint = "Use 1 to 64 letters, digits, dots, underscores and hyphens; begin with a letter or a digit."


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
