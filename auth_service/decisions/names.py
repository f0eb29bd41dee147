"""Names and passwords as they are kept and compared (RFC 8265, trust/precis.py)."""

from __future__ import annotations

import hashlib

from trust.authority_calls import PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS
from trust.precis import Fault, prepare_name, prepare_secret
from trust.refusals import Malformed

_NAME = b"kura/v1/account-name"


def account_name(typed: str) -> str:
    """The name of an account, one for all ways to type it.

    Raises:
        Malformed: It is no name.
    """
    found = prepare_name(typed)
    if isinstance(found, Fault):
        raise Malformed("name")
    return found


def password_bytes(typed: str, field: str = "password") -> bytes:
    """A password (Secret) as it is hashed.

    Raises:
        Malformed: It is none; whoever's it should be.
    """
    found = prepare_secret(typed, PASSWORD_MIN_CHARACTERS, PASSWORD_MAX_CHARACTERS)
    if isinstance(found, Fault):
        raise Malformed(field)
    return found.encode()


def name_id(name: str) -> bytes:
    """By what tries at a name are counted, whether somebody has it or not: 32 bytes."""
    return hashlib.sha256(_NAME + name.encode()).digest()
