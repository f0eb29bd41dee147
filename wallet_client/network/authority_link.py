"""The link to an authority: seals each question as the owner chose, and opens its answer.

What goes wrong is a Refusal, a CallFailed or a TrustError, as with a safe. Nothing is retried, and one
seal is never tried where the other failed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from kura.auth.v1 import auth_pb2 as pb
from rpc_edge.authority_errors import AUTHORITY_ERRORS
from rpc_edge.client import Caller
from rpc_edge.tls import pinned_channel
from threshold.errors import SealBroken
from threshold.hpke import KeyPair
from threshold.randomness import RandomSource
from trust.authority import AuthorityDescription, SignedAuthority
from trust.common_key import SignedKeyHalf, accept_half
from trust.documents import Document
from trust.errors import AuthorityRefused, DocumentMalformed
from trust.owner_information import AnswerKey, Question, QuestionSeal, ask, seal_to_static, seal_under_common

SECONDS: Final = 20.0
"""For one call: the authority hashes passwords, and others may be before."""

_SERVICE: Final = "/kura.auth.v1.AuthService"
_Answer = TypeVar("_Answer", bound=Document)


class AuthorityLink:
    """Asks one authority.

    Args:
        caller: Calls it.
        authority: The pinned description.
        seal: How questions are sealed.
        now_ms: The clock: milliseconds since 1970-01-01 UTC.
        rng: Gives ids, secrets and ephemeral keys.
    """

    def __init__(
        self,
        caller: Caller,
        authority: AuthorityDescription,
        seal: QuestionSeal,
        now_ms: Callable[[], int],
        rng: RandomSource,
    ) -> None:
        self._caller = caller
        self._authority = authority
        self._seal = seal
        self._now_ms = now_ms
        self._rng = rng

    async def describe(self) -> SignedAuthority:
        """What it says of itself now; whether that may be believed is the caller's to judge."""
        answer = await self._call("Describe", pb.DescribeRequest(), pb.DescribeResponse)
        return SignedAuthority.from_bytes(answer.authority)

    async def ask(self, method: str, document: Document, answer: type[_Answer]) -> _Answer:
        """Ask and read the answer.

        Args:
            method: Its name, such as "Login".
            document: Secret: what is asked.
            answer: What is answered.

        Raises:
            Refusal: The authority's word.
            CallFailed: There is no answer.
            AuthorityRefused: The answer is not by who could open the question, or makes no sense.
        """
        question = ask(f"{_SERVICE}/{method}", document.to_bytes(), self._now_ms(), self._rng)
        sealed, key = await self._sealed(question)
        request = getattr(pb, f"{method}Request")(question=sealed)
        response = await self._call(method, request, getattr(pb, f"{method}Response"))
        try:
            return answer.from_bytes(key.open(response.answer))
        except (SealBroken, DocumentMalformed):
            raise AuthorityRefused(answer.title, "its answer does not open") from None

    async def _sealed(self, question: Question) -> tuple[pb.SealedQuestion, AnswerKey]:
        if self._seal == "static":
            sealed, key = seal_to_static(question, self._authority)
            return pb.SealedQuestion(to_static_key=sealed), key
        ephemeral = self._rng.read(32)
        opened = await self._call(
            "OpenPath", pb.OpenPathRequest(wallet_half=KeyPair(ephemeral).public), pb.OpenPathResponse
        )
        half = SignedKeyHalf.from_bytes(opened.half)
        common = accept_half(half, ephemeral, self._authority, self._now_ms() // 1_000)
        sealed, key = seal_under_common(question, common)
        under = pb.UnderCommonKey(path_id=common.path_id, sealed=sealed)
        return pb.SealedQuestion(under_common_key=under), key

    async def _call(self, method: str, request: Any, response: Any) -> Any:
        return await self._caller.unsigned(f"{_SERVICE}/{method}", request, response, SECONDS)


@asynccontextmanager
async def linked(
    authority: AuthorityDescription, seal: QuestionSeal, now_ms: Callable[[], int], rng: RandomSource
) -> AsyncIterator[AuthorityLink]:
    """A link to the one server that holds the key of the described certificate, closed at the end.

    Raises:
        CertificateUnfit: The certificate cannot be pinned.
    """
    certificate = authority.tls_certificate
    async with pinned_channel(authority.endpoint, certificate, authority.name) as channel:
        caller = Caller(channel, now_ms, certificate_der=certificate, errors=AUTHORITY_ERRORS)
        yield AuthorityLink(caller, authority, seal, now_ms, rng)
