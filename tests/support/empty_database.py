"""A safe's database as its first start makes it, made once and copied.

The tables are made in a process of its own, which takes most of a second: more than most tests of a store or
a safe. Tests of that first start, and of migrations, do without the copy.
"""

import tempfile
from functools import cache
from pathlib import Path

from safe_node.store import schema
from safe_node.store.sqlite_store import DATABASE_NAME


def put_empty_database(data_dir: Path) -> None:
    """Put a database without records where a safe will look for its own; one that is there stays."""
    path = data_dir / DATABASE_NAME
    if not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(_made())


@cache
def _made() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / DATABASE_NAME
        schema.migrate(path)
        return path.read_bytes()
