"""Who may act for whom at a safe: callers, wallets of an owner, and what the owner said about them.

Plain values between wire, decision and store. An account is an owner key: its wallets are those that it
authorised. Nothing here is secret.
"""

from __future__ import annotations

from dataclasses import dataclass

from safe_node.owners import KeptOwner
from trust.ids import OwnerKey, WalletKey


@dataclass(frozen=True, slots=True)
class Standing:
    """Who a caller is at this safe.

    Args:
        key: That signed the call.
        owner_key: For whom it acts: the owner who authorised it, or itself where it is an owner's key; None
            where it acts for nobody.
        revoked: Its owner ended that.
    """

    key: WalletKey
    owner_key: OwnerKey | None = None
    revoked: bool = False

    @property
    def is_owner(self) -> bool:
        """It is the owner's own key."""
        return self.owner_key == OwnerKey(self.key)


@dataclass(frozen=True, slots=True)
class AdmittedAuthorisation:
    """An owner's word for a wallet, checked.

    Args:
        authorisation: Exact bytes.
        signature: The owner's.
    """

    owner_key: OwnerKey
    wallet_key: WalletKey
    authorisation: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class AdmittedRevocation:
    """An owner's word against a wallet, checked.

    Args:
        revocation: Exact bytes.
        signature: The owner's.
    """

    owner_key: OwnerKey
    wallet_key: WalletKey
    revocation: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class WalletState:
    """What the store knows that decides on an authorisation.

    Args:
        owner_key: Who authorised the wallet before.
        revoked: That owner, or the one of the authorisation, revoked it.
        forgotten: The owner of the authorisation was forgotten here.
    """

    owner_key: OwnerKey | None = None
    revoked: bool = False
    forgotten: bool = False


@dataclass(frozen=True, slots=True)
class RevocationState:
    """What the store knows that decides on a revocation.

    Args:
        stands: The owner revoked the wallet before.
        theirs: The owner authorised the wallet here.
        unseen: Wallets that the owner revoked and never authorised here.
    """

    stands: bool = False
    theirs: bool = False
    unseen: int = 0


@dataclass(frozen=True, slots=True)
class KeptPiece:
    """A piece as a catalogue names it; exact bytes."""

    leaf_index: int
    leaf: bytes
    certificate: bytes


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """What a safe keeps of one batch, or a part of it.

    Args:
        manifest: Exact bytes.
        signature: The registering wallet's.
        leaf_hashes: Of all leaves, 32 bytes each, one after the other.
        pieces: By rising leaf, then share index.
    """

    manifest: bytes
    signature: bytes
    leaf_hashes: bytes
    pieces: tuple[KeptPiece, ...]


@dataclass(frozen=True, slots=True)
class OwnersWallet:
    """One wallet of an owner; bytes that this safe never saw are empty."""

    wallet_key: WalletKey
    authorisation: bytes = b""
    signature: bytes = b""
    revocation: bytes = b""
    revocation_signature: bytes = b""


@dataclass(frozen=True, slots=True)
class OwnerView:
    """What a safe keeps for an owner.

    Args:
        owner: None where it has no record.
        items: Items that the owner's wallets registered.
        used_bytes: What these wallets take, in the bytes of decisions/costs.py.
    """

    owner: KeptOwner | None
    items: int
    used_bytes: int
