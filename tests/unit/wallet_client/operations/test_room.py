"""Room in a wallet with a limit: the three ways to make it, what is told, and what never leaves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, check_books, opened
from support.small_wallets import PAYLOAD_BYTES, SIZE, ZONE, away, condition, keep, limit, names, set_clock
from support.wallet_samples import small_value
from trust.refusals import StorageFull
from wallet_client.operations.add_in_room import add_in_room
from wallet_client.operations.backup import back_up
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.put_away import put_away
from wallet_client.operations.recover_in_room import (
    give_up,
    recover_in_room,
    recover_suspended,
    suspended_that_fit,
)
from wallet_client.operations.room import RoomShort, by_conditions, by_moving
from wallet_client.receipts.shelf import read_summary
from wallet_client.storage.errors import WalletFull
from wallet_client.values.value import Value, ValueId
from wallet_client.wallet import Wallet


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """Room for two values; tickets are what the conditions select."""
    async with opened(folder, safes) as made:
        set_clock(made, "2026-03-02 10:00")
        condition(made, "class is movie-ticket")
        limit(made, 2)
        yield made


def new(name: str = "new", **fields: object) -> Value:
    """One that is to come."""
    return small_value(name, payload=bytes(PAYLOAD_BYTES), **fields)


def card(wallet: Wallet, *titles: str) -> list[str]:
    """Values that no condition selects."""
    return [str(one) for one in keep(wallet, *titles, item_class="prepaid-tick")]


def calls(safes: MemorySafes) -> int:
    """How often safes were asked."""
    return sum(len(safe.calls) for safe in safes)


async def test_where_there_is_room_nothing_leaves_and_nobody_is_asked(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Whatever ways there are."""
    keep(wallet, "one")
    ids, moved = await add_in_room(wallet, [new()], ways=[by_conditions(wallet, ZONE)], zone=ZONE)
    assert (len(ids), moved, names(wallet), calls(safes)) == (1, (), ["new", "one"], 0)


