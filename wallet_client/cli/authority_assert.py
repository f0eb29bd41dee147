"""`kura authority assert`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from trust.assertion import Assertion, SignedAssertion
    from wallet_client.operations.authority import Desk

_KEY = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
_EXAMPLES = f"""
kura authority assert --recipient-key {_KEY}
kura authority assert --recipient-key {_KEY} --safe safe-1 --out a.bin
"""


@click.command("assert", cls=Command, opens_wallet=True, examples=_EXAMPLES)
@click.option(
    "--recipient-key", required=True, metavar="HEX", help="X25519 public key to which safes are to answer."
)
@click.option("--safe", "safes", multiple=True, metavar="SAFE", help="For this safe [default: for all].")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to a new file."
)
@pass_session
def assert_(session: Session, recipient_key: str, safes: tuple[str, ...], out: Path | None) -> None:
    """Have the authority say to safes of this wallet's roster who you are, for minutes and once each.

    It is held to all that a safe holds it to before it is shown. Needs a session: `kura authority login`.
    """
    from wallet_client.cli.authority_account import at_the_desk
    from wallet_client.cli.files import write_new
    from wallet_client.cli.output import emit, fields, moment

    key = _key(recipient_key)

    async def work(desk: "Desk") -> "tuple[SignedAssertion, Assertion]":
        known = {safe.name: safe.safe_id for safe in desk.wallet.roster.safes}
        unknown = [name for name in safes if name not in known]
        if unknown:
            raise click.UsageError(f"the roster has no safe {unknown[0]!r}; it has {', '.join(known)}")
        return await desk.assertion(tuple({known[name] for name in safes or known}), key)

    signed, said = at_the_desk(session, work)
    body = signed.to_bytes()
    if out is not None:
        write_new(out, body)
    document = {
        "assertion": body.hex(),
        "owner_id": said.owner_id.hex(),
        "methods": list(said.methods),
        "safes": [safe_id.hex() for safe_id in said.audience],
        "expires_at": said.expires_at,
    }
    pairs = (
        ("Owner", said.owner_id.hex()),
        ("By", ", ".join(said.methods)),
        ("Safes", str(len(said.audience))),
        ("Until", moment(said.expires_at)),
        ("Assertion", "" if out else body.hex()),
    )
    emit(session, document, lambda: fields(pairs))


def _key(text: str) -> bytes:
    from threshold.errors import ThresholdError
    from threshold.hpke import check_public_key

    try:
        key = bytes.fromhex(text)
        check_public_key(key)
    except (ValueError, ThresholdError):
        raise click.UsageError("a recipient key is an X25519 public key: 64 hexadecimal digits") from None
    return key
