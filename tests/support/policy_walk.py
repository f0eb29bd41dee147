"""Everything backed up once at real safes under many policies, recovered while safes are up, lying and down.

What the safes stored is kept for attackers, and of each recovery which values came back, byte for byte.
"""

import asyncio
import random
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from support.attacker import Loot, Loots, loot_of, plunder, read_leaf_of, read_manifest_of
from support.cluster import LocalCluster
from support.faults import database_of, fresh_wallet, key_of
from support.lying_safe import AS_TOLD, HONEST
from support.policy_matrix import DIVIDED_KEYS
from support.safe_databases import used_bytes
from trust.ids import ItemId
from trust.roster import Roster
from wallet_client.operations.backup import back_up
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.policies import add_policy
from wallet_client.operations.recover import recover
from wallet_client.operations.wallet_keys import new_key
from wallet_client.policies.policy import Policy
from wallet_client.policies.policy_print import policy_toml
from wallet_client.policies.presets import policy_names
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.values.value import Value, ValueId
from wallet_client.wallet import Wallet

LIARS, DEAD = ("safe-3", "safe-5"), ("safe-2", "safe-4")
"""n - k of five: those that lie, and those that are killed after them."""

SMALL_BYTES = 20_000
"""Items up to this size are shown to attackers of every kind."""

_BULK = {"empty": 0, "dispersed": 70_000, "streamed": 1_200_000}
_ALONE = {"alone": 1_000}


@dataclass
class Walked:
    """One policy's values.

    Args:
        policy: The policy.
        values: What was backed up, by id.
        receipts: Of them, by id of the value.
        alone: The value that has a batch of its own.
        came_back: By state of the safes, the values that came back whole.
    """

    policy: Policy
    values: dict[ValueId, Value]
    receipts: dict[ValueId, Receipt]
    alone: ValueId
    came_back: dict[str, set[ValueId]] = field(default_factory=dict)

    def item_of(self, value_id: ValueId) -> ItemId:
        """Its item."""
        return self.receipts[value_id].read_leaf().item_id

    def names(self, *, small_only: bool = False) -> list[str]:
        """Names of the values, or of those in small items, as an attacker would find them."""
        return sorted(
            self.values[value_id].name
            for value_id, receipt in self.receipts.items()
            if not small_only or receipt.read_leaf().sealed_length < SMALL_BYTES
        )


@dataclass(repr=False)
class Walk:
    """All policies on one cluster.

    Args:
        roster: The cluster's.
        walked: By policy.
        loots: What each safe stored, by its name.
        kept: What the wallet kept of shares.
        secrets: Secret: the wallet's keys by their id, 32 bytes each.
        growth_bytes: How much the safes' databases grew.
        databases: The safes' files.
    """

    roster: Roster
    walked: dict[str, Walked]
    loots: dict[str, Loots]
    kept: Loots
    secrets: dict[bytes, bytes]
    growth_bytes: int
    databases: tuple[Path, ...]

    def read(
        self, policy: str, safes: tuple[str, ...], *, small_only: bool = False, has_wallet: bool = False
    ) -> list[str]:
        """Names of the values of a policy that these safes' stores give away; with what the wallet keeps."""
        walked = self.walked[policy]
        loots = [self._under(walked.policy, self.loots[name]) for name in safes]
        secrets = []
        if has_wallet:
            loots.append(self._under(walked.policy, self.kept))
            wraps = (receipt.read_manifest().wrap for receipt in walked.receipts.values())
            secrets = [self.secrets[wrap.key_id] for wrap in wraps if wrap and wrap.key_id in self.secrets]
        found = plunder(loots, set(secrets), SMALL_BYTES if small_only else None)
        originals = {value.name: value for value in walked.values.values()}
        assert all(value == originals[value.name] for value in found)
        return sorted(value.name for value in found)

    def _under(self, policy: Policy, loots: Loots) -> Loots:
        """What is of use against one policy: its batches, and whatever holds keys."""
        return {
            manifest: loot
            for manifest, loot in loots.items()
            if read_manifest_of(manifest).terms.name == policy.name or _has_keys(loot)
        }


def _has_keys(loot: Loot) -> bool:
    return any(read_leaf_of(leaf).kind == "key" for leaf in loot.value_shares)


