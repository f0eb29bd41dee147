"""`wallet.key`: the master key that seals everything else, itself sealed under a passphrase.

It is a file of its own so that a wrong passphrase is found out before the database is opened:
SQLite cannot so much as replay a log for somebody who may not read it. Two protections exist:
`argon2id` wraps the key under the passphrase (RFC 9106, second recommended option: 64 MiB,
3 passes, 4 lanes; the figures are stored, so they can rise); `none` writes the key as it is, and
whoever can read the folder can read the wallet.

Every wrapping draws a new salt, so its AES-256-GCM key encrypts once and the nonce is zero.
The checksum tells a damaged file from a wrong passphrase; it protects nothing.
"""

import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from wallet_client.storage.errors import (
    PassphraseNeeded,
    PassphraseRefused,
    PassphraseUnused,
    WalletDamaged,
    WrongPassphrase,
)
from wallet_client.storage.secret import Secret

if TYPE_CHECKING:
    from Crypto.Cipher._mode_gcm import GcmMode

KEY_FILE_NAME: Final = "wallet.key"
KEY_FILE_MAX_BYTES: Final = 4_096
MASTER_KEY_BYTES: Final = 32
WALLET_ID_BYTES: Final = 16
SALT_BYTES: Final = 16
PASSPHRASE_MAX_BYTES: Final = 4_096
ARGON2_MEMORY_KIB: Final = 64 * 1024
ARGON2_PASSES: Final = 3
ARGON2_LANES: Final = 4

_ZERO_NONCE: Final = bytes(12)
_DOMAIN: Final = b"kura/v1/wallet-key"

Protection = Literal["argon2id", "none"]


class Passphrase(Secret):
    """Unlocks by a passphrase.

    Args:
        content: Secret: 1 to 4,096 bytes, compared as they are.

    Raises:
        PassphraseRefused: Empty or too long.
    """

    __slots__ = ()

    def __init__(self, content: bytes) -> None:
        if not content:
            raise PassphraseRefused("is empty")
        if len(content) > PASSPHRASE_MAX_BYTES:
            raise PassphraseRefused(f"has more than {PASSPHRASE_MAX_BYTES} bytes")
        super().__init__(content)


class NoPassphrase(msgspec.Struct, frozen=True):
    """Opens a wallet whose master key lies beside its database, readable by whoever reads the folder."""


Unlock = Passphrase | NoPassphrase


class KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file says; `memory_kib`, `passes`, `lanes` and `salt` stand only with `argon2id`.

    Args:
        wallet_id: 16 random bytes that bind every sealed row to this wallet.
        key: Sealed master key (48 bytes), or with `none` Secret: the master key (32 bytes).
    """

    format: Literal["kura-wallet-key/1"] = "kura-wallet-key/1"
    protection: Protection
    wallet_id: Annotated[bytes, Meta(min_length=WALLET_ID_BYTES, max_length=WALLET_ID_BYTES)]
    memory_kib: Annotated[int, Meta(ge=0, le=4 * 1024 * 1024)] = 0
    passes: Annotated[int, Meta(ge=0, le=1_000)] = 0
    lanes: Annotated[int, Meta(ge=0, le=255)] = 0
    salt: Annotated[bytes, Meta(max_length=64)] = b""
    key: Annotated[bytes, Meta(min_length=MASTER_KEY_BYTES, max_length=64)]
    checksum: bytes = b""

    def __repr__(self) -> str:
        """Without the key."""
        return f"<KeyFile, protection {self.protection}>"

    def to_bytes(self) -> bytes:
        """The file's text: JSON, with its checksum."""
        plain = msgspec.structs.replace(self, checksum=b"")
        digest = hashlib.sha256(msgspec.json.encode(plain)).digest()
        return msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(plain, checksum=digest)))


