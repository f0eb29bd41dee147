"""What an authority asserts names one guess, whole, and tells the authority nothing of it."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from support.sample_access import LOGIN
from support.sample_documents import draw
from support.sample_owner import OWNER_ID, RECIPIENT, RECORD_ID

CHANGES: dict[str, dict[str, Any]] = {
    "another owner": {"owner_id": draw("other", 32)},
    "another way": {"way": ("device",)},
    "another version of the record": {"record_id": draw("other", 16)},
    "another guess": {"guess_id": draw("other", 16)},
    "another element": {"element": draw("other", 32)},
    "another recipient key": {"recipient_key": draw("other", 32)},
}


def test_the_hash_is_as_the_page_of_formats_has_it() -> None:
    way = sha256(b"kura/v1/way" + OWNER_ID + b"device pin").digest()
    guess = way + RECORD_ID + LOGIN.guess_id + LOGIN.element + RECIPIENT.public
    assert LOGIN.to_bytes() == guess
    assert LOGIN.hash() == sha256(b"kura/v1/asserted-login" + guess).digest()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_is_another_for(change: dict[str, Any]) -> None:
    assert replace(LOGIN, **change).hash() != LOGIN.hash()
