"""What checking a batch will cost, told from its form alone, in units of one signature.

Without it a call of a few kilobytes, 255 key shares at one safe under 255 commitments, held up all others for
seconds: the Feldman check costs shares times commitments.
"""

from safe_node.records import CandidateBatch
from threshold.ristretto import POINT_BYTES

MAX_KEY_EFFORT = 2**17
"""Most key shares times commitments in one call: room for one batch of 255 shares under 255 commitments, and
for whatever a wallet with one share a batch gets into 4 MiB."""

HASHES_PER_SIGNATURE = 32
_COMMITMENTS_PER_SIGNATURE = 8


def key_effort(candidate: CandidateBatch) -> int:
    """Key shares times commitments, of which a manifest has no more than its bytes hold."""
    return len(candidate.key_shares) * (len(candidate.manifest) // POINT_BYTES)


def effort(candidate: CandidateBatch) -> int:
    """Signature, leaves, pieces and key shares of one batch."""
    return (
        max(len(candidate.leaves), len(candidate.pieces))
        + key_effort(candidate) // _COMMITMENTS_PER_SIGNATURE
    )
