"""What a rogue holds, what became of its tries, and how many there were."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from kura.safe.v1 import owner_pb2, safe_pb2
from support.owners import Guess
from support.rogues.scene import Scene, Victim
from trust.documents import SigningKey
from trust.refusals import Refusal


class Why(Enum):
    """What a try comes to that no party refuses by a reason of its own."""

    NOT_TAKEN = "the safe evaluates nothing of the record and spends no guess; a proof is then UNLOCK_REFUSED"
    WRONG_GUESS = "the safe spends a guess and evaluates it; its proof is UNLOCK_REFUSED"
    FOR_ANOTHER = "what comes is sealed to a key that the rogue does not have"
    TOO_LITTLE = "what there is does not open"


Reason: TypeAlias = Why | type[Refusal] | tuple[type[Refusal], str]
"""A refusal by its type, and by what it names where it names something."""


class Foiled(Exception):
    """A try opened nothing."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True)
class Gathering:
    """What a gateway was shown by a wallet, and what it passed on.

    Args:
        request: The grant, its signature, and the lists of certificates.
        answers: What the safes sealed.
        kept: A grant of that wallet's from an hour ago, and its signature.
    """

    request: safe_pb2.GatherRequest
    answers: Sequence[safe_pb2.GatherResponse]
    kept: tuple[bytes, bytes]


@dataclass(frozen=True)
class OverheardUnlock:
    """What was said when an owner recovered, as if no envelope had been around it; by the safe's name.

    Args:
        victim: Who recovered.
        evaluate: The same for every safe.
        unlock: To each.
    """

    victim: Victim
    evaluate: owner_pb2.EvaluateRequest
    unlock: Mapping[str, owner_pb2.UnlockRequest]


@dataclass(frozen=True)
class Hand:
    """What a rogue holds; a twin is one with something more.

    Args:
        name: Tells its guesses from another's.
        stores: Databases of safes.
        signing: Secret: the authority's signing key.
        identity: Secret: and the one that signs what the authority says of itself.
        password: Secret: of the first victim, at the authority; else it guesses.
        pin: Secret: of every victim; else it guesses.
        has_device: The victims' devices, with all their secrets; else it makes one up.
        gathering: What it heard as the gateway of a wallet.
        wallet: Secret: the signing key of that wallet.
        unlock: What it heard of an owner's recovery.
        guess: Secret: what the recovering wallet kept to itself, the recipient key among it.
        third: The safe whose keys it has, beside the two that are its own.
    """

    name: str
    stores: tuple[Path, ...] = ()
    signing: SigningKey | None = None
    identity: SigningKey | None = None
    password: str | None = None
    pin: bytes | None = None
    has_device: bool = False
    gathering: Gathering | None = None
    wallet: SigningKey | None = None
    unlock: OverheardUnlock | None = None
    guess: Guess | None = None
    third: str | None = None


Try: TypeAlias = Callable[[Scene, Hand, int], Awaitable[object]]
"""Gives what it opened; raises Foiled, or the Refusal of who refused. The number makes each try another."""


@dataclass(frozen=True)
class Row:
    """One thing that a rogue does, again and again.

    Args:
        says: The sentence.
        tries: How often.
        does: One of them.
        why: What each of them comes to.
        alone: It asks no process.
    """

    says: str
    tries: int
    does: Try
    why: Reason
    alone: bool = False


@dataclass
class Tally:
    """What became of tries.

    Args:
        foiled: How often, by sentence and reason.
        opened: Sentences of those that opened something.
    """

    foiled: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    opened: list[str] = field(default_factory=list)

    @property
    def tries(self) -> int:
        return self.foiled.total() + len(self.opened)


async def tried(scene: Scene, hand: Hand, rows: Sequence[Row]) -> Tally:
    """Every row after the other; within one, each of the safes that are asked is asked once at a time."""
    tally = Tally()
    for row in rows:
        numbers = range(tally.tries, tally.tries + row.tries)
        at_once = len(scene.doors)
        lanes = (_lane(scene, hand, row, tally, numbers[at::at_once]) for at in range(at_once))
        await asyncio.gather(*lanes)
    return tally


def expected(rows: Sequence[Row]) -> Counter[tuple[str, Reason]]:
    """What the table says."""
    return Counter({(row.says, row.why): row.tries for row in rows})


async def _lane(scene: Scene, hand: Hand, row: Row, tally: Tally, numbers: range) -> None:
    for number in numbers:
        try:
            await row.does(scene, hand, number)
        except Foiled as foiled:
            tally.foiled[row.says, foiled.why] += 1
        except Refusal as refusal:
            tally.foiled[row.says, reason_of(refusal)] += 1
        else:
            tally.opened.append(row.says)


def reason_of(refusal: Refusal) -> Reason:
    """As rows have it."""
    named = getattr(refusal, "field", "")
    return (type(refusal), named) if named else type(refusal)
