"""What the platform tells through psutil: network interfaces, battery, mains power.

The network counts as available when an interface other than the loopback is up and has an address that
reaches beyond its own link. That is a hint and no promise: a command that knows better may be named
`network` and takes its place.
"""

import ipaddress
import socket
from decimal import Decimal
from typing import Any, Final

import psutil

from wallet_client.triggers.reading import Reading

_NO_BATTERY: Final = "this machine has no battery that the system tells of"


def read_built_in(name: str) -> Reading:
    """Ask the platform; absent for a name that is none of its sensors."""
    reader = {"network": _network, "battery": _battery, "mains": _mains}.get(name)
    if reader is None:
        return Reading(absent="no command was given this name; `kura sensor add` does")
    return reader()


def _network() -> Reading:
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    addresses = (one for name, found in psutil.net_if_addrs().items() if name in up for one in found)
    return Reading(holds=any(_reaches_out(one.family, one.address) for one in addresses))


def _reaches_out(family: int, address: str) -> bool:
    if family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)


def _battery() -> Reading:
    battery = _found_battery()
    if battery is None:
        return Reading(absent=_NO_BATTERY)
    return Reading(holds=True, number=Decimal(round(battery.percent)))


def _mains() -> Reading:
    battery = _found_battery()
    if battery is None or battery.power_plugged is None:
        return Reading(absent=_NO_BATTERY if battery is None else "the battery does not tell")
    return Reading(holds=bool(battery.power_plugged))


def _found_battery() -> Any:
    """None also where the platform has no such thing."""
    read = getattr(psutil, "sensors_battery", None)
    return None if read is None else read()
