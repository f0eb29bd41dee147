"""Put values away: back them up, and erase from the wallet those that are `safe`.

What has a receipt keeps its policy; what a safe still owes a certificate for is delivered first. Nothing
is erased before its receipt is verified and says that every safe of its policy has its pieces.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wallet_client.network.failures import SafeFailure
from wallet_client.operations.backup import BackedUp, back_up, drop_backed_up
from wallet_client.operations.outbox import deliver
from wallet_client.operations.progress import Progress, silent
from wallet_client.operations.settle import changing
from wallet_client.operations.still_kept import not_kept_any_more
from wallet_client.policies.presets import DEFAULT_POLICY
from wallet_client.receipts.shelf import read_summary
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class PutAway:
    """What putting values away came to.

    Args:
        backed_up: One for each value.
        left: The values that were erased from the wallet.
        staying: Values that were to leave and that not all safes have yet, or say that they have still.
        failed: What went wrong, by the safe's name, although the values are registered.
    """

    backed_up: tuple[BackedUp, ...] = ()
    left: tuple[ValueId, ...] = ()
    staying: tuple[ValueId, ...] = ()
    failed: Mapping[str, SafeFailure] = field(default_factory=dict)


async def put_away(
    wallet: Wallet,
    value_ids: Sequence[ValueId],
    *,
    delete: bool,
    policy_name: str = "",
    progress: Progress = silent,
) -> PutAway:
    """Back values up, and erase those that are `safe`.

    Args:
        delete: Whether they leave the wallet.
        policy_name: For values without a receipt; "" for the default.

    Raises:
        As `operations.backup.back_up`; what was backed up before stands.
    """
    wanted = tuple(dict.fromkeys(value_ids))
    backed_up: list[BackedUp] = []
    failed: dict[str, SafeFailure] = {}
    groups = await asyncio.to_thread(_by_policy, wallet, wanted, policy_name or DEFAULT_POLICY)
    for name, ids in groups.items():
        report = await back_up(wallet, ids, name, progress)
        backed_up += report.entries
        failed |= report.failed
    if any(entry.already and entry.state.word != "safe" for entry in backed_up):
        failed |= await _deliver(wallet)
    if not delete:
        return PutAway(tuple(backed_up), failed=failed)
    leaving = await asyncio.to_thread(_those_safe, wallet, backed_up)
    before = [entry.value_id for entry in backed_up if entry.already and entry.value_id in leaving]
    lost = await not_kept_any_more(wallet, before)
    leaving = tuple(value_id for value_id in leaving if value_id not in lost)
    if leaving:
        await drop_backed_up(wallet, leaving, accept_fewer=False, fresh=leaving)
    staying = tuple(value_id for value_id in wanted if value_id not in set(leaving))
    return PutAway(tuple(backed_up), leaving, staying, failed)


def _by_policy(wallet: Wallet, value_ids: Sequence[ValueId], otherwise: str) -> dict[str, list[ValueId]]:
    """Values by the policy under which they are, or are to be, registered."""
    groups: defaultdict[str, list[ValueId]] = defaultdict(list)
    for value_id in value_ids:
        receipt_id = wallet.store.values.summary(value_id).receipt_id
        kept = None if receipt_id is None else read_summary(wallet.store.receipts.entry(receipt_id))
        groups[otherwise if kept is None else kept.policy_name].append(value_id)
    return groups


async def _deliver(wallet: Wallet) -> dict[str, SafeFailure]:
    async with changing(wallet):
        delivered = await deliver(wallet)
    return {wallet.safe_name(safe_id): failure for safe_id, failure in delivered.failed.items()}


def _those_safe(wallet: Wallet, backed_up: Sequence[BackedUp]) -> tuple[ValueId, ...]:
    return tuple(
        entry.value_id for entry in backed_up if wallet.store.receipts.entry(entry.receipt_id).state == "safe"
    )
