"""Names of things, so that no identifier is mistaken for another.

Lengths are part of the type: a document with an identifier of another length does not parse.
"""

from typing import Annotated, NewType

from msgspec import Meta

HASH_BYTES = 32
ID_BYTES = 16
OWNER_ID_BYTES = 32
SIGNATURE_BYTES = 64
KEY_BYTES = 32

SafeId = NewType("SafeId", bytes)
"""One safe of a roster: 16 random bytes, drawn once when the safe's keys are made."""

ItemId = NewType("ItemId", bytes)
"""One registered item: 16 random bytes; the same through all generations."""

OwnerId = NewType("OwnerId", bytes)
"""One owner, the same at every safe of a roster: 32 bytes that come from the owner's name and its genesis."""

WalletKey = NewType("WalletKey", bytes)
"""A wallet's Ed25519 public key: 32 bytes, RFC 8032 encoding."""

OwnerKey = NewType("OwnerKey", bytes)
"""An owner's Ed25519 public key: 32 bytes, RFC 8032 encoding."""

RecordId = NewType("RecordId", bytes)
"""One version of an owner's record: 16 random bytes."""

GuessId = NewType("GuessId", bytes)
"""One guess at a PIN: 16 random bytes, drawn by who guesses."""

AuthorityKey = NewType("AuthorityKey", bytes)
"""An authority's identity: its Ed25519 public key, 32 bytes, RFC 8032 encoding. Owners pin it."""

Hash = NewType("Hash", bytes)
"""A SHA-256 output: 32 bytes."""

Signature = NewType("Signature", bytes)
"""An Ed25519 signature: 64 bytes, RFC 8032 encoding."""

SafeIdField = Annotated[SafeId, Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
ItemIdField = Annotated[ItemId, Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
OwnerIdField = Annotated[OwnerId, Meta(min_length=OWNER_ID_BYTES, max_length=OWNER_ID_BYTES)]
WalletKeyField = Annotated[WalletKey, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
OwnerKeyField = Annotated[OwnerKey, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
AuthorityKeyField = Annotated[AuthorityKey, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
RecordIdField = Annotated[RecordId, Meta(min_length=ID_BYTES, max_length=ID_BYTES)]
HashField = Annotated[Hash, Meta(min_length=HASH_BYTES, max_length=HASH_BYTES)]
SignatureField = Annotated[Signature, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]
Bytes32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Bytes16 = Annotated[bytes, Meta(min_length=16, max_length=16)]

ShareIndex = Annotated[int, Meta(ge=1, le=255)]
"""x of a share: where the polynomial is evaluated; never 0, where the secret stands."""

MAX_GENERATION = 2**32 - 1
Generation = Annotated[int, Meta(ge=1, le=MAX_GENERATION)]
"""The n-th sealing of an item, from 1."""

UnixSeconds = Annotated[int, Meta(ge=0, le=2**40)]
"""Whole seconds since 1970-01-01 UTC."""
