"""The owners' link asks as nobody, as the wallet or as the owner, and takes nothing for what it is not."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import pytest

from kura.safe.v1 import owner_pb2 as pb
from kura.safe.v1 import safe_pb2
from rpc_edge.client import SignedCaller
from support.sample_documents import (
    CALL_SIGNATURE,
    CERTIFICATES,
    LEAF_BYTES,
    MANIFEST_BYTES,
    MANIFEST_SIGNATURE,
    TOMBSTONE_BYTES,
    TOMBSTONE_SIGNATURE,
    draw,
)
from support.sample_owner import (
    GUESS_ID,
    OWNER_ID,
    RECIPIENT,
    RECORD,
    RECORD_ID,
    REVOCATION_BYTES,
    REVOCATION_SIGNATURE,
    SEALED_PART,
    SEALED_SECRETS,
    SIGNED_AUTHORISATION,
    TAG,
    UNLOCK_PROOF,
    oprf_share,
    unlock_share,
)
from threshold.ristretto import Point
from trust.access_policy import SignedAccessPolicy
from trust.ids import OwnerId, RecordId, Signature
from trust.owner_refusals import UnlockRefused
from wallet_client.network.failures import WrongReply
from wallet_client.network.owner_catalogue import CatalogueBatch, CataloguePiece, SafesCatalogue
from wallet_client.network.owner_link import OwnerLink
from wallet_client.network.owner_messages import Evidence, PartToKeep, VersionToKeep

PATIENCE = 5.0
BLINDED = Point.from_bytes(RECORD.oprf_commitments[0])
ELEMENT = RECORD.oprf_commitments[1]
PROOF = bytes(32) + b"\x01" + bytes(31)
POLICY = SignedAccessPolicy(b"policy", Signature(bytes(64)))
PART = PartToKeep(RECORD.to_bytes(), unlock_share(1), oprf_share(1), TAG, SEALED_SECRETS)
EVIDENCE = Evidence(("device",), RECIPIENT.public, b"proof", b"assertion", b"authority")
TO_KEEP = VersionToKeep(POLICY, (PART,), 10)
VERSION = pb.RecordVersion(
    policy=POLICY.policy,
    policy_signature=POLICY.signature,
    parts=[
        pb.RecordPart(
            record=RECORD.to_bytes(),
            unlock_share=unlock_share(1),
            oprf_share=oprf_share(1),
            unlock_tag=TAG,
            sealed_secrets=SEALED_SECRETS,
        )
    ],
    guesses=10,
)
WALLET = pb.OwnersWallet(
    authorisation=SIGNED_AUTHORISATION.authorisation,
    signature=SIGNED_AUTHORISATION.signature,
    revocation=REVOCATION_BYTES,
    revocation_signature=REVOCATION_SIGNATURE,
)


@dataclass
class FakeCaller:
    """Stands at the edge: records what is asked and answers what a test says."""

    answer: Any = None
    stream: Sequence[Any] = ()
    asked: list[tuple[str, Any, bool]] = field(default_factory=list)
    closed: bool = False

    async def unary(
        self, method: str, request: Any, response_type: type, timeout: float, *, signed: bool = True
    ) -> Any:
        assert timeout == PATIENCE
        self.asked.append((method, request, signed))
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or response_type()

    async def stream_down(
        self, method: str, request: Any, response_type: type, timeout: float
    ) -> AsyncGenerator[Any, None]:
        self.asked.append((method, request, True))
        try:
            for message in self.stream:
                yield message
        finally:
            self.closed = True


def link(caller: FakeCaller) -> OwnerLink:
    """A link over it."""
    return OwnerLink(cast(SignedCaller, caller), PATIENCE, cast(SignedCaller, caller))


Call = Callable[[OwnerLink], Awaitable[object]]

CALLS: dict[str, tuple[Call, str, Any, bool]] = {
    "begin_unlock": (
        lambda one: one.begin_unlock(OWNER_ID),
        "BeginUnlock",
        pb.BeginUnlockRequest(owner_id=OWNER_ID),
        False,
    ),
    "begin_unlock of a named record": (
        lambda one: one.begin_unlock(OWNER_ID, RECORD_ID),
        "BeginUnlock",
        pb.BeginUnlockRequest(owner_id=OWNER_ID, record_id=RECORD_ID),
        False,
    ),
    "evaluate": (
        lambda one: one.evaluate(OWNER_ID, RECORD_ID, GUESS_ID, BLINDED),
        "Evaluate",
        pb.EvaluateRequest(
            owner_id=OWNER_ID, record_id=RECORD_ID, guess_id=GUESS_ID, blinded_element=BLINDED.to_bytes()
        ),
        False,
    ),
    "begin_unlock by other factors": (
        lambda one: one.begin_unlock(OWNER_ID, None, ("authority", "device", "pin")),
        "BeginUnlock",
        pb.BeginUnlockRequest(
            owner_id=OWNER_ID, factors=[pb.FACTOR_AUTHORITY, pb.FACTOR_DEVICE, pb.FACTOR_PIN]
        ),
        False,
    ),
    "evaluate by other factors": (
        lambda one: one.evaluate(OWNER_ID, RECORD_ID, GUESS_ID, BLINDED, EVIDENCE),
        "Evaluate",
        pb.EvaluateRequest(
            owner_id=OWNER_ID,
            record_id=RECORD_ID,
            guess_id=GUESS_ID,
            blinded_element=BLINDED.to_bytes(),
            factors=[pb.FACTOR_DEVICE],
            recipient_key=RECIPIENT.public,
            device_proof=b"proof",
            assertion=b"assertion",
            authority=b"authority",
        ),
        False,
    ),
    "unlock as the owner's wallet": (
        lambda one: one.unlock(OWNER_ID, RECORD_ID, GUESS_ID, RECIPIENT.public, UNLOCK_PROOF, signed=True),
        "Unlock",
        pb.UnlockRequest(
            owner_id=OWNER_ID,
            record_id=RECORD_ID,
            guess_id=GUESS_ID,
            recipient_key=RECIPIENT.public,
            proof=UNLOCK_PROOF,
        ),
        True,
    ),
    "veto": (
        lambda one: one.veto(RECIPIENT.public),
        "Veto",
        pb.VetoRequest(recipient_key=RECIPIENT.public),
        True,
    ),
    "unlock": (
        lambda one: one.unlock(OWNER_ID, RECORD_ID, GUESS_ID, RECIPIENT.public, UNLOCK_PROOF),
        "Unlock",
        pb.UnlockRequest(
            owner_id=OWNER_ID,
            record_id=RECORD_ID,
            guess_id=GUESS_ID,
            recipient_key=RECIPIENT.public,
            proof=UNLOCK_PROOF,
        ),
        False,
    ),
    "enroll": (
        lambda one: one.enroll(TO_KEEP, "welcome"),
        "Enroll",
        pb.EnrollRequest(version=VERSION, invitation="welcome"),
        True,
    ),
    "stage": (lambda one: one.stage(TO_KEEP), "StageRecord", pb.StageRecordRequest(version=VERSION), True),
    "commit": (
        lambda one: one.commit(OWNER_ID, RECORD_ID),
        "CommitRecord",
        pb.CommitRecordRequest(owner_id=OWNER_ID, record_id=RECORD_ID),
        True,
    ),
    "drop": (
        lambda one: one.drop(OWNER_ID, RECORD_ID),
        "DropRecord",
        pb.DropRecordRequest(owner_id=OWNER_ID, record_id=RECORD_ID),
        True,
    ),
    "rearm": (lambda one: one.rearm(), "Rearm", pb.RearmRequest(), True),
    "status": (lambda one: one.status(), "OwnerStatus", pb.OwnerStatusRequest(), True),
    "authorise_wallet": (
        lambda one: one.authorise_wallet(SIGNED_AUTHORISATION.authorisation, SIGNED_AUTHORISATION.signature),
        "AuthoriseWallet",
        pb.AuthoriseWalletRequest(
            authorisation=SIGNED_AUTHORISATION.authorisation, signature=SIGNED_AUTHORISATION.signature
        ),
        True,
    ),
    "wallets": (lambda one: one.wallets(), "ListWallets", pb.ListWalletsRequest(), True),
    "revoke_wallet": (
        lambda one: one.revoke_wallet(REVOCATION_BYTES, REVOCATION_SIGNATURE),
        "RevokeWallet",
        pb.RevokeWalletRequest(revocation=REVOCATION_BYTES, signature=REVOCATION_SIGNATURE),
        True,
    ),
    "catalogue": (lambda one: one.catalogue(), "Catalogue", pb.CatalogueRequest(), True),
}

GOOD = {
    "BeginUnlock": pb.BeginUnlockResponse(record=RECORD.to_bytes()),
    "Evaluate": pb.EvaluateResponse(record_id=RECORD_ID, evaluated_element=ELEMENT, proof=PROOF),
    "Unlock": pb.UnlockResponse(sealed_part=SEALED_PART),
}


@pytest.mark.parametrize(("call", "method", "request_message", "signed"), CALLS.values(), ids=CALLS.keys())
async def test_each_call_goes_out_as_it_is_meant(
    call: Call, method: str, request_message: Any, signed: bool
) -> None:
    """To the OwnerService; those that need a PIN and no key are signed by nobody."""
    caller = FakeCaller(GOOD.get(method))
    await call(link(caller))
    assert caller.asked == [(f"/kura.safe.v1.OwnerService/{method}", request_message, signed)]


@pytest.mark.parametrize(("call", "method"), [row[:2] for row in CALLS.values()], ids=CALLS)
async def test_what_is_said_before_a_caller_is_known_for_an_owner_goes_in_an_envelope(
    call: Call, method: str
) -> None:
    """And nothing else, where nobody carries."""
    bare, sealed = FakeCaller(GOOD.get(method)), FakeCaller(GOOD.get(method))
    await call(OwnerLink(cast(SignedCaller, bare), PATIENCE, cast(SignedCaller, sealed)))
    unknown = method in {"BeginUnlock", "Evaluate", "Unlock", "Enroll", "AuthoriseWallet"}
    assert (len(bare.asked), len(sealed.asked)) == ((0, 1) if unknown else (1, 0))


@pytest.mark.parametrize("call", [call for call, *_ in list(CALLS.values())[:-1]], ids=list(CALLS)[:-1])
async def test_a_refusal_comes_through_as_it_is(call: Call) -> None:
    """The safe's word, for whoever asked to judge."""
    with pytest.raises(UnlockRefused):
        await call(link(FakeCaller(UnlockRefused())))


