"""The policies that a wallet was given in files: each as its text, since k and n may be the roster's."""

import msgspec

from wallet_client.storage.records import Records


class StoredPolicy(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A policy as lists show it.

    Args:
        name: Its name.
        summary: One sentence on what it gives.
    """

    name: str
    summary: str


class Policies:
    """The policies of one wallet, beside those that every wallet has.

    Args:
        records: Their sealed rows.
    """

    def __init__(self, records: Records[StoredPolicy]) -> None:
        self._records = records

    def add(self, policy: StoredPolicy, text: str) -> None:
        """Keep a policy's file.

        Raises:
            AlreadyKept: There is one of that name.
        """
        self._records.add(policy.name, policy, text.encode())

    def remove(self, name: str) -> None:
        """Forget a policy.

        Raises:
            PolicyNotKept: There is none of that name.
        """
        self._records.remove(name)

    def has(self, name: str) -> bool:
        """Whether there is one of that name."""
        return any(one.name == name for one in self.entries())

    def text(self, name: str) -> str:
        """The file, as it was added.

        Raises:
            PolicyNotKept: There is none of that name.
            WalletDamaged: It does not open.
        """
        return self._records.body(name).decode()

    def entries(self) -> list[StoredPolicy]:
        """All of them, in the order in which they were added."""
        return self._records.heads()
