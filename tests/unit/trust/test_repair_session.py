"""A repair session names who lost what and who helps; what contradicts itself is none."""

from typing import Any

import pytest
from msgspec import structs

from support.every_document import KEY_SESSION, SESSION
from support.sample_documents import SAFE_IDS, SAFE_KEYS
from trust.documents import DocumentProblem
from trust.errors import SignatureInvalid
from trust.ids import SafeId
from trust.repair_session import RepairHelper, RepairSession, sign_session, verify_session

FIRST, SECOND, THIRD = SESSION.helpers


def test_a_session_comes_back_and_its_signature_holds() -> None:
    """Of a value's part and of a key share."""
    for session in (SESSION, KEY_SESSION):
        body, signature = sign_session(session, SAFE_KEYS[4])
        assert RepairSession.from_bytes(body) == session
        verify_session(session, body, signature, SAFE_KEYS[4].public)


def test_another_safes_signature_does_not_hold() -> None:
    """Nor one over other bytes."""
    body, signature = sign_session(SESSION, SAFE_KEYS[0])
    with pytest.raises(SignatureInvalid):
        verify_session(SESSION, body, signature, SAFE_KEYS[4].public)
    with pytest.raises(SignatureInvalid):
        verify_session(SESSION, KEY_SESSION.to_bytes(), signature, SAFE_KEYS[0].public)


def test_helpers_are_found_by_their_safe() -> None:
    """Who is none is not found."""
    assert SESSION.helper(SAFE_IDS[1]) == SECOND
    assert SESSION.helper(SESSION.requester) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"helpers": (SECOND, FIRST, THIRD)}, "indices must rise", id="helpers out of order"),
        pytest.param({"helpers": (FIRST, FIRST)}, "indices must rise", id="an index twice"),
        pytest.param({"x": 4}, "indices must rise", id="the lost share helps"),
        pytest.param({"requester": SAFE_IDS[0]}, "stands twice", id="who lost it helps itself"),
        pytest.param(
            {"helpers": (FIRST, RepairHelper(SAFE_IDS[0], 2))}, "stands twice", id="one safe with two shares"
        ),
        pytest.param({"leaf_indices": (2, 0)}, "must rise", id="leaves out of order"),
        pytest.param({"leaf_indices": (2, 2)}, "must rise", id="a leaf twice"),
        pytest.param({"leaf_indices": ()}, "does not fit", id="a value of no item"),
        pytest.param({"length": 0}, "does not fit", id="no byte of a value"),
        pytest.param({"part": "key"}, "does not fit", id="items of a key share"),
    ],
)
def test_what_contradicts_itself_is_no_session(changes: dict[str, Any], says: str) -> None:
    """Refused when it is read or built."""
    with pytest.raises(DocumentProblem, match=says):
        structs.replace(SESSION, **changes)


def test_a_key_share_has_no_beginning() -> None:
    """It is repaired whole."""
    with pytest.raises(DocumentProblem, match="does not fit"):
        structs.replace(KEY_SESSION, start=1)


def test_the_ids_of_helpers_are_told_in_order() -> None:
    """As the session has them."""
    assert SESSION.helper_ids == tuple(SafeId(SAFE_IDS[at]) for at in (0, 1, 3))
