"""What holds for every command: help with an example, the promised options, nothing loaded too early."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from support.kura import environment
from wallet_client.cli.commands import Command, Group
from wallet_client.cli.main import main
from wallet_client.cli.root import root

HEAVY = (
    "asyncio",
    "cryptography",
    "grpc",
    "kura",
    "lark",
    "msgspec",
    "numpy",
    "psutil",
    "pysodium",
    "pysqlite3",
    "rich",
    "sqlite_utils",
    "trust",
)
"""What `kura --help` has no use for."""

PROMISED = {
    "cluster up": {"--dir", "--safes", "--threshold", "--with-authority"},
    "cluster status": {"--dir"},
    "cluster down": {"--dir"},
    "cluster kill": {"--dir"},
    "cluster stop": {"--dir"},
    "cluster start": {"--dir"},
    "cluster wipe": {"--dir"},
    "safes status": {"--home"},
    "safes repair": {"--wait", "--home"},
    "wallet init": {"--roster", "--capacity", "--no-passphrase", "--passphrase-file", "--home"},
    "wallet add": {
        "--class",
        "--name",
        "--valid-from",
        "--valid-until",
        "--unit-price",
        "--quantity",
        "--total",
        "--place",
        "--remaining",
        "--remarks",
        "--make-room",
        "--move",
    },
    "wallet import": {"--make-room", "--move"},
    "wallet list": {"--class", "--expires-within"},
    "wallet show": {"--home"},
    "wallet edit": {"--class", "--name", "--remaining", "--file"},
    "wallet export": {"--out"},
    "wallet remove": {"--yes"},
    "wallet serve": {"--listen"},
    "backup": {"--all", "--conditions", "--dry-run", "--policy", "--keep", "--delete", "--accept-fewer"},
    "condition list": {"--home"},
    "condition add": {"--note"},
    "condition edit": {"--note"},
    "condition remove": {"--home"},
    "condition test": {"--expression", "--today"},
    "receipts": {"--home"},
    "receipts list": {"--home"},
    "receipts show": {"--home"},
    "receipts verify": {"--home"},
    "receipts deleted": {"--home"},
    "receipts export": {"--out"},
    "recover": {
        "--all",
        "--suspended",
        "--delete-receipt",
        "--keep-receipt",
        "--make-room",
        "--move",
        "--give-up",
    },
    "trigger list": {"--home"},
    "trigger add": {"--when", "--start", "--policy"},
    "trigger remove": {"--home"},
    "trigger test": {"--home"},
    "sensor list": {"--home"},
    "sensor add": {"--home"},
    "sensor remove": {"--home"},
    "run-triggers": {"--request"},
    "terminal": {"--listen", "--roster", "--record"},
    "policy list": {"--roster"},
    "policy show": {"--roster"},
    "policy explain": {"--roster", "--size"},
    "policy add": {"--home"},
    "policy remove": {"--home"},
    "resume": {"--home"},
    "key new": {"--shared", "--pair", "--root", "--home"},
    "key import": {"--shared", "--pair", "--root", "--home"},
    "key list": {"--home"},
    "key show": {"--home"},
    "key backup": {"--policy"},
    "key recover": {"--from-root", "--pair", "--algorithm"},
    "key forget": {"--lose"},
    "key import-algorithm": {"--signer", "--name"},
    "key publish-algorithm": {"--issuer", "--out", "--hash", "--salt", "--info", "--seed", "--new-seed"},
    "owner enroll": {"--guesses", "--invitation", "--home"},
    "owner recover": {"--roster", "--capacity", "--with", "--device", "--authority", "--home"},
    "owner status": {"--home"},
    "owner policy": {"--accept-safes-can-open", "--with", "--device", "--authority", "--new-pin"},
    "owner factor add device": {"--device", "--with", "--with-device", "--with-authority", "--new-pin"},
    "owner factor add authority": {"--authority", "--with", "--with-device", "--with-authority"},
    "owner factor list": {"--home"},
    "owner factor remove device": {"--with", "--device", "--authority", "--new-pin"},
    "owner factor remove authority": {"--with", "--device", "--authority", "--new-pin"},
    "owner waiting-period": {"--with", "--device", "--authority", "--new-pin"},
    "owner veto": {"--with", "--device", "--authority"},
    "owner change-pin": {"--guesses", "--with", "--device", "--authority"},
    "owner wallets": {"--home"},
    "owner revoke": {"--with", "--device", "--authority", "--home"},
    "owner rearm": {"--home"},
    "owner forget": {"--name", "--with", "--device", "--authority", "--home"},
    "authority register": {"--authority", "--seal", "--home"},
    "authority login": {"--authority", "--seal", "--device", "--home"},
    "authority logout": {"--home"},
    "authority change-password": {"--home"},
    "authority devices list": {"--home"},
    "authority devices add": {"--home"},
    "authority devices remove": {"--home"},
    "authority events": {"--home"},
    "reseed": {"--root", "--home"},
    "undelete": {"--home"},
    "roster show": {"--home"},
    "roster verify": {"--fingerprint"},
    "roster assemble": {"--threshold", "--out", "--previous"},
    "roster sign": {"--key"},
    "roster update": {"--home"},
}
"""The contract: every command, with the options that scripts use. All but `completion` take --json."""


def tree(group: Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command and group with its path."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, Group):
            yield from tree(command, (*path, name))


COMMANDS = dict(tree(root))


def options(command: click.Command) -> set[str]:
    return {text for parameter in command.params for text in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("path", ["", *COMMANDS])
def test_help_ends_with_0_and_shows_an_example(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The example is one of this very command."""
    assert main([*path.split(), "--help"]) == 0
    output = capsys.readouterr().out
    assert f"Usage: kura {path}".rstrip() in output
    examples = output.partition("Example")[2].splitlines()[1:]
    assert examples
    assert all(f"kura {path}".strip() in line for line in examples)


@pytest.mark.parametrize("path", PROMISED)
def test_the_command_has_what_is_promised(path: str) -> None:
    """Options may be added, never taken away."""
    command = COMMANDS[path]
    assert isinstance(command, Command | Group)
    assert options(command) >= PROMISED[path] | {"--json"}


def test_no_command_is_without_a_promise() -> None:
    """A new command gets its row above."""
    leaves = {path for path, command in COMMANDS.items() if not isinstance(command, Group)}
    assert leaves - {"completion"} <= PROMISED.keys()


@pytest.mark.parametrize("path", COMMANDS)
def test_the_summary_is_told_without_loading_the_command(path: str) -> None:
    """A sentence short enough for one line of a terminal."""
    *above, name = path.split()
    group = COMMANDS[" ".join(above)] if above else root
    assert isinstance(group, Group)
    summary = group.later[name].summary
    assert summary.endswith(".")
    assert len(summary) <= 75


@pytest.mark.parametrize(
    "arguments", [["--help"], ["wallet", "--help"], ["wallet", "list", "--help"], ["--version"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """It starts at once because it imports click alone."""
    script = (
        "import sys\n"
        "from wallet_client.cli.main import main\n"
        f"main({arguments!r})\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, and standard output stays empty."""
    assert main(["wallet", "burn"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "burn" in captured.err
