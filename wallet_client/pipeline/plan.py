"""The plan of a batch: everything random or chosen about a backup, drawn before anything is sent.

The same plan and the same values give the same manifest and the same pieces, byte for byte. So a
plan in the journal is all that a wallet needs to finish, repeat or withdraw an interrupted backup.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from threshold.randomness import RandomSource, SeededRandomness
from threshold.ristretto import Scalar
from trust.division import share_length
from trust.documents import Document
from trust.ids import Bytes32, Generation, HashField, ItemId, ItemIdField, ShareIndex, UnixSeconds
from trust.manifest import MAX_ITEMS, KeyWrap, Ownership, Place
from trust.piece import BLINDING_BYTES
from trust.policy import PolicyTerms
from trust.roster import Roster
from wallet_client.pipeline.couple import divided_length
from wallet_client.pipeline.parcel import STREAMED_ABOVE_BYTES
from wallet_client.pipeline.seal import BatchSecret
from wallet_client.pipeline.wrapping import WrappingKey
from wallet_client.policies.arrangement import Arrangement, arrange
from wallet_client.policies.policy import Policy
from wallet_client.values.value import ValueId

MAX_PARCEL_BYTES = 2 * 1_048_576
"""Most blob bytes of a batch for one safe, unless one item alone has more."""


class Member(Document, frozen=True):
    """One value, or one key, of an item.

    Args:
        value_id: The value, or the key.
        length: Bytes of its encoding.
    """

    value_id: ValueId
    length: int


class PlannedItem(Document, frozen=True):
    """What is to be registered as one item: one member, or several that are coupled.

    Args:
        kind: "value", or "key" for a key of the wallet.
        members: In the order in which they are coupled.
        item_id: The item.
        generation: The generation to be made.
        divided_length: Bytes of what is divided.
    """

    kind: Literal["value", "key"]
    members: tuple[Member, ...]
    item_id: ItemIdField
    generation: Generation
    divided_length: int


class BatchPlan(Document, frozen=True):
    """One batch.

    Args:
        seed: Secret: 32 bytes from which secret scalar, salt, coefficients and blinding are expanded.
        policy_name: The wallet's policy, for the receipts.
        terms: What the manifest will say.
        placement: Where the pieces will go.
        kept_values: Indices of the value shares that stay in the wallet.
        kept_keys: Indices of the key shares that stay in the wallet.
        wrap: The batch secret under a key, where the terms ask for it: HPKE draws its own randomness.
        roster_version: The roster of the placement.
        roster_hash: Its SHA-256.
        created_at: When it was planned.
        items: 1 to 1,000.
        ownership: What the manifest will say of the owner; None before one is enrolled.
    """

    title = "batch plan"

    seed: Bytes32
    policy_name: str
    terms: PolicyTerms
    placement: tuple[Place, ...]
    kept_values: tuple[ShareIndex, ...]
    kept_keys: tuple[ShareIndex, ...]
    wrap: KeyWrap | None
    roster_version: int
    roster_hash: HashField
    created_at: UnixSeconds
    items: tuple[PlannedItem, ...]
    ownership: Ownership | None = None

    def __repr__(self) -> str:
        """Without the seed."""
        return f"<BatchPlan {self.policy_name}, {len(self.items)} items>"

    @property
    def arrangement(self) -> Arrangement:
        """Terms and placement together."""
        return Arrangement(self.terms, self.placement, self.kept_values, self.kept_keys)

    @property
    def secret(self) -> BatchSecret:
        """Secret: what all item keys of the batch come from."""
        return BatchSecret.draw(SeededRandomness(self.seed, b"secret"))

    @property
    def pair_scalar(self) -> Scalar:
        """Secret: what a key pair of this batch alone comes from, where one is divided [C12]."""
        return Scalar.random(SeededRandomness(self.seed, b"key pair"))


class PlanItem(Document, frozen=True):
    """What planning needs to know of an item.

    Args:
        members: What it consists of.
        item_id: The item it is already registered as, or None for a new one.
        generation: The generation to be made.
        kind: "value" or "key".
    """

    members: tuple[Member, ...]
    item_id: ItemIdField | None = None
    generation: Generation = 1
    kind: Literal["value", "key"] = "value"


def plan_batches(
    items: Sequence[PlanItem],
    policy: Policy,
    roster: Roster,
    now: int,
    rng: RandomSource,
    key: WrappingKey | None = None,
    ownership: Ownership | None = None,
) -> list[BatchPlan]:
    """Spread items over batches: same terms, at most 1,000 items, and messages of bearable size.

    What is dispersed, or too large for one message, has a batch of its own.

    Args:
        items: What is to be registered.
        policy: How.
        roster: Where.
        now: Whole seconds since 1970-01-01 UTC.
        rng: Draws seeds and item ids.
        key: The wallet's key, where the policy seals with one.
        ownership: Of the owner for whom the wallet acts.

    Raises:
        PolicyUnfit: The roster cannot carry the policy.
    """
    return [
        _plan(arrangement, group, policy, roster, now, rng, key, ownership)
        for arrangement, group in _group(items, policy, roster)
    ]


def _plan(
    arrangement: Arrangement,
    group: Sequence[PlanItem],
    policy: Policy,
    roster: Roster,
    now: int,
    rng: RandomSource,
    key: WrappingKey | None,
    ownership: Ownership | None,
) -> BatchPlan:
    items = tuple(
        PlannedItem(
            item.kind,
            item.members,
            item.item_id or ItemId(rng.read(16)),
            item.generation,
            _divided_length(item, policy),
        )
        for item in group
    )
    plan = BatchPlan(
        seed=rng.read(32),
        policy_name=policy.name,
        terms=arrangement.terms,
        placement=arrangement.placement,
        kept_values=arrangement.kept_values,
        kept_keys=arrangement.kept_keys,
        wrap=None,
        roster_version=roster.version,
        roster_hash=roster.fingerprint,
        created_at=now,
        items=items,
        ownership=ownership,
    )
    return replace(plan, wrap=_wrap(plan, key)) if plan.terms.is_wrapped else plan


def _wrap(plan: BatchPlan, key: WrappingKey | None) -> KeyWrap:
    """The batch secret under the wallet's key, or under the pair that is made and divided for this batch."""
    secret = plan.secret
    wrapping = key if key is not None else WrappingKey.of("pair", plan.pair_scalar)
    return wrapping.wrap(secret.scalar, secret.salt)


def _divided_length(item: PlanItem, policy: Policy) -> int:
    return divided_length(policy, [member.length for member in item.members])


def _group(
    items: Sequence[PlanItem], policy: Policy, roster: Roster
) -> list[tuple[Arrangement, list[PlanItem]]]:
    groups: list[tuple[Arrangement, list[PlanItem]]] = []
    open_groups: dict[PolicyTerms, tuple[list[PlanItem], int]] = {}
    for item in items:
        length = _divided_length(item, policy)
        arrangement = arrange(policy, roster, length)
        size = BLINDING_BYTES + share_length(arrangement.terms, length)
        if arrangement.terms.value.scheme == "compact" or size > STREAMED_ABOVE_BYTES:
            groups.append((arrangement, [item]))
            continue
        members, filled = open_groups.get(arrangement.terms, ([], 0))
        if not members or len(members) == MAX_ITEMS or filled + size > MAX_PARCEL_BYTES:
            members, filled = [], 0
            groups.append((arrangement, members))
        members.append(item)
        open_groups[arrangement.terms] = (members, filled + size)
    return groups
