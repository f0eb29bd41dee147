"""`kura owner enroll`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.enrolling import Enrolled
    from wallet_client.wallet import Wallet

_EXAMPLES = """
kura owner enroll anna
kura owner enroll anna --policy pin --guesses 5 --invitation safe-2=R7KQ-2MWD-XA4T-9PLC
"""
_UNPROTECTED = (
    "Not protected: a PIN that can be guessed, from {k} safes that put their data together; this wallet,"
    " while somebody has it unlocked, until it is revoked; how much you back up and when, from the safes."
)


@click.command(cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.argument("name")
@click.option(
    "--policy",
    type=click.Choice(["pin"]),
    default="pin",
    show_default=True,
    help="What proves the owner.",
)
@click.option(
    "--guesses",
    type=click.IntRange(1, 100),
    default=10,
    show_default=True,
    help="Wrong PINs until a safe takes no more.",
)
@click.option(
    "--invitation",
    "invitations",
    multiple=True,
    metavar="SAFE=CODE",
    help="For a safe whose operator asks for one.",
)
@pass_session
def enroll(session: Session, name: str, policy: str, guesses: int, invitations: tuple[str, ...]) -> None:
    """Let a name and a PIN bring everything back to a new device.

    NAME may be written in any case. Asks for the PIN twice: 4 to 1,000 characters. What was backed up before
    is sealed anew, bound to the owner. If it is interrupted, say the same again.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit, warn, warn_of_safes
    from wallet_client.cli.pin import ask_new_pin
    from wallet_client.cli.progress import WORTH_WATCHING_BYTES, Bars
    from wallet_client.operations.enrolling import enroll_owner
    from wallet_client.owners.dealing import true_total_of_guesses
    from wallet_client.owners.names import OwnerName

    owner_name, codes = OwnerName(name), _codes(invitations)
    pin = ask_new_pin("PIN")

    async def work(wallet: "Wallet") -> "tuple[Enrolled, int, int]":
        with Bars(WORTH_WATCHING_BYTES) as progress:
            done = await enroll_owner(wallet, owner_name, pin, guesses, codes, progress)
        return done, len(wallet.roster.safes), wallet.roster.threshold

    done, n, k = with_wallet(session, work)
    warn_of_safes(done.failed)
    for beyond in done.beyond:
        warn(f"{beyond.receipt_id}: not by name and PIN: {beyond}")
    for receipt_id, error in done.left.items():
        warn(f"{receipt_id}: was not sealed anew: {error}")
    totals = [true_total_of_guesses(n, k, guesses, lying) for lying in range(k)]
    document = {
        "owner": owner_name.text,
        "policy": policy,
        "safes_holding": done.safes,
        "safes": n,
        "threshold": k,
        "guesses": guesses,
        "total_guesses": totals,
        "resealed": len(done.resealed),
        "beyond_owner": [{"receipt": one.receipt_id, "reason": str(one)} for one in done.beyond],
        "failed": {safe: str(failure) for safe, failure in done.failed.items()},
    }
    emit(session, document, lambda: _text(done, owner_name.text, n, k, totals))


def _codes(invitations: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in invitations]
    if any(not safe or not code for safe, _, code in pairs):
        raise click.UsageError("an invitation is written SAFE=CODE, such as safe-2=R7KQ-2MWD-XA4T-9PLC")
    return {safe: code for safe, _, code in pairs}


def _text(done: "Enrolled", name: str, n: int, k: int, totals: list[int]) -> str:
    from wallet_client.cli.output import count_of
    from wallet_client.values.shown import shown

    lying = [f"{total} if {c} safe{'s lie' if c > 1 else ' lies'}" for c, total in enumerate(totals) if c]
    tries = ", ".join([f"{totals[0]} PINs in all", *lying])
    lines = [
        f"{shown(name)} is enrolled at {done.safes} of {n} safes; any {k} of them bring everything back.",
        f"Who knows the name can try {tries}; then it is locked, and regains one guess in 30 days.",
        _UNPROTECTED.format(k=k),
    ]
    if done.resealed:
        lines.append(f"{count_of(len(done.resealed), 'item')} sealed anew.")
    return "\n".join(lines)
