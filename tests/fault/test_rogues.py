"""Rogues who have nearly everything: ten thousand tries in all, and none opens; each has a twin who does.

    k - 1 safes          everything they store, the PIN, and as many guesses at the rest as they like
    a stolen device      and k - 1 lying safes beside it; not the PIN
    a rogue authority    its real signing key, and k - 1 lying safes beside it; not the PIN
    a rogue carrier      everything that a recovery said, unsealed; not the recipient's key

The record asks for the PIN and a device, or the PIN and the authority. The safes are real servicers with real
databases; a lying safe is one whose stored shares the rogue evaluates by itself, so that it counts nothing.
The twin is the same program, with what the rogue lacks.
"""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from kura.safe.v1 import owner_pb2 as pb
from support.factors import (
    AUTHORITY_ALONE,
    AUTHORITY_AND_PIN,
    DEVICE,
    DEVICE_AND_PIN,
    access,
    asserted,
    device_of,
    enrolled,
    guess_by,
    secret_of,
    shown,
    touched,
    wrapping_pair,
)
from support.owner_safes import LocalSafe, LocalSafes, local_safes
from support.owners import PIN, DealtOwner, Guess
from support.safe_requests import seeded
from support.sample_documents import draw
from support.software_device import Device
from threshold import feldman, hpke, oprf, shared_oprf
from threshold.errors import SealBroken
from threshold.feldman import ScalarShare
from threshold.hpke import KeyPair
from threshold.oprf import Mode
from threshold.ristretto import Scalar
from trust.access_policy import Way
from trust.device_proof import unwrap_device_secret
from trust.errors import DocumentMalformed
from trust.ids import GuessId, SafeId
from trust.owner_record import (
    RELEASE_INFO,
    SEALED_BYTES,
    OwnerRecord,
    OwnerSecrets,
    ReleasedPart,
    WaySecrets,
    open_secrets,
    release_label,
)
from trust.owner_refusals import UnlockRefused
from trust.refusals import Refusal
from trust.unlock_proof import unlock_tag

OFFLINE, BY_DEVICE, BY_AUTHORITY, BY_CARRIER = 9_500, 100, 200, 200
assert OFFLINE + BY_DEVICE + BY_AUTHORITY + BY_CARRIER == 10_000
HOUR_MS = 3_600_000


@pytest.fixture
async def safes(tmp_path: Path) -> AsyncIterator[LocalSafes]:
    """Five, of which three open a record; the first two are the rogue's."""
    async with local_safes(tmp_path / "safes", 5, 3) as started:
        yield started


@pytest.fixture
def device(safes: LocalSafes) -> Device:
    return device_of(safes)


async def owner_of(safes: LocalSafes, device: Device, name: str) -> DealtOwner:
    """Asks for the PIN, and for one of the others."""
    return await enrolled(safes, name, access(DEVICE_AND_PIN, AUTHORITY_AND_PIN, devices=[device]))


class Loot:
    """What some safes store of one way into a record, and what can be made of it without any other safe."""

    def __init__(self, owner: DealtOwner, way: Way, safe_ids: Sequence[SafeId]) -> None:
        self.record: OwnerRecord = owner.records[way]
        body = self.record.to_bytes()
        self.parts = {
            safe_id: next(part for part in owner.versions[safe_id].parts if part.record == body)
            for safe_id in safe_ids
        }
        self.way = way
        self.sealed = next(iter(self.parts.values())).sealed_secrets

    def share(self, safe_id: SafeId, what: str) -> ScalarShare:
        return ScalarShare(
            self.record.x_at(safe_id) or 0, Scalar.from_bytes(getattr(self.parts[safe_id], what))
        )

    def combined(self, what: str) -> Scalar:
        """Of all shares there are: the secret where they are enough, and something else where not."""
        shares = [self.share(safe_id, what) for safe_id in self.parts]
        return feldman.combine(shares, len(shares))

    def tries(self, pin: bytes, device_secret: bytes) -> OwnerSecrets | None:
        """What a PIN and a device secret open of what was found."""
        output = oprf.evaluate(self.combined("oprf_share"), pin, Mode.VOPRF)
        under = WaySecrets(self.combined("unlock_share").to_bytes(), output, self.way, device_secret)
        try:
            return open_secrets(self.sealed[:SEALED_BYTES], under, self.record)
        except SealBroken:
            return None

    def betrays(self, pin: bytes) -> bool:
        """Whether what a safe recognises a PIN by shows the rogue which it is."""
        output = oprf.evaluate(self.combined("oprf_share"), pin, Mode.VOPRF)
        return any(
            unlock_tag(output, safe_id, self.record.record_id) == part.unlock_tag
            for safe_id, part in self.parts.items()
        )


