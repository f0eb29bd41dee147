"""One guess at an owner's PIN, at the k safes that answered first, and at others where those fail.

Every answer is checked when it comes: an evaluation against the safe's committed key share, a released share
of r against its commitment, the sealed secrets against the record. A safe that fails or lies is named, and
another is asked in its place with the same guess, so that no safe ever spends two for one.

    k safes released their part     the PIN is right, and the secrets open
    k safes refused                 it is wrong: at most k - 1 of them lie
    neither yet                     one more is asked, as long as there is one

What one safe says of the PIN is believed in neither case: it may refuse a right one, to be tried again until
the others are locked, or release for a wrong one, to have the others named as liars.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from threshold import feldman, hpke, oprf, shared_oprf
from threshold.errors import SealBroken, ThresholdError
from threshold.feldman import ScalarShare
from threshold.hpke import KeyPair
from threshold.oprf import Mode
from threshold.randomness import RandomSource
from threshold.ristretto import Point, Scalar
from threshold.shared_oprf import ShareEvaluation
from trust.errors import DocumentMalformed
from trust.ids import GuessId, SafeId
from trust.owner_record import (
    RELEASE_INFO,
    OwnerRecord,
    OwnerSecrets,
    ReleasedPart,
    WaySecrets,
    open_secrets,
    release_label,
    sealed_hash,
)
from trust.refusals import UnlockRefused
from trust.roster import Roster
from trust.unlock_proof import unlock_proof, unlock_tag
from wallet_client.network.failures import (
    OtherRecord,
    SafeFailure,
    TooSlow,
    WrongEvaluation,
    WrongOwnerPart,
)
from wallet_client.network.fan_out import fan_out
from wallet_client.network.links import Links
from wallet_client.operations.owner_errors import OwnerNotUnlocked, OwnerOutOfReach, OwnerRecordBroken
from wallet_client.owners.stretch import StretchedPin

_GUESS_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """The record that is to be tried.

    Args:
        record: Named by all of `keepers`.
        keepers: Safes to ask, those first that answered first; k or more.
        failed: What went wrong at the others.
    """

    record: OwnerRecord
    keepers: tuple[SafeId, ...]
    failed: Mapping[SafeId, SafeFailure]

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
        roster: For their names.
        found: Which record, and whom to ask.
        pin: Secret: stretched.
        rng: Draws the blind, the guess's id and the recipient key.
    """

    def __init__(
        self, links: Links, roster: Roster, found: FoundRecord, pin: StretchedPin, rng: RandomSource
    ) -> None:
        self._links = links
        self._roster = roster
        self._record = found.record
        self._xs = {place.safe_id: place.x for place in found.record.places}
        self._failed: dict[SafeId, SafeFailure] = dict(found.failed)
        self._untried = list(found.to_ask)
        self._blinded = oprf.blind(pin.reveal(), Mode.VOPRF, rng)
        self._guess_id = GuessId(rng.read(_GUESS_ID_BYTES))
        self._recipient = KeyPair(rng.read(hpke.PRIVATE_BYTES))
        self._commitments = _points(found.record.oprf_commitments)
        self._unlock_commitments = _points(found.record.unlock_commitments)
        self._evaluated: dict[SafeId, ShareEvaluation] = {}
        self._released: dict[SafeId, ReleasedPart] = {}
        self._refused: set[SafeId] = set()

    async def run(self) -> Unlocked:
        """Evaluate and unlock.

        Raises:
            OwnerOutOfReach, OwnerNotUnlocked: As `unlock_owner` has it.
            OwnerRecordBroken: Everything held, and what came out is not the owner's.
        """
        await self._evaluate(self._record.k)
        output = self._output(tuple(self._evaluated.values()))
        while True:
            await self._release(output)
            if len(self._released) >= self._record.k:
                return self._opened(output)
            missing = self._record.k - max(len(self._released), len(self._refused))
            if not missing:
                raise OwnerNotUnlocked
            await self._evaluate(missing)

    async def _evaluate(self, missing: int) -> None:
        """So many more evaluations that hold; each safe is asked once.

        Raises:
            OwnerOutOfReach, OwnerNotUnlocked: There are not so many safes left.
        """
        while missing:
            if len(self._untried) < missing:
                raise self._nobody_left()
            asked, self._untried = self._untried[:missing], self._untried[missing:]
            answers = await fan_out({safe_id: partial(self._evaluate_at, safe_id) for safe_id in asked})
            for safe_id in asked:
                self._failed.pop(safe_id, None)  # it was slow once
            self._failed |= answers.failed
            self._evaluated |= answers.good
            missing -= len(answers.good)

    async def _evaluate_at(self, safe_id: SafeId) -> ShareEvaluation:
        record = self._record
        link = self._links.to_owners(safe_id)
        answer = await link.evaluate(record.owner_id, record.record_id, self._guess_id, self._blinded.element)
        if answer.record_id != record.record_id:
            raise OtherRecord
        try:
            evaluation = ShareEvaluation(self._xs[safe_id], answer.element, answer.proof)
            shared_oprf.verify_evaluation(evaluation, self._blinded.element, self._commitments, record.k)
        except ThresholdError:
            raise WrongEvaluation from None
        return evaluation

    def _output(self, evaluations: Sequence[ShareEvaluation]) -> bytes:
        """Secret: what the PIN comes to under the OPRF key."""
        return oprf.finalize(self._blinded, shared_oprf.combine_evaluations(evaluations, self._record.k))

    async def _release(self, output: bytes) -> None:
        """Prove the PIN to every safe that evaluated it and was not asked yet."""
        asked = [one for one in self._evaluated if one not in self._released and one not in self._failed]
        answers = await fan_out({safe_id: partial(self._release_at, safe_id, output) for safe_id in asked})
        self._failed |= answers.failed
        self._released |= answers.good
        self._refused |= {
            safe_id for safe_id, failure in answers.failed.items() if isinstance(failure, UnlockRefused)
        }

    async def _release_at(self, safe_id: SafeId, output: bytes) -> ReleasedPart:
        record, guess_id, recipient = self._record, self._guess_id, self._recipient
        tag = unlock_tag(output, safe_id, record.record_id)
        proof = unlock_proof(tag, safe_id, guess_id, recipient.public, record.record_id)
        link = self._links.to_owners(safe_id)
        sealed = await link.unlock(record.owner_id, record.record_id, guess_id, recipient.public, proof)
        label = release_label(safe_id, guess_id, record.record_id)
        try:
            part = ReleasedPart.from_bytes(hpke.open_sealed(recipient, sealed, RELEASE_INFO, label))
            share = ScalarShare(self._xs[safe_id], Scalar.from_bytes(part.unlock_share))
            feldman.verify_share(share, self._unlock_commitments, record.k)
        except (ThresholdError, DocumentMalformed):
            raise WrongOwnerPart from None
        if sealed_hash(part.sealed) != record.sealed_hash:
            raise WrongOwnerPart
        return part

    def _nobody_left(self) -> OwnerNotUnlocked | OwnerOutOfReach:
        """What it comes to where no more safes can be asked."""
        if self._refused and not self._released:
            return OwnerNotUnlocked()
        good = sum(safe_id not in self._failed for safe_id in self._evaluated)
        return OwnerOutOfReach.of(self._roster, self._failed, good=good, needed=self._record.k, spent=True)

    def _opened(self, output: bytes) -> Unlocked:
        shares = [
            ScalarShare(self._xs[safe_id], Scalar.from_bytes(part.unlock_share))
            for safe_id, part in self._released.items()
        ]
        unlock_secret = feldman.combine(shares, self._record.k).to_bytes()
        sealed = next(iter(self._released.values())).sealed
        try:
            secrets = open_secrets(sealed, WaySecrets(unlock_secret, output), self._record)
        except SealBroken:
            raise OwnerRecordBroken from None
        return Unlocked(self._record, secrets, self._failed)


def _points(encoded: Sequence[bytes]) -> tuple[Point, ...]:
    """Raises OwnerRecordBroken where one is no point: k safes that agree on such a record made it up."""
    try:
        return tuple(Point.from_bytes(one) for one in encoded)
    except ThresholdError:
        raise OwnerRecordBroken from None
