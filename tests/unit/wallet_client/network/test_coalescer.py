"""What leaves in which message, and who learns what became of it."""

import asyncio
import gc
from collections.abc import Sequence

import pytest

from support.virtual_time import now, run_virtually
from wallet_client.network.coalescer import Coalescer


class Wire:
    """Records messages and answers each when told; an entry's result is its capital."""

    def __init__(self) -> None:
        self.messages: list[list[str]] = []
        self.replies: list[asyncio.Future[Sequence[str | Exception] | None]] = []

    async def send(self, entries: Sequence[str]) -> Sequence[str | Exception]:
        self.messages.append(list(entries))
        reply: asyncio.Future[Sequence[str | Exception] | None] = asyncio.get_running_loop().create_future()
        self.replies.append(reply)
        return await reply or [entry.upper() for entry in entries]

    def answer(self, number: int, results: Sequence[str | Exception] | None = None) -> None:
        self.replies[number].set_result(results)

    def fail(self, number: int, error: BaseException) -> None:
        self.replies[number].set_exception(error)


def coalescer(wire: Wire, *, entries: int = 100, weight: int = 100, lanes: int = 1) -> Coalescer[str, str]:
    """One with these bounds."""
    return Coalescer(wire.send, max_entries=entries, max_weight=weight, lanes=lanes)


async def settled() -> None:
    """Let everything that can go on do so; on a virtual clock that takes no time."""
    await asyncio.sleep(0.001)


def submit(to: Coalescer[str, str], entries: str, weight: int = 1) -> list[asyncio.Task[str]]:
    """One submission for each letter."""
    return [asyncio.create_task(to.submit(entry, weight)) for entry in entries]


def test_a_lone_submission_goes_at_once() -> None:
    """Nobody waits for company."""

    async def scenario() -> None:
        wire = Wire()
        (task,) = submit(coalescer(wire), "a")
        await settled()
        assert wire.messages == [["a"]]
        wire.answer(0)
        assert await task == "A"

    run_virtually(scenario())


def test_what_arrives_while_a_message_is_under_way_travels_together() -> None:
    """In the order in which it came, as soon as the answer is here."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire)
        first = submit(sender, "a")
        await settled()
        later = submit(sender, "bcd")
        await settled()
        assert wire.messages == [["a"]]
        wire.answer(0)
        await settled()
        assert wire.messages == [["a"], ["b", "c", "d"]]
        wire.answer(1)
        assert await asyncio.gather(*first, *later) == ["A", "B", "C", "D"]

    run_virtually(scenario())


def test_with_two_lanes_the_second_message_does_not_wait_for_the_first() -> None:
    """The third does; whichever lane is free first takes it."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire, lanes=2)
        tasks = submit(sender, "a")
        await settled()
        tasks += submit(sender, "b")
        await settled()
        tasks += submit(sender, "cd")
        await settled()
        assert wire.messages == [["a"], ["b"]]
        wire.answer(1)
        await settled()
        assert wire.messages == [["a"], ["b"], ["c", "d"]]
        wire.answer(2)
        wire.answer(0)
        assert await asyncio.gather(*tasks) == ["A", "B", "C", "D"]

    run_virtually(scenario())


@pytest.mark.parametrize(
    ("bounds", "messages"),
    [
        ({"entries": 2}, [["x"], ["a", "b"], ["c", "d"], ["e"]]),
        ({"entries": 1}, [["x"], ["a"], ["b"], ["c"], ["d"], ["e"]]),
        ({"weight": 30}, [["x"], ["a", "b", "c"], ["d", "e"]]),
        ({"weight": 29}, [["x"], ["a", "b"], ["c", "d"], ["e"]]),
        ({"weight": 9}, [["x"], ["a"], ["b"], ["c"], ["d"], ["e"]]),
        ({"entries": 2, "weight": 15}, [["x"], ["a"], ["b"], ["c"], ["d"], ["e"]]),
    ],
)
def test_a_message_keeps_its_bounds(bounds: dict[str, int], messages: list[list[str]]) -> None:
    """Number and weight; each entry weighs 10, and one that is too heavy travels alone."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire, **bounds)
        tasks = submit(sender, "x", 10)
        await settled()
        tasks += submit(sender, "abcde", 10)
        for number in range(len(messages)):
            await settled()
            wire.answer(number)
        assert await asyncio.gather(*tasks) == ["X", "A", "B", "C", "D", "E"]
        assert wire.messages == messages

    run_virtually(scenario())


def test_a_heavy_entry_takes_nobody_along_and_overtakes_nobody() -> None:
    """Order is kept."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire, weight=10)
        tasks = submit(sender, "x")
        await settled()
        tasks += submit(sender, "a", 1) + submit(sender, "H", 50) + submit(sender, "b", 1)
        for number in range(4):
            await settled()
            wire.answer(number)
        await asyncio.gather(*tasks)
        assert wire.messages == [["x"], ["a"], ["H"], ["b"]]

    run_virtually(scenario())


