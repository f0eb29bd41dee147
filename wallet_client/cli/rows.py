"""Values and receipts as rows of a list: what --json and the columns show of each."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wallet_client.cli.output import cell, columns, period, size
from wallet_client.errors import Ambiguous
from wallet_client.storage.receipts import ReceiptEntry, Receipts
from wallet_client.storage.store import WalletStore
from wallet_client.storage.values import ValueSummary

if TYPE_CHECKING:
    from wallet_client.receipts.shelf import ReceiptSummary

NOT_BACKED_UP = "not-backed-up"
"""State of a value without a receipt; with one, it is the receipt's: `registered` or `safe`."""

_SIZE_COLUMN = frozenset({3})


def receipt_states(store: WalletStore) -> dict[str, str]:
    """The state of every receipt by its id."""
    return {entry.id: entry.state for entry in store.receipts.entries()}


def state_word(summary: ValueSummary, states: Mapping[str, str]) -> str:
    """Where a value stands."""
    return states.get(summary.receipt_id or "", NOT_BACKED_UP)


def value_row(summary: ValueSummary, states: Mapping[str, str]) -> dict[str, object]:
    """A value for --json."""
    return {
        "id": summary.id,
        "name": summary.name,
        "class": summary.item_class,
        "size_bytes": summary.size_bytes,
        "state": state_word(summary, states),
        "place": summary.place,
        "valid_from": summary.valid_from,
        "valid_until": summary.valid_until,
        "receipt_id": summary.receipt_id,
    }


def receipt_row(entry: ReceiptEntry, summary: "ReceiptSummary") -> dict[str, object]:
    """A receipt for --json."""
    return {
        "id": entry.id,
        "name": summary.fields.name,
        "class": summary.fields.item_class,
        "size_bytes": summary.size_bytes,
        "state": entry.state,
        "policy": summary.policy_name,
        "value_id": summary.value_id,
        "created_at": summary.created_at,
        "safes": len(summary.state.placed),
        "safes_holding": len(summary.state.holding),
        "may_still_be_lost": summary.state.may_still_be_lost,
        "valid_from": summary.fields.valid_from,
        "valid_until": summary.fields.valid_until,
    }


def values_table(summaries: Sequence[ValueSummary], states: Mapping[str, str]) -> str:
    """Values as columns."""
    rows = (
        (
            one.id,
            one.item_class,
            cell(one.name),
            size(one.size_bytes),
            period(one.valid_from, one.valid_until),
            state_word(one, states),
        )
        for one in summaries
    )
    return columns(("VALUE", "CLASS", "TITLE", "SIZE", "VALID", "STATE"), rows, right=_SIZE_COLUMN)


def receipts_table(entries: "Sequence[tuple[ReceiptEntry, ReceiptSummary]]") -> str:
    """Receipts as columns."""
    rows = (
        (
            entry.id,
            one.fields.item_class,
            cell(one.fields.name),
            size(one.size_bytes),
            period(one.fields.valid_from, one.fields.valid_until),
            state_text(entry, one),
        )
        for entry, one in entries
    )
    return columns(("RECEIPT", "CLASS", "TITLE", "SIZE", "VALID", "STATE"), rows, right=_SIZE_COLUMN)


def state_text(entry: ReceiptEntry, summary: "ReceiptSummary") -> str:
    """The state, and how far from `safe` it is."""
    if entry.state == "safe":
        return entry.state
    state = summary.state
    return (
        f"{entry.state} at {len(state.holding)} of {len(state.placed)}; {state.may_still_be_lost} may be lost"
    )


def find_receipts(kept: Receipts, texts: Sequence[str]) -> list[str]:
    """The receipts that a person means, each once: by id, by its beginning, or by the value's name or id.

    Raises:
        UnknownReceipt: None fits one of the texts.
        Ambiguous: More than one does.
    """
    ids_of: dict[str, list[str]] = {}
    for entry, summary in read_entries(kept.entries()) if texts else ():
        ids_of[entry.id] = [entry.id]
        for name in {summary.fields.name, summary.value_id}:
            ids_of.setdefault(name, []).append(entry.id)
    return list(dict.fromkeys(_the_one(kept, text, ids_of.get(text, [])) for text in texts))


def _the_one(kept: Receipts, text: str, ids: Sequence[str]) -> str:
    if len(ids) > 1:
        raise Ambiguous("receipt", text, tuple(ids))
    return ids[0] if ids else kept.find(text)


def read_entries(entries: Sequence[ReceiptEntry]) -> "list[tuple[ReceiptEntry, ReceiptSummary]]":
    """Every entry with its summary; without entries, nothing is loaded for them."""
    if not entries:
        return []
    from wallet_client.receipts.shelf import read_summary

    return [(entry, read_summary(entry)) for entry in entries]
