"""How keys come from the owner's root: a named, versioned description, data and never code [E7, C13].

    root (32 bytes) --HKDF(hash, salt, info)--> 64 bytes --mod L--> the scalar that a wallet's key is made of

The manifest names the algorithm, so whoever has the root and the description has the key. One is built in;
others are brought from files that somebody signed (`trust.algorithm_file`).

Source: RFC 5869 (HKDF); RFC 9496 section 4.4 (reduction of 64 uniform bytes).
"""

import re
from typing import Annotated, Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Meta

from threshold.ristretto import Scalar
from trust.documents import Document

ROOT_BYTES = 32
_WIDE_BYTES = 64
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {"sha256": hashes.SHA256, "sha512": hashes.SHA512}


class KeyAlgorithm(Document, frozen=True):
    """One description.

    Args:
        name: 1 to 64 of a-z, 0-9 and -.
        version: From 1; another description under the same name has another version.
        hash: HKDF's.
        salt: HKDF's, 0 to 64 bytes, not secret.
        info: HKDF's, 1 to 255 bytes.
    """

    title = "key algorithm"

    name: str
    version: Annotated[int, Meta(ge=1, le=65_535)]
    hash: Literal["sha256", "sha512"]
    salt: Annotated[bytes, Meta(max_length=64)]
    info: Annotated[bytes, Meta(min_length=1, max_length=255)]

    def __post_init__(self) -> None:
        """Refuse a name that a manifest could not carry."""
        if not _NAME.fullmatch(self.name):
            raise self.malformed("name", "must be 1 to 64 of a-z, 0-9 and -")

    @property
    def label(self) -> str:
        """What manifests call it."""
        return f"{self.name}/{self.version}"


BUILT_IN = KeyAlgorithm("kura-hkdf", 1, "sha256", b"", b"kura/v1/root-key")


def derive_scalar(algorithm: KeyAlgorithm, root: bytes) -> Scalar:
    """Secret: what the wallet's key is made of.

    Args:
        algorithm: Which description is followed.
        root: Secret: 32 bytes.
    """
    hkdf = HKDF(_HASHES[algorithm.hash](), _WIDE_BYTES, algorithm.salt, algorithm.info)
    return Scalar.from_wide_bytes(hkdf.derive(root))
