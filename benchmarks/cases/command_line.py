"""What a person waits for before the first character: `kura --help`, and a list of 10,000 values.

The ceiling is Python itself with the library that every command line of this kind imports.
"""

import asyncio
import sys
from pathlib import Path

from benchmarks.cases.small_values import fill
from benchmarks.figure import Figure, at_most
from benchmarks.processes import run
from benchmarks.timing import Work, take_turns
from benchmarks.workbench import Workbench
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.wallet import Wallet

VALUES = 10_000
HELP_MS = 150
LIST_MS = 400

_KURA = "import sys; from wallet_client.cli.main import main; sys.exit(main(sys.argv[1:]))"
_BARE = "import click"


async def command_line(bench: Workbench) -> list[Figure]:
    """Both commands, in a wallet without a passphrase: Argon2id would be the same for both."""
    home = await bench.new_home()
    await _fill(home)
    bare = ("Python with click", _command(_BARE))
    figures = []
    for name, limit, arguments in (
        ("kura --help", HELP_MS, ["--help"]),
        (f"kura wallet list of {VALUES:,} values", LIST_MS, ["wallet", "list"]),
    ):
        taken = await take_turns(bench.turns(10), _command(_KURA, *arguments, home=home), bare[1])
        ceiling = (bare[0], taken.bare_median * 1e3)
        figures.append(at_most(name, taken.ours_median * 1e3, "ms", limit, ceiling))
    return figures


async def _fill(home: Path) -> None:
    async with await Wallet.open(home, NoPassphrase()) as wallet:
        fill(wallet, VALUES)


def _command(code: str, *arguments: str, home: Path | None = None) -> Work:
    command = [sys.executable, "-c", code, *arguments]
    variables = {} if home is None else {"KURA_HOME": str(home)}
    return lambda: asyncio.to_thread(run, command, **variables)
