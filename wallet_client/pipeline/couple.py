"""Couple and decouple: several values, one item [E5].

Each part stands behind its length, 4 bytes, big-endian. Whether the parts are sealed already is the policy's
affair; what comes out is what went in, part by part.
"""

from collections.abc import Iterable, Iterator, Sequence

from threshold.sealing import TAG_BYTES
from trust.policy import PolicyTerms
from wallet_client.policies.policy import Policy
from wallet_client.values.errors import ValueDamaged

LENGTH_BYTES = 4
MAX_MEMBERS = 255
MAX_COUPLED_BYTES = 64 * 1_048_576
"""Most bytes of several values in one item; a value that is larger alone has an item of its own."""


def couple(parts: Iterable[bytes]) -> bytes:
    """The parts as one byte string. Secret where they are."""
    pieces: list[bytes] = []
    for part in parts:
        pieces += (len(part).to_bytes(LENGTH_BYTES, "big"), part)
    return b"".join(pieces)


def decouple(coupled: bytes | bytearray) -> Iterator[bytes]:
    """The parts again. Secret where they are.

    Raises:
        ValueDamaged: The bytes are not what `couple` gives.
    """
    view = memoryview(coupled)
    start = 0
    while start < len(view):
        end = start + LENGTH_BYTES + int.from_bytes(view[start : start + LENGTH_BYTES], "big")
        if end > len(view):
            raise ValueDamaged("its parts do not end where the item does")
        yield bytes(view[start + LENGTH_BYTES : end])
        start = end


def divided_length(policy: Policy | PolicyTerms, lengths: Sequence[int]) -> int:
    """Bytes of what is divided, for an item of values of these lengths."""
    overhead = LENGTH_BYTES * len(lengths) if policy.coupling != "single" else 0
    if policy.sealing != "none" and policy.order == "seal-then-divide":
        overhead += TAG_BYTES * (len(lengths) if policy.coupling == "seal-then-couple" else 1)
    return sum(lengths) + overhead
