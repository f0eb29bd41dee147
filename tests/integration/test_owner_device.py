"""Real safes judge a device by themselves: what it signs for them opens a record, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from hashlib import sha256

import pytest
import pytest_asyncio

from kura.safe.v1 import owner_pb2 as pb
from support.factors import (
    DEVICE,
    DEVICE_AND_PIN,
    access,
    device_of,
    enrolled,
    evaluated,
    guess_by,
    opened,
    signed_by,
    status,
    touched,
)
from support.owner_safes import LocalSafes, local_safes
from support.owners import WRONG_PIN, DealtOwner, Guess, guess_at
from support.sample_documents import draw, key
from support.software_device import Device
from threshold.hpke import KeyPair
from trust.access_policy import PIN_ALONE
from trust.device_proof import CHALLENGE_MS, SafeChallenge, SignedChallenge, relying_party, sign_challenge
from trust.ids import Hash, OwnerId
from trust.owner_refusals import UnlockRefused

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def three(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSafes]:
    """Three safes, of which two open a record; each test enrols an owner of its own."""
    async with local_safes(tmp_path_factory.mktemp("three"), 3, 2) as safes:
        yield safes


async def test_a_device_alone_opens_the_record(three: LocalSafes) -> None:
    """One touch for all safes; nothing is counted."""
    device = device_of(three)
    owner = await enrolled(three, "alice", access(DEVICE, PIN_ALONE, devices=[device_of(three), device]))
    guess = guess_by(owner, DEVICE, "alice")
    assert await opened(three, guess, await touched(three, device, guess), device) == owner.secrets
    assert [one.guesses_spent for one in (await status(three.safes[0], owner)).ways] == [0]


async def test_a_device_and_a_pin_open_the_record_together(three: LocalSafes) -> None:
    """A wrong PIN costs a guess of that way alone, and a right one gives it back."""
    device = device_of(three, verifies=True)
    owner = await enrolled(three, "bob", access(DEVICE_AND_PIN, PIN_ALONE, devices=[device]))
    wrong = guess_by(owner, DEVICE_AND_PIN, "bob, wrong", WRONG_PIN)
    with pytest.raises(UnlockRefused):
        await opened(three, wrong, await touched(three, device, wrong), device)
    right = guess_by(owner, DEVICE_AND_PIN, "bob, right")
    assert await opened(three, right, await touched(three, device, right), device) == owner.secrets
    told = await status(three.safes[0], owner)
    assert [(list(one.factors), one.guesses_spent) for one in told.ways] == [
        ([pb.FACTOR_DEVICE, pb.FACTOR_PIN], 1),
        ([pb.FACTOR_PIN], 0),
    ]
    assert told.guesses_spent == 1
    assert await three.unlock(owner.owner_id, label="bob, by the PIN alone") == owner.secrets


async def test_a_locked_pin_does_not_lock_the_device(three: LocalSafes) -> None:
    """Which anybody could do who knows the name."""
    device = device_of(three)
    owner = await enrolled(three, "carol", access(DEVICE, PIN_ALONE, devices=[device]), guesses=1)
    for safe in three.safes:
        await safe.ask(guess_at(owner.records[PIN_ALONE], WRONG_PIN, "carol").request())
        assert await safe.begin(owner.owner_id) != owner.records[PIN_ALONE]
    guess = guess_by(owner, DEVICE, "carol by her device")
    assert await opened(three, guess, await touched(three, device, guess), device) == owner.secrets


async def test_the_owners_wallet_gives_the_guesses_of_every_way_back(three: LocalSafes) -> None:
    device = device_of(three)
    owner, safe = (
        await enrolled(three, "dan", access(DEVICE_AND_PIN, devices=[device]), guesses=1),
        three.safes[0],
    )
    wrong = guess_by(owner, DEVICE_AND_PIN, "dan", WRONG_PIN)
    assert await evaluated(safe, wrong, await touched(three, device, wrong))
    assert await safe.begin(owner.owner_id, way=DEVICE_AND_PIN) != owner.record
    await safe.ask(pb.RearmRequest(), owner.key)
    assert await safe.begin(owner.owner_id, way=DEVICE_AND_PIN) == owner.record


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def finger(three: LocalSafes) -> Device:
    """A device that verifies its owner."""
    return device_of(three, verifies=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def erin(three: LocalSafes, finger: Device) -> DealtOwner:
    """An owner whose record that device opens."""
    return await enrolled(three, "erin", access(DEVICE, devices=[finger]))


class Try:
    """One try at Erin's record, to be spoilt."""

    def __init__(self, safes: LocalSafes, guess: Guess, device: Device) -> None:
        self.safes, self.guess, self.device = safes, guess, device

    @property
    def owner_id(self) -> OwnerId:
        return self.guess.record.owner_id

    async def challenges(self, owner_id: OwnerId | None = None) -> list[SignedChallenge]:
        return [(await safe.shown(owner_id or self.owner_id, DEVICE))[1] for safe in self.safes.safes]


