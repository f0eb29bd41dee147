"""`kura policy`: the ways in which values can be backed up."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command, Group, Later
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from trust.roster import Roster
    from wallet_client.policies.policy import Policy

_COMMANDS = {
    "list": Later("wallet_client.cli.policy:list_policies", "List all policies."),
    "show": Later("wallet_client.cli.policy:show", "Show one policy on this roster."),
}
_EXAMPLES = """
kura policy list
kura policy show threshold
"""
_roster_option = click.option(
    "--roster",
    "roster_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Fit them to this roster [default: the wallet's].",
)


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def policy() -> None:
    """Show the ways in which values can be backed up, fitted to the wallet's roster."""


@click.command("list", cls=Command, opens_wallet=True, examples="kura policy list")
@_roster_option
@pass_session
def list_policies(session: Session, roster_file: Path | None) -> None:
    """List all policies, the default first."""
    from wallet_client.cli.output import columns, emit
    from wallet_client.policies.presets import policy_named, policy_names

    roster = _roster(session, roster_file)
    policies = [policy_named(name, roster) for name in policy_names()]
    document = {"policies": [{"name": one.name, "summary": one.summary} for one in policies]}
    emit(
        session,
        document,
        lambda: columns(("POLICY", "WHAT IT GIVES"), [(one.name, one.summary) for one in policies]),
    )


@click.command(cls=Command, opens_wallet=True, examples="kura policy show threshold")
@click.argument("name")
@_roster_option
@pass_session
def show(session: Session, name: str, roster_file: Path | None) -> None:
    """Show one policy: how it seals, divides and places, and how many safes must answer."""
    from wallet_client.cli.output import emit, fields
    from wallet_client.policies.policy import arrange
    from wallet_client.policies.presets import policy_named

    roster = _roster(session, roster_file)
    one = policy_named(name, roster)
    arrangement = arrange(one, roster, 0)
    safes = [roster.safe(safe_id).name for safe_id in arrangement.safes]
    document = {
        "name": one.name,
        "summary": one.summary,
        "sealing": one.sealing,
        "value": {"scheme": one.value.scheme, "k": one.value.k, "n": one.value.n},
        "key": {"mode": one.key.mode, "k": one.key.k, "n": one.key.n},
        "arrangement": one.arrangement,
        "digest": one.digest,
        "quorum": arrangement.terms.quorum,
        "compact_above_bytes": one.compact_above,
        "safes": safes,
    }
    emit(session, document, lambda: fields(_lines(one, arrangement.terms.quorum, safes)))


def _lines(one: "Policy", quorum: int, safes: list[str]) -> list[tuple[str, str]]:
    from wallet_client.cli.output import size

    key = f"any {one.key.k} of {one.key.n} shares" if one.key.mode == "shared" else one.key.mode
    compact = "" if one.compact_above is None else f"erasure-coded above {size(one.compact_above)} sealed"
    return [
        ("Policy", one.name),
        ("Gives", one.summary),
        ("Sealing", one.sealing),
        ("Value", f"any {one.value.k} of {one.value.n} pieces"),
        ("Large", compact),
        ("Key", key),
        ("Digest", one.digest),
        ("Registered", f"when {quorum} of {len(safes)} have answered"),
        ("Safes", ", ".join(safes)),
    ]


def _roster(session: Session, file: Path | None) -> "Roster":
    from trust.roster import verify_chain
    from trust.roster_file import read_roster
    from wallet_client.cli.files import read_input
    from wallet_client.cli.opened import reading
    from wallet_client.wallet import pinned_roster

    if file is not None:
        return verify_chain(read_roster(read_input(file)))
    with reading(session) as store:
        return pinned_roster(store)
