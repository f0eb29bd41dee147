"""Who asks: the layer that verifies a request's signature and hands the wallet key to the handler.

The proof in the call's metadata covers the method, this safe, the exact bytes of the message (of a stream:
of the first message, which commits to the rest), the time and a nonce. The signature is checked first and
the nonce remembered only then, so strangers cannot use up the nonces of others.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from contextvars import ContextVar

from rpc_edge.edge import Call, Context, Layer, RawRequest
from rpc_edge.freshness import FreshnessJudge
from trust.errors import DocumentMalformed, SignatureInvalid
from trust.ids import SafeId, WalletKey
from trust.refusals import Malformed, RequestSignatureInvalid, RequestUnsigned
from trust.request import METADATA_KEY, RequestProof, verify_request

FIRST_MESSAGE_SECONDS = 30.0
"""How long a stream may take to say what its signature covers."""

_wallet: ContextVar[WalletKey] = ContextVar("authenticated_wallet")


def authenticated_wallet() -> WalletKey:
    """The wallet key that signed the call being handled.

    gRPC runs each call in a task of its own, and so does this answer belong to one call.

    Raises:
        RequestUnsigned: The method is open, or this is no call.
    """
    try:
        return _wallet.get()
    except LookupError:
        raise RequestUnsigned from None


def is_signed() -> bool:
    """Whether the call being handled carried a signature that was looked at, and holds."""
    return _wallet.get(None) is not None


def signed_requests(
    safe_id: SafeId,
    judge: FreshnessJudge,
    now_ms: Callable[[], int],
    open_methods: Collection[str],
    signed_at_will: Collection[str] = (),
) -> Layer:
    """The layer that lets only fresh, signed requests pass.

    Args:
        safe_id: This safe; proofs made for another do not hold here.
        judge: Remembers nonces; one for the whole process.
        now_ms: The clock: milliseconds since 1970-01-01 UTC.
        open_methods: Full paths of methods that need no signature; one that is there is not looked at.
        signed_at_will: Full paths of methods, of one message, that need none, where one that is there must
            hold.

    Raises (to the caller, as statuses):
        RequestUnsigned: No proof.
        RequestSignatureInvalid: More than one, a malformed one, or one that does not hold.
        RequestStale, RequestReplayed: See rpc_edge.freshness.
        Malformed: A stream without a first message.
    """
    open_to_all, at_will = frozenset(open_methods), frozenset(signed_at_will)

    def admit(call: Call, proof: RequestProof, message: bytes) -> None:
        try:
            verify_request(proof, call.path, safe_id, message)
        except SignatureInvalid:
            raise RequestSignatureInvalid from None
        judge.admit(proof.wallet_key, proof.nonce, proof.issued_at_ms, now_ms())
        _wallet.set(proof.wallet_key)

    @asynccontextmanager
    async def layer(call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
        if call.path in open_to_all or (call.path in at_will and not _carries_proof(call.context)):
            yield request
        elif isinstance(request, bytes):
            admit(call, _read_proof(call.context), request)
            yield request
        else:
            proof = _read_proof(call.context)
            first = await _first(request)
            admit(call, proof, first)
            yield _with_first(first, request)

    return layer


async def _first(messages: AsyncIterator[bytes]) -> bytes:
    try:
        async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
            return await anext(messages, b"")
    except TimeoutError:
        raise Malformed("message") from None


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for message in rest:
        yield message


def _carries_proof(context: Context) -> bool:
    return any(key == METADATA_KEY for key, _ in context.invocation_metadata() or ())


def _read_proof(context: Context) -> RequestProof:
    proofs = [value for key, value in context.invocation_metadata() or () if key == METADATA_KEY]
    if not proofs:
        raise RequestUnsigned
    if len(proofs) != 1 or not isinstance(proofs[0], bytes):
        raise RequestSignatureInvalid
    try:
        return RequestProof.from_bytes(proofs[0])
    except DocumentMalformed:
        raise RequestSignatureInvalid from None
