"""What the documents point at is there: files that they link to, and tests that they name."""

import re
from pathlib import Path

import pytest

from support.kura import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "tests" / "vectors" / "README.md"]
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
NAMED = re.compile(r"`(tests/[\w./]+)`")


def missing(document: Path) -> list[str]:
    """What it points at in vain."""
    text = document.read_text()
    linked = {found: document.parent / found for found in LINK.findall(text)}
    named = {found: ROOT / found for found in NAMED.findall(text)}
    return [found for found, path in (linked | named).items() if not path.exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_points_at_what_is_there(document: Path) -> None:
    assert missing(document) == []


def test_what_is_not_there_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("[a](b.md), [c](page.md#top), `tests/unit/nothing.py`, [d](https://e)")
    assert missing(tmp_path / "page.md") == ["b.md", "tests/unit/nothing.py"]
