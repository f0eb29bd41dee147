"""Owners: from a stretched PIN to the root, how many a second, and a whole wallet by name and PIN.

Argon2id is left out of the first figures: it is a price that is paid on purpose, 0.2 s on a free machine.
"""

import asyncio
import itertools
import os
from dataclasses import dataclass

from benchmarks.cases.small_values import BATCH, POLICY, fill
from benchmarks.figure import Figure, at_most
from benchmarks.timing import take_turns
from benchmarks.workbench import Workbench
from tools.local_cluster.cluster import Cluster
from trust.ids import OwnerId
from trust.owner_record import OwnerSecrets
from wallet_client.operations.backup import back_up
from wallet_client.operations.enrolling import enroll_owner
from wallet_client.operations.owner_recovery import recover_owner
from wallet_client.operations.put_record import offer_record
from wallet_client.operations.unlocking import unlock_owner
from wallet_client.owners.dealing import DEFAULT_GUESSES, deal_record
from wallet_client.owners.factors import Factors, by_pin
from wallet_client.owners.names import OwnerName, Pin
from wallet_client.owners.stretch import StretchedPin
from wallet_client.wallet import Wallet, pinned_versions

ROOT_MS = 40.0
CALLERS = 16
PIN = "a pin of the benchmark"
_CALLS = "one fan-out that reads, two durable"


@dataclass(frozen=True)
class Owner:
    """An owner who is enrolled, without a wallet."""

    owner_id: OwnerId
    pin: StretchedPin


async def _new_owner(wallet: Wallet) -> Owner:
    owner = Owner(OwnerId(os.urandom(32)), StretchedPin(os.urandom(32)))
    secrets = OwnerSecrets(os.urandom(32), os.urandom(32))
    dealt = deal_record(owner.owner_id, secrets, owner.pin, wallet.roster, wallet.rng)
    put = await offer_record(wallet, dealt, secrets.signing_key, DEFAULT_GUESSES, {})
    if put.failed or put.taken or put.staged:
        raise RuntimeError(f"not enrolled: {put}")
    return owner


async def _unlock(wallet: Wallet, owner: Owner) -> None:
    versions = pinned_versions(wallet.store)
    done = await unlock_owner(wallet.links, versions, owner.owner_id, Factors(pin=owner.pin), wallet.rng)
    if done.failed:
        raise RuntimeError(f"not what was to be measured: {done.failed}")


async def owners(bench: Workbench) -> list[Figure]:
    """All figures of owners."""
    return [
        await _root(bench, bench.cluster, "3 of 5", ROOT_MS),
        await _root(bench, bench.new_cluster("nine", 9, 5), "5 of 9", None),
        await _rate(bench),
        *await _alike(bench),
        await _whole_wallet(bench),
    ]


async def _root(bench: Workbench, cluster: Cluster, shape: str, target: float | None) -> Figure:
    """Median of an unlock by stretched PIN, beside the calls alone."""
    bare, wallet = await bench.bare(), await bench.new_wallet(cluster)
    owner, content = await _new_owner(wallet), os.urandom(200)
    keys = await bare.put(content)

    async def calls() -> None:
        await bare.get(keys)
        await bare.put(content)
        await bare.put(content)

    taken = await take_turns(bench.turns(60), lambda: _unlock(wallet, owner), calls, warm_up=5)
    name, value = f"root by PIN beyond Argon2id, {shape}", taken.ours_median * 1e3
    ceiling = (_CALLS, taken.bare_median * 1e3)
    if target is None:
        return Figure(name, value, "ms p50", ceiling[1], ceiling[0], "none", None)
    return at_most(name, value, "ms p50", target, ceiling)


