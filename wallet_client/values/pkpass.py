"""Apple Wallet passes: the file is kept whole, and its pass.json fills the fields.

A .pkpass is a ZIP from anywhere. It is never unpacked: of its entries only `pass.json` is read,
at most 1 MiB of it, after the directory of the archive was found harmless. A pass that is not
clean is refused whole. Signatures are not verified: the wallet keeps what it was given.

Source: Apple, "Wallet Passes", the keys of pass.json.
"""

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Final

from wallet_client.values.errors import ImportRefused, ValueRefused
from wallet_client.values.files import file_name, read_bytes
from wallet_client.values.pass_json import PassRefused, fields_of_pass
from wallet_client.values.value import Value

MEDIA_TYPE: Final = "application/vnd.apple.pkpass"
CONTENT_NAME: Final = "pass.json"
CONTENT_MAX_BYTES: Final = 1024 * 1024
ENTRIES_MAX: Final = 1_000
UNPACKED_MAX_BYTES: Final = 256 * 1024 * 1024

_DIRECTORY_ENTRY: Final = b"PK\x01\x02"
_ENCRYPTED: Final = 0x1
_PLAIN_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# What the standard library raises for archives that are not what they say.
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)


def read_pass(path: Path, *, now: int) -> Value:
    """A pass as a value: class by its style, the whole file as payload.

    Args:
        path: The .pkpass file, at most 64 MiB.
        now: Seconds since 1970, for `held_since`.

    Raises:
        ImportRefused: It is no clean pass; the error says why.
    """
    payload = read_bytes(path)
    try:
        fields = fields_of_pass(_text(_pass_json(payload)))
        return Value(
            **fields,
            held_since=now,
            media_type=MEDIA_TYPE,
            file_name=file_name(path),
            payload=payload,
        )
    except (PassRefused, ValueRefused) as error:
        reason = f"{str(error).rstrip('.')} (without .pkpass in its name it is a plain file)"
        raise ImportRefused(str(path), reason) from error


def _pass_json(payload: bytes) -> bytes:
    # The directory is parsed into memory: count its entries before that.
    if payload.count(_DIRECTORY_ENTRY) > ENTRIES_MAX:
        raise PassRefused(f"it has more than {ENTRIES_MAX} entries")
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            entry = _checked(archive.infolist())
            with archive.open(entry) as stream:
                # At most the size that was declared and checked is unpacked; more fails its CRC.
                return stream.read(CONTENT_MAX_BYTES)
    except _BROKEN as error:
        raise PassRefused("it is no readable ZIP archive") from error


def _checked(entries: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """The one pass.json of an archive in which nothing is amiss."""
    for entry in entries:
        _check_name(entry.orig_filename)
    if sum(entry.file_size for entry in entries) > UNPACKED_MAX_BYTES:
        raise PassRefused(f"it would unpack to more than {UNPACKED_MAX_BYTES} bytes")
    found = [entry for entry in entries if entry.orig_filename == CONTENT_NAME]
    if len(found) != 1:
        raise PassRefused(f"it has {len(found)} entries {CONTENT_NAME} instead of one")
    only = found[0]
    if only.flag_bits & _ENCRYPTED or only.compress_type not in _PLAIN_METHODS:
        raise PassRefused(f"its {CONTENT_NAME} is encrypted or packed in an unusual way")
    if only.file_size > CONTENT_MAX_BYTES:
        raise PassRefused(f"its {CONTENT_NAME} has more than {CONTENT_MAX_BYTES} bytes")
    return only


def _check_name(name: str) -> None:
    parts = name.rstrip("/").split("/")
    strange = any(part in {"", ".", ".."} for part in parts) or any(one in name for one in "\\\0:")
    if strange:
        raise PassRefused("an entry's name leads out of the archive")


def _text(content: bytes) -> str:
    """UTF-8, UTF-16 or UTF-32, told apart by a mark or by the zero bytes of RFC 4627, section 3."""
    try:
        return content.decode(json.detect_encoding(content))
    except UnicodeDecodeError as error:
        raise PassRefused(f"its {CONTENT_NAME} is no Unicode text") from error
