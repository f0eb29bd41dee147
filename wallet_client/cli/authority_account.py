"""`kura authority register`, `login`, `logout`, `change-password` and `events`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trust.authority import SignedAuthority
    from trust.authority_calls import EventShown
    from trust.authority_calls import Session as AuthoritySession
    from wallet_client.operations.authority import Desk
    from wallet_client.storage.authority import QuestionSeal
    from wallet_client.wallet import Wallet

_REGISTER_EXAMPLES = """
kura authority register anna --authority authority.json
kura authority register anna --authority authority.json --seal common
"""
_LOGIN_EXAMPLES = """
kura authority login
kura authority login anna --authority authority.json
kura authority login --device
"""
_CHANGED = """The new password holds. Log in with it.
Devices stay: look at `kura authority devices list`, and remove any that you do not know."""
_file = click.option(
    "--authority",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="What the authority says of itself; its identity is pinned the first time.",
)
_seal = click.option(
    "--seal",
    type=click.Choice(["static", "common"]),
    help="Seal to its static key, or under a temporary common key [default: as before, at first static].",
)


@click.command(cls=Command, opens_wallet=True, examples=_REGISTER_EXAMPLES)
@click.argument("name")
@_file
@_seal
@pass_session
def register(session: Session, name: str, file: Path | None, seal: "QuestionSeal | None") -> None:
    """Make an account at an authority, and log in.

    NAME may be written in any case; use your owner's name, since safes know you by it. Asks for the password
    twice: 8 to 1,000 characters. Compare the identity that is shown with what the operator publishes.
    """
    from wallet_client.cli.pin import ask_new_secret
    from wallet_client.operations.authority_errors import check_password
    from wallet_client.owners.names import OwnerName

    owner, signed = OwnerName(name), _read(file)
    password = check_password(ask_new_secret("Password", "password"))

    async def work(desk: "Desk") -> "tuple[AuthoritySession, bytes]":
        return await desk.register(owner, password), desk.authority.identity_key

    entered, identity = at_the_desk(session, work, signed, seal)
    _entered(session, entered, identity)


@click.command(cls=Command, opens_wallet=True, examples=_LOGIN_EXAMPLES)
@click.argument("name", required=False)
@_file
@_seal
@click.option("--device", is_flag=True, help="By this wallet's device; adds to the session that lives.")
@pass_session
def login(
    session: Session, name: str | None, file: Path | None, seal: "QuestionSeal | None", device: bool
) -> None:
    """Start a session, by the password or by a device of this wallet.

    NAME is needed the first time in a wallet. Both, one after the other, are one session with two proofs.
    """
    from wallet_client.cli.pin import ask_secret
    from wallet_client.operations.authority_errors import NotLoggedIn, check_password
    from wallet_client.owners.names import OwnerName

    owner, signed = None if name is None else OwnerName(name), _read(file)
    password = "" if device else check_password(ask_secret("Password", "password"))

    async def work(desk: "Desk") -> "tuple[AuthoritySession, bytes]":
        if device:
            return await desk.log_in_by_device(), desk.authority.identity_key
        known = owner or (OwnerName(desk.account.name) if desk.account.name else None)
        if known is None:
            raise NotLoggedIn
        return await desk.log_in(known, password), desk.authority.identity_key

    entered, identity = at_the_desk(session, work, signed, seal)
    _entered(session, entered, identity)


@click.command(cls=Command, opens_wallet=True, examples="kura authority logout")
@pass_session
def logout(session: Session) -> None:
    """End the session, here and at the authority."""
    from wallet_client.cli.output import emit

    async def work(desk: "Desk") -> None:
        await desk.log_out()

    at_the_desk(session, work)
    emit(session, {"logged_in": False}, lambda: "Logged out.")


@click.command(cls=Command, opens_wallet=True, examples="kura authority change-password")
@pass_session
def change_password(session: Session) -> None:
    """Replace the password: asks for the one of now, and twice for the new one. Every session ends."""
    from wallet_client.cli.output import emit
    from wallet_client.cli.pin import ask_new_secret, ask_secret
    from wallet_client.operations.authority_errors import check_password

    password = check_password(ask_secret("Password of now", "password"))
    new_password = check_password(ask_new_secret("New password", "password"))

    async def work(desk: "Desk") -> None:
        await desk.change_password(password, new_password)

    at_the_desk(session, work)
    emit(session, {"logged_in": False}, lambda: _CHANGED)


@click.command(cls=Command, opens_wallet=True, examples="kura authority events --json")
@pass_session
def events(session: Session) -> None:
    """Show what happened to the account, newest first: tries, logins, devices, assertions."""
    from wallet_client.cli.output import cell, columns, emit, moment

    async def work(desk: "Desk") -> "tuple[EventShown, ...]":
        return await desk.events()

    found = at_the_desk(session, work)
    document = {"events": [{"at": one.at, "what": one.what, "detail": one.detail} for one in found]}
    rows = [(moment(one.at), cell(one.what), cell(one.detail)) for one in found]
    emit(session, document, lambda: columns(("WHEN", "WHAT", "DETAIL"), rows))


def at_the_desk(
    session: Session,
    work: "Callable[[Desk], Awaitable[Any]]",
    signed: "SignedAuthority | None" = None,
    seal: "QuestionSeal | None" = None,
) -> Any:
    """Do what needs the authority, with the wallet's lock held.

    Raises:
        WalletError: The wallet does not open, or what the operation raises.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.operations.authority import at_authority
    from wallet_client.operations.settle import changing

    async def inside(wallet: "Wallet") -> Any:
        async with changing(wallet), at_authority(wallet, signed, seal) as desk:
            return await work(desk)

    return with_wallet(session, inside)


def _read(file: Path | None) -> "SignedAuthority | None":
    if file is None:
        return None
    from trust.authority import read_authority
    from wallet_client.cli.files import read_input

    return read_authority(read_input(file))


def _entered(session: Session, entered: "AuthoritySession", identity: bytes) -> None:
    from wallet_client.cli.output import emit, fields, fingerprint, moment
    from wallet_client.values.shown import shown

    document = {
        "name": entered.name,
        "methods": list(entered.methods),
        "expires_at": entered.expires_at,
        "identity": identity.hex(),
    }
    pairs = (
        ("Logged in", shown(entered.name)),
        ("By", ", ".join(entered.methods)),
        ("Until", moment(entered.expires_at)),
        ("Authority", fingerprint(identity)),
    )
    emit(session, document, lambda: fields(pairs))
