"""A key-generation algorithm as a file that somebody signed, with or without the seed it is for [E7, C13].

It is JSON that people can read: words, numbers and hexadecimal digits; data and never code. The signature
does not cover this text but the document it stands for, so white space and order of keys do not matter;
unknown or missing fields do. With a seed in it the file is a secret of whoever may have the keys.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from trust.documents import Document, SigningKey, verify
from trust.errors import AlgorithmRefused, DocumentMalformed, SignatureInvalid
from trust.ids import KEY_BYTES, SIGNATURE_BYTES
from trust.key_algorithm import ROOT_BYTES, KeyAlgorithm

FORMAT = "kura-key-algorithm-1"
MAX_FILE_BYTES = 16_384


class IssuedAlgorithm(Document, frozen=True):
    """What an issuer signs.

    Args:
        algorithm: The description.
        seed: Secret: the root it is for, 32 bytes; empty where it comes without one.
    """

    title = "issued key algorithm"

    algorithm: KeyAlgorithm
    seed: Annotated[bytes, Meta(max_length=ROOT_BYTES)]

    def __post_init__(self) -> None:
        """Refuse half a seed."""
        if len(self.seed) not in (0, ROOT_BYTES):
            raise self.malformed("seed", f"must be {ROOT_BYTES} bytes or none")

    def __repr__(self) -> str:
        """Without the seed."""
        return f"<IssuedAlgorithm {self.algorithm.label}>"


class _AlgorithmText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A KeyAlgorithm in text."""

    name: str
    version: int
    hash: Literal["sha256", "sha512"]
    salt: str
    info: str


class _FileText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    format: str
    algorithm: _AlgorithmText
    seed: str
    issuer: str
    signature: str

    def __repr__(self) -> str:
        """Without the seed."""
        return f"<{FORMAT}>"


def write_algorithm(issued: IssuedAlgorithm, issuer: SigningKey) -> bytes:
    """The file's bytes, signed.

    Raises:
        AlgorithmRefused: A field is not as it must be.
    """
    with _refusing():
        body = IssuedAlgorithm.from_bytes(issued.to_bytes()).to_bytes()
    described = issued.algorithm
    text = _FileText(
        FORMAT,
        _AlgorithmText(
            described.name, described.version, described.hash, described.salt.hex(), described.info.hex()
        ),
        issued.seed.hex(),
        issuer.public.hex(),
        issuer.sign(IssuedAlgorithm.title, body).hex(),
    )
    return msgspec.json.format(msgspec.json.encode(text), indent=2) + b"\n"


def read_algorithm(data: bytes, issuer: bytes) -> IssuedAlgorithm:
    """Parse the file, and check that this issuer signed it.

    Args:
        data: At most 16 KiB.
        issuer: Ed25519 public key of the issuer whom the reader trusts, 32 bytes.

    Raises:
        AlgorithmRefused: It is cut short, too long, no such file, somebody else's, or its signature does not
            hold; or the hash is none of those that may be named.
    """
    text = _parse(data)
    with _refusing():
        issued = _issued(text)
        claimed, signature = _hex(text.issuer, KEY_BYTES), _hex(text.signature, SIGNATURE_BYTES)
        if claimed != issuer:
            raise AlgorithmRefused(KeyAlgorithm.title, "another issuer signed it than the one you name")
        verify(IssuedAlgorithm.title, issuer, issued.to_bytes(), signature)
    return issued


def _parse(data: bytes) -> _FileText:
    if len(data) > MAX_FILE_BYTES:
        raise AlgorithmRefused(KeyAlgorithm.title, f"the file has more than {MAX_FILE_BYTES} bytes")
    try:
        text = msgspec.json.decode(data, type=_FileText)
    except msgspec.ValidationError as error:
        shown = str(error).encode("unicode_escape").decode()[:200]
        raise AlgorithmRefused(KeyAlgorithm.title, shown) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise AlgorithmRefused(KeyAlgorithm.title, "the file is no complete JSON") from None
    if text.format != FORMAT:
        raise AlgorithmRefused(KeyAlgorithm.title, f"its format is not {FORMAT}")
    return text


def _issued(text: _FileText) -> IssuedAlgorithm:
    """Building a Struct checks no types or lengths; reading its bytes back does."""
    plain = text.algorithm
    fields = (plain.name, plain.version, plain.hash, bytes.fromhex(plain.salt), bytes.fromhex(plain.info))
    return IssuedAlgorithm.from_bytes(msgspec.msgpack.encode((fields, bytes.fromhex(text.seed))))


def _hex(text: str, length: int) -> bytes:
    content = bytes.fromhex(text)
    if len(content) != length:
        raise ValueError(f"not {length} bytes in hexadecimal digits")
    return content


@contextmanager
def _refusing() -> Iterator[None]:
    """What is wrong with the document is wrong with the file."""
    try:
        yield
    except SignatureInvalid:
        raise AlgorithmRefused(KeyAlgorithm.title, "its signature does not hold") from None
    except (DocumentMalformed, ValueError, OverflowError) as error:
        raise AlgorithmRefused(KeyAlgorithm.title, str(error).rstrip(".")) from None
