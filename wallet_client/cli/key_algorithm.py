"""`kura key import-algorithm`: how keys come from the root, from outside; with it may come the root."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from trust.key_algorithm import KeyAlgorithm
    from wallet_client.operations.algorithms import TakenIn
    from wallet_client.wallet import Wallet


@click.command(
    "import-algorithm",
    cls=Command,
    opens_wallet=True,
    examples='kura key import-algorithm office.json --signer "$(cat issuer.pub)"',
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--signer", required=True, metavar="HEX", help="The issuer's public key, 64 hexadecimal digits."
)
@click.option("--name", "root_name", default="root", help="What a root is called that comes with it.")
@pass_session
def import_algorithm(session: Session, file: Path, signer: str, root_name: str) -> None:
    """Take in how keys come from the root, from a FILE that its issuer signed.

    It is data, never code: a name, a version, a hash, a salt and what the keys are for; and the root, if the
    file has one and the wallet has none. Ask the issuer, not the file, for the issuer's key. What is known
    under a name and version is never changed.
    """
    from trust.algorithm_file import MAX_FILE_BYTES, read_algorithm
    from wallet_client.cli.files import read_input
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, fields
    from wallet_client.operations.algorithms import import_algorithm as take_in

    issuer = _public_key(signer)
    issued = read_algorithm(read_input(file, MAX_FILE_BYTES), issuer)

    async def work(wallet: "Wallet") -> "TakenIn":
        return await take_in(wallet, issued, root_name)

    taken = with_wallet(session, work)
    root = taken.root.name if taken.root else ""
    more = {"already": taken.already, "seed": bool(issued.seed), "root": root}
    pairs = [
        *algorithm_lines(issued.algorithm),
        ("Known", "before" if taken.already else "from now on"),
        ("Root", root),
    ]
    emit(session, algorithm_row(issued.algorithm) | more, lambda: fields(pairs))


def algorithm_row(one: "KeyAlgorithm") -> dict[str, object]:
    """An algorithm for --json."""
    return {
        "name": one.name,
        "version": one.version,
        "hash": one.hash,
        "salt": one.salt.hex(),
        "info": one.info.hex(),
    }


def algorithm_lines(one: "KeyAlgorithm") -> list[tuple[str, str]]:
    """An algorithm for people."""
    from wallet_client.values.shown import shown

    return [
        ("Algorithm", one.label),
        ("Hash", f"HKDF with {one.hash}"),
        ("Salt", one.salt.hex()),
        ("For", shown(one.info.decode("utf-8", "backslashreplace"))),
    ]


def _public_key(text: str) -> bytes:
    digits = "".join(text.split())
    if not re.fullmatch(r"[0-9a-fA-F]{64}", digits):
        raise click.BadParameter("it is not 64 hexadecimal digits", param_hint="--signer")
    return bytes.fromhex(digits)
