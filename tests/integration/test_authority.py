"""An authority as owners meet it: a real server on a real port with a real database, asked in both ways."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kura.auth.v1 import auth_pb2 as pb
from support.authority import CHEAP, PASSWORD, LocalAuthority, local_authority
from support.sample_authority import GENESIS_PRINT, LOGIN, WALLET_HALF
from support.sample_documents import SAFE_IDS
from support.software_device import Device
from threshold.errors import SealBroken
from threshold.hpke import KeyPair
from trust import authority_calls as calls
from trust.assertion import Assertion, Presentation, SignedAssertion, judge_assertion
from trust.authority import SignedAuthority, read_description
from trust.authority_refusals import (
    AccountExists,
    DeviceRefused,
    LoginRefused,
    PathUnknown,
    QuestionSealBroken,
    RegistrationClosed,
    SessionInvalid,
    TooManyCalls,
)
from trust.owner_id import owner_id
from trust.refusals import Busy, Malformed, Refusal, RequestReplayed, RequestStale

AUDIENCE = tuple(sorted(SAFE_IDS[:3]))
SEALS = ("static", "common")
ANNAS_LOGIN = replace(LOGIN, owner_id=owner_id(b"anna", GENESIS_PRINT))


@pytest.fixture
async def authority(tmp_path: Path) -> AsyncIterator[LocalAuthority]:
    async with local_authority(tmp_path) as one:
        yield one


async def wish(authority: LocalAuthority, token: bytes, **changes: Any) -> Assertion:
    """An assertion, held to everything that a safe holds it to."""
    question = calls.AssertionWish(token, GENESIS_PRINT, AUDIENCE, ANNAS_LOGIN.hash())
    granted = await authority.ask("Assert", msgspec.structs.replace(question, **changes), calls.Granted)
    call = Presentation(AUDIENCE[0], GENESIS_PRINT, ANNAS_LOGIN, authority.authority.key)
    signed = SignedAssertion.from_bytes(granted.assertion)
    return judge_assertion(signed, authority.description, call, authority.clock.ms // 1_000)


async def test_a_new_password_ends_what_a_thief_of_a_session_has_under_way(
    authority: LocalAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An assertion waits for hashing, for seconds where many log in; by then its session may be over."""
    stolen, honest = (await authority.register()).token, authority.authority.hashes.owner_id

    async def meanwhile(name: str, genesis: Any) -> Any:
        change = calls.PasswordChange("anna", PASSWORD, "battery staple")
        await authority.ask("ChangePassword", change, calls.Done)
        return await honest(name, genesis)

    monkeypatch.setattr(authority.authority.hashes, "owner_id", meanwhile)
    with pytest.raises(SessionInvalid):
        await wish(authority, stolen)


@pytest.mark.parametrize("seal", SEALS)
async def test_an_owner_is_known_by_a_password_and_asserted_to_safes(
    authority: LocalAuthority, seal: Any
) -> None:
    """Register, log in on another day under another spelling, and get what a safe believes; by either way."""
    made = await authority.ask("Register", calls.Credentials("anna", PASSWORD), calls.Session, seal)
    assert (made.name, made.methods) == ("anna", ("password",))
    session = await authority.ask("Login", calls.Credentials("Anna", PASSWORD), calls.Session, seal)
    assert session.token != made.token
    assert (await wish(authority, session.token)).methods == ("password",)
    assert await authority.events(session.token) == [
        "asserted to safes",
        "logged in with a password",
        "password tried",
        "registered",
    ]


async def test_the_description_given_out_is_the_one_in_the_file(authority: LocalAuthority) -> None:
    answer = await authority.raw("Describe", pb.DescribeRequest())
    assert read_description(SignedAuthority.from_bytes(answer.authority)) == authority.description


async def test_unknown_wrong_and_too_early_are_one_answer(authority: LocalAuthority) -> None:
    """Byte for byte, and after the same number of hashes and durable writes."""
    await authority.register()
    statuses = set()
    for name in ("anna", "nobody"):
        for _ in range(7):  # five are taken at once, then two have to wait
            statuses.add(await authority.status_of("Login", calls.Credentials(name, "wrong password")))
    assert len(statuses) == 1
    with pytest.raises(LoginRefused):
        await authority.log_in()  # right, and too early
    authority.clock.pass_by(31)
    assert (await authority.log_in()).name == "anna"


