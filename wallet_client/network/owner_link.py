"""The wallet's link to one safe's OwnerService: records, guesses and wallets of an owner.

Requests go out as the wallet's, as the owner's, or as nobody's. What is said before a safe knows the caller
for an owner, or a wallet of theirs, goes in an envelope also where nobody carries it. What comes back is
parsed here; who knows the record holds it against what was asked.
"""

from contextlib import aclosing
from typing import TypeVar

from google.protobuf.message import Message

from kura.safe.v1 import owner_pb2 as pb
from rpc_edge.client import SignedCaller
from threshold.dleq import Proof
from threshold.errors import ThresholdError
from threshold.ristretto import Point
from trust.access_policy import PIN_ALONE, Factor
from trust.authorisation import SignedAuthorisation
from trust.device_proof import SignedChallenge
from trust.errors import DocumentMalformed
from trust.ids import GuessId, OwnerId, RecordId, Signature
from trust.owner_record import OwnerRecord
from wallet_client.network.failures import WrongReply
from wallet_client.network.owner_catalogue import SafesCatalogue, add_entry, add_wallet
from wallet_client.network.owner_messages import (
    Begun,
    EvaluatedShare,
    Evidence,
    Given,
    VersionToKeep,
    factors_message,
    version_message,
)

MOST_CATALOGUE_BYTES = 256 * 1_048_576
"""A piece takes some 700 bytes: more than any wallet has, and less than its memory; a liar could go on."""

_Answer = TypeVar("_Answer", bound=Message)
_SERVICE = "/kura.safe.v1.OwnerService/"
BY_PIN = Evidence()


