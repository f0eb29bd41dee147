"""`kura roster`: the signed list of safes, for operators and for wallets (docs/OPERATING.md)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command, Group, Later
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from trust.roster import Roster, SafeEntry, SignedRoster

_HERE = "wallet_client.cli.roster:"
_COMMANDS = {
    "show": Later(_HERE + "show", "Show the wallet's roster, or that of a file."),
    "verify": Later(_HERE + "verify", "Check a roster file; say who signed."),
    "assemble": Later(_HERE + "assemble", "Put safes' entries together into a new version."),
    "sign": Later(_HERE + "sign", "Add an operator's signature."),
    "update": Later(_HERE + "update", "Give the wallet a newer roster."),
}
_EXAMPLES = """
kura roster assemble safe-*/entry.json --threshold 3 --out roster.json
kura roster sign roster.json --key operator.key
kura roster verify roster.json
"""
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def roster() -> None:
    """Assemble, sign, verify and update the list of safes.

    Every operator signs the first version; a wallet pins its fingerprint and follows only versions that
    enough operators of the one before have signed.
    """


@click.command(
    cls=Command, opens_wallet=True, examples="kura roster show\nkura roster show roster.json --json"
)
@click.argument("file", type=_FILE, required=False)
@pass_session
def show(session: Session, file: Path | None) -> None:
    """Show the wallet's roster, or that of a FILE (unverified: see `kura roster verify`)."""
    from trust.ids import Hash
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import emit
    from wallet_client.wallet import genesis_fingerprint, pinned_roster

    if file is not None:
        chain = _read(file)
        pinned, newest = genesis_fingerprint(chain), chain[-1].roster
    else:
        with reading(session) as store:
            pinned, newest = Hash(store.settings.get().genesis_fingerprint), pinned_roster(store)
    emit(session, _document(newest, pinned), lambda: _text(newest, pinned))


_VERIFY_EXAMPLES = """
kura roster verify roster.json
kura roster verify roster.json --fingerprint "29be 0d2a 2d85 ... 8dc0"
"""


@click.command(cls=Command, examples=_VERIFY_EXAMPLES)
@click.argument("file", type=_FILE)
@click.option("--fingerprint", "published", metavar="HEX", help="What it must be; spaces do not matter.")
@pass_session
def verify(session: Session, file: Path, published: str | None) -> None:
    """Check every version of a roster file; say who signed the newest, and the fingerprint.

    Exit code 1 while signatures are missing. Compare the fingerprint with what the operators publish.
    """
    from trust.errors import RosterRefused
    from trust.roster import verify_chain
    from wallet_client.cli.ceremony import signatures_of
    from wallet_client.cli.output import emit, fields, fingerprint, say
    from wallet_client.wallet import genesis_fingerprint

    chain = _read(file)
    state = signatures_of(chain) if chain else None
    if state is not None and not state.complete:
        say(f"Signed by {', '.join(state.signed) or 'nobody'}; waiting for {', '.join(state.waiting)}.")
    newest, pinned = verify_chain(chain), genesis_fingerprint(chain)
    if published is not None and "".join(published.split()).lower() != pinned.hex():
        raise RosterRefused(newest.title, f"its fingerprint is {fingerprint(pinned)}")
    signed = state.signed if state else ()
    document = _document(newest, pinned) | {
        "signed_by": signed,
        "signatures_needed": state.needed if state else 0,
    }
    pairs = [
        ("Version", str(newest.version)),
        ("Signed by", ", ".join(signed)),
        ("Fingerprint", fingerprint(pinned)),
    ]
    emit(session, document, lambda: fields(pairs))


@click.command(cls=Command, examples="kura roster assemble safe-*/entry.json --threshold 3 --out roster.json")
@click.argument("entries", type=_FILE, nargs=-1, required=True, metavar="ENTRY.json...")
@click.option(
    "--threshold", type=click.IntRange(1, 255), required=True, help="How many safes bring a value back."
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write."
)
@click.option("--previous", type=_FILE, metavar="FILE", help="The roster that the new version follows.")
@pass_session
def assemble(
    session: Session, entries: Sequence[Path], threshold: int, out: Path, previous: Path | None
) -> None:
    """Put safes' entries together into a new version, which the operators then sign."""
    import time

    from threshold.randomness import SystemRandomness
    from trust.errors import RosterRefused
    from trust.roster_file import write_roster
    from wallet_client.cli.ceremony import RosterNotMade, assembled, signatures_of
    from wallet_client.cli.files import write_new

    safes = [_entry(path) for path in entries]
    before = _read(previous) if previous is not None else ()
    try:
        chain = assembled(safes, threshold, int(time.time()), SystemRandomness(), before)
    except RosterRefused as error:
        raise RosterNotMade(error.problem) from error
    write_new(out, write_roster(chain))
    _tell(session, chain, f"{signatures_of(chain).needed} operators must sign it")


