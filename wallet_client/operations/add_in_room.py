"""Add values to a wallet that may be too small: all of them after room was made, or none."""

import asyncio
from collections.abc import Sequence
from datetime import tzinfo

from wallet_client.operations.put_away import PutAway
from wallet_client.operations.room import MakeRoom, local_time, require_room, room_short
from wallet_client.operations.settle import changing
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.storage.errors import WalletFull
from wallet_client.values.value import Value, ValueId, stored_size
from wallet_client.wallet import Wallet


async def add_in_room(
    wallet: Wallet, values: Sequence[Value], *, ways: Sequence[MakeRoom] = (), zone: tzinfo | None = None
) -> tuple[list[ValueId], tuple[PutAway, ...]]:
    """Keep values, after making room if there are ways to.

    Args:
        values: Secret: the values.
        ways: How to make room, in order.
        zone: Whose days the conditions count; None for this machine's.

    Returns:
        Their ids, and what left to make room.

    Raises:
        RoomShort: They do not fit; none was added, and the error says what would help.
        TooFewSafes: What was to leave could not be backed up; it stays, and none was added.
        WalletBusy: Another process is changing the wallet.
    """
    needed = sum(stored_size(value) for value in values)
    moved = await require_room(wallet, needed, ways, zone)

    def add() -> list[ValueId]:
        with wallet.store.transaction():
            return [wallet.store.values.add(value) for value in values]

    try:
        async with changing(wallet):
            return await to_the_end(add), moved
    except WalletFull:
        # Somebody else took the room meanwhile.
        when = local_time(wallet.now(), zone)
        raise await asyncio.to_thread(room_short, wallet.store, needed, when, moved) from None
