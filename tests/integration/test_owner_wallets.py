"""Wallets of an owner at a real safe: authorised, listed, sharing what they registered, revoked for good."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from kura.safe.v1 import owner_pb2 as pb
from kura.safe.v1 import safe_pb2
from safe_node.decisions.accounts import MAX_UNSEEN_REVOKED, judge_revocation, plan_revocation
from safe_node.handlers.rights import RIGHTS, Right
from support.owner_safes import SAFES, SECONDS, LocalSafe, local_safes
from support.owners import WRONG_PIN, DealtOwner, deal_owner, guess_at
from support.safe_requests import deal, signed_tombstone, wallet_key
from support.sample_documents import NOW
from trust.authorisation import authorise_wallet, revoke_wallet
from trust.documents import SigningKey
from trust.ids import WalletKey
from trust.owner_refusals import (
    NotAnOwnersWallet,
    NotTheOwner,
    OwnerUnknown,
    RearmedLately,
    RecordInForce,
    RecordUnknown,
    TooManyRevocations,
    WalletHasOwner,
    WalletRevoked,
)
from trust.refusals import Refusal, RequestUnsigned
from trust.wallet_refusals import ItemDeleted, NotYourItem

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = 24 * 3_600_000
STRANGER = wallet_key("stranger")
SIGNED = [path for path, right in RIGHTS.items() if right not in (Right.ANYONE, Right.PEER)]
"""What peers call is at another port, and judged by certificates (tests/fault/test_repair_refusals.py)."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def safe(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSafe]:
    """One safe; each test has owners and wallets of its own."""
    async with local_safes(tmp_path_factory.mktemp("one"), 1, 1) as safes:
        yield safes.safes[0]


async def enrolled(safe: LocalSafe, name: str) -> DealtOwner:
    owner = deal_owner(safe.home.roster, name)
    await safe.enroll(owner)
    return owner


async def authorise(safe: LocalSafe, owner: DealtOwner, wallet: SigningKey) -> None:
    signed = authorise_wallet(WalletKey(wallet.public), NOW, owner.key)
    request = pb.AuthoriseWalletRequest(authorisation=signed.authorisation, signature=signed.signature)
    await safe.ask(request, wallet)


def revocation(owner: DealtOwner, wallet: SigningKey) -> pb.RevokeWalletRequest:
    body, signature = revoke_wallet(WalletKey(wallet.public), NOW, owner.key)
    return pb.RevokeWalletRequest(revocation=body, signature=signature)


async def registered(safe: LocalSafe, wallet: SigningKey, label: str) -> Any:
    """What a wallet dealt, with its certificate."""
    dealt = deal(safe.home.roster, wallet, [b"value"], label=label)
    request = safe_pb2.RegisterRequest(batches=[dealt.for_safe(safe.safe_id)])
    (result,) = (await _ask_safe(safe, "Register", request, wallet)).results
    return dealt, result.registration.certificates[0] if result.HasField("registration") else result.refusal


async def fetch(safe: LocalSafe, wallet: SigningKey, certificate: bytes) -> Any:
    request = safe_pb2.FetchRequest(certificates=[certificate])
    (result,) = (await _ask_safe(safe, "Fetch", request, wallet)).results
    return result


async def _ask_safe(safe: LocalSafe, method: str, request: Any, wallet: SigningKey) -> Any:
    answer = getattr(safe_pb2, f"{method}Response")
    return await safe.caller(wallet).unary(f"{SAFES}/{method}", request, answer, SECONDS)


def refused_with(result: Any, kind: type[Refusal]) -> bool:
    from rpc_edge.error_table import SAFE_ERRORS

    return isinstance(SAFE_ERRORS.from_refusal(result.refusal), kind)


async def test_a_wallet_acts_for_the_owner_who_says_so(safe: LocalSafe) -> None:
    """It may repeat that, and see guesses, items and wallets from then on."""
    owner, wallet = await enrolled(safe, "alice"), wallet_key("alice's")
    with pytest.raises(NotAnOwnersWallet):
        await safe.ask(pb.OwnerStatusRequest(), wallet)
    await registered(safe, wallet, "before")
    for _ in range(2):
        await authorise(safe, owner, wallet)
    status = await safe.ask(pb.OwnerStatusRequest(), wallet)
    assert status == await safe.ask(pb.OwnerStatusRequest(), owner.key)
    assert (status.record_id, status.guesses_allowed, status.items) == (owner.record.record_id, 10, 1)
    (listed,) = (await safe.ask(pb.ListWalletsRequest(), wallet)).wallets
    assert listed.wallet_key == wallet.public
    assert not listed.revocation


