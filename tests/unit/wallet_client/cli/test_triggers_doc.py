"""docs/TRIGGERS.md does what it says: its commands run, its phrases are read, its units start a command."""

import asyncio
import re
import shlex
from configparser import ConfigParser
from pathlib import Path

from support.kura import ROOT, KuraInProcess
from support.memory_safes import roster_file_of, roster_of
from wallet_client.cli.root import root
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.triggers.parse import read_start, read_when
from wallet_client.wallet import create_wallet

PAGE = (ROOT / "docs" / "TRIGGERS.md").read_text("utf-8")
UNITS = ROOT / "examples" / "systemd"


def rows_below(heading: str) -> list[str]:
    """The phrases in the first column of the table in a section."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def unit(name: str) -> ConfigParser:
    """One of systemd's files."""
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / name)
    return parser


def test_every_phrase_of_the_tables_is_read() -> None:
    """All kinds of them are there, and those inside the explanations are phrases too."""
    conditions, starts = rows_below("What must hold"), rows_below("What it starts")
    assert len({type(read_when(text)) for text in conditions}) == 10
    assert len({str(read_start(text)) for text in starts}) == 4
    for text in re.findall(r"`(every [^`]+|at [0-9:]+)`", PAGE):
        read_when(text)


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    """In order, each ending with 0."""
    home = tmp_path / "wallet"
    asyncio.run(create_wallet(home, NoPassphrase(), roster_file_of(roster_of(5, 3)), None))
    kura = KuraInProcess(home)
    lines = [
        line.removeprefix("$ ")
        for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(lines) == 10
    for line in lines:
        program, *words = shlex.split(line)
        said = kura("--no-passphrase", *words)
        assert (program, said.code) == ("kura", 0), f"{line}: {said.messages}"


def test_cron_and_systemd_start_a_command_there_is() -> None:
    """With the passphrase from a file, before the command, where the root takes it."""
    (cron,) = re.findall(r"```cron\n(.*?)```", PAGE, re.DOTALL)
    service, timer = unit("kura-triggers.service"), unit("kura-triggers.timer")
    for line in (cron, service["Service"]["ExecStart"]):
        words = re.split(r"\s+", line.partition("/.local/bin/kura ")[2].removesuffix(">/dev/null\n").strip())
        context = root.make_context("kura", list(words), resilient_parsing=True)
        assert words[-1] == "run-triggers"
        assert words[-1] in root.list_commands(context)
    assert service["Service"]["Type"] == "oneshot"
    assert (timer["Timer"]["Persistent"], timer["Install"]["WantedBy"]) == ("true", "timers.target")
    assert all((ROOT / "docs" / link).exists() for link in re.findall(r"\]\(([^)#]+)\)", PAGE))
