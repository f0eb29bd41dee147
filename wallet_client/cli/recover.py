"""`kura recover`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.room import RoomOptions, room_options
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.recover_in_room import RoomyRecovery
    from wallet_client.storage.store import WalletStore
    from wallet_client.storage.values import ValueSummary
    from wallet_client.values.value import ValueId
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura recover --all
kura recover "City Bus"
kura recover "City Bus" --delete-receipt
kura recover "City Bus" --make-room
kura recover --suspended
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("receipts", nargs=-1, metavar="[RECEIPT]...")
@click.option("--all", "everything", is_flag=True, help="Every receipt of the wallet.")
@click.option("--suspended", is_flag=True, help="Every recovery that stopped for want of room.")
@click.option(
    "--delete-receipt/--keep-receipt",
    default=None,
    help="Once a value is back, delete its receipt and its pieces at the safes, or keep them "
    "[default: as the policy says; built-in ones keep].",
)
@room_options
@click.option("--give-up", is_flag=True, help="Recover nothing: let these wait for room no longer.")
@pass_session
def recover(
    session: Session,
    receipts: Sequence[str],
    everything: bool,
    suspended: bool,
    delete_receipt: bool | None,
    make_room: bool,
    move: tuple[str, ...],
    give_up: bool,
) -> None:
    """Bring values back from the safes.

    Asks all safes at once, checks every piece, and goes on without safes that are dead, slow, wiped or
    lying; they are named. A value that is in the wallet stays as it is. RECEIPT is a receipt's id, the
    beginning of one, or the name or id of its value.

    What fits into the wallet comes back at once. The rest is suspended: it goes on when you say the same
    command again or --suspended, or by itself as soon as there is room (the trigger `go-on`).
    """
    if (bool(receipts), everything, suspended).count(True) != 1:
        raise click.UsageError("name receipts, or say --all or --suspended")
    if suspended and delete_receipt is not None:
        raise click.UsageError("--suspended goes on as it was asked for, with --delete-receipt or without")
    if give_up:
        if delete_receipt is not None or make_room or move:
            raise click.UsageError("--give-up recovers nothing, so it goes with no other option")
        _give_up(session, receipts)
        return
    _bring_back(session, receipts, suspended, delete_receipt, RoomOptions(make_room, move))


def _bring_back(
    session: Session,
    texts: Sequence[str],
    suspended: bool,
    delete_receipt: bool | None,
    room: RoomOptions,
) -> None:
    from wallet_client.cli.opened import reading, with_wallet
    from wallet_client.cli.output import emit, warn, warn_of_safes
    from wallet_client.cli.room import moved_ids, moved_text, warn_of_moves
    from wallet_client.cli.rows import receipt_states, value_row, values_table

    async def work(wallet: "Wallet") -> "RoomyRecovery":
        return await _recover(wallet, texts, suspended, delete_receipt, room)

    outcome = with_wallet(session, work)
    report = outcome.report
    warn_of_moves(outcome.moved)
    warn_of_safes(report.failed)
    for receipt_id, error in outcome.left.items():
        warn(f"{receipt_id}: {error}")
    if outcome.shortage is not None and not (report.recovered or report.already):
        raise outcome.shortage
    with reading(session) as store:
        states = receipt_states(store)
        back = [_summary_of(store, value_id) for value_id in report.recovered]
    document = {
        "values": [value_row(one, states) for one in back],
        "already": list(report.already),
        "failed": {name: str(failure) for name, failure in report.failed.items()},
        "moved": moved_ids(outcome.moved),
        "suspended": list(outcome.suspended),
        "left": {receipt_id: str(error) for receipt_id, error in outcome.left.items()},
    }
    table = values_table(back, states) + "\n\n" if back else ""
    lines = (_summary(outcome), moved_text(outcome.moved))
    emit(session, document, lambda: table + "\n".join(line for line in lines if line))
    if outcome.shortage is not None:
        raise outcome.shortage


def _summary_of(store: "WalletStore", value_id: "ValueId") -> "ValueSummary":
    """Of a value, or of a key, which comes back in the same way."""
    kept = store.keyring if store.keyring.has(value_id) else store.values
    return kept.summary(value_id)


async def _recover(
    wallet: "Wallet",
    texts: Sequence[str],
    suspended: bool,
    delete_receipts: bool | None,
    room: RoomOptions,
) -> "RoomyRecovery":
    from wallet_client.cli.progress import Bars
    from wallet_client.operations.recover_in_room import recover_in_room, recover_suspended

    chosen = {} if suspended else _chosen(wallet.store, texts)
    with Bars(sum(chosen.values())) as bars:
        ways = room.ways(wallet, bars)
        if suspended:
            return await recover_suspended(wallet, ways=ways, progress=bars)
        return await recover_in_room(
            wallet, list(chosen), delete_receipts=delete_receipts, ways=ways, progress=bars
        )


def _chosen(store: "WalletStore", texts: Sequence[str]) -> "dict[ValueId, int]":
    """The values that were named, else all; with what each takes of the wallet's capacity."""
    from wallet_client.cli.rows import find_members, read_entries

    found = find_members(store.receipts, texts)
    return {
        one.value_id: one.size_bytes
        for entry, summary in read_entries(store.receipts.entries())
        for one in summary.members
        if (one.value_id in found.get(entry.id, ()) if texts else summary.kind == "value")
    }


def _give_up(session: Session, texts: Sequence[str]) -> None:
    from wallet_client.cli.opened import writing
    from wallet_client.cli.output import count_of, emit
    from wallet_client.operations.recover_in_room import give_up

    with writing(session) as store:
        waiting = (
            list(_chosen(store, texts)) if texts else [one.value_id for one in store.suspended.entries()]
        )
        given_up = give_up(store, waiting)
    count = count_of(len(given_up), "suspended recovery", "suspended recoveries")
    emit(session, {"given_up": given_up}, lambda: f"{count} given up; the receipts stay")


def _summary(outcome: "RoomyRecovery") -> str:
    from wallet_client.cli.output import count_of

    report = outcome.report
    text = f"{count_of(len(report.recovered), 'value')} recovered"
    if report.already:
        text += f", {len(report.already)} in the wallet already"
    if outcome.suspended:
        text += f", {len(outcome.suspended)} suspended"
    if not report.forgotten:
        return text
    return f"{text}; {count_of(len(report.forgotten), 'receipt')} deleted"
