"""`kura trigger`, `sensor`, `run-triggers` and the options that make room, as far as no safe is needed."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from support.kura import KuraInProcess
from support.memory_safes import roster_file_of, roster_of
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore
from wallet_client.storage.suspended import Suspension
from wallet_client.values.value import ValueId
from wallet_client.wallet import create_wallet

CAPACITY = 3_000


@pytest.fixture
def kura(tmp_path: Path) -> KuraInProcess:
    """With a wallet of 3,000 bytes, whose safes are nowhere."""
    home = tmp_path / "wallet"
    asyncio.run(create_wallet(home, NoPassphrase(), roster_file_of(roster_of(5, 3)), CAPACITY))
    return KuraInProcess(home)


def data(kura: KuraInProcess, *words: str | Path) -> Any:
    """What a command that succeeds prints as JSON."""
    said = kura("--no-passphrase", *words, "--json")
    assert said.code == 0, said.messages
    return json.loads(said.output)


def ok(kura: KuraInProcess, *words: str | Path) -> str:
    """What a command that succeeds prints for people."""
    said = kura("--no-passphrase", *words)
    assert said.code == 0, said.messages
    return said.output


def file_of(tmp_path: Path, name: str, size: int) -> Path:
    """To be added."""
    path = tmp_path / name
    path.write_bytes(bytes(size))
    return path


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["trigger", "add", "t", "--start", "backup"], 2, "--when", id="no condition"),
        pytest.param(["trigger", "add", "t", "--when", "every day"], 2, "--start", id="no start"),
        pytest.param(
            ["trigger", "add", "t", "--when", "every moon", "--start", "backup"],
            1,
            "1 minute",
            id="no period",
        ),
        pytest.param(
            ["trigger", "add", "T!", "--when", "every day", "--start", "backup"],
            1,
            "is no name",
            id="no name",
        ),
        pytest.param(
            ["trigger", "add", "t", "--when", "every day", "--start", "backup", "--policy", "none"],
            1,
            "There is no policy",
            id="no policy",
        ),
        pytest.param(
            ["trigger", "add", "go-on", "--when", "every day", "--start", "backup"],
            1,
            "keeps a trigger go-on already",
            id="a name that is taken",
        ),
        pytest.param(["trigger", "remove", "go-on", "none"], 1, "no trigger none", id="unknown, removed"),
        pytest.param(["trigger", "test", "none"], 1, "no trigger none", id="unknown, tested"),
        pytest.param(["run-triggers", "--request", "none"], 1, "no trigger none", id="unknown, requested"),
        pytest.param(["run-triggers", "--request", "go-on"], 1, "not run on request", id="not on request"),
        pytest.param(["sensor", "add", "wifi"], 2, "COMMAND", id="a sensor without command"),
        pytest.param(["sensor", "add", "Wifi", "--", "true"], 1, "a name is", id="a sensor without name"),
        pytest.param(["sensor", "remove", "none"], 1, "no sensor none", id="an unknown sensor"),
        pytest.param(["recover", "--all", "--suspended"], 2, "--suspended", id="all and suspended"),
        pytest.param(
            ["recover", "--suspended", "--delete-receipt"], 2, "as it was asked for", id="two wishes"
        ),
        pytest.param(["recover", "--suspended", "--give-up", "--make-room"], 2, "no other", id="up and on"),
    ],
)
def test_what_cannot_be_is_refused(kura: KuraInProcess, words: list[str], code: int, said: str) -> None:
    """1 or 2, nothing on standard output, and nothing changed."""
    refused = kura("--no-passphrase", *words)
    assert (refused.code, refused.output) == (code, "")
    assert said in refused.messages
    assert [one["name"] for one in data(kura, "trigger", "list")["triggers"]] == ["go-on"]


def test_a_trigger_is_made_listed_and_removed(kura: KuraInProcess) -> None:
    """In canonical form, with what it waits for."""
    made = data(
        kura, "trigger", "add", "night", "--when", "at 2:00", "--when", "sensor wifi", "--start", "backup"
    )
    assert made == {"name": "night", "when": ["at 02:00", "sensor wifi"], "start": "backup", "policy": None}
    go_on, night = data(kura, "trigger", "list")["triggers"]
    assert (go_on["name"], go_on["start"], go_on["last_run_at"]) == ("go-on", "recover suspended", None)
    assert night["next_at"] > 1_700_000_000
    assert [(one["phrase"], one["holds"], one["absent"]) for one in night["findings"]] == [
        ("sensor wifi", False, True)
    ]
    text = ok(kura, "trigger", "list")
    assert "absent: sensor wifi (no command was given this name; `kura sensor add` does)" in text
    assert "waits for at 02:00 (next 20" in text
    assert data(kura, "trigger", "remove", "night", "night") == {"removed": ["night"]}
    assert ok(kura, "trigger", "remove", "go-on") == "1 trigger removed\n"
    assert ok(kura, "trigger", "list") == "No triggers.\n"
    assert ok(kura, "trigger", "test") == "No triggers.\n"
    assert ok(kura, "run-triggers") == "No triggers.\n"


def test_a_test_shows_what_holds_and_runs_nothing(kura: KuraInProcess, tmp_path: Path) -> None:
    """Phrase by phrase, with figures."""
    level = tmp_path / "level"
    level.write_text("31")
    assert ok(kura, "sensor", "add", "battery", "--", "cat", level) == f"battery: cat {level}\n"
    ok(
        kura,
        "trigger",
        "add",
        "t",
        "--when",
        "on request",
        "--when",
        "battery above 50%",
        "--start",
        "backup",
    )
    assert ok(kura, "trigger", "test", "t").splitlines() == [
        "t: backup: waits",
        "yes  on request",
        "no   battery above 50% (it is 31)",
    ]
    level.write_text("51")
    assert "t: backup: would run now" in ok(kura, "trigger", "test")
    (row,) = data(kura, "trigger", "test", "t")["triggers"]
    assert (row["would_run"], row["last_run_at"], row["attempts_since"]) == (True, None, 0)


def test_a_request_that_does_not_run_ends_with_1(kura: KuraInProcess) -> None:
    """The report says what it waits for."""
    ok(kura, "sensor", "add", "wifi", "--", "false")
    ok(kura, "trigger", "add", "t", "--when", "on request", "--when", "sensor wifi", "--start", "backup")
    waits = kura("run-triggers", "--request", "t", "--no-passphrase")
    assert (waits.code, waits.output) == (1, "t waits for sensor wifi (no)\n")


def test_what_runs_and_what_waits_is_told(kura: KuraInProcess) -> None:
    """With nothing to back up no safe is needed; waiting is no failure."""
    ok(kura, "trigger", "add", "daily", "--when", "every day", "--start", "backup")
    assert ok(kura, "run-triggers").splitlines() == [
        "go-on had nothing to do (whenever its conditions hold, "
        "free capacity above 0 B (3000 B of 3000 B are free))",
        "daily ran (every 1 day): 0 value(s) backed up",
    ]
    assert "daily waits for every 1 day (next 20" in ok(kura, "run-triggers")
    rows = data(kura, "run-triggers")["triggers"]
    assert [(row["name"], row["outcome"], row["error"]) for row in rows] == [
        ("go-on", "idle", None),
        ("daily", "waits", None),
    ]


def test_a_trigger_that_fails_ends_with_1(kura: KuraInProcess, tmp_path: Path) -> None:
    """Its reason is in the report."""
    ok(kura, "wallet", "add", file_of(tmp_path, "one", 100), "--valid-until", "2001-01-01")
    ok(kura, "trigger", "add", "daily", "--when", "every day", "--start", "backup")
    failed = kura("run-triggers", "--no-passphrase", "--json")
    assert failed.code == 1
    (row,) = [one for one in json.loads(failed.output)["triggers"] if one["name"] == "daily"]
    assert (row["outcome"], row["backed_up"]) == ("failed", [])
    assert "Nothing was backed up: 0 of the 4 safes" in row["error"]
    assert "Warning: the trigger daily failed: Nothing was backed up" in failed.messages
    row = data(kura, "trigger", "list")["triggers"][1]
    assert (row["attempts_since"], row["last_run_at"]) == (1, None)


def test_sensors_are_listed_with_what_they_say(kura: KuraInProcess) -> None:
    """Built in and named; whatever is absent says why."""
    ok(kura, "sensor", "add", "signal", "--", "echo", "-70.5")
    ok(kura, "sensor", "add", "wifi", "--", "false")
    ok(kura, "sensor", "add", "gone", "/nonexistent")
    said = {row["name"]: row for row in data(kura, "sensor", "list")["sensors"]}
    assert list(said) == ["network", "battery", "mains", "signal", "wifi", "gone"]
    assert (said["signal"]["number"], said["signal"]["command"]) == (-70.5, ["echo", "-70.5"])
    assert (said["wifi"]["holds"], said["wifi"]["absent"]) == (False, None)
    assert "no such file" in said["gone"]["absent"]
    assert "absent: it cannot be run: no such file" in ok(kura, "sensor", "list")
    assert "signal   yes, -70.5" in ok(kura, "sensor", "list")
    assert ok(kura, "sensor", "remove", "gone") == "1 sensor removed\n"


def test_what_does_not_fit_is_refused_with_what_would_help(kura: KuraInProcess, tmp_path: Path) -> None:
    """All or none; the same command works when there is room."""
    ok(kura, "wallet", "add", file_of(tmp_path, "one", 2_000), "--valid-until", "2001-01-01")
    two = file_of(tmp_path, "two", 2_000)
    refused = kura("wallet", "add", two, "--no-passphrase")
    assert (refused.code, refused.output) == (1, "")
    assert "bytes are needed and" in refused.messages
    assert "the conditions select:" in refused.messages
    assert "--make-room" in refused.messages
    ok(kura, "wallet", "remove", "one", "--yes")
    assert "two" in ok(kura, "wallet", "add", two)


def test_a_suspended_recovery_can_be_given_up(kura: KuraInProcess) -> None:
    """Its receipt is not touched; none is no failure."""
    with WalletStore.open(kura.home, NoPassphrase()) as store:
        store.suspended.put(Suspension(value_id=ValueId("v-1"), delete_receipt=False, since=0))
    assert data(kura, "recover", "--suspended", "--give-up") == {"given_up": ["v-1"]}
    assert ok(kura, "recover", "--suspended", "--give-up") == (
        "0 suspended recoveries given up; the receipts stay\n"
    )
    assert ok(kura, "recover", "--suspended") == "0 values recovered\n"
