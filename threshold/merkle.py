"""Merkle trees of RFC 9162 section 2.1 over SHA-256: one hash, or one signature, speaks for many things.

Leaves are hashed behind 0x00 and nodes behind 0x01, so neither can pass for the other. The tree of n leaves
splits at the largest power of two below n; level by level that means: pair neighbours, and carry an odd
last node up unchanged. All hashes are 32 bytes.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

from threshold.errors import InvalidLeafIndex, InvalidLength, PathDoesNotMatchRoot

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()
"""The root of no leaves (RFC 9162 section 2.1.1)."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data)."""
    digest = sha256(b"\x00")
    digest.update(data)
    return digest.digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, in order; no leaves give SHA-256 of nothing.

    Raises:
        InvalidLength: a leaf hash is not 32 bytes.
    """
    return _levels(leaf_hashes)[-1][0] if leaf_hashes else EMPTY_ROOT


def path(leaf_hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The inclusion proof of one leaf (RFC 9162 section 2.1.3.1): sibling hashes from the leaf upwards.

    Raises:
        InvalidLeafIndex: no such leaf.
        InvalidLength: a leaf hash is not 32 bytes.
    """
    _check_index(index, len(leaf_hashes))
    return _path(_levels(leaf_hashes), index)


def paths(leaf_hashes: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    """The inclusion proofs of all leaves, in order; each node is hashed once.

    Raises:
        InvalidLength: a leaf hash is not 32 bytes.
    """
    levels = _levels(leaf_hashes)
    return [_path(levels, index) for index in range(len(leaf_hashes))]


def verify_path(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> None:
    """Return when `leaf` is leaf number `index` of the tree of `size` leaves with this root.

    Source: RFC 9162 section 2.1.3.2. The proof must have exactly the length that index and size imply.

    Args:
        leaf: 32 bytes, `leaf_hash` of the content.
        index: 0 <= index < size.
        size: the number of leaves.
        proof: sibling hashes, 32 bytes each, from the leaf upwards.
        expected_root: 32 bytes.

    Raises:
        InvalidLeafIndex: no such leaf.
        PathDoesNotMatchRoot: it does not lead there.
    """
    _check_index(index, size)
    refusal = PathDoesNotMatchRoot(index, size)
    computed, position, last = leaf, index, size - 1
    siblings = iter(proof)
    while last:
        if position & 1 or position < last:
            sibling = next(siblings, b"")
            if len(sibling) != HASH_BYTES:
                raise refusal
            computed = _node(sibling, computed) if position & 1 else _node(computed, sibling)
        position, last = position >> 1, last >> 1
    if next(siblings, None) is not None or not hmac.compare_digest(computed, expected_root):
        raise refusal


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _levels(leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
    """All levels of the tree, leaves first; the last has one hash (or none for no leaves)."""
    for leaf in leaf_hashes:
        if len(leaf) != HASH_BYTES:
            raise InvalidLength("leaf hash", len(leaf), HASH_BYTES)
    levels = [list(leaf_hashes)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        level = [_node(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        levels.append(level + below[2 * len(level) :])
    return levels


def _path(levels: Sequence[Sequence[bytes]], index: int) -> tuple[bytes, ...]:
    proof = []
    for level in levels[:-1]:
        if index ^ 1 < len(level):
            proof.append(level[index ^ 1])
        index >>= 1
    return tuple(proof)


def _check_index(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise InvalidLeafIndex(index, size)
