"""However safes die, lose answers, or are put back to an older database, nobody tries more PINs than allowed.

A thief who has bought c of n safes tries floor((n - c) G / (k - c)) (docs/DESIGN.md section 6), and no fault
takes a guess from the owner. Real processes are killed with SIGKILL while they answer. A bought safe is the
honest program, whose database is put back to that of the enrolment whenever it refuses: so it does not count.
"""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kura.safe.v1 import owner_pb2 as pb
from rpc_edge.client import SignedCaller
from rpc_edge.tls import pinned_channel
from support.cluster import LocalCluster
from support.owners import DealtOwner, Guess, deal_owner, guess_at
from support.safe_process import now_ms
from threshold.randomness import SystemRandomness
from threshold.shared_oprf import ShareEvaluation
from trust.documents import SigningKey
from trust.roster import SafeEntry
from wallet_client.network.failures import is_failure_of_safe
from wallet_client.owners.dealing import true_total_of_guesses

GUESSES = 3
"""Fewer than those after which a safe waits: these safes go by the real clock."""
SECONDS = 20.0
STRANGER = SigningKey(bytes(32))


@dataclass
class Thief:
    """Tries PINs at all safes.

    Args:
        bought: Names of the safes that are put back.
        backup: Folder of their databases, as they were after the enrolment.
        dice: Whom to ask first among equals.
        seen: Evaluations with the record's share, by safe.
        tried: Guesses that k safes evaluated.
    """

    cluster: LocalCluster
    owner: DealtOwner
    bought: Sequence[str]
    backup: Path
    dice: random.Random
    seen: dict[str, int] = field(default_factory=dict)
    tried: int = 0

    @classmethod
    async def arrived(cls, cluster: LocalCluster, folder: Path, bought: int, seed: str) -> "Thief":
        """Somebody has just been enrolled."""
        owner = deal_owner(cluster.roster, f"{seed} {bought}", guesses=GUESSES)
        thief = cls(cluster, owner, cluster.names[:bought], folder, random.Random(seed))
        for entry in cluster.roster.safes:
            async with caller(entry, owner.key) as call:
                request = pb.EnrollRequest(version=owner.versions[entry.safe_id])
                await call.unary(_method("Enroll"), request, pb.EnrollResponse, SECONDS)
        cluster.stop(*thief.bought)
        for name in thief.bought:
            shutil.copytree(thief._data(name), folder / name)
        cluster.start(*thief.bought)
        return thief

    @property
    def honest(self) -> list[str]:
        """The others, the least used first."""
        names = [name for name in self.cluster.names if name not in self.bought]
        return sorted(names, key=lambda name: (self.seen.get(name, 0), self.dice.random()))

    async def try_pin(self, number: int, *, victim: str = "") -> bool:
        """Ask one safe after the other until k have evaluated; whether they did.

        Args:
            number: Names the PIN.
            victim: A safe that is killed while it answers, and asked again for the same.
        """
        guess, answers = self._guess(number), list[ShareEvaluation]()
        for name in (*self.bought, *self.honest):
            if name == victim:
                await self._killed_while(name, guess)
            answer = await self._evaluation(name, guess)
            if answer is None and name in self.bought:
                self._put_back(name)
                answer = await self._evaluation(name, guess)
            if answer is not None:
                answers.append(answer)
            if len(answers) == self.owner.record.k:
                break
        return self._count(guess, answers)

    async def try_pins_at_once(self, numbers: Sequence[int], victim: str) -> None:
        """Ask all safes for all of them at once, while one is killed, and then again."""
        guesses = [self._guess(number) for number in numbers]
        first = [self._answer(name, guess) for guess in guesses for name in self.cluster.names]
        running = asyncio.gather(*first, return_exceptions=True)
        await asyncio.to_thread(self.cluster.kill, victim)
        await running
        await asyncio.to_thread(self.cluster.start, victim)
        for guess in guesses:
            asked = await asyncio.gather(*(self._evaluation(name, guess) for name in self.cluster.names))
            self._count(guess, [one for one in asked if one is not None])

    def _guess(self, number: int) -> Guess:
        return guess_at(self.owner.record, f"{number:04}".encode(), f"{number} {self.owner.owner_id.hex()}")

    def _count(self, guess: Guess, answers: Sequence[ShareEvaluation]) -> bool:
        enough = len(answers) >= self.owner.record.k
        if enough:
            assert len(guess.output(answers[: self.owner.record.k])) == 64
            self.tried += 1
        return enough

    async def _evaluation(self, name: str, guess: Guess) -> ShareEvaluation | None:
        """With the safe's share of the record, proven; None where it evaluates a decoy."""
        answer = await self._answer(name, guess)
        if answer.record_id != self.owner.record.record_id:
            return None
        self.seen[name] = self.seen.get(name, 0) + 1
        return guess.check(self._entry(name).safe_id, answer)

    async def _answer(self, name: str, guess: Guess) -> pb.EvaluateResponse:
        async with caller(self._entry(name)) as call:
            request, method = guess.request(), _method("Evaluate")
            return await call.unary(method, request, pb.EvaluateResponse, SECONDS, signed=False)

    async def _killed_while(self, name: str, guess: Guess) -> None:
        """Its answer came before it died, or never."""
        asked = asyncio.ensure_future(self._answer(name, guess))
        await asyncio.to_thread(self.cluster.kill, name)
        try:
            await asked
        except Exception as error:
            if not is_failure_of_safe(error):
                raise
        await asyncio.to_thread(self.cluster.start, name)

    def _put_back(self, name: str) -> None:
        self.cluster.stop(name)
        shutil.rmtree(self._data(name))
        shutil.copytree(self.backup / name, self._data(name))
        self.cluster.start(name)

    def _data(self, name: str) -> Path:
        return self.cluster.folder(name) / "data"

    def _entry(self, name: str) -> SafeEntry:
        return self.cluster.roster.safes[self.cluster.names.index(name)]


