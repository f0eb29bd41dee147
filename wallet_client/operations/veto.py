"""End a recovery that waits for the owner's waiting period: the owner's word, at every safe."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from trust.access_refusals import NothingWaits, VetoedLately
from wallet_client.errors import WalletError
from wallet_client.network.failures import SafeFailure
from wallet_client.network.fan_out import fan_out
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.owner_errors import names_of
from wallet_client.operations.owner_status import owner_status
from wallet_client.operations.settle import changing
from wallet_client.operations.unlock_claim import whole_second
from wallet_client.operations.unlocking import open_with
from wallet_client.operations.waiting_errors import VetoSpent
from wallet_client.owners.factors import Proofs
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class Vetoed:
    """What came of it.

    Args:
        failed: What went wrong, by the safe's name, although enough safes ended it.
        others: How many other recoveries wait, and may not go on yet.
    """

    failed: Mapping[str, SafeFailure]
    others: int


@dataclass(eq=False)
class NoSuchRecovery(WalletError):
    """No recovery that waits, or more than one, begins so.

    Args:
        prefix: What was said; empty for none.
    """

    prefix: str

    def __str__(self) -> str:
        """Name what was said."""
        if self.prefix:
            return WalletError.__str__(self)
        return "No single recovery waits."

    sentence = "No single recovery that waits begins with {prefix}."
    hint = "`kura owner status` shows those that wait; name one by the beginning of its key."


async def veto(wallet: Wallet, prefix: str, proofs: Proofs) -> Vetoed:
    """End it for good.

    Args:
        wallet: Acts for the owner.
        prefix: The beginning of its recipient key, hexadecimal; empty where only one waits.
        proofs: Secret.

    Raises:
        WalletWithoutOwner: The wallet acts for none.
        NoSuchRecovery: None, or more than one, begins so.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: The record does not open.
        VetoSpent: k safes or more took another less than 30 days ago.
        TooFewSafes: So many safes did not end it that it could still be collected.
        WalletBusy: Another process is changing the wallet.
    """
    view = await owner_status(wallet)
    matching = [key for key in view.waiting if key.hex().startswith(prefix.lower())]
    if len(matching) != 1:
        raise NoSuchRecovery(prefix)
    async with changing(wallet):
        owner = (await open_with(wallet, proofs))[0].secrets.signing_key
        calls = {
            safe.safe_id: partial(wallet.links.to_owners(safe.safe_id, owner).veto, matching[0])
            for safe in wallet.roster.safes
        }
        answers = await fan_out(calls)
    gone = {one: error for one, error in answers.failed.items() if not isinstance(error, NothingWaits)}
    failed = names_of(wallet.roster, gone)
    lately = sorted(one.next_at_ms for one in gone.values() if isinstance(one, VetoedLately))
    n, k = len(wallet.roster.safes), wallet.roster.threshold
    if len(lately) >= k:
        raise VetoSpent(whole_second(lately[k - 1]))
    if len(gone) >= k:
        raise TooFewSafes("vetoed", n - len(gone), n - k + 1, failed)
    others = [key for key, one in view.waiting.items() if key != matching[0] and not view.may_go_on(one)]
    return Vetoed(failed, len(others))
