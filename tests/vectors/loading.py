"""Reads the public vectors beside this file."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def load(name: str) -> Any:
    """The JSON document `name`."""
    return json.loads((HERE / name).read_text())


def load_words(name: str) -> list[str]:
    """The lines of the text file `name`."""
    return (HERE / name).read_text().split()
