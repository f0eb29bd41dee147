"""The wallet's folder: only its owner may look into it, and a rename in it survives a power cut."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wallet_client.storage.database import DATABASE_NAME
from wallet_client.storage.errors import DeviceFull, StorageFailed, WalletDamaged, WalletMissing
from wallet_client.storage.keyfile import KEY_FILE_NAME

HOME_MODE: Final = 0o700


def make_folder(home: Path) -> None:
    """Make it where it is missing; a folder that holds something keeps its mode."""
    home.mkdir(mode=HOME_MODE, parents=True, exist_ok=True)
    if not any(home.iterdir()):
        home.chmod(HOME_MODE)


def sync_folder(home: Path) -> None:
    """Have the device write down what was made or renamed in it."""
    descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_files(home: Path) -> Path:
    """The key file's path, both files being there.

    Raises:
        WalletMissing: There is no wallet.
        WalletDamaged: One of its files is missing.
    """
    key_file, database = home / KEY_FILE_NAME, home / DATABASE_NAME
    if not database.exists():
        # Without a database a key file is what a crash in `create` leaves, unless a log tells otherwise.
        if (home / f"{DATABASE_NAME}-wal").exists():
            raise WalletDamaged(f"{DATABASE_NAME} is missing")
        raise WalletMissing(home)
    if not key_file.exists():
        raise WalletDamaged(f"{KEY_FILE_NAME} is missing")
    return key_file


@contextmanager
def device_errors() -> Iterator[None]:
    """The operating system's errors as the wallet's.

    Raises:
        DeviceFull: No space is left.
        StorageFailed: Anything else that the system says.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DeviceFull from error
        raise StorageFailed((error.strerror or "the device failed").lower()) from error
