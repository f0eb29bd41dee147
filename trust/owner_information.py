"""How owner information reaches an authority: sealed, whatever carries it [C16, C17].

    static key      HPKE to the key of the authority's description [C17]: one call, nothing to agree on first
    common key      a temporary key of both sides [C16] (trust/common_key.py): one question for each; once
                    both forget it, nobody opens the question

Both carry the same question: the method, a fresh id, the time, a secret for the answer, and a body. The
answer is sealed under a key that comes from that secret (and the common key), so only who could open the
question can answer it, and it answers no other. Which of the two ways was taken is bound into every key: a
question of one never passes as the other's, and who asks never falls back from one to the other by itself.

Source: RFC 9180 (HPKE), RFC 5869 (HKDF); docs/FORMATS.md gives every input byte by byte.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import Meta

from threshold import hkdf, hpke, sealing
from threshold.errors import SealBroken
from threshold.randomness import RandomSource
from trust.authority import AuthorityDescription
from trust.common_key import CommonKey
from trust.documents import Document
from trust.errors import DocumentMalformed
from trust.ids import AuthorityKey, Bytes16, Bytes32

MAX_BODY_BYTES: Final = 64 * 1024
PADDED_BYTES: Final = 512
"""Questions and answers are as long as the next multiple, so that their size tells little of a name."""

_STATIC = b"kura/v1/owner-information-static"
_COMMON = b"kura/v1/owner-information-common"
_ANSWER = b"kura/v1/authority-answer"

QuestionSeal = Literal["static", "common"]


class Question(Document, frozen=True):
    """What is sealed on the way to an authority.

    Args:
        method: Full path of the call it is for.
        question_id: 16 fresh random bytes.
        asked_at_ms: When, milliseconds since 1970-01-01 UTC, by the clock of who asks.
        answer_secret: Secret: 32 fresh random bytes.
        body: Secret: exact bytes of the document that the method takes.
        padding: Zeros.
    """

    title = "question"

    method: Annotated[str, Meta(min_length=1, max_length=200)]
    question_id: Bytes16
    asked_at_ms: Annotated[int, Meta(ge=0, le=2**53)]
    answer_secret: Bytes32
    body: Annotated[bytes, Meta(max_length=MAX_BODY_BYTES)]
    padding: Annotated[bytes, Meta(max_length=PADDED_BYTES)]

    def __post_init__(self) -> None:
        """Refuse padding in which something could be hidden."""
        if self.padding.strip(b"\0"):
            raise self.malformed("padding", "not zeros")

    def __repr__(self) -> str:
        return "<Question redacted>"


class Answer(Document, frozen=True):
    """What is sealed on the way back.

    Args:
        body: Secret: exact bytes of the document that the method gives.
        padding: Zeros.
    """

    title = "answer"

    body: bytes
    padding: bytes

    def __repr__(self) -> str:
        return "<Answer redacted>"


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """What the answer to one question is sealed under.

    Args:
        key: Secret.
        label: Binds the answer to its question.
    """

    key: sealing.SealingKey
    label: bytes

    def seal(self, body: bytes) -> bytes:
        """Seal the one answer. Secret: `body`."""
        padding = bytes(-len(body) % PADDED_BYTES)
        return sealing.seal(self.key, Answer(body, padding).to_bytes(), self.label)

    def open(self, sealed: bytes) -> bytes:
        """The answer's body (Secret).

        Raises:
            SealBroken: It is no answer to this question by who could open it.
        """
        try:
            return Answer.from_bytes(sealing.open_sealed(self.key, sealed, self.label)).body
        except DocumentMalformed:
            raise SealBroken from None


def ask(method: str, body: bytes, asked_at_ms: int, rng: RandomSource) -> Question:
    """A question with a fresh id and answer secret.

    Args:
        method: Full path of the call, ASCII.
        body: Secret: exact bytes of a document, at most 65,536.
        asked_at_ms: Milliseconds since 1970-01-01 UTC.
        rng: Gives 16 bytes, then 32.
    """
    padding = bytes(-len(body) % PADDED_BYTES)
    return Question(method, rng.read(16), asked_at_ms, rng.read(32), body, padding)


def seal_to_static(question: Question, authority: AuthorityDescription) -> tuple[bytes, AnswerKey]:
    """Seal a question to the authority's static key [C17], and the key of its answer."""
    label = authority.identity_key + question.method.encode()
    sealed = hpke.seal(authority.sealing_key, question.to_bytes(), _STATIC, label)
    return sealed, _answer_key(question, b"", "static")


def open_static(
    sealed: bytes, pair: hpke.KeyPair, authority: AuthorityKey, method: str
) -> tuple[Question, AnswerKey]:
    """What was sealed to the static key for this very method; freshness is the authority's to judge.

    Args:
        sealed: As it came.
        pair: Secret: the authority's.
        authority: Its identity key.
        method: Full path of the call it came with.

    Raises:
        SealBroken: Anything differs.
    """
    question = _question(hpke.open_sealed(pair, sealed, _STATIC, authority + method.encode()), method)
    return question, _answer_key(question, b"", "static")


def seal_under_common(question: Question, common: CommonKey) -> tuple[bytes, AnswerKey]:
    """Seal the one question of a common key [C16], and the key of its answer."""
    sealed = sealing.seal(_question_key(common), question.to_bytes(), common.path_id)
    return sealed, _answer_key(question, common.key, "common")


def open_common(sealed: bytes, common: CommonKey, method: str) -> tuple[Question, AnswerKey]:
    """What was sealed under a common key for this very method.

    Raises:
        SealBroken: Anything differs.
    """
    question = _question(sealing.open_sealed(_question_key(common), sealed, common.path_id), method)
    return question, _answer_key(question, common.key, "common")


def _question(plaintext: bytes, method: str) -> Question:
    try:
        question = Question.from_bytes(plaintext)
    except DocumentMalformed:
        raise SealBroken from None
    if question.method != method:
        raise SealBroken
    return question


def _question_key(common: CommonKey) -> sealing.SealingKey:
    return sealing.SealingKey(hkdf.derive(common.key, b"", _COMMON + common.path_id))


def _answer_key(question: Question, common: bytes, seal: QuestionSeal) -> AnswerKey:
    label = question.question_id + question.method.encode()
    info = _ANSWER + seal.encode() + label
    return AnswerKey(sealing.SealingKey(hkdf.derive(question.answer_secret + common, b"", info)), label)
