"""The link believes nothing: every way in which a safe's answer can be wrong, and the honest ones."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any, cast

import pytest

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.client import SignedCaller
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.errors import NoAnswer
from support.batches import KEYS, ROSTER, batch_of, plaintext
from support.memory_safes import safe_key
from support.sample_documents import NOW, draw
from trust.certificate import Certificate, sign_certificates
from trust.documents import SigningKey
from trust.ids import ItemId, SafeId, WalletKey
from trust.piece import block_hashes, piece_root
from trust.refusals import StorageFull
from trust.tombstone import Tombstone, sign_deletion, sign_tombstone
from trust.wallet_refusals import ItemDeleted, PieceConflict
from wallet_client.network.failures import WrongCertificate, WrongPiece, WrongReply
from wallet_client.network.messages import FetchedPiece
from wallet_client.network.safe_link import SafeLink, SignedBytes
from wallet_client.pipeline.batch import PreparedBatch
from wallet_client.pipeline.parcel import CHUNK_BYTES, Parcel

SAFE = ROSTER.safes[0]
OTHER = ROSTER.safes[1]
KEY = safe_key(1)
BATCH = batch_of([b"one", b"two"], "threshold")
(PARCEL,) = BATCH.parcels(SAFE.safe_id)
BLOB = plaintext(5 * 65_536 + 7, "blob")


@dataclass
class FakeCaller:
    """Stands at the edge: records what is asked and answers what a test says."""

    answer: Callable[[Any], Any] = lambda request: None
    stream: Sequence[Any] = ()
    asked: list[tuple[str, Any, float]] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    closed: bool = False

    async def unary(self, method: str, request: Any, response_type: type, timeout: float) -> Any:
        self.asked.append((method.rpartition("/")[2], request, timeout))
        await asyncio.sleep(0)
        return self.answer(request)

    async def stream_up(
        self, method: str, first: Any, rest: AsyncIterator[Any], response_type: type, timeout: float
    ) -> Any:
        self.asked.append((method.rpartition("/")[2], first, timeout))
        answer = self.answer(first)  # a refusal comes before anything is read
        async for message in rest:
            self.sent.append(message)
        return answer

    async def stream_down(
        self, method: str, request: Any, response_type: type, timeout: float
    ) -> AsyncGenerator[Any, None]:
        self.asked.append((method.rpartition("/")[2], request, timeout))
        try:
            for message in self.stream:
                if isinstance(message, Exception):
                    raise message
                yield message
        finally:
            self.closed = True


class NoChannel:
    """A channel that only notes that it was closed."""

    closed = False

    async def close(self) -> None:
        self.closed = True


def link(caller: FakeCaller, channel: NoChannel | None = None) -> SafeLink:
    """A link to safe-1 over a fake caller."""
    return SafeLink(SAFE, channel or NoChannel(), cast(SignedCaller, caller), 5.0)


def certificates(parcel: Parcel, counter: int = 7, **changes: Any) -> list[bytes]:
    """What an honest safe certifies, with some fields changed in the first."""
    issued = [
        _changed(piece.expected, counter=counter + number, **(changes if number == 0 else {}))
        for number, piece in enumerate(parcel.pieces)
    ]
    return [certificate.to_bytes() for certificate in issued]


def _changed(certificate: Certificate, **changes: Any) -> Certificate:
    fields = {name: getattr(certificate, name) for name in Certificate.__struct_fields__}
    return Certificate(**(fields | changes))


def registered(
    *batches: list[bytes] | Exception, key: SigningKey = KEY, safe_id: SafeId = SAFE.safe_id
) -> pb.RegisterResponse:
    """A response with these certificates or refusals, signed."""
    results = [
        pb.BatchResult(refusal=SAFE_ERRORS.to_refusal(batch))  # type: ignore[arg-type]
        if isinstance(batch, Exception)
        else pb.BatchResult(registration=pb.Registration(certificates=batch))
        for batch in batches
    ]
    issued = [one for batch in batches if isinstance(batch, list) for one in batch]
    signature = sign_certificates(safe_id, issued, key) if issued else b""
    return pb.RegisterResponse(results=results, signature=signature)


class TestRegister:
    """Parcels in, checked certificates out."""

    async def test_honest_certificates_come_back_signed_and_provable(self) -> None:
        """One for each piece, whatever counters the safe chose."""
        caller = FakeCaller(lambda request: registered(certificates(PARCEL, counter=2**62)))
        signed = await link(caller).register(PARCEL)
        assert [one.read().counter for one in signed] == [2**62, 2**62 + 1]
        assert [one.read().item_id for one in signed] == [leaf.item_id for leaf in BATCH.leaves]

    @pytest.mark.parametrize(
        "changes",
        [
            {"safe_id": OTHER.safe_id},
            {"kind": "key"},
            {"digest": batch_of([b"x"], "threshold", seed="z").leaves[0].digest},
            {"x_hash": draw("another hash", 32)},
            {"item_id": ItemId(draw("another item", 16))},
            {"generation": 2},
            {"index": 2},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    async def test_a_certificate_that_differs_in_any_field_is_refused(self, changes: dict[str, Any]) -> None:
        """All but the counter."""
        caller = FakeCaller(lambda request: registered(certificates(PARCEL, **changes)))
        with pytest.raises(WrongCertificate):
            await link(caller).register(PARCEL)

    async def test_certificates_in_another_order_are_refused(self) -> None:
        """Each is compared with its own piece."""
        caller = FakeCaller(lambda request: registered(certificates(PARCEL)[::-1]))
        with pytest.raises(WrongCertificate):
            await link(caller).register(PARCEL)

    @pytest.mark.parametrize("key", [safe_key(2), KEYS.signing], ids=["another safe's", "the wallet's"])
    async def test_another_key_signs_nothing_here(self, key: SigningKey) -> None:
        """Only the one in the roster does."""
        caller = FakeCaller(lambda request: registered(certificates(PARCEL), key=key))
        with pytest.raises(WrongCertificate):
            await link(caller).register(PARCEL)

    async def test_a_signature_for_another_safe_id_does_not_hold(self) -> None:
        """The signed head names the safe."""
        caller = FakeCaller(lambda request: registered(certificates(PARCEL), safe_id=OTHER.safe_id))
        with pytest.raises(WrongCertificate):
            await link(caller).register(PARCEL)

    @pytest.mark.parametrize("signature", [b"", bytes(64), bytes(63)], ids=["none", "zeros", "short"])
    async def test_a_missing_or_broken_signature_does_not_hold(self, signature: bytes) -> None:
        """Nothing is kept."""

        def answer(request: object) -> pb.RegisterResponse:
            response = registered(certificates(PARCEL))
            response.signature = signature
            return response

        with pytest.raises(WrongCertificate):
            await link(FakeCaller(answer)).register(PARCEL)

    async def test_bytes_that_are_no_certificate_are_refused(self) -> None:
        """Signed or not."""
        caller = FakeCaller(lambda request: registered([b"one", b"two"]))
        with pytest.raises(WrongCertificate):
            await link(caller).register(PARCEL)

    @pytest.mark.parametrize("count", [0, 1, 3])
    async def test_too_few_or_too_many_certificates_are_a_wrong_reply(self, count: int) -> None:
        """One for each piece."""
        issued = (certificates(PARCEL) * 2)[:count]
        with pytest.raises(WrongReply):
            await link(FakeCaller(lambda request: registered(issued))).register(PARCEL)

    @pytest.mark.parametrize("count", [0, 2])
    async def test_too_few_or_too_many_results_are_a_wrong_reply(self, count: int) -> None:
        """One for each batch."""
        caller = FakeCaller(lambda request: registered(*[certificates(PARCEL)] * count))
        with pytest.raises(WrongReply):
            await link(caller).register(PARCEL)

    async def test_a_result_without_outcome_is_a_wrong_reply(self) -> None:
        """Neither yes nor no."""
        caller = FakeCaller(lambda request: pb.RegisterResponse(results=[pb.BatchResult()]))
        with pytest.raises(WrongReply):
            await link(caller).register(PARCEL)

    async def test_a_refusal_is_raised_as_it_is(self) -> None:
        """The safe's own word needs no signature."""
        with pytest.raises(StorageFull):
            await link(FakeCaller(lambda request: registered(StorageFull()))).register(PARCEL)

    async def test_of_parcels_that_went_together_each_gets_its_own_outcome(self) -> None:
        """Certificates, a refusal, and certificates of somebody else."""
        batches = [batch_of([b"value"], "threshold", seed=f"batch {number}") for number in range(3)]
        parcels = [batch.parcels(SAFE.safe_id)[0] for batch in batches]

        def answer(request: pb.RegisterRequest) -> pb.RegisterResponse:
            return registered(certificates(parcels[0]), PieceConflict(), certificates(parcels[0]))

        caller = FakeCaller(answer)
        safe = link(caller)
        outcomes = await asyncio.gather(*map(safe.register, parcels), return_exceptions=True)
        assert [len(request.batches) for _, request, _ in caller.asked] == [3]
        assert [type(outcome) for outcome in outcomes] == [tuple, PieceConflict, WrongCertificate]

    @pytest.mark.parametrize(("length", "seconds"), [(0, 5.0), (500_000, 5.5), (1_000_000, 6.0)])
    async def test_a_large_message_gets_more_time(self, length: int, seconds: float) -> None:
        """Patience, and a second for each MiB, to a tenth."""
        (parcel,) = batch_of([bytes(length)], "plain").parcels(SAFE.safe_id)
        caller = FakeCaller(lambda request: registered(certificates(parcel)))
        await link(caller).register(parcel)
        ((_, _, timeout),) = caller.asked
        assert timeout == seconds

    async def test_no_answer_is_passed_on(self) -> None:
        """To all whose parcels were in the message."""

        def answer(request: object) -> object:
            raise NoAnswer(5.0)

        with pytest.raises(NoAnswer):
            await link(FakeCaller(answer)).register(PARCEL)

    async def test_never_more_pieces_in_a_message_than_a_safe_takes(self) -> None:
        """Many small batches at once stay below 10,000 pieces each time."""
        (parcel,) = batch_of([b""] * 900, "threshold").parcels(SAFE.safe_id)
        caller = FakeCaller(lambda request: registered(*[StorageFull()] * len(request.batches)))
        safe = link(caller)
        await asyncio.gather(*(safe.register(parcel) for _ in range(30)), return_exceptions=True)
        pieces = [sum(len(batch.pieces) for batch in request.batches) for _, request, _ in caller.asked]
        assert sum(pieces) == 27_000
        assert max(pieces) <= 5_000


