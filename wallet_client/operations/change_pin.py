"""Change the owner's PIN, or renew the record under the same one: what opens it now opens it first."""

from collections.abc import Mapping
from dataclasses import replace

from wallet_client.network.failures import SafeFailure
from wallet_client.operations.change_access import changed_record
from wallet_client.owners.factors import Proofs
from wallet_client.owners.names import Pin
from wallet_client.wallet import Wallet


async def change_pin(
    wallet: Wallet, proofs: Proofs, new_pin: Pin, guesses: int | None = None
) -> Mapping[str, SafeFailure]:
    """Put a record under the new PIN in force everywhere, in every way that has one.

    Args:
        wallet: Acts for the owner.
        proofs: Secret: what opens it now.
        new_pin: Secret: may be the same, to renew the record.
        guesses: Wrong guesses until a safe locks it; None: as now.

    Returns:
        Safes that still have the old record, or did not drop it, by name.

    Raises:
        As `changed_record`.
    """
    return await changed_record(wallet, replace(proofs, new_pin=new_pin), guesses=guesses)
