"""The session in the README works, as it is printed there."""

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.kura import EXAMPLES, ROOT, without_wallet

README = (ROOT / "README.md").read_text("utf-8")


def session() -> list[list[str]]:
    """The words of every command line of the console block."""
    (block,) = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    return [shlex.split(line.removeprefix("$ ")) for line in block.splitlines()]


def test_the_session_of_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command ends with 0, and the last values shown are those that went in."""
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    kura, outputs = without_wallet(tmp_path / "wallet"), {}
    try:
        for program, *arguments in session():
            assert program == "kura"
            outputs[" ".join(arguments[:2])] = kura.ok(*arguments).output
    finally:
        LocalCluster(tmp_path / "safes").close()
    assert "2 values recovered" in outputs["recover --all"]
    assert "City Bus" in outputs["wallet show"]


def test_the_readme_begins_with_the_demo_and_names_real_files() -> None:
    """`make demo` stands before anything else to type; no link is dead."""
    assert README.index("make demo") < README.index("$ kura")
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert [link for link in links if not os.path.exists(ROOT / link)] == []
