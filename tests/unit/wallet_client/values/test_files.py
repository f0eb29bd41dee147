"""Any regular file becomes a value; nothing else does."""

import os
from pathlib import Path

import pytest

from support.wallet_samples import NOW
from wallet_client.values.errors import ImportRefused
from wallet_client.values.files import read_bytes, read_file
from wallet_client.values.taking_in import take_in
from wallet_client.values.value import PAYLOAD_MAX_BYTES


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("notes.txt", b"hello", "text/plain"),
        ("photo.jpeg", b"\xff\xd8", "image/jpeg"),
        ("empty", b"", "application/octet-stream"),
        ("忠臣蔵.pdf", b"%PDF", "application/pdf"),
        ("\x1b[2J\u202e.txt", b"odd", "text/plain"),
    ],
)
def test_a_file_becomes_a_value_of_class_file(
    tmp_path: Path, name: str, content: bytes, media_type: str
) -> None:
    """Named after the file, bytes untouched, media type by the name."""
    (tmp_path / name).write_bytes(content)
    value = take_in(tmp_path / name, now=NOW)
    assert (value.item_class, value.name, value.file_name) == ("file", name, name)
    assert (value.payload, value.media_type, value.held_since) == (content, media_type, NOW)


def test_a_name_that_is_no_unicode_is_taken_with_its_bytes_spelled_out(tmp_path: Path) -> None:
    """Linux file names are bytes."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    path.write_bytes(b"x")
    assert read_file(path, now=NOW).name == "caf\\xe9"


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    """The link's name is the value's name."""
    (tmp_path / "target").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert read_file(tmp_path / "link", now=NOW).payload == b"x"


def test_a_file_of_exactly_the_limit_is_taken(tmp_path: Path) -> None:
    """64 MiB, to the byte."""
    path = tmp_path / "large"
    with path.open("wb") as stream:
        stream.truncate(PAYLOAD_MAX_BYTES)
    assert len(read_file(path, now=NOW).payload) == PAYLOAD_MAX_BYTES


def _too_large(folder: Path) -> Path:
    path = folder / "large"
    with path.open("wb") as stream:
        stream.truncate(PAYLOAD_MAX_BYTES + 1)
    return path


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(_too_large, "it has 67108865 bytes; at most 67108864 are taken", id="too large"),
        pytest.param(_pipe, "no regular file", id="a pipe nobody writes to"),
        pytest.param(lambda _: Path("/dev/zero"), "no regular file", id="an endless device"),
        pytest.param(lambda folder: folder, "directory|no regular file", id="a folder"),
        pytest.param(lambda folder: folder / "none", "no such file", id="a missing file"),
        pytest.param(lambda _: Path("/proc/self/status"), "changed while", id="a file longer than it says"),
        pytest.param(lambda folder: folder / "a\0b", "cannot be opened", id="a name with a zero byte"),
    ],
)
def test_what_is_no_ordinary_file_is_refused(tmp_path: Path, make: object, reason: str) -> None:
    """At once: nothing blocks and nothing is read without bound."""
    assert callable(make)
    with pytest.raises(ImportRefused, match=reason):
        take_in(make(tmp_path), now=NOW)


def test_the_refusal_shows_the_path_escaped(tmp_path: Path) -> None:
    """A hostile name does not reach the terminal as it is."""
    with pytest.raises(ImportRefused) as refused:
        read_bytes(tmp_path / "\x1b[2J")
    assert "\x1b" not in str(refused.value)
    assert "\\x1b[2J" in str(refused.value)
