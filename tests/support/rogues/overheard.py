"""Somebody who heard all of an owner's recovery, as if no envelope had been around it, and says it again.

Who has besides what the recovering wallet kept to itself reads the very same answers.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from kura.safe.v1 import owner_pb2 as pb
from support.factors import DEVICE_AND_PIN, signed_by
from support.owners import PIN, Guess
from support.rogues.hands import Foiled, Hand, OverheardUnlock, Try, Why
from support.rogues.records import Attack, Loot, guess_of, opened, output_of
from support.rogues.scene import Scene
from support.sample_documents import draw
from threshold import hpke
from threshold.errors import SealBroken
from threshold.hpke import KeyPair
from trust.ids import GuessId, SafeId
from trust.owner_record import RELEASE_INFO, OwnerSecrets, release_label

THIEF = KeyPair(draw("a carrier's recipient", 32))

Said: TypeAlias = tuple[pb.EvaluateRequest, pb.UnlockRequest]
Change: TypeAlias = Callable[[Said, int], Said]


async def overhear_unlock(scene: Scene) -> tuple[OverheardUnlock, Guess]:
    """An owner recovers by device and PIN; gives what was said to three safes, and what the wallet kept."""
    victim, doors = scene.recovering, scene.doors
    guess = guess_of(victim, DEVICE_AND_PIN, PIN, "the owner's own")
    attacks = [Attack(scene, Hand("the owner"), victim, door, guess, 0) for door in doors]
    proof = signed_by(victim.device, [await attack.challenge() for attack in attacks], guess)
    request = guess.request(device_proof=proof.to_bytes())
    output = guess.output([guess.check(door.entry.safe_id, await door.ask(request)) for door in doors])
    unlock = {door.entry.name: guess.unlock_request(door.entry.safe_id, output) for door in doors}
    for door in doors:
        await door.ask(unlock[door.entry.name])
    return OverheardUnlock(victim, request, unlock), guess


def says_again(change: Change) -> Try:
    """A try with what was heard."""

    async def attempt(scene: Scene, hand: Hand, number: int) -> OwnerSecrets:
        heard, door = hand.unlock, scene.doors[number % len(scene.doors)]
        assert heard is not None
        said = change(_copied(heard.evaluate, heard.unlock[door.entry.name]), number)
        answer = await door.ask(said[0])
        sealed = (await door.ask(said[1])).sealed_part
        own = guess_of(heard.victim, DEVICE_AND_PIN, PIN, f"{hand.name} {number}")
        guess = hand.guess or replace(own, guess_id=GuessId(said[1].guess_id), recipient=THIEF)
        _check_opens(guess, door.entry.safe_id, sealed)
        attack = Attack(scene, replace(hand, has_device=True), heard.victim, door, guess, number)
        loot = Loot.of(hand.stores, heard.victim.owner.owner_id, DEVICE_AND_PIN)
        return opened(attack, loot, output_of(guess, loot, door, answer) or b"", sealed)

    return attempt


def _copied(evaluate: pb.EvaluateRequest, unlock: pb.UnlockRequest) -> Said:
    said = pb.EvaluateRequest(), pb.UnlockRequest()
    said[0].CopyFrom(evaluate)
    said[1].CopyFrom(unlock)
    return said


def _check_opens(guess: Guess, safe_id: SafeId, sealed: bytes) -> None:
    label = release_label(safe_id, guess.guess_id, guess.record.record_id)
    try:
        hpke.open_sealed(guess.recipient, sealed, RELEASE_INFO, label)
    except SealBroken:
        raise Foiled(Why.FOR_ANOTHER) from None


def word_for_word(said: Said, _: int) -> Said:
    """As it was: the safe answers again."""
    return said


def to_own_key(said: Said, _: int) -> Said:
    """For another recipient than the device signed for."""
    for one in said:
        one.recipient_key = THIEF.public
    return said


def claimed_to_own_key(said: Said, _: int) -> Said:
    """The guess as it was, and its part for another recipient."""
    said[1].recipient_key = THIEF.public
    return said


def as_another_guess(said: Said, number: int) -> Said:
    """Under an id of its own."""
    for one in said:
        one.guess_id = draw(f"a carrier's guess {number}", 16)
    return said


def as_another_guess_to_own_key(said: Said, number: int) -> Said:
    """Both."""
    return to_own_key(as_another_guess(said, number), number)