def test_an_exception_of_the_message_reaches_all_its_entries_and_no_other() -> None:
    """What comes after it goes on."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire)
        tasks = submit(sender, "x")
        await settled()
        tasks += submit(sender, "ab")
        wire.answer(0)
        await settled()
        last = submit(sender, "z")
        error = ConnectionError("gone")
        wire.fail(1, error)
        await settled()
        wire.answer(2)
        outcomes = await asyncio.gather(*tasks, *last, return_exceptions=True)
        assert outcomes == ["X", error, error, "Z"]

    run_virtually(scenario())


def test_an_exception_among_the_results_reaches_one() -> None:
    """The others have their results."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire)
        tasks = submit(sender, "x")
        await settled()
        tasks += submit(sender, "abc")
        wire.answer(0)
        await settled()
        error = ValueError("b alone")
        wire.answer(1, ["A", error, "C"])
        assert await asyncio.gather(*tasks, return_exceptions=True) == ["X", "A", error, "C"]

    run_virtually(scenario())


@pytest.mark.parametrize("results", [["A"], ["A", "B", "C"]], ids=["too few", "too many"])
def test_results_that_do_not_match_are_an_error_for_who_has_none(results: list[str]) -> None:
    """Nobody waits for ever."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire)
        tasks = submit(sender, "x")
        await settled()
        tasks += submit(sender, "ab")
        wire.answer(0)
        await settled()
        wire.answer(1, results)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert outcomes[0] == "X"
        assert all(isinstance(outcome, str | ValueError) for outcome in outcomes[1:])

    run_virtually(scenario())


def test_who_is_cancelled_while_waiting_is_not_sent_and_blocks_nobody() -> None:
    """Neither at the head of the queue nor in its middle."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire)
        tasks = submit(sender, "x")
        await settled()
        waiting = submit(sender, "abc")
        await settled()
        waiting[0].cancel()
        waiting[1].cancel()
        await settled()
        wire.answer(0)
        await settled()
        assert wire.messages == [["x"], ["c"]]
        wire.answer(1)
        assert [await tasks[0], await waiting[2]] == ["X", "C"]

    run_virtually(scenario())


def test_when_all_who_wait_are_cancelled_nothing_is_sent_and_the_next_goes_at_once() -> None:
    """No lane is lost on them."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire)
        tasks = submit(sender, "x")
        await settled()
        (gone,) = submit(sender, "a")
        await settled()
        gone.cancel()
        wire.answer(0)
        await settled()
        assert wire.messages == [["x"]]
        tasks += submit(sender, "b")
        await settled()
        wire.answer(1)
        assert await asyncio.gather(*tasks) == ["X", "B"]

    run_virtually(scenario())


def test_who_is_cancelled_under_way_takes_nobody_along() -> None:
    """The message goes on for the others."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire)
        tasks = submit(sender, "x")
        await settled()
        pair = submit(sender, "ab")
        wire.answer(0)
        await settled()
        pair[0].cancel()
        await settled()
        wire.answer(1)
        assert [await tasks[0], await pair[1]] == ["X", "B"]
        assert pair[0].cancelled()

    run_virtually(scenario())


def test_an_error_for_somebody_who_is_gone_leaves_no_complaint() -> None:
    """Cancelled in the very moment in which the error arrives."""
    complaints: list[object] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        wire = Wire()
        (task,) = submit(coalescer(wire), "a")
        await settled()
        wire.fail(0, ConnectionError("gone"))
        await asyncio.sleep(0)  # the error is set in this step, and would be seen in the next one
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()

    run_virtually(scenario())
    gc.collect()
    assert complaints == []


def test_close_cancels_what_is_under_way_and_what_waits() -> None:
    """And waits until it has ended."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire)
        tasks = submit(sender, "a")
        await settled()
        tasks += submit(sender, "bc")
        await settled()
        await sender.close()
        assert wire.replies[0].cancelled()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
        assert wire.messages == [["a"]]

    run_virtually(scenario())


def test_after_close_nothing_is_taken_in() -> None:
    """It would never be sent."""

    async def scenario() -> None:
        wire = Wire()
        sender = coalescer(wire)
        await sender.close()
        (task,) = submit(sender, "a")
        await settled()
        assert task.cancelled()
        assert wire.messages == []

    run_virtually(scenario())


def test_a_thousand_submissions_in_one_breath_take_one_message() -> None:
    """Nothing leaves before all of them were made."""

    async def scenario() -> float:
        wire = Wire()
        sender = Coalescer(wire.send, max_entries=5_000, max_weight=5_000)
        tasks = [asyncio.create_task(sender.submit(str(number))) for number in range(1_000)]
        await settled()
        wire.answer(0)
        await asyncio.gather(*tasks)
        assert [len(message) for message in wire.messages] == [1_000]
        return now()

    assert run_virtually(scenario()) < 1
