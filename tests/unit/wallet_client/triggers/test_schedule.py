"""When schedules are due: missed runs, summer time, clocks that jump, and combinations."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from wallet_client.triggers.phrases import At, Every
from wallet_client.triggers.schedule import Schedule

HOUR, DAY = 3_600, 86_400
BERLIN, KATHMANDU, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Pacific/Apia")


def at(text: str, zone: ZoneInfo = BERLIN, *, fold: int = 0) -> int:
    """Seconds since 1970 of a local time such as `2026-03-01 10:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp())


MADE = at("2026-03-02 10:00")


def schedule(
    every: int | None = None, clock: str | None = None, *, made: int = MADE, zone: ZoneInfo = BERLIN
) -> Schedule:
    """With a period in seconds, a time of day, or both."""
    hour, minute = map(int, (clock or "0:0").split(":"))
    return Schedule(Every(every) if every else None, At(hour, minute) if clock else None, made, zone)


def runs(one: Schedule, looks: list[int], served: int | None = None) -> list[int]:
    """At which of these looks it runs, each run noted as the wallet notes it."""
    ran = []
    for now in looks:
        if one.is_pending(served, now):
            ran.append(now)
            served = now
        else:
            assert one.next_after(served, now) > now
    return ran


def every_minute(first: str, last: str, zone: ZoneInfo = BERLIN) -> list[int]:
    """Looks."""
    return list(range(at(first, zone), at(last, zone), 60))


def test_a_period_begins_when_the_trigger_is_made() -> None:
    """The first run waits for nothing, the others for their period, without drifting."""
    looks = [MADE, MADE + 59, MADE + 300, MADE + HOUR - 1, MADE + HOUR + 250, MADE + 2 * HOUR + 10]
    assert runs(schedule(HOUR), looks) == [MADE, MADE + HOUR + 250, MADE + 2 * HOUR + 10]


def test_a_time_of_day_is_waited_for() -> None:
    """Made at ten, `at 02:00` first runs the next night; `at 10:00` the next day."""
    assert runs(schedule(clock="2:00"), every_minute("2026-03-02 10:00", "2026-03-04 10:00")) == [
        at("2026-03-03 02:00"),
        at("2026-03-04 02:00"),
    ]
    assert runs(schedule(clock="10:00"), every_minute("2026-03-02 10:00", "2026-03-03 12:00")) == [
        at("2026-03-03 10:00")
    ]


@pytest.mark.parametrize("missed", [1, 2, 3, 300])
def test_missed_runs_are_made_up_once(missed: int) -> None:
    """A laptop that slept for three periods runs once, and then as if nothing had been."""
    for one, start in ((schedule(DAY), MADE), (schedule(clock="2:00"), at("2026-03-03 02:00"))):
        wakes = start + missed * DAY + 5 * HOUR
        looks = [start, wakes, wakes + 60, wakes + 18 * HOUR, wakes + 20 * HOUR]
        assert runs(one, looks) == [start, wakes, wakes + 20 * HOUR]


def test_next_is_the_first_moment_at_which_it_runs() -> None:
    """Whoever sleeps until then misses nothing and wakes once."""
    for one in (
        schedule(7 * HOUR),
        schedule(clock="2:00"),
        schedule(2 * DAY, "2:00"),
        schedule(HOUR, "2:00"),
    ):
        now, served = MADE, MADE
        for _ in range(20):
            wake = one.next_after(served, now)
            assert not one.is_pending(served, wake - 1)
            assert one.is_pending(served, wake)
            now = served = wake


def test_a_time_that_summer_time_skips_is_run_once() -> None:
    """29 March 2026 has no 02:30 in Berlin: it runs at what would have been 02:30, which is 03:30."""
    ran = runs(schedule(clock="2:30"), every_minute("2026-03-28 12:00", "2026-03-30 12:00"), MADE + DAY * 26)
    assert ran == [at("2026-03-29 03:30"), at("2026-03-30 02:30")]


def test_a_time_that_comes_twice_is_run_once() -> None:
    """25 October 2026 has two 02:30 in Berlin: the first counts."""
    served = at("2026-10-24 02:30")
    ran = runs(schedule(clock="2:30"), every_minute("2026-10-24 12:00", "2026-10-26 12:00"), served)
    assert ran == [at("2026-10-25 02:30", fold=0), at("2026-10-26 02:30")]


def test_a_day_that_a_zone_skipped_is_made_up() -> None:
    """Samoa had no 30 December 2011; a daily run still comes on each day there was."""
    made = at("2011-12-28 12:00", APIA)
    one = schedule(clock="6:00", made=made, zone=APIA)
    ran = runs(one, every_minute("2011-12-28 12:00", "2012-01-01 12:00", APIA))
    assert ran == [at(f"{day} 06:00", APIA) for day in ("2011-12-29", "2011-12-31", "2012-01-01")]


@pytest.mark.parametrize("zone", [KATHMANDU, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Etc/GMT+12")])
def test_local_time_is_that_of_the_zone(zone: ZoneInfo) -> None:
    """Also where it is another day than in Greenwich."""
    made = at("2026-06-01 12:00", zone)
    ran = runs(
        schedule(clock="0:00", made=made, zone=zone),
        every_minute("2026-06-01 12:00", "2026-06-03 12:00", zone),
    )
    assert ran == [at("2026-06-02 00:00", zone), at("2026-06-03 00:00", zone)]


def test_this_machines_zone_is_used_where_none_is_given() -> None:
    """It has its rules from the system."""
    one = Schedule(None, At(2, 0), MADE, None)
    due = one.next_after(MADE, MADE)
    assert datetime.fromtimestamp(due).astimezone().strftime("%H:%M") == "02:00"
    assert MADE < due <= MADE + DAY + HOUR


@pytest.mark.parametrize("step", [1, 60, HOUR, DAY - 1])
def test_a_clock_set_back_within_a_period_runs_nothing_twice(step: int) -> None:
    """It waits until its moment comes by the clock as it is now."""
    served = MADE + 5 * DAY
    for one in (schedule(DAY), schedule(clock="10:00")):
        looks = [served - step, served - step // 2, served + 1, served + DAY]
        assert runs(one, looks, served) == [served + DAY]


@pytest.mark.parametrize("step", [3 * DAY, 400 * DAY, 4_000 * DAY])
def test_a_clock_set_back_by_more_does_not_silence_it(step: int) -> None:
    """What was noted under the wrong clock tells nothing: it runs once, and then in its period."""
    served = MADE + 5 * DAY
    for one in (schedule(DAY), schedule(clock="10:00")):
        now = served - step
        assert runs(one, [now, now + 60, now + DAY], served) == [now, now + DAY]


def test_a_clock_set_forward_runs_once() -> None:
    """However many periods it jumps over."""
    assert runs(schedule(HOUR), [MADE, MADE + 10_000 * DAY, MADE + 10_000 * DAY + 60]) == [
        MADE,
        MADE + 10_000 * DAY,
    ]


def test_a_period_and_a_time_of_day_hold_together() -> None:
    """Every two days at two in the night: at night, and every second one, also after a missed one."""
    one = schedule(2 * DAY, "2:00")
    looks = every_minute("2026-03-02 10:00", "2026-03-08 10:00")
    nights = [at(f"2026-03-0{day} 02:00") for day in (3, 5, 7)]
    assert runs(one, looks) == nights
    wakes = at("2026-03-06 09:00")
    assert runs(one, [nights[0], wakes, wakes + 60, at("2026-03-07 02:00")]) == [
        nights[0],
        wakes,
        at("2026-03-07 02:00"),
    ]
