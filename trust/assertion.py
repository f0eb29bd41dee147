"""An authority's word that an owner proved who they are, for safes that take it as a factor.

It is bound to the owner, to the genesis of the roster, to the safes for which it is meant, and to one guess
(trust/login.py), of which the authority sees a hash. The guess names the key to which safes seal what they
release: so the path that was authenticated is the path that is encrypted. It holds for minutes, and at each
safe once. The document names no algorithm: Ed25519 over its exact bytes is the only one there is, so none can
be chosen for the reader.

A safe judges with nothing but the authority's description and its own clock (`judge_assertion`), and keeps an
`AssertionMemory` for as long as its process lives; what was issued before it lived is refused.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from trust.authority import AuthorityDescription
from trust.documents import Document, SigningKey, verify
from trust.errors import AssertionRefused, AuthorityRefused
from trust.ids import (
    AuthorityKey,
    AuthorityKeyField,
    Bytes16,
    Bytes32,
    Hash,
    HashField,
    OwnerIdField,
    SafeId,
    SafeIdField,
    SignatureField,
    UnixSeconds,
)
from trust.login import Login

MAX_LIFE_SECONDS = 600
"""No assertion lives longer: ten minutes."""

CLOCK_SECONDS = 60
"""How far an authority's clock may be ahead of a safe's."""

REMEMBERED = 100_000
"""Assertions that a safe remembers at most by default; each is forgotten when it expires."""

Method = Literal["device", "device-verified", "password"]
"""How an owner was authenticated; a verified device saw to its owner itself, by PIN or finger."""


class Assertion(Document, frozen=True):
    """What is asserted.

    Args:
        assertion_id: 16 fresh random bytes.
        authority: Identity key of who asserts it.
        owner_id: The owner, as the safes of that roster know them.
        genesis: Genesis fingerprint of the roster.
        audience: The safes it is meant for, 1 to 255, ascending.
        login: Hash of the guess for which it is, as whoever asked for it gave it.
        methods: How the owner was authenticated, ascending, at least one.
        issued_at: When.
        expires_at: It holds no longer; at most 600 seconds later.
    """

    title = "assertion"

    assertion_id: Bytes16
    authority: AuthorityKeyField
    owner_id: OwnerIdField
    genesis: HashField
    audience: Annotated[tuple[SafeIdField, ...], Meta(min_length=1, max_length=255)]
    login: HashField
    methods: Annotated[tuple[Method, ...], Meta(min_length=1, max_length=3)]
    issued_at: UnixSeconds
    expires_at: UnixSeconds

    def __post_init__(self) -> None:
        """Refuse lives that are too long, and lists with two orders."""
        if not self.issued_at < self.expires_at <= self.issued_at + MAX_LIFE_SECONDS:
            raise self.malformed("expires_at", f"not within {MAX_LIFE_SECONDS} seconds of issued_at")
        if list(self.audience) != sorted(set(self.audience)):
            raise self.malformed("audience", "not ascending")
        if list(self.methods) != sorted(set(self.methods)):
            raise self.malformed("methods", "not ascending")


class SignedAssertion(Document, frozen=True):
    """An assertion as it travels.

    Args:
        assertion: Exact signed bytes.
        signing_key: Which of the authority's keys signed it.
        signature: By that key.
    """

    title = "signed assertion"

    assertion: bytes
    signing_key: Bytes32
    signature: SignatureField


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a safe knows of the call in which an assertion is shown.

    Args:
        safe_id: This safe.
        genesis: Of its roster.
        login: The guess that is made in it; it says whose record is to be opened.
        authority: Which authority the owner's policy names.
    """

    safe_id: SafeId
    genesis: Hash
    login: Login
    authority: AuthorityKey


def sign_assertion(assertion: Assertion, key: SigningKey) -> SignedAssertion:
    """Sign an assertion.

    Args:
        assertion: What is asserted.
        key: Secret: a signing key of the authority that is in use.

    Raises:
        DocumentMalformed: The fields make no assertion.
    """
    body = assertion.to_bytes()
    Assertion.from_bytes(body)  # building a Struct checks no lengths and ranges
    return SignedAssertion(body, key.public, key.sign(Assertion.title, body))


