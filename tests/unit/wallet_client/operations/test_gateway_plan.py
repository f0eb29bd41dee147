"""Whom a wallet has its gateway ask first, and how much goes under one grant."""

from collections.abc import Sequence
from typing import cast

import pytest

from support.sample_documents import SAFE_IDS
from trust.grant import MAX_GRANTED, MAX_LIST_BYTES
from trust.ids import SafeId
from wallet_client.operations.gateway_plan import order, slices
from wallet_client.operations.receipt_batch import ReceiptBatch, WantedPiece

A, B, C, D, E = SAFE_IDS
KEYS = {D, E}


class Needs:
    """As ReceiptBatch: what would do."""

    def __init__(self, value: int, key: int, apart: bool) -> None:
        self.value, self.key, self.apart = value, key, apart

    def would_do(self, safe_ids: Sequence[SafeId]) -> bool:
        keys = [one for one in safe_ids if not self.apart or one in KEYS]
        values = [one for one in safe_ids if not self.apart or one not in KEYS]
        return len(values) >= self.value and len(keys) >= self.key


THRESHOLD, APART, FEW = Needs(3, 3, False), Needs(1, 1, True), Needs(9, 0, False)


@pytest.mark.parametrize(
    ("needs", "gateway", "everything", "firsts", "spares"),
    [
        pytest.param(THRESHOLD, B, False, [B, A, C], [D, E], id="the gateway and as many others as it takes"),
        pytest.param(THRESHOLD, B, True, [B, A, C, D, E], [], id="all of them, where everything is wanted"),
        pytest.param(
            APART, E, False, [E, A], [B, C, D], id="the key's side is the gateway: one of the value's"
        ),
        pytest.param(
            APART, B, False, [B, D], [A, C, E], id="the value's side is the gateway: one of the key's"
        ),
        pytest.param(FEW, A, False, [A, B, C, D, E], [], id="nobody is spare where there are too few"),
    ],
)
def test_who_is_asked_first(
    needs: Needs, gateway: SafeId, *, everything: bool, firsts: list[SafeId], spares: list[SafeId]
) -> None:
    wanted: dict[SafeId, list[WantedPiece]] = {one: [] for one in SAFE_IDS}
    batch = cast(ReceiptBatch, needs)
    assert order(wanted, batch, gateway, everything=everything) == (firsts, spares)


@pytest.mark.parametrize(
    ("items", "certificate_bytes", "blob_bytes", "sizes"),
    [
        pytest.param(MAX_GRANTED + 1, 1, 0, [MAX_GRANTED, 1], id="at most 1,000 pieces of a safe"),
        pytest.param(3, MAX_LIST_BYTES // 2, 0, [2, 1], id="at most 512 KiB of certificates for a safe"),
        pytest.param(5, 1, 1 << 20, [2, 2, 1], id="at most 2 MiB of blobs of a safe"),
        pytest.param(2, 1, 1 << 23, [1, 1], id="a large one goes alone"),
        pytest.param(0, 1, 1, [], id="nothing"),
    ],
)
def test_how_much_goes_under_one_grant(
    items: int, certificate_bytes: int, blob_bytes: int, sizes: list[int]
) -> None:
    """Of every safe alike; an item's pieces stay together."""
    pieces = [
        WantedPiece(index, 1, bytes(certificate_bytes), bytes(32), blob_bytes, False)
        for index in range(items)
    ]
    grants = list(slices({A: pieces, B: pieces}))
    assert [len(one[A]) for one in grants] == [len(one[B]) for one in grants] == sizes