class TestRegisterStream:
    """One large parcel."""

    batch: PreparedBatch = batch_of([plaintext(4_000_000)], "threshold")
    (parcel,) = batch.parcels(SAFE.safe_id)

    def answer(self, *outcome: list[bytes] | Exception, **signing: Any) -> Callable[[Any], Any]:
        response = registered(*outcome, **signing)
        streamed = pb.RegisterStreamResponse(result=response.results[0], signature=response.signature)
        return lambda first: streamed

    def chunks(self) -> Iterator[bytes]:
        assert self.parcel.streamed is not None
        return self.batch.chunks(self.parcel.streamed.x)

    async def test_opening_and_chunks_are_sent_and_the_certificate_is_checked(self) -> None:
        """Everything in order."""
        caller = FakeCaller(self.answer(certificates(self.parcel)))
        (signed,) = await link(caller).register_stream(self.parcel, self.chunks())
        assert signed.read().x_hash == self.parcel.pieces[0].expected.x_hash
        assert [message.chunk for message in caller.sent] == list(self.chunks())
        ((method, first, timeout),) = caller.asked
        assert (method, timeout) == ("RegisterStream", 5.0)
        assert first.WhichOneof("part") == "opening"

    @pytest.mark.parametrize(
        "changes",
        [{"x_hash": draw("another hash", 32)}, {"index": 2}],
        ids=lambda changes: next(iter(changes)),
    )
    async def test_a_certificate_for_something_else_is_refused(self, changes: dict[str, Any]) -> None:
        """As in a small registration."""
        caller = FakeCaller(self.answer(certificates(self.parcel, **changes)))
        with pytest.raises(WrongCertificate):
            await link(caller).register_stream(self.parcel, self.chunks())

    async def test_another_safes_signature_does_not_hold(self) -> None:
        """As in a small registration."""
        caller = FakeCaller(self.answer(certificates(self.parcel), key=safe_key(2)))
        with pytest.raises(WrongCertificate):
            await link(caller).register_stream(self.parcel, self.chunks())

    async def test_a_refusal_in_the_answer_is_raised(self) -> None:
        """Before or after the chunks."""
        with pytest.raises(ItemDeleted):
            await link(FakeCaller(self.answer(ItemDeleted()))).register_stream(self.parcel, self.chunks())

    async def test_when_the_call_ends_early_no_more_chunks_are_made(self) -> None:
        """The source is closed, not left to the collector."""
        ended: list[bool] = []

        def source() -> Iterator[bytes]:
            try:
                yield b"chunk"
            finally:
                ended.append(True)

        class ReadsOne(FakeCaller):
            async def stream_up(
                self, method: str, first: Any, rest: AsyncIterator[Any], response_type: type, timeout: float
            ) -> Any:
                await anext(rest)
                raise StorageFull

        chunks = source()
        with pytest.raises(StorageFull):
            await link(ReadsOne()).register_stream(self.parcel, chunks)
        del chunks
        assert ended == [True]


