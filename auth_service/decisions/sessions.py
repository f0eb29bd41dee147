"""Sessions: which live, and what they gain."""

from __future__ import annotations

import hashlib

from auth_service.records import KeptSession, NewSession
from trust.assertion import Method
from trust.authority_refusals import SessionInvalid

TOKEN_BYTES = 32
_TOKEN = b"kura/v1/authority-session"


def token_hash(token: bytes) -> bytes:
    """What is kept of a token (Secret): 32 bytes; who reads the database cannot use it."""
    return hashlib.sha256(_TOKEN + token).digest()


def new_session(token: bytes, methods: tuple[Method, ...], now_ms: int, minutes: int) -> NewSession:
    """A session that begins now.

    Args:
        token: Secret: 32 fresh random bytes.
        methods: How its owner was authenticated.
        now_ms: The clock.
        minutes: How long it lives.
    """
    return NewSession(token_hash(token), tuple(sorted(set(methods))), now_ms + minutes * 60_000)


def living(session: KeptSession | None, now_ms: int) -> KeptSession:
    """A session that was found, if it lives.

    Raises:
        SessionInvalid: There is none, or it is over.
    """
    if session is None or now_ms >= session.expires_ms:
        raise SessionInvalid
    return session


def joined(session: KeptSession, methods: tuple[Method, ...]) -> tuple[Method, ...]:
    """The methods of a session that gains some."""
    return tuple(sorted({*session.methods, *methods}))
