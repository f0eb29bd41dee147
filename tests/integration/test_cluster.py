"""`kura cluster` and `tools/cluster.py`: real safe processes come, go, forget and leave nothing behind."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.cluster import LocalCluster, with_keys
from support.kura import ROOT, KuraInProcess, environment, new_wallet, without_wallet
from tools.local_cluster import processes
from tools.local_cluster.cluster import Cluster
from tools.local_cluster.errors import ClusterBusy


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A folder for a cluster that is down at the end."""
    folder = tmp_path / "safes"
    yield folder
    if (folder / "roster.json").exists():
        LocalCluster(folder).close()


@pytest.fixture
def kura(tmp_path: Path) -> KuraInProcess:
    """`kura` without a wallet."""
    return without_wallet(tmp_path / "none")


def states(document: Any) -> list[str]:
    """Of all safes, in the roster's order."""
    return [safe["state"] for safe in document["safes"]]


def test_a_cluster_comes_up_is_hurt_heals_and_goes_down(kura: KuraInProcess, directory: Path) -> None:
    """Every command of `kura cluster`, each judged by what `status` says then."""
    at = ("--dir", directory)
    up = kura.json("cluster", "up", *at, "--safes", "3")
    assert [safe.keys() >= {"name", "id", "endpoint", "state"} for safe in up["safes"]] == [True] * 3
    assert states(up) == ["running"] * 3
    assert states(kura.json("cluster", "kill", "safe-1", *at)) == ["stopped", "running", "running"]
    assert states(kura.json("cluster", "stop", "safe-2", *at)) == ["stopped", "stopped", "running"]
    assert states(kura.json("cluster", "start", "safe-2", *at)) == ["stopped", "running", "running"]
    again = kura.json("cluster", "up", *at)
    assert again["safes"] == up["safes"]
    assert states(kura.json("cluster", "down", *at)) == ["stopped"] * 3
    assert kura.json("cluster", "status", *at)["safes"] == [
        safe | {"state": "stopped"} for safe in up["safes"]
    ]


def test_an_authority_comes_up_beside_the_safes(kura: KuraInProcess, directory: Path, tmp_path: Path) -> None:
    """It is started with them once it is there, hurt like one of them, and somebody can register at it."""
    at = ("--dir", directory)
    up = kura.json("cluster", "up", *at, "--safes", "1", "--with-authority")
    assert (states(up), up["authority"]["state"]) == (["running"], "running")
    owner = new_wallet(tmp_path / "wallet", directory / "roster.json")
    password = "correct horse\n" * 2
    done = owner.json("authority", "register", "anna", "--authority", up["authority"]["file"], typed=password)
    assert done["identity"] == up["authority"]["id"]
    assert kura.json("cluster", "kill", "authority", *at)["authority"]["state"] == "stopped"
    assert kura.json("cluster", "up", *at)["authority"] == up["authority"]
    assert owner.json("authority", "events")["events"][0]["what"] == "registered"
    down = kura.json("cluster", "down", *at)
    assert (states(down), down["authority"]["state"]) == (["stopped"], "stopped")


SCRIPT = [str(ROOT / "tools" / "cluster.py")]
MODULE = ["-m", "tools.cluster"]