async def test_fifty_tries_at_once_are_five(authority: LocalAuthority, monkeypatch: Any) -> None:
    """A try is spent before the password is looked at: the right one among many at once is no better off."""
    await authority.register()
    looked_at = []
    verify = authority.authority.hashes.verify

    async def counted(password_hash: str | None, password: bytes) -> bool:
        looked_at.append(password_hash is not None)
        return await verify(password_hash, password)

    monkeypatch.setattr(authority.authority.hashes, "verify", counted)
    wrong = calls.Credentials("anna", "wrong password")
    tries = (authority.ask("Login", wrong, calls.Session) for _ in range(50))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {LoginRefused}
    assert len(looked_at) == 50
    assert sum(looked_at) == 5


async def test_a_lock_is_on_the_account_however_its_name_is_typed(authority: LocalAuthority) -> None:
    await authority.register()
    for name in ("anna", "ANNA", "Anna", "ａｎｎａ", "aNNa"):
        with pytest.raises(LoginRefused):
            await authority.log_in(name, "wrong password")
    with pytest.raises(LoginRefused):
        await authority.log_in()


async def test_a_restart_forgets_no_try(authority: LocalAuthority) -> None:
    await authority.register()
    for _ in range(5):
        with pytest.raises(LoginRefused):
            await authority.log_in(password="wrong password")
    await authority.stop()
    await authority.start()
    with pytest.raises(LoginRefused):
        await authority.log_in()


async def test_a_hash_is_made_anew_when_the_figures_rise(tmp_path: Path) -> None:
    """At the next login, and only then; the password stays the same."""
    async with local_authority(tmp_path) as authority:
        await authority.register()
        authority.passwords = msgspec.structs.replace(CHEAP, passes=2)
        await authority.stop()
        await authority.start()
        before = await _hash(authority)
        await authority.log_in()
        after = await _hash(authority)
        await authority.log_in()
        assert "t=1" in before
        assert "t=2" in after
        assert await _hash(authority) == after


async def _raised_figures(authority: LocalAuthority, monkeypatch: Any, store_call: str, first: Any) -> None:
    """The figures rise, and something happens just before the next call of the store."""
    await authority.register()
    authority.passwords = msgspec.structs.replace(CHEAP, passes=2)
    await authority.stop()
    await authority.start()
    real = getattr(authority.authority.store, store_call)

    async def overtaken(*told: Any) -> Any:
        monkeypatch.setattr(authority.authority.store, store_call, real)
        await first()
        return await real(*told)

    monkeypatch.setattr(authority.authority.store, store_call, overtaken)


@pytest.mark.parametrize("store_call", ["log_in", "change_password"])
async def test_who_is_overtaken_by_a_login_of_the_same_password_gets_in_all_the_same(
    authority: LocalAuthority, monkeypatch: Any, store_call: str
) -> None:
    """The other login replaced the hash by one of the figures of today."""
    await _raised_figures(authority, monkeypatch, store_call, authority.log_in)
    if store_call == "log_in":
        assert (await authority.log_in()).name == "anna"
    else:
        change = calls.PasswordChange("anna", PASSWORD, "another password")
        await authority.ask("ChangePassword", change, calls.Done)
        assert (await authority.log_in(password="another password")).name == "anna"


@pytest.mark.parametrize("store_call", ["log_in", "change_password"])
async def test_who_is_overtaken_by_a_change_of_the_password_is_refused(
    authority: LocalAuthority, monkeypatch: Any, store_call: str
) -> None:
    async def changed() -> None:
        change = calls.PasswordChange("anna", PASSWORD, "another password")
        await authority.ask("ChangePassword", change, calls.Done)

    await _raised_figures(authority, monkeypatch, store_call, changed)
    wish = calls.PasswordChange("anna", PASSWORD, "a third password")
    with pytest.raises(LoginRefused):
        await (
            authority.log_in()
            if store_call == "log_in"
            else authority.ask("ChangePassword", wish, calls.Done)
        )
    assert (await authority.log_in(password="another password")).name == "anna"


