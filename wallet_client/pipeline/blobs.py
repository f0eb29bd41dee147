"""Shares and blobs of a batch: small ones made at once, a large one made while it is sent.

A blob is 32 blinding bytes and the value share. The blindings of one item are Shamir shares themselves, of 32
random bytes that nobody keeps, with the value's own k: any k - 1 of them are as good as drawn, and k safes
can repair the whole blob of another, blinding and all. The share of a large item is made twice, once for its
hashes and once while it is sent, so that its pieces never lie in memory together.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate

from threshold import merkle, shamir
from threshold.randomness import SeededRandomness
from trust.division import share_length
from trust.ids import Hash
from trust.piece import BLINDING_BYTES, BlockHasher, piece_root
from wallet_client.pipeline.divide import Divider
from wallet_client.pipeline.parcel import STREAMED_ABOVE_BYTES, StreamedBlob
from wallet_client.pipeline.plan import BatchPlan
from wallet_client.pipeline.seal import BatchSecret, ItemName, item_name, share_role


class Blobs:
    """All value shares of a batch.

    Args:
        plan: The batch's.
        contents: What is divided, item by item; secret unless sealed.
        secret: Secret: seals the shares, where the policy divides first.
    """

    def __init__(self, plan: BatchPlan, contents: Sequence[bytes], secret: BatchSecret) -> None:
        self._plan = plan
        self._placed = tuple(place.x for place in plan.placement if place.value)
        self._lengths = [share_length(plan.terms, item.divided_length) for item in plan.items]
        self._ends = list(accumulate(self._lengths))
        self.total = self._ends[-1] + BLINDING_BYTES * len(self._lengths)
        self.is_streamed = len(contents) == 1 and BLINDING_BYTES + self._lengths[0] > STREAMED_ABOVE_BYTES
        self._dividers = self._make_dividers(contents, secret)
        self._blinding = self._draw_blinding()
        self._shares = [] if self.is_streamed else [divider.all_shares() for divider in self._dividers]
        self._streamed = self._hash_streams() if self.is_streamed else {}

    def streamed(self, x: int) -> StreamedBlob:
        """What announces the blob at x, where it is streamed."""
        return self._streamed[x]

    def whole(self, index: int, x: int) -> bytes:
        """The blob of one item at x, where it is not streamed. Secret."""
        return self._blinding_of(index, x) + self._share(index, x)

    def root(self, index: int, x: int) -> Hash:
        """The piece root of one item's blob at x."""
        if self.is_streamed:
            return Hash(merkle.root(self._streamed[x].block_hashes))
        return piece_root(self.whole(index, x))

    def stream(self, x: int) -> Iterator[bytes]:
        """The blob at x in parts, where it is streamed. Secret."""
        yield self._blinding_of(0, x)
        yield from self._dividers[0].share(x)

    def kept_shares(self, index: int) -> tuple[tuple[int, bytes], ...]:
        """The shares of one item that stay in the wallet, by x. Secret."""
        return tuple((x, self._kept_share(index, x)) for x in self._plan.kept_values)

    def _kept_share(self, index: int, x: int) -> bytes:
        return b"".join(self._dividers[0].share(x)) if self.is_streamed else self._share(index, x)

    def _share(self, index: int, x: int) -> bytes:
        if self._plan.terms.order == "divide-then-seal":
            return self._shares[index][x]
        end = self._ends[index]
        return self._shares[0][x][end - self._lengths[index] : end]

    def _make_dividers(self, contents: Sequence[bytes], secret: BatchSecret) -> list[Divider]:
        """One for the whole batch, or one for each item where every share is sealed by itself."""
        plan = self._plan
        xs = tuple(sorted((*self._placed, *plan.kept_values)))
        if plan.terms.order == "seal-then-divide":
            joined = contents[0] if len(contents) == 1 else b"".join(contents)
            return [Divider(joined, plan.terms.value, xs, plan.seed)]
        sealers = [partial(_seal_share, secret, item_name(item)) for item in plan.items]
        return [
            Divider(content, plan.terms.value, xs, plan.seed, b"shares of item %d" % index, sealer)
            for index, (content, sealer) in enumerate(zip(contents, sealers, strict=True))
        ]

    def _hash_streams(self) -> dict[int, StreamedBlob]:
        """Hash all blobs in one pass: dividing a segment for all indices costs little more than for one."""
        hashers = {x: BlockHasher() for x in self._placed}
        for x, hasher in hashers.items():
            hasher.update(self._blinding_of(0, x))
        for shares in self._dividers[0].segments():
            for x, hasher in hashers.items():
                hasher.update(shares[x])
        return {x: StreamedBlob(x, self.total, tuple(hasher.finish())) for x, hasher in hashers.items()}

    def _blinding_of(self, index: int, x: int) -> bytes:
        return self._blinding[x][BLINDING_BYTES * index : BLINDING_BYTES * (index + 1)]

    def _draw_blinding(self) -> dict[int, bytes]:
        rng = SeededRandomness(self._plan.seed, b"blinding")
        unknown = rng.read(BLINDING_BYTES * len(self._lengths))
        coefficients = shamir.draw_coefficients(len(unknown), self._plan.terms.value.k, rng)
        return {x: shamir.evaluate(unknown, coefficients, x) for x in self._placed}


def _seal_share(secret: BatchSecret, name: ItemName, x: int, segment: int, share: bytes) -> bytes:
    return secret.seal(name, share_role(x, segment), share)
