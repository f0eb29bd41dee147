"""What somebody who has a wallet's folder and its passphrase can read: every row that still opens.

Sealed bytes alone would show nothing, whatever is in them; so a test that says that something is gone looks
here, and for the row secrets that were ever drawn.
"""

from pathlib import Path
from typing import Any

from support.wallet_samples import everything_in
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.records import Records, _place
from wallet_client.storage.store import WalletStore

_HEADS = "SELECT r.name, r.head_slot, s.secret, r.head FROM records r JOIN slots s ON s.id = r.head_slot"
_BODIES = "SELECT r.name, r.body_slot, s.secret FROM records r JOIN slots s ON s.id = r.body_slot"


def readable_in(home: Path) -> bytes:
    """All heads and bodies of a wallet without a passphrase, end to end."""
    with WalletStore.open(home, NoPassphrase()) as store:
        repositories = (
            store.values._records,
            store.receipts._records,
            store.journal._records,
            store.outbox._records,
            store.keys._records,
            store.keyring._records,
            store.keyring._algorithms,
        )
        return b"\0".join(content for records in repositories for content in _opened(records))


def _opened(records: Records[Any]) -> list[bytes]:
    found, kind = [], (records._kind,)
    for name, slot, secret, head in list(records.database.rows(f"{_HEADS} WHERE r.kind = ?", kind)):
        found.append(records._sealer.open_head(secret, _place(name, slot), head))
    for name, slot, secret in list(records.database.rows(f"{_BODIES} WHERE r.kind = ?", kind)):
        found.append(records._sealer.open_body(secret, _place(name, slot), records._chunks(slot)))
    return found


def erased_secrets_left(home: Path, drawn: list[bytes]) -> list[bytes]:
    """Row secrets that no row has any more and that are still in the wallet's files.

    Args:
        home: The wallet's folder.
        drawn: Every row secret that was ever drawn for it.
    """
    with WalletStore.open(home, NoPassphrase()) as store:
        rows = store.values._records.database.rows("SELECT secret FROM slots WHERE used = 1")
        used = {row[0] for row in rows}
    found = everything_in(home)
    return [secret for secret in drawn if secret not in used and secret in found]
