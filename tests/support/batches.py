"""Batches made from a seed, and the way back written out without the wallet's operations."""

from collections.abc import Mapping, Sequence
from io import BytesIO

from support.memory_safes import check_parcel, roster_of
from support.sample_documents import FIELDS, NOW, draw, key
from threshold import feldman
from threshold.randomness import SeededRandomness
from threshold.ristretto import Scalar
from trust.manifest import ItemLeaf, Manifest
from trust.piece import BLINDING_BYTES, BLOCK_BYTES, block_hashes
from trust.roster import Roster
from wallet_client.pipeline.batch import EncodedItem, PreparedBatch, WalletKeys
from wallet_client.pipeline.divide import combine, share_length
from wallet_client.pipeline.parcel import CHUNK_BYTES, Parcel
from wallet_client.pipeline.plan import BatchPlan, PlanItem, plan_batches
from wallet_client.pipeline.seal import TAG_BYTES, BatchSecret, ItemName
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import policy_named
from wallet_client.values.value import ValueId

KEYS = WalletKeys(key("pipeline wallet"), draw("digest secret", 32))
ROSTER = roster_of(5, 3)


def plaintext(length: int, label: str = "a value") -> bytes:
    """Bytes that look random and are the same in every run."""
    return draw(label, length)


def value_ids(count: int) -> list[ValueId]:
    """Ids of values that nobody has."""
    return [ValueId(f"v-{number}") for number in range(count)]


def plans_of(
    lengths: Sequence[int], policy: Policy | str, *, roster: Roster = ROSTER, seed: str = "plan"
) -> list[BatchPlan]:
    """Plans for values of these lengths."""
    chosen = policy_named(policy, roster) if isinstance(policy, str) else policy
    overhead = TAG_BYTES if chosen.sealing != "none" else 0
    items = [
        PlanItem(value_id, length + overhead)
        for value_id, length in zip(value_ids(len(lengths)), lengths, strict=True)
    ]
    return plan_batches(items, chosen, roster, NOW, SeededRandomness(draw(seed, 32), b"plan"))


def prepared(plan: BatchPlan, values: Sequence[bytes]) -> PreparedBatch:
    """The batch of these values."""
    return PreparedBatch(plan, (EncodedItem(value, FIELDS) for value in values), KEYS)


def batch_of(values: Sequence[bytes], policy: Policy | str, **options: str) -> PreparedBatch:
    """All values in one batch."""
    (plan,) = plans_of([len(value) for value in values], policy, seed=options.get("seed", "plan"))
    return prepared(plan, values)


def delivered(batch: PreparedBatch) -> dict[int, tuple[Parcel, list[bytes | None]]]:
    """What each safe gets, by x, checked as a safe checks it; every safe has one place."""
    arrived = {}
    for place in batch.manifest.placement:
        parcel = batch.parcel(place.safe_id)
        blobs = [piece.blob for piece in parcel.pieces]
        if parcel.streamed is not None:
            blobs = [streamed_blob(batch, parcel)]
        check_parcel(parcel, blobs)
        arrived[place.x] = (parcel, blobs)
    return arrived


def streamed_blob(batch: PreparedBatch, parcel: Parcel) -> bytes:
    """The chunks of a streamed parcel end to end; they must be what was announced."""
    assert parcel.streamed is not None
    chunks = list(batch.chunks(parcel.streamed.x))
    blob = b"".join(chunks)
    assert all(len(chunk) == CHUNK_BYTES for chunk in chunks[:-1])
    assert CHUNK_BYTES % BLOCK_BYTES == 0
    assert len(blob) == parcel.streamed.length
    assert tuple(block_hashes(blob)) == parcel.streamed.block_hashes
    return blob


def sealed_bytes(manifest: Manifest, leaf: ItemLeaf, blobs: Mapping[int, bytes]) -> bytes:
    """What was divided, from exactly k blobs by x."""
    division = manifest.terms.value
    assert all(
        len(blob) == BLINDING_BYTES + share_length(division, leaf.sealed_length) for blob in blobs.values()
    )
    positions = {place.x: position for position, place in enumerate(manifest.value_places())}
    sources = {x: BytesIO(blob[BLINDING_BYTES:]) for x, blob in blobs.items()}
    return bytes(combine(division, positions, sources, leaf.sealed_length))


def secret_of(manifest: Manifest, key_shares: Mapping[int, bytes]) -> BatchSecret:
    """The batch secret, from exactly k key shares by x."""
    shares = [feldman.ScalarShare(x, Scalar.from_bytes(share)) for x, share in key_shares.items()]
    return BatchSecret(feldman.combine(shares, manifest.terms.key.k), manifest.salt)


def opened(batch: PreparedBatch, leaf: ItemLeaf, sealed: bytes, secret: BatchSecret | None) -> bytes:
    """The value that was sealed."""
    if batch.plan.terms.sealing == "none":
        return sealed
    return (secret or batch.secret).open_value(ItemName(leaf.item_id, leaf.generation), sealed)
