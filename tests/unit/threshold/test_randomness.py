"""The system's randomness, and the seeded stream that repeats itself."""

from hashlib import sha256

import pytest

from threshold.errors import InvalidLength
from threshold.randomness import SeededRandomness, SystemRandomness

SEED = bytes(range(32))


def test_the_systems_randomness_has_the_length_asked_for_and_differs() -> None:
    """Two reads of 32 bytes are equal with probability 2^-256."""
    source = SystemRandomness()
    assert len(source.read(32)) == 32
    assert source.read(32) != source.read(32)


def test_the_same_seed_and_label_give_the_same_stream() -> None:
    """An interrupted backup regenerates its pieces."""
    assert SeededRandomness(SEED, b"a").read(100) == SeededRandomness(SEED, b"a").read(100)


@pytest.mark.parametrize(
    ("seed", "label"),
    [pytest.param(bytes(32), b"a", id="another seed"), pytest.param(SEED, b"b", id="another label")],
)
def test_anything_else_gives_another_stream(seed: bytes, label: bytes) -> None:
    """Purposes never share bytes."""
    assert SeededRandomness(seed, label).read(100) != SeededRandomness(SEED, b"a").read(100)


@pytest.mark.parametrize(
    "cuts",
    [[0, 200_001], [1] * 17 + [199_984], [65536, 65536, 68929], [65535, 65537, 68929], [131_072, 0, 68_929]],
)
def test_the_stream_does_not_depend_on_how_reads_are_cut(cuts: list[int]) -> None:
    """Partial cipher blocks carry over."""
    source = SeededRandomness(SEED, b"cuts")
    whole = SeededRandomness(SEED, b"cuts").read(200_001)
    assert b"".join(source.read(cut) for cut in cuts) == whole


def test_the_bytes_are_pinned_because_journals_depend_on_them() -> None:
    """A changed stream would turn `kura resume` into a second, different backup."""
    source = SeededRandomness(SEED, b"kura/v1/test")
    assert source.read(16).hex() == "5c67d13936b1ce6696e636d7a0e0f8c3"
    assert (
        sha256(source.read(100_000)).hexdigest()
        == "5e544ccea1ea15ecbf6807fbfd1f3d26411183556bf37b4a35a4f8b68813e768"
    )


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_that_is_not_32_bytes_is_refused(length: int) -> None:
    """A short seed would be a weak one."""
    with pytest.raises(InvalidLength) as refusal:
        SeededRandomness(bytes(length), b"")
    assert (refusal.value.have, refusal.value.need) == (length, 32)


def test_the_representation_shows_nothing() -> None:
    """Seeds do not reach logs."""
    assert repr(SeededRandomness(SEED, b"secret label")) == "SeededRandomness(redacted)"
