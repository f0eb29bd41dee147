"""Seal and open: one AES-256-GCM key per message, derived from the batch secret (DESIGN 3.8).

Associated data binds what is sealed to its item, generation and role, so a ciphertext cannot be
passed off as another's.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from threshold.randomness import RandomSource
from threshold.ristretto import Scalar
from threshold.sealing import SealingKey, derive_item_binding, derive_item_key, open_sealed, seal
from trust.digest import VACANT, Digest, DigestEntries, DigestFields, public_digest
from trust.ids import ItemId

SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class ItemName:
    """Which sealing of which item."""

    item_id: ItemId
    generation: int

    def associated_data(self, role: str) -> bytes:
        """What an AEAD binds besides the key."""
        return b"kura/v1/item\x00" + self.item_id + self.generation.to_bytes(4, "big") + role.encode()


class _Named(Protocol):
    @property
    def item_id(self) -> ItemId: ...

    @property
    def generation(self) -> int: ...


def item_name(item: _Named) -> ItemName:
    """Which sealing of which item a leaf, or a planned item, stands for."""
    return ItemName(item.item_id, item.generation)


@dataclass(frozen=True, slots=True)
class BatchSecret:
    """What all item keys of a batch come from.

    Args:
        scalar: Secret: s, uniform and not zero.
        salt: 32 fresh random bytes; public, in the manifest.
        binding_secret: Secret: what the items are bound with, 32 bytes; empty before an owner is enrolled.
    """

    scalar: Scalar = field(repr=False)
    salt: bytes
    binding_secret: bytes = field(default=b"", repr=False)

    @classmethod
    def draw(cls, rng: RandomSource) -> "BatchSecret":
        """A fresh one."""
        return cls(Scalar.random(rng), rng.read(SALT_BYTES))

    def seal(self, name: ItemName, role: str, plaintext: bytes) -> bytes:
        """The ciphertext, 16 bytes longer than the plaintext; one message for each role of an item."""
        return seal(self._key(name, role), plaintext, name.associated_data(role))

    def open(self, name: ItemName, role: str, sealed: bytes | bytearray) -> bytes:
        """What was sealed. Secret.

        Raises:
            SealBroken: It was not sealed under this secret, for this item, generation and role.
        """
        return open_sealed(self._key(name, role), sealed, name.associated_data(role))

    def _key(self, name: ItemName, role: str) -> SealingKey:
        binding = derive_item_binding(self.binding_secret, name.item_id) if self.binding_secret else b""
        return derive_item_key(
            self.scalar.to_bytes(), binding, self.salt, name.item_id, role, name.generation
        )


WHOLE = "value"
"""Role of an item that is sealed as one."""


def member_role(number: int) -> str:
    """Role of one value of an item, which is sealed before it is coupled with the others."""
    return f"member {number}"


def share_role(x: int, segment: int) -> str:
    """Role of one segment of one share, which is sealed after dividing."""
    return f"share {x} segment {segment}"


def make_digest(
    mode: Literal["public", "sealed", "vacant"],
    entries: tuple[DigestFields, ...],
    digest_secret: bytes,
    salt: bytes,
    name: ItemName,
) -> Digest:
    """The digest of one item in the policy's mode.

    Args:
        mode: Which.
        entries: One for each value of the item.
        digest_secret: Secret: the owner's 32 bytes for digests, or the wallet's.
        salt: The batch's salt.
        name: The item's.

    Raises:
        DocumentProblem: The entries take more than 16,368 bytes.
    """
    if mode == "vacant":
        return VACANT
    if mode == "public":
        return public_digest(entries)
    key = derive_item_key(digest_secret, b"", salt, name.item_id, "digest", name.generation)
    plaintext = DigestEntries(entries).to_bytes()
    return Digest("sealed", seal(key, plaintext, name.associated_data("digest")))


def read_digest(
    digest: Digest, digest_secret: bytes, salt: bytes, name: ItemName
) -> tuple[DigestFields, ...]:
    """What a digest says of each value of its item; a vacant one says nothing.

    Raises:
        SealBroken: A sealed digest is another wallet's or item's.
        DocumentMalformed: What it holds is no digest.
    """
    if digest.mode == "vacant":
        return ()
    if digest.mode == "public":
        return DigestEntries.from_bytes(digest.content).entries
    key = derive_item_key(digest_secret, b"", salt, name.item_id, "digest", name.generation)
    plaintext = open_sealed(key, digest.content, name.associated_data("digest"))
    return DigestEntries.from_bytes(plaintext).entries
