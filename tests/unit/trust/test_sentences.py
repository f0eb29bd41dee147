"""Errors and refusals are fixed sentences with public fields, and can be told apart by type."""

from copy import copy
from dataclasses import fields, is_dataclass

import pytest

from support.sample_documents import SAFE_IDS
from trust import errors, owner_refusals, peer_refusals, refusals, wallet_refusals
from trust.errors import CertificateMismatch, DocumentMalformed, TrustError
from trust.refusals import Refusal, RequestStale
from trust.wallet_refusals import QuotaExceeded

MODULES = (refusals, wallet_refusals, owner_refusals, peer_refusals)
OURS = [kind for kind in Refusal.__subclasses__() if kind.__module__ in {one.__name__ for one in MODULES}]
REFUSALS = sorted(OURS, key=lambda kind: kind.__name__)
SAMPLES = {int: 7, str: "manifest"}


def sample(kind: type[Refusal]) -> Refusal:
    """A refusal with every field set."""
    return kind(**{item.name: SAMPLES[item.type] for item in fields(kind)})  # type: ignore[index]


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_is_a_sentence_of_its_own(kind: type[Refusal]) -> None:
    """One full stop at its end at least, and no other refusal's."""
    assert kind.sentence.endswith(".")
    assert kind.sentence[0].isupper()
    assert [other for other in REFUSALS if other.sentence == kind.sentence] == [kind]
    assert kind.__doc__


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_shows_its_public_fields(kind: type[Refusal]) -> None:
    """All of them, by name, behind the sentence; nothing else."""
    refusal = sample(kind)
    shown = ", ".join(f"{item.name} {getattr(refusal, item.name)}" for item in fields(refusal))
    assert str(refusal) == (f"{kind.sentence} ({shown})" if shown else kind.sentence)


def test_the_base_refusal_has_a_sentence_too() -> None:
    """For what a newer safe may say."""
    assert str(Refusal()) == "The request was refused."


def test_a_refusal_as_people_read_it() -> None:
    """Two whole ones."""
    assert str(QuotaExceeded(100, 90, 20)) == (
        "The wallet would exceed its bytes at this safe. (limit_bytes 100, used_bytes 90, needed_bytes 20)"
    )
    assert str(RequestStale(5)).endswith("Set the clock and try again. (server_time_ms 5)")


@pytest.mark.parametrize("module", [errors, *MODULES])
def test_every_exception_is_a_mutable_dataclass_compared_by_identity(module: object) -> None:
    """contextlib writes __traceback__ into exceptions, and two failures are never the same failure."""
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert kinds
    for kind in kinds:
        assert is_dataclass(kind)
        error = kind.__new__(kind)
        error.__traceback__ = None
        assert kind.__eq__ is object.__eq__
        assert isinstance(hash(error), int)


def test_an_error_survives_copying() -> None:
    """As frameworks do between tasks and processes: its fields go with it."""
    error = copy(CertificateMismatch("certificate", SAFE_IDS[0], "digest"))
    assert (error.document, error.safe_id, error.field) == ("certificate", SAFE_IDS[0], "digest")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DocumentMalformed("roster", "", "too long"), "The roster is malformed: too long."),
        (DocumentMalformed("roster", "$[1]", "too long"), "The roster is malformed at $[1]: too long."),
        (errors.SignatureInvalid("roster"), "The signature of the roster does not hold."),
        (errors.RosterRefused("roster", "it is empty"), "The roster is refused: it is empty."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_as_people_read_it(error: TrustError, sentence: str) -> None:
    """It names the document and what is wrong with it."""
    assert str(error) == sentence
    assert isinstance(error, TrustError)
