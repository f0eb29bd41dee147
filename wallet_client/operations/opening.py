"""From checked pieces back to what was registered: combine, open, decouple. Computation alone.

key shares, or the wallet's key -> batch secret;  value shares -> what was divided -> encoded members
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from io import BytesIO
from typing import BinaryIO

from threshold import feldman
from threshold.errors import SealBroken, ThresholdError
from threshold.ristretto import Scalar
from trust.manifest import ItemLeaf
from trust.piece import BLINDING_BYTES
from wallet_client.operations.receipt_batch import Gathered, ReceiptBatch
from wallet_client.pipeline.batch import WalletKeys
from wallet_client.pipeline.couple import decouple
from wallet_client.pipeline.divide import ShareSealer, combine
from wallet_client.pipeline.seal import WHOLE, BatchSecret, ItemName, item_name, member_role, share_role
from wallet_client.pipeline.wrapping import KeyKind, WrappingKey
from wallet_client.values.errors import ValueDamaged


def key_from_shares(batch: ReceiptBatch, gathered: Gathered) -> WrappingKey | None:
    """Secret: the key that was divided among safes, if the batch secret is sealed under it [C12].

    None where there is none, or where the wallet's own is used.
    """
    manifest = batch.manifest
    if manifest.wrap is None or not batch.needs_key_shares:
        return None
    kind: KeyKind = "pair" if manifest.terms.sealing == "key-pair" else "shared"
    return WrappingKey.of(kind, _combined_key(batch, gathered))


def batch_secret(
    batch: ReceiptBatch, gathered: Gathered, keys: WalletKeys, key: WrappingKey | None
) -> BatchSecret | None:
    """Secret: what all item keys of the batch come from; None where nothing is sealed.

    Args:
        batch: What was gathered.
        gathered: Secret: enough of it.
        keys: Secret: the wallet's, for the binding.
        key: Secret: what opens the manifest's wrap: the wallet's key, or what `key_from_shares` gave.

    Raises:
        ValueDamaged: The key does not open it.
        BindingUnknown: It is bound to a root that is not this wallet's owner's.
    """
    manifest = batch.manifest
    if manifest.terms.sealing == "none":
        return None
    binding = keys.binding_secret_for(manifest.ownership)
    if manifest.wrap is None:
        return BatchSecret(_combined_key(batch, gathered), manifest.salt, binding)
    if key is None:
        raise ValueDamaged("there is no key to open it with")
    try:
        return BatchSecret(key.unwrap(manifest.wrap, manifest.salt), manifest.salt, binding)
    except ThresholdError:
        raise ValueDamaged("its manifest's secret does not open under its key") from None


def open_items(
    batch: ReceiptBatch, gathered: Gathered, secret: BatchSecret | None
) -> Iterator[tuple[int, list[bytes]]]:
    """Secret: of every receipt of the batch, by its place, the encoded members of its item.

    Raises:
        ValueDamaged: The pieces are those that were registered, and do not open.
    """
    for index, divided in _combined(batch, gathered, secret):
        yield index, _members(batch, batch.leaves[index], divided, secret)


def member_of(encoded: Sequence[bytes], position: int) -> bytes:
    """Secret: one of an item's encoded members.

    Raises:
        ValueDamaged: The item has fewer than its digest said.
    """
    if position >= len(encoded):
        raise ValueDamaged("its item holds fewer values than it says")
    return encoded[position]


def _combined_key(batch: ReceiptBatch, gathered: Gathered) -> Scalar:
    k = batch.manifest.terms.key.k
    shares = [feldman.ScalarShare(x, share) for x, share in gathered.key_shares.items()]
    return feldman.combine(shares[:k], k)


def _members(
    batch: ReceiptBatch, leaf: ItemLeaf, divided: bytearray, secret: BatchSecret | None
) -> list[bytes]:
    """The encoded members; `divided` is emptied, for a large item would otherwise lie in memory once more."""
    terms = batch.manifest.terms
    opened_apart = terms.order == "divide-then-seal" or terms.coupling == "seal-then-couple"
    if secret is None or opened_apart:
        content = bytes(divided)
    else:
        content = _opened(secret, item_name(leaf), WHOLE, divided)
    divided.clear()
    if terms.coupling == "single":
        return [content]
    parts = list(decouple(content))
    if secret is None or terms.coupling == "couple-then-seal":
        return parts
    name = item_name(leaf)
    return [_opened(secret, name, member_role(number), part) for number, part in enumerate(parts)]


def _opened(secret: BatchSecret, name: ItemName, role: str, sealed: bytes | bytearray) -> bytes:
    try:
        return secret.open(name, role, sealed)
    except SealBroken:
        raise ValueDamaged("its pieces are those that were registered, yet they do not open") from None


def _combined(
    batch: ReceiptBatch, gathered: Gathered, secret: BatchSecret | None
) -> Iterator[tuple[int, bytearray]]:
    """What was divided of every item; items with shares at the same indices are combined together."""
    terms = batch.manifest.terms
    for xs, indices in _by_indices(gathered, terms.value.k).items():
        if len(indices) == 1 or terms.order == "divide-then-seal":
            for index in indices:
                sources = {x: _behind_blinding(gathered.shares[index][x]) for x in xs}
                yield index, _one_combined(batch, batch.leaves[index], sources, secret)
            continue
        lengths = [batch.leaves[index].sealed_length for index in indices]
        joined = {x: _joined([gathered.shares[index][x] for index in indices]) for x in xs}
        content = combine(terms, joined, sum(lengths))
        start = 0
        for index, length in zip(indices, lengths, strict=True):
            yield index, content[start : start + length]
            start += length


def _one_combined(
    batch: ReceiptBatch, leaf: ItemLeaf, sources: dict[int, BinaryIO], secret: BatchSecret | None
) -> bytearray:
    terms = batch.manifest.terms
    unseal: ShareSealer | None = None
    if secret is not None and terms.order == "divide-then-seal":
        unseal = partial(_open_share, secret, item_name(leaf))
    return combine(terms, sources, leaf.sealed_length, unseal)


def _open_share(secret: BatchSecret, name: ItemName, x: int, segment: int, sealed: bytes) -> bytes:
    return _opened(secret, name, share_role(x, segment), sealed)


def _by_indices(gathered: Gathered, k: int) -> dict[tuple[int, ...], list[int]]:
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for index, shares in sorted(gathered.shares.items()):
        groups[tuple(sorted(shares)[:k])].append(index)
    return groups


def _behind_blinding(source: BinaryIO) -> BinaryIO:
    source.seek(BLINDING_BYTES)
    return source


def _joined(sources: Sequence[BinaryIO]) -> BinaryIO:
    """The shares behind their blindings, end to end."""
    return BytesIO(b"".join(_behind_blinding(source).read() for source in sources))