async def test_k_minus_1_safes_open_nothing_with_all_they_store(safes: LocalSafes, device: Device) -> None:
    """Though they know the PIN, and have the device; a third safe's store is what they lack."""
    owner = await owner_of(safes, device, "robbed by safes")
    ids = [safe.safe_id for safe in safes.safes]
    for way in (DEVICE_AND_PIN, AUTHORITY_AND_PIN):
        few, enough = Loot(owner, way, ids[:2]), Loot(owner, way, ids[:3])
        secret = b""
        if "device" in way:
            label = few.record.owner_id + few.record.record_id
            wraps = few.sealed[SEALED_BYTES:]
            secret = unwrap_device_secret(wrapping_pair(device), wraps, device.credential_id, label)
        assert few.tries(PIN, secret) is None
        assert not few.betrays(PIN)
        assert enough.betrays(PIN)
        for number in range(OFFLINE // 2 - 1):
            assert few.tries(number.to_bytes(4), secret) is None
        assert enough.tries(PIN, secret) == owner.secrets
        assert enough.tries(b"0000", secret) is None


async def robbed(
    honest: LocalSafe, few: Loot, guess: Guess, evidence: dict[str, bytes], device: Device | None
) -> OwnerSecrets | None:
    """One try: two safes are the rogue's, which need not be asked; one honest safe is, to the end."""
    answer = await honest.ask(guess.request(**evidence))
    element = guess.blinded.element
    evaluations = [
        shared_oprf.evaluate_share(few.share(one, "oprf_share"), element, seeded(one.hex()))
        for one in few.parts
    ]
    try:
        evaluations.append(guess.check(honest.safe_id, answer))
    except Exception:  # noqa: BLE001 - an answer for another record; the rogue goes on with what it has
        honests = shared_oprf.evaluate_share(
            ScalarShare(few.record.x_at(honest.safe_id) or 0, Scalar.from_index(7)),
            element,
            seeded("made up"),
        )
        evaluations.append(honests)
    output = guess.output(evaluations)
    try:
        released = await honest.unlock(guess, output)
    except UnlockRefused:
        return None
    parts = {one: ReleasedPart(part.unlock_share, part.sealed_secrets) for one, part in few.parts.items()}
    parts[honest.safe_id] = released
    return guess.secrets(parts, output, b"" if device is None else secret_of(device, guess, parts))


class TestOnline:
    async def test_a_stolen_device_opens_nothing_without_the_pin(
        self, safes: LocalSafes, device: Device
    ) -> None:
        """Nor where it is said to be enough; with the PIN it opens, as soon as a guess is taken again."""
        owner = await owner_of(safes, device, "robbed of a device")
        few = Loot(owner, DEVICE_AND_PIN, [one.safe_id for one in safes.safes[:2]])
        honest = safes.safes[2]
        for number in range(BY_DEVICE):
            safes.clock.ms += HOUR_MS // 60
            guess = guess_by(owner, DEVICE_AND_PIN, f"device {number}", number.to_bytes(4))
            if number % 2:  # as if the device were a way by itself
                guess = Guess(guess.record, guess.blinded, guess.guess_id, guess.recipient, DEVICE)
            assert await robbed(honest, few, guess, await touched(safes, device, guess), device) is None

        twin = guess_by(owner, DEVICE_AND_PIN, "device and PIN")
        safes.clock.ms += 31 * 24 * HOUR_MS
        evidence = await touched(safes, device, twin)
        assert await robbed(honest, few, twin, evidence, device) == owner.secrets

    async def test_a_rogue_authority_opens_nothing_without_the_pin(
        self, safes: LocalSafes, device: Device
    ) -> None:
        """By its real key it asserts whom it likes; with the PIN it would be the owner."""
        owner = await owner_of(safes, device, "robbed by an authority")
        few = Loot(owner, AUTHORITY_AND_PIN, [one.safe_id for one in safes.safes[:2]])
        honest = safes.safes[3]
        for number in range(BY_AUTHORITY):
            safes.clock.ms += HOUR_MS // 60
            guess = guess_by(owner, AUTHORITY_AND_PIN, f"word {number}", number.to_bytes(4))
            if number % 2:
                guess = Guess(guess.record, guess.blinded, guess.guess_id, guess.recipient, AUTHORITY_ALONE)
            assert await robbed(honest, few, guess, shown(asserted(safes, guess)), None) is None

        twin = guess_by(owner, AUTHORITY_AND_PIN, "word and PIN")
        safes.clock.ms += 31 * 24 * HOUR_MS
        evidence = shown(asserted(safes, twin))
        assert await robbed(honest, few, twin, evidence, None) == owner.secrets

    async def test_a_carrier_that_saw_a_whole_recovery_opens_nothing(
        self, safes: LocalSafes, device: Device
    ) -> None:
        """Again, for its own key, under another guess; who has the recipient's key opens the same answers."""
        owner = await owner_of(safes, device, "robbed on the way")
        guess = guess_by(owner, DEVICE_AND_PIN, "carried")
        evidence = await touched(safes, device, guess)
        asked = safes.safes[:3]
        answers = [await one.ask(guess.request(**evidence)) for one in asked]
        checked = [guess.check(one.safe_id, said) for one, said in zip(asked, answers, strict=True)]
        output = guess.output(checked)
        seen = {safe.safe_id: guess.unlock_request(safe.safe_id, output) for safe in asked}
        sealed = [(await one.ask(seen[one.safe_id])).sealed_part for one in asked]

        thief = KeyPair(draw("carrier", 32))
        for number in range(BY_CARRIER):
            safe = asked[number % 3]
            given = await self._again(safe, guess, evidence, seen[safe.safe_id], thief, number)
            assert given is None or self._read(thief, safe, guess, given) is None

        read = {
            one.safe_id: part
            for one, answer in zip(asked, sealed, strict=True)
            if (part := self._read(guess.recipient, one, guess, answer)) is not None
        }
        assert guess.secrets(read, output, secret_of(device, guess, read)) == owner.secrets

    async def _again(
        self,
        safe: LocalSafe,
        guess: Guess,
        evidence: dict[str, bytes],
        seen: pb.UnlockRequest,
        thief: KeyPair,
        number: int,
    ) -> bytes | None:
        """One of four things that a carrier can say with what it heard; a sealed part if it gets one."""
        unlock = pb.UnlockRequest()
        unlock.CopyFrom(seen)
        request = guess.request(**evidence)
        kind = number // 3 % 4
        if kind in (1, 3):
            unlock.recipient_key = request.recipient_key = thief.public
        if kind in (2, 3):
            fresh = GuessId(draw(f"carrier's guess {number}", 16))
            unlock.guess_id = request.guess_id = fresh
        try:
            await safe.ask(request)
            part: bytes = (await safe.ask(unlock)).sealed_part
        except Refusal:
            return None
        return part

    def _read(self, pair: KeyPair, safe: LocalSafe, guess: Guess, sealed: bytes) -> ReleasedPart | None:
        label = release_label(safe.safe_id, guess.guess_id, guess.record.record_id)
        try:
            return ReleasedPart.from_bytes(hpke.open_sealed(pair, sealed, RELEASE_INFO, label))
        except (SealBroken, DocumentMalformed):
            return None