async def _hash(authority: LocalAuthority) -> str:
    from auth_service.decisions.names import name_id

    tried = await authority.authority.store.spend(name_id("anna"), authority.clock.ms, lambda *_: None)
    assert tried.account is not None
    return tried.account.password_hash


async def test_a_new_password_ends_every_session(authority: LocalAuthority) -> None:
    first, second = await authority.register(), await authority.log_in()
    change = calls.PasswordChange("anna", PASSWORD, "battery staple")
    await authority.ask("ChangePassword", change, calls.Done)
    for session in (first, second):
        with pytest.raises(SessionInvalid):
            await authority.events(session.token)
    with pytest.raises(LoginRefused):
        await authority.log_in()
    session = await authority.log_in(password="battery staple")
    assert "password changed" in await authority.events(session.token)
    with pytest.raises(LoginRefused):
        await authority.ask("ChangePassword", change, calls.Done)


async def test_sessions_end_by_time_and_by_logging_out(authority: LocalAuthority) -> None:
    await authority.register()
    first, second = await authority.log_in(), await authority.log_in()
    await authority.ask("Logout", calls.InSession(first.token), calls.Done)
    await authority.ask("Logout", calls.InSession(first.token), calls.Done)
    with pytest.raises(SessionInvalid):
        await wish(authority, first.token)
    assert "logged out" in await authority.events(second.token)
    authority.clock.pass_by(3_600)
    with pytest.raises(SessionInvalid):
        await wish(authority, second.token)


async def test_a_name_is_given_once(authority: LocalAuthority) -> None:
    """Of fifty who want it at once, one gets it."""
    tries = (authority.register(name) for name in ["anna", "ANNA"] * 5)
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, calls.Session) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AccountExists) for outcome in outcomes) == 9


async def test_an_operator_may_take_nobody_new(tmp_path: Path) -> None:
    async with local_authority(tmp_path, changes={"registration_open": False}) as authority:
        with pytest.raises(RegistrationClosed):
            await authority.register()


async def _nonsense(authority: LocalAuthority) -> pb.SealedQuestion:
    return authority.seal_static("Login", calls.InSession(bytes(32)))[0]


async def _of_another_method(authority: LocalAuthority) -> pb.SealedQuestion:
    return authority.seal_static("Register", calls.Credentials("anna", PASSWORD))[0]


async def _changed(authority: LocalAuthority) -> pb.SealedQuestion:
    sealed = authority.seal_static("Login", calls.Credentials("anna", PASSWORD))[0].to_static_key
    return pb.SealedQuestion(to_static_key=sealed[:-1] + bytes([sealed[-1] ^ 1]))


async def _late(authority: LocalAuthority) -> pb.SealedQuestion:
    at_ms = authority.clock.ms - 300_001
    return authority.seal_static("Login", calls.Credentials("anna", PASSWORD), at_ms)[0]


async def _common_of_another_method(authority: LocalAuthority) -> pb.SealedQuestion:
    return (await authority.seal_common("Register", calls.Credentials("anna", PASSWORD)))[0]


async def _common_changed(authority: LocalAuthority) -> pb.SealedQuestion:
    question = await _common_of_another_method(authority)
    question.under_common_key.sealed = question.under_common_key.sealed[:-1]
    return question


async def _common_too_late(authority: LocalAuthority) -> pb.SealedQuestion:
    question, _ = await authority.seal_common("Login", calls.Credentials("anna", PASSWORD))
    authority.clock.pass_by(120)
    return question


async def _common_unknown(authority: LocalAuthority) -> pb.SealedQuestion:
    return pb.SealedQuestion(under_common_key=pb.UnderCommonKey(path_id=bytes(16), sealed=b"x"))


async def _as_the_other_way(authority: LocalAuthority) -> pb.SealedQuestion:
    """Somebody on the way takes what was sealed under a common key and says that it was to the static one."""
    question, _ = await authority.seal_common("Login", calls.Credentials("anna", PASSWORD))
    return pb.SealedQuestion(to_static_key=question.under_common_key.sealed)