def judge_assertion(
    signed: SignedAssertion, authority: AuthorityDescription, shown: Presentation, now: int
) -> Assertion:
    """What an assertion says, if it holds for this guess and safe, now; single use is for the memory.

    Args:
        signed: As it was shown.
        authority: The newest description that the safe knows of the authority in question.
        shown: The call.
        now: The safe's clock, whole seconds since 1970-01-01 UTC.

    Raises:
        DocumentMalformed: It does not parse.
        SignatureInvalid: The key that it names did not sign it.
        AssertionRefused: Anything else; says what.
    """
    verify(Assertion.title, signed.signing_key, signed.assertion, signed.signature)
    assertion = Assertion.from_bytes(signed.assertion)
    for what, holds in _bindings(assertion, authority, shown):
        if not holds:
            raise AssertionRefused(assertion.title, f"it is for another {what}")
    if assertion.issued_at > now + CLOCK_SECONDS:
        raise AssertionRefused(assertion.title, "it is from the future")
    if now >= assertion.expires_at:
        raise AssertionRefused(assertion.title, "it has expired")
    try:
        # A clock that is behind must not make a key too young that the authority uses already.
        authority.check_signing(signed.signing_key, (assertion.issued_at, max(now, assertion.issued_at)))
    except AuthorityRefused as error:
        raise AssertionRefused(assertion.title, error.problem) from None
    return assertion


def _bindings(
    assertion: Assertion, authority: AuthorityDescription, shown: Presentation
) -> tuple[tuple[str, bool], ...]:
    return (
        ("authority", assertion.authority == authority.identity_key == shown.authority),
        ("roster", assertion.genesis == shown.genesis),
        ("safe", shown.safe_id in assertion.audience),
        ("owner", assertion.owner_id == shown.login.owner_id),
        ("login", assertion.login == shown.login.hash()),
    )


@dataclass(slots=True)
class AssertionMemory:
    """Sees to it that one process takes each assertion once.

    Three rules keep a forgotten one from being taken again: what was issued before the process began is
    refused; what has expired by the latest time ever seen stays expired, also when the clock is set back; and
    when the memory is full, no more is taken until something expires. Only an authority can fill it.

    Args:
        started_at: When the process began to serve, whole seconds since 1970-01-01 UTC.
        remembered: Most assertions kept at once.
    """

    started_at: int
    remembered: int = REMEMBERED
    _latest: int = field(default=0, init=False)
    _used: dict[bytes, object] = field(default_factory=dict, init=False)
    _expiring: dict[int, deque[bytes]] = field(default_factory=dict, init=False)

    def use(self, assertion: Assertion, now: int, taker: object = None) -> None:
        """Take an assertion that holds, once.

        Args:
            assertion: What holds.
            now: The clock, whole seconds since 1970-01-01 UTC.
            taker: For what; for the same it may be taken again.

        Raises:
            AssertionRefused: It was taken before, expired, or is older than the process; or there is no room.
        """
        self._latest = max(self._latest, now)
        self._forget_expired()
        name = assertion.authority + assertion.assertion_id
        problem = self._problem(assertion)
        if problem is not None:
            raise AssertionRefused(assertion.title, problem)
        mine = object() if taker is None else taker
        # One step, so that of several threads one gets through.
        if self._used.setdefault(name, mine) != mine:
            raise AssertionRefused(assertion.title, "it was used before")
        self._expiring.setdefault(assertion.expires_at, deque()).append(name)

    def _problem(self, assertion: Assertion) -> str | None:
        if assertion.expires_at <= self._latest:
            return "it has expired"
        if assertion.issued_at < self.started_at:
            return "it is older than this process, which cannot know whether it was used"
        return "too many are remembered" if len(self._used) >= self.remembered else None

    def _forget_expired(self) -> None:
        for moment in [moment for moment in self._expiring if moment <= self._latest]:
            for name in self._expiring.pop(moment):
                self._used.pop(name, None)