async def test_a_word_for_another_wallet_or_owner_is_refused(safe: LocalSafe) -> None:
    """A wallet has one owner."""
    owner, other = await enrolled(safe, "bob"), await enrolled(safe, "bill")
    wallet = wallet_key("bob's")
    signed = authorise_wallet(WalletKey(wallet.public), NOW, owner.key)
    request = pb.AuthoriseWalletRequest(authorisation=signed.authorisation, signature=signed.signature)
    with pytest.raises(NotYourItem):
        await safe.ask(request, STRANGER)
    await safe.ask(request, wallet)
    with pytest.raises(WalletHasOwner):
        await authorise(safe, other, wallet)


async def test_wallets_of_one_owner_share_what_they_registered(safe: LocalSafe) -> None:
    """Fetched and deleted by each other, and by the owner key; a stranger gets nothing."""
    owner = await enrolled(safe, "carol")
    first, second = wallet_key("carol's first"), wallet_key("carol's second")
    dealt, certificate = await registered(safe, first, "shared")
    await authorise(safe, owner, first)
    assert refused_with(await fetch(safe, second, certificate), NotYourItem)
    await authorise(safe, owner, second)
    for key in (first, second, owner.key):
        assert (await fetch(safe, key, certificate)).piece.blob == dealt.blobs[0, 1]
    assert refused_with(await fetch(safe, STRANGER, certificate), NotYourItem)
    streamed = safe.caller(second).stream_down(
        f"{SAFES}/FetchStream",
        safe_pb2.FetchStreamRequest(certificate=certificate),
        safe_pb2.FetchStreamResponse,
        SECONDS,
    )
    assert b"".join([part.chunk async for part in streamed]) == dealt.blobs[0, 1]
    tombstone = safe_pb2.DeleteRequest(tombstones=[signed_tombstone(second, dealt.items[0].item_id)])
    await _ask_safe(safe, "Delete", tombstone, second)
    assert not (await fetch(safe, first, certificate)).HasField("piece")
    _, refusal = await registered(safe, first, "shared")
    assert refused_with(safe_pb2.BatchResult(refusal=refusal), ItemDeleted)


@pytest.mark.parametrize("by", ["the owner", "another wallet", "the wallet itself"])
async def test_a_revoked_wallet_is_refused_whatever_it_calls(safe: LocalSafe, by: str) -> None:
    """Every signed method of both services; what it registered stays its owner's."""
    owner = await enrolled(safe, f"dave, by {by}")
    lost, kept = wallet_key(f"lost, by {by}"), wallet_key(f"kept, by {by}")
    for wallet in (lost, kept):
        await authorise(safe, owner, wallet)
    dealt, certificate = await registered(safe, lost, f"lost, by {by}")
    bringer = {"the owner": owner.key, "another wallet": kept, "the wallet itself": lost}[by]
    await safe.ask(revocation(owner, lost), bringer)
    await safe.ask(revocation(owner, lost), owner.key)
    for path in SIGNED:
        assert await _refusal_of(safe, path, lost) is WalletRevoked, path
    assert (await fetch(safe, kept, certificate)).piece.blob == dealt.blobs[0, 1]
    first, second = (await safe.ask(pb.ListWalletsRequest(), kept)).wallets
    assert (first.wallet_key, second.wallet_key) == (lost.public, kept.public)
    assert first.revocation
    assert not second.revocation


async def test_made_up_wallets_are_revoked_up_to_a_limit(safe: LocalSafe) -> None:
    """Words against wallets that nobody ever had fill no disk; the owner's own go on being revoked."""
    owner, own = await enrolled(safe, "mallory"), wallet_key("mallory's")
    await authorise(safe, owner, own)
    words = [revocation(owner, wallet_key(f"made up {number}")) for number in range(MAX_UNSEEN_REVOKED)]
    by = await safe.store.owners.standing(WalletKey(owner.key.public))
    judged = [judge_revocation(word.revocation, word.signature, by) for word in words]
    await asyncio.gather(*(safe.store.owners.revoke(word, plan_revocation) for word in judged))
    with pytest.raises(TooManyRevocations) as refused:
        await safe.ask(revocation(owner, wallet_key("one more")), owner.key)
    assert refused.value.limit == MAX_UNSEEN_REVOKED
    await safe.ask(revocation(owner, own), owner.key)
    with pytest.raises(WalletRevoked):
        await safe.ask(pb.OwnerStatusRequest(), own)


async def _refusal_of(safe: LocalSafe, path: str, key: SigningKey) -> type[Refusal] | None:
    service, _, method = path.rpartition("/")
    module = safe_pb2 if service.endswith("SafeService") else pb
    request, answer = getattr(module, f"{method}Request")(), getattr(module, f"{method}Response")
    caller = safe.caller(key)
    try:
        if method == "FetchStream":
            async for _ in caller.stream_down(path, request, answer, SECONDS):
                pass
        elif method == "RegisterStream":
            await caller.stream_up(path, request, _nothing(), answer, SECONDS)
        else:
            await caller.unary(path, request, answer, SECONDS)
    except Refusal as refusal:
        return type(refusal)
    return None


