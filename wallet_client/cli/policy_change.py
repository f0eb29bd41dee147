"""`kura policy add` and `kura policy remove`."""

from pathlib import Path

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session


@click.command(cls=Command, opens_wallet=True, examples="kura policy add office.toml")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE")
@pass_session
def add(session: Session, file: Path) -> None:
    """Take in a policy from a TOML file, for `kura backup --policy`.

    A name means one policy for good: a changed policy needs another name as long as anything is backed up
    under the old one.
    """
    from wallet_client.cli.opened import writing
    from wallet_client.cli.output import emit
    from wallet_client.cli.policy import read_policy_file
    from wallet_client.operations.policies import add_policy
    from wallet_client.wallet import pinned_roster

    text = read_policy_file(file)
    with writing(session) as store:
        policy = add_policy(store, text, str(file), pinned_roster(store))
    document = {"name": policy.name, "summary": policy.summary}
    emit(session, document, lambda: f"{policy.name} added")


@click.command(cls=Command, opens_wallet=True, examples="kura policy remove office")
@click.argument("name")
@pass_session
def remove(session: Session, name: str) -> None:
    """Forget a policy that came from a file, while nothing is backed up under it."""
    from wallet_client.cli.opened import writing
    from wallet_client.cli.output import emit
    from wallet_client.operations.policies import remove_policy

    with writing(session) as store:
        remove_policy(store, name)
    emit(session, {"name": name}, lambda: f"{name} removed")
