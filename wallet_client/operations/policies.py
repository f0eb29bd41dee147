"""Add and remove policies that come from files.

A name means one policy for good: a file may not take the name of another policy, and a policy leaves the
wallet only while nothing is backed up under it. So whatever a receipt calls its policy is what it was made
by, and "backed up already" is true.
"""

import asyncio
from collections.abc import Iterator

from trust.roster import Roster
from wallet_client.errors import AlreadyKept
from wallet_client.operations.journal import BackupBegun
from wallet_client.operations.register import BACKUP
from wallet_client.operations.settle import changing
from wallet_client.policies.errors import PolicyBuiltIn, PolicyFileInvalid, PolicyInUse
from wallet_client.policies.policy import Policy
from wallet_client.policies.policy_file import read_policy
from wallet_client.policies.presets import policy_names
from wallet_client.policies.toml_lines import line_of
from wallet_client.receipts.shelf import read_summary
from wallet_client.storage.errors import PolicyNotKept, WalletBusy
from wallet_client.storage.policies import StoredPolicy
from wallet_client.storage.store import WalletStore
from wallet_client.wallet import Wallet


def add_policy(store: WalletStore, text: str, path: str, roster: Roster) -> Policy:
    """Take a policy in.

    Args:
        store: The wallet's.
        text: The file's content.
        path: What errors call the file.
        roster: The wallet's.

    Raises:
        PolicyFileInvalid: It cannot be used, or has the name of a policy that is built in.
        AlreadyKept: Another policy has its name.
    """
    keys = {entry.name: entry.kind for entry in store.keyring.entries()}
    policy = read_policy(text, path, roster, keys)
    if policy.name in policy_names():
        problem = f"the policy {policy.name!r} is built in"
        raise PolicyFileInvalid(path, line_of(text, ["name"]), problem, "another name")
    if store.policies.has(policy.name):
        raise AlreadyKept("policy", policy.name)
    store.policies.add(StoredPolicy(name=policy.name, summary=policy.summary), text)
    return policy


def remove_policy(store: WalletStore, name: str) -> None:
    """Forget a policy that nothing is backed up under.

    Raises:
        PolicyBuiltIn: Every wallet has it.
        PolicyInUse: Receipts, or backups that were begun, name it.
        PolicyNotKept: There is none of that name.
    """
    if name in policy_names():
        raise PolicyBuiltIn(name)
    users = sum(read_summary(entry).policy_name == name for entry in store.receipts.entries())
    users += sum(begun.plan.policy_name == name for begun in _begun(store))
    if users:
        raise PolicyInUse(name, users)
    if not store.policies.has(name):
        raise PolicyNotKept(name)
    store.policies.remove(name)


async def forget_policy(wallet: Wallet, name: str) -> None:
    """As `remove_policy`, for an open wallet whose other tasks may be backing up.

    One that has looked up the policy and has not begun yet is seen nowhere in the store, so no task may be
    changing the wallet, and none begins meanwhile.

    Raises:
        PolicyBuiltIn, PolicyInUse, PolicyNotKept: As `remove_policy`.
        WalletBusy: Another task, or another process, is changing the wallet.
    """

    def remove() -> None:
        with wallet.store.transaction():
            remove_policy(wallet.store, name)

    async with changing(wallet), wallet.settling:
        if wallet.changers > 1:
            raise WalletBusy(0)
        await asyncio.to_thread(remove)


def _begun(store: WalletStore) -> Iterator[BackupBegun]:
    """Backups under way: each becomes receipts, or is withdrawn."""
    for entry in store.journal.entries():
        if entry.kind == BACKUP:
            yield BackupBegun.from_bytes(store.journal.body(entry.id))