def _plain(proof: bytes) -> Callable[[Try], Awaitable[bytes]]:
    async def same(one: Try) -> bytes:
        return proof

    return same


async def _others_challenges(one: Try) -> bytes:
    return signed_by(one.device, (await one.challenges())[1:], one.guess).to_bytes()


async def _fewer_signed(one: Try) -> bytes:
    shown = await one.challenges()
    return signed_by(one.device, shown, one.guess, signed=tuple(shown[:1])).to_bytes()


async def _another_owners(one: Try) -> bytes:
    return signed_by(one.device, await one.challenges(OwnerId(draw("x", 32))), one.guess).to_bytes()


async def _made_up(one: Try) -> bytes:
    safe = one.safes.safes[0]
    challenge = SafeChallenge(safe.safe_id, one.owner_id, one.safes.clock.ms, draw("nonce", 32))
    return signed_by(one.device, [sign_challenge(challenge, key("nobody"))], one.guess).to_bytes()


def _over(**changes: object) -> Callable[[Try], Awaitable[bytes]]:
    async def proof(one: Try) -> bytes:
        return signed_by(one.device, await one.challenges(), one.guess, **changes).to_bytes()

    return proof


async def _too_late(one: Try) -> bytes:
    challenges = await one.challenges()
    one.safes.clock.ms += CHALLENGE_MS
    return signed_by(one.device, challenges, one.guess).to_bytes()


async def _before_the_process(one: Try) -> bytes:
    challenges = await one.challenges()
    one.safes.clock.ms += 1
    await one.safes.safes[0].restart()
    return signed_by(one.device, challenges, one.guess).to_bytes()


async def _changed_signature(one: Try) -> bytes:
    proof = signed_by(one.device, await one.challenges(), one.guess)
    return proof.to_bytes()[:-1] + bytes([proof.signature[-1] ^ 1])


def _by(**changes: object) -> Callable[[Try], Awaitable[bytes]]:
    async def proof(one: Try) -> bytes:
        liar = replace(one.device, **changes)  # type: ignore[arg-type]
        return signed_by(liar, await one.challenges(), one.guess).to_bytes()

    return proof


async def _a_strangers_device(one: Try) -> bytes:
    return signed_by(device_of(one.safes, verifies=True), await one.challenges(), one.guess).to_bytes()


async def _a_strangers_key(one: Try) -> bytes:
    liar = device_of(one.safes, verifies=True, credential_id=one.device.credential_id)
    return signed_by(liar, await one.challenges(), one.guess).to_bytes()


NOT_TAKEN: dict[str, Callable[[Try], Awaitable[bytes]]] = {
    "no proof": _plain(b""),
    "no document": _plain(b"\xc1"),
    "other safes' challenges alone": _others_challenges,
    "a signature over fewer challenges than are shown": _fewer_signed,
    "challenges for another owner": _another_owners,
    "a challenge that the safe never signed": _made_up,
    "a signature for another recipient key": _over(recipient_key=KeyPair(draw("thief", 32)).public),
    "a signature for another guess": _over(guess_id=draw("another guess", 16)),
    "a signature for another element": _over(element=draw("another element", 32)),
    "a signature for another way": _over(way=DEVICE_AND_PIN),
    "a signature for another version of the record": _over(record_id=draw("another record", 16)),
    "a challenge of five minutes ago": _too_late,
    "a challenge from before the process": _before_the_process,
    "a changed signature": _changed_signature,
    "a device that did not verify its owner": _by(verifies=False),
    "nobody touched it": _by(present=False),
    "another origin": _by(origin="https://kura.example"),
    "another relying party": _by(relying_party=relying_party(Hash(draw("another roster", 32)))),
    "a stranger's device": _a_strangers_device,
    "a stranger's key under the device's name": _a_strangers_key,
}


