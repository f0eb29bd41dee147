"""Keys as rows of a list: what --json and the columns show of each."""

from collections.abc import Mapping, Sequence

from wallet_client.cli.output import columns
from wallet_client.cli.rows import NOT_BACKED_UP
from wallet_client.storage.keyring import KIND_WORDS, KeyEntry


def key_row(entry: KeyEntry, states: Mapping[str, str]) -> dict[str, object]:
    """A key for --json.

    Args:
        entry: As it stands.
        states: The state of every receipt by its id.
    """
    return {
        "id": entry.id,
        "name": entry.name,
        "class": "key",
        "kind": entry.kind,
        "here": entry.is_here,
        "state": states.get(entry.receipt_id or "", NOT_BACKED_UP),
        "receipt_id": entry.receipt_id,
        "key_id": entry.key_id.hex(),
        "public_key": entry.public.hex(),
        "algorithm": entry.algorithm,
        "held_since": entry.held_since,
    }


def keys_table(entries: Sequence[KeyEntry], states: Mapping[str, str]) -> str:
    """Keys as columns."""
    rows = (
        (
            one.id,
            one.name,
            kind_text(one),
            place_word(one),
            states.get(one.receipt_id or "", NOT_BACKED_UP),
        )
        for one in entries
    )
    return columns(("KEY", "NAME", "KIND", "WHERE", "STATE"), rows)


def kind_text(entry: KeyEntry) -> str:
    """What it is, and how it came from the root."""
    word = KIND_WORDS[entry.kind]
    return f"{word}, {entry.algorithm} of the root" if entry.algorithm else word


def place_word(entry: KeyEntry) -> str:
    """`here` or `away`."""
    return "here" if entry.is_here else "away"
