"""What an authority says of itself: where it is, which keys it has, and for how long each signs.

An authority has one identity key for good, which signs descriptions and nothing else and can be kept away
from the machine. A description names the TLS certificate, the HPKE key to which owner information is sealed,
and the keys that sign assertions, each with its time. Whoever uses an authority pins its identity key and
from then on takes only descriptions of that identity which are no older than the last.

Rotation: the next description adds a key that begins at once and lets the one before end a little later, so
that what it signed last still holds; a key that was stolen is left out of the next description instead.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from threshold import hpke
from threshold.errors import ThresholdError
from trust.documents import Document, DocumentProblem, SigningKey, verify
from trust.errors import AuthorityRefused, DocumentMalformed, SignatureInvalid
from trust.ids import AuthorityKey, AuthorityKeyField, Bytes32, SignatureField, UnixSeconds
from trust.roster import is_endpoint, is_label

FILE_FORMAT = "kura-authority-1"
MAX_SIGNING_KEYS = 16
OVERLAP_SECONDS = 900
"""How long a signing key goes on to hold after the next one begins: longer than any assertion lives."""

_MAX_FILE_BYTES = 64 * 1024


class SigningPeriod(Document, frozen=True):
    """A key that signs assertions, and when.

    Args:
        key: Ed25519 public key.
        begins_at: Nothing that it signs is issued before.
        ends_at: Nothing that it signed holds from then on.
    """

    title = "signing period"

    key: Bytes32
    begins_at: UnixSeconds
    ends_at: UnixSeconds

    def __post_init__(self) -> None:
        """Refuse a time that ends before it begins."""
        if self.begins_at >= self.ends_at:
            raise self.malformed("ends_at", "not after it begins")

    def covers(self, at: int) -> bool:
        """Whether the key holds then; whole seconds since 1970-01-01 UTC."""
        return self.begins_at <= at < self.ends_at


class AuthorityDescription(Document, frozen=True):
    """One version of what an authority says of itself.

    Args:
        identity_key: Who it is; signs this.
        version: From 1 on, one more each time.
        issued_at: When it was made.
        name: For people and for TLS server names: a lower-case DNS label.
        endpoint: "host:port"; IPv6 in brackets.
        tls_certificate: X.509 certificate in DER; clients trust exactly this one.
        sealing_key: X25519 public key, canonical and not of low order, to which owner information is sealed.
        signing_keys: The keys that sign assertions and key halves, 1 to 16, in the order in which they begin.
    """

    title = "authority description"

    identity_key: AuthorityKeyField
    version: Annotated[int, Meta(ge=1, le=2**31)]
    issued_at: UnixSeconds
    name: str
    endpoint: str
    tls_certificate: Annotated[bytes, Meta(min_length=1, max_length=8192)]
    sealing_key: Bytes32
    signing_keys: Annotated[tuple[SigningPeriod, ...], Meta(min_length=1, max_length=MAX_SIGNING_KEYS)]

    def __post_init__(self) -> None:
        """Refuse what could be mistaken, and keys that nothing can be sealed to."""
        if not is_label(self.name):
            raise self.malformed("name", "must be a lower-case DNS label")
        if not is_endpoint(self.endpoint):
            raise self.malformed("endpoint", "must be host:port")
        try:
            hpke.check_public_key(self.sealing_key)
        except ThresholdError:
            raise self.malformed(
                "sealing_key", "must be an X25519 public key, canonical and not of low order"
            ) from None
        keys = {period.key for period in self.signing_keys}
        if len(keys) != len(self.signing_keys) or self.identity_key in keys:
            raise self.malformed("signing_keys", "a key stands twice")
        if any(before.begins_at > after.begins_at for before, after in pairwise(self.signing_keys)):
            raise self.malformed("signing_keys", "not in the order in which they begin")

    @property
    def relying_party(self) -> str:
        """The WebAuthn relying party id of devices: "authority-" and 32 digits of the identity."""
        return f"authority-{self.identity_key.hex()[:32]}"

    def check_signing(self, key: bytes, at: Sequence[int]) -> None:
        """Hold a signing key to its time.

        Args:
            key: Ed25519 public key, 32 bytes.
            at: Every moment at which it must hold, whole seconds since 1970-01-01 UTC.

        Raises:
            AuthorityRefused: It is no key of this description, or does not hold at one of them.
        """
        period = next((one for one in self.signing_keys if one.key == key), None)
        if period is None:
            raise AuthorityRefused(self.title, "it is signed by a key that is not the authority's")
        if not all(period.covers(moment) for moment in at):
            raise AuthorityRefused(self.title, "it is signed by a key that is retired, or not yet in use")


class SignedAuthority(Document, frozen=True):
    """A description as it travels.

    Args:
        description: Exact signed bytes.
        signature: By the identity key it names.
    """

    title = "signed authority description"

    description: bytes
    signature: SignatureField


class _FileText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    name: str
    identity_key: str
    document: str


def describe_authority(description: AuthorityDescription, identity: SigningKey) -> SignedAuthority:
    """Sign a description.

    Args:
        description: What it says.
        identity: Secret: the authority's identity key.

    Raises:
        AuthorityRefused: The fields make no description, or it names another identity.
    """
    body = description.to_bytes()
    try:
        AuthorityDescription.from_bytes(body)  # building a Struct checks no lengths and ranges
    except (DocumentMalformed, DocumentProblem) as error:
        raise AuthorityRefused(description.title, str(error).rstrip(".")) from None
    if description.identity_key != identity.public:
        raise AuthorityRefused(description.title, "it names another identity key")
    return SignedAuthority(body, identity.sign(AuthorityDescription.title, body))


def read_description(signed: SignedAuthority) -> AuthorityDescription:
    """Parse a description and check the signature of the identity it names; the reader compares whose it is.

    Raises:
        DocumentMalformed: It does not parse.
        SignatureInvalid: That key did not sign it.
    """
    description = AuthorityDescription.from_bytes(signed.description)
    verify(AuthorityDescription.title, description.identity_key, signed.description, signed.signature)
    return description


def follow_authority(signed: SignedAuthority, pinned: AuthorityDescription) -> AuthorityDescription:
    """The description that an authority shows now, if it may take the place of the pinned one.

    Raises:
        AuthorityRefused: It does not hold, is another authority's, older, or another of the same version.
    """
    try:
        shown = read_description(signed)
    except (DocumentMalformed, SignatureInvalid) as error:
        raise AuthorityRefused(AuthorityDescription.title, str(error).rstrip(".")) from None
    if shown.identity_key != pinned.identity_key:
        raise AuthorityRefused(shown.title, "its identity is not the one that was pinned")
    if shown.version < pinned.version:
        raise AuthorityRefused(
            shown.title, f"it shows version {shown.version}, but {pinned.version} was seen"
        )
    if shown.version == pinned.version and shown != pinned:
        raise AuthorityRefused(shown.title, "it shows two descriptions of one version")
    return shown


def write_authority(signed: SignedAuthority) -> bytes:
    """The description as a file that people hand on: JSON; name and identity can be read in it."""
    shown = AuthorityDescription.from_bytes(signed.description)
    text = _FileText(FILE_FORMAT, shown.name, shown.identity_key.hex(), signed.to_bytes().hex())
    return msgspec.json.format(msgspec.json.encode(text), indent=2) + b"\n"


def read_authority(data: bytes) -> SignedAuthority:
    """Parse the file and verify what it holds.

    Raises:
        AuthorityRefused: It is none, or what it says in clear is not what is signed.
    """
    try:
        if len(data) > _MAX_FILE_BYTES:
            raise ValueError("too long")
        text = msgspec.json.decode(data, type=_FileText)
        signed = SignedAuthority.from_bytes(bytes.fromhex(text.document))
        shown = read_description(signed)
    except (ValueError, DocumentMalformed, SignatureInvalid):
        raise AuthorityRefused(AuthorityDescription.title, "the file is no signed description") from None
    if (text.format, text.name, text.identity_key) != (FILE_FORMAT, shown.name, shown.identity_key.hex()):
        raise AuthorityRefused(shown.title, "the file says something else than what is signed")
    return signed


def identity_of(key: SigningKey) -> AuthorityKey:
    """What an authority is pinned by."""
    return AuthorityKey(key.public)


def device_origin(relying_party: str) -> str:
    """What a wallet states as the WebAuthn origin: there is no page."""
    return f"https://{relying_party}"
