"""All sensors of a wallet: those the platform has, and the commands that its owner gave names.

A command named as a built-in sensor takes its place. Sensors are asked together, a few at a time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from wallet_client.triggers.reading import Reading

AskSensors: TypeAlias = Callable[[Iterable[str], Mapping[str, Sequence[str]]], Awaitable[dict[str, Reading]]]
"""How whoever runs triggers asks sensors: by name, with the commands that names stand for."""

_AT_ONCE: Final = 8


async def ask_sensors(names: Iterable[str], commands: Mapping[str, Sequence[str]]) -> dict[str, Reading]:
    """What each says.

    Args:
        names: The sensors.
        commands: The argument list of each named command.
    """
    wanted = tuple(dict.fromkeys(names))
    slots = asyncio.Semaphore(_AT_ONCE)

    async def ask(name: str) -> Reading:
        async with slots:
            return await _ask(name, commands.get(name))

    return dict(zip(wanted, await asyncio.gather(*map(ask, wanted)), strict=True))


async def _ask(name: str, command: Sequence[str] | None) -> Reading:
    if command is not None:
        from wallet_client.sensors.command import read_command

        return await read_command(command)
    from wallet_client.sensors.built_in import read_built_in

    return await asyncio.to_thread(read_built_in, name)
