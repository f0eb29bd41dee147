"""Seal and open: one AES-256-GCM key per item, derived from the batch secret (DESIGN 3.8).

Associated data binds what is sealed to its item, generation and role, so a ciphertext cannot be
passed off as another's.
"""

from dataclasses import dataclass, field
from typing import Literal

from threshold.randomness import RandomSource
from threshold.ristretto import Scalar
from threshold.sealing import SealingKey, derive_item_key, open_sealed, seal
from trust.digest import VACANT, Digest, DigestFields, public_digest
from trust.ids import ItemId

TAG_BYTES = 16
SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class ItemName:
    """Which sealing of which item."""

    item_id: ItemId
    generation: int

    def associated_data(self, role: str) -> bytes:
        """What an AEAD binds besides the key."""
        return b"kura/v1/item\x00" + self.item_id + self.generation.to_bytes(4, "big") + role.encode()


@dataclass(frozen=True, slots=True)
class BatchSecret:
    """What all item keys of a batch come from.

    Args:
        scalar: Secret: s, uniform and not zero.
        salt: 32 fresh random bytes; public, in the manifest.
    """

    scalar: Scalar = field(repr=False)
    salt: bytes

    @classmethod
    def draw(cls, rng: RandomSource) -> "BatchSecret":
        """A fresh one."""
        return cls(Scalar.random(rng), rng.read(SALT_BYTES))

    def seal_value(self, name: ItemName, plaintext: bytes) -> bytes:
        """The ciphertext, 16 bytes longer than the plaintext."""
        return seal(self._key(name), plaintext, name.associated_data("value"))

    def open_value(self, name: ItemName, sealed: bytes | bytearray) -> bytes:
        """What was sealed.

        Raises:
            SealBroken: It was not sealed under this secret, for this item and generation.
        """
        return open_sealed(self._key(name), sealed, name.associated_data("value"))

    def _key(self, name: ItemName) -> SealingKey:
        return derive_item_key(self.scalar.to_bytes(), b"", self.salt, name.item_id, "value", name.generation)


def make_digest(
    mode: Literal["public", "sealed", "vacant"],
    fields: DigestFields,
    digest_secret: bytes,
    salt: bytes,
    name: ItemName,
) -> Digest:
    """The digest of one item in the policy's mode.

    Args:
        digest_secret: Secret: the wallet's 32 bytes for digests.
        salt: The batch's salt.
    """
    if mode == "vacant":
        return VACANT
    if mode == "public":
        return public_digest(fields)
    key = derive_item_key(digest_secret, b"", salt, name.item_id, "digest", name.generation)
    return Digest("sealed", seal(key, fields.to_bytes(), name.associated_data("digest")))


def read_digest(digest: Digest, digest_secret: bytes, salt: bytes, name: ItemName) -> DigestFields:
    """What a digest says; a vacant one says nothing.

    Raises:
        SealBroken: A sealed digest is another wallet's or item's.
        DocumentMalformed: What it holds is no digest.
    """
    if digest.mode == "vacant":
        return DigestFields()
    if digest.mode == "public":
        return DigestFields.from_bytes(digest.content)
    key = derive_item_key(digest_secret, b"", salt, name.item_id, "digest", name.generation)
    return DigestFields.from_bytes(open_sealed(key, digest.content, name.associated_data("digest")))
