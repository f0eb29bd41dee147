"""Back up a key: an item of class `key`, sealed, divided and certified like a value [E2].

Any policy will do but one under which the key would in the end be sealed under itself. A root leaves the
wallet once every safe has its piece of it [E7].
"""

import asyncio

from trust.key_algorithm import BUILT_IN
from wallet_client.operations.backup import (
    BackedUp,
    BackupReport,
    find_root,
    plan_key,
    register_items,
    registered_report,
    send_root_away,
)
from wallet_client.operations.errors import KeyUnderItself
from wallet_client.operations.keys import receipt_of
from wallet_client.operations.progress import Progress, silent
from wallet_client.operations.settle import changing
from wallet_client.operations.wallet_keys import DEFAULT_NAMES
from wallet_client.pipeline.wrapping import KeyKind
from wallet_client.policies.policy import Policy
from wallet_client.receipts.receipt import state_of
from wallet_client.storage.keyring import KeyEntry
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet


async def back_up_key(
    wallet: Wallet, key_id: ValueId, policy_name: str, progress: Progress = silent
) -> BackupReport:
    """Register a key at the safes, with certificates of class `key`; a root leaves once it is safe [E7].

    Raises:
        UnknownPolicy, PolicyUnfit: The policy cannot be used.
        KeyUnderItself: The policy seals under this key, or under one that comes back only with it.
        UnknownKey, KeyAway: The key is not in the wallet, and not registered under this policy.
        TooFewSafes: Below the quorum; it was withdrawn.
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet), wallet.claim((key_id,)):
        policy = wallet.policy(policy_name)
        already = await asyncio.to_thread(_registered_already, wallet, key_id, policy)
        if already is not None:
            return BackupReport((already,), {})
        await asyncio.to_thread(_check_not_under_itself, wallet, key_id, policy)
        item = await asyncio.to_thread(plan_key, wallet, key_id)
        report = registered_report(wallet, await register_items(wallet, [item], policy, progress))
        await send_root_away(wallet)
    return report


def _registered_already(wallet: Wallet, key_id: ValueId, policy: Policy) -> BackedUp | None:
    receipt = receipt_of(wallet, wallet.store.keyring.entry(key_id))
    if receipt is None or receipt.policy_name != policy.name or receipt.has_lost_pieces:
        return None
    return BackedUp(key_id, receipt.receipt_id, state_of(receipt), already=True)


def _check_not_under_itself(wallet: Wallet, key_id: ValueId, policy: Policy) -> None:
    """Follow the keys that must be there before this one comes back."""
    entry = wallet.store.keyring.entry(key_id)
    kind: KeyKind = "pair" if policy.sealing == "key-pair" else "shared"
    derived = policy.key.mode == "root" and entry.algorithm == (policy.algorithm or BUILT_IN.label)
    if derived and entry.kind == kind:
        raise KeyUnderItself(entry.name, policy.name)
    needed = _sealing_key(wallet, policy, kind)
    seen: set[ValueId] = set()
    while needed is not None and needed.id not in seen:
        if needed.id == key_id:
            raise KeyUnderItself(entry.name, policy.name)
        seen.add(needed.id)
        needed = _needed_first(wallet, needed)


def _sealing_key(wallet: Wallet, policy: Policy, kind: KeyKind) -> KeyEntry | None:
    """The wallet's key that a policy seals with; None where it has none, or makes one."""
    if policy.key.mode == "root":
        return find_root(wallet)
    if not policy.key.is_wallets:
        return None
    return wallet.store.keyring.named(policy.key_name or DEFAULT_NAMES[kind])


def _needed_first(wallet: Wallet, entry: KeyEntry) -> KeyEntry | None:
    """The key without which this one's receipt brings nothing back."""
    receipt = receipt_of(wallet, entry)
    if receipt is None:
        return None
    manifest = receipt.read_manifest()
    if manifest.terms.key.mode == "root":
        return find_root(wallet)
    if manifest.terms.key.mode != "kept" or manifest.wrap is None:
        return None
    key_id = manifest.wrap.key_id
    return next((one for one in wallet.store.keyring.entries() if one.key_id == key_id), None)
