"""`kura policy`: the ways in which values can be backed up."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_client.cli.commands import Command, Group, Later
from wallet_client.cli.parameters import Size
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from trust.roster import Roster
    from wallet_client.policies.explain import Explanation
    from wallet_client.policies.policy import Policy

_COMMANDS = {
    "list": Later("wallet_client.cli.policy:list_policies", "List all policies."),
    "show": Later("wallet_client.cli.policy:show", "Print one policy as a file to copy and change."),
    "explain": Later("wallet_client.cli.policy:explain", "Say who can read what, and what may be lost."),
    "add": Later("wallet_client.cli.policy_change:add", "Take in a policy from a file."),
    "remove": Later("wallet_client.cli.policy_change:remove", "Forget a policy that came from a file."),
}
_EXAMPLES = """
kura policy list
kura policy explain threshold
kura policy show threshold > office.toml
kura policy add office.toml
"""
_FILE_ENDING = ".toml"
_FILE_MAX_BYTES = 65_536
_roster_option = click.option(
    "--roster",
    "roster_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Fit them to this roster [default: the wallet's].",
)


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def policy() -> None:
    """Show the ways in which values can be backed up, fitted to the wallet's roster, and add more."""


@click.command("list", cls=Command, opens_wallet=True, examples="kura policy list")
@_roster_option
@pass_session
def list_policies(session: Session, roster_file: Path | None) -> None:
    """List all policies, the default first; with --roster, those that every wallet has."""
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import columns, emit
    from wallet_client.policies.presets import policy_summaries
    from wallet_client.policies.shelf import all_summaries
    from wallet_client.wallet import pinned_roster

    if roster_file is not None:
        summaries = policy_summaries(_roster_of(roster_file))
    else:
        with reading(session) as store:
            summaries = all_summaries(store, pinned_roster(store))
    document = {"policies": [{"name": name, "summary": summary} for name, summary in summaries.items()]}
    header = ("POLICY", "WHAT IT GIVES")
    emit(session, document, lambda: columns(header, list(summaries.items())))


@click.command(cls=Command, opens_wallet=True, examples="kura policy show threshold > office.toml")
@click.argument("policy", metavar="POLICY")
@_roster_option
@pass_session
def show(session: Session, policy: str, roster_file: Path | None) -> None:
    """Print one policy as the file that says it, fitted to the roster.

    POLICY is a policy's name, or a file that ends with .toml. Copy what is printed, change it under another
    name, and take it in with `kura policy add`.
    """
    from wallet_client.cli.output import emit
    from wallet_client.policies.policy_print import policy_toml

    one, _ = _find(session, policy, roster_file)
    text = policy_toml(one)
    emit(session, _document(text), lambda: text)


@click.command(
    cls=Command, opens_wallet=True, examples="kura policy explain threshold\nkura policy explain office.toml"
)
@click.argument("policy", metavar="POLICY")
@click.option("--size", type=Size(), default="1 KiB", show_default=True, help="Of the value.")
@_roster_option
@pass_session
def explain(session: Session, policy: str, size: int, roster_file: Path | None) -> None:
    """Say in plain words who can read what, what may be lost, and how many bytes are stored.

    POLICY is a policy's name, or a file that ends with .toml.
    """
    from wallet_client.cli.output import emit
    from wallet_client.policies.explain import explain as count
    from wallet_client.policies.plain_words import sentences

    explanation = count(*_find(session, policy, roster_file), size)
    said = sentences(explanation)
    emit(session, _row(explanation, said), lambda: "\n".join(said))


def _find(session: Session, policy: str, roster_file: Path | None) -> "tuple[Policy, Roster]":
    """The policy that is meant, and the roster it is fitted to."""
    from wallet_client.cli.opened import reading
    from wallet_client.policies.policy_file import read_policy
    from wallet_client.policies.presets import policy_named
    from wallet_client.policies.shelf import find_policy
    from wallet_client.wallet import pinned_roster

    is_file = policy.endswith(_FILE_ENDING)
    if roster_file is not None:
        roster = _roster_of(roster_file)
        if is_file:
            return read_policy(read_policy_file(Path(policy)), policy, roster), roster
        return policy_named(policy, roster), roster
    with reading(session) as store:
        roster = pinned_roster(store)
        if is_file:
            return read_policy(read_policy_file(Path(policy)), policy, roster), roster
        return find_policy(store, policy, roster), roster


def read_policy_file(path: Path) -> str:
    """The text of a policy file.

    Raises:
        FileUnreadable: It cannot be read, is too large, or no text.
    """
    from wallet_client.cli.files import FileUnreadable, read_input

    try:
        return read_input(path, _FILE_MAX_BYTES).decode()
    except UnicodeDecodeError:
        raise FileUnreadable(path, "it is no text in UTF-8") from None


def _document(text: str) -> dict[str, Any]:
    """A policy file for --json, and the file itself."""
    import tomllib

    return tomllib.loads(text) | {"toml": text}


def _row(one: "Explanation", said: list[str]) -> dict[str, object]:
    return {
        "policy": one.policy.name,
        "size_bytes": one.size_bytes,
        "digest": one.policy.digest,
        "safes": one.safes,
        "read_alone": one.read_alone,
        "readers": _count(one.readers),
        "readers_such_as": one.readers,
        "part_readers": _count(one.part_readers),
        "readers_with_wallet": _count(one.readers_with_wallet),
        "may_be_lost": one.may_be_lost,
        "quorum": one.arrangement.terms.quorum,
        "stored_bytes": one.stored_bytes,
        "rough_bytes": one.rough_bytes,
        "sentences": said,
    }


def _count(group: tuple[str, ...] | None) -> int | None:
    return None if group is None else len(group)


def _roster_of(file: Path) -> "Roster":
    from trust.roster import verify_chain
    from trust.roster_file import read_roster
    from wallet_client.cli.files import read_input

    return verify_chain(read_roster(read_input(file)))
