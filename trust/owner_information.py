"""How owner information reaches an authority: sealed, whatever carries it [C16, C17].

    static key      HPKE to the key of the authority's description [C17]: one call, nothing to agree on first
    common key      a temporary key of two ephemeral X25519 keys, the authority's half signed by one of its
                    signing keys [C16]: one question for each; once both forget it, nobody opens the question

Both carry the same question: the method, a fresh id, the time, a secret for the answer, and a body. The
answer is sealed under a key that comes from that secret (and the common key), so only who could open the
question can answer it, and it answers no other. Which of the two ways was taken is bound into every key: a
question of one never passes as the other's, and who asks never falls back from one to the other by itself.

Source: RFC 9180 (HPKE), RFC 7748 (X25519), RFC 5869 (HKDF); docs/FORMATS.md gives every input byte by byte.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from msgspec import Meta

from threshold import hkdf, hpke, sealing
from threshold.errors import SealBroken, ThresholdError
from threshold.randomness import RandomSource
from trust.authority import AuthorityDescription
from trust.documents import Document, SigningKey, verify
from trust.errors import AuthorityRefused, DocumentMalformed, SignatureInvalid
from trust.ids import (
    AuthorityKey,
    AuthorityKeyField,
    Bytes16,
    Bytes32,
    SignatureField,
    UnixSeconds,
)

PATH_SECONDS: Final = 120
"""How long a common key waits for its question."""

MAX_BODY_BYTES: Final = 64 * 1024
PADDED_BYTES: Final = 512
"""Questions and answers are as long as the next multiple, so that their size tells little of a name."""

_STATIC = b"kura/v1/owner-information-static"
_COMMON_KEY = b"kura/v1/common-key"
_COMMON = b"kura/v1/owner-information-common"
_ANSWER = b"kura/v1/authority-answer"

Way = Literal["static", "common"]


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


class KeyHalf(Document, frozen=True):
    """An authority's half of a common key.

    Args:
        authority: Identity key.
        path_id: 16 fresh random bytes.
        wallet_half: X25519 public key of who asks, as it was sent.
        authority_half: The authority's ephemeral X25519 public key.
        issued_at: When.
        expires_at: It waits for its question no longer.
    """

    title = "key half"

    authority: AuthorityKeyField
    path_id: Bytes16
    wallet_half: Bytes32
    authority_half: Bytes32
    issued_at: UnixSeconds
    expires_at: UnixSeconds


class SignedKeyHalf(Document, frozen=True):
    """A key half as it travels.

    Args:
        half: Exact signed bytes.
        signing_key: Which of the authority's keys signed it.
        signature: By that key.
    """

    title = "signed key half"

    half: bytes
    signing_key: Bytes32
    signature: SignatureField


@dataclass(frozen=True, slots=True)
class CommonKey:
    """A temporary key that two sides have.

    Args:
        path_id: Its name, 16 bytes.
        key: Secret: 32 bytes.
    """

    path_id: bytes
    key: bytes = field(repr=False)


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


def make_half(
    authority: AuthorityKey, wallet_half: bytes, ephemeral: bytes, path_id: bytes, now: int, key: SigningKey
) -> tuple[SignedKeyHalf, CommonKey]:
    """The authority's side of a common key [C16].

    Args:
        authority: Its identity key.
        wallet_half: X25519 public key of who asks, 32 bytes.
        ephemeral: Secret: X25519 private key, 32 fresh random bytes.
        path_id: 16 fresh random bytes.
        now: Whole seconds since 1970-01-01 UTC.
        key: Secret: a signing key in use.

    Raises:
        ThresholdError: The wallet's half is not canonical, or of low order.
    """
    hpke.check_public_key(wallet_half)
    own = hpke.KeyPair(ephemeral)
    body = KeyHalf(authority, path_id, wallet_half, own.public, now, now + PATH_SECONDS).to_bytes()
    signed = SignedKeyHalf(body, key.public, key.sign(KeyHalf.title, body))
    return signed, _common_key(ephemeral, wallet_half, body, path_id)


def accept_half(
    signed: SignedKeyHalf, ephemeral: bytes, authority: AuthorityDescription, now: int
) -> CommonKey:
    """The other side: the common key, if the authority's half is its own, fresh, and for this very key.

    Args:
        signed: As it came.
        ephemeral: Secret: X25519 private key whose public half was sent, 32 bytes.
        authority: The pinned description.
        now: The wallet's clock, whole seconds since 1970-01-01 UTC.

    Raises:
        AuthorityRefused: Says what does not hold.
    """
    try:
        half = KeyHalf.from_bytes(signed.half)
        verify(KeyHalf.title, signed.signing_key, signed.half, signed.signature)
        hpke.check_public_key(half.authority_half)
    except (DocumentMalformed, SignatureInvalid, ThresholdError):
        raise AuthorityRefused(KeyHalf.title, "its half of the common key does not hold") from None
    authority.check_signing(signed.signing_key, (half.issued_at, now))
    mine = hpke.KeyPair(ephemeral).public
    if half.authority != authority.identity_key or half.wallet_half != mine:
        raise AuthorityRefused(half.title, "its half of the common key is for somebody else")
    if now >= half.expires_at:
        raise AuthorityRefused(half.title, "its half of the common key is an old one, or a clock is wrong")
    return _common_key(ephemeral, half.authority_half, signed.half, half.path_id)


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


def _common_key(private: bytes, public: bytes, half: bytes, path_id: bytes) -> CommonKey:
    """Both halves are in the signed bytes, so the key is bound to them and to the authority."""
    shared = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    return CommonKey(path_id, hkdf.derive(shared, hashlib.sha256(half).digest(), _COMMON_KEY))


def _question_key(common: CommonKey) -> sealing.SealingKey:
    return sealing.SealingKey(hkdf.derive(common.key, b"", _COMMON + common.path_id))


def _answer_key(question: Question, common: bytes, way: Way) -> AnswerKey:
    label = question.question_id + question.method.encode()
    info = _ANSWER + way.encode() + label
    return AnswerKey(sealing.SealingKey(hkdf.derive(question.answer_secret + common, b"", info)), label)
