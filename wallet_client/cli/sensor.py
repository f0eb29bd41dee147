"""`kura sensor`: commands that triggers ask."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command, Group, Later
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.triggers.reading import Reading

_COMMANDS = {
    "list": Later("wallet_client.cli.sensor:list_sensors", "List sensors, and what they say now."),
    "add": Later("wallet_client.cli.sensor:add", "Give a command a name, to be asked as a sensor."),
    "remove": Later("wallet_client.cli.sensor:remove", "Forget named commands."),
}
_EXAMPLES = """
kura sensor list
kura sensor add wifi -- grep -q up /sys/class/net/wlan0/operstate
"""
_ADD_EXAMPLES = """
kura sensor add wifi -- grep -q up /sys/class/net/wlan0/operstate
kura sensor add battery -- cat /sys/class/power_supply/BAT1/capacity
"""


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def sensor() -> None:
    """Show and name the sensors that triggers ask.

    `network`, `battery` and `mains` are built in, where the platform has them.
    """


@click.command(cls=Command, opens_wallet=True, examples=_ADD_EXAMPLES)
@click.argument("name")
@click.argument("command", nargs=-1, required=True, metavar="-- COMMAND...")
@pass_session
def add(session: Session, name: str, command: Sequence[str]) -> None:
    """Give a command a name, to be asked as a sensor.

    It holds if the command ends with 0; a number that it prints is its figure. It is run without a shell,
    in the root folder, for ten seconds at most. A name that is taken is given anew; named `network`,
    `battery` or `mains`, it takes the place of the built-in sensor.
    """
    from wallet_client.cli.opened import writing
    from wallet_client.cli.output import emit

    with writing(session) as store:
        store.sensors.put(name, tuple(command))
    emit(session, {"name": name, "command": list(command)}, lambda: f"{name}: {_joined(command)}")


@click.command("list", cls=Command, opens_wallet=True, examples="kura sensor list\nkura sensor list --json")
@pass_session
def list_sensors(session: Session) -> None:
    """List sensors, built in and named, and what each says now; one that is absent says why."""
    import asyncio

    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import cell, columns, emit
    from wallet_client.sensors.panel import ask_sensors
    from wallet_client.triggers.phrases import BUILT_IN_SENSORS

    with reading(session) as store:
        commands = store.sensors.commands()
    said = asyncio.run(ask_sensors((*BUILT_IN_SENSORS, *commands), commands))
    document = {"sensors": [_row(name, said[name], commands) for name in said]}
    header = ("SENSOR", "SAYS", "COMMAND")
    rows = [(name, _text(said[name]), cell(_joined(commands.get(name, ("built in",))))) for name in said]
    emit(session, document, lambda: columns(header, rows))


@click.command(cls=Command, opens_wallet=True, examples="kura sensor remove wifi")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@pass_session
def remove(session: Session, names: Sequence[str]) -> None:
    """Forget named commands; triggers that ask them wait, and say so."""
    from wallet_client.cli.opened import writing
    from wallet_client.cli.output import count_of, emit

    wanted = list(dict.fromkeys(names))
    with writing(session) as store:
        for name in wanted:
            store.sensors.remove(name)
    emit(session, {"removed": wanted}, lambda: f"{count_of(len(wanted), 'sensor')} removed")


def _row(name: str, reading: "Reading", commands: Mapping[str, Sequence[str]]) -> dict[str, object]:
    return {
        "name": name,
        "command": commands.get(name),
        "holds": reading.holds,
        "number": reading.number,
        "absent": reading.absent or None,
    }


def _text(reading: "Reading") -> str:
    if reading.absent:
        return f"absent: {reading.absent}"
    return ("yes" if reading.holds else "no") + ("" if reading.number is None else f", {reading.number}")


def _joined(command: Sequence[str]) -> str:
    import shlex

    return command[0] if len(command) == 1 else shlex.join(command)
