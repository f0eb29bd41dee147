"""Whatever is divided, whichever share is lost, whoever helps: the share that was lost comes back."""

from hypothesis import given, settings
from hypothesis import strategies as st

from threshold import feldman, repair, shamir
from threshold.feldman import ScalarShare
from threshold.randomness import SeededRandomness
from threshold.repair import PadSource, RepairGroup
from threshold.ristretto import Scalar
from threshold.shamir import ByteShare


def pads_of(x: int) -> PadSource:
    return lambda to: SeededRandomness(bytes(32), b"from %d to %d" % (x, to))


@settings(max_examples=40, deadline=None)
@given(secret=st.binary(max_size=3000), k=st.integers(1, 6), more=st.integers(1, 4), data=st.data())
def test_repaired_bytes_are_the_original(secret: bytes, k: int, more: int, data: st.DataObject) -> None:
    """Over GF(256), short and long."""
    split = shamir.split(secret, k, range(1, k + more + 1), SeededRandomness(bytes(32), b"coefficients"))
    shares = data.draw(st.permutations(split))
    group = RepairGroup(tuple(share.x for share in shares[:k]), shares[k].x)
    sums = [
        repair.byte_sum([repair.byte_summand(one, group, to, pads_of(one.x)) for one in shares[:k]])
        for to in group.helpers
    ]
    assert ByteShare(group.lost, repair.byte_sum(sums)) == shares[k]


@settings(max_examples=20, deadline=None)
@given(k=st.integers(1, 5), more=st.integers(1, 4), data=st.data())
def test_repaired_scalars_are_the_original(k: int, more: int, data: st.DataObject) -> None:
    """Over ristretto255's scalars, and on the committed polynomial."""
    rng = SeededRandomness(bytes(32), b"dealing")
    dealing = feldman.deal(Scalar.random(rng), k, range(1, k + more + 1), rng)
    shares = data.draw(st.permutations(dealing.shares))
    group = RepairGroup(tuple(share.x for share in shares[:k]), shares[k].x)
    sums = [
        repair.scalar_sum([repair.scalar_summand(one, group, to, pads_of(one.x)) for one in shares[:k]])
        for to in group.helpers
    ]
    found = ScalarShare(group.lost, repair.scalar_sum(sums))
    assert found == shares[k]
    feldman.verify_share(found, dealing.commitments, k)
