"""What can be wrong between a plan and the values it was made for."""

from dataclasses import dataclass

from wallet_client.errors import WalletError
from wallet_client.values.value import ValueId


@dataclass(eq=False)
class PlanOutdated(WalletError):
    """A value is not what it was when its backup was planned; nothing of it may be sent under that plan.

    Args:
        value_id: The value.
    """

    value_id: ValueId
    hint = "Back it up again; the old plan is withdrawn."

    def __str__(self) -> str:
        """Name the value."""
        return f"The value {self.value_id} changed after its backup was planned."
