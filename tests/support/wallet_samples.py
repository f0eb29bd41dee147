"""Values, passes and wallets for tests of the wallet's local half."""

import io
import json
import warnings
import zipfile
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from wallet_client.storage.keyfile import NoPassphrase, Unlock
from wallet_client.storage.secret import Secret
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import Value

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = 1_700_000_000
SEED = Secret(bytes(range(32)))
FINGERPRINT = bytes(range(32, 64))
ROSTER = b"a roster, as signed"

FULL_VALUE = Value(
    item_class="movie-ticket",
    name="Chūshingura 忠臣蔵",
    unit_price=Decimal("1600.50"),
    quantity=Decimal(2),
    total_amount=Decimal("3201.00"),
    place="Kabuki-za",
    valid_from=date(2000, 4, 1),
    valid_until=date(2000, 5, 31),
    remaining_amount=Decimal(0),
    remarks="row 3\nseats 4 and 5",
    held_since=NOW,
    media_type="text/plain",
    currency="JPY",
    file_name="ticket.txt",
    payload=b"the ticket itself",
)
"""Every field set, none to its default."""


def small_value(name: str = "A", **fields: Any) -> Value:
    """A movie ticket with whatever fields a test needs."""
    return Value(item_class=fields.pop("item_class", "movie-ticket"), name=name, **fields)


def new_wallet(home: Path, *, unlock: Unlock | None = None, capacity_bytes: int | None = None) -> WalletStore:
    """A wallet in the folder, without passphrase unless one is given: Argon2id takes 0.2 s."""
    return WalletStore.create(
        home,
        unlock or NoPassphrase(),
        capacity_bytes=capacity_bytes,
        roster=ROSTER,
        roster_fingerprint=FINGERPRINT,
        signing_seed=SEED,
    )


def files_of(home: Path) -> dict[str, bytes]:
    """Every file that holds something of the wallet: not SQLite's shared index, nor empty files."""
    found = {path.name: path.read_bytes() for path in home.iterdir() if not path.name.endswith("-shm")}
    return {name: content for name, content in found.items() if content or name == "wallet.db"}


def everything_in(home: Path) -> bytes:
    """All bytes of the folder, to search in."""
    return b"\0".join(path.read_bytes() for path in sorted(home.iterdir()))


PASS: dict[str, Any] = {
    "formatVersion": 1,
    "description": "One evening",
    "organizationName": "Theatre",
    "eventTicket": {"primaryFields": [{"key": "event", "value": "Hamlet"}]},
}
"""The smallest pass worth having; tests change a key or two."""


def pass_text(**changes: Any) -> str:
    """A pass.json with some keys changed; None takes a key away."""
    return json.dumps({key: value for key, value in {**PASS, **changes}.items() if value is not None})


def zip_bytes(entries: Iterable[tuple[str, bytes | str]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these entries in this order, duplicates included."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore", UserWarning)  # a duplicate name is what some tests want
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def pass_bytes(text: str | bytes | None = None) -> bytes:
    """A .pkpass with this pass.json and nothing else."""
    return zip_bytes([("pass.json", pass_text() if text is None else text)])
