"""Wallets with a limit, conditions and triggers, before safes in memory."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from support.wallet_samples import small_value
from wallet_client.conditions.condition import condition_name, parse_condition
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.triggers.reading import Reading
from wallet_client.triggers.trigger import new_trigger
from wallet_client.values.value import ValueId, stored_size
from wallet_client.wallet import Wallet

ZONE = UTC
PAYLOAD_BYTES = 2_000
SIZE = stored_size(small_value("one", payload=bytes(PAYLOAD_BYTES)))
"""What each of the values below takes; every name has three letters."""


def keep(wallet: Wallet, *names: str, **fields: Any) -> list[ValueId]:
    """Values of SIZE bytes, more with more fields."""
    values = [small_value(name, payload=bytes(PAYLOAD_BYTES), **fields) for name in names]
    with wallet.store.transaction():
        return [wallet.store.values.add(value) for value in values]


def limit(wallet: Wallet, values: float, *, more: int = 0) -> None:
    """Let the wallet hold so many of them."""
    wallet.store.settings.set_capacity(int(values * SIZE) + more)


def names(wallet: Wallet) -> list[str]:
    """What is in the wallet, by name."""
    return sorted(one.name for one in wallet.store.values.summaries())


async def away(wallet: Wallet, *titles: str, **fields: Any) -> list[ValueId]:
    """Values that are no longer in the wallet, and have receipts."""
    ids = keep(wallet, *titles, **fields)
    await back_up(wallet, ids, "threshold")
    await drop_backed_up(wallet, ids, accept_fewer=False)
    return ids


def condition(wallet: Wallet, text: str) -> None:
    """The only condition."""
    for entry in wallet.store.conditions.entries():
        wallet.store.conditions.remove(entry.name)
    wallet.store.conditions.add(condition_name("only"), parse_condition(text).text)


def trigger(wallet: Wallet, name: str, *when: str, start: str, policy: str = "") -> None:
    """One more trigger, made now."""
    wallet.store.triggers.add(new_trigger(name, when, start, policy=policy, now=wallet.now()))


def set_clock(wallet: Wallet, text: str) -> None:
    """Such as `2026-03-01 10:00`, UTC."""
    seconds = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    wallet.clock = lambda: seconds


def day(text: str) -> date:
    """Such as `2026-03-01`."""
    return date.fromisoformat(text)


class Sensors:
    """Sensors as a test has them, and how often each was asked."""

    def __init__(self, **said: Reading) -> None:
        self.said = dict(said)
        self.asked: list[str] = []

    async def __call__(
        self, names: Iterable[str], commands: Mapping[str, Sequence[str]]
    ) -> dict[str, Reading]:
        """As `ask_sensors`."""
        self.asked += names
        return {name: self.said.get(name, Reading(absent="not there")) for name in names}