class TestBeginUnlock:
    """A record of that owner, exact bytes, or nothing."""

    async def test_gives_the_exact_bytes(self) -> None:
        """Safes that agree are counted by them."""
        caller = FakeCaller(GOOD["BeginUnlock"])
        assert (await link(caller).begin_unlock(OWNER_ID)).record == RECORD.to_bytes()

    @pytest.mark.parametrize(
        "record",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(RECORD.to_bytes()[:-1], id="half a record"),
            pytest.param(MANIFEST_BYTES, id="another document"),
            pytest.param(
                msgspec.structs.replace(RECORD, owner_id=OwnerId(draw("another owner", 32))).to_bytes(),
                id="another owner's",
            ),
        ],
    )
    async def test_believes_nothing_else(self, record: bytes) -> None:
        """It counts against the safe."""
        with pytest.raises(WrongReply):
            await link(FakeCaller(pb.BeginUnlockResponse(record=record))).begin_unlock(OWNER_ID)

    async def test_leaves_it_to_the_caller_which_record_it_is(self) -> None:
        """Who knows how many safes must agree."""
        other = msgspec.structs.replace(RECORD, record_id=RecordId(draw("another record", 16))).to_bytes()
        caller = FakeCaller(pb.BeginUnlockResponse(record=other))
        assert (await link(caller).begin_unlock(OWNER_ID, RECORD_ID)).record == other