def fetched(*blobs: bytes | Exception) -> pb.FetchResponse:
    """A response with these blobs or refusals."""
    return pb.FetchResponse(
        results=[
            pb.FetchResult(refusal=SAFE_ERRORS.to_refusal(blob))  # type: ignore[arg-type]
            if isinstance(blob, Exception)
            else pb.FetchResult(piece=pb.StoredPiece(blob=blob))
            for blob in blobs
        ]
    )


class TestFetch:
    """Certificates in, unchecked pieces out."""

    async def test_each_certificate_gets_its_own_answer(self) -> None:
        """A piece or a refusal, in order."""
        caller = FakeCaller(lambda request: fetched(b"one", ItemDeleted(), b"three"))
        one, refused, three = await link(caller).fetch([b"a", b"b", b"c"], 100)
        assert (one, three) == (FetchedPiece(b"one", None), FetchedPiece(b"three", None))
        assert isinstance(refused, ItemDeleted)

    @pytest.mark.parametrize("count", [0, 1, 3])
    async def test_too_few_or_too_many_answers_are_a_wrong_reply(self, count: int) -> None:
        """One for each certificate."""
        with pytest.raises(WrongReply):
            await link(FakeCaller(lambda request: fetched(*[b"x"] * count))).fetch([b"a", b"b"], 100)

    async def test_requests_that_went_together_get_back_their_own(self) -> None:
        """Though the message knows no requests."""
        caller = FakeCaller(lambda request: fetched(*request.certificates))
        safe = link(caller)
        wanted = [[b"a"], [b"b", b"c"], [b"d"], [b"e", b"f", b"g"], [b"h"]]
        answers = await asyncio.gather(*(safe.fetch(request, 10) for request in wanted))
        assert [
            [piece.blob for piece in answer if isinstance(piece, FetchedPiece)] for answer in answers
        ] == wanted
        assert len(caller.asked) == 1

    async def test_a_small_request_has_no_more_than_the_patience(self) -> None:
        """A dead safe is given up as soon as the person was told."""
        caller = FakeCaller(lambda request: fetched(b"x"))
        await link(caller).fetch([b"a"], 1_024)
        ((_, _, timeout),) = caller.asked
        assert timeout == pytest.approx(5.0, abs=0.01)

    async def test_a_large_answer_gets_more_time(self) -> None:
        """A second for each MiB."""
        caller = FakeCaller(lambda request: fetched(b"x"))
        await link(caller).fetch([b"a"], 3 * 1_048_576)
        ((_, _, timeout),) = caller.asked
        assert timeout == pytest.approx(8.0, abs=0.01)

    async def test_never_more_certificates_in_a_message_than_a_safe_takes(self) -> None:
        """Also where the pieces weigh nothing, as key pieces do."""
        caller = FakeCaller(lambda request: fetched(*request.certificates))
        safe = link(caller)
        await asyncio.gather(*(safe.fetch([b"c"] * 900, 0) for _ in range(30)))
        counts = [len(request.certificates) for _, request, _ in caller.asked]
        assert sum(counts) == 27_000
        assert max(counts) <= 5_000


