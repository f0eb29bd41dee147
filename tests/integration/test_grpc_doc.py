"""docs/GRPC.md and docs/KEYS.md do what they say: every command runs, in order, and prints what is shown.

Each page is one shell. Only two things differ from it: the folder /tmp/kura-try and the port 7400, which may
be taken.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support import fork_client, forked
from support.calls import every_method
from support.kura import ROOT, environment

PAGE = ROOT / "docs" / "GRPC.md"
PAGES = [PAGE, ROOT / "docs" / "KEYS.md", ROOT / "docs" / "OWNERS.md"]
SERVICES = [
    "kura.safe.v1.SafeService",
    "kura.safe.v1.OwnerService",
    "kura.safe.v1.PeerService",
    "kura.auth.v1.AuthService",
    "kura.wallet.v1.WalletService",
]
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDER, PORT = "/tmp/kura-try", "7400"
SECONDS = 240
"""Of a page; a quiet machine takes a tenth. Many short processes: a busy one takes far longer."""

pytestmark = [pytest.mark.timeout(300), pytest.mark.no_cover]


@dataclass
class Block:
    """Commands, and the lines that must appear in what they print; `…` stands for anything."""

    commands: str
    shown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """The fenced blocks of a page."""

    blocks: list[Block]
    files: dict[str, str]


def read_page(text: str) -> Page:
    """Commands with their output, and files by name; any other block is a mistake in the page."""
    page = Page([], {})
    for kind, name, content in FENCE.findall(text):
        if kind == "sh":
            page.blocks.append(Block(content))
        elif kind == "text":
            page.blocks[-1].shown += content.splitlines()
        elif kind == "python" and name:
            page.files[name] = content
        else:
            raise AssertionError(f"nobody would run this block: {kind} {name}")
    return page


def script_of(page: Page) -> str:
    """One shell for all blocks; what each prints goes into a file of its own."""
    lines = ["set -Eeuo pipefail", "trap 'echo block $BLOCK failed >&2' ERR"]
    for number, block in enumerate(page.blocks):
        lines.append(f'BLOCK={number}\n{{\n{block.commands}}} > "$OUTPUT/{number}" 2>&1')
    return "\n".join(lines)


def programs(folder: Path) -> Path:
    """A folder with `kura` (forked) and `python3` as in the environment of the tests, and grpcurl."""
    folder.mkdir()
    kura = f"-I -S {fork_client.__file__} {forked.address()} wallet_client.cli"
    for name, command in {"kura": kura, "python3": ""}.items():
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n')
        (folder / name).chmod(0o755)
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    grpcurl = shutil.which("grpcurl", path=beside)
    assert grpcurl, "grpcurl is missing: it comes with the development dependencies"
    (folder / "grpcurl").symlink_to(grpcurl)
    return folder


def appears(line: str, output: str) -> bool:
    """Whether one line of the output is as shown, however far it is indented."""
    pattern = ".*".join(re.escape(part) for part in line.strip().split("…"))
    return re.search(rf"^\s*{pattern}$", output, re.MULTILINE) is not None


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Path]:
    """Stands for /tmp/kura-try; short, because a socket's path is; its safes are stopped at the end."""
    yield tmp_path
    if (tmp_path / "safes").exists():
        command = [
            sys.executable,
            "-m",
            "wallet_client.cli",
            "cluster",
            "down",
            "--dir",
            str(tmp_path / "safes"),
        ]
        subprocess.run(command, env=environment(), check=True, capture_output=True, timeout=SECONDS)


@pytest.fixture
def free_port() -> str:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def run(script: str, environ: dict[str, str]) -> tuple[int, str]:
    """Exit code and messages; whatever the script leaves running is stopped."""
    with subprocess.Popen(
        ["bash", "-c", script], env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as shell:
        try:
            _, messages = shell.communicate(timeout=SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    return shell.returncode, messages


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_every_command_of_the_page_runs_and_prints_what_is_shown(
    here: Path, free_port: str, tmp_path_factory: pytest.TempPathFactory, file: Path
) -> None:
    """From an empty folder to what is recovered, with every program and file that the page has."""
    page = read_page(file.read_text().replace(FOLDER, str(here)).replace(PORT, free_port))
    for name, content in page.files.items():
        (here / name).write_text(content)
    aside = tmp_path_factory.mktemp("doc")
    path = os.pathsep.join([str(programs(aside / "bin")), os.environ["PATH"]])
    code, messages = run(script_of(page), environment(PATH=path, OUTPUT=str(aside)))
    outputs = [
        (aside / str(n)).read_text() if (aside / str(n)).exists() else "" for n in range(len(page.blocks))
    ]
    assert code == 0, f"{messages}\n" + "\n".join(outputs)[-3000:]
    for block, output in zip(page.blocks, outputs, strict=True):
        missing = [line for line in block.shown if not appears(line, output)]
        assert not missing, f"not printed by\n{block.commands}\nbut\n{output}"


def test_the_page_names_every_call_of_every_service() -> None:
    """A call that is added is shown, or at least named, on the page."""
    page = PAGE.read_text()
    calls = {path.rpartition("/")[2] for path in every_method()}
    assert len(calls) > 70
    assert [call for call in sorted(calls) if not re.search(rf"\b{call}\b", page)] == []
    assert [one for one in SERVICES if f"describe {one}" not in page.replace("$WALLET", SERVICES[-1])] == []


def test_a_page_with_a_block_that_nobody_runs_is_noticed() -> None:
    """A command in a block of another kind would rot unseen."""
    with pytest.raises(AssertionError, match="nobody would run"):
        read_page("```bash\nkura --help\n```\n")