def run(program: list[str], *arguments: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """`python tools/cluster.py` or `python -m tools.cluster`, to its end."""
    return subprocess.run(
        [sys.executable, *program, *map(str, arguments)],
        cwd=cwd,
        env=environment(measured=True),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_runs_by_itself(directory: Path, tmp_path: Path) -> None:
    """From anywhere, as a file or as a module, with the same folder and exit codes as `kura cluster`."""
    at = ("--dir", directory)
    up = run(MODULE, "up", *at, "--safes", 1, "--json", cwd=tmp_path)
    assert (up.returncode, states(json.loads(up.stdout))) == (0, ["running"])
    killed = run(SCRIPT, "kill", "safe-1", *at, cwd=tmp_path)
    assert killed.returncode == 0
    assert "safe-1  stopped" in killed.stdout
    assert "safe-1  running" in run(MODULE, "start", "safe-1", *at, cwd=tmp_path).stdout
    assert "safe-1  stopped" in run(SCRIPT, "down", *at, cwd=tmp_path).stdout
    assert "safe-1  stopped" in run(MODULE, "status", *at, cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["up"], 2, "--dir", id="no folder"),
        pytest.param(["status", "--dir", "/nonexistent/kura"], 1, "There is no cluster", id="no cluster"),
        pytest.param(["up", "--dir", "/proc/kura", "--safes", "0"], 1, "1 to 255 safes", id="no safes"),
    ],
)
def test_the_script_says_what_is_wrong(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    """On standard error, with the same exit codes."""
    done = run(MODULE, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_safe_that_is_not_there_is_named_with_those_that_are(
    kura: KuraInProcess, cluster_of_worker: LocalCluster
) -> None:
    """By name or by id."""
    done = kura("cluster", "kill", "safe-9", "--dir", cluster_of_worker.directory)
    assert (done.code, done.output) == (1, "")
    assert "safe-9" in done.messages
    assert "safe-1, safe-2" in done.messages


def test_a_process_that_does_not_answer_is_unhealthy(kura: KuraInProcess, directory: Path) -> None:
    """A stopped clock (SIGSTOP) is no end: `status` says so, and `kill` ends it."""
    at = ("--dir", directory)
    LocalCluster.started(directory, 1, 1)
    processes.send(directory / "safe-1" / "process.json", signal.SIGSTOP)
    assert states(kura.json("cluster", "status", *at)) == ["unhealthy"]
    assert states(kura.json("cluster", "kill", "safe-1", *at)) == ["stopped"]


def test_an_interrupted_ceremony_goes_on(kura: KuraInProcess, directory: Path) -> None:
    """Keys that were made stay; what was half-made is made again."""
    with with_keys(directory, 1):
        entry = (directory / "safe-1" / "entry.json").read_bytes()
        (directory / ".safe-2.new" / "keys").mkdir(parents=True)
        assert states(kura.json("cluster", "up", "--dir", directory, "--safes", "2")) == ["running"] * 2
    assert (directory / "safe-1" / "entry.json").read_bytes() == entry
    assert not (directory / ".safe-2.new").exists()


def test_commands_on_one_cluster_take_turns(directory: Path) -> None:
    """While another holds the cluster's lock, a change waits, then gives up with a reason."""
    directory.mkdir()
    (directory / "roster.json").write_bytes(b"")
    cluster = Cluster(directory)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tools.local_cluster.folder.LOCK_SECONDS", 0)
            with pytest.raises(ClusterBusy):
                cluster.down()
    (directory / "roster.json").unlink()


def test_a_wiped_safe_keeps_its_identity_and_forgets_its_pieces(kura: KuraInProcess, tmp_path: Path) -> None:
    """Its id, endpoint and certificate stay; a value that was there alone cannot come back."""
    cluster = LocalCluster.started(tmp_path / "one", 1, 1)
    try:
        wallet = new_wallet(tmp_path / "wallet", cluster.roster_file)
        wallet.ok("wallet", "add", "--class", "card", "--name", "only")
        wallet.ok("backup", "--all", "--delete")
        wiped = kura.json("cluster", "wipe", "safe-1", "--dir", cluster.directory)
        assert wiped["safes"][0] | {"state": "running"} == wiped["safes"][0]
        lost = wallet("recover", "--all")
        assert (lost.code, lost.output) == (1, "")
        assert "safe-1" in lost.messages
        wallet.ok("wallet", "add", "--class", "card", "--name", "another")
        wallet.ok("backup", "another")
    finally:
        cluster.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--safes", "3"], "not 3 safes", id="other number of safes"),
        pytest.param(["--threshold", "2"], "threshold of 2", id="other threshold"),
    ],
)
def test_a_cluster_of_another_shape_is_left_alone(
    kura: KuraInProcess, cluster_of_worker: LocalCluster, options: list[str], said: str
) -> None:
    """`up` with another shape ends with 1; what runs runs on."""
    done = kura("cluster", "up", "--dir", cluster_of_worker.directory, *options)
    assert (done.code, done.output) == (1, "")
    assert said in done.messages


def test_an_impossible_shape_makes_nothing(kura: KuraInProcess, directory: Path) -> None:
    """A threshold above the number of safes is refused before any key is made."""
    done = kura("cluster", "up", "--dir", directory, "--safes", "2", "--threshold", "3")
    assert (done.code, done.output) == (1, "")
    assert not directory.exists()


def test_a_safe_that_does_not_start_is_named_with_its_log_and_stops_the_others(
    kura: KuraInProcess, directory: Path
) -> None:
    """Exit code 1; nothing that this call started is left running."""
    with with_keys(directory, 2):
        (directory / "safe-2" / "keys" / "tls.key").unlink()

        done = kura("cluster", "up", "--dir", directory, "--safes", "2")

    assert (done.code, done.output) == (1, "")
    assert "safe-2 ended while it was starting" in done.messages
    assert "tls.key" in done.messages
    assert states(kura.json("cluster", "status", "--dir", directory)) == ["stopped"] * 2


def test_a_stranger_that_has_the_number_is_never_signalled(tmp_path: Path) -> None:
    """The pid of this very test stands in the file, with a safe's command line: it survives."""
    file = tmp_path / "process.json"
    file.write_text(json.dumps({"pid": os.getpid(), "command": ["python", "-m", "safe_node"]}))
    assert not processes.is_running(file)
    processes.send(file, signal.SIGKILL)
    assert processes.has_ended(file, 0)
    assert not file.exists()


def test_safes_do_not_get_the_wallets_secrets(directory: Path) -> None:
    """KURA_PASSPHRASE is not in a safe's environment."""
    kura = without_wallet(directory.parent / "none", KURA_PASSPHRASE="nobody's business")
    kura.ok("cluster", "up", "--dir", directory, "--safes", "1")
    pid = json.loads((directory / "safe-1" / "process.json").read_bytes())["pid"]
    assert b"KURA_" not in Path(f"/proc/{pid}/environ").read_bytes()
