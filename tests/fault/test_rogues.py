"""Rogues who have nearly everything, at real processes: ten thousand tries in all, and none opens; twins do.

    a rogue authority    its real signing key and its identity's; not the PIN, nor the device
    a stolen device      with all its secrets; not the PIN, nor the authority
    a rogue gateway      what a wallet had it gather, and an owner's whole recovery; not the wallet's keys
    k - 1 rogue safes    their stores and keys, the PIN and the device too; not a third safe's store or keys

The first two together, who could open, do not by proofs for something else. Records open by any two of PIN,
device and authority. The safes and the authority are processes; two of the safes are each rogue's, which
reads their databases, so that one more safe would do. What a rogue does is a row of
tests/support/rogues/table.py, with how often it does it and what each of these tries comes to. Its twin
goes through the same function, and holds what the rogue lacks.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from support.authority_process import authority_process
from support.cluster import LocalCluster
from support.factors import AUTHORITY_AND_PIN, DEVICE_AND_PIN
from support.owners import PIN
from support.rogues import gateway, overheard, stores, sums
from support.rogues.hands import Hand, Row, Try, expected, tried
from support.rogues.scene import GUESSES, PASSWORD, Scene, Victim, scene
from support.rogues.table import (
    BY_SERVICE,
    BY_TOUCH,
    BY_WORD,
    BY_WORD_AND_DEVICE,
    GUESSING,
    IN_ITS_NAME,
    MIXED,
    ROGUE_AUTHORITY,
    ROGUE_GATEWAY,
    ROGUE_SAFES,
    STOLEN_DEVICE,
    TO_OWN_RECIPIENT,
    WORD_FOR_WORD,
)
from trust.documents import SigningKey
from wallet_client.values.value import Value

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(
    cluster_of_worker: LocalCluster, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    """Five safes, of which three open a record or bring a value back, and an authority."""
    cluster_of_worker.heal()
    folder = tmp_path_factory.mktemp("rogues")
    with authority_process(folder / "authority") as authority:
        async with scene(cluster_of_worker, authority) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def overhearing(stage: Scene, tmp_path_factory: pytest.TempPathFactory) -> Hand:
    """A gateway through which a wallet recovered, who heard an owner recover; and two safes' stores."""
    folder = tmp_path_factory.mktemp("wallet")
    gathering, wallet = await asyncio.to_thread(gateway.overhear, stage, folder)
    unlock, guess = await overheard.overhear_unlock(stage)
    databases = (stage.store(gateway.GATEWAY), stage.store(gateway.HELPFUL))
    return Hand("a gateway", databases, gathering=gathering, wallet=wallet, unlock=unlock, guess=guess)


async def foiled(stage: Scene, hand: Hand, rows: tuple[Row, ...]) -> None:
    """Every try of the table opens nothing, for the reason that stands there."""
    tally = await tried(stage, hand, rows)
    assert tally.opened == []
    assert tally.foiled == expected(rows)


async def opens(
    stage: Scene, twin: Hand, does: Try, *, of: Victim | None = None, number: int | None = None
) -> None:
    """The function of a row opens a victim's record, or the value, for who lacks nothing."""
    victim = of or stage.victims[0]
    turn = stage.victims.index(victim) * len(stage.doors) if victim in stage.victims else 0
    found = await does(stage, twin, turn if number is None else number)
    if isinstance(found, Value):
        assert found.name == gateway.SECRET_NAME
    else:
        assert found == victim.owner.secrets


def authority_keys(stage: Scene) -> tuple[SigningKey, SigningKey]:
    """The signing key, and the identity's, from its folder."""
    folder = stage.authority.folder
    files = (folder / "keys" / "signing-1.key", folder / "identity.key")
    first, second = (SigningKey(bytes.fromhex(file.read_text())) for file in files)
    return first, second


async def test_there_are_ten_thousand_tries() -> None:
    """As the tables have them, and each table is held against what its tries came to."""
    tables = ROGUE_AUTHORITY, STOLEN_DEVICE, MIXED, ROGUE_GATEWAY, ROGUE_SAFES
    rows = [row for table in tables for row in table]
    assert sum(row.tries for row in rows) == 10_000
    assert sum(row.tries for row in rows if not row.alone) == 2_100
    assert stores.number_of(PIN) < ROGUE_SAFES[0].tries, "the right PIN is among the guesses"


