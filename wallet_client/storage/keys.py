"""Named secrets of the wallet: its signing seed."""

from typing import Final

from wallet_client.storage.records import Records
from wallet_client.storage.secret import Secret

SIGNING_SEED: Final = "wallet-signing-seed"
"""Name of the wallet's Ed25519 seed, 32 bytes; there from the first moment on."""


class Keys:
    """The named secrets of one wallet.

    Args:
        records: Their sealed rows.
    """

    def __init__(self, records: Records[str]) -> None:
        self._records = records

    def put(self, name: str, secret: Secret) -> None:
        """Keep a secret, in the place of the one of that name, which is erased beyond recovery."""
        self._records.put(name, name, secret.reveal())

    def get(self, name: str) -> Secret:
        """The secret of that name.

        Raises:
            UnknownSecret: There is none.
            WalletDamaged: It does not open.
        """
        return Secret(self._records.body(name))

    def names(self) -> list[str]:
        """All names, in the order in which they were first put."""
        return self._records.heads()

    def delete(self, name: str) -> None:
        """Erase a secret beyond recovery.

        Raises:
            UnknownSecret: There is none of that name.
        """
        self._records.remove(name)