async def walk(cluster: LocalCluster, folder: Path, policies: list[Policy]) -> Walk:
    """Back up, be attacked, recover three times. Leaves DEAD killed and LIARS lying as told."""
    for name in LIARS:
        _tell(folder, name, HONEST)
        cluster.replace_with_liar(name, AS_TOLD, file=folder / name)
    async with fresh_wallet(cluster, folder / "wallet") as wallet:
        wallet.store._database.execute("PRAGMA synchronous=OFF")  # the wallet's disk is not what is tested
        await _learn(wallet, policies)
        before = sum(used_bytes(database_of(cluster, name)) for name in cluster.names)
        walked = await _back_up_all(wallet, policies)
        growth = sum(used_bytes(database_of(cluster, name)) for name in cluster.names) - before
        entries = [one for one in wallet.store.keyring.entries() if one.is_here]
        done = Walk(
            roster=wallet.roster,
            walked=walked,
            loots={name: _of(wallet, loot_of(database_of(cluster, name))) for name in cluster.names},
            kept=_kept(walked),
            secrets={one.key_id: wallet.store.keyring.secret(one.id).reveal() for one in entries},
            growth_bytes=growth,
            databases=tuple(database_of(cluster, name) for name in cluster.names),
        )
        await _recover_all(wallet, walked, "all up")
        for name in LIARS:
            _tell(folder, name, "garbage")
        await _recover_all(wallet, walked, "n-k lying")
        for name in LIARS:
            _tell(folder, name, HONEST)
        cluster.kill(*DEAD)
        await _recover_all(wallet, walked, "n-k down")
    return done


def _tell(folder: Path, name: str, lie: str) -> None:
    """In one step: a safe may be reading."""
    beside = folder / f"{name}.new"
    beside.write_text(lie)
    beside.replace(folder / name)


async def _learn(wallet: Wallet, policies: list[Policy]) -> None:
    """Keys that are divided, and every policy by its file."""
    new_key(wallet, "shared", DIVIDED_KEYS["shared-key"])
    new_key(wallet, "pair", DIVIDED_KEYS["key-pair"])
    for policy in policies:
        if policy.name not in policy_names():
            add_policy(wallet.store, policy_toml(policy), f"{policy.name}.toml", wallet.roster)
            assert wallet.policy(policy.name) == policy


async def _back_up_all(wallet: Wallet, policies: list[Policy]) -> dict[str, Walked]:
    """A few at once; but there is one root, which the first that needs it makes."""
    several = asyncio.Semaphore(4)
    one_root = asyncio.Lock()

    async def one(policy: Policy) -> Walked:
        async with several, one_root if policy.key.mode == "root" else nullcontext():
            return await _back_up(wallet, policy)

    done = await asyncio.gather(*(one(policy) for policy in policies))
    return {each.policy.name: each for each in done}


async def _back_up(wallet: Wallet, policy: Policy) -> Walked:
    values: dict[ValueId, Value] = {}
    for sizes in (_BULK, _ALONE):
        with wallet.store.transaction():
            made = {wallet.store.values.add(value): value for value in _values(policy, sizes)}
        report = await back_up(wallet, list(made), policy.name)
        assert {entry.state.word for entry in report.entries} == {"safe"}, policy.name
        values |= made
    return Walked(policy, values, {one: _receipt(wallet, one) for one in values}, list(values)[-1])


def _values(policy: Policy, sizes: Mapping[str, int]) -> list[Value]:
    return [
        Value(
            item_class="file",
            name=f"{kind} under {policy.name}",
            payload=random.Random(f"{kind} under {policy.name}").randbytes(size),
        )
        for kind, size in sizes.items()
    ]


def _receipt(wallet: Wallet, value_id: ValueId) -> Receipt:
    return get_receipt(wallet.store, ReceiptId(wallet.store.values.summary(value_id).receipt_id or ""))


def _of(wallet: Wallet, loots: Loots) -> Loots:
    return {key: loot for key, loot in loots.items() if read_manifest_of(key).wallet_key == key_of(wallet)}


def _kept(walked: Mapping[str, Walked]) -> Loots:
    """Shares in the wallet, as if they had been found in a safe."""
    kept: Loots = {}
    for one in walked.values():
        for receipt in one.receipts.values():
            loot = kept.setdefault(receipt.manifest, Loot())
            loot.key_shares.update(receipt.kept_key_shares)
            loot.value_shares[receipt.leaf].update(receipt.kept_shares)
    return kept


async def _recover_all(wallet: Wallet, walked: Mapping[str, Walked], state: str) -> None:
    """From an empty wallet, without the keys that are divided; whatever comes back is noted and removed."""
    with wallet.store.transaction():
        for summary in wallet.store.values.summaries():
            wallet.store.values.remove(summary.id)
    for name in DIVIDED_KEYS.values():
        entry = wallet.store.keyring.named(name)
        assert entry is not None
        wallet.store.keyring.send_away(entry.id)
    receipts = {receipt.receipt_id for one in walked.values() for receipt in one.receipts.values()}
    try:
        await recover(wallet, sorted(receipts))
    except TooFewSafes:
        assert state != "all up"
    for one in walked.values():
        one.came_back[state] = {
            value_id
            for value_id, value in one.values.items()
            if wallet.store.values.has(value_id) and wallet.store.values.get(value_id) == value
        }
