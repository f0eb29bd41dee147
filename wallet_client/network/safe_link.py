"""The wallet's link to one safe: parcels, certificates and tombstones in, checked answers out.

Concurrent calls of one kind to one safe coalesce into one message. Whatever the safe answers is checked
here against what it was asked: certificates against the parcel and the safe's key in the roster,
deletion receipts against the tombstone. Pieces are checked by who knows the manifest.
"""

from collections.abc import Iterator, Sequence
from contextlib import aclosing
from itertools import islice
from typing import Protocol, TypeAlias, TypeVar

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.client import SignedCaller
from trust.certificate import Certificate, SignedCertificate, check_certificate, verify_call
from trust.errors import TrustError
from trust.ids import Signature
from trust.roster import SafeEntry
from trust.tombstone import read_deletion
from wallet_client.network import messages
from wallet_client.network.coalescer import Coalescer
from wallet_client.network.failures import WrongCertificate, WrongPiece, WrongReply
from wallet_client.network.messages import FetchedPiece, RepairView
from wallet_client.network.streams import ByteSink, chunk_messages, receive
from wallet_client.pipeline.parcel import Parcel

_Result = TypeVar("_Result")

SignedBytes: TypeAlias = tuple[bytes, Signature]
"""A document's exact bytes and their signature."""

_FetchRequest: TypeAlias = tuple[Sequence[bytes], int]
"""Certificates, and roughly how many bytes go and come."""

_SERVICE = "/kura.safe.v1.SafeService/"
_MESSAGE_BYTES = 4 * 1_048_576
_ENTRIES = 5_000
"""Most pieces, certificates or tombstones in one message; a safe takes 10,000."""

_ENTRY_BYTES = _MESSAGE_BYTES // _ENTRIES
"""What an entry weighs at least, so that the weight bounds their number too."""

_SECONDS_PER_MEBIBYTE = 1.0
"""Added to the patience for what a message carries, so that a slow link is not taken for a dead safe."""


class Closable(Protocol):
    """A channel, as far as its owner cares."""

    async def close(self) -> None:
        """Close it."""
        ...


