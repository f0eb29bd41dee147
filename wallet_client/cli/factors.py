"""The options that say by what an owner's record is opened, the same for every command that opens it.

What is asked for comes in this order, each once: the PIN, a new PIN, the device's passphrase, the password at
the authority. Without a terminal each is a line of standard input (two for what is new).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_client.cli.session import Session

if TYPE_CHECKING:
    from trust.access_policy import Factor
    from trust.authority import SignedAuthority
    from wallet_client.owners.devices import Device
    from wallet_client.owners.factors import AuthorityLogin, Proofs

_DEVICE_HELP = "The device: file:PATH, pkcs11:token=NAME?module-path=PATH, or fido2."
_AUTHORITY_HELP = "What the authority says of itself; needed where this wallet knows none."


class Way(click.ParamType[tuple[str, ...]]):
    """Factors: pin; pin,device; pin,authority; device."""

    name = "factors"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Text to factors, ascending, each once."""
        if isinstance(value, tuple):
            return value
        from wallet_client.owners.access import FACTORS

        found = tuple(sorted({one.strip().lower() for one in str(value).split(",")}))
        if not set(found) <= set(FACTORS):
            self.fail(f"{value!r} is no list of {', '.join(FACTORS)}; write pin,device", param, ctx)
        return found


@dataclass(frozen=True, slots=True)
class Named:
    """What the options say.

    Args:
        way: By which factors.
        device: Which device; None for none.
        authority: The authority's file; None: the one that the wallet knows.
        new_pin: Ask for a PIN for the new record.
    """

    way: "tuple[Factor, ...]"
    device: str | None = None
    authority: Path | None = None
    new_pin: bool = False


def opened_by(
    *, device: str = "--device", authority: str = "--authority", deals: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options of a command that opens the record; it gets them as `named`.

    Args:
        device: The option for the device.
        authority: The option for the authority.
        deals: The command puts another record in its place.
    """
    options = [
        click.option(
            "--with",
            "factor_way",
            type=Way(),
            default=("pin",),
            metavar="FACTORS",
            help="By which factors: pin, device, authority, with commas [default: pin].",
        ),
        click.option(device, "factor_device", metavar="DEVICE", help=_DEVICE_HELP),
        click.option(
            authority,
            "factor_authority",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            metavar="FILE",
            help=_AUTHORITY_HELP,
        ),
    ]
    if deals:
        options.append(
            click.option(
                "--new-pin",
                "factor_new_pin",
                is_flag=True,
                help="Ask for a PIN from now on, where the record is opened without one.",
            )
        )

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def gathered(
            *arguments: Any,
            factor_way: "tuple[Factor, ...]",
            factor_device: str | None,
            factor_authority: Path | None,
            factor_new_pin: bool = False,
            **others: Any,
        ) -> None:
            named = Named(factor_way, factor_device, factor_authority, factor_new_pin)
            function(*arguments, named=named, **others)

        for option in reversed(options):
            gathered = option(gathered)
        return gathered

    return decorate


def ask_proofs(session: Session, named: Named, question: str = "PIN") -> "Proofs":
    """What the person brings; Secret.

    Raises:
        PinMissing, PinRefused, DeviceFailed, FactorMissing, PasswordRefused: It is not to be had.
    """
    from wallet_client.cli.pin import ask_new_pin, ask_pin
    from wallet_client.owners.factors import Proofs

    pin = ask_pin(question) if "pin" in named.way else None
    new_pin = ask_new_pin("PIN from now on") if named.new_pin else None
    device = None if named.device is None else device_named(named.device)
    return Proofs(named.way, pin, device, _login(session, named), new_pin)


def device_named(text: str, *, new: bool = False) -> "Device":
    """The device that an option names; asks for its passphrase or PIN.

    Args:
        text: file:PATH, pkcs11:token=NAME?module-path=PATH, or fido2.
        new: A file that is not there is made.

    Raises:
        DeviceFailed: It cannot be used.
    """
    kind, _, rest = text.partition(":")
    if kind == "file" and rest:
        return _file_device(Path(rest).expanduser(), new=new)
    if kind == "pkcs11" and rest:
        return _token_device(text)
    if text == "fido2":
        return _usb_device()
    raise click.UsageError("a device is file:PATH, pkcs11:token=NAME?module-path=PATH, or fido2")


def read_signed_authority(file: Path | None) -> "SignedAuthority | None":
    """An authority's file; None where none is named."""
    if file is None:
        return None
    from trust.authority import read_authority
    from wallet_client.cli.files import read_input

    return read_authority(read_input(file))


def _file_device(path: Path, *, new: bool) -> "Device":
    from wallet_client.cli.pin import ask_new_secret, ask_secret
    from wallet_client.devices.file import FileDevice
    from wallet_client.storage.keyfile import Passphrase

    what, question = "passphrase", "Passphrase of the device"
    if new and not path.exists():
        return FileDevice.make(path, Passphrase(ask_new_secret(question, what).encode()))
    return FileDevice.open(path, Passphrase(ask_secret(question, what).encode()))


def _token_device(text: str) -> "Device":
    from wallet_client.cli.pin import ask_secret
    from wallet_client.devices.token import TokenDevice

    return TokenDevice.open(text, ask_secret("PIN of the token", "PIN of the token"))


def _usb_device() -> "Device":
    from wallet_client.cli.output import say
    from wallet_client.cli.pin import ask_secret
    from wallet_client.devices.usb import UsbDevice

    return UsbDevice(lambda: ask_secret("PIN of the key", "PIN of the key"), say)


def _login(session: Session, named: Named) -> "AuthorityLogin | None":
    """How to log in at the authority; no password is asked for where the wallet has a session."""
    from wallet_client.cli.pin import ask_secret
    from wallet_client.operations.authority_errors import check_password
    from wallet_client.owners.factors import AuthorityLogin

    if "authority" not in named.way and named.authority is None:
        return None
    signed = read_signed_authority(named.authority)
    if _has_session(session):
        return AuthorityLogin(signed)
    return AuthorityLogin(signed, check_password(ask_secret("Password at the authority", "password")))


def _has_session(session: Session) -> bool:
    import time

    from wallet_client.cli.opened import reading
    from wallet_client.storage.errors import WalletMissing

    try:
        with reading(session) as store:
            account = store.authority.find()
    except WalletMissing:
        return False
    return account is not None and bool(account.token) and time.time() < account.expires_at
