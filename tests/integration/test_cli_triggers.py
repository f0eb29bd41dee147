"""Triggers and room with the real command line, real safes and sensors, and a server that runs by itself."""

import json
import subprocess
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.kura import KuraInProcess, new_wallet

ENDS_SECONDS = 30


@pytest.fixture
def small(cluster: LocalCluster, tmp_path: Path) -> KuraInProcess:
    """A wallet of 8 KiB, with two tickets that are over: the default condition selects them."""
    kura = new_wallet(tmp_path / "wallet", cluster.roster_file, "--capacity", "8KiB")
    for name in ("one", "two"):
        kura.ok("wallet", "add", _file(tmp_path, name), "--valid-until", "2001-01-31")
    return kura


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(name.encode() * 1_000)
    return path


def _names(kura: KuraInProcess) -> set[str]:
    return {one["name"] for one in kura.json("wallet", "list")["values"]}


def test_triggers_wait_for_sensors_run_once_and_make_room(small: KuraInProcess, tmp_path: Path) -> None:
    """As cron would run it: nothing while the battery is low, once when it is not. Then one on shortage."""
    level = tmp_path / "level"
    level.write_text("20\n")
    small.ok("sensor", "add", "battery", "--", "cat", level)
    small.ok(
        "trigger", "add", "daily", "--when", "every day", "--when", "battery above 50%", "--start", "backup"
    )
    _, row = small.json("run-triggers")["triggers"]
    assert (row["outcome"], row["findings"][0]["detail"]) == ("waits", "it is 20")
    level.write_text("80\n")
    _, row = small.json("run-triggers")["triggers"]
    assert (row["outcome"], len(row["backed_up"])) == ("ran", 2)
    _, row = small.json("run-triggers")["triggers"]
    assert (row["outcome"], row["occasion"]) == ("waits", "every 1 day")
    assert {one["state"] for one in small.json("wallet", "list")["values"]} == {"safe"}

    small.ok("trigger", "add", "full", "--when", "on shortage", "--start", "backup and delete")
    assert len(small.json("wallet", "add", _file(tmp_path, "ten"))["moved"]) == 2
    assert _names(small) == {"ten"}


def test_room_is_made_in_three_ways_and_a_recovery_goes_on(small: KuraInProcess, tmp_path: Path) -> None:
    """Stop with a report; let the conditions choose; choose oneself; and `go-on` brings back what waited."""
    ten, six = _file(tmp_path, "ten"), _file(tmp_path, "six")
    refused = small("wallet", "add", ten)
    assert (refused.code, refused.output) == (1, "")
    assert "the conditions select" in refused.messages

    moved = small.json("wallet", "add", ten, "--make-room")["moved"]
    assert (_names(small), len(moved)) == ({"ten"}, 2)
    assert "six" in small.ok("wallet", "add", six).output
    assert "put away to make room" in small.ok("recover", "one", "--move", "ten").output
    assert _names(small) == {"six", "one"}

    short = small("recover", "--all", "--json")
    assert (short.code, short.data["values"], len(short.data["suspended"])) == (1, [], 2)
    assert "2 recovery(s) suspended" in short.messages
    assert "2 recoveries wait for room" in small.ok("resume").output
    assert "go-on had nothing to do" in small.ok("run-triggers").output
    small.ok("wallet", "remove", "one", "six", "--yes")
    (row,) = small.json("run-triggers")["triggers"]
    assert (row["outcome"], row["did"]) == ("ran", "2 value(s) recovered")
    assert _names(small) == {"two", "ten"}


def test_a_server_runs_what_is_due(small: KuraInProcess) -> None:
    """Without a call; it ends in good order after that."""
    small.ok("trigger", "add", "daily", "--when", "every day", "--start", "backup and delete")
    with subprocess.Popen(
        small.process.command("wallet", "serve", "--json", "--log-level", "info"),
        env=small.process.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines = (json.loads(line) for line in process.stderr)
        ran = next(line for line in lines if line["event"] == "trigger.ran")
        assert (ran["trigger"], ran["done"]) == (
            "daily",
            "2 value(s) backed up; 2 erased from the wallet",
        )
        process.terminate()
        process.communicate(timeout=ENDS_SECONDS)
    assert process.returncode == 0
    assert _names(small) == set()
