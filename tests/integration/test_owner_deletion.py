"""An owner's deletions at a real safe: they wait, are taken back or carried out; and owners are forgotten."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from kura.safe.v1 import owner_pb2 as pb
from kura.safe.v1 import safe_pb2
from rpc_edge.error_table import SAFE_ERRORS
from support.owner_safes import SAFES, SECONDS, LocalSafe, local_safes
from support.owners import DealtOwner, deal_owner
from support.safe_requests import Dealt, deal, ownership_of, signed_tombstone, wallet_key
from support.sample_documents import NOW
from trust.authorisation import authorise_wallet
from trust.documents import SigningKey
from trust.ids import WalletKey
from trust.owner_refusals import (
    NotAnOwnersWallet,
    NotTheOwner,
    OwnerForgotten,
    UnlockRefused,
    WalletHasOwner,
    WalletRevoked,
)
from trust.refusals import Malformed, Refusal
from trust.tombstone import forget_owner, read_deletion, revive
from trust.wallet_refusals import (
    CertificateUnknown,
    ErasedAlready,
    ItemDeleted,
    NotYourItem,
    TombstoneRevived,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

GRACE = 7 * 86_400
STRANGER = wallet_key("stranger")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def safe(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSafe]:
    """One safe; each test has owners and wallets of its own."""
    async with local_safes(tmp_path_factory.mktemp("one"), 1, 1) as safes:
        yield safes.safes[0]


async def enrolled(safe: LocalSafe, name: str) -> tuple[DealtOwner, SigningKey]:
    """An owner with a wallet."""
    owner, wallet = deal_owner(safe.home.roster, name), wallet_key(f"{name}'s")
    await safe.enroll(owner)
    signed = authorise_wallet(WalletKey(wallet.public), NOW, owner.key)
    request = pb.AuthoriseWalletRequest(authorisation=signed.authorisation, signature=signed.signature)
    await safe.ask(request, wallet)
    return owner, wallet


async def ask(safe: LocalSafe, request: Any, key: SigningKey) -> Any:
    """Call the SafeService method of a request's name; gives the one result, or what it was refused with."""
    method = type(request).__name__.removesuffix("Request")
    answer = getattr(safe_pb2, f"{method}Response")
    (result,) = (await safe.caller(key).unary(f"{SAFES}/{method}", request, answer, SECONDS)).results
    return SAFE_ERRORS.from_refusal(result.refusal) if result.HasField("refusal") else result


async def registered(safe: LocalSafe, dealt: Dealt, wallet: SigningKey) -> Any:
    """The certificate, or the refusal."""
    result = await ask(safe, safe_pb2.RegisterRequest(batches=[dealt.for_safe(safe.safe_id)]), wallet)
    return result if isinstance(result, Refusal) else result.registration.certificates[0]


async def fetched(safe: LocalSafe, certificate: bytes, wallet: SigningKey) -> Any:
    result = await ask(safe, safe_pb2.FetchRequest(certificates=[certificate]), wallet)
    return result if isinstance(result, Refusal) else result.piece.blob


async def deleted(safe: LocalSafe, signed: safe_pb2.SignedTombstone, key: SigningKey) -> Any:
    """When it is erased as the receipt says, which must hold; or the refusal."""
    result = await ask(safe, safe_pb2.DeleteRequest(tombstones=[signed]), key)
    if isinstance(result, Refusal):
        return result
    signing_key = safe.home.entry.signing_key
    receipt = result.receipt
    return read_deletion(
        receipt.receipt, receipt.signature, safe.safe_id, signing_key, signed.tombstone
    ).erased_at


def word_back(owner: DealtOwner, dealt: Dealt, signed: safe_pb2.SignedTombstone) -> pb.UndeleteRequest:
    item = dealt.items[0]
    body, signature = revive(signed.tombstone, item.item_id, item.generation, NOW, owner.key)
    return pb.UndeleteRequest(revival=pb.SignedRevival(revival=body, signature=signature))


