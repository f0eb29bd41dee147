"""Figures are judged and shown as the table says; turns pair each figure with its ceiling."""

import sys

import pytest

from benchmarks.figure import Figure, at_least, at_most, at_most_times, markdown, table
from benchmarks.processes import ProcessFailed, environment, peak_mb, resident_mb, run, start
from benchmarks.timing import Turns, take_turns


@pytest.mark.parametrize(
    ("figure", "met", "ratio"),
    [
        pytest.param(at_least("work", 90, "MB/s", 60, ("copy", 180)), True, 0.5, id="a rate above its limit"),
        pytest.param(at_least("work", 59, "MB/s", 60), False, None, id="a rate below its limit"),
        pytest.param(at_most("work", 2.0, "s", 2.0, ("server", 0.5)), True, 4.0, id="a time at its limit"),
        pytest.param(at_most("work", 2.1, "s", 2.0), False, None, id="a time over its limit"),
        pytest.param(at_most_times("work", 3, "ms", 1.5, "bare", 2), True, 1.5, id="at its multiple"),
        pytest.param(at_most_times("work", 3.1, "ms", 1.5, "bare", 2), False, 1.55, id="over its multiple"),
    ],
)
def test_a_figure_is_met_by_its_own_rule(figure: Figure, met: bool, ratio: float | None) -> None:
    """Rates must reach their limit, times and sizes must stay below it, multiples refer to the ceiling."""
    assert figure.met is met
    assert figure.ratio == (None if ratio is None else pytest.approx(ratio))


def test_the_table_names_what_is_not_met() -> None:
    """A reader finds the missed targets by one word."""
    shown = table([at_most("start", 3, "s", 2), at_least("rate", 1_234.5, "values/s", 1_000)])
    assert [line.split()[-1] for line in shown.splitlines()] == ["met", "NO", "yes"]
    assert "1,234 values/s" in shown


def test_markdown_has_one_row_for_each_figure() -> None:
    """Head, rule, and the figures."""
    assert markdown([at_most("start", 3, "s", 2)]).splitlines() == [
        "| work | figure | bare | ratio | target | met |",
        "| --- | --- | --- | --- | --- | --- |",
        "| start | 3 s |  |  | at most 2 s | NO |",
    ]


def test_a_figure_without_a_target_is_neither_met_nor_missed() -> None:
    """It stands in the table for comparison only."""
    assert Figure("work", 1, "ms", 2, "bare", "", None).to_dict()["met"] is None


async def test_turns_alternate_and_what_warms_up_is_not_counted() -> None:
    """The ceiling goes first in every turn."""
    order: list[str] = []

    async def ours() -> None:
        order.append("ours")

    async def bare() -> None:
        order.append("bare")

    turns = await take_turns(3, ours, bare, warm_up=2)
    assert order == ["bare", "ours"] * 5
    assert (len(turns.ours), len(turns.bare)) == (3, 3)


def test_medians_are_of_each_side_alone() -> None:
    """One slow turn of the one does not touch the other."""
    turns = Turns(ours=(1.0, 2.0, 90.0), bare=(0.1, 0.2, 0.3))
    assert (turns.ours_median, turns.bare_median) == (2.0, 0.2)


def test_a_process_that_ends_before_its_first_line_is_an_error() -> None:
    """A benchmark must not wait for it."""
    with pytest.raises(ProcessFailed):
        start([sys.executable, "-c", "raise SystemExit(1)"])


def test_a_failing_command_is_quoted() -> None:
    """The end of its stderr says why."""
    with pytest.raises(ProcessFailed, match="no such thing"):
        run([sys.executable, "-c", "import sys; sys.exit('no such thing')"])


def test_memory_of_a_running_process_is_read_in_megabytes() -> None:
    """Python alone takes between 3 and 200 MB, and never less now than at its peak."""
    process = start([sys.executable, "-c", "import signal; print('ready', flush=True); signal.pause()"])
    try:
        now, peak = resident_mb(process.process.pid), peak_mb(process.process.pid)
    finally:
        process.end()
    assert 3 < now <= peak < 200


def test_children_see_no_other_wallet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark never opens the wallet of whoever runs it."""
    monkeypatch.setenv("KURA_HOME", "/home/somebody/wallet")
    assert "KURA_HOME" not in environment()
