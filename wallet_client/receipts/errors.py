"""What can go wrong with receipts (see wallet_client/errors.py)."""

from dataclasses import dataclass

from wallet_client.errors import NotKept


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
