"""Devices and waiting periods beside the PIN, at five real safes: who has all factors of a way comes in.

Each refusal is the one for all: which factor was wrong, nobody is told. PINs are not stretched here.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.owner_devices import MemoryDevice
from support.owner_safes import LocalSafes, local_safes
from support.owners_at_real_safes import ANNA, PIN, WRONG_PIN, backed_up, enrolled, wallet_at
from support.owners_wallets import quick_stretch
from trust.access_policy import Factor
from trust.ids import OwnerId
from wallet_client.errors import WalletError
from wallet_client.operations.change_access import (
    DeviceKnown,
    FactorNeeded,
    FactorUnknown,
    NoSuchDevice,
    SafesCanOpen,
    by_ways,
    changed_record,
    device_id,
    new_device,
    with_device,
    with_waiting,
    without_device,
)
from wallet_client.operations.change_pin import change_pin
from wallet_client.operations.owner_errors import NothingToTryWith, OwnerNotUnlocked
from wallet_client.operations.owner_recovery import OwnerRecovered, recover_owner
from wallet_client.operations.owner_status import owner_status, require_owner
from wallet_client.operations.reseed import reseed_root
from wallet_client.operations.unlocking import factors_from, unlock_owner
from wallet_client.operations.veto import NoSuchRecovery, Vetoed, veto
from wallet_client.operations.waiting_errors import RecoveryEnded, RecoveryWaits
from wallet_client.operations.waiting_recovery import waiting_in
from wallet_client.owners.access import read_ways
from wallet_client.owners.errors import FactorMissing, PinNeeded
from wallet_client.owners.factors import Proofs, by_pin
from wallet_client.owners.names import Pin
from wallet_client.wallet import Wallet, pinned_versions

__all__ = ["quick_stretch"]
pytestmark = pytest.mark.usefixtures("quick_stretch")

DAY_MS = 86_400_000
NEW_PIN = Pin("forty-nine moles")
PIN_DEVICE: tuple[Factor, ...] = ("device", "pin")
DEVICE: tuple[Factor, ...] = ("device",)


@pytest.fixture
async def safes(tmp_path: Path) -> AsyncIterator[LocalSafes]:
    async with local_safes(tmp_path / "safes", 5, 3) as started:
        yield started


@pytest.fixture
async def wallet(safes: LocalSafes, tmp_path: Path) -> AsyncIterator[Wallet]:
    """Anna's, with something at the safes."""
    async with wallet_at(tmp_path / "first", safes) as opened:
        await enrolled(opened)
        await backed_up(opened, "zoo")
        yield opened


@pytest.fixture
def stick() -> MemoryDevice:
    return MemoryDevice("stick")


def with_stick(stick: MemoryDevice, pin: Pin | None = PIN) -> Proofs:
    """By both, or by the device alone."""
    return Proofs(DEVICE if pin is None else PIN_DEVICE, pin, stick)


async def add(wallet: Wallet, device: MemoryDevice, proofs: Proofs, label: str = "stick") -> None:
    """As `kura owner factor add device`."""
    assert await changed_record(wallet, proofs, with_device(await new_device(wallet, device, label))) == {}


async def ask_for(wallet: Wallet, policy: str, proofs: Proofs) -> None:
    """As `kura owner policy`."""
    assert await changed_record(wallet, proofs, by_ways(read_ways(policy))) == {}


@pytest.fixture
async def guarded(wallet: Wallet, stick: MemoryDevice) -> Wallet:
    """Her wallet, once PIN and stick are asked for."""
    await add(wallet, stick, by_pin(PIN))
    await ask_for(wallet, "pin and device", Proofs(pin=PIN, device=stick))
    stick.touches = 0
    return wallet


async def come_back(
    safes: LocalSafes, tmp_path: Path, proofs: Proofs | None, home: str = "second"
) -> OwnerRecovered:
    """On another device, as Anna."""
    async with wallet_at(tmp_path / home, safes, home) as opened:
        return await recover_owner(opened, ANNA, proofs)


async def is_refused(wallet: Wallet, proofs: Proofs) -> None:
    """As anything is that does not open; by somebody who has nothing of this wallet's but its links."""
    owner = OwnerId(require_owner(wallet).owner_id)
    factors = await factors_from(wallet, ANNA, owner, proofs)
    with pytest.raises(OwnerNotUnlocked):
        await unlock_owner(wallet.links, pinned_versions(wallet.store), owner, factors, wallet.rng)


