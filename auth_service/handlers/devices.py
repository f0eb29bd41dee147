"""ChallengeDevice, LoginWithDevice, AddDevice, ListDevices, RemoveDevice."""

from __future__ import annotations

from functools import partial

from auth_service.decisions import devices as decisions
from auth_service.decisions.sessions import TOKEN_BYTES, new_session, token_hash
from auth_service.handlers.authority import Authority, Caller
from auth_service.handlers.sealed import session_of
from auth_service.records import KeptDevice
from trust import authority_calls as calls
from trust.authority_refusals import DeviceRefused

CHALLENGE_BYTES = 32
DEVICE_ID_BYTES = 16
NO_HANDLE = bytes(16)


async def challenge_device(caller: Caller, asked: calls.ChallengeQuestion) -> calls.DeviceChallenge:
    """Something fresh to sign; with a token, to register a device by.

    Raises:
        SessionInvalid: There is a token, and no session.
    """
    authority = caller.authority
    session = await session_of(authority, asked.token) if asked.token else None
    handle = b"" if session is None else session.account.handle
    challenge = authority.rng.read(CHALLENGE_BYTES)
    authority.challenges.put(challenge, handle, authority.now_ms())
    return calls.DeviceChallenge(challenge, handle or NO_HANDLE)


async def login_with_device(caller: Caller, asked: calls.DeviceLogin) -> calls.Session:
    """Start or join a session by what a device signed.

    Raises:
        DeviceRefused: Whatever the reason.
        SessionInvalid: There is a token, and no session.
    """
    authority = caller.authority
    if asked.token:
        await session_of(authority, asked.token)
    challenge = _taken(authority, asked.client_data, b"")
    token, at_ms = asked.token or authority.rng.read(TOKEN_BYTES), authority.now_ms()
    session = new_session(token, (), at_ms, authority.accounts.session_minutes)
    joins = session.token_hash if asked.token else None
    judge = partial(
        decisions.judge_login, login=asked, challenge=challenge, relying_party=authority.relying_party
    )
    now = await authority.store.use_device(asked.credential_id, session, joins, at_ms, judge)
    if now is None:
        raise DeviceRefused
    return calls.Session(token, now.account.name, now.methods, now.expires_ms // 1_000)


async def add_device(caller: Caller, asked: calls.NewDevice) -> calls.DeviceShown:
    """Register a device for the account of a session.

    Raises:
        DeviceRefused: What it said does not hold, it is known already, or there are too many.
        SessionInvalid: The session ended meanwhile.
    """
    authority, account = caller.authority, caller.session.account
    challenge = _taken(authority, asked.client_data, account.handle)
    registered = decisions.judge_registration(asked, challenge, authority.relying_party)
    device = KeptDevice(
        authority.rng.read(DEVICE_ID_BYTES), account, asked.label, registered, authority.now_ms()
    )
    token = token_hash(asked.token)
    await authority.store.add_device(
        account, token, device.device_id, device.label, registered, device.added_ms
    )
    return _shown(device)


async def list_devices(caller: Caller, asked: calls.InSession) -> calls.Devices:
    """The devices of the account of a session."""
    found = await caller.authority.store.devices(caller.session.account)
    return calls.Devices(tuple(_shown(device) for device in found))


async def remove_device(caller: Caller, asked: calls.DeviceRemoval) -> calls.Done:
    """Remove a device, and end every other session of the account."""
    authority, account = caller.authority, caller.session.account
    kept = token_hash(asked.token)
    await authority.store.remove_device(account, asked.device_id, kept, authority.now_ms())
    return calls.Done(authority.now)


def _taken(authority: Authority, client_data: bytes, handle: bytes) -> bytes:
    """The challenge that was signed, if it was given out for this, and for the first time."""
    challenge = decisions.challenge_of(client_data)
    if authority.challenges.take(challenge, authority.now_ms()) != handle:
        raise DeviceRefused
    return challenge


def _shown(device: KeptDevice) -> calls.DeviceShown:
    return calls.DeviceShown(
        device.device_id, device.label, device.registered.verifies, device.added_ms // 1_000
    )
