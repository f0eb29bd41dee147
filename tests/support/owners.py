"""Owners as their wallets hold them: records dealt by hand, guesses made step by step, for tests to spoil.

A PIN is any bytes here; stretching it is the wallet's affair.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kura.safe.v1 import owner_pb2 as pb
from safe_node.decisions.admission import Membership
from safe_node.decisions.enrolment import admit_record
from safe_node.guesses import Attempt, UnlockClaim
from safe_node.handlers.owner_converters import read_version, write_way
from safe_node.owners import AdmittedRecord, CandidateRecord
from support.safe_requests import DECOY_SECRET, seeded
from support.sample_documents import NOW, draw, key
from threshold import feldman, hpke, oprf, shared_oprf
from threshold.dleq import Proof
from threshold.feldman import ScalarShare
from threshold.hpke import KeyPair
from threshold.oprf import BlindedInput, Mode
from threshold.randomness import RandomSource
from threshold.ristretto import Point, Scalar
from threshold.shared_oprf import ShareEvaluation
from trust.access_policy import PIN_ALONE, AccessPolicy, OwnersDevice, Way, sign_policy
from trust.device_proof import wrap_device_secret
from trust.documents import SigningKey
from trust.ids import AuthorityKey, GuessId, Hash, OwnerId, RecordId, SafeId, WalletKey
from trust.owner_record import (
    NO_PIN,
    RELEASE_INFO,
    SEALED_BYTES,
    OwnerRecord,
    OwnerSecrets,
    RecordPlace,
    ReleasedPart,
    WaySecrets,
    open_secrets,
    release_label,
    seal_secrets,
    sealed_hash,
)
from trust.roster import Roster
from trust.unlock_proof import unlock_proof, unlock_tag

PIN, WRONG_PIN = b"2718", b"3141"


@dataclass(frozen=True)
class DealtOwner:
    """A version of an owner's record with all its parts.

    Args:
        key: The owner's.
        secrets: What the record protects.
        policy: The ways into it.
        records: Of each way.
        versions: By safe, as they are sent.
    """

    key: SigningKey
    secrets: OwnerSecrets
    policy: AccessPolicy
    records: Mapping[Way, OwnerRecord]
    versions: Mapping[SafeId, pb.RecordVersion] = field(repr=False)

    @property
    def record(self) -> OwnerRecord:
        """Of the first way."""
        return self.records[self.policy.ways[0]]

    @property
    def owner_id(self) -> OwnerId:
        return self.policy.owner_id

    def part(self, safe_id: SafeId, way: Way | None = None) -> pb.RecordPart:
        """The part of one safe; of the first way by default."""
        at = 0 if way is None else self.policy.ways.index(way)
        return self.versions[safe_id].parts[at]

    def candidate(self, safe_id: SafeId) -> CandidateRecord:
        """What one safe gets, as it reads it."""
        return read_version(self.versions[safe_id])

    def admitted(self, safe_id: SafeId, roster: Roster) -> AdmittedRecord:
        """What one safe gets, checked."""
        membership = Membership.of(safe_id, [roster], DECOY_SECRET)
        return admit_record(self.candidate(safe_id), WalletKey(self.key.public), membership)


@dataclass(frozen=True)
class Access:
    """What an owner asks of who comes without a wallet."""

    ways: tuple[Way, ...] = (PIN_ALONE,)
    devices: tuple[OwnersDevice, ...] = ()
    authority: tuple[AuthorityKey, ...] = ()
    waiting_seconds: int = 0


DEVICE_SECRET = draw("device secret", 32)


def deal_owner(
    roster: Roster,
    name: str = "owner",
    *,
    pin: bytes = PIN,
    version: str = "first",
    guesses: int = 10,
    owner: str | None = None,
    access: Access = Access(),
    known_as: OwnerId | None = None,
) -> DealtOwner:
    """A record for all safes of a roster.

    Args:
        roster: Its safes get x = 1, 2, ..., and its threshold is k.
        name: Gives the owner id, unless `known_as` does.
        pin: Opens it.
        version: Names the randomness of this record.
        guesses: Wrong ones until it is locked.
        owner: Gives the owner's key; the name by default.
        access: The ways into it.
    """
    rng = seeded(f"record {version} of {name}")
    signing = key(f"owner key of {owner or name}")
    secrets = OwnerSecrets(signing.seed, draw(f"root of {name}", 32))
    owner_id = known_as or OwnerId(draw(f"owner id of {name}", 32))
    record_id = RecordId(rng.read(16))
    policy = AccessPolicy(
        owner_id,
        secrets.owner_key,
        record_id,
        NOW,
        access.ways,
        access.devices,
        access.authority,
        access.waiting_seconds,
    )
    signed = sign_policy(policy, signing)
    dealt = [_deal_way(roster, way, policy, secrets, pin, rng) for way in policy.ways]
    versions = {
        safe.safe_id: pb.RecordVersion(
            policy=signed.policy,
            policy_signature=signed.signature,
            parts=[parts[safe.safe_id] for _, parts in dealt],
            guesses=guesses,
        )
        for safe in roster.safes
    }
    records = {way: record for way, (record, _) in zip(policy.ways, dealt, strict=True)}
    return DealtOwner(signing, secrets, policy, records, versions)


def _deal_way(
    roster: Roster, way: Way, policy: AccessPolicy, secrets: OwnerSecrets, pin: bytes, rng: RandomSource
) -> tuple[OwnerRecord, dict[SafeId, pb.RecordPart]]:
    xs, name = range(1, len(roster.safes) + 1), (policy.owner_id, policy.record_id)
    unlock_secret, oprf_key = Scalar.random(rng), Scalar.random(rng)
    unlock = feldman.deal(unlock_secret, roster.threshold, xs, rng)
    evaluation = feldman.deal(oprf_key, roster.threshold, xs, rng)
    output = oprf.evaluate(oprf_key, pin if "pin" in way else NO_PIN, Mode.VOPRF)
    device_secret = DEVICE_SECRET if "device" in way else b""
    under = WaySecrets(unlock_secret.to_bytes(), output, way, device_secret)
    sealed = seal_secrets(secrets, under, *name)
    if device_secret:
        sealed += b"".join(
            wrap_device_secret(one.wrapping_key, device_secret, one.credential_id, b"".join(name))
            for one in policy.devices
        )
    record = OwnerRecord(
        owner_id=policy.owner_id,
        owner_key=policy.owner_key,
        record_id=policy.record_id,
        k=roster.threshold,
        places=tuple(RecordPlace(x, safe.safe_id) for x, safe in zip(xs, roster.safes, strict=True)),
        unlock_commitments=tuple(point.to_bytes() for point in unlock.commitments),
        oprf_commitments=tuple(point.to_bytes() for point in evaluation.commitments),
        sealed_hash=Hash(sealed_hash(sealed)),
    )
    parts = {
        safe.safe_id: pb.RecordPart(
            record=record.to_bytes(),
            unlock_share=unlock.shares[at].value.to_bytes(),
            oprf_share=evaluation.shares[at].value.to_bytes(),
            unlock_tag=unlock_tag(output, safe.safe_id, policy.record_id),
            sealed_secrets=sealed,
        )
        for at, safe in enumerate(roster.safes)
    }
    return record, parts


@dataclass(frozen=True)
class Guess:
    """One guess at a record, as a wallet makes it.

    Args:
        record: As BeginUnlock gave it.
        blinded: The PIN, blinded.
        guess_id: The same at every safe.
        recipient: To whom parts are sealed.
        way: By which factors.
    """

    record: OwnerRecord
    blinded: BlindedInput = field(repr=False)
    guess_id: GuessId
    recipient: KeyPair
    way: Way = PIN_ALONE

    def attempt(self, at_ms: int) -> Attempt:
        """As the safe reads it."""
        element = self.blinded.element.to_bytes()
        return Attempt(self.record.owner_id, self.record.record_id, self.guess_id, element, at_ms)

    def request(self, **evidence: bytes) -> pb.EvaluateRequest:
        """What is sent to every safe, with what proves the other factors."""
        if self.way != PIN_ALONE:
            evidence = {"recipient_key": self.recipient.public} | evidence
        return pb.EvaluateRequest(
            factors=[] if self.way == PIN_ALONE else write_way(self.way),
            owner_id=self.record.owner_id,
            record_id=self.record.record_id,
            guess_id=self.guess_id,
            blinded_element=self.blinded.element.to_bytes(),
            **evidence,
        )

    def check(self, safe_id: SafeId, answer: pb.EvaluateResponse) -> ShareEvaluation:
        """A safe's answer, held against its committed share."""
        assert answer.record_id == self.record.record_id
        x = self.record.x_at(safe_id)
        assert x is not None
        evaluation = ShareEvaluation(
            x, Point.from_bytes(answer.evaluated_element), Proof.from_bytes(answer.proof)
        )
        commitments = [Point.from_bytes(commitment) for commitment in self.record.oprf_commitments]
        shared_oprf.verify_evaluation(evaluation, self.blinded.element, commitments, self.record.k)
        return evaluation

    def output(self, evaluations: Sequence[ShareEvaluation]) -> bytes:
        """What the PIN comes to under the OPRF key, from k answers."""
        return oprf.finalize(self.blinded, shared_oprf.combine_evaluations(evaluations, self.record.k))

    def proof(self, safe_id: SafeId, output: bytes) -> bytes:
        """What shows a safe that the PIN was right."""
        tag = unlock_tag(output, safe_id, self.record.record_id)
        return unlock_proof(tag, safe_id, self.guess_id, self.recipient.public, self.record.record_id)

    def claim(self, safe_id: SafeId, output: bytes) -> UnlockClaim:
        """As the safe reads it."""
        record = self.record
        proof = self.proof(safe_id, output)
        return UnlockClaim(record.owner_id, record.record_id, self.guess_id, self.recipient.public, proof)

    def unlock_request(self, safe_id: SafeId, output: bytes) -> pb.UnlockRequest:
        """What is sent to one safe."""
        return pb.UnlockRequest(
            owner_id=self.record.owner_id,
            record_id=self.record.record_id,
            guess_id=self.guess_id,
            recipient_key=self.recipient.public,
            proof=self.proof(safe_id, output),
        )

    def part(self, safe_id: SafeId, sealed: bytes) -> ReleasedPart:
        """What a safe released, opened and held against the record."""
        label = release_label(safe_id, self.guess_id, self.record.record_id)
        part = ReleasedPart.from_bytes(hpke.open_sealed(self.recipient, sealed, RELEASE_INFO, label))
        assert sealed_hash(part.sealed) == self.record.sealed_hash
        return part

    def secrets(
        self, parts: Mapping[SafeId, ReleasedPart], output: bytes, device_secret: bytes = b""
    ) -> OwnerSecrets:
        """What k parts, the right PIN and the device secret open, where the way needs them."""
        shares = [
            ScalarShare(self.record.x_at(safe_id) or 0, Scalar.from_bytes(part.unlock_share))
            for safe_id, part in parts.items()
        ]
        unlock_secret = feldman.combine(shares, self.record.k)
        sealed = next(iter(parts.values())).sealed
        under = WaySecrets(unlock_secret.to_bytes(), output, self.way, device_secret)
        return open_secrets(sealed[:SEALED_BYTES], under, self.record)


def guess_at(record: OwnerRecord, pin: bytes = PIN, label: str = "guess", way: Way = PIN_ALONE) -> Guess:
    """A guess; equal labels give equal guesses."""
    rng = seeded(f"guess {label}")
    blinded = oprf.blind(pin if "pin" in way else NO_PIN, Mode.VOPRF, rng)
    return Guess(record, blinded, GuessId(rng.read(16)), KeyPair(rng.read(32)), way)


def output_of(owner: DealtOwner, roster: Roster, pin: bytes = PIN) -> bytes:
    """What the PIN comes to under the owner's OPRF key, from the shares themselves."""
    shares = [
        ScalarShare(place.x, Scalar.from_bytes(owner.part(place.safe_id).oprf_share))
        for place in owner.record.places
    ]
    return oprf.evaluate(feldman.combine(shares, roster.threshold), pin, Mode.VOPRF)
