"""The key ceremony of docs/OPERATING.md with one machine in all roles: keys, entries, roster, signatures."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from threshold.randomness import RandomSource
from tools.local_cluster.errors import SafeNotMade, ShapeImpossible
from trust.decoys import assemble_roster
from trust.documents import SigningKey
from trust.errors import RosterRefused
from trust.roster import SafeEntry, SignedRoster, sign_roster
from trust.roster_file import read_safe, write_roster

HOST = "127.0.0.1"
_OUTPUT_CHARACTERS = 2_000
_MOST_SAFES = 255


@contextmanager
def free_ports(count: int) -> Iterator[tuple[int, ...]]:
    """Ports that the kernel gives to nobody else inside the block, and that a safe can listen on there."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((HOST, 0))
        yield tuple(one.getsockname()[1] for one in sockets)


def in_pairs(ports: Sequence[int]) -> list[tuple[int, int]]:
    """A port for wallets and one for peers, safe by safe."""
    return list(zip(ports[::2], ports[1::2], strict=True))


def check_shape(safes: int, threshold: int) -> None:
    """Refuse what no roster can be, before any key is made.

    Raises:
        ShapeImpossible: Says why.
    """
    if not 1 <= safes <= _MOST_SAFES:
        raise ShapeImpossible(f"a roster has 1 to {_MOST_SAFES} safes")
    if not 1 <= threshold <= safes:
        raise ShapeImpossible(f"a threshold of {threshold} does not go with {safes} safes")


def make_safes(
    directory: Path, ports: Sequence[tuple[int, int]], environment: Mapping[str, str]
) -> tuple[SafeEntry, ...]:
    """Keys, configuration and entry of every safe, in folders safe-1 to safe-n; two ports for each.

    A folder that is complete is kept as it is, so an interrupted ceremony goes on.

    Raises:
        SafeNotMade: Names the safe and quotes what it said.
    """

    def make(number: int) -> SafeEntry:
        folder = directory / f"safe-{number}"
        if not (folder / "entry.json").exists():
            _init(folder, number, ports[number - 1], environment)
        return read_safe((folder / "entry.json").read_bytes())

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return tuple(pool.map(make, range(1, len(ports) + 1)))


def make_authority(folder: Path, port: int, environment: Mapping[str, str]) -> None:
    """Keys, configuration and description of an authority.

    Raises:
        SafeNotMade: Quotes what it said.
    """
    _made("auth_service", folder, port, environment)


def _init(folder: Path, number: int, ports: tuple[int, int], environment: Mapping[str, str]) -> None:
    port, peer_port = ports
    more = ("--operator", f"Operator {number}", "--peer-endpoint", f"{HOST}:{peer_port}")
    _made("safe_node", folder, port, environment, *more)


def _made(program: str, folder: Path, port: int, environment: Mapping[str, str], *more: str) -> None:
    """Run `python -m PROGRAM init` beside the folder, and put what it made in its place."""
    unfinished, at = folder.with_name(f".{folder.name}.new"), f"{HOST}:{port}"
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [sys.executable, "-m", program, "init", "--dir", str(unfinished), "--name", folder.name]
    command += ["--endpoint", at, "--listen", at, *more]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SafeNotMade(folder.name, (done.stderr or done.stdout)[-_OUTPUT_CHARACTERS:].strip())
    unfinished.rename(folder)


def make_roster(
    directory: Path, entries: Sequence[SafeEntry], threshold: int, now: int, rng: RandomSource
) -> bytes:
    """The genesis, signed by every operator, as a file.

    Args:
        directory: Holds safe-N/operator.key.
        entries: All safes.
        threshold: How many of them bring a value back.
        now: Seconds since 1970.
        rng: Gives the version's decoy secret.

    Raises:
        ShapeImpossible: The entries do not make a roster.
    """
    try:
        roster = assemble_roster(entries, threshold, now, rng)
    except RosterRefused as error:
        raise ShapeImpossible(error.problem) from error
    keys = [_operator_key(directory / entry.name / "operator.key") for entry in entries]
    return write_roster([SignedRoster(roster, tuple(sign_roster(roster, key) for key in keys))])


def _operator_key(path: Path) -> SigningKey:
    return SigningKey(bytes.fromhex(path.read_text("ascii").strip()))
