"""A device in a file answers as an authenticator does, for each owner as another, and counts each answer."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from fido2.webauthn import AuthenticatorData

from support.owner_devices import cheap_files, make_files_cheap
from support.safe_requests import seeded
from support.sample_documents import draw
from threshold import hpke
from trust.device_proof import device_origin, relying_party
from trust.ids import Hash, OwnerId
from wallet_client.devices.file import DeviceFile, FileDevice
from wallet_client.owners.devices import (
    Device,
    DeviceAnswer,
    DeviceQuestion,
    register_device,
)
from wallet_client.owners.errors import DeviceFailed
from wallet_client.storage.keyfile import Passphrase
from wallet_client.storage.secret import Secret

__all__ = ["cheap_files"]
pytestmark = pytest.mark.usefixtures("cheap_files")

GENESIS = Hash(draw("genesis", 32))
ANNA, BERTA = OwnerId(draw("anna", 32)), OwnerId(draw("berta", 32))
PASSPHRASE = Passphrase(b"a stick in a drawer")


def question(owner_id: OwnerId = ANNA, genesis: Hash = GENESIS) -> DeviceQuestion:
    """One like any other."""
    return DeviceQuestion(genesis, owner_id, draw("challenge", 32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kura.device"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Secret]:
    """A file and its seed: Argon2id is paid once."""
    path = tmp_path_factory.mktemp("made") / "kura.device"
    with pytest.MonkeyPatch.context() as patch:
        make_files_cheap(patch)
        seed = FileDevice.make(path, PASSPHRASE).seed
    assert path.stat().st_mode & 0o777 == 0o600
    return path.read_bytes(), seed


@pytest.fixture
def device(path: Path, made: tuple[bytes, Secret]) -> FileDevice:
    """A fresh copy of it, open."""
    path.write_bytes(made[0])
    path.chmod(0o600)
    return FileDevice(path, made[1])


def counter_of(answer: DeviceAnswer) -> int:
    """What the safes see."""
    return AuthenticatorData(answer.authenticator_data).counter


def test_what_it_registers_is_what_it_answers_with(device: FileDevice) -> None:
    """The safes hold each answer to the credential; wraps are made for the secret that it gives again."""
    known = register_device(device, GENESIS, ANNA, "stick", seeded("register"))
    answer = device.answer(question())
    assert answer.credential_id == known.credential_id
    assert hpke.derive_key_pair(answer.secret).public == known.wrapping_key
    assert (known.verifies, known.label) == (True, "stick")
    assert AuthenticatorData(answer.authenticator_data).is_user_verified()


def test_it_is_another_device_for_every_owner_and_every_roster(device: FileDevice) -> None:
    """Nothing tells safes that two owners have one file."""
    asked = (question(), question(BERTA), question(genesis=Hash(draw("other genesis", 32))))
    answers = [device.answer(one) for one in asked]
    assert len({one.credential_id for one in answers}) == len({one.secret for one in answers}) == 3
    assert relying_party(GENESIS) in device_origin(GENESIS)


def test_the_counter_grows_also_when_it_is_opened_again(device: FileDevice, path: Path) -> None:
    """It is written down before each signature."""
    counters = [counter_of(device.answer(question())) for _ in range(2)]
    counters.append(counter_of(FileDevice.open(path, PASSPHRASE).answer(question())))
    assert counters == [1, 2, 3]


def test_a_copy_signs_with_a_counter_that_was_seen(device: FileDevice, path: Path, tmp_path: Path) -> None:
    """So the safes find it out."""
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    assert counter_of(device.answer(question())) == counter_of(
        FileDevice.open(copy, PASSPHRASE).answer(question())
    )


def test_the_file_shows_nothing_and_stays_nobody_elses(device: FileDevice, path: Path) -> None:
    """Mode 0600; the seed is sealed."""
    device.answer(question())
    assert path.stat().st_mode & 0o777 == 0o600
    assert device.seed.reveal() not in msgspec.json.decode(path.read_bytes(), type=DeviceFile).key.key
    assert device.seed.reveal().hex() not in repr(device)


def test_another_passphrase_opens_nothing(device: FileDevice, path: Path) -> None:
    """And says no more."""
    with pytest.raises(DeviceFailed, match="the passphrase is another"):
        FileDevice.open(path, Passphrase(b"wrong"))


def test_a_file_that_is_there_is_not_overwritten(device: FileDevice, path: Path) -> None:
    """It may be the only way to somebody's values."""
    before = path.read_bytes()
    with pytest.raises(DeviceFailed, match="file exists"):
        FileDevice.make(path, PASSPHRASE)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "no such file"),
        (b"", "no device file"),
        (b"{}", "no device file"),
        (b"\xff\xfe", "no device file"),
        (b"x" * 10_000, "no device file"),
        ("changed", "damaged"),
    ],
    ids=["none", "empty", "another document", "no text", "too large", "changed"],
)
def test_what_is_no_device_file_is_refused(
    device: FileDevice, path: Path, content: bytes | str | None, problem: str
) -> None:
    """Before any passphrase is stretched."""
    whole = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(whole.replace(b'"counter": 0', b'"counter": 7') if content == "changed" else b"")
        if isinstance(content, bytes):
            path.write_bytes(content)
    with pytest.raises(DeviceFailed, match=problem):
        FileDevice.open(path, PASSPHRASE)


def test_a_counter_that_cannot_be_written_is_not_used(device: FileDevice, path: Path) -> None:
    """A signature with a counter that stood still would look like a copy's."""
    path.with_name("kura.device.new").mkdir()
    with pytest.raises(DeviceFailed):
        device.answer(question())


class _Liar:
    """Registers one device, and answers as another, or about something else."""

    name = "liar"

    def __init__(self, real: FileDevice, asked: DeviceQuestion | None, flipped: bool = False) -> None:
        self._real, self._asked, self._flipped = real, asked, flipped

    def register(self, question: DeviceQuestion) -> bytes:
        return self._real.register(question)

    def answer(self, question: DeviceQuestion) -> DeviceAnswer:
        answer = self._real.answer(self._asked or question)
        if not self._flipped:
            return answer
        signature = bytes([answer.signature[0] ^ 1]) + answer.signature[1:]
        return DeviceAnswer(
            answer.credential_id, answer.client_data, answer.authenticator_data, signature, answer.secret
        )


@pytest.mark.parametrize(
    "lie",
    [
        lambda real: _Liar(real, question(BERTA)),
        lambda real: _Liar(real, question()),
        lambda real: _Liar(real, None, flipped=True),
    ],
    ids=["another device signs", "it signs another challenge", "its signature does not hold"],
)
def test_a_device_that_does_not_answer_as_it_registered_is_refused(
    device: FileDevice, lie: Callable[[FileDevice], Device]
) -> None:
    """Before the owner's record names it: it could never open anything."""
    with pytest.raises(DeviceFailed, match=r"signed something else|does not hold"):
        register_device(lie(device), GENESIS, ANNA, "liar", seeded("register"))
