"""`kura owner policy`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.factors import Named, ask_proofs, opened_by
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from wallet_client.network.failures import SafeFailure
    from wallet_client.operations.owner_status import OwnerView
    from wallet_client.owners.explain_access import Ground
    from wallet_client.wallet import Wallet

    _Work = Callable[[Wallet], Awaitable[Mapping[str, SafeFailure]]]

_EXAMPLES = """
kura owner policy
kura owner policy 'pin and (device or authority)' --device file:stick/kura.device
kura owner policy pin --json
"""


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("expression", required=False)
@click.option(
    "--accept-safes-can-open",
    is_flag=True,
    help="Accept a way by the authority alone: then any threshold of the safes can open it too.",
)
@opened_by(deals=True)
@pass_session
def policy(session: Session, expression: str | None, accept_safes_can_open: bool, named: Named) -> None:
    """Show who can open the owner's record, or change it to EXPRESSION.

    An expression has pin, device, authority, and, or, and parentheses. The record of now is opened first; the
    new one is tried before it takes its place, by a way of its own: say --device or --authority where no way
    goes without. Devices and the authority come first: `kura owner factor add`.
    """
    from wallet_client.operations.change_access import by_ways, changed_record
    from wallet_client.owners.access import read_ways

    if expression is None:
        show_access(session)
        return
    change = by_ways(read_ways(expression), accept_safes_can_open=accept_safes_can_open)
    proofs = ask_proofs(session, named, "PIN of now")

    async def work(wallet: "Wallet") -> "Mapping[str, SafeFailure]":
        return await changed_record(wallet, proofs, change)

    show_access(session, work)


def show_access(
    session: Session, work: "_Work | None" = None, text: "Callable[[OwnerView], str] | None" = None
) -> None:
    """Print the policy in force, after a change if there is one.

    Args:
        session: Of this run.
        work: The change; gives what went wrong, by the safe's name.
        text: What people read; by default the policy in plain words.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn, warn_of_safes
    from wallet_client.operations.owner_status import owner_status

    async def look(wallet: "Wallet") -> "tuple[Mapping[str, SafeFailure], OwnerView]":
        failed = {} if work is None else await work(wallet)
        return failed, await owner_status(wallet)

    failed, view = with_wallet(session, look)
    warn_of_safes(failed)
    if failed:
        warn(f"what opened the record before still opens it there: {renewing(view)} once all safes answer")
    document = access_document(view)
    if work is not None:
        document["failed"] = {name: str(one) for name, one in failed.items()}
    emit(session, document, lambda: (text or _text)(view))


def renewing(view: "OwnerView") -> str:
    """The command that puts one record in force everywhere, which opens as the one of now does."""
    from wallet_client.owners.access import expression_of

    ways = view.access.ways
    way = min(ways, key=lambda one: ("pin" not in one, len(one), "authority" in one))
    words = [f"kura owner policy '{expression_of(ways)}' --with {','.join(way)}"]
    words += ["--device DEVICE"] if "device" in way else []
    words += ["--accept-safes-can-open"] if ("authority",) in ways else []
    return f"say `{' '.join(words)}`"


def _text(view: "OwnerView") -> str:
    from wallet_client.owners.explain_access import explain_access

    return "\n".join(explain_access(view.access, ground_of(view)))


def ground_of(view: "OwnerView") -> "Ground":
    """Where the owner's record is kept."""
    from wallet_client.owners.explain_access import Ground

    allowed = [one.guesses_allowed for one in view.answered if one.guesses_allowed]
    guesses = max(set(allowed), key=allowed.count) if allowed else 0
    return Ground(len(view.safes), view.threshold, guesses)


def access_document(view: "OwnerView") -> dict[str, object]:
    """For --json."""
    from wallet_client.operations.change_access import device_id
    from wallet_client.owners.access import expression_of

    access = view.access
    return {
        "owner": view.name,
        "policy": expression_of(access.ways),
        "ways": [list(way) for way in access.ways],
        "devices": [
            {
                "label": one.label,
                "id": device_id(one),
                "verifies": one.verifies,
                "copied": bytes.fromhex(device_id(one)) in view.copied,
            }
            for one in access.devices
        ],
        "authority": access.authority[0].hex() if access.authority else None,
        "waiting_seconds": access.waiting_seconds,
        "total_guesses": ground_of(view).totals if ground_of(view).guesses else [],
    }
