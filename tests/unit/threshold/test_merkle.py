"""RFC 9162's trees: known roots, every path of every small tree, and what is no path."""

from hashlib import sha256

import pytest

from threshold import merkle
from threshold.errors import InvalidLeafIndex, InvalidLength, PathDoesNotMatchRoot

# The inputs and roots of the Certificate Transparency reference implementations (RFC 6962, same trees).
REFERENCE_INPUTS = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
REFERENCE_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = [*range(1, 34), 63, 64, 65, 1000]


def leaves(size: int) -> list[bytes]:
    return [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(size)]


def rfc_root(hashes: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1 as it is written, by recursion."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\x01" + rfc_root(hashes[:split]) + rfc_root(hashes[split:])).digest()


def rfc_path(index: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 9162 section 2.1.3.1 as it is written, by recursion."""
    if len(hashes) == 1:
        return []
    split = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = hashes[:split], hashes[split:]
    if index < split:
        return [*rfc_path(index, left), rfc_root(right)]
    return [*rfc_path(index - split, right), rfc_root(left)]


@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_reference_implementations(size: int) -> None:
    """From the empty tree to eight leaves."""
    hashes = [merkle.leaf_hash(data) for data in REFERENCE_INPUTS[:size]]
    assert merkle.root(hashes).hex() == REFERENCE_ROOTS[size]


@pytest.mark.parametrize("size", SIZES)
def test_roots_are_those_of_the_rfcs_recursion(size: int) -> None:
    """Level by level is the same tree."""
    assert merkle.root(leaves(size)) == rfc_root(leaves(size))


@pytest.mark.parametrize("size", range(1, 34))
def test_every_path_is_the_rfcs_and_verifies(size: int) -> None:
    """One by one, and all at once."""
    hashes = leaves(size)
    everything = merkle.paths(hashes)
    assert len(everything) == size
    for index, proof in enumerate(everything):
        assert list(proof) == rfc_path(index, hashes)
        assert merkle.path(hashes, index) == proof
        merkle.verify_path(hashes[index], index, size, proof, merkle.root(hashes))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
def test_no_path_proves_another_place(size: int) -> None:
    """Neither another index, nor another leaf, nor another root; sizes change some and never all paths."""
    hashes = leaves(size)
    root = merkle.root(hashes)
    for index, proof in enumerate(merkle.paths(hashes)):
        attempts = [(hashes[index], other, size, proof, root) for other in range(size) if other != index]
        attempts += [(merkle.leaf_hash(b"other"), index, size, proof, root)]
        attempts += [(hashes[index], index, size, proof, merkle.leaf_hash(b"other"))]
        attempts += [(hashes[index], index, 2 * size, proof, root)]
        for attempt in attempts:
            with pytest.raises(PathDoesNotMatchRoot):
                merkle.verify_path(*attempt)


HASHES = leaves(5)
PROOF = merkle.path(HASHES, 2)
ROOT = merkle.root(HASHES)


@pytest.mark.parametrize(
    "proof",
    [
        pytest.param(PROOF[:-1], id="too short"),
        pytest.param((), id="empty"),
        pytest.param((*PROOF, PROOF[0]), id="too long"),
        pytest.param((*PROOF, b""), id="longer by an empty hash"),
        pytest.param(PROOF[::-1], id="out of order"),
        pytest.param((PROOF[0][:31], *PROOF[1:]), id="a hash of 31 bytes"),
        pytest.param((PROOF[0] + PROOF[1], *PROOF[2:]), id="two hashes as one"),
    ],
)
def test_malformed_paths_are_refused(proof: tuple[bytes, ...]) -> None:
    """Exactly the hashes that index and size imply."""
    with pytest.raises(PathDoesNotMatchRoot) as refusal:
        merkle.verify_path(HASHES[2], 2, 5, proof, ROOT)
    assert (refusal.value.index, refusal.value.size) == (2, 5)


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    """Leaves and nodes are hashed behind different bytes."""
    left, right = HASHES[0], HASHES[1]
    node = sha256(b"\x01" + left + right).digest()
    assert merkle.leaf_hash(left + right) != node


@pytest.mark.parametrize(("index", "size"), [(5, 5), (-1, 5), (0, 0)])
def test_places_outside_the_tree_are_refused(index: int, size: int) -> None:
    """By the maker and by the verifier."""
    with pytest.raises(InvalidLeafIndex):
        merkle.path(HASHES[:size], index)
    with pytest.raises(InvalidLeafIndex):
        merkle.verify_path(HASHES[0], index, size, (), ROOT)


def test_no_leaves_have_no_paths() -> None:
    """And the RFC's root."""
    assert merkle.paths([]) == []
    assert merkle.root([]) == merkle.EMPTY_ROOT


def test_leaves_that_are_no_hashes_are_refused() -> None:
    """Content goes through leaf_hash first."""
    with pytest.raises(InvalidLength):
        merkle.root([b"content"])