def word_against_oneself(owner: DealtOwner, at: int = NOW) -> pb.ForgetOwnerRequest:
    body, signature = forget_owner(owner.owner_id, at, owner.key)
    return pb.ForgetOwnerRequest(tombstone=body, signature=signature)


def now(safe: LocalSafe) -> int:
    return safe.clock.ms // 1000


def in_files(safe: LocalSafe, secret: bytes) -> bool:
    folder = safe.home.config.parent / "data"
    return any(secret in path.read_bytes() for path in folder.iterdir())


async def test_a_wallets_deletion_waits_and_is_taken_back(safe: LocalSafe) -> None:
    """The receipt says when it is erased; until then the owner's word, brought by the wallet, undoes it."""
    owner, wallet = await enrolled(safe, "alice")
    dealt = deal(safe.home.roster, wallet, [b"alice's value"], label="alice")
    certificate = await registered(safe, dealt, wallet)
    signed = signed_tombstone(wallet, dealt.items[0].item_id)
    assert await deleted(safe, signed, wallet) == now(safe) + GRACE
    assert isinstance(await fetched(safe, certificate, wallet), CertificateUnknown)
    assert isinstance(await registered(safe, dealt, wallet), ItemDeleted)
    for _ in range(2):
        await safe.ask(word_back(owner, dealt, signed), wallet)
    assert await fetched(safe, certificate, wallet) == dealt.blobs[0, 1]
    assert isinstance(await deleted(safe, signed, wallet), TombstoneRevived)
    assert await registered(safe, dealt, wallet) == certificate


async def test_what_is_due_is_erased_and_taken_back_no_more(safe: LocalSafe) -> None:
    """By the safe's clock; across a restart."""
    owner, wallet = await enrolled(safe, "bob")
    dealt = deal(safe.home.roster, wallet, [b"bob's value"], label="bob")
    await registered(safe, dealt, wallet)
    signed = signed_tombstone(wallet, dealt.items[0].item_id)
    due = await deleted(safe, signed, wallet)
    await safe.restart()
    assert await safe.store.erase_due(due - 1) == 0
    assert in_files(safe, dealt.blobs[0, 1])
    safe.clock.ms = due * 1000
    with pytest.raises(ErasedAlready):
        await safe.ask(word_back(owner, dealt, signed), owner.key)
    assert await safe.store.erase_due(due) == 1
    assert not in_files(safe, dealt.blobs[0, 1])
    assert await deleted(safe, signed, wallet) == due


async def test_the_owner_erases_at_once(safe: LocalSafe) -> None:
    """Their own tombstone, in their own call; brought by a wallet it waits like the wallet's."""
    owner, wallet = await enrolled(safe, "carol")
    dealt = deal(safe.home.roster, wallet, [b"carol's value"], label="carol")
    await registered(safe, dealt, wallet)
    signed = signed_tombstone(owner.key, dealt.items[0].item_id)
    assert await deleted(safe, signed, wallet) == now(safe) + GRACE
    assert in_files(safe, dealt.blobs[0, 1])
    assert await deleted(safe, signed, owner.key) == now(safe)
    assert not in_files(safe, dealt.blobs[0, 1])
    assert isinstance(await deleted(safe, signed, STRANGER), NotYourItem)
    assert isinstance(await registered(safe, dealt, wallet), ItemDeleted)


async def test_a_wallet_without_an_owner_erases_at_once(safe: LocalSafe) -> None:
    """There is nobody who could take it back."""
    wallet = wallet_key("nobody's")
    dealt = deal(safe.home.roster, wallet, [b"nobody's value"], label="nobody")
    await registered(safe, dealt, wallet)
    assert await deleted(safe, signed_tombstone(wallet, dealt.items[0].item_id), wallet) == now(safe)
    assert not in_files(safe, dealt.blobs[0, 1])


