"""The first act: a wallet backs up to five safes, two die, its values are erased, and all come back."""

import base64
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

from tools.demo.kura import Kura, expect, figure, step

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LIST_FILE = EXAMPLES / "figure-19.json"
SAFES = 5
KILLED = ("safe-2", "safe-5")


def tell_backup(kura: Kura) -> int:
    """The story, step by step; gives the number of values it was told with.

    Raises:
        DemoFailed: A step did not go as it must.
    """
    step(1, "Five safes start: five processes, each with its own keys, certificate, database and port")
    up = kura("cluster", "up", "--dir", "safes", "--safes", str(SAFES))
    figure(f"keys made, roster signed, all healthy after {up.seconds:.1f} s")

    step(2, "A wallet is made; it pins the fingerprint of the signed list of safes")
    kura("wallet", "init", "--roster", "safes/roster.json")

    step(3, "It takes in three Apple Wallet passes and the four values of figure 19")
    _take_in(kura)
    before = exported(kura, "before.json")

    step(4, "Everything is sealed, divided so that any 3 of 5 pieces suffice, and registered")
    backed_up = kura("backup", "--all")
    figure(f"{len(before)} values sealed, divided, and durable at all five after {backed_up.seconds:.1f} s")

    step(5, "Each safe has signed a certificate for its piece; all of them are checked offline")
    receipts = json.loads(kura.quietly("receipts", "--json").output)["receipts"]
    kura("receipts", "show", receipts[0]["id"])
    kura("receipts", "verify")

    step(6, "Disaster: two safes are killed, and the wallet's values are erased")
    for name in KILLED:
        kura("cluster", "kill", name, "--dir", "safes", output=name == KILLED[-1])
    kura("wallet", "remove", *(value["id"] for one in receipts for value in one["values"]))
    expect(not exported(kura, "erased.json"), "erasing", "values are left in the wallet")

    step(7, "The three safes that are left bring everything back")
    recovered = kura("recover", "--all")
    figure(f"{len(before)} values fetched, checked, combined and opened in {recovered.seconds:.1f} s")

    step(8, "Every byte and every field is compared with the originals")
    expect(exported(kura, "after.json") == before, "comparing", "a value differs from what was backed up")
    size = _compare_with_files(before)
    figure(f"{len(before)} values with all their fields and {size} bytes of content: no difference")
    return len(before)


def _take_in(kura: Kura) -> None:
    shutil.copytree(EXAMPLES, kura.folder / "examples")
    kura("wallet", "add", *(f"examples/{path.name}" for path in _passes()))
    kura("wallet", "import", f"examples/{LIST_FILE.name}")


def _passes() -> list[Path]:
    return sorted(EXAMPLES.glob("*.pkpass"))


def exported(kura: Kura, name: str) -> list[dict[str, Any]]:
    """What a wallet holds: all fields and bytes of every value; numbers exact, bytes as base64."""
    kura.quietly("wallet", "export", "--all", "--fields", "--out", name)
    values: list[dict[str, Any]] = json.loads((kura.folder / name).read_bytes(), parse_float=Decimal)[
        "values"
    ]
    return sorted(values, key=repr)


def _compare_with_files(values: list[dict[str, Any]]) -> int:
    """What the wallet held, and so what came back, is what the files hold; gives the bytes compared."""
    payloads = [base64.b64decode(value["payload"]) for value in values]
    for path in _passes():
        expect(path.read_bytes() in payloads, "comparing", f"no value has the bytes of {path.name}")
    listed = json.loads(LIST_FILE.read_text("utf-8"), parse_float=Decimal)
    for original in listed["values"]:
        expected = original | {"currency": listed["currency"]}
        expect(
            any(expected.items() <= value.items() for value in values),
            "comparing",
            f"{expected} is not there",
        )
    return sum(map(len, payloads))
