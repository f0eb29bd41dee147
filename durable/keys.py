"""Files with keys: made once, mode 0600 in folders of mode 0700, never overwritten, read at every start."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trust.roster_file import from_pem


@dataclass(eq=False)
class IdentityError(Exception):
    """The keys of a program, or what it holds them against, cannot be used.

    Args:
        problem: What to mend, for the operator.
    """

    problem: str

    def __str__(self) -> str:
        """Give the problem."""
        return self.problem


def write_all(files: Mapping[Path, bytes]) -> None:
    """Make all files (Secret), durably; those of one folder in that order.

    Raises:
        IdentityError: One exists, and then none is written; or the device refused.
    """
    taken = [path for path in files if path.exists()]
    if taken:
        raise IdentityError(f"{taken[0]} exists; nothing was written")
    try:
        for path, content in files.items():
            # mkdir gives the mode to the last folder only.
            for folder in (path.parent.parent, path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
    except OSError as error:
        raise IdentityError(f"{error.filename}: {error.strerror}") from None


def read_file(path: Path) -> bytes:
    """A file's content (Secret).

    Raises:
        IdentityError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise IdentityError(f"{path}: {error.strerror}") from None


def read_hex(path: Path, length: int) -> bytes:
    """A key (Secret) of `length` bytes, kept as hexadecimal digits.

    Raises:
        IdentityError: It is missing, or another.
    """
    try:
        content = bytes.fromhex(read_file(path).decode().strip())
    except ValueError:
        content = b""
    if len(content) != length:
        raise IdentityError(f"{path}: not {length * 2} hexadecimal digits")
    return content


def read_tls(folder: Path) -> tuple[bytes, bytes]:
    """`tls.key` (PEM, Secret) and `tls.crt` (PEM) of a folder; gRPC would only say that it cannot listen.

    Raises:
        IdentityError: One is missing or damaged, or they do not belong together.
    """
    certificate, key = folder / "tls.crt", folder / "tls.key"
    content = read_file(certificate)
    try:
        from_pem(content.decode())
    except ValueError:
        raise IdentityError(f"{certificate}: no PEM certificate") from None
    private = read_file(key)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError:
        raise IdentityError(f"{key}: not the private key of {certificate}") from None
    return private, content
