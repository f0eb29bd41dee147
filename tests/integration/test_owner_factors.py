"""Devices and waiting periods beside the PIN, at five real safes: who has all factors of a way comes in.

Each refusal is the one for all: which factor was wrong, nobody is told. PINs are not stretched here.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.owner_devices import MemoryDevice
from support.owner_safes import LocalSafes, local_safes
from support.owners_at_real_safes import ANNA, PIN, WRONG_PIN, backed_up, connect, enrolled, wallet_at
from support.owners_wallets import quick_stretch
from trust.access_policy import Factor
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
from wallet_client.operations.owner_errors import (
    NothingToTryWith,
    OwnerNotUnlocked,
    RecoveryEnded,
    RecoveryWaits,
)
from wallet_client.operations.owner_recovery import OwnerRecovered, recover_owner
from wallet_client.operations.owner_status import owner_status
from wallet_client.operations.reseed import reseed_root
from wallet_client.operations.veto import NoSuchRecovery, veto
from wallet_client.operations.waiting_recovery import waiting_in
from wallet_client.owners.access import read_ways
from wallet_client.owners.errors import FactorMissing, PinNeeded
from wallet_client.owners.factors import Proofs, by_pin
from wallet_client.owners.names import Pin
from wallet_client.wallet import Wallet

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


async def is_refused(safes: LocalSafes, tmp_path: Path, proofs: Proofs, home: str = "stranger") -> None:
    """As anything is that does not open."""
    with pytest.raises(OwnerNotUnlocked):
        await come_back(safes, tmp_path, proofs, home)


async def spent(wallet: Wallet, way: tuple[Factor, ...]) -> list[int]:
    """Guesses of one way, by safe."""
    return [
        one.guesses_spent
        for safe in (await owner_status(wallet)).answered
        for one in safe.ways
        if one.way == way
    ]


class TestPinAndDevice:
    async def test_open_the_record_with_one_touch_for_all_safes(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """Everything comes back; the guess was given back."""
        done = await come_back(safes, tmp_path, with_stick(stick))
        assert (done.recovered, stick.touches) == (1, 1)
        assert await spent(guarded, PIN_DEVICE) == [0] * 5

    @pytest.mark.parametrize(
        "proofs",
        [
            by_pin(PIN),
            Proofs(DEVICE, None, MemoryDevice("stick", 7)),
            Proofs(PIN_DEVICE, PIN, MemoryDevice("another", 7)),
        ],
        ids=["the PIN alone", "the device alone", "the PIN and another device"],
    )
    async def test_are_both_needed(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, proofs: Proofs
    ) -> None:
        """And who lacks the device cannot spend the owner's guesses."""
        await is_refused(safes, tmp_path, proofs)
        assert await spent(guarded, PIN_DEVICE) == [0] * 5

    async def test_with_a_wrong_pin_cost_a_guess_at_three_safes(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """As without a device."""
        await is_refused(safes, tmp_path, with_stick(stick, WRONG_PIN))
        assert sorted(await spent(guarded, PIN_DEVICE)) == [0, 0, 1, 1, 1]

    async def test_are_what_a_change_needs_too(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """Neither the PIN alone nor the device alone goes back to the PIN alone."""
        for proofs in (by_pin(PIN), Proofs(DEVICE, device=stick, new_pin=NEW_PIN)):
            with pytest.raises(OwnerNotUnlocked):
                await changed_record(guarded, proofs, by_ways(read_ways("pin")))
        await ask_for(guarded, "pin", with_stick(stick))
        assert (await come_back(safes, tmp_path, by_pin(PIN))).recovered == 1

    async def test_two_safes_may_be_away(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """The three that are left were asked by the one touch."""
        async with wallet_at(tmp_path / "second", safes, "second") as opened:
            for safe in safes.safes[:2]:
                await safe.stop()
            done = await recover_owner(opened, ANNA, with_stick(stick))
        assert (done.recovered, stick.touches) == (1, 1)

    async def test_a_changed_pin_needs_no_touch_of_the_other_devices(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """The new record is wrapped for both; the one at hand opens it twice, now and to try it."""
        second = MemoryDevice("second")
        await add(guarded, second, with_stick(stick), "second")
        stick.touches, second.touches = 0, 0
        assert await change_pin(guarded, with_stick(stick), NEW_PIN) == {}
        assert (stick.touches, second.touches) == (2, 0)
        done = await come_back(safes, tmp_path, with_stick(second, NEW_PIN))
        assert done.recovered == 1

    async def test_a_removed_device_opens_nothing(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """Lost, it is taken off with the other one."""
        second = MemoryDevice("second")
        await add(guarded, second, with_stick(stick), "second")
        assert await changed_record(guarded, with_stick(second), without_device("stick")) == {}
        await is_refused(safes, tmp_path, with_stick(stick))
        assert (await come_back(safes, tmp_path, with_stick(second))).recovered == 1

    async def test_a_copied_device_is_found_out(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """Its counter goes back: it is refused, and the owner is told which device it is."""
        copy = stick.copy()
        await come_back(safes, tmp_path, with_stick(stick))
        copy.counter -= 1
        await is_refused(safes, tmp_path, with_stick(copy))
        view = await owner_status(guarded)
        assert view.copied == {bytes.fromhex(device_id(view.access.devices[0]))}

    async def test_stay_when_the_root_is_replaced(
        self, guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """Both records that it takes keep all ways."""
        assert (await reseed_root(guarded, with_stick(stick))).ended
        await is_refused(safes, tmp_path, by_pin(PIN))
        assert (await come_back(safes, tmp_path, with_stick(stick))).recovered == 1


class TestSeveralWays:
    @pytest.fixture
    async def either(self, wallet: Wallet, stick: MemoryDevice) -> Wallet:
        """The PIN or the stick is enough."""
        await add(wallet, stick, by_pin(PIN))
        await ask_for(wallet, "pin or device", by_pin(PIN))
        return wallet

    async def test_each_opens_by_itself(
        self, either: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """The same secrets come out of both."""
        assert (await come_back(safes, tmp_path, by_pin(PIN), "by pin")).recovered == 1
        assert (await come_back(safes, tmp_path, with_stick(stick, None), "by device")).recovered == 1

    async def test_a_locked_pin_does_not_lock_the_device(
        self, either: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """Its way has no PIN, and nothing of a ledger."""
        for _ in range(8):
            safes.clock.ms += DAY_MS
            await is_refused(safes, tmp_path, by_pin(WRONG_PIN))
        assert (await come_back(safes, tmp_path, with_stick(stick, None))).recovered == 1

    async def test_a_forgotten_pin_is_replaced_by_the_device(
        self, either: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
    ) -> None:
        """The old one opens nothing any more."""
        assert await change_pin(either, with_stick(stick, None), NEW_PIN) == {}
        await is_refused(safes, tmp_path, by_pin(PIN))
        assert (await come_back(safes, tmp_path, by_pin(NEW_PIN))).recovered == 1

    async def test_without_the_pin_no_record_with_a_pin_is_made(
        self, either: Wallet, stick: MemoryDevice
    ) -> None:
        """Else nobody would know it."""
        with pytest.raises(PinNeeded):
            await changed_record(either, with_stick(stick, None), with_waiting(60))


class TestWhatCannotBeAskedFor:
    @pytest.mark.parametrize(
        ("policy", "error"),
        [
            ("pin and device", FactorUnknown),
            ("pin and authority", FactorUnknown),
            ("authority", SafesCanOpen),
            ("pin or authority", SafesCanOpen),
        ],
    )
    async def test_is_refused_before_anything_changes(
        self, wallet: Wallet, policy: str, error: type[WalletError]
    ) -> None:
        """No device, no authority; and what lets the safes open it needs a word more."""
        before = (await owner_status(wallet)).record_id
        with pytest.raises(error):
            await changed_record(wallet, by_pin(PIN), by_ways(read_ways(policy)))
        assert (await owner_status(wallet)).record_id == before

    async def test_is_what_cannot_be_tried(self, wallet: Wallet, stick: MemoryDevice) -> None:
        """A record that nobody opened yet never takes the place of one that opens."""
        await add(wallet, stick, by_pin(PIN))
        with pytest.raises(NothingToTryWith):
            await changed_record(wallet, by_pin(PIN), by_ways(read_ways("pin and device")))

    async def test_is_a_device_twice_or_one_that_is_not_there(
        self, wallet: Wallet, stick: MemoryDevice
    ) -> None:
        """Labels and credentials are each once."""
        await add(wallet, stick, by_pin(PIN))
        for device, label in ((stick, "other"), (MemoryDevice("other"), "stick")):
            with pytest.raises(DeviceKnown):
                await add(wallet, device, by_pin(PIN), label)
        with pytest.raises(NoSuchDevice):
            await changed_record(wallet, by_pin(PIN), without_device("none"))

    async def test_is_the_last_device_gone(self, guarded: Wallet, stick: MemoryDevice) -> None:
        """The policy needs it."""
        with pytest.raises(FactorNeeded):
            await changed_record(guarded, with_stick(stick), without_device("stick"))

    def test_is_a_way_without_its_factors(self) -> None:
        """Nothing is sent."""
        for way in (PIN_DEVICE, DEVICE, ("authority",)):
            with pytest.raises(FactorMissing):
                Proofs(way, pin=PIN)


class TestAWaitingPeriod:
    @pytest.fixture
    async def patient(self, wallet: Wallet) -> Wallet:
        """Two days."""
        assert await changed_record(wallet, by_pin(PIN), with_waiting(172_800)) == {}
        return wallet

    async def begin(self, safes: LocalSafes, tmp_path: Path) -> RecoveryWaits:
        """Somebody comes with nothing but name and PIN."""
        with pytest.raises(RecoveryWaits) as waits:
            await come_back(safes, tmp_path, by_pin(PIN))
        return waits.value

    async def test_makes_a_recovery_wait_and_then_collects_it_without_a_guess(
        self, patient: Wallet, safes: LocalSafes, tmp_path: Path
    ) -> None:
        """All safes began; nothing is asked for again, and nothing is kept afterwards."""
        began = safes.clock.ms
        waits = await self.begin(safes, tmp_path)
        assert waits.until == (began + 2 * DAY_MS) // 1_000
        (waiting,) = (await owner_status(patient)).waiting.values()
        assert (waiting.way, waiting.release_at_ms) == (("pin",), began + 2 * DAY_MS)
        with pytest.raises(RecoveryWaits):
            await come_back(safes, tmp_path, None)
        safes.clock.ms += 2 * DAY_MS
        assert (await come_back(safes, tmp_path, None)).recovered == 1
        async with wallet_at(tmp_path / "second", safes, "second") as opened:
            assert waiting_in(opened.store) is None

    async def test_is_kept_over_a_restart_of_every_safe(
        self, patient: Wallet, safes: LocalSafes, tmp_path: Path
    ) -> None:
        """And two of them may be lost meanwhile, since all began."""
        await self.begin(safes, tmp_path)
        for safe in safes.safes:
            await safe.restart()
        safes.clock.ms += 2 * DAY_MS
        for safe in safes.safes[:2]:
            await safe.stop()
        assert (await come_back(safes, tmp_path, None)).recovered == 1

    async def test_does_not_hold_up_a_wallet_of_the_owners(self, patient: Wallet) -> None:
        """It has signed, so the parts come at once."""
        assert await change_pin(patient, by_pin(PIN), NEW_PIN) == {}

    async def test_ends_with_a_veto_for_good(
        self, patient: Wallet, safes: LocalSafes, tmp_path: Path
    ) -> None:
        """Whoever waited gets nothing afterwards; the wallet forgets what it kept."""
        await self.begin(safes, tmp_path)
        assert await veto(patient, "", by_pin(PIN)) == {}
        assert (await owner_status(patient)).waiting == {}
        safes.clock.ms += 2 * DAY_MS
        with pytest.raises(RecoveryEnded):
            await come_back(safes, tmp_path, None)
        with pytest.raises(RecoveryWaits):
            await come_back(safes, tmp_path, by_pin(PIN))

    async def test_is_vetoed_once_in_thirty_days(
        self, patient: Wallet, safes: LocalSafes, tmp_path: Path
    ) -> None:
        """Else a thief of a wallet and the PIN could lock the owner out for ever."""
        await self.begin(safes, tmp_path)
        await veto(patient, "", by_pin(PIN))
        with pytest.raises(RecoveryWaits):
            await come_back(safes, tmp_path, by_pin(PIN), "third")
        with pytest.raises(WalletError, match="vetoed less than 30 days ago"):
            await veto(patient, "", by_pin(PIN))

    async def test_ends_with_the_record(self, patient: Wallet, safes: LocalSafes, tmp_path: Path) -> None:
        """A changed PIN shuts out who knew the old one, also who waits already."""
        await self.begin(safes, tmp_path)
        await change_pin(patient, by_pin(PIN), NEW_PIN)
        safes.clock.ms += 2 * DAY_MS
        with pytest.raises(RecoveryEnded):
            await come_back(safes, tmp_path, None)

    async def test_is_nothing_to_veto_where_nobody_waits(self, patient: Wallet) -> None:
        """Nor one that is called otherwise."""
        for prefix in ("", "00"):
            with pytest.raises(NoSuchRecovery):
                await veto(patient, prefix, by_pin(PIN))


async def test_another_wallet_reads_the_policy_from_the_safes(
    guarded: Wallet, safes: LocalSafes, tmp_path: Path, stick: MemoryDevice
) -> None:
    """The first keeps nothing of it, and the other may change it."""
    async with wallet_at(tmp_path / "second", safes, "second") as second:
        await recover_owner(second, ANNA, with_stick(stick))
        assert (await owner_status(second)).access.ways == (PIN_DEVICE,)
        await ask_for(second, "pin or device", with_stick(stick))
    connect(guarded, safes)
    assert (await owner_status(guarded)).access.ways == (DEVICE, ("pin",))