def head(**changes: Any) -> pb.FetchStreamResponse:
    """The honest head of BLOB, with some fields changed."""
    fields: dict[str, Any] = {
        "piece": pb.StoredPiece(key_share=bytes(32)),
        "blob_length": len(BLOB),
        "block_hashes": block_hashes(BLOB),
    }
    return pb.FetchStreamResponse(head=pb.StreamHead(**(fields | changes)))


def chunk_messages(blob: bytes, size: int = 2 * 65_536) -> list[pb.FetchStreamResponse]:
    """The blob in chunks."""
    return [pb.FetchStreamResponse(chunk=blob[start : start + size]) for start in range(0, len(blob), size)]


def flipped(blob: bytes, position: int) -> bytes:
    """One bit of it changed."""
    return blob[:position] + bytes([blob[position] ^ 1]) + blob[position + 1 :]


HONEST = chunk_messages(BLOB)
LIES: dict[str, tuple[list[Any], type[Exception]]] = {
    "nothing at all": ([], WrongReply),
    "a chunk instead of the head": (HONEST, WrongReply),
    "an empty message instead of the head": ([pb.FetchStreamResponse(), *HONEST], WrongReply),
    "another length, shorter": ([head(blob_length=len(BLOB) - 1), *HONEST], WrongReply),
    "another length, longer": ([head(blob_length=2**40), *HONEST], WrongReply),
    "no block hashes": ([head(block_hashes=[]), *HONEST], WrongPiece),
    "one block hash too few": ([head(block_hashes=block_hashes(BLOB)[:-1]), *HONEST], WrongPiece),
    "one block hash too many": ([head(block_hashes=[*block_hashes(BLOB), bytes(32)]), *HONEST], WrongPiece),
    "block hashes of something else": (
        [head(block_hashes=block_hashes(flipped(BLOB, 0))), *chunk_messages(flipped(BLOB, 0))],
        WrongPiece,
    ),
    "block hashes that are none": ([head(block_hashes=[b"x"] * 6), *HONEST], WrongPiece),
    "a bit flipped in the first block": ([head(), *chunk_messages(flipped(BLOB, 0))], WrongPiece),
    "a bit flipped in the last byte": ([head(), *chunk_messages(flipped(BLOB, len(BLOB) - 1))], WrongPiece),
    "no chunks": ([head()], WrongPiece),
    "the last chunk missing": ([head(), *HONEST[:-1]], WrongPiece),
    "a chunk too many": ([head(), *HONEST, HONEST[0]], WrongPiece),
    "an empty chunk at the end": ([head(), *HONEST, pb.FetchStreamResponse(chunk=b"")], WrongPiece),
    "a second head": ([head(), HONEST[0], head(), *HONEST[1:]], WrongPiece),
    "chunks in another order": ([head(), HONEST[1], HONEST[0], *HONEST[2:]], WrongPiece),
    "the same chunk twice": ([head(), HONEST[0], HONEST[0], *HONEST[2:]], WrongPiece),
    "chunks that are not cut at a block's end": ([head(), *chunk_messages(BLOB, 65_535)], WrongPiece),
}


