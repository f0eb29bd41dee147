"""An assertion holds for one guess at safes of one roster, for minutes, once; and by no other signature."""

import threading
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from support.sample_authority import (
    ASSERTION,
    DESCRIPTION,
    IDENTITY,
    LOGIN,
    OLD_SIGNING,
    SHOWN,
    SIGNED_ASSERTION,
    SIGNING,
    asserted,
    shown,
)
from support.sample_documents import NOW, SAFE_IDS, draw, key
from trust.assertion import (
    CLOCK_SECONDS,
    MAX_LIFE_SECONDS,
    Assertion,
    AssertionMemory,
    Presentation,
    SignedAssertion,
    judge_assertion,
    sign_assertion,
)
from trust.documents import DocumentProblem, signed_bytes
from trust.errors import AssertionRefused, DocumentMalformed, SignatureInvalid, TrustError
from trust.ids import GuessId, OwnerId, RecordId

NEVER_SEEN = key("nobody's")


def test_an_assertion_that_holds_is_read() -> None:
    assert judge_assertion(SIGNED_ASSERTION, DESCRIPTION, SHOWN, NOW) == ASSERTION


def test_the_key_before_holds_in_the_overlap() -> None:
    """What it signed last is still good after the rotation."""
    judge_assertion(asserted(OLD_SIGNING), DESCRIPTION, SHOWN, NOW + 200)


OTHER_GUESSES: dict[str, Presentation] = {
    "way": shown(login=replace(LOGIN, way=("authority",))),
    "record": shown(login=replace(LOGIN, record_id=RecordId(bytes(16)))),
    "id": shown(login=replace(LOGIN, guess_id=GuessId(bytes(16)))),
    "element": shown(login=replace(LOGIN, element=bytes(32))),
    "recipient key": shown(login=replace(LOGIN, recipient_key=bytes(32))),
}
CALLS: dict[str, tuple[Presentation, str]] = {
    "another authority": (shown(authority=IDENTITY.public[::-1]), "another authority"),
    "another roster": (shown(genesis=bytes(32)), "another roster"),
    "a safe outside the audience": (shown(safe_id=SAFE_IDS[4]), "another safe"),
    "another owner": (shown(login=replace(LOGIN, owner_id=OwnerId(bytes(32)))), "another owner"),
    **{f"another {part} of the guess": (call, "another login") for part, call in OTHER_GUESSES.items()},
}


@pytest.mark.parametrize(("call", "words"), CALLS.values(), ids=CALLS)
def test_an_assertion_for_another_call_is_refused(call: Presentation, words: str) -> None:
    with pytest.raises(AssertionRefused, match=words):
        judge_assertion(SIGNED_ASSERTION, DESCRIPTION, call, NOW)


TIMES = {
    "just before it expires": (299, ""),
    "when it expires": (300, "has expired"),
    "by a clock a little behind": (-CLOCK_SECONDS, ""),
    "by a clock far behind": (-CLOCK_SECONDS - 1, "from the future"),
}


@pytest.mark.parametrize(("seconds", "words"), TIMES.values(), ids=TIMES)
def test_an_assertion_holds_in_its_minutes(seconds: int, words: str) -> None:
    if not words:
        judge_assertion(SIGNED_ASSERTION, DESCRIPTION, SHOWN, NOW + seconds)
        return
    with pytest.raises(AssertionRefused, match=words):
        judge_assertion(SIGNED_ASSERTION, DESCRIPTION, SHOWN, NOW + seconds)


def test_a_retired_key_signs_nothing_more() -> None:
    """Not even what says that it was issued while the key held."""
    late = asserted(OLD_SIGNING, issued_at=NOW + 899, expires_at=NOW + 1_200)
    with pytest.raises(AssertionRefused, match="retired"):
        judge_assertion(late, DESCRIPTION, SHOWN, NOW + 900)


