"""Speed of `threshold`: `python -m benchmarks --detail threshold` prints each figure beside its ceiling.

Every row is the best of several runs in this process; ceilings are measured in the same run, because the
same machine drifts by a third from hour to hour. Judge by the ratios.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable
from functools import partial
from itertools import combinations

import numpy as np

from rpc_edge.process_memory import keep_freed_memory
from threshold import (
    dispersal,
    feldman,
    gf256,
    gf256_bulk,
    gf256_plan,
    merkle,
    oprf,
    sealing,
    shamir,
    shared_oprf,
)
from threshold.oprf import Mode
from threshold.randomness import SeededRandomness
from threshold.ristretto import Point, Scalar

KIB = 1024
MIB = 1024 * 1024
K, XS = 3, range(1, 6)


def seconds(work: Callable[[], object], budget_seconds: float = 0.25) -> float:
    """The best time of one call, over at least three calls."""
    work()
    best, calls, until = float("inf"), 0, time.perf_counter() + budget_seconds
    while calls < 3 or time.perf_counter() < until:
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
        calls += 1
    return best


def show(name: str, taken: float, size: int = 0, ceiling: float = 0.0) -> None:
    """One line: time, rate for sized work, and how many times the ceiling's time it took."""
    rate = f"{size / taken / 1e6:9.0f} MB/s" if size else " " * 14
    ratio = f"   {taken / ceiling:5.1f} x ceiling" if ceiling else ""
    print(f"{name:<52}{taken * 1e6:11.1f} us{rate}{ratio}")


def shamir_rows(rng: SeededRandomness, sizes: tuple[int, ...]) -> None:
    """GF(2^8): the ceiling is one exclusive-or of two arrays, the cheapest thing done to a byte."""
    for size in sizes:
        secret = os.urandom(size)
        a, b = np.frombuffer(secret, np.uint8), np.zeros(size, np.uint8)
        ceiling = seconds(partial(np.bitwise_xor, a, b, out=b), 0.05)
        show(f"exclusive-or of {size} bytes (ceiling)", ceiling, size)
        show("  split 3 of 5", seconds(partial(shamir.split, secret, K, XS, rng)), size, ceiling)
        coefficients = shamir.draw_coefficients(size, K, rng)
        each = [seconds(partial(shamir.evaluate, secret, coefficients, x), 0.05) for x in XS]
        show("  evaluate one x, the slowest of 1..5", max(each), size, ceiling)
        shares = shamir.split(secret, K, XS, rng)
        each = [seconds(partial(shamir.combine, c, K), 0.05) for c in combinations(shares, K)]
        show("  combine 3 of 5, the fastest three", min(each), size, ceiling)
        show("  combine 3 of 5, mean of all ten threes", sum(each) / len(each), size, ceiling)
        show("  combine 3 of 5, the slowest three", max(each), size, ceiling)


def larger_scheme_rows(rng: SeededRandomness) -> None:
    """The cost of more shares."""
    secret = os.urandom(MIB)
    shares = shamir.split(secret, 5, range(1, 10), rng)
    show("split 5 of 9, 1 MiB", seconds(lambda: shamir.split(secret, 5, range(1, 10), rng)), MIB)
    show("combine 5 of 9, 1 MiB", seconds(lambda: shamir.combine(shares[4:], 5)), MIB)


def where_numpy_wins() -> None:
    """The two lane paths on one size each: the line `gf256.SMALL_BYTES` draws."""
    matrix = [gf256_plan.powers(x, K) for x in XS]
    weights = gf256_plan.lagrange_weights((3, 4, 5), 0)
    for size in (KIB, 2 * KIB, 4 * KIB, 8 * KIB):
        rows = [os.urandom(size) for _ in range(K)]
        show(f"split {size}: integer", seconds(partial(gf256.transform_small, matrix, rows), 0.05))
        show(f"split {size}: numpy", seconds(partial(gf256_bulk.transform_rows, matrix, rows), 0.05))
        show(f"combine {size}: integer", seconds(partial(gf256.combine_small, weights, rows), 0.05))
        show(f"combine {size}: numpy", seconds(partial(gf256_bulk.combine_rows, weights, rows), 0.05))


def key_rows(rng: SeededRandomness) -> None:
    """ristretto255: the ceiling is libsodium's k base multiplications, or k - 1 point multiplications."""
    secret = Scalar.random(rng)
    base = seconds(lambda: Point.base_mul(secret), 0.1)
    point = Point.base_mul(secret)
    show("base multiplication", base)
    times = seconds(lambda: point * secret, 0.1)
    show("point multiplication", times)
    show("point addition", seconds(lambda: point + point, 0.1))
    show("Scalar.from_bytes", seconds(lambda: Scalar.from_bytes(secret.to_bytes()), 0.05))
    show("Point.from_bytes", seconds(lambda: Point.from_bytes(point.to_bytes()), 0.05))
    dealing = feldman.deal(secret, K, XS, rng)
    show("deal 3 of 5", seconds(lambda: feldman.deal(secret, K, XS, rng)), ceiling=3 * base)
    for share in (dealing.shares[0], dealing.shares[-1]):
        taken = seconds(partial(feldman.verify_share, share, dealing.commitments, K), 0.1)
        show(f"verify share x = {share.x}, k = 3", taken, ceiling=base + 2 * times)
    show("combine 3", seconds(lambda: feldman.combine(dealing.shares[2:], K)))


