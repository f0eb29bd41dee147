"""`kura wallet add` and `kura wallet import`: all of what a call names is added, or nothing.

No safe is asked unless room is short and there is a way to make some.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.room import RoomOptions, room_options
from wallet_client.cli.session import Session, pass_session
from wallet_client.cli.value_options import given, value_options

if TYPE_CHECKING:
    from wallet_client.operations.put_away import PutAway
    from wallet_client.storage.store import WalletStore
    from wallet_client.storage.values import ValueSummary
    from wallet_client.values.value import Value, ValueId
    from wallet_client.wallet import Wallet

_ADD_EXAMPLES = """
kura wallet add boardingpass.pkpass notes.txt
kura wallet add --class prepaid-card --name "City Bus" --total 1000 --remaining 800 --valid-until 2027-03-31
kura wallet add scan.pdf --class document --name "Passport, page 2"
kura wallet add scan.pdf --make-room
"""
_IMPORT_EXAMPLES = """
kura wallet import examples/figure-19.json
"""
_NEEDED = {"item_class": "--class", "name": "--name"}
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(cls=Command, opens_wallet=True, examples=_ADD_EXAMPLES)
@click.argument("files", type=_FILE, nargs=-1, metavar="[FILE]...")
@value_options
@room_options
@click.pass_context
def add(
    context: click.Context,
    /,
    files: tuple[Path, ...],
    make_room: bool,
    move: tuple[str, ...],
    **options: Any,
) -> None:
    """Add files, or a value made of its fields.

    An Apple Wallet pass (.pkpass) fills in its fields and is kept whole; any other file becomes a value of
    class `file`. Without a FILE, --class and --name make a value that is all in its fields. With one FILE,
    the options overrule what the file says.

    What does not fit into the wallet's capacity is not added: the error says what would help, and the same
    command works later. With --make-room or --move, values leave first.
    """
    from wallet_client.values.taking_in import take_in

    session = context.ensure_object(Session)
    fields, now, room = given(context, options), _now(), RoomOptions(make_room, move)
    if files:
        if fields and len(files) > 1:
            raise click.UsageError("options that give fields go with one FILE only")
        _keep(session, [take_in(path, now=now).with_fields(**fields) for path in files], room)
        return
    missing = [option for field, option in _NEEDED.items() if field not in fields]
    if missing:
        raise click.UsageError(f"name a FILE, or give {' and '.join(missing)}")
    _keep(session, [_made_of(fields, now)], room)


@click.command("import", cls=Command, opens_wallet=True, examples=_IMPORT_EXAMPLES)
@click.argument("file", type=_FILE)
@room_options
@pass_session
def import_values(session: Session, file: Path, make_room: bool, move: tuple[str, ...]) -> None:
    """Add all values of a JSON file, such as examples/figure-19.json."""
    from wallet_client.values.figures import read_values

    _keep(session, read_values(file, now=_now()), RoomOptions(make_room, move))


def _made_of(fields: dict[str, Any], now: int) -> "Value":
    from wallet_client.values.value import Value

    return Value(held_since=now, **fields)


def _keep(session: Session, values: "Sequence[Value]", room: RoomOptions) -> None:
    from wallet_client.cli.opened import writing
    from wallet_client.cli.output import cell, emit
    from wallet_client.cli.room import moved_ids, moved_text, warn_of_moves
    from wallet_client.cli.rows import value_row
    from wallet_client.storage.errors import WalletFull

    moved: tuple[PutAway, ...] = ()
    try:
        with writing(session) as store:
            kept = _summaries(store, [store.values.add(value) for value in values])
    except WalletFull:
        kept, moved = _keep_in_room(session, values, room)
    warn_of_moves(moved)
    document = {"values": [value_row(one, {}) for one in kept], "moved": moved_ids(moved)}
    lines = [f"{one.id}  {one.item_class}  {cell(one.name)}" for one in kept]
    emit(session, document, lambda: "\n".join([*lines, moved_text(moved)]) or "The file lists no values.")


def _keep_in_room(
    session: Session, values: "Sequence[Value]", room: RoomOptions
) -> "tuple[list[ValueSummary], tuple[PutAway, ...]]":
    from wallet_client.cli.opened import with_wallet
    from wallet_client.operations.add_in_room import add_in_room

    async def work(wallet: "Wallet") -> "tuple[list[ValueSummary], tuple[PutAway, ...]]":
        ids, moved = await add_in_room(wallet, values, ways=room.ways(wallet))
        return _summaries(wallet.store, ids), moved

    return with_wallet(session, work)


def _summaries(store: "WalletStore", ids: "Sequence[ValueId]") -> "list[ValueSummary]":
    return [store.values.summary(value_id) for value_id in ids]


def _now() -> int:
    import time

    return int(time.time())
