"""One guess at an owner's record, at the k safes that answered first, and at others where those fail.

Every answer is checked when it comes: an evaluation against the safe's committed key share, a released share
of r against its commitment, the sealed secrets against the record. A safe that fails or lies is named, and
another is asked in its place with the same guess, so that no safe ever spends two for one. The device signs
once, for all safes that gave it a challenge; the authority's word is for all safes of the roster.

    k safes released their part        all factors are right, and the secrets open
    k safes refused                    one is wrong: at most k - 1 of them lie
    k safes released it, or will       the owner's waiting period runs: all others are asked to begin it too
    neither yet                        one more is asked, as long as there is one

What one safe says is believed in no case: it may refuse what is right, to be tried again until the others are
locked, or release for a wrong PIN, to have the others named as liars, or make one wait for ever.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from threshold import hpke, oprf, shared_oprf
from threshold.errors import ThresholdError
from threshold.hpke import KeyPair
from threshold.oprf import Mode
from threshold.randomness import RandomSource
from threshold.shared_oprf import ShareEvaluation
from trust.access_policy import PIN_ALONE
from trust.device_proof import SignedChallenge, challenge_hash
from trust.ids import GuessId, SafeId
from trust.login import Login
from trust.owner_record import (
    OwnerRecord,
    OwnerSecrets,
    ReleasedPart,
)
from trust.owner_refusals import UnlockRefused
from trust.roster import Roster
from wallet_client.network.failures import OtherRecord, SafeFailure, TooSlow, WrongEvaluation
from wallet_client.network.fan_out import fan_out
from wallet_client.network.links import Links
from wallet_client.network.owner_messages import Evidence
from wallet_client.operations.owner_errors import OwnerNotUnlocked, OwnerOutOfReach
from wallet_client.operations.unlock_claim import Claim, open_claim, points, release_at, whole_second
from wallet_client.operations.waiting_errors import RecoveryWaits
from wallet_client.owners.devices import DeviceAnswer, DeviceQuestion
from wallet_client.owners.factors import Factors

_GUESS_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """The record that is to be tried.

    Args:
        record: Named by all of `keepers`.
        keepers: Safes to ask, those first that answered first; k or more.
        failed: What went wrong at the others.
        challenges: For a device, by keeper; each is that safe's.
    """

    record: OwnerRecord
    keepers: tuple[SafeId, ...]
    failed: Mapping[SafeId, SafeFailure]
    challenges: Mapping[SafeId, SignedChallenge] = field(default_factory=dict)

    @property
    def to_ask(self) -> tuple[SafeId, ...]:
        """The keepers, and behind them those that were only slow, where the record has a part."""
        slow = [safe_id for safe_id, failure in self.failed.items() if isinstance(failure, TooSlow)]
        return (*self.keepers, *(one for one in slow if self.record.x_at(one) is not None))


@dataclass(frozen=True, slots=True)
class Unlocked:
    """An owner's record, opened.

    Args:
        record: Which.
        secrets: Secret.
        failed: What went wrong, by safe, although it is open.
    """

    record: OwnerRecord
    secrets: OwnerSecrets = field(repr=False)
    failed: Mapping[SafeId, SafeFailure]


class Attempt:
    """One guess.

    Args:
        links: To the safes.
        rosters: Every version, the newest last.
        found: Which record, and whom to ask.
        factors: Secret.
        rng: Draws the blind, the guess's id and the recipient key.
    """

    def __init__(
        self,
        links: Links,
        rosters: Sequence[Roster],
        found: FoundRecord,
        factors: Factors,
        rng: RandomSource,
    ) -> None:
        self._links = links
        self._roster, self._genesis = rosters[-1], rosters[0].fingerprint
        self._found, self._record = found, found.record
        self._factors = factors
        self._xs = {place.safe_id: place.x for place in found.record.places}
        self._failed: dict[SafeId, SafeFailure] = dict(found.failed)
        to_ask = found.keepers if "device" in factors.way else found.to_ask
        self._untried = list(to_ask)
        self._blinded = oprf.blind(factors.input, Mode.VOPRF, rng)
        self._guess_id = GuessId(rng.read(_GUESS_ID_BYTES))
        self._recipient = KeyPair(rng.read(hpke.PRIVATE_BYTES))
        self._commitments = points(found.record.oprf_commitments)
        points(found.record.unlock_commitments)
        self._answer: DeviceAnswer | None = None
        self._evidence = Evidence()
        self._evaluated: dict[SafeId, ShareEvaluation] = {}
        self._released: dict[SafeId, ReleasedPart] = {}
        self._waiting: dict[SafeId, int] = {}
        self._refused: set[SafeId] = set()

    async def run(self) -> Unlocked:
        """Evaluate and unlock.

        Raises:
            OwnerOutOfReach, OwnerNotUnlocked, RecoveryWaits: As `unlock_owner` has it.
            OwnerRecordBroken: Everything held, and what came out is not the owner's.
            DeviceFailed, AuthorityFailed: A factor could not be had; no guess was spent.
        """
        await self._prove()
        await self._evaluate(self._record.k)
        claim = self._claim()
        while True:
            await self._release(claim)
            if len(self._released) >= self._record.k:
                return Unlocked(self._record, open_claim(claim, self._released), self._failed)
            missing = self._record.k - max(len(self._released) + len(self._waiting), len(self._refused))
            if missing > 0:
                await self._evaluate(missing)
            elif len(self._refused) >= self._record.k:
                raise OwnerNotUnlocked(self._factors.way)
            elif self._untried:
                await self._ask(len(self._untried))
            else:
                raise RecoveryWaits(whole_second(self._until_ms()), claim, tuple(self._evaluated))

    async def _prove(self) -> None:
        """Have the authority's word, and the device's one signature, for this guess."""
        way, factors, login = self._factors.way, self._factors, self._login()
        asserted = proof = None
        if "authority" in way and factors.asserted:
            asserted = await factors.asserted(login)
        if "device" in way and factors.device:
            challenges = tuple(sorted(self._found.challenges.values(), key=lambda one: one.challenge))
            signed = challenge_hash(challenges, login)
            question = DeviceQuestion(self._genesis, self._record.owner_id, signed)
            self._answer = await asyncio.to_thread(factors.device.answer, question)
            proof = self._answer.proof(challenges)
        self._evidence = Evidence(
            way,
            self._recipient.public if asserted or proof else b"",
            proof.to_bytes() if proof else b"",
            asserted.assertion if asserted else b"",
            asserted.authority if asserted else b"",
        )

    def _login(self) -> Login:
        record, element = self._record, self._blinded.element.to_bytes()
        names = (record.owner_id, self._factors.way, record.record_id, self._guess_id)
        return Login(*names, element, self._recipient.public)

    async def _evaluate(self, missing: int) -> None:
        """So many more evaluations that hold; each safe is asked once.

        Raises:
            OwnerOutOfReach, OwnerNotUnlocked: There are not so many safes left.
        """
        while missing:
            if len(self._untried) < missing:
                raise self._nobody_left()
            missing -= await self._ask(missing)

    async def _ask(self, count: int) -> int:
        """Have the next safes evaluate; how many did."""
        asked, self._untried = self._untried[:count], self._untried[count:]
        answers = await fan_out({safe_id: partial(self._evaluate_at, safe_id) for safe_id in asked})
        for safe_id in asked:
            self._failed.pop(safe_id, None)  # it was slow once
        self._failed |= answers.failed
        self._evaluated |= answers.good
        return len(answers.good)

    async def _evaluate_at(self, safe_id: SafeId) -> ShareEvaluation:
        record = self._record
        link = self._links.to_owners(safe_id)
        answer = await link.evaluate(
            record.owner_id, record.record_id, self._guess_id, self._blinded.element, self._evidence
        )
        if answer.record_id != record.record_id:
            raise OtherRecord
        try:
            evaluation = ShareEvaluation(self._xs[safe_id], answer.element, answer.proof)
            shared_oprf.verify_evaluation(evaluation, self._blinded.element, self._commitments, record.k)
        except ThresholdError:
            raise WrongEvaluation from None
        return evaluation

    def _claim(self) -> Claim:
        """Secret: what the factors come to under the OPRF key, and what goes with it."""
        evaluations = shared_oprf.combine_evaluations(tuple(self._evaluated.values()), self._record.k)
        return Claim(
            record=self._record.to_bytes(),
            guess_id=self._guess_id,
            recipient=self._recipient.private,
            output=oprf.finalize(self._blinded, evaluations),
            way=self._factors.way,
            credential_id=self._answer.credential_id if self._answer else b"",
            device_secret=self._answer.secret if self._answer else b"",
        )

    async def _release(self, claim: Claim) -> None:
        """Prove the PIN to every safe that evaluated it and was not asked yet."""
        told = {*self._released, *self._waiting, *self._failed}
        asked = [one for one in self._evaluated if one not in told]
        as_wallet = self._factors.as_wallet
        calls = {
            safe_id: partial(release_at, self._links, claim, safe_id, as_wallet=as_wallet)
            for safe_id in asked
        }
        answers = await fan_out(calls)
        self._failed |= answers.failed
        for safe_id, given in answers.good.items():
            if isinstance(given, int):
                self._waiting[safe_id] = given
            else:
                self._released[safe_id] = given
        self._refused |= {
            safe_id for safe_id, failure in answers.failed.items() if isinstance(failure, UnlockRefused)
        }

    def _until_ms(self) -> int:
        """When k parts are to be had, by what each safe says: liars among them cannot bring it forward."""
        return sorted([0] * len(self._released) + list(self._waiting.values()))[self._record.k - 1]

    def _nobody_left(self) -> OwnerNotUnlocked | OwnerOutOfReach:
        """What it comes to where no more safes can be asked.

        A safe that does not believe a device or an authority answers for another record, as for nobody's.
        """
        others = sum(isinstance(failure, OtherRecord) for failure in self._failed.values())
        unbelieved = self._factors.way != PIN_ALONE and others >= self._record.k
        if (self._refused and not self._released) or unbelieved:
            return OwnerNotUnlocked(self._factors.way)
        good = sum(safe_id not in self._failed for safe_id in self._evaluated)
        return OwnerOutOfReach.of(self._roster, self._failed, good=good, needed=self._record.k, spent=True)