def new_key_file(unlock: Unlock) -> tuple[KeyFile, Secret]:
    """A fresh wallet id and master key, wrapped as asked; takes 0.2 s with a passphrase.

    Returns:
        The file, and the master key (32 bytes).
    """
    master = secrets.token_bytes(MASTER_KEY_BYTES)
    wallet_id = secrets.token_bytes(WALLET_ID_BYTES)
    if isinstance(unlock, NoPassphrase):
        return KeyFile(protection="none", wallet_id=wallet_id, key=master), Secret(master)
    file = KeyFile(
        protection="argon2id",
        wallet_id=wallet_id,
        memory_kib=ARGON2_MEMORY_KIB,
        passes=ARGON2_PASSES,
        lanes=ARGON2_LANES,
        salt=secrets.token_bytes(SALT_BYTES),
        key=bytes(MASTER_KEY_BYTES),
    )
    return msgspec.structs.replace(file, key=_wrap(file, unlock, master)), Secret(master)


def open_key_file(file: KeyFile, unlock: Unlock) -> Secret:
    """The master key; takes 0.2 s with a passphrase.

    Raises:
        WrongPassphrase: The passphrase is another.
        PassphraseNeeded: None was given and the wallet has one.
        PassphraseUnused: One was given and the wallet has none.
        WalletDamaged: The figures of the file are none that Argon2id takes.
    """
    if isinstance(unlock, NoPassphrase):
        if file.protection != "none":
            raise PassphraseNeeded
        return Secret(file.key)
    if file.protection == "none":
        raise PassphraseUnused
    return Secret(_unwrap(file, unlock))


def read_key_file(path: Path) -> KeyFile:
    """The key file at the path, its checksum compared.

    Raises:
        WalletDamaged: It is not what `to_bytes` writes.
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        content = stream.read(KEY_FILE_MAX_BYTES + 1)
    try:
        file = msgspec.json.decode(content, type=KeyFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WalletDamaged(f"{KEY_FILE_NAME} is not readable") from error
    if file.to_bytes() != content:
        raise WalletDamaged(f"{KEY_FILE_NAME} was changed")
    return file


def write_key_file(path: Path, file: KeyFile) -> None:
    """Write it durably, mode 0600, in one step: a crash leaves the old file or the new one.

    Raises:
        OSError: The device refused.
    """
    beside = path.with_suffix(".key.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(file.to_bytes())
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)


def _wrap(file: KeyFile, passphrase: Passphrase, master: bytes) -> bytes:
    sealed, tag = _cipher(file, passphrase).encrypt_and_digest(master)
    return bytes(sealed + tag)


def _unwrap(file: KeyFile, passphrase: Passphrase) -> bytes:
    try:
        sealed, tag = file.key[:MASTER_KEY_BYTES], file.key[MASTER_KEY_BYTES:]
        return bytes(_cipher(file, passphrase).decrypt_and_verify(sealed, tag))
    except ValueError as error:
        raise WrongPassphrase from error


def _cipher(file: KeyFile, passphrase: Passphrase) -> "GcmMode":
    from Crypto.Cipher import AES

    cipher = AES.new(_stretched(file, passphrase), AES.MODE_GCM, nonce=_ZERO_NONCE)
    cipher.update(_bound(file))
    return cipher


def _bound(file: KeyFile) -> bytes:
    """Associated data: all fields but the key, so none can be lowered unnoticed."""
    return _DOMAIN + msgspec.json.encode(msgspec.structs.replace(file, key=b"", checksum=b""))


def _stretched(file: KeyFile, passphrase: Passphrase) -> bytes:
    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    try:
        return hash_secret_raw(
            passphrase.reveal(),
            file.salt,
            time_cost=file.passes,
            memory_cost=file.memory_kib,
            parallelism=file.lanes,
            hash_len=MASTER_KEY_BYTES,
            type=Type.ID,
        )
    except HashingError as error:
        raise WalletDamaged(f"{KEY_FILE_NAME} holds figures that Argon2id refuses") from error
