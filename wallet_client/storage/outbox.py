"""The outbox: messages that wait for a safe which did not answer.

One delivery per owner (an operation or a receipt) and safe. What is delivered is erased beyond
recovery at the next purge or the last close; it is no more than what the safe was sent.
"""

import msgspec

from wallet_client.storage.records import Records


class Delivery(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One message that waits.

    Args:
        owner_id: The operation or receipt it belongs to.
        safe_id: Where it goes, 16 bytes.
        size_bytes: Its length.
    """

    owner_id: str
    safe_id: bytes
    size_bytes: int


class Outbox:
    """The deliveries of one wallet.

    Args:
        records: Their sealed rows.
    """

    def __init__(self, records: Records[Delivery]) -> None:
        self._records = records

    def put(self, owner_id: str, safe_id: bytes, message: bytes) -> None:
        """Keep a message for a safe, in the place of the one that waits there already.

        Args:
            owner_id: The operation or receipt it belongs to.
            safe_id: 16 bytes.
            message: Secret: what shall be sent, any encoding and size.
        """
        entry = Delivery(owner_id=owner_id, safe_id=safe_id, size_bytes=len(message))
        self._records.put(_name(owner_id, safe_id), entry, message)

    def get(self, owner_id: str, safe_id: bytes) -> bytes:
        """Secret: the message that waits.

        Raises:
            UnknownDelivery: None does.
            WalletDamaged: It does not open.
        """
        return self._records.body(_name(owner_id, safe_id))

    def entries(self, *, owner_id: str | None = None, safe_id: bytes | None = None) -> list[Delivery]:
        """What waits, oldest first; of one owner or for one safe, if said."""
        found = self._records.heads()
        if owner_id is not None:
            found = [one for one in found if one.owner_id == owner_id]
        if safe_id is not None:
            found = [one for one in found if one.safe_id == safe_id]
        return found

    def delete(self, owner_id: str, safe_id: bytes) -> None:
        """Forget a message that was delivered or is no longer wanted.

        Raises:
            UnknownDelivery: None waits.
        """
        self._records.remove(_name(owner_id, safe_id))


def _name(owner_id: str, safe_id: bytes) -> str:
    return f"{safe_id.hex()}/{owner_id}"
