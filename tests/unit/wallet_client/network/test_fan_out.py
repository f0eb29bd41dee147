"""Every sentence of fan_out's contract, on a clock that never waits."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import pytest

from rpc_edge.errors import NoAnswer, NothingListens
from support.memory_safes import roster_of
from support.virtual_time import now, run_virtually
from trust.errors import SignatureInvalid
from trust.ids import SafeId
from trust.refusals import StorageFull
from wallet_client.network.failures import SafeFailure, TooSlow, WrongPiece
from wallet_client.network.fan_out import SETTLE_SECONDS, Answers, fan_out

SAFES = [safe.safe_id for safe in roster_of(5, 3).safes]
Call = Callable[[], Awaitable[str]]


@dataclass
class Diary:
    """When each call began and how it ended."""

    began: dict[SafeId, float] = field(default_factory=dict)
    ended: dict[SafeId, str] = field(default_factory=dict)


def calls(
    diary: Diary, *delays: float, failures: Mapping[int, BaseException] | None = None
) -> dict[SafeId, Call]:
    """Safe i answers after delays[i] seconds, or fails then."""

    def call(index: int) -> Call:
        async def work() -> str:
            diary.began[SAFES[index]] = now()
            try:
                await asyncio.sleep(delays[index])
            except asyncio.CancelledError:
                diary.ended[SAFES[index]] = "cancelled"
                raise
            if failures and index in failures:
                diary.ended[SAFES[index]] = "failed"
                raise failures[index]
            diary.ended[SAFES[index]] = "answered"
            return f"answer {index + 1}"

        return work

    return {SAFES[index]: call(index) for index in range(len(delays))}


def at_least(count: int) -> Callable[[Mapping[SafeId, str]], bool]:
    """So many answers suffice."""
    return lambda good: len(good) >= count


def test_all_calls_start_together() -> None:
    """None waits for another."""
    diary = Diary()
    run_virtually(fan_out(calls(diary, 5, 1, 3, 2, 4)))
    assert set(diary.began.values()) == {0}
    assert len(diary.began) == 5


def test_without_enough_it_waits_for_every_answer() -> None:
    """However long the last one takes."""

    async def scenario() -> tuple[Answers[str], float]:
        return await fan_out(calls(Diary(), 1, 3_600, 2)), now()

    answers, seconds = run_virtually(scenario())
    assert answers.good == {SAFES[0]: "answer 1", SAFES[1]: "answer 2", SAFES[2]: "answer 3"}
    assert answers.failed == {}
    assert seconds == 3_600


@pytest.mark.parametrize(
    "failure",
    [
        NothingListens(),
        NoAnswer(5.0),
        StorageFull(),
        SignatureInvalid("certificates"),
        WrongPiece(),
        TooSlow(1),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_failure_of_one_safe_disturbs_no_other(failure: SafeFailure) -> None:
    """Whatever family it is of; it is reported under that safe's id."""
    answers = run_virtually(fan_out(calls(Diary(), 1, 2, 3, failures={0: failure})))
    assert answers.failed == {SAFES[0]: failure}
    assert set(answers.good) == {SAFES[1], SAFES[2]}


def test_when_all_fail_all_are_named() -> None:
    """And nothing is good."""
    failures = {index: NoAnswer(float(index)) for index in range(5)}
    answers = run_virtually(fan_out(calls(Diary(), 1, 1, 1, 1, 1, failures=failures)))
    assert answers.good == {}
    assert answers.failed == {SAFES[index]: failure for index, failure in failures.items()}


@pytest.mark.parametrize("defect", [ValueError("a defect"), KeyError("x"), asyncio.CancelledError()])
def test_anything_else_cancels_all_and_is_raised(defect: BaseException) -> None:
    """A defect, or a cancellation from below, is nobody's failure."""
    diary = Diary()
    with pytest.raises(type(defect)):
        run_virtually(fan_out(calls(diary, 9, 1, 9, failures={1: defect})))
    assert diary.ended == {SAFES[0]: "cancelled", SAFES[1]: "failed", SAFES[2]: "cancelled"}


def test_two_defects_at_once_leave_no_complaint_behind() -> None:
    """The one that is not raised is looked at; asyncio would otherwise log it when it is collected."""
    complaints: list[object] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        defects = {0: ValueError("one"), 1: ValueError("other")}
        with pytest.raises(ValueError, match=r"one|other"):
            await fan_out(calls(Diary(), 1, 1, failures=defects))

    run_virtually(scenario())
    gc.collect()
    assert complaints == []


