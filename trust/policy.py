"""The terms under which a batch of items was coupled, sealed, divided and placed.

They travel in the manifest: whoever recovers needs nothing else to go the way back. Names, presets
and what the wallet does afterwards are the wallet's own affair.
"""

from typing import Annotated, Literal

from msgspec import Meta

from trust.documents import Document

Count = Annotated[int, Meta(ge=0, le=255)]


class Division(Document, frozen=True):
    """How many shares bring something back.

    Args:
        scheme: "shamir" (any fewer than k reveal nothing; k = 1 makes whole copies) or "compact"
            (erasure code, for ciphertexts only).
        k: Shares needed, 1 to n.
        n: Shares made, 1 to 255.
    """

    title = "division"

    scheme: Literal["shamir", "compact"]
    k: Annotated[int, Meta(ge=1, le=255)]
    n: Annotated[int, Meta(ge=1, le=255)]

    def __post_init__(self) -> None:
        """Refuse a threshold that can never be met."""
        if self.k > self.n:
            raise self.malformed("k", "more shares needed than made")


class KeyRule(Document, frozen=True):
    """Where the key of sealed items is.

    Args:
        mode: "none" (nothing is sealed), "kept" (in the wallet only) or "shared" (k of n at safes).
        k: Key shares needed; 0 unless shared.
        n: Key shares made; 0 unless shared.
    """

    title = "key rule"

    mode: Literal["none", "kept", "shared"]
    k: Count = 0
    n: Count = 0

    def __post_init__(self) -> None:
        """Refuse shares without sharing and sharing without shares."""
        fits = 1 <= self.k <= self.n if self.mode == "shared" else self.k == self.n == 0
        if not fits:
            raise self.malformed("k", "does not fit the mode and n")


class PolicyTerms(Document, frozen=True):
    """What one batch's manifest says about its way.

    Args:
        name: The policy's name in the wallet that made it, for people.
        sealing: "none" or "shared-key" (AES-256-GCM under a key derived from the batch secret).
        value: How sealed values are divided.
        key: Where the batch secret is.
        digest: Whether digests are readable by the safes, by the owner alone, or absent.
        quorum: Safes that must have answered durably before an item counts as registered.
    """

    title = "policy terms"

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    sealing: Literal["none", "shared-key"]
    value: Division
    key: KeyRule
    digest: Literal["public", "sealed", "vacant"]
    quorum: Annotated[int, Meta(ge=1, le=255)]

    def __post_init__(self) -> None:
        """Refuse terms that contradict each other."""
        if (self.sealing == "none") != (self.key.mode == "none"):
            raise self.malformed("key", "a key without sealing, or sealing without a key")
        if self.sealing == "none" and self.value.scheme == "compact":
            raise self.malformed("value", "compact division hides nothing and needs sealing")
