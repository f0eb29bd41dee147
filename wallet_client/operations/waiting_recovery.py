"""A recovery that waits: kept, sealed, until the owner's waiting period is over; then collected.

    recover, first time     the guess is made, k safes begin to wait      `keep_waiting`
    recover, again          the same proof to the same safes              `collect`

What is kept opens the record once k safes have given their parts, and nothing before: it goes as soon as it
was used, or is known to be of no use any more.
"""

import asyncio
from functools import partial
from typing import Final

import msgspec

from trust.ids import OwnerId, SafeId
from trust.owner_record import ReleasedPart
from trust.owner_refusals import UnlockRefused
from wallet_client.network.fan_out import fan_out
from wallet_client.operations.owner_errors import OwnerOutOfReach
from wallet_client.operations.unlock_attempt import Unlocked
from wallet_client.operations.unlock_claim import Claim, open_claim, release_at, whole_second
from wallet_client.operations.waiting_errors import RecoveryEnded, RecoveryWaits
from wallet_client.storage.errors import WalletDamaged
from wallet_client.storage.secret import Secret
from wallet_client.storage.store import WalletStore
from wallet_client.wallet import Wallet

_NAME: Final = "waiting-recovery"


class WaitingRecovery(msgspec.Struct, frozen=True, array_like=True):
    """What is kept.

    Args:
        claim: Secret.
        safes: At which it waits.
        until: When it is worth asking again, whole seconds since 1970.
    """

    claim: Claim
    safes: tuple[bytes, ...]
    until: int


def keep_waiting(store: WalletStore, waits: RecoveryWaits) -> None:
    """Write down what the same command needs later."""
    if waits.claim is not None:
        kept = WaitingRecovery(waits.claim, waits.safes, waits.until)
        store.keys.put(_NAME, Secret(msgspec.msgpack.encode(kept)))


def waiting_in(store: WalletStore) -> WaitingRecovery | None:
    """The recovery that waits in a wallet; Secret.

    Raises:
        WalletDamaged: It is not as it was written.
    """
    if _NAME not in store.keys.names():
        return None
    try:
        return msgspec.msgpack.decode(store.keys.get(_NAME).reveal(), type=WaitingRecovery)
    except msgspec.DecodeError as error:
        raise WalletDamaged("its waiting recovery is not readable") from error


def forget_waiting(store: WalletStore) -> None:
    """Erase it."""
    if _NAME in store.keys.names():
        store.keys.delete(_NAME)


async def collect(wallet: Wallet, owner_id: OwnerId) -> Unlocked | None:
    """Open the record that waits for this owner; None where none does.

    Raises:
        RecoveryWaits: It is too early.
        RecoveryEnded: k safes give nothing for it any more; it is kept no longer.
        OwnerOutOfReach: Too few safes answer well; it is kept.
        OwnerRecordBroken: What came out is not the owner's.
    """
    kept = await asyncio.to_thread(waiting_in, wallet.store)
    if kept is None or kept.claim.read_record().owner_id != owner_id:
        return None
    record, claim = kept.claim.read_record(), kept.claim
    ids = [SafeId(one) for one in kept.safes]
    calls = {one: partial(release_at, wallet.links, claim, one, as_wallet=False) for one in ids}
    answers = await fan_out(calls)
    parts = {one: given for one, given in answers.good.items() if isinstance(given, ReleasedPart)}
    times = [given for given in answers.good.values() if isinstance(given, int)]
    if len(parts) >= record.k:
        return Unlocked(record, open_claim(claim, parts), answers.failed)
    if len(answers.good) >= record.k:
        raise RecoveryWaits(whole_second(sorted([0] * len(parts) + times)[record.k - 1]))
    if sum(isinstance(failure, UnlockRefused) for failure in answers.failed.values()) >= record.k:
        await asyncio.to_thread(forget_waiting, wallet.store)
        raise RecoveryEnded
    raise OwnerOutOfReach.of(
        wallet.roster, answers.failed, good=len(answers.good), needed=record.k, spent=False
    )
