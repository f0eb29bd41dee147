"""How many bytes the safes store for one value: exactly its shares, roughly everything.

Exact are the blobs (a share behind 32 bytes of blinding) and the key shares (32 bytes each). A safe also
keeps the batch's manifest, and for each piece the item's leaf, its certificate and index entries, in pages of
its database; of these the lengths of names and of the batch decide, so that part is a guess on the high side.
"""

from typing import Final

from threshold.ristretto import SCALAR_BYTES
from trust.certificate import Certificate
from trust.digest import VACANT, Digest, DigestFields, public_digest
from trust.division import share_length
from trust.ids import Hash, ItemId, SafeId, WalletKey
from trust.manifest import ItemLeaf, KeyWrap, Manifest, Place
from trust.piece import BLINDING_BYTES, BLOCK_BYTES
from trust.policy import PolicyTerms
from wallet_client.pipeline.couple import divided_length
from wallet_client.pipeline.parcel import CHUNK_BYTES
from wallet_client.policies.arrangement import Arrangement

_PAGE_BYTES: Final = 16_384
"""What a safe's database is made of; a longer row fills pages of its own."""

_BATCH_ROW_BYTES: Final = 64 + 32 + 2 * 32 + 40
"""Beside the manifest: signature, the leaf's hash, the manifest's hash in table and index, numbers."""

_PIECE_ROW_BYTES: Final = 2 * 32 + 2 * 16 + 80
"""Beside leaf and certificate: X and item id, in table and index, numbers."""

_KEY_ROW_BYTES: Final = 32 + 16
"""Beside the share: its checksum, numbers."""

_COUNTER: Final = 2**40
_ORDINARY: Final = DigestFields("x" * 16, "x" * 60, "1.5", "2026-01-31", "2026-12-31", "x" * 60)
_ZEROS: Final = bytes(32)
_SEAL_BYTES: Final = 16


def exact_bytes(arrangement: Arrangement, size: int) -> int:
    """Blobs and key shares of one value at all safes together.

    Args:
        arrangement: For values of this size.
        size: Bytes that the value takes in the wallet.
    """
    blobs = sum(place.value for place in arrangement.placement) * _blob_bytes(arrangement.terms, size)
    return blobs + sum(place.key for place in arrangement.placement) * SCALAR_BYTES


def rough_bytes(arrangement: Arrangement, size: int) -> int:
    """The same with manifest, leaf, certificates and the database's needs, for a batch of this value alone.

    Args:
        arrangement: For values of this size.
        size: Bytes that the value takes in the wallet.
    """
    manifest = len(_manifest(arrangement).to_bytes())
    batches = len(arrangement.safes) * _in_pages(_BATCH_ROW_BYTES + manifest)
    keys = sum(place.key for place in arrangement.placement) * _in_pages(_KEY_ROW_BYTES + SCALAR_BYTES)
    return batches + keys + sum(_piece_bytes(arrangement, place, size) for place in arrangement.placement)


def _blob_bytes(terms: PolicyTerms, size: int) -> int:
    return BLINDING_BYTES + share_length(terms, divided_length(terms, [size]))


def _piece_bytes(arrangement: Arrangement, place: Place, size: int) -> int:
    leaf = _leaf(arrangement)
    row = _PIECE_ROW_BYTES + len(leaf.to_bytes()) + len(_certificate(leaf, place).to_bytes())
    if not place.value:
        return _in_pages(row)
    blob = _blob_bytes(arrangement.terms, size)
    if blob <= CHUNK_BYTES:
        return _in_pages(row + blob)
    chunks, blocks = -(-blob // CHUNK_BYTES), -(-blob // BLOCK_BYTES)
    return _in_pages(row + blocks * len(_ZEROS)) + blob + chunks * _PAGE_BYTES


def _in_pages(row: int) -> int:
    """What a row takes: as many as fit into a page share it, a longer one fills its last page in part."""
    return _PAGE_BYTES // (_PAGE_BYTES // row) if row <= _PAGE_BYTES else row + _PAGE_BYTES


def _manifest(arrangement: Arrangement) -> Manifest:
    """One of the same length."""
    terms = arrangement.terms
    label = "kura-hkdf/1" if terms.key.mode == "root" else ""
    sealed = bytes(80 if terms.sealing == "key-pair" else 48)
    return Manifest(
        wallet_key=WalletKey(_ZEROS),
        terms=terms,
        roster_version=1,
        roster_hash=Hash(_ZEROS),
        placement=arrangement.placement,
        commitments=(_ZEROS,) * terms.key.k,
        salt=_ZEROS,
        created_at=2**31,
        item_count=1,
        item_root=Hash(_ZEROS),
        wrap=KeyWrap(_ZEROS, label, sealed) if terms.is_wrapped else None,
    )


def _leaf(arrangement: Arrangement) -> ItemLeaf:
    roots = (Hash(_ZEROS),) * sum(place.value for place in arrangement.placement)
    return ItemLeaf(ItemId(bytes(16)), 1, "value", _digest(arrangement.terms), 2**31, roots)


def _digest(terms: PolicyTerms) -> Digest:
    """Of a value whose fields are of ordinary length."""
    public = public_digest((_ORDINARY,))
    if terms.digest == "public":
        return public
    return VACANT if terms.digest == "vacant" else Digest("sealed", bytes(_SEAL_BYTES) + public.content)


def _certificate(leaf: ItemLeaf, place: Place) -> Certificate:
    return Certificate(
        safe_id=SafeId(bytes(16)),
        kind=leaf.kind,
        digest=leaf.digest,
        x_hash=Hash(_ZEROS),
        counter=_COUNTER,
        item_id=leaf.item_id,
        generation=leaf.generation,
        index=place.x,
    )