class TestFetchStream:
    """A large blob into a file, block by block."""

    async def receive(self, messages: Sequence[Any], into: BytesIO) -> tuple[bytes | None, FakeCaller]:
        caller = FakeCaller(stream=messages)
        try:
            share = await link(caller).fetch_stream(b"certificate", piece_root(BLOB), len(BLOB), into)
        finally:
            assert caller.closed or not caller.asked
        return share, caller

    @pytest.mark.parametrize("size", [65_536, 2 * 65_536, CHUNK_BYTES, len(BLOB)])
    async def test_an_honest_stream_is_written_whole(self, size: int) -> None:
        """However it is cut; the key share comes with the head."""
        file = BytesIO()
        share, caller = await self.receive([head(), *chunk_messages(BLOB, size)], file)
        assert (file.getvalue(), share) == (BLOB, bytes(32))
        assert caller.closed

    async def test_a_piece_without_key_share_gives_none(self) -> None:
        """Absent is not empty."""
        share, _ = await self.receive([head(piece=pb.StoredPiece()), *HONEST], BytesIO())
        assert share is None

    @pytest.mark.parametrize(("messages", "failure"), LIES.values(), ids=list(LIES))
    async def test_every_lie_is_noticed(self, messages: list[Any], failure: type[Exception]) -> None:
        """And never more is written than was right so far."""
        file = BytesIO()
        with pytest.raises(failure):
            await self.receive(messages, file)
        assert BLOB.startswith(file.getvalue())

    @pytest.mark.parametrize("failure", [ItemDeleted(), NoAnswer(5.0)], ids=["refused", "broken off"])
    @pytest.mark.parametrize("after", [0, 2])
    async def test_a_failure_in_the_middle_is_passed_on(self, failure: Exception, after: int) -> None:
        """At the head or after some chunks."""
        with pytest.raises(type(failure)):
            await self.receive([*[head(), *HONEST][:after], failure], BytesIO())