class SafeLink:
    """See the top of this file."""

    def __init__(
        self, entry: SafeEntry, channel: Closable, caller: SignedCaller, patience_seconds: float
    ) -> None:
        self.entry = entry
        self._channel = channel
        self._caller = caller
        self._patience = patience_seconds
        bounds = {"max_entries": _ENTRIES, "max_weight": _MESSAGE_BYTES}
        self._registering = Coalescer[Parcel, tuple[SignedCertificate, ...]](
            self._register, lanes=2, **bounds
        )
        self._fetching = Coalescer[_FetchRequest, Sequence[FetchedPiece | Exception]](
            self._fetch, lanes=2, **bounds
        )
        self._deleting = Coalescer[Sequence[SignedBytes], Sequence[SignedBytes | Exception]](
            self._delete, **bounds
        )

    async def register(self, parcel: Parcel) -> tuple[SignedCertificate, ...]:
        """Register a parcel whose blobs are in it; gives one checked certificate for each piece.

        Raises:
            Refusal: The safe's word.
            CallFailed: There is no answer.
            WrongCertificate: It certified something else, or not with its key.
        """
        return await self._registering.submit(parcel, _weight(parcel.size_bytes, len(parcel.pieces)))

    async def register_stream(self, parcel: Parcel, chunks: Iterator[bytes]) -> tuple[SignedCertificate, ...]:
        """Register a parcel whose one blob follows in chunks; otherwise as `register`."""
        opening = messages.stream_opening(parcel)
        async with aclosing(chunk_messages(chunks)) as rest:
            answer = await self._caller.stream_up(
                _SERVICE + "RegisterStream", opening, rest, pb.RegisterStreamResponse, self._patience
            )
        results = self._certified([parcel], [answer.result], answer.signature)
        if isinstance(results[0], Exception):
            raise results[0]
        return results[0]

    async def fetch(
        self, certificates: Sequence[bytes], expected_bytes: int
    ) -> Sequence[FetchedPiece | Exception]:
        """What the safe keeps under each certificate, or why it gives nothing; in one message.

        Args:
            certificates: Exact bytes.
            expected_bytes: Roughly what the answer will carry, at most 4 MiB.

        Raises:
            Refusal: The safe's word on all of it.
            CallFailed: There is no answer.
        """
        size = expected_bytes + sum(map(len, certificates))
        return await self._fetching.submit((certificates, size), _weight(size, len(certificates)))

    async def fetch_stream(
        self, certificate: bytes, x_hash: bytes, blob_length: int, into: ByteSink
    ) -> bytes | None:
        """Write a large blob into a file, each block checked against X as it comes; gives the key share.

        Raises:
            Refusal: The safe's word.
            CallFailed: The stream broke off.
            WrongPiece: A block is not of the piece that was registered.
        """
        request = pb.FetchStreamRequest(certificate=certificate)
        stream = self._caller.stream_down(
            _SERVICE + "FetchStream", request, pb.FetchStreamResponse, self._patience
        )
        try:
            return await receive(stream, x_hash, blob_length, into)
        except TrustError:
            raise WrongPiece from None
        finally:
            await stream.aclose()

    async def delete(self, tombstones: Sequence[SignedBytes]) -> Sequence[SignedBytes | Exception]:
        """Have items' generations erased; gives the safe's deletion receipt of each, or why there is none.

        Returns:
            For each tombstone, in order, the receipt's exact bytes and the safe's signature, both checked.

        Raises:
            Refusal: The safe's word on all of it.
            CallFailed: There is no answer.
        """
        size = sum(len(body) + len(signature) for body, signature in tombstones)
        return await self._deleting.submit(tombstones, _weight(size, len(tombstones)))

    async def certify(self, expected: Sequence[Certificate]) -> list[SignedCertificate | Exception]:
        """The safe's certificates of pieces that it should keep, each checked, or why there is none.

        Args:
            expected: What they are to say but for the counters; at most 5,000.

        Raises:
            Refusal: The safe's word on all of it.
            CallFailed: There is no answer.
            WrongCertificate: They are not signed with its key.
        """
        request = messages.certify_request(expected)
        answer = await self._caller.unary(_SERVICE + "Certify", request, pb.CertifyResponse, self._timeout(0))
        outcomes = [messages.certified(result) for result in answer.results]
        if len(outcomes) != len(expected):
            raise WrongReply
        try:
            found = [one for one in outcomes if isinstance(one, bytes)]
            signed = iter(self._verified(found, answer.signature))
        except TrustError:
            raise WrongCertificate from None
        return [
            _checked(next(signed), one) if isinstance(outcome, bytes) else outcome
            for one, outcome in zip(expected, outcomes, strict=True)
        ]

    async def repair(self, *, only_look: bool) -> RepairView:
        """Have the safe look for what it lost, or only tell how that stands.

        Raises:
            Refusal: The safe's word.
            CallFailed: There is no answer.
        """
        request = pb.RepairRequest(only_look=only_look)
        answer = await self._caller.unary(_SERVICE + "Repair", request, pb.RepairResponse, self._timeout(0))
        return messages.repair_view(answer)

    async def close(self) -> None:
        """Cancel what is under way and close the channel."""
        for coalescer in (self._registering, self._fetching, self._deleting):
            await coalescer.close()
        await self._channel.close()

    async def _register(
        self, parcels: Sequence[Parcel]
    ) -> Sequence[tuple[SignedCertificate, ...] | Exception]:
        request = messages.register_request(parcels)
        timeout = self._timeout(sum(parcel.size_bytes for parcel in parcels))
        answer = await self._caller.unary(_SERVICE + "Register", request, pb.RegisterResponse, timeout)
        return self._certified(parcels, answer.results, answer.signature)

    def _certified(
        self, parcels: Sequence[Parcel], results: Sequence[pb.BatchResult], signature: bytes
    ) -> list[tuple[SignedCertificate, ...] | Exception]:
        """Check the call's signature once, then give each parcel its own certificates or refusal."""
        outcomes = [messages.registration(result) for result in results]
        if len(outcomes) != len(parcels):
            raise WrongReply
        certificates = [one for outcome in outcomes if isinstance(outcome, list) for one in outcome]
        try:
            signed = iter(self._verified(certificates, signature))
        except TrustError:
            raise WrongCertificate from None
        return [
            _matched(parcel, list(islice(signed, len(outcome)))) if isinstance(outcome, list) else outcome
            for parcel, outcome in zip(parcels, outcomes, strict=True)
        ]

    def _verified(self, certificates: list[bytes], signature: bytes) -> tuple[SignedCertificate, ...]:
        if not certificates:
            return ()
        return verify_call(self.entry.safe_id, certificates, signature, self.entry.signing_key)

    async def _fetch(self, requests: Sequence[_FetchRequest]) -> Sequence[Sequence[FetchedPiece | Exception]]:
        asked = [certificates for certificates, _ in requests]
        message = pb.FetchRequest(certificates=[one for certificates in asked for one in certificates])
        timeout = self._timeout(sum(size for _, size in requests))
        answer = await self._caller.unary(_SERVICE + "Fetch", message, pb.FetchResponse, timeout)
        return _regrouped(asked, [messages.fetched(result) for result in answer.results])

    async def _delete(
        self, requests: Sequence[Sequence[SignedBytes]]
    ) -> Sequence[Sequence[SignedBytes | Exception]]:
        entries = [one for request in requests for one in request]
        message = messages.delete_request(entries)
        answer = await self._caller.unary(_SERVICE + "Delete", message, pb.DeleteResponse, self._timeout(0))
        if len(answer.results) != len(entries):
            raise WrongReply
        results = [self._erased(entry, result) for entry, result in zip(entries, answer.results, strict=True)]
        return _regrouped(requests, results)

    def _erased(self, entry: SignedBytes, result: pb.DeleteResult) -> SignedBytes | Exception:
        outcome = messages.deletion(result)
        if isinstance(outcome, Exception):
            return outcome
        body, signature = outcome
        try:
            read_deletion(body, signature, self.entry.safe_id, self.entry.signing_key, entry[0])
        except TrustError as error:
            return error
        return body, Signature(signature)

    def _timeout(self, message_bytes: int) -> float:
        """Seconds, to a tenth: whoever waited in vain is told how long."""
        return round(self._patience + message_bytes / 1_048_576 * _SECONDS_PER_MEBIBYTE, 1)


def _weight(size_bytes: int, entries: int) -> int:
    return max(size_bytes, entries * _ENTRY_BYTES)


def _regrouped(requests: Sequence[Sequence[object]], results: Sequence[_Result]) -> list[list[_Result]]:
    """One message's results, given back to the requests that went with it."""
    if len(results) != sum(len(request) for request in requests):
        raise WrongReply
    flat = iter(results)
    return [list(islice(flat, len(request))) for request in requests]


def _matched(parcel: Parcel, signed: list[SignedCertificate]) -> tuple[SignedCertificate, ...] | Exception:
    """The certificates, if they are those of the parcel's pieces."""
    if len(signed) != len(parcel.pieces):
        return WrongReply()
    try:
        for piece, one in zip(parcel.pieces, signed, strict=True):
            check_certificate(one.certificate, piece.expected)
    except TrustError:
        return WrongCertificate()
    return tuple(signed)


def _checked(signed: SignedCertificate, expected: Certificate) -> SignedCertificate | Exception:
    try:
        check_certificate(signed.certificate, expected)
    except TrustError:
        return WrongCertificate()
    return signed