async def _bare(authority: LocalAuthority) -> pb.SealedQuestion:
    """Owner information as it is: the contract has no field for it, and as a sealed one it does not open."""
    return pb.SealedQuestion(to_static_key=calls.Credentials("anna", PASSWORD).to_bytes())


async def _none(authority: LocalAuthority) -> pb.SealedQuestion:
    return pb.SealedQuestion()


BROKEN: dict[str, tuple[Any, type[Refusal]]] = {
    "no question": (_none, Malformed),
    "a question that holds something else": (_nonsense, Malformed),
    "bare owner information": (_bare, QuestionSealBroken),
    "sealed for another method": (_of_another_method, QuestionSealBroken),
    "changed on the way": (_changed, QuestionSealBroken),
    "six minutes old": (_late, RequestStale),
    "under a common key, for another method": (_common_of_another_method, QuestionSealBroken),
    "under a common key, changed on the way": (_common_changed, QuestionSealBroken),
    "under a common key that waited too long": (_common_too_late, PathUnknown),
    "under a common key that nobody made": (_common_unknown, PathUnknown),
    "under a common key, claimed for the static one": (_as_the_other_way, QuestionSealBroken),
}


@pytest.mark.parametrize(("make", "refusal"), BROKEN.values(), ids=BROKEN)
async def test_a_question_that_is_not_whole_is_refused(
    authority: LocalAuthority, make: Any, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        await authority.raw("Login", pb.LoginRequest(question=await make(authority)))


@pytest.mark.parametrize(("seal", "refusal"), [("static", RequestReplayed), ("common", PathUnknown)])
async def test_a_question_is_answered_once_however_many_send_it_at_once(
    authority: LocalAuthority, seal: str, refusal: type[Refusal]
) -> None:
    """Fifty times the same bytes: one login, one session."""
    await authority.register()
    asked = calls.Credentials("anna", PASSWORD)
    sealed = authority.seal_static("Login", asked) if seal == "static" else None
    question, _ = sealed or await authority.seal_common("Login", asked)
    sends = (authority.raw("Login", pb.LoginRequest(question=question)) for _ in range(50))
    outcomes = await asyncio.gather(*sends, return_exceptions=True)
    assert sum(isinstance(outcome, pb.LoginResponse) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, refusal) for outcome in outcomes) == 49


async def test_what_an_earlier_process_saw_is_not_taken_again(authority: LocalAuthority) -> None:
    await authority.register()
    question, _ = authority.seal_static("Login", calls.Credentials("anna", PASSWORD))
    await authority.raw("Login", pb.LoginRequest(question=question))
    await authority.stop()
    authority.clock.pass_by(1)
    await authority.start()
    with pytest.raises(RequestStale):
        await authority.raw("Login", pb.LoginRequest(question=question))


async def test_an_answer_opens_for_who_asked_alone(authority: LocalAuthority) -> None:
    await authority.register()
    question, _ = authority.seal_static("Login", calls.Credentials("anna", PASSWORD))
    _, another = authority.seal_static("Login", calls.Credentials("anna", PASSWORD))
    answered = await authority.raw("Login", pb.LoginRequest(question=question))
    with pytest.raises(SealBroken):
        another.open(answered.answer)


async def test_a_half_of_low_order_opens_no_path(authority: LocalAuthority) -> None:
    with pytest.raises(Malformed):
        await authority.raw("OpenPath", pb.OpenPathRequest(wallet_half=bytes(32)))
    assert await authority.raw("OpenPath", pb.OpenPathRequest(wallet_half=KeyPair(WALLET_HALF).public))


TYPED = {
    "a name with a space": calls.Credentials("an na", PASSWORD),
    "a short password": calls.Credentials("anna", "short"),
}


@pytest.mark.parametrize("asked", TYPED.values(), ids=TYPED)
async def test_what_is_no_name_or_password_is_told_as_that(
    authority: LocalAuthority, asked: calls.Credentials
) -> None:
    """It depends on what was typed alone."""
    for method in ("Register", "Login"):
        with pytest.raises(Malformed):
            await authority.ask(method, asked, calls.Session)


WISHES: dict[str, dict[str, Any]] = {
    "safes in another order": {"audience": AUDIENCE[::-1]},
    "a hash of a guess that is too short": {"login": bytes(31)},
}