async def test_what_the_conditions_select_leaves_and_the_value_comes(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """All of it, once it is safe; what they do not select stays."""
    card(wallet, "two")
    (one,) = keep(wallet, "one")
    _, (moved,) = await add_in_room(wallet, [new()], ways=[by_conditions(wallet, ZONE)], zone=ZONE)
    assert (moved.left, moved.staying, names(wallet)) == ((one,), (), ["new", "two"])
    check_books(wallet, safes)


async def test_nothing_leaves_where_all_of_it_would_not_suffice(wallet: Wallet, safes: MemorySafes) -> None:
    """The report says what is needed, free, selected, and safe already; no safe is asked."""
    keep(wallet, "one")
    card(wallet, "two")
    with pytest.raises(RoomShort) as short:
        await add_in_room(wallet, [new("aaa"), new("bbb")], ways=[by_conditions(wallet, ZONE)], zone=ZONE)
    error = short.value
    assert (error.needed, error.free) == (2 * SIZE, 0)
    assert [one.name for one in error.selected] == ["one"]
    assert error.already_safe == ()
    assert (names(wallet), calls(safes)) == (["one", "two"], 0)


async def test_the_report_names_what_would_help(wallet: Wallet) -> None:
    """What the conditions select first, then what is safe already, each with its size and why."""
    (two,) = card(wallet, "two")
    await back_up(wallet, [two], "threshold")  # type: ignore[list-item]
    keep(wallet, "one")
    with pytest.raises(RoomShort) as short:
        await add_in_room(wallet, [new()], zone=ZONE)
    text = str(short.value)
    assert text.startswith(f"The wallet is full: {SIZE} bytes are needed and 0 are free.")
    assert f"the conditions select: {SIZE} bytes in 1 value(s)" in text
    assert f"already safe: {SIZE} bytes in 1 value(s)" in text
    assert [(one.name, one.is_safe, bool(one.clause)) for one in short.value.candidates] == [
        ("one", False, True),
        ("two", True, False),
    ]
    assert "class is movie-ticket" in text
    assert "--make-room" in short.value.hint
    assert isinstance(short.value, WalletFull)


async def test_a_long_report_is_cut(wallet: Wallet) -> None:
    """Ten are named, the others counted."""
    limit(wallet, 12)
    keep(wallet, *(f"v{number:02}" for number in range(12)))
    with pytest.raises(RoomShort) as short:
        await add_in_room(wallet, [new()], zone=ZONE)
    assert len(short.value.candidates) == 12
    assert "and 2 more" in str(short.value)
    assert len(str(short.value).splitlines()) == 13


async def test_the_owner_chooses_what_leaves(wallet: Wallet, safes: MemorySafes) -> None:
    """Also what no condition selects."""
    card(wallet, "one")
    (two,) = card(wallet, "two")
    _, (moved,) = await add_in_room(wallet, [new()], ways=[by_moving(wallet, [two])], zone=ZONE)  # type: ignore[list-item]
    assert (moved.left, names(wallet)) == ((two,), ["new", "one"])
    check_books(wallet, safes)


async def test_nothing_leaves_before_it_is_safe(wallet: Wallet, safes: MemorySafes) -> None:
    """One safe is away: what is registered stays, and the same command goes on when it is back."""
    keep(wallet, "one", "two")
    safes.take_down(4)
    with pytest.raises(RoomShort, match="not all of their safes have them yet") as short:
        await add_in_room(wallet, [new()], ways=[by_conditions(wallet, ZONE)], zone=ZONE)
    assert len(short.value.moved[0].staying) == 2
    assert names(wallet) == ["one", "two"]
    safes.take_down()
    await add_in_room(wallet, [new()], ways=[by_conditions(wallet, ZONE)], zone=ZONE)
    assert names(wallet) == ["new"]
    check_books(wallet, safes)


async def test_too_few_safes_are_told_and_nothing_changes(wallet: Wallet, safes: MemorySafes) -> None:
    """The values stay, the new one does not come."""
    keep(wallet, "one", "two")
    safes.take_down(1, 2, 3)
    with pytest.raises(TooFewSafes):
        await add_in_room(wallet, [new()], ways=[by_conditions(wallet, ZONE)], zone=ZONE)
    assert names(wallet) == ["one", "two"]


async def test_one_way_is_tried_after_the_other(wallet: Wallet, safes: MemorySafes) -> None:
    """And none more than it takes; what left in vain is told."""
    (two,) = card(wallet, "two")
    keep(wallet, "one")
    ways = [by_moving(wallet, [two]), by_conditions(wallet, ZONE)]  # type: ignore[list-item]
    _, moved = await add_in_room(wallet, [new("aaa"), new("bbb")], ways=ways, zone=ZONE)
    assert [len(one.left) for one in moved] == [1, 1]
    limit(wallet, 1)
    aaa = next(one.id for one in wallet.store.values.summaries() if one.name == "aaa")
    with pytest.raises(RoomShort, match=r"1 value\(s\) were put away already"):
        await add_in_room(wallet, [new("ccc")], ways=[by_moving(wallet, [aaa])], zone=ZONE)
    assert names(wallet) == ["bbb"]


async def test_values_keep_the_policy_they_have(wallet: Wallet, safes: MemorySafes) -> None:
    """Putting away what is backed up registers nothing anew."""
    one, two = keep(wallet, "one", "two")
    await back_up(wallet, [one], "apart")
    done = await put_away(wallet, [one, two], delete=True, policy_name="plain")
    policies = {
        summary.fields.name: summary.policy_name
        for summary in map(read_summary, wallet.store.receipts.entries())
    }
    assert policies == {"one": "apart", "two": "plain"}
    assert set(done.left) == {one, two}
    check_books(wallet, safes)


async def test_a_full_safe_keeps_values_here_and_is_named(wallet: Wallet, safes: MemorySafes) -> None:
    """It owes its certificate; what it takes later is delivered before anything leaves."""
    (one,) = keep(wallet, "one")
    safes[5].refuses = StorageFull()
    done = await put_away(wallet, [one], delete=True)
    assert (done.left, done.staying, list(done.failed)) == ((), (one,), ["safe-5"])
    safes[5].refuses = None
    done = await put_away(wallet, [one], delete=True)
    assert (done.left, done.staying, done.failed) == ((one,), (), {})


async def test_what_fits_comes_back_and_the_rest_is_suspended(wallet: Wallet, safes: MemorySafes) -> None:
    """In the order asked for; one that does not fit holds up none that does."""
    limit(wallet, 9)
    first = await away(wallet, "one", "two")
    large = await away(wallet, "big", remarks="x" * SIZE)
    last = await away(wallet, "ten")
    limit(wallet, 3.5)
    outcome = await recover_in_room(wallet, [*first, *large, *last], zone=ZONE)
    assert names(wallet) == ["one", "ten", "two"]
    assert outcome.suspended == tuple(large)
    assert outcome.shortage is not None
    assert outcome.shortage.suspended == 1
    assert outcome.shortage.free == SIZE // 2
    assert "kura recover --suspended" in str(outcome.shortage)


async def test_a_suspended_recovery_goes_on_when_there_is_room(wallet: Wallet, safes: MemorySafes) -> None:
    """As far as there is; until then nobody is asked."""
    limit(wallet, 9)
    values = await away(wallet, "one", "two", "ten")
    limit(wallet, 0)
    before = calls(safes)
    outcome = await recover_in_room(wallet, values, zone=ZONE)
    assert (outcome.report.recovered, outcome.suspended) == ((), tuple(values))
    assert calls(safes) == before
    limit(wallet, 2)
    assert suspended_that_fit(wallet.store) == values[:2]
    outcome = await recover_suspended(wallet, zone=ZONE)
    assert (len(outcome.report.recovered), outcome.suspended) == (2, tuple(values[2:]))
    limit(wallet, 3)
    outcome = await recover_suspended(wallet, zone=ZONE)
    assert (len(outcome.report.recovered), outcome.suspended, outcome.shortage) == (1, (), None)
    assert wallet.store.suspended.entries() == []
    assert await recover_suspended(wallet, zone=ZONE) == type(outcome)()


async def test_the_same_command_goes_on_too(wallet: Wallet) -> None:
    """And leaves nothing suspended behind it."""
    values = await away(wallet, "one", "two")
    limit(wallet, 1)
    await recover_in_room(wallet, values, zone=ZONE)
    limit(wallet, 2)
    outcome = await recover_in_room(wallet, values, zone=ZONE)
    assert (len(outcome.report.recovered), len(outcome.report.already)) == (1, 1)
    assert wallet.store.suspended.entries() == []


async def test_receipts_are_deleted_when_it_goes_on_if_that_was_asked_for(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Each recovery remembers how it was asked for, also where the value is here by then."""
    limit(wallet, 3)
    kept, deleted, here = await away(wallet, "one", "two", "ten")
    limit(wallet, 0)
    await recover_in_room(wallet, [kept], zone=ZONE)
    await recover_in_room(wallet, [deleted, here], delete_receipts=True, zone=ZONE)
    limit(wallet, 3)
    outcome = await recover_suspended(wallet, zone=ZONE)
    assert (len(outcome.report.recovered), names(wallet)) == (3, ["one", "ten", "two"])
    assert [entry.value_ids for entry in wallet.store.receipts.entries()] == [(kept,)]
    check_books(wallet, safes)


async def test_a_recovery_makes_room_and_keeps_what_it_brings(wallet: Wallet, safes: MemorySafes) -> None:
    """What was asked for and is here does not leave to make room for the rest."""
    values = await away(wallet, "one", "two")
    await recover_in_room(wallet, values[:1], zone=ZONE)
    keep(wallet, "ten")
    outcome = await recover_in_room(wallet, values, ways=[by_conditions(wallet, ZONE)], zone=ZONE)
    assert (names(wallet), outcome.suspended) == (["one", "two"], ())
    assert len(outcome.moved[0].left) == 1
    check_books(wallet, safes)


async def test_a_recovery_that_safes_fail_stays_suspended(wallet: Wallet, safes: MemorySafes) -> None:
    """Nothing is forgotten before the value is back."""
    values = await away(wallet, "one")
    limit(wallet, 0)
    await recover_in_room(wallet, values, zone=ZONE)
    limit(wallet, 1)
    safes.take_down(1, 2, 3)
    with pytest.raises(TooFewSafes):
        await recover_suspended(wallet, zone=ZONE)
    assert [one.value_id for one in wallet.store.suspended.entries()] == values


async def test_room_that_somebody_else_takes_suspends_all(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the recovery another task may add a value."""
    values = await away(wallet, "one")
    limit(wallet, 1)

    async def taken(*arguments: object, **more: object) -> None:
        raise WalletFull(SIZE, 0)

    monkeypatch.setattr("wallet_client.operations.recover_in_room.recover", taken)
    outcome = await recover_in_room(wallet, values, zone=ZONE)
    assert outcome.suspended == tuple(values)
    assert [one.value_id for one in wallet.store.suspended.entries()] == values


async def test_a_receipt_that_is_gone_is_no_longer_suspended(wallet: Wallet) -> None:
    """Nor is one that was given up."""
    limit(wallet, 3)
    gone, given_up, left = await away(wallet, "one", "two", "ten")
    limit(wallet, 0)
    await recover_in_room(wallet, [gone, given_up, left], zone=ZONE)
    (receipt_id,) = (entry.id for entry in wallet.store.receipts.entries() if gone in entry.value_ids)
    wallet.store.receipts.delete(receipt_id)
    with wallet.store.transaction():
        assert give_up(wallet.store, [given_up, given_up, ValueId("v-nobody")]) == [given_up]
    limit(wallet, 3)
    assert suspended_that_fit(wallet.store) == [left]
