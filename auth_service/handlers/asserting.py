"""Assert: what an authority says to safes about the account of a session."""

from __future__ import annotations

from auth_service.decisions.asserting import assert_owner
from auth_service.decisions.sessions import token_hash
from auth_service.handlers.authority import Caller
from auth_service.records import Event
from trust import authority_calls as calls

ASSERTED = "asserted to safes"
_SHOWN_DIGITS = 16


async def assert_(caller: Caller, asked: calls.AssertionWish) -> calls.Granted:
    """Make an assertion, once it is written down that it was made.

    Raises:
        SessionInvalid: The session ended meanwhile: hashing may wait for seconds.
        Malformed: The audience is none.
    """
    authority, session = caller.authority, caller.session
    owner_id = await authority.hashes.owner_id(session.account.name, asked.genesis)
    signed = assert_owner(
        asked,
        authority.key,
        owner_id,
        session.methods,
        authority.accounts.assertion_minutes * 60,
        authority.now,
        authority.identity.signing_key(authority.now),
        authority.rng,
    )
    roster = asked.genesis.hex()[:_SHOWN_DIGITS]
    event = Event(authority.now_ms(), ASSERTED, f"roster {roster}")
    await authority.store.note(session.account, token_hash(asked.token), event)
    return calls.Granted(signed.to_bytes())
