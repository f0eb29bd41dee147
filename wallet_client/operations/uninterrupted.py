"""Writes that a cancellation must not leave running behind its back.

Cancelling `asyncio.to_thread` gives up the waiting, not the thread. A transaction that went on so would
outlive the wallet's lock, and whoever changes the wallet next would find its beginning and not its end.
"""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


async def to_the_end(
    function: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
) -> _Result:
    """As `asyncio.to_thread`, but a cancellation is passed on only when the thread has ended."""
    running = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    interrupted = False
    while not running.done():
        try:
            await asyncio.wait((running,))
        except asyncio.CancelledError:
            interrupted = True
    if interrupted:
        running.exception()  # looked at; the cancellation is what the caller asked for
        raise asyncio.CancelledError
    return running.result()
