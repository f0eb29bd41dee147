"""What safes make of what they store, without asking anybody: as many guesses as they like."""

from support.owners import PIN
from support.rogues.hands import Foiled, Hand, Try, Why
from support.rogues.records import Loot
from support.rogues.scene import Scene, Victim
from threshold.errors import SealBroken
from trust.access_policy import Way
from trust.owner_record import OwnerSecrets

PINS = 10_000
"""Of four digits."""


def knowing_all(way: Way) -> Try:
    """The PIN and the device are theirs as well, and the owner is another each time."""

    async def attempt(scene: Scene, hand: Hand, number: int) -> OwnerSecrets:
        victim = scene.victims[number % len(scene.victims)]
        return _opened(hand, victim, way, PIN)

    return attempt


def guessing(way: Way) -> Try:
    """The next PIN of four digits, the right one among them; by the device's secret where the way has one."""

    async def attempt(scene: Scene, hand: Hand, number: int) -> OwnerSecrets:
        return _opened(hand, scene.victims[0], way, b"%04d" % (number % PINS))

    return attempt


async def holds_against_tags(scene: Scene, hand: Hand, number: int) -> bool:
    """Whether what a safe knows a right PIN by tells a guess from the PIN itself."""
    victim = scene.victims[number % len(scene.victims)]
    loot = Loot.of(hand.stores, victim.owner.owner_id, victim.owner.policy.ways[1])
    if not loot.betrays(PIN):
        raise Foiled(Why.TOO_LITTLE)
    return True


def number_of(pin: bytes) -> int:
    """Of the try at which `guessing` guesses this PIN of four digits."""
    return int(pin)


def _opened(hand: Hand, victim: Victim, way: Way, pin: bytes) -> OwnerSecrets:
    loot = Loot.of(hand.stores, victim.owner.owner_id, way)
    try:
        return loot.opened(pin, loot.device_secret(victim.device) if "device" in way else b"")
    except SealBroken:
        raise Foiled(Why.TOO_LITTLE) from None