async def _nothing() -> AsyncIterator[Any]:
    messages: tuple[Any, ...] = ()
    for message in messages:
        yield message


@pytest.mark.parametrize("path", [path for path in SIGNED if not path.endswith("Stream")])
async def test_what_is_not_open_to_all_is_signed(safe: LocalSafe, path: str) -> None:
    """The table of rights is what the server goes by; our client signs every stream."""
    service, _, method = path.rpartition("/")
    module = safe_pb2 if service.endswith("SafeService") else pb
    request, answer = getattr(module, f"{method}Request")(), getattr(module, f"{method}Response")
    with pytest.raises(RequestUnsigned):
        await safe.caller().unary(path, request, answer, SECONDS, signed=False)


async def test_a_word_against_a_wallet_is_its_owners_alone(safe: LocalSafe) -> None:
    """Another owner's word changes nothing, and strangers bring none."""
    owner, other = await enrolled(safe, "erin"), await enrolled(safe, "eve")
    wallet = wallet_key("erin's")
    await authorise(safe, owner, wallet)
    await safe.ask(revocation(other, wallet), other.key)
    assert (await safe.ask(pb.OwnerStatusRequest(), wallet)).record_id == owner.record.record_id
    with pytest.raises(NotAnOwnersWallet):
        await safe.ask(revocation(owner, wallet), STRANGER)
    with pytest.raises(NotTheOwner):
        await safe.ask(revocation(owner, wallet), other.key)


async def test_a_wallet_is_revoked_where_it_was_never_seen(safe: LocalSafe) -> None:
    """By an owner of whom the safe knows nothing either; it never becomes theirs."""
    owner, wallet = deal_owner(safe.home.roster, "frank"), wallet_key("frank's")
    await safe.ask(revocation(owner, wallet), owner.key)
    with pytest.raises(WalletRevoked):
        await authorise(safe, owner, wallet)


async def test_guesses_are_given_back_by_wallets_once_a_day_and_by_the_owner(safe: LocalSafe) -> None:
    """The wallet is told when it may again."""
    owner, wallet = await enrolled(safe, "grace"), wallet_key("grace's")
    await authorise(safe, owner, wallet)

    async def spend(label: str) -> None:
        await safe.ask(guess_at(owner.record, WRONG_PIN, f"grace {label}").request())
        assert (await safe.ask(pb.OwnerStatusRequest(), wallet)).guesses_spent == 1

    await spend("first")
    await safe.ask(pb.RearmRequest(), wallet)
    await spend("second")
    with pytest.raises(RearmedLately) as refused:
        await safe.ask(pb.RearmRequest(), wallet)
    assert refused.value.again_at_ms == safe.clock.ms + DAY
    await safe.ask(pb.RearmRequest(), owner.key)
    await spend("third")
    safe.clock.ms += DAY
    await safe.ask(pb.RearmRequest(), wallet)
    assert (await safe.ask(pb.OwnerStatusRequest(), wallet)).guesses_spent == 0


async def test_where_the_record_is_missing_there_is_nothing_to_give_back(safe: LocalSafe) -> None:
    """A wallet of an owner whose enrolment this safe missed still sees what is kept."""
    owner, wallet = deal_owner(safe.home.roster, "heidi"), wallet_key("heidi's")
    await authorise(safe, owner, wallet)
    with pytest.raises(OwnerUnknown):
        await safe.ask(pb.RearmRequest(), wallet)
    assert (await safe.ask(pb.OwnerStatusRequest(), wallet)).record_id == b""


async def test_records_are_changed_by_their_owner_alone(safe: LocalSafe) -> None:
    """To others, their own wallets included, there is no record to change."""
    owner, wallet = await enrolled(safe, "ivan"), wallet_key("ivan's")
    await authorise(safe, owner, wallet)
    names = {"owner_id": owner.owner_id, "record_id": owner.record.record_id}
    unknown = {"owner_id": owner.owner_id, "record_id": bytes(16)}
    for key in (wallet, STRANGER):
        for request in (pb.CommitRecordRequest(**names), pb.DropRecordRequest(**names)):
            with pytest.raises(OwnerUnknown):
                await safe.ask(request, key)
        with pytest.raises(NotTheOwner):
            await safe.ask(pb.StageRecordRequest(version=owner.versions[safe.safe_id]), key)
    with pytest.raises(RecordInForce):
        await safe.ask(pb.DropRecordRequest(**names), owner.key)
    with pytest.raises(RecordUnknown):
        await safe.ask(pb.CommitRecordRequest(**unknown), owner.key)
    await safe.ask(pb.DropRecordRequest(**unknown), owner.key)
