"""HKDF-SHA256 against Wycheproof."""

from typing import Any

import pytest
from vectors.loading import load

from threshold import hkdf
from threshold.errors import InvalidLength

CASES = [case for group in load("wycheproof_hkdf_sha256_test.json")["testGroups"] for case in group["tests"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['tcId']} {case['result']} {case['comment']}")
def test_wycheproof(case: dict[str, Any]) -> None:
    """Valid cases give the bytes; lengths beyond RFC 5869 are refused."""
    inputs = bytes.fromhex(case["ikm"]), bytes.fromhex(case["salt"]), bytes.fromhex(case["info"])
    if case["result"] == "valid":
        assert hkdf.derive(*inputs, case["size"]).hex() == case["okm"]
    else:
        with pytest.raises(InvalidLength):
            hkdf.derive(*inputs, case["size"])


def test_no_bytes_is_a_length_and_a_negative_one_is_not() -> None:
    """The range is closed at zero."""
    assert hkdf.derive(b"key", b"", b"", 0) == b""
    with pytest.raises(InvalidLength):
        hkdf.derive(b"key", b"", b"", -1)
