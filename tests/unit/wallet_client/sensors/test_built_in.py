"""What the platform says, and that nothing is made up where it says nothing."""

import socket
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from wallet_client.sensors.built_in import read_built_in
from wallet_client.triggers.reading import Reading


def interfaces(monkeypatch: pytest.MonkeyPatch, **found: tuple[bool, int, str]) -> None:
    """A machine with these: up or not, family, address."""
    states = {name: SimpleNamespace(isup=up) for name, (up, _, _) in found.items()}
    addresses = {
        name: [SimpleNamespace(family=family, address=address)]
        for name, (_, family, address) in found.items()
    }
    monkeypatch.setattr(psutil, "net_if_stats", lambda: states)
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: addresses)


@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        ((True, socket.AF_INET, "192.0.2.7"), True),
        ((True, socket.AF_INET6, "2001:db8::7"), True),
        ((False, socket.AF_INET, "192.0.2.7"), False),
        ((True, socket.AF_INET, "127.0.0.1"), False),
        ((True, socket.AF_INET, "169.254.1.1"), False),
        ((True, socket.AF_INET6, "fe80::1%eth0"), False),
        ((True, socket.AF_PACKET, "02:00:00:00:00:01"), False),
    ],
)
def test_the_network_is_an_interface_that_reaches_out(
    monkeypatch: pytest.MonkeyPatch, interface: tuple[bool, int, str], expected: bool
) -> None:
    """Up, and with an address beyond its own link."""
    interfaces(monkeypatch, lo=(True, socket.AF_INET, "127.0.0.1"), eth0=interface)
    assert read_built_in("network") == Reading(holds=expected)


@pytest.mark.parametrize(
    ("battery", "level", "plugged"),
    [
        (SimpleNamespace(percent=80.4, power_plugged=True), 80, True),
        (SimpleNamespace(percent=3.0, power_plugged=False), 3, False),
        (SimpleNamespace(percent=50.0, power_plugged=None), 50, None),
        (None, None, None),
    ],
)
def test_a_battery_tells_its_level_and_mains(
    monkeypatch: pytest.MonkeyPatch, battery: Any, level: int | None, plugged: bool | None
) -> None:
    """Where there is none, or it does not tell, that is said instead."""
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert read_built_in("battery").number == level
    assert bool(read_built_in("battery").absent) is (level is None)
    mains = read_built_in("mains")
    assert (mains.holds, bool(mains.absent)) == (bool(plugged), plugged is None)


def test_a_platform_without_batteries_has_absent_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """psutil leaves the function out there."""
    monkeypatch.delattr(psutil, "sensors_battery", raising=False)
    assert "no battery" in read_built_in("battery").absent
    assert "no battery" in read_built_in("mains").absent


def test_this_machine_answers() -> None:
    """Whatever it says, it is a reading; names that are no sensor are absent."""
    for name in ("network", "battery", "mains"):
        reading = read_built_in(name)
        assert not (reading.absent and reading.holds)
    assert read_built_in("moonlight").absent
