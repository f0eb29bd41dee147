"""The journal: operations begun and not yet finished, so that a crash can be mended.

What is deleted here is erased beyond recovery at the next purge or the last close, not at each
commit: an operation writes it several times and must stay quick.
"""

import msgspec

from wallet_client.storage.records import Records


class Operation(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One operation under way.

    Args:
        id: Its id.
        kind: Such as "backup".
        step: How far it came, in the operation's own words.
    """

    id: str
    kind: str
    step: str


class Journal:
    """The operations under way in one wallet.

    Args:
        records: Their sealed rows.
    """

    def __init__(self, records: Records[Operation]) -> None:
        self._records = records

    def put(self, operation_id: str, kind: str, body: bytes, *, step: str) -> None:
        """Write down an operation before it begins.

        Args:
            operation_id: A fresh id.
            kind: Such as "backup".
            body: Secret: what is needed to finish or withdraw it, any encoding and size.
            step: Where it stands.

        Raises:
            AlreadyKept: The id is taken.
        """
        head = Operation(id=operation_id, kind=kind, step=step)
        self._records.add(operation_id, head, body)

    def update(self, operation_id: str, *, step: str, body: bytes | None = None) -> None:
        """Note how far it came, and what is needed from there; None leaves the body as it is.

        Raises:
            UnknownOperation: There is none of that id.
        """
        with self._records.database.transaction():
            head = msgspec.structs.replace(self.entry(operation_id), step=step)
            if body is None:
                self._records.replace_head(operation_id, head)
            else:
                self._records.replace(operation_id, head, body)

    def entry(self, operation_id: str) -> Operation:
        """One operation's kind and step.

        Raises:
            UnknownOperation: There is none of that id.
        """
        return self._records.head(operation_id)

    def entries(self) -> list[Operation]:
        """All operations under way, oldest first."""
        return self._records.heads()

    def body(self, operation_id: str) -> bytes:
        """Secret: what is needed to finish or withdraw an operation.

        Raises:
            UnknownOperation: There is none of that id.
            WalletDamaged: It does not open.
        """
        return self._records.body(operation_id)

    def delete(self, operation_id: str) -> None:
        """Forget an operation that is finished or withdrawn.

        Raises:
            UnknownOperation: There is none of that id.
        """
        self._records.remove(operation_id)
