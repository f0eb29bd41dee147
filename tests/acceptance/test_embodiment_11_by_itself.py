"""The eleventh embodiment: the wallet itself decides what it backs up, and when; and makes room by it.

Steps (2-1) to (2-11) of the source, its figures 19 and 20, what starts them, the three ways at a shortage,
and what the page after the twelfth embodiment adds for recoveries.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.cluster import LocalCluster
from support.faults import reopened
from support.forked import KuraForked
from support.kura import EXAMPLES, KuraInProcess
from support.small_wallets import ZONE, set_clock, trigger
from support.steps import TODAY, Readers, add_ticket, exported
from wallet_client.operations.triggers import TriggerRunner
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.wallet import Wallet, create_wallet

FIGURE_20_A = "class is movie-ticket"
FIGURE_20_B = "not usable within 1 month"
FIGURE_DAY = "2000-03-15"
PAST, LATER = str(TODAY - timedelta(days=400)), str(TODAY + timedelta(days=400))
OVER = {"valid_from": PAST, "valid_until": PAST}
CAPACITY_BYTES = 8_192
THIRD_OF_IT = "x" * 2_500
"""Remarks that make a value so large that three of them fill the wallet."""


@pytest.fixture
def small(cluster: LocalCluster, tmp_path: Path) -> KuraInProcess:
    """A wallet like the source's IC card, of 8 KiB."""
    home = tmp_path / "card"
    roster = cluster.roster_file.read_bytes()
    asyncio.run(create_wallet(home, NoPassphrase(), roster, CAPACITY_BYTES))
    return KuraInProcess(home)


def names(here: KuraInProcess) -> list[str]:
    """What is in the wallet."""
    return sorted(one["name"] for one in here.json("wallet", "list")["values"])


def run(here: KuraInProcess, named: str, *options: str) -> dict[str, Any]:
    """Run what is due; what came of one trigger."""
    rows = here.json("run-triggers", *options)["triggers"]
    row: dict[str, Any] = next(one for one in rows if one["name"] == named)
    return row


def selected(here: KuraInProcess, *options: str) -> list[str]:
    """Names of what a condition selects."""
    judged = here.json("condition", "test", *options)["values"]
    return sorted(one["name"] for one in judged if one["selected"])


def fill(small: KuraInProcess) -> None:
    """Two tickets that are over, and one to be used: there is no room for another of that size."""
    small.ok("condition", "edit", "default", FIGURE_20_B)
    for name, when in {"Ikiru": OVER, "Kagemusha": OVER, "Ran": {}}.items():
        add_ticket(small, name=name, remarks=THIRD_OF_IT, **when)


