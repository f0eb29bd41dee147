"""Whom a gateway is to ask, and how much goes under one grant. Computation alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from trust.grant import MAX_GRANTED, MAX_LIST_BYTES
from trust.ids import SafeId
from trust.piece import BLOCK_BYTES
from wallet_client.operations.receipt_batch import ReceiptBatch, WantedPiece

Slice: TypeAlias = dict[SafeId, list[WantedPiece]]
"""What one grant asks for, by safe."""

_BLOB_BYTES = 2 * 1_048_576
"""Most bytes of blobs asked of one safe under one grant, unless one alone has more."""

_ALL_LISTS_BYTES = 4 * 1_048_576


def order(
    wanted: Mapping[SafeId, Sequence[WantedPiece]], batch: ReceiptBatch, gateway: SafeId, *, everything: bool
) -> tuple[list[SafeId], list[SafeId]]:
    """Who is asked first, and who is spare: the gateway, then others in turn, as few as would do."""
    asked = sorted(wanted, key=lambda safe_id: safe_id != gateway)
    if everything or not batch.would_do(asked):
        return asked, []
    firsts = asked
    for safe_id in reversed(asked):
        fewer = [one for one in firsts if one != safe_id]
        if batch.would_do(fewer):
            firsts = fewer
    return firsts, [safe_id for safe_id in asked if safe_id not in firsts]


def slices(wanted: Mapping[SafeId, Sequence[WantedPiece]]) -> Iterator[Slice]:
    """All pieces, item by item, in as many grants as their sizes ask for."""
    items: dict[int, Slice] = {}
    for safe_id, pieces in wanted.items():
        for piece in pieces:
            items.setdefault(piece.index, {}).setdefault(safe_id, []).append(piece)
    one, load = dict[SafeId, list[WantedPiece]](), _Load()
    for item in items.values():
        if one and not load.takes(item):
            yield one
            one, load = {}, _Load()
        load.add(item)
        for safe_id, pieces in item.items():
            one.setdefault(safe_id, []).extend(pieces)
    if one:
        yield one


def most_frames(wanted: Sequence[WantedPiece]) -> int:
    """How many frames a safe needs at most for these pieces: who sends more goes on for ever."""
    chunks = sum(piece.blob_bytes // BLOCK_BYTES + 1 for piece in wanted)
    return chunks + 2 * len(wanted) + 1


@dataclass(slots=True)
class _Load:
    """What one grant asks for so far: by safe, pieces, bytes of certificates, bytes of blobs."""

    of: dict[SafeId, tuple[int, int, int]] = field(default_factory=dict)
    list_bytes: int = 0

    def takes(self, item: Slice) -> bool:
        """Whether another item goes in."""
        sums = [self._with(safe_id, pieces) for safe_id, pieces in item.items()]
        return self.list_bytes + _list_bytes(item) <= _ALL_LISTS_BYTES and all(
            count <= MAX_GRANTED and size <= MAX_LIST_BYTES and blobs <= _BLOB_BYTES
            for count, size, blobs in sums
        )

    def add(self, item: Slice) -> None:
        """Put it in."""
        self.list_bytes += _list_bytes(item)
        self.of.update((safe_id, self._with(safe_id, pieces)) for safe_id, pieces in item.items())

    def _with(self, safe_id: SafeId, pieces: Sequence[WantedPiece]) -> tuple[int, int, int]:
        count, size, blobs = self.of.get(safe_id, (0, 0, 0))
        size += sum(len(piece.certificate) for piece in pieces)
        return count + len(pieces), size, blobs + sum(piece.blob_bytes for piece in pieces)


def _list_bytes(item: Slice) -> int:
    return sum(len(piece.certificate) for pieces in item.values() for piece in pieces)