async def test_a_rogue_authority_opens_nothing_without_pin_or_device(stage: Scene) -> None:
    """It spends the guesses of three safes at each record, which re-arms; with either factor it opens."""
    signing, identity = authority_keys(stage)
    rogue = Hand("an authority", stage.stores, signing=signing, identity=identity, password=PASSWORD)

    await foiled(stage, rogue, ROGUE_AUTHORITY)

    for victim in stage.victims:
        assert (await stage.spent(victim))[AUTHORITY_AND_PIN] == [0, 0, GUESSES, GUESSES, GUESSES]
    await stage.rearm(stage.victims[0])
    await opens(stage, replace(rogue, name="one with the PIN", pin=PIN), BY_WORD)
    await opens(stage, replace(rogue, name="one with the device", has_device=True), BY_WORD_AND_DEVICE)
    assert (await stage.spent(stage.victims[0]))[AUTHORITY_AND_PIN] == [0] * 5


async def test_a_stolen_device_opens_nothing_without_pin_or_authority(stage: Scene) -> None:
    """The same; at the service it is nobody, and with the owner's password there it opens."""
    rogue = Hand("a device", stage.stores, has_device=True)

    await foiled(stage, rogue, STOLEN_DEVICE)

    for victim in stage.victims:
        assert (await stage.spent(victim))[DEVICE_AND_PIN] == [0, 0, GUESSES, GUESSES, GUESSES]
    await stage.rearm(stage.victims[1])
    with_pin = replace(rogue, name="one with the PIN", pin=PIN)
    await opens(stage, with_pin, BY_TOUCH, of=stage.victims[1])
    await opens(stage, replace(rogue, name="one with the password", password=PASSWORD), BY_SERVICE)
    assert (await stage.spent(stage.victims[1]))[DEVICE_AND_PIN] == [0] * 5


async def test_a_proof_for_something_else_opens_nothing_with_any_other_factor(stage: Scene) -> None:
    """Whoever has authority and device opens by proofs for this guess; by others not, and spends nothing."""
    signing, identity = authority_keys(stage)
    rogue = Hand("both", stage.stores, signing=signing, identity=identity, has_device=True)
    before = await stage.spent(stage.victims[2])

    await foiled(stage, rogue, MIXED)

    assert await stage.spent(stage.victims[2]) == before
    assert any([await stage.copied(victim) for victim in stage.victims])
    await opens(stage, replace(rogue, name="both, in order"), BY_WORD_AND_DEVICE)


async def test_a_rogue_gateway_opens_nothing_without_the_wallets_keys(
    stage: Scene, overhearing: Hand
) -> None:
    """With the wallet's key its grant is good; with the recipient's it reads what it heard."""
    rogue = replace(overhearing, wallet=None, guess=None)

    await foiled(stage, rogue, ROGUE_GATEWAY)

    assert await stage.spent(stage.recovering) == dict.fromkeys((AUTHORITY_AND_PIN, DEVICE_AND_PIN), [0] * 5)
    with_key = replace(rogue, name="one with the wallet's key", wallet=overhearing.wallet)
    await opens(stage, with_key, TO_OWN_RECIPIENT)
    await opens(stage, with_key, gateway.fetches_itself)
    with_recipient = replace(rogue, name="one with the recipient's key", guess=overhearing.guess)
    await opens(stage, with_recipient, WORD_FOR_WORD, of=stage.recovering)


async def test_one_safe_too_few_opens_nothing_with_every_factor(stage: Scene, overhearing: Hand) -> None:
    """With a third safe's store the same guess opens, and with its keys the same questions."""
    rogue = Hand("safes", stage.stores, gathering=overhearing.gathering)

    await foiled(stage, rogue, ROGUE_SAFES)

    enough = replace(rogue, stores=(*stage.stores, stage.store("safe-3")))
    await opens(stage, enough, GUESSING, number=stores.number_of(PIN))
    assert await stores.holds_against_tags(stage, enough, 0)
    for way in stage.victims[0].owner.policy.ways:
        await opens(stage, enough, stores.knowing_all(way))
    await opens(stage, replace(rogue, third=sums.THIRD), IN_ITS_NAME)
