"""A policy: the wallet's choice of how values become pieces.

Every embodiment of the source is a Policy; none has a code path of its own. What a recovery needs
of it travels in the manifest as PolicyTerms; the rest (placement, quorum, when to go compact) is
decided by `arrange`, once, before anything is sent.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from trust.digest import DEFAULT_SHOWN, DigestField
from trust.policy import Division, KeyRule

IN_WALLET: Final = "wallet"
"""Stands among the names of safes for a share that stays in the wallet [C7]."""

Holders: TypeAlias = tuple[str, ...]
"""Who keeps share 1, 2, ...: names of safes, or IN_WALLET. Shares beyond the last name are not deposited."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One way of backing up.

    Args:
        name: What people call it.
        summary: One sentence on what it gives.
        sealing: "none"; "shared-key": AES-256-GCM under keys derived from the batch secret; "key-pair": the
            batch secret is sealed to a public key as well, so that backing up needs no secret.
        value: How the value is divided.
        key: Where the key is.
        digest: Who can read the certificates' digests.
        value_at: Who keeps the value shares; "each-safe": one at each safe, in the roster's order.
        key_at: Who keeps the key shares; "with-value": safes that keep value shares; "elsewhere": those that
            keep none.
        coupling: One value an item, or several, sealed after they are coupled or before.
        order: Seal, then divide; or divide, then seal every share.
        key_name: Which key of the wallet, where `key` is a wallet's; "": the one that is made for the policy.
        algorithm: How the key comes from the root, where `key` is the root's, as name/version; "": built in.
        quorum: Safes that must have answered; None for n - floor((n - k) / 2).
        compact_above: Sealed bytes from which the value is dispersed instead of Shamir-divided: a
            ciphertext needs no secrecy from its shares, and dispersal stores n/k instead of n times.
            None: never.
        drop_after_backup: Erase values from the wallet once their items are safe [C25, C35].
        forget_after_recovery: Delete receipts and pieces once values are back [C26].
        shown: The fields that digests show.
        accept_single_safe: Said in so many words: one safe may keep several shares, or open the value alone.
    """

    name: str
    summary: str
    sealing: Literal["none", "shared-key", "key-pair"]
    value: Division
    key: KeyRule
    digest: Literal["public", "sealed", "vacant"]
    value_at: Holders | Literal["each-safe"] = "each-safe"
    key_at: Holders | Literal["each-safe", "with-value", "elsewhere"] = "each-safe"
    coupling: Literal["single", "couple-then-seal", "seal-then-couple"] = "single"
    order: Literal["seal-then-divide", "divide-then-seal"] = "seal-then-divide"
    key_name: str = ""
    algorithm: str = ""
    quorum: int | None = None
    compact_above: int | None = None
    drop_after_backup: bool = False
    forget_after_recovery: bool = False
    shown: tuple[DigestField, ...] = DEFAULT_SHOWN
    accept_single_safe: bool = False

    @property
    def is_coupled(self) -> bool:
        """Whether several values become one item."""
        return self.coupling != "single"