def _method(name: str) -> str:
    return f"/kura.safe.v1.OwnerService/{name}"


@asynccontextmanager
async def caller(entry: SafeEntry, key: SigningKey = STRANGER) -> AsyncIterator[SignedCaller]:
    """A connection of its own, as every call of a thief has."""
    channel = pinned_channel(entry.endpoint, entry.tls_certificate, entry.name)
    try:
        yield SignedCaller(channel, entry.safe_id, key, now_ms, SystemRandomness())
    finally:
        await channel.close()


@pytest.mark.parametrize("bought", [0, 1, 2])
async def test_the_total_is_reached_and_never_exceeded(
    bought: int, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Every second guess kills an honest safe: no guess is given away, and none is spent twice."""
    thief = await Thief.arrived(cluster, tmp_path, bought, "one after the other")
    n, k = len(cluster.names), cluster.roster.threshold
    total = true_total_of_guesses(n, k, GUESSES, bought)
    for number in range(total + 2):
        victim = thief.honest[0] if number % 2 else ""
        assert await thief.try_pin(number, victim=victim) == (number < total)
    assert thief.tried == total
    assert {thief.seen[name] for name in thief.honest} == {GUESSES}


async def test_guesses_at_once_add_nothing(cluster: LocalCluster, tmp_path: Path) -> None:
    """Twice as many as all safes together allow, all at once at all safes, one of which dies on the way."""
    thief = await Thief.arrived(cluster, tmp_path, 0, "at once")
    total = true_total_of_guesses(len(cluster.names), cluster.roster.threshold, GUESSES, 0)
    await thief.try_pins_at_once(range(2 * total), thief.dice.choice(cluster.names))
    assert 0 < thief.tried <= total
    assert not await thief.try_pin(2 * total)
    assert max(thief.seen.values()) == GUESSES
