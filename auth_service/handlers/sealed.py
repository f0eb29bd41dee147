"""From a sealed question to a sealed answer: the one way into every method but Describe and OpenPath."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from auth_service.decisions.sessions import living, token_hash
from auth_service.handlers.authority import Authority, Caller
from auth_service.handlers.rights import RIGHTS, SERVICE, Right
from auth_service.records import KeptSession
from kura.auth.v1 import auth_pb2 as pb
from threshold.errors import SealBroken, ThresholdError
from trust.authority_refusals import PathUnknown, QuestionSealBroken
from trust.common_key import make_half
from trust.documents import Document
from trust.errors import DocumentMalformed
from trust.owner_information import AnswerKey, Question, open_common, open_static
from trust.refusals import Malformed

_WHOEVER = b""
"""Nobody signs a question; the ids of questions are random."""
_Asked = TypeVar("_Asked", bound=Document)


async def answer_sealed(
    authority: Authority,
    name: str,
    sealed: pb.SealedQuestion,
    kind: type[_Asked],
    run: Callable[[Caller, _Asked], Awaitable[Document]],
) -> bytes:
    """Open a question, hold it to the method's right, answer it, seal the answer.

    Args:
        authority: Who is asked.
        name: Of the method.
        sealed: The question.
        kind: What it must hold.
        run: Answers it.

    Raises:
        Malformed: There is no question, or it holds something else.
        QuestionSealBroken, PathUnknown, RequestStale, RequestReplayed: It does not open, or did before.
        SessionInvalid: The method needs a session.
    """
    path = f"/{SERVICE}/{name}"
    question, key = _opened(authority, path, sealed)
    try:
        asked = kind.from_bytes(question.body)
    except DocumentMalformed:
        raise Malformed("question") from None
    needs = RIGHTS[path] is Right.SESSION
    found = await session_of(authority, getattr(asked, "token", b"")) if needs else None
    done = await run(Caller(authority, found), asked)
    return key.seal(done.to_bytes())


async def session_of(authority: Authority, token: bytes) -> KeptSession:
    """The session that a token (Secret) stands for.

    Raises:
        SessionInvalid: None, or one that is over.
    """
    return living(await authority.store.session(token_hash(token)), authority.now_ms())


def open_path(authority: Authority, request: pb.OpenPathRequest) -> pb.OpenPathResponse:
    """Make a temporary common key for one question.

    Raises:
        Malformed: The other half is no key.
    """
    rng, now = authority.rng, authority.now
    ephemeral, path_id = rng.read(32), rng.read(16)
    signing = authority.identity.signing_key(now)
    try:
        half, common = make_half(authority.key, request.wallet_half, ephemeral, path_id, now, signing)
    except ThresholdError:
        raise Malformed("wallet_half") from None
    authority.paths.put(path_id, common, authority.now_ms())
    return pb.OpenPathResponse(half=half.to_bytes())


def _opened(authority: Authority, path: str, sealed: pb.SealedQuestion) -> tuple[Question, AnswerKey]:
    try:
        if sealed.WhichOneof("seal") == "to_static_key":
            return _opened_static(authority, path, sealed.to_static_key)
        if sealed.WhichOneof("seal") == "under_common_key":
            return _opened_common(authority, path, sealed.under_common_key)
    except SealBroken:
        raise QuestionSealBroken from None
    raise Malformed("question")


def _opened_static(authority: Authority, path: str, sealed: bytes) -> tuple[Question, AnswerKey]:
    question, key = open_static(sealed, authority.identity.sealing_key, authority.key, path)
    authority.freshness.admit(_WHOEVER, question.question_id, question.asked_at_ms, authority.now_ms())
    return question, key


def _opened_common(authority: Authority, path: str, under: pb.UnderCommonKey) -> tuple[Question, AnswerKey]:
    common = authority.paths.take(under.path_id, authority.now_ms())
    if common is None:
        raise PathUnknown
    return open_common(under.sealed, common, path)
