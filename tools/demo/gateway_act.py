"""The fourth act: one safe is all that a new device can reach, and two of the others are dead.

That safe is replaced by one that writes down what passes through it. It is then searched, and so is its
database, for everything that nobody on the way may read; the same search finds each of it where it was put.
"""

import base64
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.demo.backup_act import KILLED, exported
from tools.demo.kura import Kura, expect, figure, step
from tools.demo.owner_act import OWNER
from tools.local_cluster.cluster import Cluster

GATEWAY = "safe-1"
_SHARES = {
    "shares of values": "SELECT content FROM pieces WHERE content IS NOT NULL",
    "shares of keys": "SELECT share FROM key_shares",
    "shares of the owner's secrets": """SELECT unlock_share FROM owner_records
        UNION SELECT oprf_share FROM owner_records""",
}
_SHARE_BYTES = 32
"""Of a share so much, its end: what stands before it may be long."""

_LEAST_BYTES = 12
"""Shorter contents, and names, may stand somewhere by chance."""


def tell_gateway(kura: Kura, phone: Kura, pin: str) -> None:
    """Go on where the third act ended: five safes are up, the owner's new device has everything.

    Args:
        kura: Where the demo lives.
        phone: The owner's device.
        pin: Secret: the owner's.

    Raises:
        DemoFailed: A step did not go as it must.
    """
    before = exported(phone, "before-gateway.json")
    cluster, record = Cluster(kura.folder / "safes"), kura.folder / "passed"
    others = [safe.name for safe in cluster.roster.safes if safe.name != GATEWAY]

    step(18, f"The phone is lost, two safes are killed, and the next device reaches {GATEWAY} alone")
    shutil.rmtree(phone.home)
    for name in KILLED:
        cluster.kill(name)
    cluster.stop(GATEWAY)
    cluster.start(GATEWAY, ("-m", "tools.demo.recording_safe", "--record", str(record)))
    figure(f"{GATEWAY} writes down what passes through it from now on")
    tablet = Kura(kura.folder, "tablet")
    recovered = tablet(
        "owner", "recover", OWNER, "--roster", "safes/roster.json", "--via", GATEWAY, typed=f"{pin}\n"
    )
    expect(exported(tablet, "tablet.json") == before, "recovering", "a value differs from what was backed up")
    figure(f"{len(before)} values through one safe, with a PIN, in {recovered.seconds:.1f} s: no difference")

    step(19, f"What {GATEWAY} wrote down is searched, and its database: for values, the PIN, others' shares")
    shares = {name: _shares(kura.folder / "safes" / name) for name in (GATEWAY, *others)}
    terms = {"values": list(_of_values(before)), "the PIN": [pin.encode()]}
    terms |= {kind: [one for name in others for one in shares[name][kind]] for kind in _SHARES}
    expect(all(terms.values()), "searching", "there is nothing to search for")
    passed, database = record.read_bytes(), b"".join(_files(kura.folder / "safes" / GATEWAY / "data"))
    found = _found([passed, database], terms)
    expect(not found, "searching what the gateway saw", f"there is something to read: {', '.join(found)}")
    own = _found([database], shares[GATEWAY])
    expect(own == list(_SHARES), "searching its database", "the safe's own shares should be in it")
    for kind, ones in terms.items():
        planted = passed[:1000] + ones[-1] + passed[1000:]
        expect(kind in _found([planted], terms), "planting", f"what was put there is not found: {kind}")
    count = sum(map(len, terms.values()))
    figure(f"{len(passed)} bytes passed through {GATEWAY}: none of {count} things to look for is in them,")
    print("      nor in its database; each kind is found where the demo puts one")


def _shares(folder: Path) -> dict[str, list[bytes]]:
    """What one safe keeps, by kind, read beside the running safe."""
    database = sqlite3.connect(f"{(folder / 'data' / 'safe.db').absolute().as_uri()}?mode=ro", uri=True)
    try:
        return {
            kind: [content[-_SHARE_BYTES:] for (content,) in database.execute(query)]
            for kind, query in _SHARES.items()
        }
    finally:
        database.close()


def _of_values(values: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
    """Names, and the beginnings of what is in the values."""
    for value in values:
        content = base64.b64decode(value["payload"])[: 2 * _SHARE_BYTES]
        yield from (one for one in (value["name"].encode(), content) if len(one) >= _LEAST_BYTES)


def _files(folder: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in sorted(folder.iterdir()))


def _found(content: Sequence[bytes], terms: Mapping[str, Sequence[bytes]]) -> list[str]:
    """The kinds of which one is somewhere in it."""
    return [kind for kind, ones in terms.items() if any(one in some for one in ones for some in content)]
