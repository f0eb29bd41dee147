"""The deletions a wallet decided, each with what safes answered: the caller's encoding, sealed as it is.

None is ever removed: a safe's signed word that it erased something is of use for as long as the wallet is.
"""

import msgspec

from wallet_client.storage.records import Records


class DeletionEntry(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A deletion as it is found.

    Args:
        id: The deletion's id; what safes are owed of it stands in the outbox under the same.
        size_bytes: Length of the whole.
    """

    id: str
    size_bytes: int


class Deletions:
    """The deletions of one wallet.

    Args:
        records: Their sealed rows.
    """

    def __init__(self, records: Records[DeletionEntry]) -> None:
        self._records = records

    def put(self, deletion_id: str, content: bytes) -> None:
        """Keep a deletion, or put it in the place of the one of that id.

        Args:
            deletion_id: Its id, at least one character.
            content: The deletion, any encoding.
        """
        entry = DeletionEntry(id=deletion_id, size_bytes=len(content))
        self._records.put(deletion_id, entry, content)

    def get(self, deletion_id: str) -> bytes:
        """The deletion's bytes as they were put.

        Raises:
            UnknownDeletion: There is none of that id.
            WalletDamaged: It does not open.
        """
        return self._records.body(deletion_id)

    def has(self, deletion_id: str) -> bool:
        """Whether there is one of that id."""
        return self._records.has(deletion_id)

    def entries(self) -> list[DeletionEntry]:
        """All deletions, in the order in which they were decided."""
        return self._records.heads()