async def spent(wallet: Wallet, way: tuple[Factor, ...]) -> list[int]:
    """Guesses of one way, by safe."""
    return sorted(
        one.guesses_spent
        for safe in (await owner_status(wallet)).answered
        for one in safe.ways
        if one.way == way
    )


class TestPinAndDevice:
    async def test_are_both_needed_and_one_touch_serves_all_safes(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """Who lacks one is refused, and only who has the device can spend a guess; two safes may be away."""
        for proofs in (
            by_pin(PIN),
            Proofs(DEVICE, None, MemoryDevice("stick", 7)),
            Proofs(PIN_DEVICE, PIN, MemoryDevice("another", 7)),
        ):
            await is_refused(guarded, proofs)
        assert await spent(guarded, PIN_DEVICE) == [0] * 5
        await is_refused(guarded, with_stick(stick, WRONG_PIN))
        assert await spent(guarded, PIN_DEVICE) == [0, 0, 1, 1, 1]

        stick.touches = 0
        async with wallet_at(tmp_path / "second", safes, "second") as opened:
            for safe in safes.safes[:2]:
                await safe.stop()
            assert (await recover_owner(opened, ANNA, with_stick(stick))).recovered == 1
        assert stick.touches == 1

    async def test_a_copied_device_is_found_out(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """Its counter goes back: it is refused, and the owner is told which device it is."""
        copy = stick.copy()
        await come_back(safes, tmp_path, with_stick(stick))
        copy.counter -= 1
        await is_refused(guarded, with_stick(copy))
        view = await owner_status(guarded)
        assert view.copied == {bytes.fromhex(device_id(view.access.devices[0]))}

    async def test_are_what_every_change_needs_and_keeps(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """Neither alone changes the policy; another device, PIN or root leaves it as it is."""
        for proofs in (by_pin(PIN), Proofs(DEVICE, device=stick, new_pin=NEW_PIN)):
            with pytest.raises(OwnerNotUnlocked, match="opens by pin and device"):
                await changed_record(guarded, proofs, by_ways(read_ways("pin")))

        second = MemoryDevice("second")
        await add(guarded, second, with_stick(stick), "second")
        stick.touches, second.touches = 0, 0
        assert await change_pin(guarded, with_stick(stick), NEW_PIN) == {}
        assert (stick.touches, second.touches) == (2, 0)  # now, and to try the new record

        assert await changed_record(guarded, with_stick(second, NEW_PIN), without_device("stick")) == {}
        await is_refused(guarded, with_stick(stick, NEW_PIN))
        with pytest.raises(FactorNeeded):
            await changed_record(guarded, with_stick(second, NEW_PIN), without_device("second"))

        assert (await reseed_root(guarded, with_stick(second, NEW_PIN))).ended
        await is_refused(guarded, by_pin(NEW_PIN))
        async with wallet_at(tmp_path / "second", safes, "second") as opened:
            assert (await recover_owner(opened, ANNA, with_stick(second, NEW_PIN))).recovered == 1
            assert (await owner_status(opened)).access.ways == (PIN_DEVICE,)  # the safes told it
            await ask_for(opened, "pin or device", with_stick(second, NEW_PIN))
        assert (await owner_status(guarded)).access.ways == (DEVICE, ("pin",))


async def test_of_several_ways_each_opens_by_itself(
    wallet: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
) -> None:
    """A locked PIN does not lock the device, which replaces the PIN where it was forgotten."""
    await add(wallet, stick, by_pin(PIN))
    await ask_for(wallet, "pin or device", by_pin(PIN))
    assert (await come_back(safes, tmp_path, by_pin(PIN), "by pin")).recovered == 1
    for _ in range(8):
        safes.clock.ms += DAY_MS
        await is_refused(wallet, by_pin(WRONG_PIN))
    assert (await come_back(safes, tmp_path, with_stick(stick, None), "by device")).recovered == 1

    with pytest.raises(PinNeeded):
        await changed_record(wallet, with_stick(stick, None), with_waiting(60))
    assert await change_pin(wallet, with_stick(stick, None), NEW_PIN) == {}
    await is_refused(wallet, by_pin(PIN))
    assert (await come_back(safes, tmp_path, by_pin(NEW_PIN), "by new pin")).recovered == 1


async def test_what_cannot_be_asked_for_is_refused_before_anything_changes(
    wallet: Wallet, stick: MemoryDevice
) -> None:
    """No device, no authority, what safes alone could open, what cannot be tried, a device twice or none."""
    refusals: list[tuple[str, type[WalletError]]] = [
        ("pin and device", FactorUnknown),
        ("pin and authority", FactorUnknown),
        ("authority", SafesCanOpen),
        ("pin or authority", SafesCanOpen),
    ]
    before = (await owner_status(wallet)).record_id
    for policy, error in refusals:
        with pytest.raises(error):
            await changed_record(wallet, by_pin(PIN), by_ways(read_ways(policy)))
    assert (await owner_status(wallet)).record_id == before

    await add(wallet, stick, by_pin(PIN))
    before = (await owner_status(wallet)).record_id
    with pytest.raises(NothingToTryWith):
        await changed_record(wallet, by_pin(PIN), by_ways(read_ways("pin and device")))
    for device, label in ((stick, "other"), (MemoryDevice("other"), "stick")):
        with pytest.raises(DeviceKnown):
            await add(wallet, device, by_pin(PIN), label)
    with pytest.raises(NoSuchDevice):
        await changed_record(wallet, by_pin(PIN), without_device("none"))
    assert (await owner_status(wallet)).record_id == before


@pytest.mark.parametrize("way", [PIN_DEVICE, DEVICE, ("authority",)], ids=" and ".join)
def test_a_way_is_not_tried_without_its_factors(way: tuple[Factor, ...]) -> None:
    """Nothing is sent."""
    with pytest.raises(FactorMissing):
        Proofs(way, pin=PIN)


class TestAWaitingPeriod:
    @pytest.fixture
    async def patient(self, wallet: Wallet) -> Wallet:
        """Two days."""
        assert await changed_record(wallet, by_pin(PIN), with_waiting(172_800)) == {}
        return wallet

    async def begin(self, safes: LocalSafes, tmp_path: Path, home: str = "second") -> RecoveryWaits:
        """Somebody comes with nothing but name and PIN."""
        with pytest.raises(RecoveryWaits) as waits:
            await come_back(safes, tmp_path, by_pin(PIN), home)
        return waits.value

    async def test_makes_a_recovery_wait_and_then_collects_it_without_a_guess(
        self, patient: Wallet, safes: LocalSafes, tmp_path: Path
    ) -> None:
        """All safes began, so two may be lost; all were restarted; nothing is asked again, nor kept."""
        began = safes.clock.ms
        waits = await self.begin(safes, tmp_path)
        assert waits.until == (began + 2 * DAY_MS) // 1_000
        (waiting,) = (await owner_status(patient)).waiting.values()
        assert (waiting.way, waiting.release_at_ms) == (("pin",), began + 2 * DAY_MS)
        with pytest.raises(RecoveryWaits):
            await come_back(safes, tmp_path, None)
        for safe in safes.safes:
            await safe.restart()
        safes.clock.ms += 2 * DAY_MS
        for safe in safes.safes[:2]:
            await safe.stop()
        assert (await come_back(safes, tmp_path, None)).recovered == 1
        async with wallet_at(tmp_path / "second", safes, "second") as opened:
            assert waiting_in(opened.store) is None

    async def test_ends_with_a_veto_for_good_once_in_thirty_days(
        self, patient: Wallet, safes: LocalSafes, tmp_path: Path
    ) -> None:
        """Whoever waited gets nothing; a thief of a wallet and the PIN cannot lock the owner out for ever."""
        for prefix in ("", "00"):
            with pytest.raises(NoSuchRecovery):
                await veto(patient, prefix, by_pin(PIN))
        await self.begin(safes, tmp_path)
        assert await veto(patient, "", by_pin(PIN)) == Vetoed({}, 0)
        assert (await owner_status(patient)).waiting == {}
        safes.clock.ms += 2 * DAY_MS
        with pytest.raises(RecoveryEnded):
            await come_back(safes, tmp_path, None)
        await self.begin(safes, tmp_path, "third")
        with pytest.raises(WalletError, match="A veto was taken less than 30 days ago"):
            await veto(patient, "", by_pin(PIN))

    async def test_ends_with_the_record_which_a_wallet_of_the_owners_changes_at_once(
        self, patient: Wallet, safes: LocalSafes, tmp_path: Path
    ) -> None:
        """It has signed, so no safe waits for it; who knew the old PIN is shut out, also who waits."""
        await self.begin(safes, tmp_path)
        assert await change_pin(patient, by_pin(PIN), NEW_PIN) == {}
        safes.clock.ms += 2 * DAY_MS
        with pytest.raises(RecoveryEnded):
            await come_back(safes, tmp_path, None)
