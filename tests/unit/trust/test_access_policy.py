"""An access policy says one thing in one way, is its owner's word, and names ways that somebody could go."""

import re
from typing import Any

import pytest
from msgspec.structs import replace

from support.sample_access import FINGER, POLICY, SIGNED_POLICY, TOUCH
from support.sample_documents import draw, key
from support.sample_owner import OWNER
from trust.access_policy import (
    PIN_ALONE,
    AccessPolicy,
    SignedAccessPolicy,
    read_policy,
    sign_policy,
    way_key,
)
from trust.documents import DocumentProblem
from trust.errors import AccessPolicyRefused, DocumentMalformed, SignatureInvalid
from trust.ids import OwnerId, OwnerKey


def test_a_signed_policy_reads_as_it_was_signed() -> None:
    assert read_policy(SIGNED_POLICY, POLICY.owner_key) == POLICY


NINE = tuple(replace(TOUCH, credential=bytes([number]) * 18) for number in range(9))
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no way": ({"ways": ()}, "$[4]"),
    "an empty way": ({"ways": ((),)}, "$[4][0]"),
    "an unknown factor": ({"ways": (("face",),)}, "$[4][0][0]"),
    "a factor twice": ({"ways": (("pin", "pin"),)}, "ways"),
    "factors in another order": ({"ways": (("pin", "device"),)}, "ways"),
    "a way twice": ({"ways": (PIN_ALONE, PIN_ALONE)}, "ways"),
    "ways in another order": ({"ways": (PIN_ALONE, ("device",))}, "ways"),
    "a way with a device, and no device": ({"ways": (("device",),), "devices": ()}, "devices"),
    "a way with an authority, and no authority": ({"ways": (("authority",),), "authority": ()}, "authority"),
    "a device twice": ({"devices": (TOUCH, TOUCH)}, "devices"),
    "nine devices": ({"devices": NINE}, "$[5]"),
    "a wait of more than 30 days": ({"waiting_seconds": 30 * 86_400 + 1}, "$[7]"),
    "a wait of less than nothing": ({"waiting_seconds": -1}, "$[7]"),
    "a device without a label": ({"devices": (replace(TOUCH, label=""),)}, "$[5][0][3]"),
}


@pytest.mark.parametrize(("changes", "field"), REFUSED.values(), ids=REFUSED)
def test_no_policy_has(changes: dict[str, Any], field: str) -> None:
    """Neither is one signed; the error names the field."""
    with pytest.raises((DocumentMalformed, DocumentProblem), match=re.escape(field)):
        sign_policy(replace(POLICY, **changes), OWNER)


def test_another_owners_policy_is_refused() -> None:
    """Though it holds."""
    other = key("other owner")
    signed = sign_policy(replace(POLICY, owner_key=OwnerKey(other.public)), other)
    with pytest.raises(AccessPolicyRefused, match="another owner's"):
        read_policy(signed, POLICY.owner_key)


def test_a_policy_that_its_owner_did_not_sign_is_refused() -> None:
    by_another = SignedAccessPolicy(SIGNED_POLICY.policy, sign_policy_by_another())
    changed = SignedAccessPolicy(replace(POLICY, waiting_seconds=0).to_bytes(), SIGNED_POLICY.signature)
    for signed in (by_another, changed):
        with pytest.raises(SignatureInvalid):
            read_policy(signed, POLICY.owner_key)


def sign_policy_by_another() -> Any:
    return key("other owner").sign(AccessPolicy.title, SIGNED_POLICY.policy)


@pytest.mark.parametrize(
    ("ways", "open_to_safes"),
    [
        ((("authority",), PIN_ALONE), True),
        ((("authority", "pin"), ("device",)), False),
        ((("authority", "device"),), False),
    ],
)
def test_it_says_whether_k_safes_can_open_it_alone(ways: Any, open_to_safes: bool) -> None:
    assert replace(POLICY, ways=ways).safes_can_open is open_to_safes


def test_a_devices_credential_id_is_read_from_its_credential() -> None:
    assert TOUCH.credential_id == draw("credential touch", 32)
    assert FINGER.credential_id == draw("credential finger", 32)


def test_each_way_has_a_key_of_its_own_and_the_pin_alone_the_owners() -> None:
    owner, other = OwnerId(draw("owner", 32)), OwnerId(draw("other", 32))
    assert way_key(owner, PIN_ALONE) == owner
    ways: list[Any] = [PIN_ALONE, ("device",), ("device", "pin"), ("authority",)]
    assert len({way_key(one, way) for one in (owner, other) for way in ways}) == 8
