"""A wallet's process in a network of its own, in which there is nothing: `python -m support.cut_off`.

Standard input holds a JSON list of commands, each [home, arguments, what is typed]. They run one after the
other in this process; standard output is a JSON list of [exit code, output, messages]. Before the first, the
process leaves the machine's network (unshare(2)), and tries each address among its arguments to see that it
has. A Unix socket goes with files and not with networks: it is all that is left.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.kura import Finished, KuraInProcess, environment

_NEW_USER, _NEW_NETWORK = 0x1000_0000, 0x4000_0000
_SECONDS = 120


def leave_the_network() -> None:
    """Into a network without interfaces; as an ordinary user into a name space of users as well.

    Raises:
        OSError: The system does not allow it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NETWORK) and libc.unshare(_NEW_USER | _NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "no network of one's own can be had here")


def can_leave_the_network() -> bool:
    """Whether `leave_the_network` would work for a child of this process."""
    child = os.fork()
    if child == 0:
        try:
            leave_the_network()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def run_cut_off(
    commands: list[tuple[Path, list[str], str]], addresses: list[str], **more: str
) -> list[Finished]:
    """Run commands of `kura` without a network.

    Args:
        commands: Home, arguments, what is typed.
        addresses: "host:port" of what must not be reachable.
        more: Environment variables of every command.
    """
    done = subprocess.run(
        [sys.executable, "-m", "support.cut_off", *addresses],
        input=json.dumps([[str(home), arguments, typed, more] for home, arguments, typed in commands]),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Finished(*one) for one in json.loads(done.stdout)]


def _reaches(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def _run(home: str, arguments: list[str], typed: str, more: dict[str, str]) -> Any:
    return list(KuraInProcess(Path(home), more)(*arguments, typed=typed))


if __name__ == "__main__":
    reached_before = [one for one in sys.argv[1:] if _reaches(one)]
    leave_the_network()
    assert reached_before == sys.argv[1:], "what is to be out of reach was never there"
    assert not [one for one in sys.argv[1:] if _reaches(one)], "the network is still there"
    json.dump([_run(*one) for one in json.load(sys.stdin)], sys.stdout)
