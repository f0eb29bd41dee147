"""A device that is registered answers once, and is held to what a safe will hold it to."""

from dataclasses import replace

import pytest

from support.owner_devices import MemoryDevice
from support.sample_documents import GENESIS, draw
from support.sample_owner import OWNER_ID
from threshold.randomness import SeededRandomness
from trust.ids import Hash
from wallet_client.owners.devices import DeviceAnswer, DeviceQuestion, register_device
from wallet_client.owners.errors import DeviceFailed


class Lying(MemoryDevice):
    """It answers, and says something else than it was asked."""

    def __init__(self, lie: str) -> None:
        super().__init__("lying")
        self.lie = lie

    def answer(self, question: DeviceQuestion) -> DeviceAnswer:
        other = MemoryDevice("another").answer(question)
        if self.lie == "another challenge":
            return super().answer(replace(question, challenge=draw("another", 32)))
        if self.lie == "another roster":
            return super().answer(replace(question, genesis=Hash(draw("another", 32))))
        if self.lie == "another key":
            return replace(other, credential_id=super().answer(question).credential_id)
        return replace(super().answer(question), client_data=b"{")


@pytest.mark.parametrize("lie", ["another challenge", "another roster", "another key", "no client data"])
def test_what_it_signed_must_hold(lie: str) -> None:
    """Else it would open nothing when it is needed."""
    rng = SeededRandomness(draw("challenges", 32), b"devices")
    with pytest.raises(DeviceFailed, match="does not hold"):
        register_device(Lying(lie), GENESIS.fingerprint, OWNER_ID, "stick", rng)


def test_one_that_does_is_known_by_its_key_and_its_own_secret() -> None:
    """And told to verify its owner, since it did."""
    rng = SeededRandomness(draw("challenges", 32), b"devices")
    known = register_device(MemoryDevice("stick"), GENESIS.fingerprint, OWNER_ID, "stick", rng)
    assert known.label == "stick"
    assert known.verifies
    assert len(known.credential_id) == 32