def tombstones(count: int) -> list[SignedBytes]:
    """Signed tombstones of as many items."""
    wallet = KEYS.signing
    return [
        sign_tombstone(Tombstone(WalletKey(wallet.public), ItemId(draw(f"dead {i}", 16)), 1, NOW), wallet)
        for i in range(count)
    ]


def erased(*receipts: tuple[bytes, bytes] | Exception) -> pb.DeleteResponse:
    """A response with these receipts or refusals."""
    return pb.DeleteResponse(
        results=[
            pb.DeleteResult(refusal=SAFE_ERRORS.to_refusal(one))  # type: ignore[arg-type]
            if isinstance(one, Exception)
            else pb.DeleteResult(receipt=pb.SignedDeletionReceipt(receipt=one[0], signature=one[1]))
            for one in receipts
        ]
    )


class TestDelete:
    """Tombstones in, checked deletion receipts out."""

    async def test_honest_receipts_come_back_byte_for_byte(self) -> None:
        """With their signatures, one for each tombstone; a refusal counts for its own."""
        dead = tombstones(3)
        good = [sign_deletion(SAFE.safe_id, body, NOW, KEY) for body, _ in dead]
        caller = FakeCaller(lambda request: erased(good[0], StorageFull(), good[2]))
        first, second, third = await link(caller).delete(dead)
        assert (first, third) == (good[0], good[2])
        assert isinstance(second, StorageFull)

    @pytest.mark.parametrize(
        "made",
        [
            lambda body: sign_deletion(SAFE.safe_id, body, NOW, safe_key(2)),
            lambda body: sign_deletion(OTHER.safe_id, body, NOW, KEY),
            lambda body: sign_deletion(SAFE.safe_id, b"another tombstone", NOW, KEY),
            lambda body: (b"nonsense", bytes(64)),
            lambda body: (sign_deletion(SAFE.safe_id, body, NOW, KEY)[0], b""),
        ],
        ids=["another key", "another safe", "another tombstone", "nonsense", "no signature"],
    )
    async def test_a_receipt_that_does_not_hold_is_no_receipt(self, made: Callable[[bytes], Any]) -> None:
        """It is given as that tombstone's failure; the others stand."""
        dead = tombstones(2)
        good = sign_deletion(SAFE.safe_id, dead[1][0], NOW, KEY)
        first, second = await link(FakeCaller(lambda request: erased(made(dead[0][0]), good))).delete(dead)
        assert isinstance(first, Exception)
        assert second == good

    @pytest.mark.parametrize("count", [0, 1, 3])
    async def test_too_few_or_too_many_receipts_are_a_wrong_reply(self, count: int) -> None:
        """One for each tombstone."""
        dead = tombstones(2)
        receipt = sign_deletion(SAFE.safe_id, dead[0][0], NOW, KEY)
        with pytest.raises(WrongReply):
            await link(FakeCaller(lambda request: erased(*[receipt] * count))).delete(dead)

    async def test_a_result_without_outcome_is_that_tombstones_failure(self) -> None:
        """Neither yes nor no."""
        caller = FakeCaller(lambda request: pb.DeleteResponse(results=[pb.DeleteResult()]))
        (outcome,) = await link(caller).delete(tombstones(1))
        assert isinstance(outcome, WrongReply)


async def test_close_ends_what_is_under_way_and_closes_the_channel() -> None:
    """Nobody is left waiting."""
    entered = asyncio.Event()

    class Silent(FakeCaller):
        async def unary(self, method: str, request: Any, response_type: type, timeout: float) -> Any:
            entered.set()
            await asyncio.Event().wait()

    channel = NoChannel()
    safe = link(Silent(), channel)
    waiting = asyncio.create_task(safe.register(replace(PARCEL)))
    await entered.wait()
    await safe.close()
    await asyncio.wait((waiting,))
    assert waiting.cancelled()
    assert channel.closed
