"""`kura backup`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.backup import BackedUp, BackupReport
    from wallet_client.storage.values import ValueSummary
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura backup --all
kura backup "City Bus" "Old ticket" --policy apart
kura backup --all --delete
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@click.option("--all", "everything", is_flag=True, help="Every value of the wallet.")
@click.option("--policy", metavar="NAME", help="How [default: threshold]; `kura policy list` shows all.")
@click.option("--keep/--delete", default=True, help="Keep the values in the wallet (default), or erase them.")
@click.option(
    "--accept-fewer", is_flag=True, help="With --delete: also while some safes do not have them yet."
)
@pass_session
def backup(
    session: Session,
    values: Sequence[str],
    everything: bool,
    policy: str | None,
    keep: bool,
    accept_fewer: bool,
) -> None:
    """Register values at the safes, and keep the receipts.

    A value is `safe` when all its safes have it, `registered` when enough do; then `kura resume` brings it
    to the others once they are back. What is registered already stays as it is.

    VALUE is a value's id, the beginning of one, or a name that only one value has.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn_of_safes

    _check_usage(values, everything, keep, accept_fewer)

    async def work(wallet: "Wallet") -> "tuple[BackupReport, list[ValueSummary]]":
        return await _back_up(wallet, values, everything, policy, keep, accept_fewer)

    report, summaries = with_wallet(session, work)
    warn_of_safes(report.failed)
    pairs = list(zip(report.entries, summaries, strict=True))
    document = {
        "receipts": [_row(*pair) for pair in pairs],
        "failed": {name: str(failure) for name, failure in report.failed.items()},
        "kept": keep,
    }
    emit(session, document, lambda: _text(pairs, keep))


def _check_usage(values: Sequence[str], everything: bool, keep: bool, accept_fewer: bool) -> None:
    if everything == bool(values):
        raise click.UsageError("name values, or say --all")
    if keep and accept_fewer:
        raise click.UsageError("--accept-fewer goes with --delete")


async def _back_up(
    wallet: "Wallet",
    values: Sequence[str],
    everything: bool,
    policy: str | None,
    keep: bool,
    accept_fewer: bool,
) -> "tuple[BackupReport, list[ValueSummary]]":
    from wallet_client.cli.progress import Bars
    from wallet_client.operations.backup import back_up, drop_backed_up
    from wallet_client.policies.presets import DEFAULT_POLICY

    stored = wallet.store.values
    ids = [one.id for one in stored.summaries()] if everything else [stored.find(text) for text in values]
    by_id = {value_id: stored.summary(value_id) for value_id in ids}
    with Bars(sum(one.size_bytes for one in by_id.values())) as bars:
        report = await back_up(wallet, list(by_id), policy or DEFAULT_POLICY, bars)
    if not keep:
        await drop_backed_up(wallet, list(by_id), accept_fewer=accept_fewer)
    return report, [by_id[entry.value_id] for entry in report.entries]


def _row(entry: "BackedUp", summary: "ValueSummary") -> dict[str, object]:
    return {
        "id": entry.receipt_id,
        "name": summary.name,
        "class": summary.item_class,
        "size_bytes": summary.size_bytes,
        "state": entry.state.word,
        "value_id": entry.value_id,
        "may_still_be_lost": entry.state.may_still_be_lost,
        "safes_holding": len(entry.state.holding),
        "safes": len(entry.state.placed),
        "already": entry.already,
    }


def _text(pairs: "Sequence[tuple[BackedUp, ValueSummary]]", keep: bool) -> str:
    from wallet_client.cli.output import cell, columns, count_of

    header = ("RECEIPT", "VALUE", "TITLE", "STATE", "SAFES", "MAY BE LOST")
    rows = (
        (
            entry.receipt_id,
            entry.value_id,
            cell(summary.name),
            entry.state.word + (" before" if entry.already else ""),
            f"{len(entry.state.holding)} of {len(entry.state.placed)}",
            str(entry.state.may_still_be_lost),
        )
        for entry, summary in pairs
    )
    table = columns(header, rows) + "\n\n" if pairs else ""
    ending = "" if keep else "; erased from the wallet"
    return f"{table}{count_of(len(pairs), 'value')} backed up{ending}"
