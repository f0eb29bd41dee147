"""Real small commands as sensors: what they say, and what they must not do to the wallet."""

import asyncio
import fcntl
from decimal import Decimal
from pathlib import Path

import pytest

from wallet_client.sensors.command import OUTPUT_MAX_BYTES, read_command
from wallet_client.sensors.panel import ask_sensors
from wallet_client.triggers.reading import Reading


def shell(script: str) -> tuple[str, ...]:
    """A small command, made of a line of shell."""
    return ("/bin/sh", "-c", script)


@pytest.mark.parametrize(
    ("command", "reading"),
    [
        pytest.param(("/bin/true",), Reading(holds=True), id="status 0 holds"),
        pytest.param(("/bin/false",), Reading(holds=False), id="any other does not"),
        pytest.param(("/bin/echo", "42"), Reading(holds=True, number=Decimal(42)), id="a number"),
        pytest.param(("echo", " 42 %"), Reading(holds=True, number=Decimal(42)), id="a percentage"),
        pytest.param(("echo", "-70.25"), Reading(holds=True, number=Decimal("-70.25")), id="a fraction"),
        pytest.param(shell("echo 7; exit 3"), Reading(holds=False, number=Decimal(7)), id="both"),
        pytest.param(("echo", "about 42"), Reading(holds=True), id="words are no number"),
        pytest.param(("echo", "1e999999999"), Reading(holds=True), id="nor is an exponent"),
        pytest.param(("printf", "\\377"), Reading(holds=True), id="nor are bytes that are no text"),
        pytest.param(("echo", "NaN"), Reading(holds=True), id="nor is what is not a number"),
        pytest.param(("echo", "$HOME; false"), Reading(holds=True), id="no shell reads it"),
        pytest.param(shell("kill -9 $$"), Reading(holds=False), id="a signal is no status 0"),
        pytest.param(("cat",), Reading(holds=True), id="nothing stands on its standard input"),
    ],
)
async def test_a_command_says_yes_no_or_a_number(command: tuple[str, ...], reading: Reading) -> None:
    """By exit status and standard output."""
    assert await read_command(command) == reading


@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param(("/nonexistent/sensor",), "cannot be run: no such file", id="no program"),
        pytest.param(("/etc/passwd",), "cannot be run: permission denied", id="no program to run"),
        pytest.param(("/dev",), "cannot be run: permission denied", id="a folder"),
        pytest.param(("yes",), f"more than {OUTPUT_MAX_BYTES} bytes", id="endless output"),
        pytest.param(shell("sleep 600 & sleep 600"), "longer than 0.2 seconds", id="endless time"),
        pytest.param(shell("exec >&-; sleep 600"), "longer than 0.2 seconds", id="endless silence"),
    ],
)
async def test_a_command_that_fails_is_absent(command: tuple[str, ...], said: str) -> None:
    """It never holds, and says why."""
    reading = await read_command(command, 0.2)
    assert not reading.holds
    assert said in reading.absent


async def test_nothing_of_a_command_stays(tmp_path: Path) -> None:
    """What it left in the background is ended with it: the lock which that held can be had."""
    lock = tmp_path / "lock"
    assert (await read_command(shell(f"exec 9>{lock}; flock 9; sleep 600 >/dev/null &"))).holds
    with lock.open("w") as file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)


async def test_a_command_sees_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither passphrase nor folder; everything else is as it was."""
    monkeypatch.setenv("KURA_PASSPHRASE", "correct horse")
    monkeypatch.setenv("KURA_HOME", "/nowhere")
    monkeypatch.setenv("LEVEL", "12")
    assert (await read_command(shell('echo "$LEVEL$KURA_PASSPHRASE$KURA_HOME"'))).number == 12
    assert (await read_command(shell('test "$(pwd)" = /'))).holds


async def test_sensors_are_asked_by_name() -> None:
    """A command takes the place of a built-in sensor; a name that stands for nothing is absent."""
    said = await ask_sensors(["battery", "nothing", "battery"], {"battery": ("echo", "31")})
    assert said["battery"] == Reading(holds=True, number=Decimal(31))
    assert "kura sensor add" in said["nothing"].absent
    assert list(said) == ["battery", "nothing"]
