"""`kura wallet show` and `kura wallet export`: one value, to look at or to take out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.storage.values import ValueSummary
    from wallet_client.values.value import Value

_SHOW_EXAMPLES = """
kura wallet show "City Bus"
kura wallet show "City Bus" --json
"""
_EXPORT_EXAMPLES = """
kura wallet export "Passport, page 2" --out passport.pdf
kura wallet export "City Bus" --fields --out card.json
kura wallet export --all --fields --out everything.json
"""


@click.command(cls=Command, opens_wallet=True, examples=_SHOW_EXAMPLES)
@click.argument("value")
@pass_session
def show(session: Session, value: str) -> None:
    """Show all fields of a value.

    VALUE is a value's id, the beginning of one, or a name that only one value has.
    """
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import emit
    from wallet_client.cli.output import fields as lines
    from wallet_client.cli.rows import NOT_BACKED_UP

    with reading(session) as store:
        summary = store.values.summary(store.values.find(value))
        whole = store.values.get(summary.id)
        state = store.receipts.entry(summary.receipt_id).state if summary.receipt_id else NOT_BACKED_UP
    emit(session, _document(summary, whole, state), lambda: lines(_lines(summary, state)))


@click.command(cls=Command, opens_wallet=True, examples=_EXPORT_EXAMPLES)
@click.argument("value", required=False)
@click.option("--all", "everything", is_flag=True, help="Every value of the wallet; goes with --fields.")
@click.option(
    "--fields", "with_fields", is_flag=True, help="Write fields and bytes, as `kura wallet import` reads."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The file to write; it must not exist.",
)
@pass_session
def export(session: Session, value: str | None, everything: bool, with_fields: bool, out: Path) -> None:
    """Write a value's bytes to a file that only you can read.

    They are the bytes that were added. A value that is all in its fields has none: use --fields. VALUE is a
    value's id, the beginning of one, or a name that only one value has.
    """
    from wallet_client.cli.files import write_new
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import emit, size, warn
    from wallet_client.values.shown import shown

    if everything == (value is not None) or (everything and not with_fields):
        raise click.UsageError("name a VALUE, or say --all --fields")
    with reading(session) as store:
        stored = store.values
        ids = [one.id for one in stored.summaries()] if value is None else [stored.find(value)]
        whole = [stored.get(value_id) for value_id in ids]
    content = _importable(whole) if with_fields else whole[0].payload
    write_new(out, content)
    if not content and not whole[0].file_name:
        warn("the value has no bytes, only fields; --fields writes them")
    document = {"ids": ids, "file": shown(str(out)), "size_bytes": len(content)}
    emit(session, document, lambda: f"{size(len(content))} written to {shown(str(out))}")


def _document(summary: "ValueSummary", whole: "Value", state: str) -> dict[str, Any]:
    from hashlib import sha256

    return {
        "id": summary.id,
        **_public_fields(summary),
        "payload_bytes": summary.payload_bytes,
        "payload_sha256": sha256(whole.payload).hexdigest(),
        "size_bytes": summary.size_bytes,
        "state": state,
        "receipt_id": summary.receipt_id,
    }


def _public_fields(value: "ValueSummary | Value") -> dict[str, Any]:
    """All fields under the names that people and files use."""
    from trust.value_fields import ValueFields

    fields = {name: getattr(value, name) for name in ValueFields.__struct_fields__}
    return {"class": fields.pop("item_class"), **fields}


def _lines(summary: "ValueSummary", state: str) -> list[tuple[str, str]]:
    from wallet_client.cli.output import moment, period, size
    from wallet_client.values.shown import shown

    money = f" {summary.currency}" if summary.currency else ""
    amounts = (summary.unit_price, summary.total_amount, summary.remaining_amount)
    unit, total, remaining = ("" if one is None else f"{one}{money}" for one in amounts)
    return [
        ("Value", summary.id),
        ("Class", summary.item_class),
        ("Name", shown(summary.name)),
        ("Unit price", unit),
        ("Quantity", "" if summary.quantity is None else str(summary.quantity)),
        ("Total", total),
        ("Remaining", remaining),
        ("Place", shown(summary.place)),
        ("Valid", period(summary.valid_from, summary.valid_until)),
        ("Remarks", shown(summary.remarks)),
        ("Held since", moment(summary.held_since)),
        ("File", shown(summary.file_name)),
        ("Media type", summary.media_type),
        ("Size", f"{size(summary.size_bytes)}, of which {size(summary.payload_bytes)} are its bytes"),
        ("State", state),
        ("Receipt", summary.receipt_id or ""),
    ]


def _importable(values: "Sequence[Value]") -> bytes:
    import msgspec

    entries = [_public_fields(one) | {"payload": one.payload} for one in values]
    encoder = msgspec.json.Encoder(decimal_format="number")
    return msgspec.json.format(encoder.encode({"values": entries}), indent=2) + b"\n"
