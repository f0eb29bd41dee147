"""The session in the README works, as it is printed there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from support.cluster import LocalCluster
from support.kura import EXAMPLES, ROOT, environment

README = (ROOT / "README.md").read_text("utf-8")


def session() -> list[list[str]]:
    """The words of every command line of the console block."""
    (block,) = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    return [shlex.split(line.removeprefix("$ ")) for line in block.splitlines()]


def test_the_session_of_the_readme_works(tmp_path: Path) -> None:
    """Every command ends with 0, and the last values shown are those that went in."""
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    outputs = {}
    try:
        for program, *arguments in session():
            assert program == "kura"
            done = subprocess.run(
                [sys.executable, "-m", "wallet_client.cli", *arguments],
                cwd=tmp_path,
                env=environment(KURA_HOME=str(tmp_path / "wallet")),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"kura {arguments}: {done.stderr}"
            outputs[" ".join(arguments[:2])] = done.stdout
    finally:
        LocalCluster(tmp_path / "safes").close()
    assert "2 values recovered" in outputs["recover --all"]
    assert "City Bus" in outputs["wallet show"]


def test_the_readme_begins_with_the_demo_and_names_real_files() -> None:
    """`make demo` stands before anything else to type; no link is dead."""
    assert README.index("make demo") < README.index("$ kura")
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert [link for link in links if not os.path.exists(ROOT / link)] == []
