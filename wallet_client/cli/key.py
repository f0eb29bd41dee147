"""`kura key`: the keys of the wallet (docs/KEYS.md)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wallet_client.cli.commands import Group, Later

if TYPE_CHECKING:
    from wallet_client.storage.keyring import KeyringKind

_Function = TypeVar("_Function", bound=Callable[..., Any])

_COMMANDS = {
    "new": Later("wallet_client.cli.key_new:new", "Make a key."),
    "import": Later("wallet_client.cli.key_new:import_key", "Make a key of what is in a file."),
    "list": Later("wallet_client.cli.key_list:list_keys", "List keys, and whether they are here."),
    "show": Later("wallet_client.cli.key_list:show", "Show a key's public half and where it is used."),
    "backup": Later("wallet_client.cli.key_backup:backup", "Register a key at the safes."),
    "recover": Later("wallet_client.cli.key_backup:recover", "Bring a key back into the wallet."),
    "forget": Later("wallet_client.cli.key_backup:forget", "Erase a key that its safes have."),
    "import-algorithm": Later(
        "wallet_client.cli.key_algorithm:import_algorithm", "Take in how keys come from the root."
    ),
    "publish-algorithm": Later(
        "wallet_client.cli.key_publish:publish_algorithm", "Describe and sign how keys come from a root."
    ),
}
_EXAMPLES = """
kura key new main-pair --pair
kura key backup main-pair
kura key forget main-pair
"""

_KINDS = (
    click.option("--shared", "kind", flag_value="shared", help="The same key seals and opens."),
    click.option("--pair", "kind", flag_value="pair", help="A public half seals; the other half opens."),
    click.option("--root", "kind", flag_value="root", help="Other keys come from it; a wallet has one."),
)


@click.group(cls=Group, later=_COMMANDS, examples=_EXAMPLES)
def key() -> None:
    """Make keys that policies seal under; back them up, forget them, bring them back.

    Policies such as `sealed` make their key at its first use, and `seed` makes the root. KEY is a key's name
    or id, or the beginning of its id.
    """


def kind_options(function: _Function) -> _Function:
    """--shared, --pair and --root, as `kind`."""
    for option in reversed(_KINDS):
        function = option(function)
    return function


def require_kind(kind: "KeyringKind | None") -> "KeyringKind":
    """The one that was said."""
    if kind is None:
        raise click.UsageError("say what it is: --shared, --pair or --root")
    return kind
