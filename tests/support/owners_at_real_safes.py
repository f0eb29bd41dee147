"""Wallets of owners at real safes in this process: real links, real messages, real databases, one clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from support.memory_safes import use
from support.owner_safes import LocalSafe, LocalSafes
from support.sample_documents import draw
from support.wallet_samples import small_value
from threshold.randomness import SeededRandomness
from trust.roster import Roster
from wallet_client.network.links import Links
from wallet_client.operations.backup import back_up
from wallet_client.operations.enrolling import enroll_owner
from wallet_client.owners.names import OwnerName, Pin
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet, create_wallet

ANNA = OwnerName("anna")
PIN, WRONG_PIN = Pin("forty-seven moles"), Pin("forty-eight moles")
PATIENCE_SECONDS = 20.0


@asynccontextmanager
async def wallet_at(home: Path, safes: LocalSafes, seed: str = "wallet") -> AsyncIterator[Wallet]:
    """The wallet in a folder, made where there is none, with its links to these safes."""
    if not (home / "wallet.db").exists():
        roster = (safes.safes[0].home.folder / "roster.json").read_bytes()
        rng = SeededRandomness(draw(f"seed of {seed}", 32), b"")
        await create_wallet(home, NoPassphrase(), roster, None, rng)
    async with await Wallet.open(home, NoPassphrase()) as wallet:
        wallet.rng = SeededRandomness(draw(seed, 32), b"wallet")
        wallet.clock = lambda: safes.clock.ms / 1000
        connect(wallet, safes)
        yield wallet


def connect(wallet: Wallet, safes: LocalSafes) -> None:
    """Links to where the safes listen now; one that was started again has another port."""
    use(wallet, Links(_as_they_listen(safes), wallet.keys.signing, PATIENCE_SECONDS))


def _as_they_listen(safes: LocalSafes) -> Roster:
    ports = {safe.safe_id: safe.port for safe in safes.safes}
    entries = tuple(
        msgspec.structs.replace(entry, endpoint=f"127.0.0.1:{ports[entry.safe_id]}")
        for entry in safes.roster.safes
    )
    return msgspec.structs.replace(safes.roster, safes=entries)


async def enrolled(wallet: Wallet, name: OwnerName = ANNA) -> None:
    """Make the wallet an owner's."""
    await enroll_owner(wallet, name, PIN, 10, {})


async def backed_up(wallet: Wallet, *names: str, policy: str = "threshold") -> list[ReceiptId]:
    """Values of these names, and what was given for them."""
    with wallet.store.transaction():
        ids = [wallet.store.values.add(small_value(name)) for name in names]
    return [entry.receipt_id for entry in (await back_up(wallet, ids, policy)).entries]


def value_of(wallet: Wallet, name: str) -> ValueId:
    """The value of that name."""
    return next(one.id for one in wallet.store.values.summaries() if one.name == name)


def pieces_at(safe: LocalSafe) -> int:
    """How many pieces a safe has, those that wait to be erased too."""
    return _count(safe, "pieces")


def waiting_at(safe: LocalSafe) -> int:
    """How many of them wait."""
    return _count(safe, "doomed")


def owners_at(safe: LocalSafe) -> int:
    """How many owners it has a record of."""
    return _count(safe, "owners")


def _count(safe: LocalSafe, table: str) -> int:
    import pysqlite3

    connection = pysqlite3.connect(str(safe.home.database))
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
    finally:
        connection.close()
