"""What a fork server starts is a process like another, and ends with the worker (support.forked)."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from support import fork_client, forked
from support.kura import ROOT, Finished, KuraInProcess, environment
from tools.local_cluster import processes

SECONDS = 30
PROGRAM = """
import json, os, signal, sys
import grpc
match sys.argv[1:]:
    case ["tell"]:
        told = {
            "environment": dict(os.environ), "folder": os.getcwd(), "typed": sys.stdin.read(),
            "threads": len(os.listdir("/proc/self/task")), "leads": os.getsid(0) == os.getpid(),
            "open": [int(n) for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")],
            "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        }
        print(json.dumps(told))
    case ["end", code]:
        sys.exit(int(code))
    case ["say", words]:
        sys.exit(words)
    case ["raise"]:
        raise LookupError("nothing here")
    case ["kill"]:
        os.kill(os.getpid(), signal.SIGKILL)
    case ["wait"]:
        sys.stdout.reconfigure(errors="backslashreplace")
        try:
            print("waits", flush=True)
            signal.pause()
        except KeyboardInterrupt:
            sys.exit(130)
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the program, in which the test stands."""
    (tmp_path / "odd_program.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, typed: bytes = b"", odd: str = "no") -> Finished:
    """The program, forked."""
    return forked.run("odd_program", *words, environment=environment(ODD=odd), typed=typed)


@pytest.mark.parametrize(
    ("words", "code", "messages"),
    [
        (["end", "0"], 0, ""),
        (["end", "7"], 7, ""),
        (["say", "no"], 1, "no\n"),
        (["other"], 0, ""),
        (["kill"], -signal.SIGKILL, ""),
    ],
    ids=["it ends well", "it ends with a code", "it ends with a word", "it just ends", "a signal ends it"],
)
def test_its_end_is_told(words: list[str], code: int, messages: str) -> None:
    """The code and the last words, as an interpreter has them."""
    assert run(*words) == Finished(code, "", messages)


def test_an_exception_is_shown() -> None:
    """And ends it with 1."""
    done = run("raise")
    assert done.code == 1
    assert done.messages.endswith("LookupError: nothing here\n")


def test_everything_about_it_is_its_own(here: Path) -> None:
    """Environment, folder, streams, session; one thread, no descriptor and no handler of the server."""
    told = run("tell", typed=b"some words", odd="yes").data
    assert told.pop("environment") == environment(ODD="yes")
    assert told == {
        "folder": str(here),
        "typed": "some words",
        "threads": 1,
        "leads": True,
        "open": [0, 1, 2],
        "interrupt": True,
    }


def test_one_start_leaves_no_trace_in_the_next() -> None:
    """The server has an environment of its own."""
    run("tell", odd="yes")
    assert run("tell").data["environment"] == environment(ODD="no")


@contextmanager
def started(*, tied: bool, address: str) -> Iterator[tuple[Callable[[], None], int]]:
    """The program while it waits: how to leave it alone, and a descriptor of its process."""
    reading, writing = os.pipe()
    with open(os.devnull, "rb") as nothing, closing(os.fdopen(reading, "rb")) as output:
        streams = (nothing.fileno(), writing, writing)
        asker = fork_client.ask(address, "odd_program", ["wait"], environment(), streams, tied=tied)
        os.close(writing)
        process = os.pidfd_open(fork_client.number_from(asker))
        try:
            assert output.readline() == b"waits\n"
            yield asker.close, process
        finally:
            asker.close()
            os.close(process)


def has_ended(process: int, seconds: float = SECONDS) -> bool:
    """Whether it ends in time."""
    return bool(select.select([process], [], [], seconds)[0])


def test_who_asked_is_gone_and_so_is_the_command() -> None:
    """As a shell's job that is killed with its terminal."""
    with started(tied=True, address=forked.address()) as (leave, process):
        assert not has_ended(process, 0)
        leave()
        assert has_ended(process)


def test_who_asked_may_leave_without_listening() -> None:
    """The server goes on."""
    with open(os.devnull, "r+b") as nothing:
        streams = [nothing.fileno()] * 3
        asker = fork_client.ask(forked.address(), "odd_program", ["wait"], environment(), streams, tied=True)
    assert select.select([asker], [], [], SECONDS)[0]
    asker.close()
    assert run("end", "7").code == 7


def test_a_safe_outlives_who_asked_and_has_its_own_signals(here: Path) -> None:
    """It is found again through its file; SIGTERM goes to it alone."""
    file = here / "process.json"
    command = [sys.executable, "-m", "odd_program", "wait"]
    processes.remember(file, forked.start(command, here / "log", environment()))
    assert processes.is_running(file)
    processes.send(file, signal.SIGTERM)
    assert processes.has_ended(file, SECONDS)
    assert not processes.is_running(file)


def test_nothing_outlives_the_worker(here: Path) -> None:
    """Not even a safe: a worker that is killed takes its server with it, and the server what it started."""
    worker = """
import sys
from support import forked
print(forked.address(), flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", worker]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as one:
        assert one.stdout is not None
        address = one.stdout.readline().strip()
        with started(tied=False, address=address) as (leave, process):
            leave()
            assert not has_ended(process, 0)
            one.kill()
            assert has_ended(process)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)], ids=["SIGINT", "SIGTERM"]
)
def test_what_stands_for_it_passes_signals_on_and_ends_as_it_does(number: signal.Signals, code: int) -> None:
    """A shell sees no difference."""
    command = [sys.executable, "-I", "-S", fork_client.__file__, forked.address(), "odd_program", "wait"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as shown:
        assert shown.stdout is not None
        assert shown.stdout.readline() == "waits\n"
        shown.send_signal(number)
        assert shown.wait(SECONDS) == code


def test_the_command_line_is_what_it_is_in_this_process(here: Path) -> None:
    """`kura` forked: its output, its code, its complaints."""
    kura, called = forked.KuraForked(here / "none"), KuraInProcess(here / "none")
    for words in (["--help"], ["wallet", "list"], ["no-such-command"]):
        assert kura(*words) == called(*words)
