"""Values and receipts as rows of a list: what --json and the columns show of each."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wallet_client.cli.output import cell, columns, moment, period, size
from wallet_client.errors import Ambiguous
from wallet_client.storage.receipts import ReceiptEntry, Receipts
from wallet_client.storage.store import WalletStore
from wallet_client.storage.values import ValueSummary
from wallet_client.values.shown import shown
from wallet_client.values.value import ValueId

if TYPE_CHECKING:
    from trust.digest import DigestFields
    from wallet_client.receipts.shelf import ReceiptSummary

NOT_BACKED_UP = "not-backed-up"
"""State of a value without a receipt; with one, it is the receipt's: `registered` or `safe`."""

_SIZE_COLUMN = frozenset({3})
_DIGEST_LABELS = {
    "valid_until": "until ",
    "unit_price": "unit price ",
    "total_amount": "total ",
    "remaining_amount": "remaining ",
    "held_since": "held since ",
}
"""What stands before a digest's field that its text alone does not explain."""


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
        "kind": summary.kind,
        "values": [
            {"id": one.value_id, "name": one.fields.name, "class": one.fields.item_class}
            for one in summary.members
        ],
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
    """The receipts that a person means, each once: by id, by its beginning, or by a value's name or id.

    Raises:
        UnknownReceipt: None fits one of the texts.
        Ambiguous: More than one does.
    """
    return list(find_members(kept, texts))


def find_members(kept: Receipts, texts: Sequence[str]) -> dict[str, set[ValueId]]:
    """The values, or keys, that a person means, by receipt: all of a receipt that is named itself.

    Raises:
        UnknownReceipt, Ambiguous: As `find_receipts`.
    """
    read = read_entries(kept.entries()) if texts else []
    summaries = {entry.id: summary for entry, summary in read}
    named: dict[str, list[tuple[str, ValueId]]] = {}
    for entry, summary in read:
        for one in summary.members:
            for name in {one.fields.name, one.value_id}:
                named.setdefault(name, []).append((entry.id, one.value_id))
    found: dict[str, set[ValueId]] = {}
    for text in texts:
        receipt_id, value_ids = _the_one(kept, text, named, summaries)
        found.setdefault(receipt_id, set()).update(value_ids)
    return found


def _the_one(
    kept: Receipts,
    text: str,
    named: Mapping[str, Sequence[tuple[str, ValueId]]],
    summaries: "Mapping[str, ReceiptSummary]",
) -> tuple[str, Sequence[ValueId]]:
    fitting = [] if text in summaries else named.get(text, [])
    if len(fitting) > 1:
        raise Ambiguous("receipt", text, tuple(dict.fromkeys(receipt_id for receipt_id, _ in fitting)))
    if fitting:
        receipt_id, value_id = fitting[0]
        return receipt_id, [value_id]
    receipt_id = kept.find(text)
    return receipt_id, summaries[receipt_id].value_ids


def read_entries(entries: Sequence[ReceiptEntry]) -> "list[tuple[ReceiptEntry, ReceiptSummary]]":
    """Every entry with its summary; without entries, nothing is loaded for them."""
    if not entries:
        return []
    from wallet_client.receipts.shelf import read_summary

    return [(entry, read_summary(entry)) for entry in entries]


def digest_text(digest: "DigestFields") -> str:
    """All that a digest shows of one value, in the order of its fields, escaped."""
    texts = {name: getattr(digest, name) for name in digest.__struct_fields__}
    if digest.held_since:
        texts["held_since"] = moment(int(digest.held_since))
    return shown(", ".join(f"{_DIGEST_LABELS.get(name, '')}{text}" for name, text in texts.items() if text))
