"""`kura cluster`: the commands of tools.local_cluster; the only module of the wallet that uses `tools`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command, Group, Later
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from tools.local_cluster.cluster import Cluster

_HERE = "wallet_client.cli.cluster:"
_COMMANDS = {
    "up": Later(_HERE + "up", "Start safes in the background; make them first where there are none."),
    "status": Later(_HERE + "status", "Show every safe, and the authority."),
    "down": Later(_HERE + "down", "Stop all safes."),
    "kill": Later(_HERE + "kill", "SIGKILL a safe, as a crash does."),
    "stop": Later(_HERE + "stop", "SIGTERM a safe and wait for its end."),
    "start": Later(_HERE + "start", "Start a safe again."),
    "wipe": Later(_HERE + "wipe", "Stop a safe, erase its database, start it with its identity."),
}
_EXAMPLES = """
kura cluster up --dir /tmp/safes --safes 5
kura cluster kill safe-2 --dir /tmp/safes
kura cluster down --dir /tmp/safes
"""
_UP_EXAMPLES = """
kura cluster up --dir /tmp/safes --safes 5 --threshold 3
kura cluster up --dir /tmp/safes --safes 5 --with-authority
"""
_directory = click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="The cluster's folder.",
)


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def cluster() -> None:
    """Run safes on this machine, to try Kura out.

    Each is a real safe (`python -m safe_node`) with its own keys, database and port. docs/OPERATING.md says
    how to run them on machines of their own.
    """


@click.command(cls=Command, examples=_UP_EXAMPLES)
@_directory
@click.option("--safes", type=click.IntRange(1, 255), help="How many [default: 5 for a new cluster].")
@click.option(
    "--threshold",
    type=click.IntRange(1, 255),
    help="How many of them bring a value back [default: more than half].",
)
@click.option(
    "--with-authority", is_flag=True, help="Start an authority as well; make it where there is none."
)
@pass_session
def up(
    session: Session, directory: Path, safes: int | None, threshold: int | None, with_authority: bool
) -> None:
    """Start safes in the background, and wait until each is healthy.

    In a new folder it first makes their keys and DIR/roster.json, signed by all of them. In the folder of a
    cluster it starts those that are not running. The authority is known by DIR/authority/authority.json.
    """
    from wallet_client.cli.output import say
    from wallet_client.values.shown import shown

    chosen = _cluster(directory)
    chosen.up(safes, threshold, with_authority=with_authority)
    say(f"Roster: {shown(str(chosen.roster_file))}")
    if chosen.authority is not None:
        say(f"Authority: {shown(str(chosen.authority_file))}")
    _show(session, chosen)


@click.command(cls=Command, examples="kura cluster status --dir /tmp/safes --json")
@_directory
@pass_session
def status(session: Session, directory: Path) -> None:
    """Show every safe: `running` (and healthy), `stopped`, or `unhealthy` (runs and does not answer)."""
    _show(session, _cluster(directory))


@click.command(cls=Command, examples="kura cluster down --dir /tmp/safes")
@_directory
@pass_session
def down(session: Session, directory: Path) -> None:
    """Stop all safes; what they keep stays in DIR."""
    chosen = _cluster(directory)
    chosen.down()
    _show(session, chosen)


def _on_one_safe(name: str, summary: str, act: "Callable[[Cluster, str], None]") -> click.Command:
    @click.command(name, cls=Command, examples=f"kura cluster {name} safe-2 --dir /tmp/safes", help=summary)
    @click.argument("safe")
    @_directory
    @pass_session
    def command(session: Session, safe: str, directory: Path) -> None:
        chosen = _cluster(directory)
        act(chosen, safe)
        _show(session, chosen)

    return command


kill = _on_one_safe("kill", "SIGKILL a safe, as a crash does.", lambda chosen, safe: chosen.kill(safe))
stop = _on_one_safe("stop", "SIGTERM a safe and wait for its end.", lambda chosen, safe: chosen.stop(safe))
start = _on_one_safe(
    "start", "Start a safe again, and wait until it is healthy.", lambda chosen, safe: chosen.start(safe)
)
wipe = _on_one_safe(
    "wipe",
    "Stop a safe, erase its database, start it with the identity it had.",
    lambda chosen, safe: chosen.wipe(safe),
)


def _cluster(directory: Path) -> "Cluster":
    from tools.local_cluster.cluster import Cluster

    return Cluster(directory)


def _show(session: Session, chosen: "Cluster") -> None:
    from dataclasses import asdict

    from wallet_client.cli.output import columns, emit

    servers = chosen.status()
    rows = [(one.name, one.state, one.endpoint, one.id) for one in servers]
    count = len(chosen.roster.safes)
    document: dict[str, object] = {
        "safes": [asdict(one) for one in servers[:count]],
        "roster": str(chosen.roster_file),
    }
    for authority in servers[count:]:
        document["authority"] = asdict(authority) | {"file": str(chosen.authority_file)}
    emit(session, document, lambda: columns(("SAFE", "STATE", "ENDPOINT", "ID"), rows))
