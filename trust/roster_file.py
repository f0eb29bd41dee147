"""The roster as a file that people can read: JSON, hexadecimal keys, PEM certificates.

The signatures do not cover this text but the documents it stands for, so white space and order of
keys do not matter; unknown or missing fields do.
"""

import base64
import textwrap
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from trust.documents import Document
from trust.errors import DocumentMalformed, RosterRefused
from trust.ids import SafeId, Signature
from trust.roster import Roster, RosterSignature, SafeEntry, SignedRoster

FORMAT = "kura-roster-1"
_MAX_BYTES = 4 * 1024 * 1024
_Text = TypeVar("_Text")
_Typed = TypeVar("_Typed")
_Document = TypeVar("_Document", bound=Document)
_PEM = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")


class SafeText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A SafeEntry in text."""

    safe_id: str
    name: str
    operator: str
    endpoint: str
    peer_endpoint: str
    signing_key: str
    sealing_key: str
    operator_key: str
    tls_certificate: str


class SignatureText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A RosterSignature in text."""

    operator_key: str
    signature: str


class VersionText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A SignedRoster in text."""

    version: int
    previous: str
    created_at: int
    threshold: int
    safes: tuple[SafeText, ...]
    decoys: tuple[str, ...]
    signatures: tuple[SignatureText, ...]


class RosterText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    format: str
    versions: tuple[VersionText, ...]


def write_roster(chain: Sequence[SignedRoster]) -> bytes:
    """The file's bytes."""
    text = RosterText(FORMAT, tuple(_version_text(signed) for signed in chain))
    return msgspec.json.format(msgspec.json.encode(text), indent=2) + b"\n"


def read_roster(data: bytes) -> tuple[SignedRoster, ...]:
    """Parse the file; nothing is verified yet.

    Raises:
        RosterRefused: It is cut short, too long, or no roster.
    """
    text = _parse(data, RosterText)
    if text.format != FORMAT:
        raise RosterRefused(Roster.title, f"its format is not {FORMAT}")
    return tuple(_typed(_version, version) for version in text.versions)


def write_safe(entry: SafeEntry) -> bytes:
    """One safe's entry as a file, for the key ceremony."""
    return msgspec.json.format(msgspec.json.encode(_safe_text(entry)), indent=2) + b"\n"


def read_safe(data: bytes) -> SafeEntry:
    """Parse one safe's entry.

    Raises:
        RosterRefused: It is none.
    """
    return _typed(_safe, _parse(data, SafeText))


def to_pem(certificate: bytes) -> str:
    """DER to PEM."""
    body = textwrap.wrap(base64.b64encode(certificate).decode(), 64)
    return "\n".join([_PEM[0], *body, _PEM[1], ""])


def from_pem(text: str) -> bytes:
    """PEM to DER.

    Raises:
        ValueError: It is no single PEM certificate.
    """
    lines = text.strip().splitlines()
    if len(lines) < 3 or (lines[0], lines[-1]) != _PEM:
        raise ValueError("not a PEM certificate")
    return base64.b64decode("".join(lines[1:-1]), validate=True)


def _parse(data: bytes, kind: type[_Text]) -> _Text:
    if len(data) > _MAX_BYTES:
        raise RosterRefused(Roster.title, "the file is too long")
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise RosterRefused(Roster.title, _shown(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RosterRefused(Roster.title, "the file is no complete JSON") from None


def _shown(problem: str) -> str:
    """An unknown field is quoted in a stranger's words: keep them short and off the terminal's controls."""
    return problem.encode("unicode_escape").decode()[:200]


def _typed(convert: Callable[[_Text], _Typed], text: _Text) -> _Typed:
    try:
        return convert(text)
    except (DocumentMalformed, ValueError, OverflowError) as error:
        raise RosterRefused(Roster.title, str(error).rstrip(".")) from None


def _version_text(signed: SignedRoster) -> VersionText:
    roster = signed.roster
    return VersionText(
        version=roster.version,
        previous=roster.previous.hex(),
        created_at=roster.created_at,
        threshold=roster.threshold,
        safes=tuple(_safe_text(entry) for entry in roster.safes),
        decoys=tuple(decoy.hex() for decoy in roster.decoys),
        signatures=tuple(
            SignatureText(item.operator_key.hex(), item.signature.hex()) for item in signed.signatures
        ),
    )


def _version(text: VersionText) -> SignedRoster:
    roster = Roster(
        text.version,
        bytes.fromhex(text.previous),
        text.created_at,
        text.threshold,
        tuple(_safe(safe) for safe in text.safes),
        tuple(bytes.fromhex(decoy) for decoy in text.decoys),
    )
    signatures = tuple(
        RosterSignature(bytes.fromhex(item.operator_key), Signature(bytes.fromhex(item.signature)))
        for item in text.signatures
    )
    return _strict(SignedRoster(roster, signatures))


def _safe_text(entry: SafeEntry) -> SafeText:
    return SafeText(
        safe_id=entry.safe_id.hex(),
        name=entry.name,
        operator=entry.operator,
        endpoint=entry.endpoint,
        peer_endpoint=entry.peer_endpoint,
        signing_key=entry.signing_key.hex(),
        sealing_key=entry.sealing_key.hex(),
        operator_key=entry.operator_key.hex(),
        tls_certificate=to_pem(entry.tls_certificate),
    )


def _safe(text: SafeText) -> SafeEntry:
    return _strict(
        SafeEntry(
            safe_id=SafeId(bytes.fromhex(text.safe_id)),
            name=text.name,
            operator=text.operator,
            endpoint=text.endpoint,
            peer_endpoint=text.peer_endpoint,
            tls_certificate=from_pem(text.tls_certificate),
            signing_key=bytes.fromhex(text.signing_key),
            sealing_key=bytes.fromhex(text.sealing_key),
            operator_key=bytes.fromhex(text.operator_key),
        )
    )


def _strict(document: _Document) -> _Document:
    """Building a Struct checks no types or lengths; reading its bytes back does."""
    return type(document).from_bytes(document.to_bytes())