async def test_only_the_owners_own_word_takes_a_deletion_back(safe: LocalSafe) -> None:
    """Not a stranger's, not another owner's, not one that is spoilt, whoever brings it."""
    owner, wallet = await enrolled(safe, "dave")
    other, others = await enrolled(safe, "eve")
    dealt = deal(safe.home.roster, wallet, [b"dave's value"], label="dave")
    certificate = await registered(safe, dealt, wallet)
    signed = signed_tombstone(wallet, dealt.items[0].item_id)
    await deleted(safe, signed, wallet)
    good = word_back(owner, dealt, signed)
    with pytest.raises(NotAnOwnersWallet):
        await safe.ask(good, STRANGER)
    with pytest.raises(NotTheOwner):
        await safe.ask(good, others)
    await safe.ask(word_back(other, dealt, signed), others)
    unsigned = pb.UndeleteRequest(revival=pb.SignedRevival(revival=good.revival.revival, signature=bytes(64)))
    for request, field in ((unsigned, "signature"), (pb.UndeleteRequest(), "signature")):
        with pytest.raises(Malformed) as refused:
            await safe.ask(request, wallet)
        assert refused.value.field == field
    assert isinstance(await fetched(safe, certificate, wallet), CertificateUnknown)


async def test_the_catalogue_tells_what_was_taken_back(safe: LocalSafe) -> None:
    """In the place of the tombstone; deleted ones are told as such."""
    owner, wallet = await enrolled(safe, "erin")
    back = deal(safe.home.roster, wallet, [b"comes back"], label="erin back")
    gone = deal(safe.home.roster, wallet, [b"goes"], label="erin gone")
    for dealt in (back, gone):
        await registered(safe, dealt, wallet)
        await deleted(safe, signed_tombstone(wallet, dealt.items[0].item_id), wallet)
    request = word_back(owner, back, signed_tombstone(wallet, back.items[0].item_id))
    await safe.ask(request, wallet)
    stream = safe.caller(wallet).stream_down(
        "/kura.safe.v1.OwnerService/Catalogue", pb.CatalogueRequest(), pb.CatalogueResponse, SECONDS
    )
    entries = [entry async for entry in stream]
    assert [entry.WhichOneof("entry") for entry in entries] == [
        "wallet",
        "batch",
        "batch",
        "tombstone",
        "revival",
    ]
    assert entries[3].tombstone == signed_tombstone(wallet, gone.items[0].item_id)
    assert entries[4].revival == request.revival


async def test_a_batch_with_the_owners_word_makes_the_wallet_theirs(safe: LocalSafe) -> None:
    """At a safe that missed the enrolment; by message and by stream; for good."""
    owner = deal_owner(safe.home.roster, "frank")
    for large, wallet in ((False, wallet_key("frank's")), (True, wallet_key("frank's second"))):
        ownership = ownership_of(owner.key, wallet)
        dealt = deal(safe.home.roster, wallet, [bytes(80_000)], label=f"frank {large}", ownership=ownership)
        with pytest.raises(NotAnOwnersWallet):
            await safe.ask(pb.OwnerStatusRequest(), wallet)
        assert not isinstance(await (streamed if large else registered)(safe, dealt, wallet), Refusal)
        assert (await safe.ask(pb.OwnerStatusRequest(), wallet)).items == 1 + large
    foreign = ownership_of(deal_owner(safe.home.roster, "fred").key, wallet)
    for large in (False, True):
        dealt = deal(safe.home.roster, wallet, [bytes(80_000)], label=f"fred {large}", ownership=foreign)
        refused = await (streamed if large else registered)(safe, dealt, wallet)
        assert isinstance(refused, WalletHasOwner)


