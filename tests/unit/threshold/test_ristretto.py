"""The ristretto255 types: RFC 9496's vectors, strictness, and where libsodium is lenient."""

import dataclasses
import importlib.util
import sys
from types import ModuleType
from typing import Any

import pytest
from vectors.loading import load

from threshold import ristretto
from threshold.errors import InvalidLength, InvalidPoint, InvalidScalar, LibsodiumMissing
from threshold.randomness import SeededRandomness
from threshold.ristretto import ORDER, Point, Scalar

RFC9496 = load("rfc9496_ristretto255.json")
MULTIPLES = RFC9496["multiples_of_generator"]
ZERO = bytes(32)


def scalar(value: int) -> Scalar:
    return Scalar.from_bytes((value % ORDER).to_bytes(32, "little"))


def value_of(number: Scalar) -> int:
    return int.from_bytes(number.to_bytes(), "little")


@pytest.mark.parametrize("factor", range(16))
def test_rfc9496_multiples_of_the_generator(factor: int) -> None:
    """By base multiplication, by point multiplication and by repeated addition, zero included."""
    expected = bytes.fromhex(MULTIPLES[factor])
    generator = Point.from_bytes(bytes.fromhex(MULTIPLES[1]))
    total = Point.identity()
    for _ in range(factor):
        total += generator
    assert Point.base_mul(scalar(factor)).to_bytes() == expected
    assert (generator * scalar(factor)).to_bytes() == expected
    assert total.to_bytes() == expected


@pytest.mark.parametrize(
    "case", RFC9496["invalid_encodings"], ids=lambda case: case["encoding"][:8] + case["reason"]
)
def test_rfc9496_encodings_that_must_be_refused(case: dict[str, Any]) -> None:
    """All 29, whatever is wrong with them."""
    with pytest.raises(InvalidPoint):
        Point.from_bytes(bytes.fromhex(case["encoding"]))


def test_the_invalid_element_of_zf_frost_is_refused() -> None:
    """One more that must not decode."""
    with pytest.raises(InvalidPoint):
        Point.from_bytes(
            bytes.fromhex(load("zf_frost_ristretto255_elements.json")["elements"]["invalid_element"])
        )


@pytest.mark.parametrize(
    "case", RFC9496["from_uniform_bytes"], ids=lambda case: f"uniform bytes {case['input'][:8]}"
)
def test_rfc9496_uniform_bytes_map_to_their_element(case: dict[str, str]) -> None:
    """The one-way map."""
    assert Point.from_uniform(bytes.fromhex(case["input"])).to_bytes().hex() == case["output"]


@pytest.mark.parametrize("uniform", RFC9496["from_uniform_bytes_equivalent"]["inputs"])
def test_rfc9496_uniform_bytes_that_differ_may_map_to_one_element(uniform: str) -> None:
    """The high bit of each half is masked, and each half is reduced."""
    element = Point.from_uniform(bytes.fromhex(uniform))
    assert element.to_bytes().hex() == RFC9496["from_uniform_bytes_equivalent"]["output"]


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_uniform_bytes_of_another_length_are_refused(length: int) -> None:
    """By a kind of our own, before the library sees them."""
    with pytest.raises(InvalidLength) as refusal:
        Point.from_uniform(bytes(length))
    assert (refusal.value.have, refusal.value.need) == (length, 64)


@pytest.mark.parametrize("encoded", [b"", ZERO[:31], ZERO + b"\0", ZERO], ids=["0", "31", "33", "identity"])
def test_points_of_another_length_and_the_identity_are_refused(encoded: bytes) -> None:
    """libsodium itself calls the identity valid."""
    with pytest.raises(InvalidPoint):
        Point.from_bytes(encoded)


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(31), id="31 bytes"),
        pytest.param(bytes(33), id="33 bytes"),
        pytest.param(ORDER.to_bytes(32, "little"), id="L"),
        pytest.param((ORDER + 1).to_bytes(32, "little"), id="L + 1"),
        pytest.param((2**255).to_bytes(32, "little"), id="a high bit"),
        pytest.param(b"\xff" * 32, id="all ones"),
    ],
)
def test_scalars_that_are_not_canonical_are_refused(encoded: bytes) -> None:
    """One scalar has one encoding."""
    with pytest.raises(InvalidScalar):
        Scalar.from_bytes(encoded)


