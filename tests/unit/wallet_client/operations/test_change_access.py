"""What may become of an access policy, before anything is asked of a safe."""

import pytest

from trust.access_policy import MOST_DEVICES, OwnersDevice
from wallet_client.operations.change_access import (
    FactorNeeded,
    NoSuchDevice,
    TooManyDevices,
    device_id,
    with_device,
    without_device,
)
from wallet_client.owners.access import Access


def device(number: int) -> OwnersDevice:
    """One that is never asked."""
    credential = bytes(16) + b"\x00\x20" + bytes([number]) * 32 + b"cose"
    return OwnersDevice(credential=credential, verifies=True, wrapping_key=bytes(32), label=f"key {number}")


FULL = Access(devices=tuple(device(number) for number in range(MOST_DEVICES)))


def test_no_more_devices_than_a_record_has_room_for() -> None:
    """Eight; with one less there is room for one."""
    with pytest.raises(TooManyDevices):
        with_device(device(MOST_DEVICES))(FULL)
    left = without_device("key 0")(FULL)
    assert len(with_device(device(MOST_DEVICES))(left).devices) == MOST_DEVICES


def test_a_device_is_named_by_its_label_or_its_id_and_never_by_nothing() -> None:
    """Nothing, or what several are called, removes none."""
    known = FULL.devices[3]
    assert known not in without_device(device_id(known)[:16])(FULL).devices
    for said in ("", "key 99"):
        with pytest.raises(NoSuchDevice):
            without_device(said)(FULL)


def test_the_last_device_that_a_way_needs_stays() -> None:
    """Else nobody could come back."""
    one = Access((("device", "pin"),), (device(1),))
    with pytest.raises(FactorNeeded):
        without_device("key 1")(one)
