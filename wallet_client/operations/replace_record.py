"""Put another record of an owner in the place of the one in force: another PIN, or other secrets.

    stage at every safe -> open the staged one with its PIN -> put in force -> drop the old

Until a safe has put the new record in force the old PIN opens its part. Once fewer than k safes have the old
one, the old PIN opens nothing. The guesses are given back first: the new record is tried under them too.
"""

import asyncio

from trust.ids import OwnerId, SafeId
from trust.owner_record import OwnerSecrets
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.owner_errors import RecordBehind, names_of
from wallet_client.operations.owner_status import give_guesses_back, owner_status, require_owner
from wallet_client.operations.put_record import commit_record, drop_old_records, offer_record
from wallet_client.operations.unlocking import unlock_owner
from wallet_client.owners.dealing import DEFAULT_GUESSES, deal_record
from wallet_client.owners.stretch import StretchedPin
from wallet_client.pipeline.binding import Binding
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt, read_summary
from wallet_client.wallet import Wallet, pinned_versions


async def replace_record(
    wallet: Wallet, secrets: OwnerSecrets, owner: OwnerId, pin: StretchedPin, guesses: int | None = None
) -> dict[SafeId, SafeFailure]:
    """Deal a fresh record and bring it into force; what went wrong, by safe, although enough have it.

    Args:
        wallet: Acts for the owner.
        secrets: Secret: what it protects from now on; the owner's seed is as before.
        owner: Whose.
        pin: Secret: what opens it.
        guesses: Wrong guesses until a safe locks it; None: as now.

    Raises:
        TooFewSafes: Too few safes took it; the record before is in force.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: It does not open; the record before is in force.
    """
    key = secrets.signing_key
    await give_guesses_back(wallet, key)
    allowed = guesses if guesses is not None else await _guesses_now(wallet)
    dealt = await asyncio.to_thread(deal_record, owner, secrets, pin, wallet.roster, wallet.rng)
    put = await offer_record(wallet, dealt, key, allowed, {})
    failed: dict[SafeId, SafeFailure] = dict(put.failed)
    n, k = len(dealt.parts), dealt.record.k
    good, needed = n - len(failed) - len(put.taken), max(k, n - k + 1)
    if good < needed:
        raise TooFewSafes("changed", good, needed, names_of(wallet.roster, failed))
    versions = pinned_versions(wallet.store)
    await unlock_owner(wallet.links, versions, owner, pin, wallet.rng, dealt.record.record_id)
    failed |= await commit_record(wallet, dealt.record, key, put.staged)
    if not failed:
        failed |= await drop_old_records(wallet, owner, key, put.staged)
    return failed


def require_roots_in_use(wallet: Wallet, secrets: OwnerSecrets) -> None:
    """Refuse secrets that lack a root to which items are bound: the record in their place would lose it.

    Items count that more safes keep than can be liars: one safe could make some up with a stolen key.

    Raises:
        RecordBehind: They do.
    """
    known = {Binding.of_root(root).id for root in secrets.roots}
    most_liars = len(wallet.roster.safes) - wallet.roster.threshold
    bound = {require_owner(wallet).binding_id}
    for entry in wallet.store.receipts.entries():
        if len(read_summary(entry).state.holding) > most_liars:
            ownership = get_receipt(wallet.store, ReceiptId(entry.id)).read_manifest().ownership
            bound |= {ownership.binding_id} if ownership else set()
    if not bound <= known:
        raise RecordBehind


async def _guesses_now(wallet: Wallet) -> int:
    """What most safes allow."""
    view = await owner_status(wallet)
    allowed = [one.guesses_allowed for one in view.answered if one.guesses_allowed]
    return max(set(allowed), key=allowed.count) if allowed else DEFAULT_GUESSES
