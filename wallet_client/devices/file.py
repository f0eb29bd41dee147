"""A device in a file of its own, to be carried on a USB stick: one seed under a passphrase, and a counter.

Everything else comes of the seed (`SoftwareDevice.derived`), so the file is made once and serves any owner of
any roster. It is sealed as a wallet's key file is: Argon2id at 64 MiB, AES-256-GCM. The counter is written
down before each signature. So two copies of one file, used both, are found out: a safe that has seen the
higher counter refuses the lower one, and the owner is told that a copy is about.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import msgspec
from msgspec import Meta, structs

from wallet_client.errors import WalletError
from wallet_client.owners.devices import DeviceAnswer, DeviceQuestion
from wallet_client.owners.errors import DeviceFailed
from wallet_client.owners.software_device import SoftwareDevice
from wallet_client.storage.keyfile import KeyFile, Passphrase, new_key_file, open_key_file
from wallet_client.storage.secret import Secret

_MOST_BYTES: Final = 8_192


class DeviceFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file says.

    Args:
        key: The seed, 32 bytes, sealed as a wallet's master key.
        counter: Signatures it made.
        checksum: SHA-256 of the JSON without it; it tells damage and protects nothing.
    """

    format: Literal["kura-device/1"] = "kura-device/1"
    key: KeyFile
    counter: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    checksum: bytes = b""

    def to_bytes(self) -> bytes:
        """The file's text: JSON, with its checksum."""
        plain = structs.replace(self, checksum=b"")
        digest = hashlib.sha256(msgspec.json.encode(plain)).digest()
        return msgspec.json.format(msgspec.json.encode(structs.replace(plain, checksum=digest)))


@dataclass(slots=True)
class FileDevice:
    """One that was opened.

    Args:
        path: The file.
        seed: Secret: 32 bytes.
        is_new: It was made just now, and no record names it yet.
    """

    path: Path
    seed: Secret
    is_new: bool = False

    @property
    def name(self) -> str:
        """As the command line has it."""
        return f"file:{self.path}"

    @classmethod
    def make(cls, path: Path, passphrase: Passphrase) -> Self:
        """A new one; blocks for 0.2 s.

        Args:
            path: Where nothing is yet.
            passphrase: Secret.

        Raises:
            DeviceFailed: Something is there, or nothing can be written there.
        """
        key, seed = new_key_file(passphrase)
        try:
            _write_new(path, DeviceFile(key=key))
        except OSError as error:
            raise _failed(path, error) from error
        return cls(path, seed, is_new=True)

    @classmethod
    def open(cls, path: Path, passphrase: Passphrase) -> Self:
        """The one in a file; blocks for 0.2 s.

        Args:
            path: The file.
            passphrase: Secret.

        Raises:
            DeviceFailed: There is none, it is damaged, or the passphrase is another.
        """
        file = _read(path)
        try:
            return cls(path, open_key_file(file.key, passphrase))
        except WalletError:
            raise DeviceFailed(f"file:{path}", "the passphrase is another") from None

    def register(self, question: DeviceQuestion) -> bytes:
        """As Device."""
        return bytes(self._derived(question, 0).credential())

    def answer(self, question: DeviceQuestion) -> DeviceAnswer:
        """As Device; nobody need touch anything."""
        device = self._derived(question, self._count())
        signed = device.signature(question.challenge, question.party, question.origin)
        return DeviceAnswer(device.credential_id, *signed, device.secret(question.salt))

    def discard(self) -> None:
        """Remove the file, if it is new: what it was made for came to nothing."""
        if self.is_new:
            self.path.unlink(missing_ok=True)

    def _derived(self, question: DeviceQuestion, counter: int) -> SoftwareDevice:
        return SoftwareDevice.derived(self.seed.reveal(), question.party, question.owner_id, counter)

    def _count(self) -> int:
        """The next counter, written down first: one that stood still would look like a copy's."""
        file = _read(self.path)
        counted = structs.replace(file, counter=file.counter + 1)
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            beside.unlink(missing_ok=True)
            _write_new(beside, counted)
            beside.replace(self.path)
        except OSError as error:
            raise _failed(self.path, error) from error
        return counted.counter


def _write_new(path: Path, file: DeviceFile) -> None:
    """Durably, mode 0600; raises OSError, also where something is there already."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(file.to_bytes())
        stream.flush()
        os.fsync(stream.fileno())


def _read(path: Path) -> DeviceFile:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        file = msgspec.json.decode(content, type=DeviceFile)
    except OSError as error:
        raise _failed(path, error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DeviceFailed(f"file:{path}", "it is no device file") from None
    if file.to_bytes() != content:
        raise DeviceFailed(f"file:{path}", "it is damaged")
    return file


def _failed(path: Path, error: OSError) -> DeviceFailed:
    return DeviceFailed(f"file:{path}", (error.strerror or "it cannot be used").lower())
