"""Put another record of an owner in the place of the one in force: another PIN, other ways in, other secrets.

    stage at every safe -> open the staged one by a way of its own -> put in force -> drop the old

All ways are dealt anew. No device need be touched for that, since their wrapping keys stand in the policy;
but where no way is left that goes without one, the record is tried with a device before it counts.

Until a safe has put the new record in force the old PIN opens its part. Once fewer than k safes have the old
one, the old PIN opens nothing. The guesses are given back first: the new record is tried under them too.
"""

import asyncio
from collections.abc import Callable

from trust.ids import OwnerId, SafeId
from trust.owner_record import OwnerSecrets
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.owner_errors import NothingToTryWith, RecordBehind, names_of
from wallet_client.operations.owner_status import (
    OwnerView,
    SafesView,
    give_guesses_back,
    owner_status,
    require_owner,
)
from wallet_client.operations.put_record import commit_record, drop_old_records, offer_record
from wallet_client.operations.unlocking import unlock_owner
from wallet_client.owners.access import Access, expression_of
from wallet_client.owners.dealing import DEFAULT_GUESSES, deal_record
from wallet_client.owners.errors import PinNeeded
from wallet_client.owners.factors import Factors
from wallet_client.pipeline.binding import Binding
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt, read_summary
from wallet_client.wallet import Wallet, pinned_versions


def as_now(access: Access) -> Access:
    """Who opens the record stays as it is."""
    return access


async def replace_record(
    wallet: Wallet,
    secrets: OwnerSecrets,
    owner: OwnerId,
    factors: Factors,
    guesses: int | None = None,
    change: Callable[[Access], Access] = as_now,
) -> dict[SafeId, SafeFailure]:
    """Deal a fresh record and bring it into force; what went wrong, by safe, although enough have it.

    Args:
        wallet: Acts for the owner.
        secrets: Secret: what it protects from now on; the owner's seed is as before.
        owner: Whose.
        factors: Secret: the PIN from now on, and what else is at hand to try the new record with.
        guesses: Wrong guesses until a safe locks it; None: as now.
        change: Who opens it from now on; may raise what the wallet refuses.

    Raises:
        PinNeeded, NothingToTryWith: Nothing was changed.
        TooFewSafes: Too few safes took it; the record before is in force.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: It does not open; the record before is in force.
    """
    key = secrets.signing_key
    view = await owner_status(wallet)
    _require_truth(wallet, view)
    access = change(view.access)
    tried = _tried_with(factors, access)
    await give_guesses_back(wallet, key)
    allowed = guesses if guesses is not None else _guesses_now(view)
    # Of two policies the later one stands, whatever the clock of this wallet says.
    made_at = max(wallet.now(), view.policy.made_at + 1 if view.policy else 0)
    dealt = await asyncio.to_thread(
        deal_record, owner, secrets, factors.pin, wallet.roster, wallet.rng, access, made_at
    )
    put = await offer_record(wallet, dealt, key, allowed, {})
    failed: dict[SafeId, SafeFailure] = dict(put.failed)
    n, k = len(dealt.safes), dealt.record.k
    good, needed = n - len(failed) - len(put.taken), max(k, n - k + 1)
    if good < needed:
        raise TooFewSafes("changed", good, needed, names_of(wallet.roster, failed))
    versions = pinned_versions(wallet.store)
    await unlock_owner(wallet.links, versions, owner, tried, wallet.rng, dealt.record.record_id)
    failed |= await commit_record(wallet, dealt.record, key, put.staged)
    if not failed:
        failed |= await drop_old_records(wallet, owner, key, put.staged)
    return failed


def _require_truth(wallet: Wallet, view: OwnerView) -> None:
    """K safes that have a record: one of them at least does not hide the policy.

    Raises:
        TooFewSafes: Fewer told; nothing was changed.
    """
    good, needed = sum(bool(one.record_id) for one in view.answered), wallet.roster.threshold
    if good < needed:
        failed = {name: one for name, one in view.safes.items() if not isinstance(one, SafesView)}
        raise TooFewSafes("changed", good, needed, failed)


def _tried_with(factors: Factors, access: Access) -> Factors:
    """By which way the new record is opened before it counts."""
    if "pin" in access.factors and factors.pin is None:
        raise PinNeeded
    tried = factors.for_one_of(access.ways)
    if tried is None:
        raise NothingToTryWith(expression_of(access.ways))
    return tried


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


def _guesses_now(view: OwnerView) -> int:
    """What most safes allow."""
    allowed = [one.guesses_allowed for one in view.answered if one.guesses_allowed]
    return max(set(allowed), key=allowed.count) if allowed else DEFAULT_GUESSES
