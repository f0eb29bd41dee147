"""`kura key publish-algorithm`: the issuer's side of `kura key import-algorithm`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from trust.algorithm_file import IssuedAlgorithm
    from trust.documents import SigningKey
    from trust.key_algorithm import KeyAlgorithm

_LABEL = re.compile(r"([^/]+)/([1-9][0-9]{0,4})")
_EXAMPLES = """
kura key publish-algorithm office/2 --issuer issuer.key --out office-2.json
kura key publish-algorithm office/2 --issuer issuer.key --new-seed --out office-2.json
"""
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("publish-algorithm", cls=Command, examples=_EXAMPLES)
@click.argument("label", metavar="NAME/VERSION")
@click.option(
    "--issuer",
    type=_FILE,
    required=True,
    metavar="FILE",
    help="Your signing key, 64 hexadecimal digits; a new one is written where there is no file.",
)
@click.option(
    "--out", type=_FILE, required=True, metavar="FILE", help="The file to write; it must not exist."
)
@click.option(
    "--hash", "hash_name", type=click.Choice(["sha256", "sha512"]), default="sha256", help="HKDF's."
)
@click.option("--salt", default="", metavar="HEX", help="HKDF's, up to 64 bytes; not secret.")
@click.option("--info", help="What the keys are for, up to 255 bytes [default: NAME/VERSION].")
@click.option(
    "--seed", type=_FILE, metavar="FILE", help="Put this root in: 32 bytes, raw or as 64 hex digits."
)
@click.option("--new-seed", is_flag=True, help="Put a fresh root in.")
@pass_session
def publish_algorithm(
    session: Session,
    label: str,
    issuer: Path,
    out: Path,
    hash_name: Literal["sha256", "sha512"],
    salt: str,
    info: str | None,
    seed: Path | None,
    new_seed: bool,
) -> None:
    """Describe how keys come from a root, and sign it, for wallets that trust you.

    Give their owners the file and, by another way, your public key. A file with a root in it is a secret of
    whoever shall have the keys.
    """
    from trust.algorithm_file import IssuedAlgorithm
    from wallet_client.cli.files import write_new

    if seed is not None and new_seed:
        raise click.UsageError("--seed and --new-seed exclude each other")
    issued = IssuedAlgorithm(_described(label, hash_name, salt, info or label), _seed(seed, new_seed))
    key = _issuer(issuer)
    write_new(out, _signed(issued, key))
    _tell(session, issued, out, key.public.hex())


def _described(label: str, hash_name: Literal["sha256", "sha512"], salt: str, info: str) -> "KeyAlgorithm":
    from trust.key_algorithm import KeyAlgorithm

    match = _LABEL.fullmatch(label)
    if match is None:
        raise click.BadParameter(f"{label!r} is not such as office/1", param_hint="NAME/VERSION")
    try:
        return KeyAlgorithm(match[1], int(match[2]), hash_name, bytes.fromhex(salt), info.encode("utf-8"))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _seed(file: Path | None, fresh: bool) -> bytes:
    """Secret: the root to put in; empty for none."""
    from threshold.randomness import SystemRandomness
    from trust.key_algorithm import ROOT_BYTES
    from wallet_client.cli.key_new import read_secret

    if file is not None:
        return read_secret(file, "root")
    return SystemRandomness().read(ROOT_BYTES) if fresh else b""


def _issuer(file: Path) -> "SigningKey":
    """The issuer's key; a new one, in a new file of mode 0600, where there is none."""
    from threshold.randomness import SystemRandomness
    from trust.documents import SigningKey
    from wallet_client.cli.files import read_input, write_new

    if not file.exists():
        seed = SystemRandomness().read(32)
        write_new(file, seed.hex().encode("ascii") + b"\n")
        return SigningKey(seed)
    digits = read_input(file, limit=1_024).strip()
    if not re.fullmatch(rb"[0-9a-fA-F]{64}", digits):
        raise click.BadParameter("it does not hold 64 hexadecimal digits", param_hint="--issuer")
    return SigningKey(bytes.fromhex(digits.decode("ascii")))


def _signed(issued: "IssuedAlgorithm", issuer: "SigningKey") -> bytes:
    from trust.algorithm_file import write_algorithm
    from trust.errors import AlgorithmRefused

    try:
        return write_algorithm(issued, issuer)
    except AlgorithmRefused as error:
        raise click.UsageError(error.problem) from None


def _tell(session: Session, issued: "IssuedAlgorithm", out: Path, issuer: str) -> None:
    from wallet_client.cli.key_algorithm import algorithm_lines, algorithm_row
    from wallet_client.cli.output import emit, fields
    from wallet_client.values.shown import shown

    pairs = [
        *algorithm_lines(issued.algorithm),
        ("Root", "in the file, which is secret" if issued.seed else ""),
        ("File", shown(str(out))),
        ("Issuer", issuer),
    ]
    more = {"file": shown(str(out)), "issuer": issuer, "seed": bool(issued.seed)}
    emit(session, algorithm_row(issued.algorithm) | more, lambda: fields(pairs))
