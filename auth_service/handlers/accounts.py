"""Register, Login, Logout, ChangePassword, ListEvents: accounts and sessions.

A login does the same work in the same order whoever is asked about: spend a try, compare one hash, refuse.
"""

from __future__ import annotations

from auth_service.decisions.names import account_name, name_id, password_bytes
from auth_service.decisions.sessions import TOKEN_BYTES, new_session, token_hash
from auth_service.decisions.throttling import plan_try
from auth_service.handlers.authority import Authority, Caller
from auth_service.records import Account, NewAccount
from trust import authority_calls as calls
from trust.authority_refusals import LoginRefused, RegistrationClosed

HANDLE_BYTES = 16
_LOOKS = 2
"""At an account whose hash another call replaced meanwhile: by one of the same password, perhaps."""


async def register(caller: Caller, asked: calls.Credentials) -> calls.Session:
    """Make an account and its first session.

    Raises:
        Malformed: The name or the password is none.
        RegistrationClosed: The operator takes nobody new.
        AccountExists: The name is taken.
    """
    authority = caller.authority
    name, password = account_name(asked.name), password_bytes(asked.password)
    if not authority.accounts.registration_open:
        raise RegistrationClosed
    password_hash = await authority.hashes.hash(password)
    account = NewAccount(name_id(name), authority.rng.read(HANDLE_BYTES), name, password_hash)
    token, at_ms = authority.rng.read(TOKEN_BYTES), authority.now_ms()
    session = new_session(token, ("password",), at_ms, authority.accounts.session_minutes)
    await authority.store.register(account, session, at_ms)
    return calls.Session(token, name, session.methods, session.expires_ms // 1_000)


async def log_in(caller: Caller, asked: calls.Credentials) -> calls.Session:
    """Start a session by a password; make its hash anew where the figures have changed.

    Raises:
        Malformed: The name or the password is none.
        LoginRefused: Whatever the reason.
    """
    authority = caller.authority
    name, password = account_name(asked.name), password_bytes(asked.password)
    for _ in range(_LOOKS):
        account = await _known(authority, name, password)
        outdated = authority.hashes.outdated(account.password_hash)
        rehashed = await authority.hashes.hash(password) if outdated else None
        token, at_ms = authority.rng.read(TOKEN_BYTES), authority.now_ms()
        session = new_session(token, ("password",), at_ms, authority.accounts.session_minutes)
        if await authority.store.log_in(account, session, rehashed, at_ms):
            return calls.Session(token, name, session.methods, session.expires_ms // 1_000)
    raise LoginRefused


async def log_out(caller: Caller, asked: calls.InSession) -> calls.Done:
    """End a session, if there is one."""
    authority = caller.authority
    await authority.store.end_session(token_hash(asked.token), authority.now_ms())
    return calls.Done(authority.now)


async def change_password(caller: Caller, asked: calls.PasswordChange) -> calls.Done:
    """Replace a password and end every session of the account.

    Raises:
        Malformed: The name or a password is none.
        LoginRefused: Whatever the reason.
    """
    authority = caller.authority
    name, password = account_name(asked.name), password_bytes(asked.password)
    new_password = password_bytes(asked.new_password, "new_password")
    for _ in range(_LOOKS):
        account = await _known(authority, name, password)
        password_hash = await authority.hashes.hash(new_password)
        if await authority.store.change_password(account, password_hash, authority.now_ms()):
            return calls.Done(authority.now)
    raise LoginRefused


async def list_events(caller: Caller, asked: calls.InSession) -> calls.Events:
    """What happened to the account of a session."""
    found = await caller.authority.store.events(caller.session.account, calls.SHOWN_EVENTS)
    return calls.Events(tuple(calls.EventShown(one.at_ms // 1_000, one.what, one.detail) for one in found))


async def _known(authority: Authority, name: str, password: bytes) -> Account:
    """The account of that name and password.

    Raises:
        LoginRefused: Whatever the reason.
    """
    tried = await authority.store.spend(name_id(name), authority.now_ms(), plan_try)
    account = tried.account if tried.allowed else None
    right = await authority.hashes.verify(None if account is None else account.password_hash, password)
    if account is None or not right:
        raise LoginRefused
    return account
