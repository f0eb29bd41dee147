"""What a terminal records is whole; where it cannot be, it says so once, and carrying goes on."""

import errno
from io import FileIO
from pathlib import Path
from typing import Any

import structlog
from structlog.testing import LogCapture

from support.sample_documents import GENESIS
from wallet_client.network.terminal import Record

SAFE = GENESIS.safes[0]
HEAD = f"> {SAFE.name} 5\n".encode()


class Disk(FileIO):
    """A file on a disk that takes three bytes at a time, and in all as many as it has room for."""

    def __init__(self, path: Path, room: int) -> None:
        super().__init__(path, "ab")
        self.room = room

    def write(self, content: Any, /) -> int:
        """Take some of it."""
        taken = min(3, self.room, len(content))
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= taken
        return super().write(bytes(content[:taken]))


def recording(stream: FileIO) -> tuple[Record, LogCapture]:
    logged = LogCapture()
    return Record(stream, structlog.wrap_logger(None, processors=[logged])), logged


async def test_what_a_disk_takes_in_parts_is_written_whole(tmp_path: Path) -> None:
    with Disk(tmp_path / "record", 1_000) as disk:
        record, logged = recording(disk)
        await record.note(SAFE, ">", b"frame")
        await record.note(SAFE, ">", b"other")
    assert (tmp_path / "record").read_bytes() == HEAD + b"frame\n" + HEAD + b"other\n"
    assert logged.entries == []


async def test_a_record_on_a_disk_that_fills_up_ends_with_its_last_whole_frame(tmp_path: Path) -> None:
    """It is said once; and it has no gap, though there be room again."""
    with Disk(tmp_path / "record", len(HEAD) + 6 + 8) as disk:
        record, logged = recording(disk)
        await record.note(SAFE, ">", b"frame")
        await record.note(SAFE, ">", b"other")
        disk.room = 1_000
        await record.note(SAFE, ">", b"third")
    assert (tmp_path / "record").read_bytes() == HEAD + b"frame\n"
    said = {"event": "record.stopped", "error": "No space left on device", "log_level": "error"}
    assert logged.entries == [said]


async def test_a_device_that_is_full_and_cannot_be_cut_ends_no_carriage() -> None:
    with FileIO("/dev/full", "ab") as full:
        record, logged = recording(full)
        await record.note(SAFE, ">", b"frame")
        await record.note(SAFE, "<", b"frame")
    assert [one["event"] for one in logged.entries] == ["record.stopped"]
