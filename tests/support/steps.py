"""Steps that several acceptance tests take on the command line."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pysqlite3 as sqlite3

from support.attacker import attack
from support.cluster import LocalCluster
from support.faults import database_of, key_of, reopened
from support.kura import KuraInProcess
from trust.ids import WalletKey

TODAY = datetime.now(UTC).astimezone().date()
TICKET = {
    "--class": "movie-ticket",
    "--name": "Rashomon",
    "--unit-price": "1800",
    "--quantity": "2",
    "--total": "3600",
    "--place": "Cinema East",
    "--valid-from": str(TODAY),
    "--valid-until": str(TODAY + timedelta(days=5)),
    "--remarks": "row 3, seats 4 and 5",
}
"""A value with the fields of figure 2(a)."""


def add_ticket(here: KuraInProcess, **changed: str) -> str:
    """Add the ticket, with other fields where said; its id."""
    options = TICKET | {f"--{name.replace('_', '-')}": text for name, text in changed.items()}
    added = here.json("wallet", "add", *(word for pair in options.items() for word in pair))
    return str(added["values"][0]["id"])


def add_policy(here: KuraInProcess, folder: Path, text: str) -> str:
    """Take in a policy; its name."""
    file = folder / "policy.toml"
    file.write_text(dedent(text))
    return str(here.json("policy", "add", file)["name"])


def exported(here: KuraInProcess, path: Path) -> list[dict[str, Any]]:
    """Every value in the wallet with all its fields and bytes, by name; PATH must be new."""
    here.ok("wallet", "export", "--all", "--fields", "--out", path)
    values: list[dict[str, Any]] = json.loads(path.read_bytes(), parse_float=Decimal)["values"]
    return sorted(values, key=lambda value: str(value["name"]))


def certificates_of(here: KuraInProcess, receipt: str) -> list[dict[str, Any]]:
    """What the wallet has of one receipt, in the roster's order of safes."""
    rows: list[dict[str, Any]] = here.json("receipts", "show", receipt)["certificates"]
    return rows


@dataclass(frozen=True)
class Readers:
    """Operators of safes, each with everything that its safe stores; make it with `of`."""

    cluster: LocalCluster
    wallet: WalletKey

    @classmethod
    def of(cls, cluster: LocalCluster, here: KuraInProcess) -> "Readers":
        """Those who are after one wallet."""

        async def key() -> WalletKey:
            async with reopened(here.home) as wallet:
                return key_of(wallet)

        return cls(cluster, asyncio.run(key()))

    def read(self, *names: str) -> list[str]:
        """Names of the values that the operators of these safes read together."""
        databases = [database_of(self.cluster, name) for name in names]
        return sorted(value.name for value in attack(databases, self.wallet))


def kept_at(cluster: LocalCluster, name: str, item_id: str) -> list[tuple[int, bool, bool]]:
    """What a safe's database has of an item: share index, and whether there is a value share, a key share."""
    connection = sqlite3.connect(database_of(cluster, name))
    try:
        query = "SELECT x, blob_length NOTNULL, has_key_share FROM pieces WHERE item_id = ? ORDER BY x"
        rows = connection.execute(query, (bytes.fromhex(item_id),)).fetchall()
    finally:
        connection.close()
    return [(x, bool(value), bool(key)) for x, value, key in rows]
