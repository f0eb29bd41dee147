"""What is asked of an authority and what it answers, inside the seals of trust/owner_information.py.

Names and passwords are as they were typed; the authority prepares them (trust/precis.py), so that no client
can have an account of another form. A token is 32 random bytes that stand for a session.
"""

from typing import Annotated

from msgspec import Meta

from trust.assertion import Method
from trust.documents import Document
from trust.ids import Bytes16, Bytes32, HashField, SafeIdField, UnixSeconds

PASSWORD_MIN_CHARACTERS = 8
PASSWORD_MAX_CHARACTERS = 1_000
LABEL_MAX_CHARACTERS = 64
MAX_DEVICES = 16
SHOWN_EVENTS = 200

Typed = Annotated[str, Meta(min_length=1, max_length=4_000)]
Label = Annotated[str, Meta(min_length=1, max_length=LABEL_MAX_CHARACTERS)]
WebAuthnBytes = Annotated[bytes, Meta(min_length=1, max_length=8_192)]


class Credentials(Document, frozen=True):
    """A name and a password: to register, or to log in.

    Args:
        name: As typed.
        password: Secret: as typed.
    """

    title = "credentials"

    name: Typed
    password: Typed

    def __repr__(self) -> str:
        return "<Credentials redacted>"


class PasswordChange(Document, frozen=True):
    """A new password for an account.

    Args:
        name: As typed.
        password: Secret: the one of now.
        new_password: Secret: the one to come.
    """

    title = "password change"

    name: Typed
    password: Typed
    new_password: Typed

    def __repr__(self) -> str:
        return "<PasswordChange redacted>"


class Done(Document, frozen=True):
    """An answer that says no more than that it is so.

    Args:
        at: When, by the authority's clock.
    """

    title = "done"

    at: UnixSeconds


class Session(Document, frozen=True):
    """What a login comes to.

    Args:
        token: Secret: stands for the session, 32 bytes.
        name: The account's, as prepared.
        methods: How the owner was authenticated so far.
        expires_at: The session ends then.
    """

    title = "session"

    token: Bytes32
    name: str
    methods: tuple[Method, ...]
    expires_at: UnixSeconds

    def __repr__(self) -> str:
        return "<Session redacted>"


class InSession(Document, frozen=True):
    """A question that needs nothing but a session.

    Args:
        token: Secret: 32 bytes.
    """

    title = "in session"

    token: Bytes32

    def __repr__(self) -> str:
        return "<InSession redacted>"


class DeviceChallenge(Document, frozen=True):
    """What a device has to sign, once, within minutes.

    Args:
        challenge: 32 fresh random bytes.
        account_handle: WebAuthn user handle, 16 bytes: of the session's account; zeros without a session.
    """

    title = "device challenge"

    challenge: Bytes32
    account_handle: Bytes16


class ChallengeQuestion(Document, frozen=True):
    """Asks for a challenge.

    Args:
        token: Secret: of a session, to register a device in it; empty to log in.
    """

    title = "challenge question"

    token: Annotated[bytes, Meta(max_length=32)]

    def __repr__(self) -> str:
        return "<ChallengeQuestion redacted>"


class NewDevice(Document, frozen=True):
    """A device for the account of a session, after WebAuthn Level 2 section 7.1.

    Args:
        token: Secret: 32 bytes.
        label: For its owner.
        client_data: CollectedClientData, JSON as the device's client wrote it.
        attestation: Attestation object, CBOR; its statement is not looked at.
    """

    title = "new device"

    token: Bytes32
    label: Label
    client_data: WebAuthnBytes
    attestation: WebAuthnBytes

    def __repr__(self) -> str:
        return "<NewDevice redacted>"


class DeviceLogin(Document, frozen=True):
    """What a device signed, after WebAuthn Level 2 section 7.2; the credential tells whose it is.

    Args:
        token: Secret: of a session of the same account, which gains the method; empty for a new session.
        credential_id: Of the device.
        client_data: JSON.
        authenticator_data: As signed.
        signature: The device's.
    """

    title = "device login"

    token: Annotated[bytes, Meta(max_length=32)]
    credential_id: Annotated[bytes, Meta(min_length=1, max_length=1_023)]
    client_data: WebAuthnBytes
    authenticator_data: WebAuthnBytes
    signature: Annotated[bytes, Meta(min_length=1, max_length=1_024)]

    def __repr__(self) -> str:
        return "<DeviceLogin redacted>"


class DeviceShown(Document, frozen=True):
    """A device as its owner sees it.

    Args:
        device_id: 16 random bytes.
        label: As given.
        verifies: It was registered as one that sees to its owner itself, and must do so at each login.
        added_at: When.
    """

    title = "device"

    device_id: Bytes16
    label: Label
    verifies: bool
    added_at: UnixSeconds


class Devices(Document, frozen=True):
    """All devices of an account, in the order they came."""

    title = "devices"

    devices: Annotated[tuple[DeviceShown, ...], Meta(max_length=MAX_DEVICES)]


class DeviceRemoval(Document, frozen=True):
    """A device that is one no longer.

    Args:
        token: Secret: 32 bytes.
        device_id: Which.
    """

    title = "device removal"

    token: Bytes32
    device_id: Bytes16

    def __repr__(self) -> str:
        return "<DeviceRemoval redacted>"


class EventShown(Document, frozen=True):
    """Something that happened to an account.

    Args:
        at: When.
        what: One of the words in docs/GRPC.md.
        detail: Such as a device's label; may be empty.
    """

    title = "event"

    at: UnixSeconds
    what: str
    detail: str


class Events(Document, frozen=True):
    """The newest events of an account, newest first, at most 200."""

    title = "events"

    events: Annotated[tuple[EventShown, ...], Meta(max_length=SHOWN_EVENTS)]


class AssertionWish(Document, frozen=True):
    """Asks for an assertion about the account of a session.

    Args:
        token: Secret: 32 bytes.
        genesis: Genesis fingerprint of the roster; the owner id comes of it and of the account's name.
        audience: Safes for which it is meant, 1 to 255, ascending.
        login: Hash of the guess for which it is to be (trust/login.py); it tells the authority nothing.
    """

    title = "assertion wish"

    token: Bytes32
    genesis: HashField
    audience: Annotated[tuple[SafeIdField, ...], Meta(min_length=1, max_length=255)]
    login: HashField

    def __repr__(self) -> str:
        return "<AssertionWish redacted>"


class Granted(Document, frozen=True):
    """An assertion that was made.

    Args:
        assertion: trust.assertion.SignedAssertion, exact bytes.
    """

    title = "granted assertion"

    assertion: bytes
