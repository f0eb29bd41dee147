"""Keys of the wallet, and how they seal the secrets of batches.

Whatever a batch is sealed with comes from its own fresh secret. A policy whose key is the wallet's seals
that secret, 32 bytes, under the wallet's key and puts it into the manifest: with AES-256-GCM under a shared
key, or by HPKE to the public half of a key pair, which needs no secret of the wallet's. Every such key comes
from one scalar, so that it can be divided among safes like any other; its commitment names it.
"""

from dataclasses import dataclass, field
from typing import Literal

from threshold import hkdf, hpke
from threshold.ristretto import Point, Scalar
from threshold.sealing import SealingKey, open_sealed, seal
from trust.manifest import KeyWrap

_BATCH_SECRET = b"kura/v1/batch-secret"

KeyKind = Literal["shared", "pair"]


@dataclass(frozen=True, slots=True)
class WrappingKey:
    """A key of the wallet.

    Args:
        kind: "shared": the same key seals and opens; "pair": the public half seals, the scalar opens.
        key_id: Commitment to the scalar, a ristretto255 encoding, 32 bytes.
        public: X25519 public key, 32 bytes; empty for a shared key.
        scalar: Secret: what all of it comes from; None while it is away.
        algorithm: How it comes from the root, as name/version; empty where it does not.
    """

    kind: KeyKind
    key_id: bytes
    public: bytes
    scalar: Scalar | None = field(repr=False)
    algorithm: str = ""

    @classmethod
    def of(cls, kind: KeyKind, scalar: Scalar, algorithm: str = "") -> "WrappingKey":
        """The key that comes from this scalar.

        Args:
            kind: What it is.
            scalar: Secret: uniform, not zero.
            algorithm: How it came from the root.
        """
        public = _pair(scalar).public if kind == "pair" else b""
        return cls(kind, Point.base_mul(scalar).to_bytes(), public, scalar, algorithm)

    def wrap(self, secret: Scalar, salt: bytes) -> KeyWrap:
        """Seal a batch's secret.

        Args:
            secret: Secret: the batch's scalar.
            salt: The batch's salt, 32 fresh bytes: the shared key seals each batch under a key of its own.
        """
        if self.kind == "pair":
            sealed = hpke.wrap(self.public, secret.to_bytes(), _BATCH_SECRET, salt + self.key_id)
        else:
            sealed = seal(self._key(salt), secret.to_bytes(), self.key_id)
        return KeyWrap(self.key_id, self.algorithm, sealed)

    def unwrap(self, wrap: KeyWrap, salt: bytes) -> Scalar:
        """Secret: the batch's scalar.

        Raises:
            SealBroken: It was sealed under another key, or for another batch.
            ThresholdError: What comes out is no scalar.
        """
        if self.kind == "pair":
            opened = hpke.unwrap(_pair(self._scalar()), wrap.sealed, _BATCH_SECRET, salt + self.key_id)
        else:
            opened = open_sealed(self._key(salt), wrap.sealed, self.key_id)
        return Scalar.from_bytes(opened)

    def _scalar(self) -> Scalar:
        if self.scalar is None:
            raise ValueError("the key's secret is away")
        return self.scalar

    def _key(self, salt: bytes) -> SealingKey:
        return SealingKey(hkdf.derive(self._scalar().to_bytes(), salt, _BATCH_SECRET))


def _pair(scalar: Scalar) -> hpke.KeyPair:
    """The pair that the scalar is the key material of [C12]."""
    return hpke.derive_key_pair(scalar.to_bytes())
