"""A named command as a sensor: exit status 0 holds; what it prints, if it is a number, is its figure.

It is run without a shell, as an argument list, in the root folder, with nothing on standard input and
without Kura's own variables (the passphrase among them). It and whatever it started are ended after ten
seconds; more than 4 KiB of output is refused.
"""

import asyncio
import os
import re
import signal
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Final

from wallet_client.triggers.reading import Reading

TIMEOUT_SECONDS: Final = 10.0
OUTPUT_MAX_BYTES: Final = 4_096
_END_SECONDS: Final = 5.0
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,9})?")


async def read_command(arguments: Sequence[str], timeout_seconds: float = TIMEOUT_SECONDS) -> Reading:
    """Run it once.

    Args:
        arguments: The program and its arguments, at least one.
        timeout_seconds: How long it may take.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env={name: text for name, text in os.environ.items() if not name.startswith("KURA_")},
            start_new_session=True,
        )
    except OSError as error:
        return Reading(absent=f"it cannot be run: {(error.strerror or str(error)).lower()}")
    try:
        async with asyncio.timeout(timeout_seconds):
            output = await _output_of(process)
            status = await process.wait() if output is not None else -1
    except TimeoutError:
        return Reading(absent=f"it took longer than {timeout_seconds:g} seconds")
    finally:
        await _end(process)
    if output is None:
        return Reading(absent=f"it printed more than {OUTPUT_MAX_BYTES} bytes")
    return Reading(holds=status == 0, number=_number_in(output))


async def _output_of(process: asyncio.subprocess.Process) -> bytes | None:
    """All that it prints; None if that is too much."""
    if process.stdout is None:
        return b""
    output = b""
    while chunk := await process.stdout.read(OUTPUT_MAX_BYTES + 1 - len(output)):
        output += chunk
        if len(output) > OUTPUT_MAX_BYTES:
            return None
    return output


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing of it running: it leads a process group of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    # asyncio counts a process as ended only when its output was read to the end. What left the group and
    # holds the pipe open is not waited for.
    with suppress(TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            while process.stdout is not None and await process.stdout.read(OUTPUT_MAX_BYTES):
                continue
            await process.wait()


def _number_in(output: bytes) -> Decimal | None:
    text = output.decode("ascii", "replace").strip().removesuffix("%").strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None
