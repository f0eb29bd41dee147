"""The receipts a wallet keeps: what they say is the caller's encoding, sealed as it is."""

import msgspec

from wallet_client.receipts.errors import UnknownReceipt
from wallet_client.storage.naming import resolve
from wallet_client.storage.records import Records
from wallet_client.values.value import ValueId


class ReceiptEntry(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A receipt as lists show it.

    Args:
        id: The receipt's id.
        state: Such as "registered" or "safe".
        value_ids: The values of its item that this wallet had when it was backed up.
        summary: Secret: small bytes of the caller's, for listings.
        size_bytes: Length of the whole receipt.
    """

    id: str
    state: str
    value_ids: tuple[ValueId, ...]
    summary: bytes
    size_bytes: int

    def __repr__(self) -> str:
        """Without the summary."""
        return f"<ReceiptEntry {self.id}, {self.state}>"


class Receipts:
    """The receipts of one wallet.

    Args:
        records: Their sealed rows.
    """

    def __init__(self, records: Records[ReceiptEntry]) -> None:
        self._records = records

    def put(
        self,
        receipt_id: str,
        content: bytes,
        *,
        state: str,
        value_ids: tuple[ValueId, ...] = (),
        summary: bytes = b"",
    ) -> None:
        """Keep a receipt, or put it in the place of the one of that id.

        Args:
            receipt_id: Its id, at least one character.
            content: Secret: the receipt, any encoding.
            state: Such as "registered".
            value_ids: The values in its item.
            summary: Secret: what listings need of it.
        """
        entry = ReceiptEntry(
            id=receipt_id, state=state, value_ids=value_ids, summary=summary, size_bytes=len(content)
        )
        self._records.put(receipt_id, entry, content)

    def get(self, receipt_id: str) -> bytes:
        """Secret: the receipt's bytes as they were put.

        Raises:
            UnknownReceipt: There is none of that id.
            WalletDamaged: It does not open.
        """
        return self._records.body(receipt_id)

    def entry(self, receipt_id: str) -> ReceiptEntry:
        """The receipt as lists show it.

        Raises:
            UnknownReceipt: There is none of that id.
        """
        return self._records.head(receipt_id)

    def entries(self, *, state: str | None = None) -> list[ReceiptEntry]:
        """All receipts, or those of a state, in the order in which they were first put."""
        found = self._records.heads()
        return found if state is None else [entry for entry in found if entry.state == state]

    def delete(self, receipt_id: str) -> None:
        """Erase a receipt beyond recovery.

        Raises:
            UnknownReceipt: There is none of that id.
        """
        self._records.remove(receipt_id)

    def find(self, text: str) -> str:
        """The id of the receipt that a person means by its id or the id's beginning.

        Raises:
            UnknownReceipt: None fits.
            Ambiguous: More than one does.
        """
        if self._records.has(text):
            return text
        return resolve(text, ((entry.id, "") for entry in self.entries()), "receipt", UnknownReceipt)