@click.command(cls=Command, examples="kura roster sign roster.json --key operator.key")
@click.argument("file", type=_FILE)
@click.option(
    "--key", "key_file", type=_FILE, required=True, metavar="FILE", help="The operator's key: 64 hex digits."
)
@pass_session
def sign(session: Session, file: Path, key_file: Path) -> None:
    """Add an operator's signature to the newest version, in place."""
    from trust.documents import SigningKey
    from trust.roster_file import write_roster
    from wallet_client.cli.ceremony import signatures_of, with_signature
    from wallet_client.cli.files import read_input, replace

    try:
        key = SigningKey(bytes.fromhex(read_input(key_file, limit=1_024).decode("ascii").strip()))
    except ValueError:
        raise click.BadParameter("it does not hold 64 hexadecimal digits", param_hint="--key") from None
    chain = with_signature(_read(file), key)
    replace(file, write_roster(chain))
    state = signatures_of(chain)
    waiting = f"; waiting for {', '.join(state.waiting)}" if state.waiting else ""
    _tell(session, chain, f"signed by {len(state.signed)} of {state.needed}{waiting}")


@click.command(cls=Command, opens_wallet=True, examples="kura roster update newer-roster.json")
@click.argument("file", type=_FILE)
@pass_session
def update(session: Session, file: Path) -> None:
    """Give the wallet a newer roster; it must follow from the pinned one."""
    from wallet_client.cli.files import read_input
    from wallet_client.cli.opened import writing
    from wallet_client.cli.output import emit
    from wallet_client.wallet import update_roster

    with writing(session) as store:
        newest = update_roster(store, read_input(file))
        pinned = store.settings.get().genesis_fingerprint
    emit(session, _document(newest, pinned), lambda: f"the wallet follows version {newest.version}")


def _entry(path: Path) -> "SafeEntry":
    from trust.errors import RosterRefused
    from trust.roster_file import read_safe
    from wallet_client.cli.ceremony import EntryRefused
    from wallet_client.cli.files import read_input

    try:
        return read_safe(read_input(path))
    except RosterRefused as error:
        raise EntryRefused(path, error.problem) from error


def _read(path: Path) -> "tuple[SignedRoster, ...]":
    from trust.errors import RosterRefused
    from trust.roster_file import read_roster
    from wallet_client.cli.files import read_input

    chain = read_roster(read_input(path))
    if not chain:
        raise RosterRefused("roster", "it is empty")
    return chain


def _tell(session: Session, chain: "Sequence[SignedRoster]", note: str) -> None:
    from wallet_client.cli.output import emit, fields, fingerprint
    from wallet_client.wallet import genesis_fingerprint

    newest, pinned = chain[-1].roster, genesis_fingerprint(tuple(chain))
    pairs = [("Version", f"{newest.version}, {note}"), ("Fingerprint", fingerprint(pinned))]
    emit(session, _document(newest, pinned), lambda: fields(pairs))


def _document(newest: "Roster", pinned: bytes) -> dict[str, object]:
    return {
        "version": newest.version,
        "threshold": newest.threshold,
        "created_at": newest.created_at,
        "fingerprint": pinned.hex(),
        "safes": [
            {"name": one.name, "id": one.safe_id.hex(), "operator": one.operator, "endpoint": one.endpoint}
            for one in newest.safes
        ],
    }


def _text(newest: "Roster", pinned: bytes) -> str:
    from wallet_client.cli.output import cell, columns, fields, fingerprint, moment

    head = fields(
        [
            ("Version", f"{newest.version}, of {moment(newest.created_at)}"),
            ("Threshold", f"any {newest.threshold} of {len(newest.safes)} safes bring a value back"),
            ("Fingerprint", fingerprint(pinned)),
        ]
    )
    rows = [(one.name, one.endpoint, one.safe_id.hex(), cell(one.operator)) for one in newest.safes]
    return f"{head}\n\n{columns(('SAFE', 'ENDPOINT', 'ID', 'OPERATOR'), rows)}"
