"""What can be wrong with a policy."""

from dataclasses import dataclass

from wallet_client.errors import WalletError


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
    """

    name: str
    problem: str
    hint = "Choose another policy; `kura policy list` shows them."

    def __str__(self) -> str:
        """Give the reason."""
        return f"The policy {self.name!r} does not fit: {self.problem}."
