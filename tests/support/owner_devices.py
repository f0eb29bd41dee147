"""Devices of owners that live in memory: they count their touches, and a copy of one is one line."""

from dataclasses import dataclass

import pytest

from support.sample_documents import draw
from wallet_client.owners.devices import DeviceAnswer, DeviceQuestion
from wallet_client.owners.software_device import SoftwareDevice
from wallet_client.storage import keyfile


@pytest.fixture
def cheap_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are made meanwhile ask for next to no Argon2id, also when they are opened."""
    make_files_cheap(monkeypatch)


def make_files_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for as long as a fixture of another scope lives."""
    monkeypatch.setattr(keyfile, "ARGON2_MEMORY_KIB", 64)
    monkeypatch.setattr(keyfile, "ARGON2_PASSES", 1)


@dataclass
class MemoryDevice:
    """A device that answers at once, by a seed; two of one seed are copies.

    Args:
        seed: Names the randomness.
        counter: Signatures it made.
        touches: How often it was touched.
    """

    seed: str
    counter: int = 0
    touches: int = 0

    @property
    def name(self) -> str:
        return f"memory:{self.seed}"

    def register(self, question: DeviceQuestion) -> bytes:
        return bytes(self._derived(question).credential())

    def answer(self, question: DeviceQuestion) -> DeviceAnswer:
        self.counter += 1
        self.touches += 1
        device = self._derived(question)
        signed = device.signature(question.challenge, question.party, question.origin)
        return DeviceAnswer(device.credential_id, *signed, device.secret(question.salt))

    def copy(self) -> "MemoryDevice":
        """What a thief has who read it out."""
        return MemoryDevice(self.seed, self.counter)

    def _derived(self, question: DeviceQuestion) -> SoftwareDevice:
        seed = draw(f"device {self.seed}", 32)
        return SoftwareDevice.derived(seed, question.party, question.owner_id, self.counter)
