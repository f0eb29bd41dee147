"""How an operation tells how far it is, to whoever shows it."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol


class Progress(Protocol):
    """Called from time to time with bytes done and bytes to do."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Say how far a stage, such as "register" or "fetch", has come."""
        ...


def silent(stage: str, done: int, total: int) -> None:
    """Nobody is watching."""


class Meter:
    """Adds up the bytes of several calls at once; make it in the event loop.

    Args:
        stage: What is going on.
        progress: Who is told.
        total: Bytes to do.
    """

    def __init__(self, stage: str, progress: Progress, total: int) -> None:
        self._stage = stage
        self._progress = progress
        self._total = total
        self._done = 0
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def advance(self, count: int) -> None:
        """Count some more, from any thread; whoever watches is told in the event loop's."""
        if threading.get_ident() == self._thread:
            self._advance(count)
        else:
            self._loop.call_soon_threadsafe(self._advance, count)

    def _advance(self, count: int) -> None:
        self._done += count
        self._progress(self._stage, min(self._done, self._total), self._total)

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, counted as they go."""
        for chunk in chunks:
            yield chunk
            self.advance(len(chunk))

    def writer(self, file: BinaryIO) -> "CountingWriter":
        """A writer into a file that counts what goes through it."""
        return CountingWriter(file, self)


class CountingWriter:
    """Writes into a file and tells a meter."""

    def __init__(self, file: BinaryIO, meter: Meter) -> None:
        self._file = file
        self._meter = meter

    def write(self, data: bytes, /) -> int:
        """Write and count."""
        self._meter.advance(len(data))
        return self._file.write(data)
