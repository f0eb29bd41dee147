"""One try at an owner's record: the rogue evaluates with its two safes' shares, and asks one of the others.

What it shows that safe of a device and an authority is made by the functions below, of what it holds; by what
it lacks it makes something up. Whoever holds enough opens the record by the very same steps.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TypeAlias

from durable import sqlite
from kura.safe.v1 import owner_pb2 as pb
from safe_node.handlers.owner_converters import write_way
from safe_node.store.owner_rows import way_text
from support.factors import signed_by, wrapping_pair
from support.owners import Guess, guess_at
from support.rogues.hands import Foiled, Hand, Try, Why
from support.rogues.scene import Door, Scene, Victim
from support.safe_requests import seeded
from support.sample_documents import draw
from support.software_device import Device
from threshold import feldman, oprf, shared_oprf
from threshold.errors import SealBroken, ThresholdError
from threshold.feldman import ScalarShare
from threshold.oprf import Mode
from threshold.ristretto import Scalar
from trust.access_policy import Way
from trust.device_proof import SignedChallenge, relying_party, unwrap_device_secret
from trust.ids import OwnerId, SafeId, Signature
from trust.owner_record import (
    NO_PIN,
    OPRF_OUTPUT_BYTES,
    SEALED_BYTES,
    OwnerRecord,
    OwnerSecrets,
    ReleasedPart,
    WaySecrets,
    open_secrets,
)
from trust.owner_refusals import UnlockRefused
from trust.unlock_proof import unlock_tag

_PARTS = """SELECT p.record, p.x, p.unlock_share, p.oprf_share, p.unlock_tag, p.sealed
    FROM owner_records p JOIN owners o ON o.id = p.owner WHERE o.owner_id = ? AND p.way = ?"""


@dataclass(frozen=True)
class Part:
    """What one safe stores of one way into a record."""

    record: OwnerRecord
    x: int
    unlock_share: bytes
    oprf_share: bytes
    tag: bytes
    sealed: bytes

    @property
    def safe_id(self) -> SafeId:
        return next(place.safe_id for place in self.record.places if place.x == self.x)

    @property
    def released(self) -> ReleasedPart:
        """As the safe would release it."""
        return ReleasedPart(self.unlock_share, self.sealed)


def part_in(database: Path, owner_id: OwnerId, way: Way) -> Part:
    """Read from a safe's file, while the safe runs."""
    connection = sqlite.open_reader(database)
    try:
        ((record, *rest),) = connection.execute(_PARTS, (owner_id, way_text(way))).fetchall()
    finally:
        connection.close()
    return Part(OwnerRecord.from_bytes(record), *rest)


