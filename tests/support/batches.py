"""Batches made from a seed, and the way back written out without the wallet's operations."""

from collections.abc import Mapping, Sequence
from io import BytesIO

from support.memory_safes import MemorySafes, check_parcel, roster_of
from support.sample_documents import FIELDS, NOW, draw, key
from support.wallet_samples import FULL_VALUE
from threshold import feldman
from threshold.randomness import SeededRandomness
from threshold.ristretto import Scalar
from trust.certificate import SignedCertificate
from trust.division import share_length
from trust.key_algorithm import BUILT_IN
from trust.manifest import ItemLeaf, Manifest, Ownership
from trust.piece import BLINDING_BYTES, BLOCK_BYTES, block_hashes
from trust.roster import Roster
from wallet_client.pipeline.batch import EncodedMember, PreparedBatch, WalletKeys
from wallet_client.pipeline.couple import decouple
from wallet_client.pipeline.divide import ShareSealer, combine
from wallet_client.pipeline.parcel import CHUNK_BYTES, Parcel
from wallet_client.pipeline.plan import BatchPlan, Member, PlanItem, plan_batches
from wallet_client.pipeline.seal import WHOLE, BatchSecret, item_name, share_role
from wallet_client.pipeline.wrapping import WrappingKey
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import policy_named
from wallet_client.receipts.receipt import Receipt, ReceiptMember
from wallet_client.values.value import ValueId

KEYS = WalletKeys(key("pipeline wallet"), draw("digest secret", 32))
ROSTER = roster_of(5, 3)
KEY_SCALAR = Scalar.random(SeededRandomness(draw("wallet key", 32), b"key"))


def plaintext(length: int, label: str = "a value") -> bytes:
    """Bytes that look random and are the same in every run."""
    return draw(label, length)


def value_ids(count: int) -> list[ValueId]:
    """Ids of values that nobody has."""
    return [ValueId(f"v-{number}") for number in range(count)]


def plans_of(
    lengths: Sequence[int],
    policy: Policy | str,
    *,
    roster: Roster = ROSTER,
    seed: str = "plan",
    ownership: Ownership | None = None,
) -> list[BatchPlan]:
    """Plans for values of these lengths."""
    chosen = policy_named(policy, roster) if isinstance(policy, str) else policy
    members = [
        Member(value_id, length) for value_id, length in zip(value_ids(len(lengths)), lengths, strict=True)
    ]
    items = [PlanItem((member,)) for member in members]
    rng = SeededRandomness(draw(seed, 32), b"plan")
    return plan_batches(items, chosen, roster, NOW, rng, wallet_key_for(chosen), ownership)


def wallet_key_for(policy: Policy) -> WrappingKey | None:
    """The wallet's key that a policy seals with, always of the same scalar."""
    if not policy.key.is_wallets:
        return None
    algorithm = BUILT_IN.label if policy.key.mode == "root" else ""
    return WrappingKey.of("pair" if policy.sealing == "key-pair" else "shared", KEY_SCALAR, algorithm)


def prepared(plan: BatchPlan, values: Sequence[bytes], keys: WalletKeys = KEYS) -> PreparedBatch:
    """The batch of these values."""
    return PreparedBatch(plan, (EncodedMember(value, FIELDS) for value in values), keys)


def batch_of(values: Sequence[bytes], policy: Policy | str, **options: str) -> PreparedBatch:
    """All values in one batch."""
    (plan,) = plans_of([len(value) for value in values], policy, seed=options.get("seed", "plan"))
    return prepared(plan, values)


async def receipt_of(batch: PreparedBatch, index: int = 0, missing: tuple[int, ...] = ()) -> Receipt:
    """The receipt of one item after all safes but those took it; every safe has one parcel."""
    certificates: list[SignedCertificate] = []
    for number, safe in enumerate(MemorySafes.of(), 1):
        if safe.entry.safe_id in batch.plan.arrangement.safes and number not in missing:
            (parcel,) = batch.parcels(safe.entry.safe_id)
            signed = await safe.register(parcel)
            items = batch.piece_items(safe.entry.safe_id)
            certificates += [one for item, one in zip(items, signed, strict=True) if item == index]
    return Receipt(
        kind="value",
        members=(ReceiptMember(ValueId("v-0"), 0, FULL_VALUE.fields, 123),),
        policy_name=batch.plan.policy_name,
        manifest=batch.manifest_bytes,
        manifest_signature=batch.signature,
        leaf=batch.leaf_bytes[index],
        certificates=tuple(certificates),
        kept_shares=batch.kept_shares(index),
        kept_key_shares=batch.kept_key_shares,
        leaf_position=index,
        leaf_path=batch.leaf_paths[index],
    )


def delivered(batch: PreparedBatch) -> dict[int, tuple[Parcel, list[bytes | None]]]:
    """What each safe gets, by x, checked as a safe checks it; every safe has one place."""
    arrived = {}
    for place in batch.manifest.placement:
        (parcel,) = batch.parcels(place.safe_id)
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


def divided_bytes(
    manifest: Manifest, leaf: ItemLeaf, blobs: Mapping[int, bytes], unseal: ShareSealer | None = None
) -> bytes:
    """What was divided, from exactly k blobs by x."""
    length = BLINDING_BYTES + share_length(manifest.terms, leaf.sealed_length)
    assert all(len(blob) == length for blob in blobs.values())
    sources = {x: BytesIO(blob[BLINDING_BYTES:]) for x, blob in blobs.items()}
    return bytes(combine(manifest.terms, sources, leaf.sealed_length, unseal))


def secret_of(
    manifest: Manifest, key_shares: Mapping[int, bytes], binding_secret: bytes = b""
) -> BatchSecret:
    """The batch secret, from exactly k key shares by x, and what the items are bound with."""
    shares = [feldman.ScalarShare(x, Scalar.from_bytes(share)) for x, share in key_shares.items()]
    return BatchSecret(feldman.combine(shares, manifest.terms.key.k), manifest.salt, binding_secret)


def brought_back(
    batch: PreparedBatch, leaf: ItemLeaf, blobs: Mapping[int, bytes], secret: BatchSecret | None = None
) -> bytes:
    """The one value of an item, from exactly k blobs by x and the batch secret."""
    terms, name, secret = batch.plan.terms, item_name(leaf), secret or batch.secret
    if terms.order == "divide-then-seal":
        content = divided_bytes(
            batch.manifest,
            leaf,
            blobs,
            lambda x, segment, share: secret.open(name, share_role(x, segment), share),
        )
    else:
        content = divided_bytes(batch.manifest, leaf, blobs)
        if terms.sealing != "none":
            content = secret.open(name, WHOLE, content)
    if terms.coupling == "single":
        return content
    (part,) = decouple(content)
    return part
