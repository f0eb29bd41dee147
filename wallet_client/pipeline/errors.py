"""What can be wrong between a plan, or a manifest, and the wallet it meets."""

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


@dataclass(eq=False)
class BindingUnknown(WalletError):
    """Items are bound to a root that is not that of this wallet's owner.

    Args:
        binding_id: 16 bytes, as the manifest names it.
    """

    binding_id: bytes
    sentence = "The items are bound to an owner whose root this wallet does not have."
    hint = "Recover as that owner: kura owner recover NAME --roster FILE"
