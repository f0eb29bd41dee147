"""Recoveries that stopped for want of room, one row for each value, until it is back."""

import msgspec

from wallet_client.storage.records import Records
from wallet_client.values.value import ValueId


class Suspension(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One recovery that is to go on.

    Args:
        value_id: The value that is to come back.
        delete_receipt: Once it is back, delete its receipt and its pieces; None: as the policy says.
        since: When it was suspended, whole seconds since 1970-01-01 UTC.
    """

    value_id: ValueId
    delete_receipt: bool | None
    since: int


class Suspended:
    """The suspended recoveries of one wallet.

    Args:
        records: Their sealed rows.
    """

    def __init__(self, records: Records[Suspension]) -> None:
        self._records = records

    def put(self, suspension: Suspension) -> None:
        """Remember one, in the place of an earlier one of that value."""
        self._records.put(suspension.value_id, suspension)

    def entries(self) -> list[Suspension]:
        """All of them, in the order suspended."""
        return self._records.heads()

    def discard(self, value_id: ValueId) -> bool:
        """Forget one; whether there was one."""
        with self._records.database.transaction():
            if not self._records.has(value_id):
                return False
            self._records.remove(value_id)
            return True
