"""Every refusal has typed public fields and one fixed sentence."""

import pickle

import pytest

from threshold import errors

EXAMPLES = [
    errors.InvalidThreshold(k=4, n=3),
    errors.InvalidShareIndex(x=256),
    errors.DuplicateShareIndex(x=7),
    errors.NotEnoughShares(have=2, need=3),
    errors.ShareLengthMismatch(x=2, have=5, need=6),
    errors.InvalidLength(what="salt", have=31, need=32),
    errors.InvalidLabel(what="role"),
    errors.InvalidScalar(),
    errors.InvalidPoint(),
    errors.InvalidPublicKey(),
    errors.CommitmentCountMismatch(have=4, need=3),
    errors.ShareDoesNotMatchCommitments(x=3),
    errors.InputMapsToIdentity(),
    errors.InvalidBatch(have=0, limit=65535),
    errors.EvaluationNotProven(x=3),
    errors.SealBroken(),
    errors.InvalidLeafIndex(index=5, size=5),
    errors.PathDoesNotMatchRoot(index=1, size=5),
    errors.InvalidFragment(position=9),
    errors.SegmentDamaged(),
    errors.LibsodiumMissing(),
]


def all_kinds(kind: type[errors.ThresholdError]) -> set[type[errors.ThresholdError]]:
    return {kind}.union(*(all_kinds(child) for child in kind.__subclasses__()))


def test_the_examples_below_name_every_kind_of_error() -> None:
    """A new error must be added here, and so be checked."""
    assert {type(example) for example in EXAMPLES} == all_kinds(errors.ThresholdError) - {
        errors.ThresholdError
    }


def test_the_root_has_a_sentence_of_its_own() -> None:
    """Nothing prints as an empty line."""
    assert str(errors.ThresholdError()) == "The input was refused."


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_text_is_a_fixed_sentence_without_any_field(error: errors.ThresholdError) -> None:
    """What is sent out never depends on the input."""
    assert str(error) == type(error).sentence
    assert str(error).endswith(".")
    assert str(error) != errors.ThresholdError.sentence


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_fields_are_kept_and_shown_to_the_log(error: errors.ThresholdError) -> None:
    """The representation names each field with its value."""
    for name, value in vars(error).items():
        assert f"{name}={value!r}" in repr(error)


def test_missing_libsodium_is_an_import_error_that_says_what_to_do() -> None:
    """Tools that catch ImportError see it too."""
    error = errors.LibsodiumMissing()
    assert isinstance(error, ImportError)
    assert "apt-get install libsodium23" in str(error)


def test_errors_cross_a_process_pool() -> None:
    """Workers hand their refusals back by pickle."""
    positional = errors.NotEnoughShares(2, 3)
    again = pickle.loads(pickle.dumps(positional))  # noqa: S301
    assert vars(again) == vars(positional)
