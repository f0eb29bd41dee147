"""The values a wallet keeps, and how much room they take.

The sealed head of each is its *summary*, an index entry with class, place, validity and size; the
payload is the body, opened only when the value itself is asked for.
"""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import msgspec

from trust.value_fields import ValueFields
from wallet_client.storage.errors import WalletFull
from wallet_client.storage.naming import resolve
from wallet_client.storage.records import Records
from wallet_client.values.errors import UnknownValue
from wallet_client.values.value import Value, ValueId, new_value_id, stored_size


class ValueSummary(ValueFields, frozen=True, kw_only=True):
    """A value without its payload, as lists show it.

    Args:
        id: The value's id in this wallet.
        payload_bytes: Length of the payload.
        size_bytes: What the value takes of the wallet's capacity.
        receipt_id: The receipt whose item it was backed up in, None while there is none.
    """

    id: ValueId
    payload_bytes: int
    size_bytes: int
    receipt_id: str | None = None

    def __post_init__(self) -> None:
        """Check nothing: the fields are those of a `Value`, sealed by this wallet since."""


class Usage(NamedTuple):
    """How full the wallet is, in bytes; capacity and free are None where there is no limit."""

    capacity: int | None
    used: int
    free: int | None


class Values:
    """The values of one wallet.

    Args:
        records: Their sealed rows.
        capacity: Gives the wallet's capacity in bytes, None for no limit.
    """

    def __init__(self, records: Records[ValueSummary], capacity: Callable[[], int | None]) -> None:
        self._records = records
        self._capacity = capacity

    def add(self, value: Value, *, receipt_id: str | None = None, value_id: ValueId | None = None) -> ValueId:
        """Keep a value.

        Args:
            value: Secret: the value.
            receipt_id: The receipt it was recovered from, if any.
            value_id: The id it shall have; a fresh one by default.

        Raises:
            WalletFull: It does not fit; the error names the bytes needed and free.
            AlreadyKept: The id is taken.
        """
        summary = _summary(value_id or new_value_id(), value, receipt_id)
        with self._records.database.transaction():
            self.require_room(summary.size_bytes)
            head = summary
            self._records.add(summary.id, head, value.payload, size=summary.size_bytes)
        return summary.id

    def replace(self, value_id: ValueId, value: Value, *, receipt_id: str | None = None) -> None:
        """Put another value in the place of one, which is erased beyond recovery.

        Args:
            value_id: The value that goes; its id stays.
            value: Secret: the value that comes.
            receipt_id: The receipt of the new one; the old one's does not carry over.

        Raises:
            UnknownValue: There is none of that id.
            WalletFull: The new one does not fit in the old one's place.
        """
        summary = _summary(value_id, value, receipt_id)
        with self._records.database.transaction():
            self.require_room(summary.size_bytes, leaving=self.summary(value_id).size_bytes)
            head = summary
            self._records.replace(value_id, head, value.payload, size=summary.size_bytes)

    def remove(self, value_id: ValueId) -> None:
        """Erase a value beyond recovery, even for somebody with the passphrase.

        Several removals inside one transaction are purged once, at its commit.

        Raises:
            UnknownValue: There is none of that id.
        """
        self._records.remove(value_id)

    def has(self, value_id: ValueId) -> bool:
        """Whether a value is in the wallet."""
        return self._records.has(value_id)

    def link(self, value_id: ValueId, receipt_id: str | None) -> None:
        """Note in which receipt a value is backed up now, None for in none.

        Raises:
            UnknownValue: There is none of that id.
        """
        with self._records.database.transaction():
            self.link_known(self.summary(value_id), receipt_id)

    def link_known(self, summary: ValueSummary, receipt_id: str | None) -> None:
        """As `link`, for a summary read in the same transaction.

        Raises:
            UnknownValue: The value is gone.
        """
        self._records.replace_head(summary.id, msgspec.structs.replace(summary, receipt_id=receipt_id))

    def get(self, value_id: ValueId) -> Value:
        """Secret: the whole value.

        Raises:
            UnknownValue: There is none of that id.
            WalletDamaged: It does not open.
        """
        with self._records.database.snapshot():
            summary = self.summary(value_id)
            payload = self._records.body(value_id)
        fields = {name: getattr(summary, name) for name in ValueFields.__struct_fields__}
        return Value(**fields, payload=payload)

    def summary(self, value_id: ValueId) -> ValueSummary:
        """One value's index entry.

        Raises:
            UnknownValue: There is none of that id.
            WalletDamaged: It does not open.
        """
        return self._records.head(value_id)

    def summaries(
        self,
        *,
        item_class: str | None = None,
        place: str | None = None,
        ending_within: tuple[date, date] | None = None,
        receipt_id: str | None = None,
    ) -> list[ValueSummary]:
        """The index entries that meet every condition given, in the order added.

        Args:
            item_class: Of this class.
            place: Of exactly this place.
            ending_within: Whose last day of validity lies between these two days, both included.
            receipt_id: Backed up under this receipt.
        """
        found = self._records.heads()
        if item_class is not None:
            found = [one for one in found if one.item_class == item_class]
        if place is not None:
            found = [one for one in found if one.place == place]
        if ending_within is not None:
            first, last = ending_within
            found = [one for one in found if one.valid_until and first <= one.valid_until <= last]
        if receipt_id is not None:
            found = [one for one in found if one.receipt_id == receipt_id]
        return found

    def find(self, text: str) -> ValueId:
        """The id of the value that a person means by id, beginning of an id, or unique name.

        Raises:
            UnknownValue: None fits.
            Ambiguous: More than one does; the error lists their ids.
        """
        if self._records.has(text):
            return ValueId(text)
        named = ((one.id, one.name) for one in self.summaries())
        return ValueId(resolve(text, named, "value", UnknownValue))

    def usage(self) -> Usage:
        """How full the wallet is."""
        capacity, used = self._capacity(), self._records.total().size
        return Usage(capacity, used, None if capacity is None else max(0, capacity - used))

    def require_room(self, needed: int, *, leaving: int = 0) -> None:
        """Refuse what does not fit.

        Args:
            needed: Bytes that shall come.
            leaving: Bytes that go at the same time.

        Raises:
            WalletFull: They do not fit.
        """
        capacity, used, _ = self.usage()
        if capacity is not None and used - leaving + needed > capacity:
            raise WalletFull(needed, max(0, capacity - used + leaving))


def _summary(value_id: ValueId, value: Value, receipt_id: str | None) -> ValueSummary:
    fields = {name: getattr(value, name) for name in ValueFields.__struct_fields__}
    return ValueSummary(
        **fields,
        id=value_id,
        payload_bytes=len(value.payload),
        size_bytes=stored_size(value),
        receipt_id=receipt_id,
    )
