"""How every document becomes bytes and comes back, and how those bytes are signed.

A document is a msgspec.Struct written as a MessagePack array. The signature covers the exact bytes
that travel, so nothing is re-encoded between signing and checking. Reading is strict: fields have
types, lengths and ranges, and the bytes must be the ones this encoder would write, so that one
document has one encoding and one hash.

Signatures are Ed25519 (RFC 8032) by libsodium, over

    "kura/v1/" <document> 0x00 <public key, 32 bytes> <document bytes>

libsodium refuses non-canonical and low-order keys and non-canonical S; binding the key keeps a
signature from being claimed for another key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

import msgspec
import pysodium

from trust.errors import DocumentMalformed, SignatureInvalid
from trust.ids import KEY_BYTES, Signature

_ENCODER = msgspec.msgpack.Encoder()


class _ReadableAtOnce(msgspec.StructMeta):
    """Makes a document's decoder with its class.

    msgspec looks at a type when it first decodes it, and crashes the process if two threads do so at once.
    Classes are made under the import lock, so nobody reads one before it can be read.
    """

    def __init__(cls, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        msgspec.msgpack.Decoder(cls)


class Document(
    msgspec.Struct, metaclass=_ReadableAtOnce, frozen=True, array_like=True, forbid_unknown_fields=True
):
    """Base of all documents. Subclasses set `title` and check in `__post_init__` what types cannot say."""

    title: ClassVar[str] = "document"

    def to_bytes(self) -> bytes:
        """Encode canonically."""
        return _ENCODER.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode strictly.

        Raises:
            DocumentMalformed: `data` is not the canonical encoding of a valid document of this type.
        """
        try:
            document = msgspec.msgpack.decode(data, type=cls)
        except msgspec.ValidationError as error:
            path, problem = _what_and_where(error)
            raise DocumentMalformed(cls.title, path, problem) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise DocumentMalformed(cls.title, "", "not MessagePack") from None
        if document.to_bytes() != data:
            raise DocumentMalformed(cls.title, "", "not the canonical encoding")
        return document

    def malformed(self, field_name: str, problem: str) -> ValueError:
        """The error `__post_init__` raises; msgspec adds the path and `from_bytes` types it."""
        return DocumentProblem(f"{field_name}: {problem}")


def _what_and_where(error: msgspec.ValidationError) -> tuple[str, str]:
    """The path and the problem in msgspec's words, without the content that it may quote."""
    problem, found, path = str(error).rpartition(" - at ")
    if not found:
        problem, path = path, ""
    if problem.startswith("Invalid enum value"):
        problem = "not one of the words allowed here"
    return path.strip("`"), problem


class DocumentProblem(ValueError):
    """Fields that contradict each other; inside `from_bytes` it becomes DocumentMalformed."""


def signed_bytes(title: str, public_key: bytes, body: bytes) -> bytes:
    """What an Ed25519 signature of a document covers; see the top of this file."""
    return b"kura/v1/" + title.encode() + b"\x00" + public_key + body


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key pair.

    Args:
        seed: Secret: 32 uniform bytes.
    """

    seed: bytes = field(repr=False)
    public: bytes = field(init=False)
    _expanded: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Expand the seed once."""
        if len(self.seed) != KEY_BYTES:
            raise DocumentMalformed("signing key", "seed", "must be 32 bytes")
        public, expanded = pysodium.crypto_sign_seed_keypair(self.seed)
        object.__setattr__(self, "public", public)
        object.__setattr__(self, "_expanded", expanded)

    def sign(self, title: str, body: bytes) -> Signature:
        """Sign the exact bytes of the document named `title`."""
        return Signature(
            pysodium.crypto_sign_detached(signed_bytes(title, self.public, body), self._expanded)
        )


def verify(title: str, public_key: bytes, body: bytes, signature: bytes) -> None:
    """Check a signature over the exact bytes of the document named `title`.

    Raises:
        SignatureInvalid: It does not hold, has the wrong length, or the key is low-order or not canonical.
    """
    try:
        pysodium.crypto_sign_verify_detached(signature, signed_bytes(title, public_key, body), public_key)
    except ValueError:
        raise SignatureInvalid(title) from None
