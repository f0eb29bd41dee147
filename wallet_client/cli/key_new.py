"""`kura key new` and `kura key import`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.key import kind_options, require_kind
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.storage.keyring import KeyEntry, KeyringKind
    from wallet_client.wallet import Wallet

_NEW_EXAMPLES = """
kura key new tickets --pair
kura key new archive --shared
"""
_IMPORT_EXAMPLES = """
kura key import archive key.bin --shared
kura key import archive key.bin --pair --json
"""


@click.command(cls=Command, opens_wallet=True, examples=_NEW_EXAMPLES)
@click.argument("name")
@kind_options
@pass_session
def new(session: Session, name: str, kind: "KeyringKind | None") -> None:
    """Make a key of fresh random bytes, called NAME.

    NAME is 1 to 64 letters, digits, dots, underscores and hyphens. Policies find a key by its name.
    """
    _make(session, name, require_kind(kind), None)


@click.command("import", cls=Command, opens_wallet=True, examples=_IMPORT_EXAMPLES)
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@kind_options
@pass_session
def import_key(session: Session, name: str, file: Path, kind: "KeyringKind | None") -> None:
    """Make a key of what is in FILE, called NAME; the same file gives the same key.

    FILE holds any key material of 32 bytes or more, which is hashed; for --root exactly 32 bytes, raw or as
    64 hexadecimal digits. The file stays: whoever has it has the key.
    """
    chosen = require_kind(kind)
    _make(session, name, chosen, read_secret(file, chosen))


def read_secret(file: Path, kind: "KeyringKind") -> bytes:
    """Secret: the key, or the root, that is made of what is in a file.

    Raises:
        FileUnreadable, ImportRefused: It cannot be read, or is too short or too long.
    """
    from wallet_client.cli.files import read_input
    from wallet_client.operations.keys import MOST_MATERIAL_BYTES, secret_of_material
    from wallet_client.values.errors import ImportRefused

    content = read_input(file, MOST_MATERIAL_BYTES)
    try:
        return secret_of_material(kind, content)
    except ValueError as error:
        raise ImportRefused(str(file), str(error)) from error


def _make(session: Session, name: str, kind: "KeyringKind", secret: bytes | None) -> None:
    from wallet_client.cli.key_rows import key_row, keys_table
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit
    from wallet_client.operations.keys import make_key

    async def work(wallet: "Wallet") -> "KeyEntry":
        return await make_key(wallet, kind, name, secret)

    entry = with_wallet(session, work)
    emit(session, {"keys": [key_row(entry, {})]}, lambda: keys_table([entry], {}))
