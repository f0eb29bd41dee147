"""Owner information opens for the authority it is sealed to, for its method, and by the way it was sealed."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from support.safe_requests import seeded
from support.sample_authority import (
    COMMON,
    DESCRIPTION,
    HALF,
    OLD_SIGNING,
    QUESTION,
    SEALING,
    SIGNED_HALF,
    SIGNING,
    WALLET_HALF,
)
from support.sample_documents import NOW, draw, key, sealing_pair
from threshold.errors import SealBroken, ThresholdError
from threshold.hpke import KeyPair
from trust.common_key import PATH_SECONDS, CommonKey, KeyHalf, SignedKeyHalf, accept_half, make_half
from trust.errors import AuthorityRefused
from trust.owner_information import (
    PADDED_BYTES,
    Answer,
    AnswerKey,
    ask,
    open_common,
    open_static,
    seal_to_static,
    seal_under_common,
)

METHOD = QUESTION.method
AUTHORITY = DESCRIPTION.identity_key
OTHER = "/kura.auth.v1.AuthService/Register"


def test_both_ways_carry_a_question_and_its_answer() -> None:
    sealed, asked = seal_to_static(QUESTION, DESCRIPTION)
    question, answering = open_static(sealed, SEALING, AUTHORITY, METHOD)
    assert question == QUESTION
    assert asked.open(answering.seal(b"yes")) == b"yes"
    sealed, asked = seal_under_common(QUESTION, COMMON)
    question, answering = open_common(sealed, COMMON, METHOD)
    assert question == QUESTION
    assert asked.open(answering.seal(b"yes")) == b"yes"


def test_both_sides_of_a_common_key_get_the_same() -> None:
    assert accept_half(SIGNED_HALF, WALLET_HALF, DESCRIPTION, NOW) == COMMON


def test_questions_and_answers_tell_little_of_their_length() -> None:
    """A name of one letter and one of two hundred ask the same."""
    sizes = {len(ask(METHOD, bytes(length), NOW, seeded("size")).to_bytes()) for length in (30, 280, 500)}
    assert max(sizes) - min(sizes) <= 4
    sealed, key_ = seal_to_static(QUESTION, DESCRIPTION)
    assert abs(len(key_.seal(b"")) - len(key_.seal(bytes(PADDED_BYTES)))) < PADDED_BYTES + 8
    assert sealed


def _static(sealed: bytes, pair: KeyPair = SEALING, authority: Any = AUTHORITY, method: str = METHOD) -> None:
    open_static(sealed, pair, authority, method)


def test_a_question_to_the_static_key_opens_for_nobody_else_and_nothing_else() -> None:
    sealed, _ = seal_to_static(QUESTION, DESCRIPTION)
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong in (
        lambda: _static(changed),
        lambda: _static(sealed[:40]),
        lambda: _static(sealed, pair=sealing_pair("another")),
        lambda: _static(sealed, authority=bytes(32)),
        lambda: _static(sealed, method=OTHER),
        lambda: open_common(sealed, COMMON, METHOD),
    ):
        with pytest.raises(SealBroken):
            wrong()


def test_a_question_under_a_common_key_opens_for_nobody_else_and_nothing_else() -> None:
    sealed, _ = seal_under_common(QUESTION, COMMON)
    for wrong in (
        lambda: open_common(sealed[:-1] + bytes([sealed[-1] ^ 1]), COMMON, METHOD),
        lambda: open_common(sealed, replace(COMMON, path_id=bytes(16)), METHOD),
        lambda: open_common(sealed, replace(COMMON, key=bytes(32)), METHOD),
        lambda: open_common(sealed, COMMON, OTHER),
        lambda: _static(sealed),
    ):
        with pytest.raises(SealBroken):
            wrong()


def test_what_opens_and_is_no_question_is_refused() -> None:
    from threshold.hpke import seal

    with pytest.raises(SealBroken):
        _static(
            seal(SEALING.public, b"\x90", b"kura/v1/owner-information-static", AUTHORITY + METHOD.encode())
        )


def _answers() -> dict[str, AnswerKey]:
    other = msgspec.structs.replace(QUESTION, question_id=draw("another", 16))
    secret = msgspec.structs.replace(QUESTION, answer_secret=bytes(32))
    return {
        "to another question": seal_to_static(other, DESCRIPTION)[1],
        "under another secret": seal_to_static(secret, DESCRIPTION)[1],
        "the other way": seal_under_common(QUESTION, COMMON)[1],
    }


@pytest.mark.parametrize("which", _answers())
def test_an_answer_is_no_other(which: str) -> None:
    """Not to another question, not by who could not open it, not by the other way."""
    _, asked = seal_to_static(QUESTION, DESCRIPTION)
    with pytest.raises(SealBroken):
        asked.open(_answers()[which].seal(b"yes"))


def test_what_opens_and_is_no_answer_is_refused() -> None:
    from threshold import sealing

    _, asked = seal_to_static(QUESTION, DESCRIPTION)
    with pytest.raises(SealBroken):
        asked.open(sealing.seal(asked.key, b"\x90", asked.label))


def test_padding_hides_nothing() -> None:
    with pytest.raises(ValueError, match="not zeros"):
        msgspec.structs.replace(QUESTION, padding=b"\0x")


def _half(by: Any = SIGNING, **changes: Any) -> SignedKeyHalf:
    body = msgspec.structs.replace(HALF, **changes).to_bytes()
    return SignedKeyHalf(body, by.public, by.sign(KeyHalf.title, body))


HALVES = {
    "that a stranger signed": (_half(key("nobody's")), NOW, "not the authority's"),
    "that a retired key signed": (_half(OLD_SIGNING), NOW + 900, "retired"),
    "of another authority": (_half(authority=bytes(32)), NOW, "for somebody else"),
    "made for another wallet": (_half(wallet_half=draw("x", 32)), NOW, "for somebody else"),
    "of yesterday": (SIGNED_HALF, NOW + PATH_SECONDS, "an old one"),
    "of low order": (_half(authority_half=bytes(32)), NOW, "does not hold"),
    "with another signature": (msgspec.structs.replace(SIGNED_HALF, signature=bytes(64)), NOW, "not hold"),
    "that is none": (SignedKeyHalf(b"\x90", SIGNING.public, bytes(64)), NOW, "does not hold"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("half", "now", "words"), HALVES.values(), ids=HALVES)
def test_a_half_of_a_common_key_is_refused(half: SignedKeyHalf, now: int, words: str) -> None:
    with pytest.raises(AuthorityRefused, match=words):
        accept_half(half, WALLET_HALF, DESCRIPTION, now)


def test_an_authority_takes_no_half_of_low_order() -> None:
    with pytest.raises(ThresholdError):
        make_half(AUTHORITY, bytes(32), draw("e", 32), draw("p", 16), NOW, SIGNING)


def test_secrets_are_not_printed() -> None:
    answer = Answer(QUESTION.body, b"")
    shown = repr((QUESTION, answer, COMMON, CommonKey(bytes(16), bytes(32))))
    assert "correct horse" not in shown
    assert COMMON.key.hex() not in shown
