"""Change the owner's PIN, or renew the record under the same one: the PIN of now opens it first."""

import asyncio
from collections.abc import Mapping

from trust.ids import OwnerId
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.owner_errors import names_of
from wallet_client.operations.owner_status import require_owner
from wallet_client.operations.replace_record import replace_record, require_roots_in_use
from wallet_client.operations.settle import changing
from wallet_client.operations.unlocking import unlock_owner
from wallet_client.owners.names import Pin
from wallet_client.owners.stretch import stretch_pin
from wallet_client.wallet import Wallet, pinned_versions


async def change_pin(
    wallet: Wallet, pin: Pin, new_pin: Pin, guesses: int | None = None
) -> Mapping[str, SafeFailure]:
    """Put a record under the new PIN in force everywhere.

    Args:
        pin: Secret: the one of now.
        new_pin: Secret: may be the same, to renew the record.
        guesses: Wrong guesses until a safe locks it; None: as now.

    Returns:
        Safes that still have the old record, or did not drop it, by name.

    Raises:
        WalletWithoutOwner: The wallet acts for none.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: The PIN of now does not open the record.
        RecordBehind: The record that opened lacks a root that is in use; nothing was changed.
        TooFewSafes: Too few safes took the new record; the old PIN holds. The command may be repeated.
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet):
        owner = OwnerId(require_owner(wallet).owner_id)
        versions = pinned_versions(wallet.store)
        old, new = await asyncio.to_thread(lambda: (stretch_pin(pin, owner), stretch_pin(new_pin, owner)))
        unlocked = await unlock_owner(wallet.links, versions, owner, old, wallet.rng)
        await asyncio.to_thread(require_roots_in_use, wallet, unlocked.secrets)
        failed = await replace_record(wallet, unlocked.secrets, owner, new, guesses)
    return names_of(wallet.roster, failed)
