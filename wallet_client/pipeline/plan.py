"""The plan of a batch: everything random or chosen about a backup, drawn before anything is sent.

The same plan and the same values give the same manifest and the same pieces, byte for byte. So a
plan in the journal is all that a wallet needs to finish, repeat or withdraw an interrupted backup.
"""

from collections.abc import Sequence

from threshold.randomness import RandomSource
from trust.documents import Document
from trust.ids import Bytes32, Generation, HashField, ItemId, ItemIdField, UnixSeconds
from trust.manifest import MAX_ITEMS, Place
from trust.piece import BLINDING_BYTES
from trust.policy import PolicyTerms
from trust.roster import Roster
from wallet_client.pipeline.divide import share_length
from wallet_client.pipeline.parcel import STREAMED_ABOVE_BYTES
from wallet_client.policies.policy import Arrangement, Policy, arrange
from wallet_client.values.value import ValueId

MAX_PARCEL_BYTES = 2 * 1_048_576
"""Most blob bytes of a batch for one safe, unless one item alone has more."""


class PlannedItem(Document, frozen=True):
    """One value to be registered as one item."""

    value_id: ValueId
    item_id: ItemIdField
    generation: Generation
    sealed_length: int


class BatchPlan(Document, frozen=True):
    """One batch.

    Args:
        seed: Secret: 32 bytes from which secret scalar, salt, coefficients and blinding are expanded.
        policy_name: The wallet's policy, for the receipts.
        terms: What the manifest will say.
        placement: Where the pieces will go.
        roster_version: The roster of the placement.
        roster_hash: Its SHA-256.
        created_at: When it was planned.
        items: 1 to 1,000.
    """

    title = "batch plan"

    seed: Bytes32
    policy_name: str
    terms: PolicyTerms
    placement: tuple[Place, ...]
    roster_version: int
    roster_hash: HashField
    created_at: UnixSeconds
    items: tuple[PlannedItem, ...]

    def __repr__(self) -> str:
        """Without the seed."""
        return f"<BatchPlan {self.policy_name}, {len(self.items)} items>"

    @property
    def arrangement(self) -> Arrangement:
        """Terms and placement together."""
        return Arrangement(self.terms, self.placement)


class PlanItem(Document, frozen=True):
    """What planning needs to know of a value.

    Args:
        value_id: The value.
        sealed_length: Bytes to be divided.
        item_id: The item it is already registered as, or None for a new one.
        generation: The generation to be made.
    """

    value_id: ValueId
    sealed_length: int
    item_id: ItemIdField | None = None
    generation: Generation = 1


def plan_batches(
    items: Sequence[PlanItem], policy: Policy, roster: Roster, now: int, rng: RandomSource
) -> list[BatchPlan]:
    """Spread items over batches: same terms, at most 1,000 items, and messages of bearable size.

    What is dispersed, or too large for one message, has a batch of its own.

    Raises:
        PolicyUnfit: The roster cannot carry the policy.
    """
    plans = []
    for arrangement, group in _group(items, policy, roster):
        planned = tuple(
            PlannedItem(
                item.value_id, item.item_id or ItemId(rng.read(16)), item.generation, item.sealed_length
            )
            for item in group
        )
        plans.append(
            BatchPlan(
                seed=rng.read(32),
                policy_name=policy.name,
                terms=arrangement.terms,
                placement=arrangement.placement,
                roster_version=roster.version,
                roster_hash=roster.fingerprint,
                created_at=now,
                items=planned,
            )
        )
    return plans


def _group(
    items: Sequence[PlanItem], policy: Policy, roster: Roster
) -> list[tuple[Arrangement, list[PlanItem]]]:
    groups: list[tuple[Arrangement, list[PlanItem]]] = []
    open_groups: dict[PolicyTerms, tuple[list[PlanItem], int]] = {}
    for item in items:
        arrangement = arrange(policy, roster, item.sealed_length)
        size = BLINDING_BYTES + share_length(arrangement.terms.value, item.sealed_length)
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
