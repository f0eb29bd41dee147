"""The terms under which a batch of items was coupled, sealed, divided and placed.

They travel in the manifest: whoever recovers needs nothing else to go the way back. Names, presets
and what the wallet does afterwards are the wallet's own affair.
"""

from typing import Annotated, Literal

from msgspec import Meta

from trust.digest import DEFAULT_SHOWN, DigestField
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
        mode: "none" (nothing is sealed); "shared" (a fresh secret, k of n at safes); "kept" (a key of the
            wallet); "kept-and-shared" (a key of the wallet, of which k of n shares are placed too); "root" (a
            key that the wallet derives from the owner's root whenever it is needed).
        k: Key shares needed; 0 unless shared.
        n: Key shares made; 0 unless shared.
    """

    title = "key rule"

    mode: Literal["none", "shared", "kept", "kept-and-shared", "root"]
    k: Count = 0
    n: Count = 0

    def __post_init__(self) -> None:
        """Refuse shares without sharing and sharing without shares."""
        fits = 1 <= self.k <= self.n if self.is_shared else self.k == self.n == 0
        if not fits:
            raise self.malformed("k", "does not fit the mode and n")

    @property
    def is_shared(self) -> bool:
        """Whether shares of it are dealt."""
        return self.mode in ("shared", "kept-and-shared")

    @property
    def is_wallets(self) -> bool:
        """Whether it is a key that the wallet has, or derives, and not one of the batch."""
        return self.mode in ("kept", "kept-and-shared", "root")


class PolicyTerms(Document, frozen=True):
    """What one batch's manifest says about its way.

    Args:
        name: The policy's name in the wallet that made it, for people.
        sealing: "none"; "shared-key": AES-256-GCM under keys derived from the batch secret; "key-pair": the
            same, and the batch secret itself is sealed by HPKE to a public key.
        value: How values are divided.
        key: Where the key is.
        digest: Whether digests are readable by the safes, by the owner alone, or absent.
        quorum: Safes that must have answered durably before an item counts as registered.
        coupling: "single": one value, one item; "couple-then-seal" and "seal-then-couple": several values,
            one item, sealed together or each by itself.
        order: Whether what is divided is sealed already, or every share is sealed by itself.
        shown: The fields that digests show, none twice.
    """

    title = "policy terms"

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    sealing: Literal["none", "shared-key", "key-pair"]
    value: Division
    key: KeyRule
    digest: Literal["public", "sealed", "vacant"]
    quorum: Annotated[int, Meta(ge=1, le=255)]
    coupling: Literal["single", "couple-then-seal", "seal-then-couple"] = "single"
    order: Literal["seal-then-divide", "divide-then-seal"] = "seal-then-divide"
    shown: tuple[DigestField, ...] = DEFAULT_SHOWN

    def __post_init__(self) -> None:
        """Refuse terms that contradict each other."""
        if (self.sealing == "none") != (self.key.mode == "none"):
            raise self.malformed("key", "a key without sealing, or sealing without a key")
        if self.sealing == "none" and self.value.scheme == "compact":
            raise self.malformed("value", "compact division hides nothing and needs sealing")
        sealed_apart = self.order == "divide-then-seal" or self.coupling == "seal-then-couple"
        if self.sealing == "none" and sealed_apart:
            raise self.malformed("order", "nothing is sealed")
        if self.coupling == "seal-then-couple" and self.order == "divide-then-seal":
            raise self.malformed(
                "order", "values that are sealed before they are coupled are not sealed again"
            )
        if len(set(self.shown)) != len(self.shown):
            raise self.malformed("shown", "a field stands twice")

    @property
    def is_readable(self) -> bool:
        """Whether a safe keeps the value itself, unsealed and whole."""
        return self.sealing == "none" and self.value.k == 1 and self.coupling == "single"

    @property
    def is_wrapped(self) -> bool:
        """Whether the manifest carries the batch secret, sealed under a key."""
        return self.key.is_wallets or self.sealing == "key-pair"
