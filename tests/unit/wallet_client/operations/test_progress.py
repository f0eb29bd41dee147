"""How far an operation is, told in the event loop's thread, whoever counts."""

import asyncio
import threading
from io import BytesIO

from wallet_client.operations.progress import Meter, silent


async def test_bytes_add_up_and_never_pass_the_total() -> None:
    """Several calls count into one meter."""
    seen: list[tuple[str, int, int]] = []
    meter = Meter("register", lambda *report: seen.append(report), total=10)
    for count in (4, 5, 6):
        meter.advance(count)
    assert seen == [("register", 4, 10), ("register", 9, 10), ("register", 10, 10)]


async def test_chunks_and_writes_are_counted_and_passed_on() -> None:
    """Byte for byte."""
    seen: list[int] = []
    meter = Meter("fetch", lambda stage, done, total: seen.append(done), total=100)
    assert list(meter.watch([b"abc", b"", b"de"])) == [b"abc", b"", b"de"]
    file = BytesIO()
    assert meter.writer(file).write(b"fghi") == 4
    assert file.getvalue() == b"fghi"
    assert seen == [3, 3, 5, 9]


async def test_whoever_watches_is_told_in_the_loops_thread() -> None:
    """A counting thread only leaves word; nothing is lost between many of them."""
    threads: set[int] = set()
    seen: list[int] = []

    def watch(stage: str, done: int, total: int) -> None:
        threads.add(threading.get_ident())
        seen.append(done)

    meter = Meter("fetch", watch, total=10_000)

    def count() -> None:
        for _ in range(500):
            meter.advance(1)

    await asyncio.gather(*(asyncio.to_thread(count) for _ in range(4)))
    await asyncio.sleep(0)
    assert threads == {threading.get_ident()}
    assert seen == list(range(1, 2_001))


async def test_silence_is_a_progress_too() -> None:
    """For whoever does not watch."""
    Meter("fetch", silent, total=1).advance(1)
