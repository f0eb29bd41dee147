"""What the options say about this run: which wallet, how it opens, who carries its traffic, how it prints.

`--home`, `--via`, `--terminal` and the passphrase options stand before the command or after it; the later one
wins.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from wallet_client.network.carriers import Carrier
    from wallet_client.storage.keyfile import Unlock


@dataclass
class Session:
    """One run.

    Args:
        chosen_home: The wallet's folder, if said.
        passphrase_file: File whose content is the passphrase, if said.
        no_passphrase: The wallet has none, or shall have none.
        json: Print one JSON document.
        terminal: The address of the terminal that carries all traffic with the safes, if said.
        via: The safe through which all traffic with the others goes, if said.
        known: Secret: the Unlock that was said: nobody is asked twice in one run.
    """

    chosen_home: Path | None = None
    passphrase_file: Path | None = None
    no_passphrase: bool = False
    json: bool = False
    terminal: str | None = None
    via: str | None = None
    known: Any = field(default=None, repr=False)

    @property
    def home(self) -> Path:
        """The wallet's folder; the platform's data folder unless said."""
        if self.chosen_home is not None:
            return self.chosen_home
        from platformdirs import user_data_path

        return user_data_path("kura", appauthor=False)

    def unlock(self) -> "Unlock":
        """What opens the wallet.

        Raises:
            WalletError: There is no wallet, or no passphrase to be had.
        """
        from wallet_client.cli.passphrase import passphrase_of

        unlock: Unlock = self.known or passphrase_of(self.home, self.passphrase_file, self.no_passphrase)
        self.known = unlock
        return unlock

    def new_unlock(self) -> "Unlock":
        """What shall open a new wallet.

        Raises:
            WalletError: No passphrase is to be had.
        """
        from wallet_client.cli.passphrase import new_passphrase

        unlock = new_passphrase(self.passphrase_file, self.no_passphrase)
        self.known = unlock
        return unlock

    def carrier(self) -> "Carrier | None":
        """Who carries what is asked of the safes; None: nobody does, they are called directly.

        Raises:
            UsageError: A terminal and a safe are both to carry.
        """
        if self.terminal is None and self.via is None:
            return None
        if self.terminal is not None and self.via is not None:
            raise click.UsageError(
                "either --terminal or --via (KURA_TERMINAL, KURA_VIA): one of them carries"
            )
        from wallet_client.network.carriers import Gateway, Terminal

        return Terminal(self.terminal) if self.terminal is not None else Gateway(self.via or "")


pass_session = click.make_pass_decorator(Session, ensure=True)


def home_option() -> click.Option:
    """--home."""
    return click.Option(
        ["--home"],
        type=click.Path(path_type=Path, file_okay=False),
        envvar="KURA_HOME",
        metavar="DIR",
        expose_value=False,
        callback=_kept_as("chosen_home"),
        help="The wallet's folder [default: KURA_HOME, else the platform's data folder].",
    )


def passphrase_options() -> list[click.Parameter]:
    """--passphrase-file and --no-passphrase."""
    file = click.Option(
        ["--passphrase-file"],
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        expose_value=False,
        callback=_kept_as("passphrase_file"),
        help="Read the passphrase from a file [default: KURA_PASSPHRASE, else it is asked for].",
    )
    without = click.Option(
        ["--no-passphrase"],
        is_flag=True,
        expose_value=False,
        callback=_kept_as("no_passphrase"),
        help="The wallet has no passphrase: whoever can read its folder can read its values.",
    )
    return [file, without]


def terminal_option() -> click.Option:
    """--terminal."""
    return click.Option(
        ["--terminal"],
        envvar="KURA_TERMINAL",
        metavar="ADDRESS",
        type=_TerminalAddress(),
        expose_value=False,
        callback=_kept_as("terminal"),
        help="Have all traffic with the safes carried by `kura terminal`, unread, at unix:PATH or a loopback "
        "address [default: KURA_TERMINAL, else nobody carries].",
    )


def via_option() -> click.Option:
    """--via."""
    return click.Option(
        ["--via"],
        envvar="KURA_VIA",
        metavar="SAFE",
        expose_value=False,
        callback=_kept_as("via"),
        help="Reach all safes through this one alone, by its name or id in the roster: it carries what is "
        "sealed to the others and gathers sealed pieces from them [default: KURA_VIA, else none].",
    )


class _TerminalAddress(click.ParamType[str]):
    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from wallet_client.network.loopback import read_address

        try:
            return read_address(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def json_option() -> click.Option:
    """--json."""
    return click.Option(
        ["--json"],
        is_flag=True,
        expose_value=False,
        callback=_kept_as("json"),
        help="Print one JSON document.",
    )


def _kept_as(field: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """Put an option's value into the session where it was given; the inner command overrules the outer."""

    def keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        session = context.ensure_object(Session)
        given = context.get_parameter_source(parameter.name or "")
        is_default = given in (click.core.ParameterSource.DEFAULT, None)
        from_environment = given is click.core.ParameterSource.ENVIRONMENT
        if is_default or (from_environment and getattr(session, field) is not None):
            return
        setattr(session, field, value)

    return keep