class TestEvaluate:
    """An element and a proof that can be checked."""

    async def test_gives_what_the_safe_said(self) -> None:
        """Not verified."""
        share = await link(FakeCaller(GOOD["Evaluate"])).evaluate(OWNER_ID, RECORD_ID, GUESS_ID, BLINDED)
        assert (share.record_id, share.element.to_bytes()) == (RECORD_ID, ELEMENT)
        assert share.proof.to_bytes() == PROOF

    @pytest.mark.parametrize(
        ("element", "proof"),
        [
            pytest.param(b"", PROOF, id="no element"),
            pytest.param(bytes(32), PROOF, id="the identity"),
            pytest.param(b"\xff" * 32, PROOF, id="no point"),
            pytest.param(ELEMENT, b"", id="no proof"),
            pytest.param(ELEMENT, PROOF[:63], id="half a proof"),
            pytest.param(ELEMENT, b"\xff" * 64, id="a proof of no scalars"),
        ],
    )
    async def test_believes_nothing_else(self, element: bytes, proof: bytes) -> None:
        """It counts against the safe."""
        answer = pb.EvaluateResponse(record_id=RECORD_ID, evaluated_element=element, proof=proof)
        with pytest.raises(WrongReply):
            await link(FakeCaller(answer)).evaluate(OWNER_ID, RECORD_ID, GUESS_ID, BLINDED)


async def test_unlock_gives_what_is_sealed() -> None:
    """Who has the recipient key opens it."""
    caller = FakeCaller(pb.UnlockResponse(sealed_part=SEALED_PART))
    got = await link(caller).unlock(OWNER_ID, RECORD_ID, GUESS_ID, RECIPIENT.public, UNLOCK_PROOF)
    assert (got.sealed_part, got.release_at_ms) == (SEALED_PART, 0)