def oprf_rows(rng: SeededRandomness) -> None:
    """The OPRF, 3 of 5: the ceiling is the multiplications of RFC 9497 done bare by libsodium."""
    secret = Scalar.random(rng)
    point = Point.base_mul(secret)
    base, times = seconds(lambda: Point.base_mul(secret), 0.1), seconds(lambda: point * secret, 0.1)
    dealing = feldman.deal(secret, K, XS, rng)
    share, commitments = dealing.shares[-1], dealing.commitments
    stretched = os.urandom(32)
    request = oprf.blind(stretched, Mode.VOPRF, rng)
    answers = [shared_oprf.evaluate_share(one, request.element, rng) for one in dealing.shares]
    check = partial(shared_oprf.verify_evaluation, answers[-1], request.element, commitments, K)
    show("OPRF blind", seconds(lambda: oprf.blind(stretched, Mode.VOPRF, rng)), ceiling=times)
    taken = seconds(lambda: shared_oprf.evaluate_share(share, request.element, rng))
    show("OPRF evaluate a share and prove", taken, ceiling=2 * base + 4 * times)
    show("OPRF verify an evaluation, k = 3", seconds(check), ceiling=base + 7 * times)
    taken = seconds(lambda: oprf.finalize(request, shared_oprf.combine_evaluations(answers[2:], K)))
    show("OPRF combine 3 and finalize", taken, ceiling=(K + 1) * times)


def pycryptodome_seal(key: bytes, plaintext: bytes) -> object:
    """The same AEAD by the library the project prefers elsewhere."""
    from Crypto.Cipher import AES

    return AES.new(key, AES.MODE_GCM, nonce=bytes(12)).encrypt_and_digest(plaintext)


def pycryptodome_stream(key: bytes, zeros: bytes) -> bytes:
    """The same key stream by the library the project prefers elsewhere."""
    from Crypto.Cipher import AES

    return AES.new(key, AES.MODE_CTR, nonce=b"").encrypt(zeros)


def sealing_rows() -> None:
    """Key derivation and AEAD, beside pycryptodome, which the project prefers where it is fast enough."""
    from Crypto.Hash import SHA256
    from Crypto.Protocol.KDF import HKDF

    secret, salt, item = os.urandom(32), os.urandom(32), os.urandom(16)
    derive = partial(sealing.derive_item_key, secret, secret, salt, item, "value", 1)
    bare = seconds(lambda: hmac.digest(salt, secret, "sha256"), 0.05)
    show("HMAC-SHA256 of 32 bytes (ceiling of half an HKDF)", bare)
    show("derive_item_key", seconds(derive), ceiling=2 * bare)
    show("  HKDF of pycryptodome", seconds(lambda: HKDF(secret * 2, 32, salt, SHA256, 1, item)))
    key = derive()
    for size in (KIB, 64 * KIB, MIB):
        plain = os.urandom(size)
        sealed = sealing.seal(key, plain, item)
        show(f"seal {size}", seconds(partial(sealing.seal, key, plain, item)), size)
        show("  open", seconds(partial(sealing.open_sealed, key, sealed, item)), size)
        show("  pycryptodome", seconds(partial(pycryptodome_seal, secret, plain)), size)


def tree_and_code_rows(rng: SeededRandomness) -> None:
    """Merkle trees of many leaves, erasure coding, and the seeded stream."""
    leaves = [merkle.leaf_hash(bytes([i % 256])) for i in range(1000)]
    show("Merkle root of 1,000 leaves", seconds(lambda: merkle.root(leaves)))
    show("Merkle paths of 1,000 leaves", seconds(lambda: merkle.paths(leaves)))
    proof, root = merkle.path(leaves, 500), merkle.root(leaves)
    show("Merkle verify_path", seconds(lambda: merkle.verify_path(leaves[500], 500, 1000, proof, root), 0.05))
    block = os.urandom(64 * KIB)
    show("Merkle leaf_hash of 64 KiB", seconds(lambda: merkle.leaf_hash(block), 0.05), 64 * KIB)
    segment = os.urandom(MIB)
    fragments = dispersal.encode(segment, K, 5)
    show("dispersal encode 3 of 5, 1 MiB", seconds(lambda: dispersal.encode(segment, K, 5)), MIB)
    for used in ((0, 1, 2), (2, 3, 4)):
        given = {position: fragments[position] for position in used}
        show(f"dispersal decode {used}", seconds(partial(dispersal.decode, given, K, 5)), MIB)
    show("SeededRandomness.read 1 MiB", seconds(lambda: rng.read(MIB)), MIB)
    show("  pycryptodome", seconds(partial(pycryptodome_stream, os.urandom(32), bytes(MIB))), MIB)
    show("SeededRandomness.read 1 KiB", seconds(lambda: rng.read(KIB)), KIB)
    show("SeededRandomness(...)", seconds(lambda: SeededRandomness(bytes(32), b"label")))
    show("os.urandom 1 MiB", seconds(lambda: os.urandom(MIB)), MIB)


def main() -> None:
    """Print every figure."""
    rng = SeededRandomness(os.urandom(32), b"benchmark")
    print("Results in pages fresh from the kernel:")
    # Every result above 128 KiB is fresh from the kernel here; a page fault costs up to 3 us for each 4 KiB.
    shamir_rows(rng, (MIB,))
    keep_freed_memory()
    print("The program keeps freed memory from here on:")
    shamir_rows(rng, (32, KIB, 4 * KIB, 16 * KIB, 64 * KIB, MIB))
    larger_scheme_rows(rng)
    where_numpy_wins()
    key_rows(rng)
    oprf_rows(rng)
    sealing_rows()
    tree_and_code_rows(rng)


if __name__ == "__main__":
    main()