class OwnerLink:
    """See the top of this file.

    Args:
        caller: Signs as the wallet, or as the owner.
        patience_seconds: How long one call may take.
        sealed: Signs alike, and puts each call into an envelope.
    """

    def __init__(self, caller: SignedCaller, patience_seconds: float, sealed: SignedCaller) -> None:
        self._caller = caller
        self._sealed = sealed
        self._patience = patience_seconds

    async def begin_unlock(
        self, owner_id: OwnerId, record_id: RecordId | None = None, way: tuple[Factor, ...] = PIN_ALONE
    ) -> Begun:
        """The record in force for a way, or the one that is named; a decoy where there is none.

        Raises:
            Refusal, CallFailed: There is no answer.
            WrongReply: It is no record.
        """
        request = pb.BeginUnlockRequest(
            owner_id=owner_id, record_id=record_id or b"", factors=factors_message(way)
        )
        answer = await self._ask_sealed("BeginUnlock", request, pb.BeginUnlockResponse, signed=False)
        try:
            record = OwnerRecord.from_bytes(answer.record)
        except DocumentMalformed:
            raise WrongReply from None
        if record.owner_id != owner_id:
            raise WrongReply
        challenge = SignedChallenge(answer.challenge, Signature(answer.challenge_signature))
        return Begun(answer.record, challenge)

    async def evaluate(
        self,
        owner_id: OwnerId,
        record_id: RecordId,
        guess_id: GuessId,
        blinded: Point,
        evidence: Evidence = BY_PIN,
    ) -> EvaluatedShare:
        """Have the blinded PIN evaluated; it spends a guess, where the way has a PIN.

        Raises:
            Refusal, CallFailed: There is no answer; whether a guess was spent is not known.
            WrongReply: It is no evaluation.
        """
        request = pb.EvaluateRequest(
            owner_id=owner_id,
            record_id=record_id,
            guess_id=guess_id,
            blinded_element=blinded.to_bytes(),
            factors=factors_message(evidence.way),
            recipient_key=evidence.recipient_key,
            device_proof=evidence.device_proof,
            assertion=evidence.assertion,
            authority=evidence.authority,
        )
        answer = await self._ask_sealed("Evaluate", request, pb.EvaluateResponse, signed=False)
        try:
            element = Point.from_bytes(answer.evaluated_element)
            return EvaluatedShare(RecordId(answer.record_id), element, Proof.from_bytes(answer.proof))
        except ThresholdError:
            raise WrongReply from None

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
        """What the safe releases, sealed to the recipient key; or when it will.

        Args:
            signed: As the owner's wallet, for which no safe waits.

        Raises:
            UnlockRefused: The PIN of the guess was wrong, or the record does not open.
            Refusal, CallFailed: There is no answer.
        """
        request = pb.UnlockRequest(
            owner_id=owner_id,
            record_id=record_id,
            guess_id=guess_id,
            recipient_key=recipient_key,
            proof=proof,
        )
        answer = await self._ask_sealed("Unlock", request, pb.UnlockResponse, signed=signed)
        if bool(answer.sealed_part) == bool(answer.release_at_ms):
            raise WrongReply
        return Given(answer.sealed_part, answer.release_at_ms)

    async def enroll(self, version: VersionToKeep, invitation: str = "") -> None:
        """Bring a new owner's parts; the caller is the owner.

        Raises:
            OwnerExists, InvitationNeeded, InvitationInvalid, RecordInvalid: The safe's word.
            Refusal, CallFailed: It did not take it.
        """
        request = pb.EnrollRequest(version=version_message(version), invitation=invitation)
        await self._ask_sealed("Enroll", request, pb.EnrollResponse)

    async def stage(self, version: VersionToKeep) -> None:
        """Bring the parts of a new version; the caller is the owner.

        Raises:
            OwnerUnknown, NotTheOwner, RecordInvalid: The safe's word.
            Refusal, CallFailed: It did not take it.
        """
        request = pb.StageRecordRequest(version=version_message(version))
        await self._ask("StageRecord", request, pb.StageRecordResponse)

    async def commit(self, owner_id: OwnerId, record_id: RecordId) -> None:
        """Put the staged record in force; the caller is the owner.

        Raises:
            RecordUnknown, OwnerUnknown, NotTheOwner: The safe's word.
            Refusal, CallFailed: It did not do it.
        """
        request = pb.CommitRecordRequest(owner_id=owner_id, record_id=record_id)
        await self._ask("CommitRecord", request, pb.CommitRecordResponse)

    async def drop(self, owner_id: OwnerId, record_id: RecordId) -> None:
        """Erase a record that is not in force; the caller is the owner.

        Raises:
            RecordInForce, OwnerUnknown, NotTheOwner: The safe's word.
            Refusal, CallFailed: It did not do it.
        """
        request = pb.DropRecordRequest(owner_id=owner_id, record_id=record_id)
        await self._ask("DropRecord", request, pb.DropRecordResponse)

    async def rearm(self) -> None:
        """Give all guesses back.

        Raises:
            RearmedLately, NotAnOwnersWallet: The safe's word.
            Refusal, CallFailed: It did not do it.
        """
        await self._ask("Rearm", pb.RearmRequest(), pb.RearmResponse)

    async def veto(self, recipient_key: bytes) -> None:
        """End a recovery that waits for this key, 32 bytes; the caller is the owner.

        Raises:
            NothingWaits, VetoedLately, OwnerUnknown: The safe's word.
            Refusal, CallFailed: It did not do it.
        """
        await self._ask("Veto", pb.VetoRequest(recipient_key=recipient_key), pb.VetoResponse)

    async def status(self) -> pb.OwnerStatusResponse:
        """Where record and guesses stand.

        Raises:
            NotAnOwnersWallet: The safe's word.
            Refusal, CallFailed: There is no answer.
        """
        return await self._ask("OwnerStatus", pb.OwnerStatusRequest(), pb.OwnerStatusResponse)

    async def authorise_wallet(self, authorisation: bytes, signature: bytes) -> None:
        """Show the owner's word for the calling wallet.

        Raises:
            WalletRevoked, WalletHasOwner: The safe's word.
            Refusal, CallFailed: It did not take it.
        """
        request = pb.AuthoriseWalletRequest(authorisation=authorisation, signature=signature)
        await self._ask_sealed("AuthoriseWallet", request, pb.AuthoriseWalletResponse)

    async def wallets(self) -> tuple[list[SignedAuthorisation], list[tuple[bytes, bytes]]]:
        """The owner's words for wallets, and against some of them; the caller checks each.

        Raises:
            NotAnOwnersWallet: The safe's word.
            Refusal, CallFailed: There is no answer.
        """
        answer = await self._ask("ListWallets", pb.ListWalletsRequest(), pb.ListWalletsResponse)
        read = SafesCatalogue()
        for wallet in answer.wallets:
            add_wallet(read, wallet)
        return read.authorisations, read.revocations

    async def revoke_wallet(self, revocation: bytes, signature: bytes) -> None:
        """Bring the owner's word against a wallet.

        Raises:
            NotTheOwner, NotAnOwnersWallet: The safe's word.
            Refusal, CallFailed: It did not take it.
        """
        request = pb.RevokeWalletRequest(revocation=revocation, signature=signature)
        await self._ask("RevokeWallet", request, pb.RevokeWalletResponse)

    async def undelete(self, revival: bytes, signature: bytes) -> None:
        """Bring the owner's word that takes a tombstone back.

        Raises:
            ErasedAlready, NotTheOwner, NotAnOwnersWallet: The safe's word.
            Refusal, CallFailed: It did not take it.
        """
        signed = pb.SignedRevival(revival=revival, signature=signature)
        await self._ask("Undelete", pb.UndeleteRequest(revival=signed), pb.UndeleteResponse)

    async def forget_owner(self, tombstone: bytes, signature: bytes) -> tuple[bytes, bytes]:
        """Have an owner forgotten by their own word; gives the deletion receipt and its signature, unchecked.

        Raises:
            Refusal, CallFailed: It did not do it.
        """
        request = pb.ForgetOwnerRequest(tombstone=tombstone, signature=signature)
        receipt = (await self._ask("ForgetOwner", request, pb.ForgetOwnerResponse)).receipt
        return receipt.receipt, receipt.signature

    async def catalogue(self) -> SafesCatalogue:
        """All that the safe knows of the owner.

        Raises:
            NotAnOwnersWallet: The safe's word.
            Refusal, CallFailed: The stream broke off.
            WrongReply: It tells nothing that belongs there, or does not end.
        """
        catalogue, size = SafesCatalogue(), 0
        stream = self._caller.stream_down(
            _SERVICE + "Catalogue", pb.CatalogueRequest(), pb.CatalogueResponse, self._patience
        )
        async with aclosing(stream):
            async for answer in stream:
                size += answer.ByteSize()
                if size > MOST_CATALOGUE_BYTES:
                    raise WrongReply
                add_entry(catalogue, answer)
        return catalogue

    async def _ask(self, method: str, request: Message, answer: type[_Answer]) -> _Answer:
        return await self._caller.unary(_SERVICE + method, request, answer, self._patience)

    async def _ask_sealed(
        self, method: str, request: Message, answer: type[_Answer], *, signed: bool = True
    ) -> _Answer:
        return await self._sealed.unary(_SERVICE + method, request, answer, self._patience, signed=signed)
