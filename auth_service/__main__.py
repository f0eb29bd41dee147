"""The operator's command: `python -m auth_service`, or `kura-authority` once installed.

Exit codes: 0 done, 1 failed with a plain reason, 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from auth_service.config import load_settings
from durable.keys import IdentityError
from durable.settings import ConfigError, parse_address

_CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The authority's settings, authority.toml.",
)
_DAYS = click.IntRange(1, 36_500)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@_CONFIG
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Run a Kura authority until SIGTERM or SIGINT, or look after one.

    \b
    Examples:
      kura-authority init --dir /srv/authority --name authority --endpoint auth.example.org:7401
      kura-authority --config /srv/authority/authority.toml
      kura-authority check --config /srv/authority/authority.toml
    """  # noqa: D301 - click reads the \b
    if context.invoked_subcommand is None:
        _run(_needed(config))


@main.command()
@_CONFIG
def run(config: Path | None) -> None:
    """Run the authority until SIGTERM or SIGINT; the same as without a command.

    \b
    Example:
      kura-authority run --config /srv/authority/authority.toml
    """  # noqa: D301 - click reads the \b
    _run(_needed(config))


def _run(config: Path) -> None:
    from auth_service.server import serve
    from durable.folder import StoreUnusable
    from rpc_edge.server import AddressUnavailable

    try:
        asyncio.run(serve(load_settings(config)))
    except (ConfigError, IdentityError, StoreUnusable, AddressUnavailable) as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), required=True, help="Folder to make it in.")
@click.option("--name", required=True, help="Lower-case DNS label.")
@click.option("--endpoint", required=True, help="host:port under which wallets reach it.")
@click.option("--listen", help="host:port to listen at; the endpoint by default.")
@click.option("--tls-days", type=_DAYS, default=825, show_default=True, help="TLS validity.")
@click.option("--signing-days", type=_DAYS, default=400, show_default=True, help="Until it must be rotated.")
def init(
    folder: Path, name: str, endpoint: str, listen: str | None, tls_days: int, signing_days: int
) -> None:
    """Make an authority's keys, settings, and its signed description.

    \b
    Example:
      kura-authority init --dir /srv/authority --name authority \\
          --endpoint auth.example.org:7401 --listen 0.0.0.0:7401
    """  # noqa: D301 - click reads the \b
    from auth_service.identity import NewAuthority, create_authority
    from threshold.randomness import SystemRandomness

    new = NewAuthority(name, endpoint, listen or endpoint, tls_days, signing_days)
    try:
        parse_address(new.listen)
        made = create_authority(folder, new, SystemRandomness(), datetime.now(UTC))
    except (ConfigError, IdentityError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Made {made.name}, identity {made.identity_key.hex()}, in {folder}.")
    click.echo(f"Give {folder / 'authority.json'} to owners, and let them compare the identity.")
    click.echo(f"Take {folder / 'identity.key'} off this machine: it signs descriptions; bring it to rotate.")
    click.echo(f"Then: kura-authority --config {folder / 'authority.toml'}")


@main.command()
@_CONFIG
@click.option(
    "--identity", type=click.Path(path_type=Path, dir_okay=False), required=True, help="identity.key"
)
@click.option("--signing-days", type=_DAYS, default=400, show_default=True, help="Until the next rotation.")
def rotate(config: Path | None, identity: Path, signing_days: int) -> None:
    """Put a new signing key in use; the one before holds for 15 minutes more. Then restart the authority.

    \b
    Example:
      kura-authority rotate --config /srv/authority/authority.toml --identity /media/key/identity.key
    """  # noqa: D301 - click reads the \b
    from auth_service.identity import read_identity_key
    from auth_service.identity import rotate as rotate_keys
    from threshold.randomness import SystemRandomness

    try:
        settings = load_settings(_needed(config))
        keys, description, now = Path(settings.keys_dir), Path(settings.description), datetime.now(UTC)
        key = read_identity_key(identity)
        made = rotate_keys(keys, description, key, signing_days, SystemRandomness(), now)
    except (ConfigError, IdentityError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Version {made.version} is in {settings.description}; restart the authority to use it.")


@main.command()
@_CONFIG
def check(config: Path | None) -> None:
    """Check keys against the description, then the database.

    \b
    Example:
      kura-authority check --config /srv/authority/authority.toml
    """  # noqa: D301 - click reads the \b
    from auth_service.check import check_authority
    from durable import sqlite

    try:
        report = check_authority(load_settings(_needed(config)), int(time.time()))
    except (ConfigError, IdentityError) as error:
        raise click.ClickException(str(error)) from None
    except sqlite.Error as error:
        raise click.ClickException(f"the database cannot be read: {error}") from None
    click.echo(f"Keys: as version {report.version} describes them; they sign for {report.signing_days} days.")
    click.echo(f"Database: {report.database}; accounts: {report.accounts}")
    if not report.sound:
        raise click.ClickException("rotate the signing key, or restore the database: see docs/AUTHORITY.md")


def _needed(config: Path | None) -> Path:
    if config is None:
        raise click.UsageError("--config FILE is needed")
    return config


if __name__ == "__main__":
    main(prog_name="python -m auth_service")