@pytest.mark.parametrize("changes", WISHES.values(), ids=WISHES)
async def test_what_no_safe_would_believe_is_not_asserted(
    authority: LocalAuthority, changes: dict[str, Any]
) -> None:
    session = await authority.register()
    with pytest.raises(Malformed):
        await wish(authority, session.token, **changes)


async def test_too_many_calls_of_one_address_are_refused(tmp_path: Path) -> None:
    async with local_authority(tmp_path, calls_per_minute=3) as authority:
        for _ in range(3):
            await authority.raw("Describe", pb.DescribeRequest())
        with pytest.raises(TooManyCalls):
            await authority.raw("Describe", pb.DescribeRequest())
        authority.clock.pass_by(21)
        await authority.raw("Describe", pb.DescribeRequest())


async def test_hashes_that_would_pile_up_are_refused(tmp_path: Path) -> None:
    """While one is made and one waits, a third is refused; afterwards all is as before."""
    few = msgspec.structs.replace(CHEAP, at_once=1, waiting=1)
    async with local_authority(tmp_path, passwords=few) as authority:
        held, hashes = threading.Event(), authority.authority.hashes
        holding = [asyncio.create_task(hashes._work(held.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await authority.register()
        held.set()
        await asyncio.gather(*holding)
        assert (await authority.register()).name == "anna"


async def test_the_log_and_the_database_hold_no_password_and_no_token(authority: LocalAuthority) -> None:
    session = await authority.register()
    await authority.stop()
    files = b"".join(path.read_bytes() for path in (authority.folder / "data").iterdir())
    assert PASSWORD.encode() not in files + repr(authority.logged.entries).encode()
    assert session.token not in files
    assert sha256(session.token).digest() not in files


async def challenge(authority: LocalAuthority, token: bytes = b"") -> bytes:
    """Something to sign."""
    given = await authority.ask("ChallengeDevice", calls.ChallengeQuestion(token), calls.DeviceChallenge)
    return given.challenge


async def with_device(authority: LocalAuthority, device: Device, token: bytes) -> calls.DeviceShown:
    """Registers a device."""
    asked = device.register(await challenge(authority, token), token)
    return await authority.ask("AddDevice", asked, calls.DeviceShown)


async def sign_in(authority: LocalAuthority, device: Device, token: bytes = b"") -> calls.Session:
    """Logs in with it."""
    asked = device.sign(await challenge(authority), token)
    return await authority.ask("LoginWithDevice", asked, calls.Session)


def device_of(authority: LocalAuthority, **about: Any) -> Device:
    return Device(authority.description.relying_party, **about)


@pytest.mark.parametrize("counts", [True, False], ids=["counting", "never counting"])
async def test_a_device_logs_in_without_a_name(authority: LocalAuthority, counts: bool) -> None:
    session, device = await authority.register(), device_of(authority, counts=counts)
    shown = await with_device(authority, device, session.token)
    again = await sign_in(authority, device)
    assert (again.name, again.methods) == ("anna", ("device",))
    devices = await authority.ask("ListDevices", calls.InSession(again.token), calls.Devices)
    assert devices.devices == (shown,)
    assert (await wish(authority, again.token)).methods == ("device",)


async def test_a_device_adds_to_a_session_by_password(authority: LocalAuthority) -> None:
    session, device = await authority.register(), device_of(authority, verifies=True)
    await with_device(authority, device, session.token)
    joined = await sign_in(authority, device, session.token)
    assert joined.token == session.token
    assert (await wish(authority, session.token)).methods == ("device", "device-verified", "password")


async def test_a_copied_device_is_noticed(authority: LocalAuthority) -> None:
    """Its counter does not grow; both are refused until they count on, and the owner can see it."""
    session, device = await authority.register(), device_of(authority)
    await with_device(authority, device, session.token)
    copy = Device(device.relying_party, counter=device.counter, key=device.key)
    copy.credential_id = device.credential_id
    await sign_in(authority, device)
    with pytest.raises(DeviceRefused):
        await sign_in(authority, copy)
    assert "device counter did not grow" in await authority.events(session.token)


async def test_a_device_that_verified_its_owner_must_do_so_each_time(authority: LocalAuthority) -> None:
    session, device = await authority.register(), device_of(authority, verifies=True)
    assert (await with_device(authority, device, session.token)).verifies
    device.verifies = False
    with pytest.raises(DeviceRefused):
        await sign_in(authority, device)
    assert "device did not verify its owner" in await authority.events(session.token)


async def test_a_device_of_another_account_joins_no_session(authority: LocalAuthority) -> None:
    anna, boris = await authority.register(), await authority.register("boris")
    device = device_of(authority)
    await with_device(authority, device, anna.token)
    with pytest.raises(DeviceRefused):
        await sign_in(authority, device, boris.token)
    with pytest.raises(SessionInvalid):
        await sign_in(authority, device, bytes(32))


LIES: dict[str, dict[str, Any]] = {
    "for another authority": {"relying_party": "authority-0"},
    "for another origin": {"origin": "https://elsewhere.example.org"},
    "without anybody present": {"present": False},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_a_device_that_signs_something_else_is_refused(
    authority: LocalAuthority, lie: dict[str, Any]
) -> None:
    session, device = await authority.register(), device_of(authority)
    await with_device(authority, device, session.token)
    for name, value in lie.items():
        setattr(device, name, value)
    with pytest.raises(DeviceRefused):
        await sign_in(authority, device)
    with pytest.raises(DeviceRefused):
        await with_device(authority, device, session.token)


async def test_a_challenge_is_good_once_and_for_what_it_was_given(authority: LocalAuthority) -> None:
    session, device = await authority.register(), device_of(authority)
    for_login, to_register = await challenge(authority), await challenge(authority, session.token)
    asked = device.register(for_login, session.token)
    with pytest.raises(DeviceRefused):
        await authority.ask("AddDevice", asked, calls.DeviceShown)
    asked = device.register(to_register, session.token)
    await authority.ask("AddDevice", asked, calls.DeviceShown)
    signed = device.sign(await challenge(authority))
    tries = (authority.ask("LoginWithDevice", signed, calls.Session) for _ in range(20))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, calls.Session) for outcome in outcomes) == 1
    late = device.sign(await challenge(authority))
    authority.clock.pass_by(300)
    with pytest.raises(DeviceRefused):
        await authority.ask("LoginWithDevice", late, calls.Session)


async def test_garbage_is_no_device(authority: LocalAuthority) -> None:
    session, device = await authority.register(), device_of(authority)
    good = device.register(await challenge(authority, session.token), session.token)
    for changes in ({"client_data": b"{"}, {"attestation": b"\xff"}):
        with pytest.raises(DeviceRefused):
            await authority.ask("AddDevice", msgspec.structs.replace(good, **changes), calls.DeviceShown)
    await with_device(authority, device, session.token)
    for changes in ({"signature": b"x"}, {"credential_id": b"x"}, {"authenticator_data": b"x"}):
        signed = msgspec.structs.replace(device.sign(await challenge(authority)), **changes)
        with pytest.raises(DeviceRefused):
            await authority.ask("LoginWithDevice", signed, calls.Session)


async def test_a_device_that_is_removed_is_one_no_longer(authority: LocalAuthority) -> None:
    """And every other session ends, since one of them may be the thief's."""
    session, device = await authority.register(), device_of(authority)
    shown = await with_device(authority, device, session.token)
    other = await sign_in(authority, device)
    removal = calls.DeviceRemoval(session.token, shown.device_id)
    await authority.ask("RemoveDevice", removal, calls.Done)
    await authority.ask("RemoveDevice", removal, calls.Done)
    with pytest.raises(DeviceRefused):
        await sign_in(authority, device)
    with pytest.raises(SessionInvalid):
        await authority.events(other.token)
    assert (await authority.events(session.token))[:2] == ["device removed", "logged in with a device"]


async def test_a_device_has_one_account(authority: LocalAuthority) -> None:
    anna, boris = await authority.register(), await authority.register("boris")
    device = device_of(authority)
    await with_device(authority, device, anna.token)
    with pytest.raises(DeviceRefused):
        await with_device(authority, device, boris.token)
