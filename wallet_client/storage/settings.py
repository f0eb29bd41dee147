"""What a wallet knows about itself and its safes: capacity, roster, pinned fingerprint."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from wallet_client.errors import NotKept
from wallet_client.storage.errors import WalletDamaged
from wallet_client.storage.records import Records

_NAME: Final = "settings"


class OwnerOfWallet(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """For whom the wallet acts.

    Args:
        name: The owner's, mapped: the same however it was typed.
        owner_id: What the safes know the owner by, 32 bytes.
        owner_key: The owner's Ed25519 public key, 32 bytes.
        binding_id: Of the root in force, 16 bytes; its secret is among the wallet's keys.
        authorisation: The owner's word for this wallet: trust.authorisation.WalletAuthorisation, exact bytes.
        signature: The owner's, 64 bytes.
        recovering: What the safes have of the owner's was not all asked for yet, or not bound to the owner.
    """

    name: str
    owner_id: Annotated[bytes, Meta(min_length=32, max_length=32)]
    owner_key: Annotated[bytes, Meta(min_length=32, max_length=32)]
    binding_id: Annotated[bytes, Meta(min_length=16, max_length=16)]
    authorisation: bytes
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]
    recovering: bool = False


class WalletSettings(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The settings.

    Args:
        capacity_bytes: How much the values may take; None for no limit.
        roster: The newest roster's bytes, as signed.
        roster_version: The highest version ever accepted; an older one is refused.
        genesis_fingerprint: SHA-256 of the first roster, pinned at `init`, 32 bytes.
        owner: For whom it acts; None before an owner is enrolled or recovered.
    """

    capacity_bytes: Annotated[int, Meta(ge=0)] | None
    roster: bytes
    roster_version: Annotated[int, Meta(ge=1)]
    genesis_fingerprint: Annotated[bytes, Meta(min_length=32, max_length=32)]
    owner: OwnerOfWallet | None = None


class SettingsMissing(NotKept):
    """The database has no settings; `Settings.get` tells it as damage."""

    kind = "setting"


class Settings:
    """The settings of one wallet, read afresh each time.

    Args:
        records: Their sealed row.
    """

    def __init__(self, records: Records[WalletSettings]) -> None:
        self._records = records

    def get(self) -> WalletSettings:
        """All of them.

        Raises:
            WalletDamaged: They are not there, or do not open under this wallet's key.
        """
        try:
            return self._records.head(_NAME)
        except SettingsMissing as error:
            raise WalletDamaged("its settings are missing") from error

    def create(self, settings: WalletSettings) -> None:
        """Write the first settings.

        Raises:
            AlreadyKept: There are some.
        """
        self._records.add(_NAME, settings)

    def set_capacity(self, capacity_bytes: int | None) -> None:
        """Change the capacity; values already kept stay, even above it."""
        self._change(msgspec.structs.replace(self.get(), capacity_bytes=capacity_bytes))

    def set_roster(self, roster: bytes, version: int) -> None:
        """Keep a newer roster; whether it may be trusted is the caller's to know."""
        self._change(msgspec.structs.replace(self.get(), roster=roster, roster_version=version))

    def set_owner(self, owner: OwnerOfWallet | None) -> None:
        """Note for whom the wallet acts; the binding's secret is kept before."""
        self._change(msgspec.structs.replace(self.get(), owner=owner))

    def _change(self, settings: WalletSettings) -> None:
        self._records.replace_head(_NAME, settings)