@pytest.mark.parametrize("signer", [IDENTITY, NEVER_SEEN], ids=["the identity key", "a stranger's key"])
def test_another_key_signs_no_assertion(signer: Any) -> None:
    with pytest.raises(AssertionRefused, match="not the authority's"):
        judge_assertion(asserted(signer), DESCRIPTION, SHOWN, NOW)


def _ecdsa(body: bytes) -> bytes:
    """By another algorithm, over the very same bytes."""
    made = ec.generate_private_key(ec.SECP256R1())
    return made.sign(signed_bytes(Assertion.title, SIGNING.public, body), ec.ECDSA(hashes.SHA256()))


BODY = SIGNED_ASSERTION.assertion
SIGNATURES = {
    "by ECDSA": _ecdsa(BODY),
    "of nothing": b"",
    "of zeros": bytes(64),
    "of another document": SIGNING.sign("key half", BODY),
    "cut short": SIGNED_ASSERTION.signature[:-1],
}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_another_signature_is_refused(signature: bytes) -> None:
    """There is one algorithm, and no field in which another could be named."""
    with pytest.raises(SignatureInvalid):
        judge_assertion(SignedAssertion(BODY, SIGNING.public, signature), DESCRIPTION, SHOWN, NOW)  # type: ignore[arg-type]


def test_bytes_that_are_signed_and_no_assertion_are_refused() -> None:
    body = b"\x90"
    signed = SignedAssertion(body, SIGNING.public, SIGNING.sign(Assertion.title, body))
    with pytest.raises(DocumentMalformed):
        judge_assertion(signed, DESCRIPTION, SHOWN, NOW)


WRONG: dict[str, dict[str, Any]] = {
    "a life of more than ten minutes": {"expires_at": NOW + MAX_LIFE_SECONDS + 1},
    "a life of no time": {"expires_at": NOW},
    "safes in another order": {"audience": ASSERTION.audience[::-1]},
    "a safe twice": {"audience": ASSERTION.audience[:1] * 2},
    "methods in another order": {"methods": ("password", "device")},
    "a hash of a guess that is too short": {"login": bytes(31)},
    "no safe": {"audience": ()},
    "a method nobody knows": {"methods": ("oath",)},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises((DocumentMalformed, DocumentProblem)):
        sign_assertion(msgspec.structs.replace(ASSERTION, **changes), SIGNING)


def _refused(memory: AssertionMemory, now: int = NOW, **changes: Any) -> str | None:
    try:
        memory.use(msgspec.structs.replace(ASSERTION, **changes), now)
    except TrustError as error:
        return str(error)
    return None


def test_an_assertion_is_used_once_however_many_show_it_at_once() -> None:
    """Fifty threads, one of which gets through."""
    memory, outcomes, gate = AssertionMemory(NOW), [], threading.Barrier(50)

    def show() -> None:
        gate.wait()
        outcomes.append(_refused(memory))

    threads = [threading.Thread(target=show) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(None) == 1
    assert sum(outcome is not None and "used before" in outcome for outcome in outcomes) == 49


def test_what_is_older_than_the_process_is_refused() -> None:
    assert "older than this process" in str(_refused(AssertionMemory(NOW + 1)))


def test_what_was_forgotten_stays_refused_when_the_clock_is_set_back() -> None:
    memory = AssertionMemory(NOW)
    assert _refused(memory) is None
    other = {"assertion_id": draw("another", 16), "issued_at": NOW + 290, "expires_at": NOW + 500}
    assert _refused(memory, NOW + 301, **other) is None
    assert "expired" in str(_refused(memory, NOW))


def test_a_full_memory_takes_no_more_until_something_expires() -> None:
    memory = AssertionMemory(NOW, remembered=1)
    assert _refused(memory) is None
    other = {"assertion_id": draw("another", 16), "issued_at": NOW + 100, "expires_at": NOW + 600}
    assert "too many" in str(_refused(memory, NOW + 100, **other))
    assert _refused(memory, NOW + 300, **other) is None
