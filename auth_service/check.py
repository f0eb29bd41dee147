"""`check`: do keys, description and database of an authority belong together, and is the file sound?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from auth_service.config import Settings
from auth_service.identity import read_identity
from auth_service.store.sqlite_store import DATABASE_NAME
from durable import sqlite
from durable.keys import IdentityError


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found.

    Args:
        version: Of the description.
        signing_days: Whole days until the newest signing key ends; negative when it has.
        database: What SQLite says of the file; "ok" when it is sound, "none yet" before the first start.
        accounts: How many there are.
    """

    version: int
    signing_days: int
    database: str
    accounts: int

    @property
    def sound(self) -> bool:
        """Nothing is wrong."""
        return self.database in ("ok", "none yet") and self.signing_days >= 0


def check_authority(settings: Settings, now: int) -> CheckReport:
    """Check everything, reading only; the authority may be running.

    Raises:
        IdentityError: Keys and description cannot be used.
        durable.sqlite.Error: The database cannot be read.
    """
    description = read_identity(Path(settings.keys_dir), Path(settings.description)).description
    if description.name != settings.name:
        raise IdentityError("the name is not the one that is described")
    days = (max(period.ends_at for period in description.signing_keys) - now) // 86_400
    path = Path(settings.data_dir) / DATABASE_NAME
    if not path.exists():
        return CheckReport(description.version, days, "none yet", 0)
    connection = sqlite.open_reader(path)
    try:
        found = "; ".join(str(row[0]) for row in connection.execute("PRAGMA quick_check(10)"))
        accounts = int(connection.execute("SELECT count(*) FROM accounts").fetchone()[0])
        return CheckReport(description.version, days, found, accounts)
    finally:
        connection.close()
