"""`kura backup`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.backup import BackedUp, BackupReport
    from wallet_client.storage.store import WalletStore
    from wallet_client.storage.values import ValueSummary
    from wallet_client.values.value import ValueId
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura backup --all
kura backup "City Bus" "Old ticket" --policy apart
kura backup --all --delete
kura backup --conditions --dry-run
kura backup --conditions
"""
_ACCEPT_FEWER_ALONE = "--accept-fewer goes with --delete, or with a policy that deletes"


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@click.option("--all", "everything", is_flag=True, help="Every value of the wallet.")
@click.option("--conditions", is_flag=True, help="What the conditions select: `kura condition list`.")
@click.option("--dry-run", is_flag=True, help="With --conditions: only show what is selected, and why.")
@click.option("--policy", metavar="NAME", help="How [default: threshold]; `kura policy list` shows all.")
@click.option(
    "--keep/--delete",
    default=None,
    help="Keep the values in the wallet, or erase them [default: as the policy says; built-in ones keep].",
)
@click.option(
    "--accept-fewer", is_flag=True, help="With --delete: also while some safes do not have them yet."
)
@pass_session
def backup(
    session: Session,
    values: Sequence[str],
    everything: bool,
    conditions: bool,
    dry_run: bool,
    policy: str | None,
    keep: bool | None,
    accept_fewer: bool,
) -> None:
    """Register values at the safes, and keep the receipts.

    A value is `safe` when all its safes have it, `registered` when enough do; then `kura resume` brings it
    to the others once they are back. What is registered already stays as it is. With --conditions the
    values are those that at least one backup condition selects today; none is a success, too.

    VALUE is a value's id, the beginning of one, or a name that only one value has.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn_of_safes
    from wallet_client.cli.selection import NOTHING_SELECTED

    _check_usage((bool(values), everything, conditions), dry_run, policy, keep, accept_fewer)
    if dry_run:
        _show_selected(session)
        return

    async def work(wallet: "Wallet") -> "tuple[BackupReport, list[ValueSummary], bool]":
        ids = _chosen(wallet.store, values, conditions)
        return await _back_up(wallet, ids, policy, keep, accept_fewer)

    report, summaries, kept = with_wallet(session, work)
    warn_of_safes(report.failed)
    pairs = list(zip(report.entries, summaries, strict=True))
    document = {
        "receipts": [_row(*pair) for pair in pairs],
        "failed": {name: str(failure) for name, failure in report.failed.items()},
        "kept": kept,
    }
    emit(session, document, lambda: _text(pairs, kept) if pairs or not conditions else NOTHING_SELECTED)


def _check_usage(
    ways: tuple[bool, ...], dry_run: bool, policy: str | None, keep: bool | None, accept_fewer: bool
) -> None:
    if sum(ways) != 1:
        raise click.UsageError("name values, or say --all or --conditions")
    if dry_run and not ways[-1]:
        raise click.UsageError("--dry-run goes with --conditions")
    if accept_fewer and (keep or (keep is None and policy is None)):
        raise click.UsageError(_ACCEPT_FEWER_ALONE)


def _show_selected(session: Session) -> None:
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import count_of, emit
    from wallet_client.cli.selection import NOTHING_SELECTED, asked_on, selection_row, selection_table
    from wallet_client.operations.select import select

    now = asked_on(None)
    with reading(session) as store:
        chosen = [one for one in select(store, now=now) if one.selected]
    document = {"today": now.date(), "values": [selection_row(one) for one in chosen]}

    def text() -> str:
        if not chosen:
            return NOTHING_SELECTED
        return f"{selection_table(chosen)}\n\n{count_of(len(chosen), 'value')} would be backed up"

    emit(session, document, text)


def _chosen(store: "WalletStore", values: Sequence[str], conditions: bool) -> "list[ValueId]":
    """The values that were named, or that the conditions select, or else all."""
    if values:
        return [store.values.find(text) for text in values]
    if not conditions:
        return [one.id for one in store.values.summaries()]
    from wallet_client.cli.selection import asked_on
    from wallet_client.operations.select import select

    return [one.summary.id for one in select(store, now=asked_on(None)) if one.selected]


async def _back_up(
    wallet: "Wallet",
    ids: "Sequence[ValueId]",
    policy: str | None,
    keep: bool | None,
    accept_fewer: bool,
) -> "tuple[BackupReport, list[ValueSummary], bool]":
    from wallet_client.cli.progress import Bars
    from wallet_client.operations.backup import back_up, drop_backed_up
    from wallet_client.policies.presets import DEFAULT_POLICY

    chosen = wallet.policy(policy or DEFAULT_POLICY)
    kept = not chosen.drop_after_backup if keep is None else keep
    if kept and accept_fewer:
        raise click.UsageError(_ACCEPT_FEWER_ALONE)
    by_id = {value_id: wallet.store.values.summary(value_id) for value_id in ids}
    with Bars(sum(one.size_bytes for one in by_id.values())) as bars:
        report = await back_up(wallet, list(by_id), chosen.name, bars)
    if not kept:
        await drop_backed_up(wallet, list(by_id), accept_fewer=accept_fewer, fresh=report.fresh)
    return report, [by_id[entry.value_id] for entry in report.entries], kept


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