async def test_unlock_gives_when_the_part_will_be_there() -> None:
    """Where the owner's waiting period runs."""
    caller = FakeCaller(pb.UnlockResponse(release_at_ms=1_790_000_000_000))
    got = await link(caller).unlock(OWNER_ID, RECORD_ID, GUESS_ID, RECIPIENT.public, UNLOCK_PROOF)
    assert (got.sealed_part, got.release_at_ms) == (b"", 1_790_000_000_000)


@pytest.mark.parametrize(
    "answer",
    [pb.UnlockResponse(), pb.UnlockResponse(sealed_part=SEALED_PART, release_at_ms=1)],
    ids=["neither", "both"],
)
async def test_unlock_gives_a_part_or_a_time(answer: pb.UnlockResponse) -> None:
    """And not both, nor nothing."""
    with pytest.raises(WrongReply):
        await link(FakeCaller(answer)).unlock(OWNER_ID, RECORD_ID, GUESS_ID, RECIPIENT.public, UNLOCK_PROOF)


class TestWallets:
    """Words for wallets and against them, as they were signed."""

    async def test_gives_both(self) -> None:
        """Of a wallet that acts there is one alone; of one that was revoked unheard, the other."""
        unheard = pb.OwnersWallet(revocation=REVOCATION_BYTES, revocation_signature=REVOCATION_SIGNATURE)
        acting = pb.OwnersWallet(authorisation=WALLET.authorisation, signature=WALLET.signature)
        caller = FakeCaller(pb.ListWalletsResponse(wallets=[WALLET, unheard, acting]))
        against = (REVOCATION_BYTES, REVOCATION_SIGNATURE)
        assert await link(caller).wallets() == ([SIGNED_AUTHORISATION] * 2, [against] * 2)

    async def test_believes_no_signature_of_another_length(self) -> None:
        """It would be no document."""
        wallet = pb.OwnersWallet(authorisation=SIGNED_AUTHORISATION.authorisation, signature=bytes(63))
        with pytest.raises(WrongReply):
            await link(FakeCaller(pb.ListWalletsResponse(wallets=[wallet]))).wallets()


class TestCatalogue:
    """Everything that a safe says of an owner, unchecked; the stream ends whatever comes."""

    async def test_gives_all_entries(self) -> None:
        """Wallets, batches, tombstones."""
        batch = pb.CatalogueBatch(
            manifest=MANIFEST_BYTES,
            manifest_signature=MANIFEST_SIGNATURE,
            leaf_hashes=draw("leaf hashes", 96),
            pieces=[pb.CataloguePiece(leaf_index=2, leaf=LEAF_BYTES[2], certificate=CERTIFICATES[2])],
            signature=CALL_SIGNATURE,
        )
        tombstone = safe_pb2.SignedTombstone(tombstone=TOMBSTONE_BYTES, signature=TOMBSTONE_SIGNATURE)
        caller = FakeCaller(
            stream=[
                pb.CatalogueResponse(wallet=WALLET),
                pb.CatalogueResponse(batch=batch),
                pb.CatalogueResponse(tombstone=tombstone),
            ]
        )
        hashes = draw("leaf hashes", 96)
        assert await link(caller).catalogue() == SafesCatalogue(
            [SIGNED_AUTHORISATION],
            [(REVOCATION_BYTES, REVOCATION_SIGNATURE)],
            [
                CatalogueBatch(
                    MANIFEST_BYTES,
                    MANIFEST_SIGNATURE,
                    (hashes[:32], hashes[32:64], hashes[64:]),
                    (CataloguePiece(2, LEAF_BYTES[2], CERTIFICATES[2]),),
                    CALL_SIGNATURE,
                )
            ],
            [(TOMBSTONE_BYTES, TOMBSTONE_SIGNATURE)],
        )
        assert caller.closed

    async def test_an_entry_of_no_kind_is_no_reply(self) -> None:
        """And the stream is closed."""
        caller = FakeCaller(stream=[pb.CatalogueResponse(), pb.CatalogueResponse(wallet=WALLET)])
        with pytest.raises(WrongReply):
            await link(caller).catalogue()
        assert caller.closed


def test_a_part_shows_nothing_secret() -> None:
    """Neither shares nor tag."""
    shown = repr(PART)
    assert all(repr(one) not in shown for one in (unlock_share(1), oprf_share(1), TAG))
