"""Named secrets of the wallet: its signing seed, and the bindings of its owner's roots."""

from typing import Final

from wallet_client.storage.records import Records
from wallet_client.storage.secret import Secret

SIGNING_SEED: Final = "wallet-signing-seed"
"""Name of the wallet's Ed25519 seed, 32 bytes; there from the first moment on."""


LEAVING_ROOT: Final = "leaving-root"
"""Name of the owner's root before, 32 bytes, from which keys of items come while it is being replaced."""

BINDING_PREFIX: Final = "binding-"
"""Before the hexadecimal id of a binding, whose secret, 32 bytes, is kept under that name."""


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

    def put_binding(self, binding_id: bytes, secret: Secret) -> None:
        """Keep what items are bound with, 32 bytes."""
        self.put(BINDING_PREFIX + binding_id.hex(), secret)

    def bindings(self) -> list[Secret]:
        """Every binding's secret, 32 bytes each."""
        return [self.get(name) for name in self.names() if name.startswith(BINDING_PREFIX)]

    def delete_binding(self, binding_id: bytes) -> None:
        """Erase a binding; what is bound with it alone does not open any more.

        Raises:
            UnknownSecret: There is none of that id.
        """
        self.delete(BINDING_PREFIX + binding_id.hex())

    def names(self) -> list[str]:
        """All names, in the order in which they were first put."""
        return self._records.heads()

    def delete(self, name: str) -> None:
        """Erase a secret beyond recovery.

        Raises:
            UnknownSecret: There is none of that name.
        """
        self._records.remove(name)
