"""The examples in the help work as they are printed, when they are pasted into a shell.

A line that a shell would hand on as it stands is called in this process; bash runs the rest.
"""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.kura import EXAMPLES, PASSPHRASE, Finished, KuraInProcess, new_wallet
from support.printed_examples import printed_examples
from trust.algorithm_file import IssuedAlgorithm, write_algorithm
from trust.documents import SigningKey
from trust.key_algorithm import KeyAlgorithm

pytestmark = pytest.mark.no_cover

ELSEWHERE = (
    "kura cluster",
    "kura completion",
    "kura terminal",
    "kura wallet serve",
    "kura owner",
    "kura authority",
    "kura reseed",
    "kura undelete",
)
"""They start, stop or stay, or ask for a PIN (test_cli_owner_examples.py): tests of their own run them."""
AT_SAFES = ("kura backup", "kura recover", "kura run-triggers", "kura wallet edit")
"""They change what the safes keep, which two copies of one wallet must not do."""
FOR_A_SHELL = re.compile(r"[~*$<>|;&`]")


def examples() -> list[str]:
    return [line for line in printed_examples() if not line.startswith(ELSEWHERE) and " ... " not in line]


@pytest.fixture(scope="module")
def desk(cluster_of_worker: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files and the wallet that the examples speak of."""
    cluster_of_worker.heal()
    desk = tmp_path_factory.mktemp("desk")
    shutil.copytree(EXAMPLES, desk / "examples")
    for name in ("boardingpass.pkpass", "ticket.pkpass"):
        shutil.copy(EXAMPLES / "boardingpass-v1.pkpass", desk / name)
    for name in ("notes.txt", "scan.pdf", "newer-scan.pdf", "Passport, page 2"):
        (desk / name).write_text(name)
    (desk / "secret.txt").write_text(PASSPHRASE)
    _write_keys(desk)
    for name in ("roster.json", "newer-roster.json"):
        shutil.copy(cluster_of_worker.roster_file, desk / name)
    for name in cluster_of_worker.names:
        (desk / name).mkdir()
        shutil.copy(cluster_of_worker.folder(name) / "entry.json", desk / name)
    shutil.copy(cluster_of_worker.folder("safe-1") / "operator.key", desk)
    program = desk / "bin" / "kura"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m wallet_client.cli "$@"\n')
    program.chmod(0o700)
    kura = new_wallet(desk / "wallet", cluster_of_worker.roster_file)
    _fill(kura, desk)
    kura.ok("key", "new", "main", "--shared")
    kura.ok("key", "new", "root", "--root")
    kura.ok("key", "backup", "main")
    return desk


def _write_keys(desk: Path) -> None:
    issuer = SigningKey(bytes(range(32)))
    office = IssuedAlgorithm(KeyAlgorithm("office", 1, "sha256", b"", b"the office"), b"")
    (desk / "key.bin").write_bytes(bytes(range(40)))
    (desk / "issuer.key").write_text(issuer.seed.hex())
    (desk / "issuer.pub").write_text(issuer.public.hex())
    (desk / "office.json").write_bytes(write_algorithm(office, issuer))
    (desk / "office.toml").write_text('name = "office"\n')


def _fill(kura: KuraInProcess, desk: Path) -> None:
    for name in ("City Bus", "Old ticket"):
        kura.ok("wallet", "add", "--class", "prepaid-card", "--name", name)
    kura.ok("wallet", "add", desk / "Passport, page 2")
    kura.ok("backup", "City Bus")
    kura.ok("sensor", "add", "wifi", "--", "true")


@pytest.mark.parametrize("line", examples())
def test_an_example_works(
    line: str, desk: Path, cluster: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a copy of the folder, with a copy of the wallet, unless it makes one or needs one of its own."""
    folder = shutil.copytree(desk, tmp_path / "desk")
    if line == "kura policy remove office":
        KuraInProcess(folder / "wallet").ok("policy", "add", desk / "office.toml")
    if line.startswith(AT_SAFES):
        shutil.rmtree(folder / "wallet")
        _fill(new_wallet(folder / "wallet", cluster.roster_file), desk)
    if " --out " in line:
        (folder / "roster.json").rename(folder / "another.json")
    home, more = folder / "wallet", {"HOME": str(folder)}
    if " init " in line:
        home, more = folder / "new", more | {"KURA_PASSPHRASE": PASSPHRASE}
    monkeypatch.chdir(folder)
    done = run(line.replace("/tmp/safes", str(cluster.directory)), KuraInProcess(home, more))
    assert done.code == 0, f"{line}: {done.messages}"


def run(line: str, kura: KuraInProcess) -> Finished:
    """Run a line in the current folder."""
    if not FOR_A_SHELL.search(line):
        program, *words = shlex.split(line)
        assert program == "kura"
        return kura(*words)
    done = subprocess.run(
        ["bash", "-c", line],
        env=kura.process.environment | {"PATH": f"{Path.cwd() / 'bin'}:/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)