@dataclass(frozen=True)
class Loot:
    """What some safes store of one way, and what opens with it without asking anybody."""

    way: Way
    parts: Sequence[Part]
    _secrets: dict[bytes, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    @cache
    def of(cls, stores: tuple[Path, ...], owner_id: OwnerId, way: Way) -> "Loot":
        """Read once."""
        return cls(way, [part_in(store, owner_id, way) for store in stores])

    @property
    def record(self) -> OwnerRecord:
        return self.parts[0].record

    @cached_property
    def unlock_secret(self) -> bytes:
        """r where the shares are enough, and something else where they are not."""
        return self._combined([part.unlock_share for part in self.parts]).to_bytes()

    @cached_property
    def oprf_key(self) -> Scalar:
        """The same of the OPRF key."""
        return self._combined([part.oprf_share for part in self.parts])

    def _combined(self, shares: Sequence[bytes]) -> Scalar:
        found = [
            ScalarShare(part.x, Scalar.from_bytes(one)) for part, one in zip(self.parts, shares, strict=True)
        ]
        return feldman.combine(found, len(found))

    def opened(self, pin: bytes, device_secret: bytes) -> OwnerSecrets:
        """What a PIN, where the way has one, and a device's secret open of it.

        Raises:
            SealBroken: Nothing.
        """
        output = oprf.evaluate(self.oprf_key, pin if "pin" in self.way else NO_PIN, Mode.VOPRF)
        under = WaySecrets(self.unlock_secret, output, self.way, device_secret)
        return open_secrets(self.parts[0].sealed[:SEALED_BYTES], under, self.record)

    def device_secret(self, device: Device) -> bytes:
        """What a device unwraps, once for all tries.

        Raises:
            SealBroken: It is for other devices.
        """
        name = device.credential_id
        if name not in self._secrets:
            label, wraps = self.record.owner_id + self.record.record_id, self.parts[0].sealed[SEALED_BYTES:]
            self._secrets[name] = unwrap_device_secret(wrapping_pair(device), wraps, name, label)
        return self._secrets[name]

    def betrays(self, pin: bytes) -> bool:
        """Whether what a safe recognises a PIN by shows the rogue which it is."""
        output = oprf.evaluate(self.oprf_key, pin, Mode.VOPRF)
        ours = ((part, unlock_tag(output, part.safe_id, self.record.record_id)) for part in self.parts)
        return any(tag == part.tag for part, tag in ours)


@dataclass(frozen=True)
class Attack:
    """One try, as far as it has come.

    Args:
        victim: Whose record.
        door: The safe that is asked.
        guess: What is asked of it.
        number: Of the try.
    """

    scene: Scene
    hand: Hand
    victim: Victim
    door: Door
    guess: Guess
    number: int

    @property
    def device(self) -> Device:
        """The victim's, or one that the rogue made."""
        if self.hand.has_device:
            return self.victim.device
        return Device(relying_party(self.scene.roster.fingerprint))

    async def challenge(self) -> SignedChallenge:
        """Of the safe that is asked."""
        factors = write_way(self.guess.way)
        request = pb.BeginUnlockRequest(owner_id=self.guess.record.owner_id, factors=factors)
        answer = await self.door.ask(request)
        return SignedChallenge(answer.challenge, Signature(answer.challenge_signature))

    def other_guess(self) -> Guess:
        """Another at the same record, by the same rogue."""
        return guess_of(self.victim, self.guess.way, b"other", f"{self.hand.name} other {self.number}")


Showing: TypeAlias = Callable[[Attack], Awaitable[dict[str, bytes]]]
"""Makes fields of Evaluate."""


async def touch(attack: Attack) -> dict[str, bytes]:
    """The device signs for this very guess, over the safe's challenge."""
    challenge = await attack.challenge()
    return {"device_proof": signed_by(attack.device, [challenge], attack.guess).to_bytes()}


def at_record(
    way: Way, *showings: Showing, shown_as: Way | None = None, victims: Callable[[int], int] | None = None
) -> Try:
    """A try by one way.

    Args:
        way: Whose parts the rogue's two safes have.
        showings: What is shown of its factors.
        shown_as: The way that is named instead, which the policy may lack.
        victims: Which of them a try is about; by default all in turn.
    """

    async def attempt(scene: Scene, hand: Hand, number: int) -> OwnerSecrets:
        door, turn = scene.doors[number % len(scene.doors)], number // len(scene.doors)
        victim = scene.victims[(turn if victims is None else victims(turn)) % len(scene.victims)]
        loot = Loot.of(hand.stores, victim.owner.owner_id, way)
        pin = hand.pin or b"%04d" % (number + 4_000)
        guess = guess_of(victim, way, pin, f"{hand.name} {number}")
        guess = replace(guess, way=shown_as or way)
        attack = Attack(scene, hand, victim, door, guess, number)
        evidence: dict[str, bytes] = {}
        for showing in showings:
            evidence |= await showing(attack)
        return await _through(attack, loot, evidence)

    return attempt


def guess_of(victim: Victim, way: Way, pin: bytes, label: str) -> Guess:
    """A guess at a victim's record; equal labels give equal ids."""
    return guess_at(victim.owner.records[way], pin, f"rogue's {label}", way)


async def _through(attack: Attack, loot: Loot, evidence: dict[str, bytes]) -> OwnerSecrets:
    """Evaluate and Unlock at one safe, with the shares of two others at hand."""
    guess, door = attack.guess, attack.door
    answer = await door.ask(guess.request(**evidence))
    output = output_of(guess, loot, door, answer)
    try:
        answered = await door.ask(guess.unlock_request(door.entry.safe_id, output or _made_up(guess)))
    except UnlockRefused:
        raise Foiled(Why.WRONG_GUESS if output else Why.NOT_TAKEN) from None
    return opened(attack, loot, output or b"", answered.sealed_part)


def opened(attack: Attack, loot: Loot, output: bytes, sealed: bytes) -> OwnerSecrets:
    """What the rogue's parts and the one that a safe released open."""
    safe_id = attack.door.entry.safe_id
    parts = {part.safe_id: part.released for part in loot.parts}
    parts[safe_id] = attack.guess.part(safe_id, sealed)
    secret = _device_secret(attack, loot) if "device" in attack.guess.way else b""
    try:
        return attack.guess.secrets(parts, output, secret)
    except SealBroken:
        raise Foiled(Why.TOO_LITTLE) from None


def output_of(guess: Guess, loot: Loot, door: Door, answer: pb.EvaluateResponse) -> bytes | None:
    """What the guess comes to, if the safe evaluated it with its share of this record."""
    if answer.record_id != guess.record.record_id:
        return None
    try:
        evaluations = [guess.check(door.entry.safe_id, answer)]
    except ThresholdError:
        return None  # a decoy that bears the record's id
    for part in loot.parts:
        share, rng = ScalarShare(part.x, Scalar.from_bytes(part.oprf_share)), seeded(part.safe_id.hex())
        evaluations.append(shared_oprf.evaluate_share(share, guess.blinded.element, rng))
    return guess.output(evaluations)


def _made_up(guess: Guess) -> bytes:
    return draw(f"output for {guess.guess_id.hex()}", OPRF_OUTPUT_BYTES)


def _device_secret(attack: Attack, loot: Loot) -> bytes:
    """What the device's own secret opens; without the device, something else."""
    try:
        return loot.device_secret(attack.device)
    except SealBroken:
        return draw("no device secret", 32)
