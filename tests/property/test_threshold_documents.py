"""What trees, codes and seals promise, for any content."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threshold import dispersal, merkle, sealing
from threshold.errors import PathDoesNotMatchRoot, SealBroken
from threshold.sealing import SealingKey

steady = settings(derandomize=True, deadline=None, max_examples=60)
contents = st.lists(st.binary(max_size=20), min_size=1, max_size=40)


@steady
@given(contents, st.data())
def test_every_leaf_is_proven_and_no_other_content_is(content: list[bytes], data: st.DataObject) -> None:
    """For any number of leaves, equal ones among them."""
    hashes = [merkle.leaf_hash(one) for one in content]
    root, size = merkle.root(hashes), len(hashes)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.paths(hashes)[index]
    merkle.verify_path(hashes[index], index, size, proof, root)
    with pytest.raises(PathDoesNotMatchRoot):
        merkle.verify_path(merkle.leaf_hash(content[index] + b"!"), index, size, proof, root)


@steady
@given(st.binary(max_size=500), st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_any_k_fragments_decode(segment: bytes, a: int, b: int, chance: object) -> None:
    """For any segment and scheme."""
    k, n = min(a, b), max(a, b)
    fragments = dispersal.encode(segment, k, n)
    chosen = chance.sample(range(n), k)  # type: ignore[attr-defined]
    assert dispersal.decode({position: fragments[position] for position in chosen}, k, n) == segment


@steady
@given(st.binary(max_size=200), st.binary(max_size=30), st.data())
def test_any_changed_bit_breaks_the_seal(plaintext: bytes, context: bytes, data: st.DataObject) -> None:
    """Of ciphertext, tag or context."""
    key = SealingKey(b"\x11" * 32)
    sealed = sealing.seal(key, plaintext, context)
    both = bytearray(sealed + context)
    bit = data.draw(st.integers(0, 8 * len(both) - 1))
    both[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealBroken):
        sealing.open_sealed(key, bytes(both[: len(sealed)]), bytes(both[len(sealed) :]))
    assert sealing.open_sealed(key, sealed, context) == plaintext