async def _rate(bench: Workbench) -> Figure:
    """Unlocks a second of one safe process, with callers at once, each for an owner of its own."""
    cluster = bench.new_cluster("one", 1, 1)
    bare, wallet = await bench.bare(), await bench.new_wallet(cluster)
    everybody = [await _new_owner(wallet) for _ in range(CALLERS)]
    each, content = 5, os.urandom(200)
    server = bare.servers[0]
    key = (await server.put(content))[:8]

    async def caller(owner: Owner) -> None:
        for _ in range(each):
            await _unlock(wallet, owner)

    async def bare_caller() -> None:
        for _ in range(each):
            await server.get(key)
            await server.put(content)
            await server.put(content)

    taken = await take_turns(
        bench.turns(5),
        lambda: asyncio.gather(*(caller(owner) for owner in everybody)),
        lambda: asyncio.gather(*(bare_caller() for _ in range(CALLERS))),
    )
    work = CALLERS * each
    ceiling = work / taken.bare_median
    name = f"roots by PIN of one safe process, {CALLERS} callers"
    return Figure(name, work / taken.ours_median, "unlocks/s", ceiling, "the same calls", "none", None)


async def _alike(bench: Workbench) -> list[Figure]:
    """Medians of each open call for a known owner, beside those for a name that nobody has."""
    wallet = await bench.new_wallet()
    known = await _new_owner(wallet)
    link = wallet.links.to_owners(wallet.roster.safes[0].safe_id)
    nobody = OwnerId(os.urandom(32))

    async def ask(owner_id: OwnerId) -> None:
        await link.begin_unlock(owner_id)

    taken = await take_turns(bench.turns(400), lambda: ask(known.owner_id), lambda: ask(nobody), warm_up=20)
    name, bare = "BeginUnlock at one safe, a known name", "a name that nobody has"
    figures = [Figure(name, taken.ours_median * 1e3, "ms p50", taken.bare_median * 1e3, bare, "alike", None)]
    guesses = itertools.cycle([await _new_owner(wallet) for _ in range(bench.turns(60) + 5)])
    wrong = StretchedPin(os.urandom(32))
    taken = await take_turns(
        bench.turns(60),
        lambda: _refused(wallet, Owner(next(guesses).owner_id, wrong)),
        lambda: _refused(wallet, Owner(OwnerId(os.urandom(32)), wrong)),
        warm_up=5,
    )
    name = "a wrong PIN at 3 of 5, a known name"
    ours, theirs = taken.ours_median * 1e3, taken.bare_median * 1e3
    return [*figures, Figure(name, ours, "ms p50", theirs, bare, "alike", None)]


async def _refused(wallet: Wallet, owner: Owner) -> None:
    from wallet_client.operations.owner_errors import OwnerNotUnlocked

    try:
        await _unlock(wallet, owner)
    except OwnerNotUnlocked:
        return
    raise RuntimeError("it was to be refused")


async def _whole_wallet(bench: Workbench) -> Figure:
    """Values a second, from a name and a PIN (Argon2id and all) to 1,000 values in a new wallet."""
    bare, first = await bench.bare(), await bench.new_wallet()
    name = OwnerName(f"owner-{os.urandom(4).hex()}")
    await enroll_owner(first, name, Pin(PIN), DEFAULT_GUESSES, {})
    await back_up(first, fill(first, BATCH), POLICY)
    keys = await bare.put_stream(os.urandom(BATCH * 1024))
    new = iter([await bench.new_wallet() for _ in range(bench.turns(5) + 1)])
    taken = await take_turns(bench.turns(5), lambda: _recover(next(new), name), lambda: bare.get_stream(keys))
    rate, ceiling = BATCH / taken.ours_median, BATCH / taken.bare_median
    title = "recovery of 1,000 values of 1 KiB by name and PIN"
    return Figure(title, rate, "values/s", ceiling, "the same bytes streamed", "none", None)


async def _recover(wallet: Wallet, name: OwnerName) -> None:
    done = await recover_owner(wallet, name, by_pin(Pin(PIN)))
    if done.recovered < BATCH or done.left or done.failed:
        raise RuntimeError(f"not what was to be measured: {done.recovered} of {BATCH}, {done.failed}")