def test_what_the_conditions_select_is_sealed_registered_and_leaves(
    kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """(2-1) to (2-11): list, collation, sealing, certificates kept, values deleted, and the end is told."""
    here.ok("wallet", "import", EXAMPLES / "figure-19.json")
    before = exported(here, tmp_path / "before.json")
    here.ok("condition", "edit", "default", FIGURE_20_A)
    listed = here.json("backup", "--conditions", "--dry-run")["values"]  # (2-1) to (2-5)
    assert [(one["name"], one["clause"]) for one in listed] == [
        ("A", "class is movie-ticket"),
        ("G", "class is movie-ticket"),
    ]
    assert here.json("receipts")["receipts"] == []

    told = kura.ok("backup", "--conditions", "--delete").output  # (2-6) to (2-11)

    assert "2 values backed up; erased from the wallet" in told
    receipts = here.json("receipts")["receipts"]
    assert [(one["name"], one["state"]) for one in receipts] == [("A", "safe"), ("G", "safe")]
    assert names(here) == ["C", "E"]
    readers = Readers.of(cluster, here)
    assert readers.read("safe-1", "safe-2") == []
    assert readers.read("safe-1", "safe-2", "safe-3") == ["A", "G"]
    here.ok("recover", "--all")
    assert exported(here, tmp_path / "after.json") == before


def test_figures_19_and_20_come_out_as_documented(here: KuraInProcess) -> None:
    """20(a) as printed; 20(b) by its text selects C as well as G, and E is usable on every day."""
    here.ok("wallet", "import", EXAMPLES / "figure-19.json")
    assert selected(here, "--expression", FIGURE_20_A) == ["A", "G"]
    assert selected(here, "--expression", FIGURE_20_B, "--today", FIGURE_DAY) == ["C", "G"]
    with_cards = f"{FIGURE_20_B} or (valid-from is absent and valid-until is absent)"
    assert selected(here, "--expression", with_cards, "--today", FIGURE_DAY) == ["C", "E", "G"]


def test_conditions_begin_with_a_setting_and_are_the_users_to_make_and_change(here: KuraInProcess) -> None:
    """Kind, size, free capacity, validity, start of holding, and combinations of them."""
    here.ok("wallet", "import", EXAMPLES / "figure-19.json")
    (first,) = here.json("condition", "list")["conditions"]
    assert first["name"] == "default"
    here.ok("condition", "edit", "default", "total >= 9000")
    here.ok("condition", "add", "cards", "class is prepaid-card and remaining > 0")
    assert selected(here) == ["C", "E"]
    here.ok("condition", "remove", "default")
    assert selected(here) == ["E"]
    everything = ["A", "C", "E", "G"]
    for expression, wanted in {
        "size < 1 KiB": everything,
        "free < 20% of capacity": [],
        "valid-until < 2000-06-01": ["A", "C"],
        "held-for < 1 day": everything,
        f"({FIGURE_20_A} or class is concert-ticket) and not quantity = 1": ["C", "G"],
    }.items():
        assert selected(here, "--expression", expression) == wanted


def test_it_starts_in_every_period_on_request_and_by_combinations(
    here: KuraInProcess, tmp_path: Path
) -> None:
    """Once in a period; when asked; and a period waits until reception and battery are good enough."""
    bars, battery = tmp_path / "bars", tmp_path / "battery"
    bars.write_text("1\n")
    battery.write_text("15\n")
    here.ok("sensor", "add", "signal", "--", "cat", bars)
    here.ok("sensor", "add", "battery", "--", "cat", battery)
    here.ok("trigger", "add", "weekly", "--when", "every week", "--start", "backup")
    here.ok("trigger", "add", "asked", "--when", "on request", "--start", "backup and delete")
    combined = ("every day", "sensor signal above 2", "battery above 50%", "free capacity above 10%")
    when = (word for phrase in combined for word in ("--when", phrase))
    here.ok("trigger", "add", "combined", *when, "--start", "backup")
    value_id = add_ticket(here, **OVER)

    weekly = run(here, "weekly")
    assert (weekly["outcome"], weekly["backed_up"]) == ("ran", [value_id])
    assert run(here, "weekly")["outcome"] == "waits"
    assert run(here, "combined")["outcome"] == "waits"
    bars.write_text("4\n")
    waiting = {one["phrase"]: one["holds"] for one in run(here, "combined")["findings"]}
    assert waiting == {combined[1]: True, combined[2]: False, combined[3]: True}
    battery.write_text("80\n")
    assert run(here, "combined")["outcome"] == "ran"
    asked = run(here, "asked", "--request", "asked")
    assert (asked["outcome"], asked["erased"]) == ("ran", [value_id])
    assert names(here) == []


def test_at_a_shortage_the_owner_chooses_among_three_ways(small: KuraInProcess) -> None:
    """Interrupt, with what would help; go on after the conditions' backup; go on after a chosen one."""
    fill(small)
    ticket = ("wallet", "add", "--class", "movie-ticket", "--name", "Rashomon", "--remarks", THIRD_OF_IT)

    interrupted = small(*ticket)

    assert (interrupted.code, interrupted.output) == (1, "")
    assert "the conditions select" in interrupted.messages
    assert names(small) == ["Ikiru", "Kagemusha", "Ran"]
    small.ok(*ticket, "--make-room")
    assert names(small) == ["Ran", "Rashomon"]
    small.ok("recover", "Ikiru")
    small.ok("recover", "Kagemusha", "--move", "Ran")
    assert names(small) == ["Ikiru", "Kagemusha", "Rashomon"]
    states = {one["name"]: one["state"] for one in small.json("receipts")["receipts"]}
    assert states == dict.fromkeys(["Ikiru", "Kagemusha", "Ran"], "safe")


def test_a_shortage_starts_it_when_adding_and_when_recovering(small: KuraInProcess) -> None:
    """Without being asked: what the conditions select leaves, and what was wanted is there."""
    small.ok("trigger", "add", "full", "--when", "on shortage", "--start", "backup and delete")
    fill(small)
    add_ticket(small, name="Rashomon", remarks=THIRD_OF_IT)
    assert names(small) == ["Ran", "Rashomon"]
    small.ok("backup", "Ran", "--delete")
    add_ticket(small, name="Yojimbo", remarks=THIRD_OF_IT, **OVER)
    add_ticket(small, name="Sanjuro", remarks=THIRD_OF_IT, **OVER)
    assert [one["name"] for one in small.json("recover", "Ran")["values"]] == ["Ran"]
    assert names(small) == ["Ran", "Rashomon"]


def test_an_interrupted_recovery_goes_on_when_there_is_room_again(small: KuraInProcess) -> None:
    """Free capacity above the level starts it; nothing had been half recovered."""
    fill(small)
    small.ok("backup", "Ikiru", "--delete")
    add_ticket(small, name="Rashomon", remarks=THIRD_OF_IT)
    stopped = small("recover", "Ikiru")
    assert stopped.code == 1
    assert "suspended" in stopped.messages
    assert run(small, "go-on")["outcome"] == "idle"
    small.ok("wallet", "remove", "Rashomon", "--yes")
    assert run(small, "go-on")["outcome"] == "ran"
    assert names(small) == ["Ikiru", "Kagemusha", "Ran"]


def test_what_becomes_usable_tomorrow_is_recovered_today(here: KuraInProcess) -> None:
    """By the available period of the value; what is for later stays away."""
    add_ticket(here, valid_from=str(TODAY + timedelta(days=1)))
    add_ticket(here, name="Ran", valid_from=str(TODAY + timedelta(days=9)), valid_until=LATER)
    here.ok("trigger", "add", "tomorrow", "--when", "validity approaching 1 day", "--start", "recover usable")
    here.ok("backup", "--all", "--delete")
    assert run(here, "tomorrow")["outcome"] == "ran"
    assert names(here) == ["Rashomon"]


def test_a_time_of_day_starts_it(here: KuraInProcess) -> None:
    """Six in the morning, when the terminal can be used; not a minute before, and once."""
    add_ticket(here, **OVER)
    tomorrow = TODAY + timedelta(days=1)

    async def day(wallet: Wallet) -> list[str]:
        set_clock(wallet, f"{tomorrow} 00:00")
        trigger(wallet, "dawn", "at 06:00", start="backup and delete")
        outcomes: list[str] = []
        for time in ("05:59", "06:00", "06:01"):
            set_clock(wallet, f"{tomorrow} {time}")
            looks = await TriggerRunner(wallet, zone=ZONE).run_due()
            outcomes += [one.outcome for one in looks if one.name == "dawn"]
        return outcomes

    assert asyncio.run(in_wallet(here.home, day)) == ["waits", "ran", "waits"]
    assert names(here) == []


async def in_wallet(home: Path, work: Callable[[Wallet], Awaitable[list[str]]]) -> list[str]:
    """Some work in the wallet of a folder."""
    async with reopened(home) as wallet:
        return await work(wallet)
