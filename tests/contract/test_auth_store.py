"""What every store of an authority promises, on the one there is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pysqlite3
import pytest

from auth_service.decisions.throttling import plan_try
from auth_service.records import Account, DeviceUse, Event, Ledger, NewAccount, NewSession, Registered
from auth_service.store.sqlite_store import DATABASE_NAME, SqliteAuthStore, open_store
from durable.folder import StoreUnusable
from support.safe_requests import seeded
from trust.authority_calls import MAX_DEVICES
from trust.authority_refusals import AccountExists, DeviceRefused, SessionInvalid
from trust.ids import AuthorityKey

KEY = AuthorityKey(bytes(32))
NOW = 1_790_000_000_000
ANNA = NewAccount(b"n" * 32, b"h" * 16, "anna", "hash")
BORIS = NewAccount(b"m" * 32, b"i" * 16, "boris", "hash")
LATER = NOW + 3_600_000


def session(number: int, expires_ms: int = LATER) -> NewSession:
    return NewSession(bytes([number]) * 32, ("password",), expires_ms)


def device(number: int) -> Registered:
    return Registered(bytes([number]) * 8, b"credential", 1, False)


async def opened(folder: Path) -> SqliteAuthStore:
    return await open_store(folder, KEY, seeded("slots"))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteAuthStore]:
    one = await opened(tmp_path)
    yield one
    await one.close()


async def anna(store: SqliteAuthStore) -> Account:
    await store.register(ANNA, session(1), NOW)
    found = await store.session(session(1).token_hash)
    assert found is not None
    return found.account


async def test_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    account = await anna(store)
    await store.add_device(account, session(1).token_hash, b"d" * 16, "key ring", device(1), NOW)
    await store.close()
    store = await opened(tmp_path)
    try:
        assert (await store.devices(account))[0].registered == device(1)
        assert [event.what for event in await store.events(account, 9)] == ["device added", "registered"]
    finally:
        await store.close()


async def test_tries_at_nobody_are_counted_like_an_owners(store: SqliteAuthStore) -> None:
    await anna(store)
    for name in (ANNA.name_id, b"nobody" * 5):
        outcomes = await asyncio.gather(*(store.spend(name, NOW, plan_try) for _ in range(50)))
        assert sum(outcome.allowed for outcome in outcomes) == 5


async def test_a_login_gives_all_tries_back(store: SqliteAuthStore) -> None:
    account = await anna(store)
    for _ in range(5):
        await store.spend(ANNA.name_id, NOW, plan_try)
    assert await store.log_in(account, session(2), None, NOW)
    seen: list[Ledger] = []
    await store.spend(ANNA.name_id, NOW, lambda ledger, _: seen.append(ledger))
    assert seen == [Ledger()]


async def test_a_login_depends_on_the_hash_that_was_looked_at(store: SqliteAuthStore) -> None:
    """A password that was changed meanwhile lets nobody in who knew the one before."""
    account = await anna(store)
    assert await store.change_password(account, "another hash", NOW)
    assert not await store.log_in(account, session(2), None, NOW)
    assert not await store.change_password(account, "a third", NOW)
    assert await store.session(session(1).token_hash) is None
    assert await store.session(session(2).token_hash) is None


async def test_what_a_session_allows_is_written_only_while_it_stands(store: SqliteAuthStore) -> None:
    """A call that was under way when the password was changed adds, removes and is given nothing."""
    account, ended = await anna(store), session(1).token_hash
    await store.add_device(account, ended, b"d" * 16, "mine", device(1), NOW)
    assert await store.change_password(account, "another hash", NOW)
    before = await store.events(account, 9)
    calls = (
        store.add_device(account, ended, b"e" * 16, "a thief's", device(2), NOW),
        store.remove_device(account, b"d" * 16, ended, NOW),
        store.note(account, ended, Event(NOW, "asserted")),
    )
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [SessionInvalid] * 3
    assert [kept.label for kept in await store.devices(account)] == ["mine"]
    assert await store.events(account, 9) == before


async def test_a_name_is_given_once(store: SqliteAuthStore) -> None:
    await anna(store)
    with pytest.raises(AccountExists):
        await store.register(ANNA, session(2), NOW)
    assert await store.session(session(2).token_hash) is None


async def test_whatever_starts_a_session_erases_those_that_are_over(store: SqliteAuthStore) -> None:
    account = await anna(store)
    assert await store.log_in(account, session(2, LATER + 1), None, LATER)
    assert await store.session(session(1).token_hash) is None


async def test_the_database_itself_refuses_to_change_an_event(store: SqliteAuthStore, tmp_path: Path) -> None:
    await store.note(await anna(store), session(1).token_hash, Event(NOW, "seen"))
    connection = pysqlite3.connect(tmp_path / DATABASE_NAME)
    for statement in ("UPDATE events SET what = ''", "DELETE FROM events"):
        with pytest.raises(pysqlite3.IntegrityError, match="events are never"):
            connection.execute(statement)
    connection.close()


async def test_an_account_has_so_many_devices_and_no_more(store: SqliteAuthStore) -> None:
    account = await anna(store)
    for number in range(MAX_DEVICES):
        await store.add_device(
            account, session(1).token_hash, bytes([number]) * 16, "one", device(number), NOW
        )
    with pytest.raises(DeviceRefused):
        await store.add_device(account, session(1).token_hash, b"x" * 16, "one", device(200), NOW)


async def test_a_device_is_judged_inside_the_write(store: SqliteAuthStore) -> None:
    """Of twenty uses of one counter at once, one is taken; what is refused is noted."""
    account = await anna(store)
    await store.add_device(account, session(1).token_hash, b"d" * 16, "one", device(1), NOW)

    def judge(kept: object) -> DeviceUse:
        stuck = kept.registered.counter >= 2  # type: ignore[attr-defined]
        return DeviceUse(None, event="stuck") if stuck else DeviceUse(2, ("device",), "used")

    uses = (store.use_device(device(1).credential_id, session(n), None, NOW, judge) for n in range(10, 30))
    outcomes = await asyncio.gather(*uses)
    assert sum(outcome is not None for outcome in outcomes) == 1
    noted = [event.what for event in await store.events(account, 50)]
    assert (noted.count("used"), noted.count("stuck")) == (1, 19)


async def test_a_device_joins_no_session_of_another_account(store: SqliteAuthStore) -> None:
    account = await anna(store)
    await store.register(BORIS, session(2), NOW)
    await store.add_device(account, session(1).token_hash, b"d" * 16, "one", device(1), NOW)
    use = store.use_device(
        device(1).credential_id, session(2), session(2).token_hash, NOW, lambda _: DeviceUse(2)
    )
    assert await use is None
    assert await store.use_device(b"unknown", session(3), None, NOW, lambda _: DeviceUse(2)) is None


async def test_another_authoritys_database_is_refused(tmp_path: Path) -> None:
    await (await opened(tmp_path)).close()
    with pytest.raises(StoreUnusable, match="belongs to authority"):
        await open_store(tmp_path, AuthorityKey(b"x" * 32), seeded("slots"))


async def test_a_database_is_one_processs_and_of_a_version_that_is_known(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    with pytest.raises(StoreUnusable, match="another process runs this authority"):
        await opened(tmp_path)
    await store.close()
    connection = pysqlite3.connect(tmp_path / DATABASE_NAME)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreUnusable, match="newer version"):
        await opened(tmp_path)
    (tmp_path / DATABASE_NAME).write_bytes(b"no database" * 1_000)
    with pytest.raises(StoreUnusable, match="not a database"):
        await opened(tmp_path)
