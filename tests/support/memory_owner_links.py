"""A caller's link to the owners' half of a safe in memory; stands in for the wallet's OwnerLink.

Each call is what the real safe makes of it: the same decision, on a store that is a dictionary.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from kura.safe.v1 import owner_pb2 as pb
from rpc_edge.errors import ConnectionLost
from safe_node.accounts import WalletState
from safe_node.decisions.accounts import (
    judge_authorisation,
    judge_revocation,
    plan_authorisation,
    plan_rearming,
)
from safe_node.decisions.decoy import decoy_tag
from safe_node.decisions.enrolment import plan_commit, plan_drop, plan_enrolment, plan_staging
from safe_node.decisions.evaluating import evaluate_guess
from safe_node.decisions.guessing import next_guess_at_ms, plan_guess, target_now
from safe_node.decisions.undeletion import judge_forgetting, plan_forgetting
from safe_node.decisions.unlocking import plan_unlock, seal_part
from safe_node.guesses import Attempt, KnownGuess, UnlockClaim
from safe_node.owners import EnrolmentState, KeptOwner
from support.memory_catalogues import catalogue_of
from support.memory_owner_safes import DECOY_SECRET, MemoryOwnerSafe
from support.safe_requests import seeded
from threshold.ristretto import Point
from trust.access_policy import PIN_ALONE, Factor
from trust.authorisation import SignedAuthorisation
from trust.device_proof import SignedChallenge
from trust.ids import GuessId, OwnerId, OwnerKey, RecordId, Signature, WalletKey
from wallet_client.network.owner_catalogue import SafesCatalogue
from wallet_client.network.owner_link import BY_PIN
from wallet_client.network.owner_messages import Begun, EvaluatedShare, Evidence, Given, VersionToKeep

_Answer = TypeVar("_Answer")


class MemoryOwnerLink:
    """A caller's link to it; stands in for OwnerLink.

    Args:
        safe: That is called.
        caller: Whose signature the calls carry.
    """

    def __init__(self, safe: MemoryOwnerSafe, caller: WalletKey) -> None:
        self._safe = safe
        self._caller = caller

    async def begin_unlock(
        self, owner_id: OwnerId, record_id: RecordId | None = None, way: tuple[Factor, ...] = PIN_ALONE
    ) -> Begun:
        """As OwnerLink; for the PIN alone."""
        safe = self._safe

        def work() -> Begun:
            first = safe.decoy(owner_id).record_id
            target = target_now(safe.guesses_at(owner_id), record_id, first, safe.now_ms)
            decoy = safe.decoy(owner_id, waiting=target.waiting)
            shown = safe.faults.shows(decoy.record() if target.part is None else target.part.record)
            return Begun(shown, SignedChallenge(b"", Signature(bytes(64))))

        return await self._call("begin_unlock", work)

    async def evaluate(
        self,
        owner_id: OwnerId,
        record_id: RecordId,
        guess_id: GuessId,
        blinded: Point,
        evidence: Evidence = BY_PIN,
    ) -> EvaluatedShare:
        """As OwnerLink."""
        safe = self._safe

        def work() -> EvaluatedShare:
            owner, name = safe.owners.get(owner_id), (owner_id, guess_id)
            attempt = Attempt(owner_id, record_id, guess_id, blinded.to_bytes(), safe.now_ms)
            first = safe.decoy(owner_id).record_id
            plan = plan_guess(safe.guesses_at(owner_id, guess_id), attempt, first)
            if owner is not None and plan.ledger is not None:
                safe.owners[owner_id] = replace(owner, ledger=plan.ledger)
                safe.guesses[name] = KnownGuess(record_id, attempt.element)
            target = plan.target
            part = None if target.part is None else safe.faults.evaluates(target.part)
            rng = seeded(f"{safe.safe_id.hex()} proves {guess_id.hex()} {attempt.element.hex()}")
            decoy = safe.decoy(owner_id, waiting=target.waiting)
            done = evaluate_guess(part, decoy, safe.safe_id, blinded, rng)
            share = EvaluatedShare(done.record_id, done.evaluation.element, done.evaluation.proof)
            return safe.faults.answers(share)

        return await self._call("evaluate", work)

    async def unlock(
        self,
        owner_id: OwnerId,
        record_id: RecordId,
        guess_id: GuessId,
        recipient_key: bytes,
        proof: bytes,
        *,
        signed: bool = False,
    ) -> Given:
        """As OwnerLink."""
        safe = self._safe

        def work() -> Given:
            owner, name = safe.owners.get(owner_id), (owner_id, guess_id)
            claim = UnlockClaim(owner_id, record_id, guess_id, recipient_key, proof)
            if safe.faults.believes and owner is not None:
                released = safe.faults.releases(owner.current.parts[0])
                return Given(seal_part(released, claim, safe.safe_id))
            tag = decoy_tag(DECOY_SECRET, owner_id, safe.safe_id)
            plan = plan_unlock(safe.guesses_at(owner_id, guess_id), claim, safe.safe_id, tag, safe.now_ms)
            if owner is not None and plan.ledger is not None:
                safe.owners[owner_id] = replace(owner, ledger=plan.ledger)
                safe.guesses[name] = replace(safe.guesses[name], returned_to=recipient_key)
            to = safe.faults.seals_to or recipient_key
            claim = replace(claim, recipient_key=to)
            return Given(seal_part(safe.faults.releases(plan.part), claim, safe.safe_id))

        return await self._call("unlock", work)

    async def enroll(self, version: VersionToKeep, invitation: str = "") -> None:
        """As OwnerLink."""
        safe = self._safe

        def work() -> None:
            admitted = safe.admitted(version, self._caller)
            taken = any(
                bytes(one.owner_key) == self._caller and one.owner_id != admitted.owner_id
                for one in safe.owners.values()
            )
            known = safe.owners.get(admitted.owner_id)
            forgotten = admitted.owner_key in safe.forgotten
            state = EnrolmentState(known, taken, safe.shown_invitation(invitation), forgotten)
            made = plan_enrolment(state, admitted, safe.invitation is not None)
            if made is not None:
                safe.owners[made.owner_id] = made
                safe.used_invitations.add(invitation)

        await self._call("enroll", work)

    async def stage(self, version: VersionToKeep) -> None:
        """As OwnerLink."""

        def work() -> None:
            admitted = self._safe.admitted(version, self._caller)
            self._keep(plan_staging(self._safe.owners.get(admitted.owner_id), admitted))

        await self._call("stage", work)

    async def commit(self, owner_id: OwnerId, record_id: RecordId) -> None:
        """As OwnerLink."""
        await self._call(
            "commit",
            lambda: self._keep(plan_commit(self._safe.owners.get(owner_id), self._caller, record_id)),
        )

    async def drop(self, owner_id: OwnerId, record_id: RecordId) -> None:
        """As OwnerLink."""
        await self._call(
            "drop", lambda: self._keep(plan_drop(self._safe.owners.get(owner_id), self._caller, record_id))
        )

    async def rearm(self) -> None:
        """As OwnerLink."""
        safe = self._safe

        def work() -> None:
            standing = safe.account(self._caller)
            owner = safe.owner_of(standing)
            ledger = plan_rearming(owner.ledger if owner else None, standing, safe.now_ms)
            if owner is not None:
                self._keep(replace(owner, ledger=ledger))

        await self._call("rearm", work)

    async def status(self) -> pb.OwnerStatusResponse:
        """As OwnerLink; of the owner's items nothing is said here."""
        safe = self._safe

        def work() -> pb.OwnerStatusResponse:
            owner = safe.owner_of(safe.account(self._caller))
            if owner is None:
                return pb.OwnerStatusResponse()
            return pb.OwnerStatusResponse(
                record_id=owner.current.record_id,
                policy=owner.current.policy,
                policy_signature=owner.current.policy_signature,
                staged_record_id=owner.staged.record_id if owner.staged else b"",
                old_record_ids=[one.record_id for one in owner.old],
                guesses_allowed=owner.limit,
                guesses_spent=owner.ledger.spent,
                next_guess_at_ms=next_guess_at_ms(owner.ledger, owner.limit),
            )

        return await self._call("status", work)

    async def authorise_wallet(self, authorisation: bytes, signature: bytes) -> None:
        """As OwnerLink."""
        safe = self._safe

        def work() -> None:
            word = judge_authorisation(authorisation, signature, self._caller)
            known, against = safe.authorised.get(word.wallet_key), safe.revoked.get(word.wallet_key)
            forgotten = word.owner_key in safe.forgotten
            state = WalletState(known.owner_key if known else None, against is not None, forgotten)
            if plan_authorisation(state, word):
                safe.authorised[word.wallet_key] = word

        await self._call("authorise_wallet", work)

    async def wallets(self) -> tuple[list[SignedAuthorisation], list[tuple[bytes, bytes]]]:
        """As OwnerLink."""
        safe = self._safe

        def work() -> tuple[list[SignedAuthorisation], list[tuple[bytes, bytes]]]:
            owner_key = safe.account(self._caller).owner_key
            words = [one for one in safe.authorised.values() if one.owner_key == owner_key]
            against = [one for one in safe.revoked.values() if one.owner_key == owner_key]
            signed = [SignedAuthorisation(one.authorisation, Signature(one.signature)) for one in words]
            return signed, [(one.revocation, one.signature) for one in against]

        return await self._call("wallets", work)

    async def catalogue(self) -> SafesCatalogue:
        """As OwnerLink."""
        safe = self._safe

        def work() -> SafesCatalogue:
            account = safe.account(self._caller).owner_key
            return safe.faults.tells(catalogue_of(safe, OwnerKey(account or b"")))

        return await self._call("catalogue", work)

    async def revoke_wallet(self, revocation: bytes, signature: bytes) -> None:
        """As OwnerLink."""
        safe = self._safe

        def work() -> None:
            word = judge_revocation(revocation, signature, safe.standing(self._caller))
            safe.revoked[word.wallet_key] = word

        await self._call("revoke_wallet", work)

    async def forget_owner(self, tombstone: bytes, signature: bytes) -> tuple[bytes, bytes]:
        """As OwnerLink; of items nothing is kept here."""
        safe = self._safe

        def work() -> tuple[bytes, bytes]:
            word = judge_forgetting(tombstone, signature)
            stands = plan_forgetting(safe.forgotten.get(word.owner_key), word, safe.rules())
            safe.forgotten[word.owner_key] = stands
            for owner_id in [one for one, owner in safe.owners.items() if owner.owner_key == word.owner_key]:
                del safe.owners[owner_id]
            for key in [one for one, owned in safe.authorised.items() if owned.owner_key == word.owner_key]:
                del safe.authorised[key]
            return stands.receipt, stands.receipt_signature

        return await self._call("forget_owner", work)

    def _keep(self, owner: KeptOwner) -> None:
        self._safe.owners[owner.owner_id] = owner

    async def _call(self, name: str, work: Callable[[], _Answer]) -> _Answer:
        safe, faults = self._safe, self._safe.faults
        safe.host.begin(name)
        if name in faults.hangs_at:
            await asyncio.Event().wait()
        if name in faults.refuses:
            raise faults.refuses[name]
        answer = work()
        safe.host.step(f"{name} done")
        safe.host.is_down = safe.host.is_down or name in faults.dies_after
        if name in faults.loses_reply_of:
            raise ConnectionLost
        return answer
