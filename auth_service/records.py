"""What an authority holds in its hands, between question, decision and store. What is secret has no repr."""

from __future__ import annotations

from dataclasses import dataclass, field

from trust.assertion import Method


@dataclass(frozen=True, slots=True)
class Ledger:
    """The tries at one name's password.

    Args:
        spent: Wrong ones, and those of which nobody knows yet.
        last_spent_ms: When the last one was spent, milliseconds since 1970-01-01 UTC; 0: none.
    """

    spent: int = 0
    last_spent_ms: int = 0


NO_TRIES = Ledger()


@dataclass(frozen=True, slots=True)
class Account:
    """An account.

    Args:
        number: Its row.
        handle: 16 random bytes: what devices know it by.
        name: As prepared.
        password_hash: Secret: Argon2id, in the PHC form.
    """

    number: int
    handle: bytes
    name: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be.

    Args:
        name_id: SHA-256 of its name, 32 bytes.
        handle: 16 random bytes.
        name: As prepared.
        password_hash: Secret: in the PHC form.
    """

    name_id: bytes
    handle: bytes
    name: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be.

    Args:
        token_hash: SHA-256 of its token, 32 bytes.
        methods: How its owner was authenticated, ascending.
        expires_ms: When it ends.
    """

    token_hash: bytes
    methods: tuple[Method, ...]
    expires_ms: int


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session that was found.

    Args:
        account: Whose.
        methods: Ascending.
        expires_ms: When it ends.
    """

    account: Account
    methods: tuple[Method, ...]
    expires_ms: int


@dataclass(frozen=True, slots=True)
class TryOutcome:
    """What spending a try came to.

    Args:
        allowed: It was spent, so the password may be looked at.
        account: Whose name it is; None for a name that nobody has.
    """

    allowed: bool
    account: Account | None


@dataclass(frozen=True, slots=True)
class Registered:
    """What a device said of itself.

    Args:
        credential_id: 1 to 1,023 bytes.
        credential: WebAuthn attested credential data, with the public key.
        counter: Its signature counter.
        verifies: It saw to its owner itself.
    """

    credential_id: bytes
    credential: bytes
    counter: int
    verifies: bool


@dataclass(frozen=True, slots=True)
class KeptDevice:
    """A device of an account.

    Args:
        device_id: 16 random bytes.
        account: Whose.
        label: As its owner calls it.
        registered: What it said; the counter is the newest.
        added_ms: When.
    """

    device_id: bytes
    account: Account
    label: str
    registered: Registered
    added_ms: int


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """What a device's signature comes to.

    Args:
        counter: The device's from now on; None: it is refused.
        methods: What the owner is authenticated by.
        event: What is noted; "" for nothing.
    """

    counter: int | None
    methods: tuple[Method, ...] = ()
    event: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an account.

    Args:
        at_ms: When.
        what: One of the words in docs/GRPC.md.
        detail: Such as a device's label.
    """

    at_ms: int
    what: str
    detail: str = ""
