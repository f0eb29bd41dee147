"""The grant: a wallet's word that one safe may collect, for minutes, sealed pieces of named items [E12, C43].

    wallet -> gateway   grant, and for each safe the certificates of the pieces that are asked of it
    gateway -> safe     grant, and that safe's certificates
    safe -> wallet      its pieces, sealed to the recipient key of the grant (trust/collected.py); the gateway
                        passes them on

It is signed by the key of a wallet, not by the owner's: what is collected is what that wallet may fetch by
itself, and each safe judges the wallet as it does for a Fetch, by what it knows of it: whose wallet it is,
and whether it was revoked. So a wallet goes on where the owner's key is away, and the grant gives nobody a
right.

It binds gateway, recipient key, roster and, by hashes, every list of certificates. Until it expires it may be
shown as often as somebody likes, with the same outcome: whoever has it gets what only the recipient opens.
"""

import hashlib
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from threshold import hpke
from threshold.errors import ThresholdError
from trust.documents import Document, SigningKey, verify
from trust.ids import (
    Bytes32,
    Hash,
    HashField,
    SafeId,
    SafeIdField,
    Signature,
    UnixSeconds,
    WalletKeyField,
)

LIFE_SECONDS = 300
"""How long a grant holds at most; and how far a safe's clock may be behind the wallet's."""

MAX_GRANTED = 1_000
"""Most certificates for one safe."""

MAX_LIST_BYTES = 512 * 1024
"""Most bytes of the certificates for one safe."""

_LIST = b"kura/v1/granted-list\x00"


class GrantedPart(Document, frozen=True):
    """What is asked of one safe.

    Args:
        safe_id: The safe; the gateway's own pieces come in the same way.
        count: How many certificates.
        list_hash: `granted_list_hash` of them.
    """

    title = "granted part"

    safe_id: SafeIdField
    count: Annotated[int, Meta(ge=1, le=MAX_GRANTED)]
    list_hash: HashField


class Grant(Document, frozen=True):
    """What the wallet signs.

    Args:
        wallet_key: Whose word it is; the signature is by this key.
        gateway: Who may collect.
        recipient_key: X25519, 32 bytes: what is collected is sealed to it. Fresh for each grant.
        roster_version: The newest roster of the wallet.
        roster_hash: SHA-256 of that roster's signed bytes.
        issued_at: When, by the wallet's clock.
        expires_at: When it ends, at most five minutes later.
        parts: What is asked of whom, each safe once.
    """

    title = "grant"

    wallet_key: WalletKeyField
    gateway: SafeIdField
    recipient_key: Bytes32
    roster_version: Annotated[int, Meta(ge=1, le=2**31)]
    roster_hash: HashField
    issued_at: UnixSeconds
    expires_at: UnixSeconds
    parts: Annotated[tuple[GrantedPart, ...], Meta(min_length=1, max_length=255)]

    def __post_init__(self) -> None:
        """Refuse a grant without an end, a safe that stands twice, a key to which nothing can be sealed."""
        if not self.issued_at < self.expires_at <= self.issued_at + LIFE_SECONDS:
            raise self.malformed("expires_at", "must be within five minutes after issued_at")
        if len({part.safe_id for part in self.parts}) != len(self.parts):
            raise self.malformed("parts", "a safe stands twice")
        try:
            hpke.check_public_key(self.recipient_key)
        except ThresholdError:
            raise self.malformed("recipient_key", "must be an X25519 public key") from None

    @property
    def name(self) -> Hash:
        """SHA-256 of its exact bytes: what is collected under it is bound to this."""
        return Hash(hashlib.sha256(self.to_bytes()).digest())

    def part(self, safe_id: SafeId) -> GrantedPart | None:
        """What is asked of a safe, if anything is."""
        return next((part for part in self.parts if part.safe_id == safe_id), None)

    def holds_at(self, now: int) -> bool:
        """Whether it holds at a time, whole seconds since 1970-01-01 UTC, by another's clock."""
        return self.issued_at - LIFE_SECONDS <= now < self.expires_at


def granted_list_hash(certificates: Sequence[bytes]) -> Hash:
    """SHA-256 over a list of certificates, in order, each with its length before it (4 bytes, big-endian)."""
    lengths = (len(one).to_bytes(4, "big") for one in certificates)
    joined = b"".join(length + one for length, one in zip(lengths, certificates, strict=True))
    return Hash(hashlib.sha256(_LIST + joined).digest())


def granted_part(safe_id: SafeId, certificates: Sequence[bytes]) -> GrantedPart:
    """The part that asks a safe for these certificates (1 to 1,000, exact bytes)."""
    return GrantedPart(safe_id, len(certificates), granted_list_hash(certificates))


def sign_grant(grant: Grant, key: SigningKey) -> tuple[bytes, Signature]:
    """The grant's exact bytes and the wallet's signature (the key is secret)."""
    body = grant.to_bytes()
    return body, key.sign(Grant.title, body)


def read_grant(body: bytes, signature: bytes) -> Grant:
    """Parse a grant and check the signature of the wallet key that it names.

    Raises:
        DocumentMalformed: It does not parse.
        SignatureInvalid: That key did not sign it.
    """
    grant = Grant.from_bytes(body)
    verify(Grant.title, grant.wallet_key, body, signature)
    return grant