@pytest.mark.parametrize("spoil", NOT_TAKEN.values(), ids=NOT_TAKEN)
async def test_nothing_is_evaluated_for(
    three: LocalSafes, erin: DealtOwner, finger: Device, spoil: Callable[[Try], Awaitable[bytes]]
) -> None:
    """And the same guess is taken with a proof that holds: what is refused uses nothing up."""
    safe, guess = three.safes[0], guess_by(erin, DEVICE, f"erin {spoil.__name__} {id(spoil)}")
    assert not await evaluated(safe, guess, {"device_proof": await spoil(Try(three, guess, finger))})
    finger.counter += 10
    assert await evaluated(safe, guess, await touched(three, finger, guess))
    assert not (await status(safe, erin)).copied_devices


async def test_a_proof_is_good_for_one_guess(three: LocalSafes) -> None:
    """Which may be repeated, and for no other: a safe that is shown it cannot outrun the wallet elsewhere."""
    device = device_of(three, counts=False)
    owner, safe = await enrolled(three, "frank", access(DEVICE, devices=[device])), three.safes[0]
    guess = guess_by(owner, DEVICE, "frank")
    evidence = await touched(three, device, guess)
    first, again = [await safe.ask(guess.request(**evidence)) for _ in range(2)]
    assert first.evaluated_element == again.evaluated_element
    other = replace(guess_by(owner, DEVICE, "frank, again"), recipient=guess.recipient)
    assert not await evaluated(safe, other, evidence)
    assert not await evaluated(three.safes[1], other, evidence)
    assert await evaluated(three.safes[1], guess, evidence)


async def test_a_guess_is_repeated_without_another_look_at_the_device(three: LocalSafes) -> None:
    """Its answer was lost, and the safe came up again meanwhile."""
    device = device_of(three)
    owner, safe = await enrolled(three, "gina", access(DEVICE, devices=[device])), three.safes[0]
    guess = guess_by(owner, DEVICE, "gina")
    assert await evaluated(safe, guess, await touched(three, device, guess))
    await safe.restart()
    assert await evaluated(safe, guess, {"device_proof": b""})


async def test_a_device_that_never_counts_is_believed(three: LocalSafes) -> None:
    device = device_of(three, counts=False)
    owner = await enrolled(three, "heidi", access(DEVICE, devices=[device]))
    for number in range(2):
        guess = guess_by(owner, DEVICE, f"heidi {number}")
        assert await evaluated(three.safes[0], guess, await touched(three, device, guess))
    assert not (await status(three.safes[0], owner)).copied_devices


async def test_a_counter_that_goes_back_is_refused_and_told(three: LocalSafes) -> None:
    """Durably; the device itself, whose counter is ahead, goes on."""
    device = device_of(three, counter=5)
    owner, safe = await enrolled(three, "ivan", access(DEVICE, devices=[device])), three.safes[0]
    copy = replace(device)

    async def tried(by: Device, label: str) -> bool:
        guess = guess_by(owner, DEVICE, label)
        return await evaluated(safe, guess, await touched(three, by, guess))

    assert await tried(device, "ivan")
    assert not await tried(copy, "ivan's copy")
    await safe.restart()
    name = sha256(device.credential_id).digest()
    assert list((await status(safe, owner)).copied_devices) == [name]
    assert not await tried(replace(copy, counter=0, counts=False), "ivan's copy, at zero")
    assert await tried(device, "ivan again")


async def test_a_part_goes_to_no_other_recipient_than_the_device_signed_for(three: LocalSafes) -> None:
    """Though the proof of the PIN is right."""
    device = device_of(three)
    owner = await enrolled(three, "judy", access(DEVICE, devices=[device]))
    guess = guess_by(owner, DEVICE, "judy")
    evidence, asked = await touched(three, device, guess), three.safes[:2]
    output = guess.output(
        [guess.check(one.safe_id, await one.ask(guess.request(**evidence))) for one in asked]
    )
    thief = replace(guess, recipient=KeyPair(draw("thief", 32)))
    with pytest.raises(UnlockRefused):
        await asked[0].unlock(thief, output)
    assert (await asked[0].unlock(guess, output)).unlock_share == owner.part(asked[0].safe_id).unlock_share


async def test_of_fifty_guesses_at_once_with_one_proof_one_is_taken(three: LocalSafes) -> None:
    device = device_of(three, counts=False)
    owner, safe = await enrolled(three, "karl", access(DEVICE, devices=[device])), three.safes[0]
    first = guess_by(owner, DEVICE, "karl")
    evidence = await touched(three, device, first)

    async def show(number: int) -> bool:
        other = replace(guess_by(owner, DEVICE, f"karl {number}"), recipient=first.recipient)
        return await evaluated(safe, other if number else first, evidence)

    assert sum(await asyncio.gather(*(show(number) for number in range(50)))) == 1