@pytest.mark.parametrize("value", [0, 1, ORDER - 1, 2**252])
def test_canonical_scalars_come_back_as_they_were(value: int) -> None:
    """The borders of the range."""
    encoded = value.to_bytes(32, "little")
    assert Scalar.from_bytes(encoded).to_bytes() == encoded


@pytest.mark.parametrize(
    ("a", "b"), [(2, 3), (ORDER - 1, 2), (0, 5), (2**251, 2**251 + 12345), (7, ORDER - 7)]
)
def test_scalar_arithmetic_is_arithmetic_modulo_the_order(a: int, b: int) -> None:
    """Against Python's integers, on values that are no secret."""
    assert value_of(scalar(a) + scalar(b)) == (a + b) % ORDER
    assert value_of(scalar(a) - scalar(b)) == (a - b) % ORDER
    assert value_of(scalar(a) * scalar(b)) == a * b % ORDER
    assert value_of(scalar(b).inverse()) == pow(b, -1, ORDER)


def test_zero_has_no_inverse() -> None:
    """Not even an error code of libsodium to be misread."""
    with pytest.raises(InvalidScalar):
        scalar(0).inverse()


def test_wide_bytes_are_reduced_and_must_be_64() -> None:
    """64 uniform bytes leave no measurable bias."""
    assert value_of(Scalar.from_wide_bytes(b"\xff" * 64)) == (2**512 - 1) % ORDER
    assert Scalar.from_wide_bytes(ORDER.to_bytes(64, "little")).is_zero
    with pytest.raises(InvalidLength) as refusal:
        Scalar.from_wide_bytes(bytes(63))
    assert (refusal.value.have, refusal.value.need) == (63, 64)


def test_random_scalars_read_64_bytes_in_order() -> None:
    """The reading order is part of what a seeded dealing repeats."""
    source = SeededRandomness(ZERO, b"scalar")
    drawn = [Scalar.random(source), Scalar.random(source)]
    again = SeededRandomness(ZERO, b"scalar")
    assert drawn == [Scalar.from_wide_bytes(again.read(64)) for _ in range(2)]


@pytest.mark.parametrize("x", [0, 1, 255, 256, 65535])
def test_share_indices_become_scalars(x: int) -> None:
    """Little-endian, whatever fits two bytes."""
    assert value_of(Scalar.from_index(x)) == x


def test_point_arithmetic_follows_the_scalars() -> None:
    """aG + bG = (a + b)G, aG - aG is the identity, and multiples of it stay there."""
    a, b = scalar(1234567), scalar(ORDER - 99)
    left, right = Point.base_mul(a), Point.base_mul(b)
    assert left + right == Point.base_mul(a + b)
    assert left - right == Point.base_mul(a - b)
    assert left * b == Point.base_mul(a * b)
    assert (left - left).is_identity
    assert (left - left) * b == Point.identity()
    assert (left * scalar(0)).is_identity
    assert not left.is_identity
    assert Point.identity() + left == left


def test_equality_and_hash_follow_the_value() -> None:
    """Scalars serve as keys of sets when they name holders."""
    assert scalar(5) == scalar(5)
    assert scalar(5) != scalar(6)
    assert scalar(5) != 5
    assert len({scalar(5), scalar(5), scalar(6)}) == 2


def test_both_types_are_immutable_and_scalars_do_not_show() -> None:
    """A scalar is a secret until somebody says to_bytes."""
    number, point = scalar(77), Point.base_mul(scalar(77))
    for value in (number, point):
        with pytest.raises(dataclasses.FrozenInstanceError):
            value.encoded = ZERO  # type: ignore[misc]
    assert repr(number) == "Scalar(redacted)"
    assert str(number) == "Scalar(redacted)"


def too_old() -> ModuleType:
    module = ModuleType("pysodium")
    module.sodium_version_check = lambda *wanted: False  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize("library", [None, too_old()], ids=["absent", "too old"])
def test_without_a_libsodium_that_serves_the_import_says_what_to_do(
    library: ModuleType | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh Debian machine may lack libsodium23."""
    monkeypatch.setitem(sys.modules, "pysodium", library)
    spec = importlib.util.find_spec("threshold.ristretto")
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    with pytest.raises(LibsodiumMissing, match="apt-get install libsodium23"):
        spec.loader.exec_module(fresh)


def test_the_order_is_the_one_libsodium_reduces_by() -> None:
    """The constant in the documents is right."""
    assert Scalar.from_wide_bytes((ristretto.ORDER + 5).to_bytes(64, "little")) == scalar(5)
