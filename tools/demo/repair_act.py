"""The second act: a safe loses its database, and rebuilds it from the others while no wallet is running.

Its database is compared row by row with what it was, which nobody but the demo can do: no safe ever sees
another's shares.
"""

import hashlib
import json
import sqlite3
import time
from pathlib import Path

from tools.demo.backup_act import exported
from tools.demo.kura import Kura, expect, figure, step

WIPED = "safe-3"
_GONE = ("safe-1", "safe-2")
_MOST_SECONDS = 30.0
_LOOK_SECONDS = 0.1
_ROWS = """SELECT leaf, x, content, share FROM pieces
    LEFT JOIN key_shares ON key_shares.id = pieces.batch * 256 + pieces.x ORDER BY leaf, x"""


def tell_repair(kura: Kura) -> None:
    """Go on where the first act ended: two safes are down, the wallet is whole.

    Raises:
        DemoFailed: A step did not go as it must.
    """
    whole = exported(kura, "before-repair.json")
    kura.quietly("cluster", "up", "--dir", "safes")
    database = kura.folder / "safes" / WIPED / "data" / "safe.db"
    before = _rows(database)

    step(9, "A safe loses its whole database. No wallet is running: the other safes give back what it lost")
    start = time.perf_counter()
    kura("cluster", "wipe", WIPED, "--dir", "safes", output=False)
    while (after := _rows(database)) != before and time.perf_counter() - start < _MOST_SECONDS:
        time.sleep(_LOOK_SECONDS)
    expect(after == before, "repairing", f"{WIPED} has {len(after)} of {len(before)} pieces again")
    seconds = time.perf_counter() - start
    figure(f"{len(after)} pieces, stop and start included in {seconds:.1f} s, byte for byte as before")

    step(10, "The wallet asks around: the rebuilt pieces have new certificates, and its receipts get them")
    kura("safes", "status")
    kura.quietly("receipts", "verify")

    step(11, "Two other safes die, the values are erased: the rebuilt safe is one of the three that are left")
    for name in _GONE:
        kura.quietly("cluster", "kill", name, "--dir", "safes")
    kura.quietly("wallet", "remove", *(row["id"] for row in _values(kura)))
    recovered = kura("recover", "--all", output=False)
    expect(exported(kura, "after-repair.json") == whole, "recovering", "a value differs from what it was")
    figure(f"{len(whole)} values back in {recovered.seconds:.1f} s: no difference")


def _values(kura: Kura) -> list[dict[str, str]]:
    values: list[dict[str, str]] = json.loads(kura.quietly("wallet", "list", "--json").output)["values"]
    return values


def _rows(database: Path) -> list[str]:
    """A hash of every piece with its share of the key, read beside the running safe."""
    try:
        connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error:
        return []
    try:
        return [hashlib.sha256(repr(row).encode()).hexdigest() for row in connection.execute(_ROWS)]
    except sqlite3.Error:  # the tables are being made
        return []
    finally:
        connection.close()