def test_enough_answers_give_the_others_a_little_longer() -> None:
    """One second by default: one that comes within it counts, one that fails within it is named."""
    diary = Diary()

    async def scenario() -> tuple[Answers[str], float]:
        failures = {3: WrongPiece()}
        return await fan_out(calls(diary, 1, 1, 1.5, 1.9, 60, failures=failures), enough=at_least(2)), now()

    answers, seconds = run_virtually(scenario())
    assert set(answers.good) == {SAFES[0], SAFES[1], SAFES[2]}
    assert isinstance(answers.failed[SAFES[3]], WrongPiece)
    assert isinstance(answers.failed[SAFES[4]], TooSlow)
    assert diary.ended[SAFES[4]] == "cancelled"
    assert seconds == 1 + SETTLE_SECONDS


def test_the_time_to_settle_is_counted_from_the_moment_there_is_enough() -> None:
    """Answers that come later do not prolong it."""

    async def scenario() -> tuple[Answers[str], float]:
        delays = (1, 1.6, 2.2, 2.8, 3.4)
        return await fan_out(calls(Diary(), *delays), enough=at_least(1), settle_seconds=1.0), now()

    answers, seconds = run_virtually(scenario())
    assert set(answers.good) == {SAFES[0], SAFES[1]}
    assert seconds == 2


def test_too_slow_says_how_long_was_waited() -> None:
    """As its clause for people does."""
    answers = run_virtually(fan_out(calls(Diary(), 1, 60), enough=at_least(1), settle_seconds=0.25))
    failure = answers.failed[SAFES[1]]
    assert str(failure) == "still no answer 0.25 s after the others"


def test_it_returns_at_once_when_all_answered_before_the_time_is_up() -> None:
    """Nobody waits for nobody."""

    async def scenario() -> float:
        await fan_out(calls(Diary(), 1, 1.2), enough=at_least(1), settle_seconds=60)
        return now()

    assert run_virtually(scenario()) == 1.2


def test_with_never_enough_it_waits_for_every_answer() -> None:
    """`enough` is asked, not believed in."""
    answers = run_virtually(
        fan_out(calls(Diary(), 1, 100, failures={0: NothingListens()}), enough=at_least(2))
    )
    assert set(answers.good) == {SAFES[1]}
    assert set(answers.failed) == {SAFES[0]}


def test_no_time_to_settle_still_takes_what_is_there() -> None:
    """Two answers of the same moment count both."""
    answers = run_virtually(fan_out(calls(Diary(), 1, 1, 2), enough=at_least(1), settle_seconds=0))
    assert set(answers.good) == {SAFES[0], SAFES[1]}
    assert set(answers.failed) == {SAFES[2]}


def test_nobody_to_ask_is_answered_at_once() -> None:
    """An empty result, no error."""
    assert run_virtually(fan_out({})) == Answers({}, {})


def test_when_it_is_cancelled_no_call_of_it_runs_any_more() -> None:
    """Ctrl-C in the middle."""
    diary = Diary()

    async def scenario() -> None:
        running = asyncio.create_task(fan_out(calls(diary, 1, 9, 9)))
        await asyncio.sleep(5)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert diary.ended == {SAFES[0]: "answered", SAFES[1]: "cancelled", SAFES[2]: "cancelled"}

    run_virtually(scenario())


@pytest.mark.parametrize("impatience", [1, 2, 5])
def test_a_call_that_is_slow_to_stop_is_waited_for_however_often_one_cancels(impatience: int) -> None:
    """Ctrl-C again and again: still none is running when it ends."""
    stopped: list[float] = []

    async def stubborn() -> str:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(10)
            stopped.append(now())
        return ""

    async def scenario() -> None:
        running = asyncio.create_task(fan_out({SAFES[0]: stubborn}))
        for _ in range(impatience):
            await asyncio.sleep(1)
            running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert stopped == [11]

    run_virtually(scenario())


def test_a_late_failure_while_cancelling_is_nobodys_business() -> None:
    """A safe that fails while it is cancelled is just too slow, and asyncio has nothing to complain of."""
    complaints: list[object] = []

    async def spiteful() -> str:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            raise NothingListens from None
        return ""

    async def quick() -> str:
        return "good"

    async def scenario() -> Answers[str]:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        return await fan_out({SAFES[0]: quick, SAFES[1]: spiteful}, enough=at_least(1))

    answers = run_virtually(scenario())
    gc.collect()
    assert answers.good == {SAFES[0]: "good"}
    assert isinstance(answers.failed[SAFES[1]], TooSlow)
    assert complaints == []
