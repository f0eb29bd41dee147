"""The operator's command: `python -m safe_node`, or `kura-safe` once installed.

Exit codes: 0 done, 1 failed with a plain reason, 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from durable.settings import ConfigError, parse_address
from safe_node.config import load_settings, next_port

_CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The safe's settings, safe.toml.",
)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@_CONFIG
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Run a Kura safe until SIGTERM or SIGINT, or look after one.

    \b
    Examples:
      kura-safe init --dir /srv/kura --name safe-1 --operator "Example Co." --endpoint safe1.example.org:7301
      kura-safe --config /srv/kura/safe.toml
      kura-safe check --config /srv/kura/safe.toml
    """  # noqa: D301 - click reads the \b
    if context.invoked_subcommand is not None:
        return
    if config is None:
        raise click.UsageError("--config FILE is needed to run a safe")
    _run(config)


def _run(config: Path) -> None:
    from durable.folder import StoreUnusable
    from durable.keys import IdentityError
    from rpc_edge.process_memory import keep_freed_memory
    from rpc_edge.server import AddressUnavailable
    from safe_node.server import serve

    try:
        keep_freed_memory()
        asyncio.run(serve(load_settings(config)))
    except (ConfigError, IdentityError, StoreUnusable, AddressUnavailable) as error:
        fail(str(error))


@main.command()
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), required=True, help="Folder to make the safe in."
)
@click.option("--name", required=True, help="Lower-case DNS label, unique in the roster.")
@click.option("--operator", required=True, help="Who runs it, as the roster will say.")
@click.option("--endpoint", required=True, help="host:port under which wallets reach it.")
@click.option("--listen", help="host:port to listen at; the endpoint by default.")
@click.option(
    "--peer-endpoint", help="host:port under which the other safes reach it; one port further by default."
)
@click.option(
    "--peer-listen",
    help="host:port to listen at for them; the host of --listen and the port of --peer-endpoint by default.",
)
@click.option(
    "--tls-days", type=click.IntRange(1, 36_500), default=825, show_default=True, help="TLS validity."
)
def init(
    folder: Path,
    name: str,
    operator: str,
    endpoint: str,
    listen: str | None,
    peer_endpoint: str | None,
    peer_listen: str | None,
    tls_days: int,
) -> None:
    """Make a safe's keys, settings, and its entry for the roster.

    \b
    Example:
      kura-safe init --dir /srv/kura --name safe-1 --operator "Example Co." \\
          --endpoint safe1.example.org:7301 --listen 0.0.0.0:7301
    """  # noqa: D301 - click reads the \b
    from durable.keys import IdentityError
    from safe_node.identity import NewSafe, create_safe
    from threshold.randomness import SystemRandomness

    listen = listen or endpoint
    try:
        peer_endpoint = peer_endpoint or next_port(endpoint)
        peers_at = f"{parse_address(listen).host}:{parse_address(peer_endpoint).port}"
        peers = (peer_endpoint, str(parse_address(peer_listen or peers_at)))
        new = NewSafe(name, operator, endpoint, listen, tls_days, *peers)
        entry = create_safe(folder, new, SystemRandomness(), datetime.now(UTC))
    except (ConfigError, IdentityError) as error:
        fail(str(error))
    click.echo(f"Made {entry.name}, id {entry.safe_id.hex()}, in {folder}.")
    click.echo(f"Give {folder / 'entry.json'} to whoever assembles the roster.")
    click.echo(f"Take {folder / 'operator.key'} off this machine: it signs rosters, the safe never needs it.")
    click.echo(
        f"Put the signed roster at {folder / 'roster.json'}, then: kura-safe --config {folder / 'safe.toml'}"
    )


@main.command()
@_CONFIG
def check(config: Path | None) -> None:
    """Check keys against the roster, then the database, then every piece in it.

    \b
    Example:
      kura-safe check --config /srv/kura/safe.toml
    """  # noqa: D301 - click reads the \b
    from durable import sqlite
    from durable.keys import IdentityError
    from safe_node.check import check_database
    from safe_node.identity import (
        check_membership,
        open_decoy_secret,
        read_identity,
        read_versions,
    )

    if config is None:
        raise click.UsageError("--config FILE is needed")
    try:
        settings = load_settings(config)
        roster = read_versions(Path(settings.roster))[-1]
        identity = read_identity(Path(settings.keys_dir))
        check_membership(identity, settings.name, roster)
        open_decoy_secret(identity, roster)
        click.echo(f"Keys: as roster version {roster.version} states them.")
        report = check_database(Path(settings.data_dir), _show_progress)
    except (ConfigError, IdentityError) as error:
        fail(str(error))
    except sqlite.Error as error:
        fail(f"the database cannot be read: {error}")
    click.echo(f"Database: {report.database}")
    click.echo(f"Pieces: {report.pieces} hashed, {len(report.damaged)} damaged")
    if not report.sound:
        fail("this safe needs repair: see docs/OPERATING.md, section Damage")


@main.command()
@_CONFIG
def invite(config: Path | None) -> None:
    """Make an invitation with which one owner may enrol, and print its code.

    The safe may be running. Each code is good for one owner, and is not kept: print another when it is lost.

    \b
    Example:
      kura-safe invite --config /srv/kura/safe.toml
    """  # noqa: D301 - click reads the \b
    import time

    from durable.folder import StoreUnusable
    from safe_node import invitations
    from safe_node.store.sqlite_store import DATABASE_NAME
    from threshold.randomness import SystemRandomness

    if config is None:
        raise click.UsageError("--config FILE is needed")
    try:
        settings = load_settings(config)
        database = Path(settings.data_dir) / DATABASE_NAME
        limit = settings.limits.database_bytes
        now_ms = time.time_ns() // 1_000_000
        click.echo(invitations.invite(database, limit, SystemRandomness(), now_ms))
    except (ConfigError, StoreUnusable) as error:
        fail(str(error))
    if not settings.owners.invitation_needed:
        click.echo("This safe does not ask for invitations: owners.invitation_needed is false.", err=True)


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % 100 == 0 or done == total):
        click.echo(f"\r{done} of {total} pieces", nl=done == total, err=True)


def fail(reason: str) -> None:
    """End with exit code 1 and a plain reason."""
    raise click.ClickException(reason)


if __name__ == "__main__":
    main(prog_name="python -m safe_node")