async def streamed(safe: LocalSafe, dealt: Dealt, wallet: SigningKey) -> Any:
    opening, blob = dealt.opening(safe.safe_id)

    async def chunks() -> AsyncIterator[safe_pb2.RegisterStreamRequest]:
        yield safe_pb2.RegisterStreamRequest(chunk=blob)

    answer = await safe.caller(wallet).stream_up(
        f"{SAFES}/RegisterStream",
        safe_pb2.RegisterStreamRequest(opening=opening),
        chunks(),
        safe_pb2.RegisterStreamResponse,
        SECONDS,
    )
    result = answer.result
    return SAFE_ERRORS.from_refusal(result.refusal) if result.HasField("refusal") else result


@pytest.mark.parametrize("by", ["the owner", "a wallet of theirs", "a stranger"])
async def test_a_forgotten_owner_leaves_nothing(safe: LocalSafe, by: str) -> None:
    """Whoever brings their word; again it gives the same receipt; then the name is free."""
    owner, wallet = await enrolled(safe, f"grace by {by}")
    dealt = deal(safe.home.roster, wallet, [b"graces value"], label=f"grace {by}")
    certificate = await registered(safe, dealt, wallet)
    key = {"the owner": owner.key, "a wallet of theirs": wallet, "a stranger": STRANGER}[by]
    request = word_against_oneself(owner)
    first = (await safe.ask(request, key)).receipt
    read_deletion(
        first.receipt, first.signature, safe.safe_id, safe.home.entry.signing_key, request.tombstone
    )
    for secret in (dealt.blobs[0, 1], owner.part(safe.safe_id).unlock_share):
        assert not in_files(safe, secret)
    safe.clock.ms += 5000
    assert (await safe.ask(request, key)).receipt == first
    assert isinstance(await fetched(safe, certificate, wallet), CertificateUnknown)
    with pytest.raises(NotAnOwnersWallet):
        await safe.ask(pb.OwnerStatusRequest(), wallet)
    owned = deal(
        safe.home.roster, wallet, [b"late"], label=f"late {by}", ownership=ownership_of(owner.key, wallet)
    )
    assert isinstance(await registered(safe, owned, wallet), WalletRevoked)
    with pytest.raises(OwnerForgotten):
        await safe.enroll(owner)
    namesake = deal_owner(safe.home.roster, f"grace by {by}", owner=f"namesake {by}")
    await safe.enroll(namesake)
    assert (await safe.begin(owner.owner_id)) == namesake.record


async def test_a_forgotten_owner_looks_like_nobody(safe: LocalSafe) -> None:
    """The decoy, and the refusal of everything."""
    owner, _ = await enrolled(safe, "heidi")
    await safe.ask(word_against_oneself(owner), owner.key)
    shown = await safe.begin(owner.owner_id)
    assert shown.owner_key != owner.record.owner_key
    request = pb.UnlockRequest(
        owner_id=owner.owner_id,
        record_id=owner.record.record_id,
        guess_id=bytes(16),
        recipient_key=b"\x09" + bytes(31),
        proof=bytes(32),
    )
    with pytest.raises(UnlockRefused):
        await safe.ask(request)


async def test_nobody_is_forgotten_but_by_their_own_word(safe: LocalSafe) -> None:
    """Form and signature are looked at before anything is touched."""
    owner, wallet = await enrolled(safe, "ivan")
    good = word_against_oneself(owner)
    spoilt = {
        "signature": pb.ForgetOwnerRequest(tombstone=good.tombstone, signature=bytes(64)),
        "tombstone": pb.ForgetOwnerRequest(tombstone=good.tombstone[:-1], signature=good.signature),
    }
    for field, request in spoilt.items():
        with pytest.raises(Malformed) as refused:
            await safe.ask(request, owner.key)
        assert refused.value.field == field
    assert (await safe.ask(pb.OwnerStatusRequest(), wallet)).record_id == owner.record.record_id


async def test_the_word_comes_before_the_owner(safe: LocalSafe) -> None:
    """An enrolment that was on its way when it was withdrawn finds the door shut."""
    owner = deal_owner(safe.home.roster, "judy")
    await safe.ask(word_against_oneself(owner), owner.key)
    with pytest.raises(OwnerForgotten):
        await safe.enroll(owner)
