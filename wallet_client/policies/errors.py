"""What can be wrong with a policy."""

from dataclasses import dataclass

from wallet_client.errors import WalletError
from wallet_client.values.shown import shown


@dataclass(eq=False)
class UnknownPolicy(WalletError):
    """No policy has that name.

    Args:
        name: What was asked for.
        known: What there is.
    """

    name: str
    known: tuple[str, ...]
    hint = "`kura policy list` shows all policies."

    def __str__(self) -> str:
        """Name what there is."""
        return f"There is no policy {self.name!r}; there are {', '.join(self.known)}."


@dataclass(eq=False)
class PolicyUnfit(WalletError):
    """The roster cannot carry the policy.

    Args:
        name: The policy.
        problem: Why not.
        field: The part of the policy at fault, as policy files call it, such as "key.at"; "" for the whole.
    """

    name: str
    problem: str
    field: str = ""
    hint = "Choose another policy; `kura policy list` shows them."

    def __str__(self) -> str:
        """Give the reason."""
        return f"The policy {self.name!r} does not fit: {self.problem}."


@dataclass(eq=False)
class PolicyFileInvalid(WalletError):
    """A policy file does not say a policy that can be used.

    Args:
        path: The file.
        line: The line at fault, from 1.
        problem: What is wrong with it.
        allowed: What could stand there; "" where the problem says so.
    """

    path: str
    line: int
    problem: str
    allowed: str = ""
    hint = "Mend that line and try again; `kura policy show threshold` prints a policy to start from."

    def __str__(self) -> str:
        """Name file, line, problem and what is allowed."""
        allowed = f"; allowed: {shown(self.allowed)}" if self.allowed else ""
        return f"{shown(self.path)}, line {self.line}: {shown(self.problem)}{allowed}."


@dataclass(eq=False)
class PolicyBuiltIn(WalletError):
    """Every wallet has that policy, and it stays.

    Args:
        name: The policy.
    """

    name: str
    sentence = "The policy {name} is built in."
    hint = "Leave it; values are backed up under another policy with --policy."


@dataclass(eq=False)
class PolicyInUse(WalletError):
    """Values are backed up under the policy, so its name may not come to mean anything else.

    Args:
        name: The policy.
        receipts: How many receipts name it, begun backups included.
    """

    name: str
    receipts: int
    sentence = "The policy {name} is used by {receipts} receipts."
    hint = "Add the changed policy under another name, back those values up under it, then remove this one."
