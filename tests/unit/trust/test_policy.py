"""Terms that contradict each other are refused, and all others are not."""

from typing import Any

import pytest

from support.messagepack import Plain, pack, plain
from trust.documents import Document, DocumentProblem
from trust.errors import DocumentMalformed
from trust.policy import Division, KeyRule, PolicyTerms

SHAMIR = Division("shamir", 3, 5)
COMPACT = Division("compact", 3, 5)
NONE = KeyRule("none")
KEPT = KeyRule("kept")
SHARED = KeyRule("shared", 3, 5)
BOTH = KeyRule("kept-and-shared", 3, 5)
ROOT = KeyRule("root")


PLAINEST: list[Plain] = ["single", "seal-then-divide"]
"""Coupling and order of most terms."""
UNSEALED: list[Plain] = ["p", "none", plain(SHAMIR), plain(NONE), "public", 1]


def refused(document_type: type[Document], elements: list[Plain], *, says: str) -> None:
    """Both ways: when it is built, and when its bytes are read."""
    with pytest.raises(DocumentMalformed, match=says):
        document_type.from_bytes(pack(elements))


@pytest.mark.parametrize(("k", "n"), [(2, 1), (255, 254)])
@pytest.mark.parametrize("scheme", ["shamir", "compact"])
def test_a_division_that_can_never_be_met_is_refused(scheme: Any, k: int, n: int) -> None:
    """More shares needed than made."""
    with pytest.raises(DocumentProblem, match="k: more shares needed than made"):
        Division(scheme, k, n)
    refused(Division, [scheme, k, n], says="more shares needed than made")


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 255), (255, 255), (3, 5)])
def test_a_division_that_can_be_met_is_read(k: int, n: int) -> None:
    """One of one, all of all, and between."""
    assert Division.from_bytes(pack(["compact", k, n])) == Division("compact", k, n)


@pytest.mark.parametrize(
    ("mode", "k", "n"),
    [
        ("none", 1, 1),
        ("none", 0, 1),
        ("none", 1, 0),
        ("kept", 3, 5),
        ("kept", 0, 5),
        ("kept", 5, 0),
        ("root", 1, 1),
        ("root", 0, 5),
        ("shared", 0, 0),
        ("shared", 0, 5),
        ("shared", 6, 5),
        ("kept-and-shared", 0, 0),
        ("kept-and-shared", 6, 5),
    ],
)
def test_a_key_rule_that_contradicts_itself_is_refused(mode: Any, k: int, n: int) -> None:
    """Shares without sharing, or sharing without shares."""
    with pytest.raises(DocumentProblem, match="k: does not fit the mode and n"):
        KeyRule(mode, k, n)
    refused(KeyRule, [mode, k, n], says="does not fit the mode and n")


@pytest.mark.parametrize(
    "rule", [NONE, KEPT, ROOT, SHARED, BOTH, KeyRule("shared", 1, 1), KeyRule("shared", 255, 255)]
)
def test_a_key_rule_that_fits_is_read(rule: KeyRule) -> None:
    """All five modes."""
    assert KeyRule.from_bytes(rule.to_bytes()) == rule


@pytest.mark.parametrize(
    ("sealing", "value", "key", "says"),
    [
        ("none", SHAMIR, KEPT, "a key without sealing"),
        ("none", SHAMIR, SHARED, "a key without sealing"),
        ("none", SHAMIR, BOTH, "a key without sealing"),
        ("none", SHAMIR, ROOT, "a key without sealing"),
        ("shared-key", SHAMIR, NONE, "sealing without a key"),
        ("key-pair", SHAMIR, NONE, "sealing without a key"),
        ("none", COMPACT, NONE, "compact division hides nothing"),
    ],
)
def test_terms_that_contradict_each_other_are_refused(
    sealing: Any, value: Division, key: KeyRule, says: str
) -> None:
    """Sealing and key go together, and what hides nothing needs sealing."""
    with pytest.raises(DocumentProblem, match=says):
        PolicyTerms("p", sealing, value, key, "public", 3)
    refused(PolicyTerms, ["p", sealing, plain(value), plain(key), "public", 3, *PLAINEST], says=says)


@pytest.mark.parametrize(
    ("sealing", "key", "coupling", "order", "says"),
    [
        ("none", NONE, "seal-then-couple", "seal-then-divide", "order: nothing is sealed"),
        ("none", NONE, "single", "divide-then-seal", "order: nothing is sealed"),
        ("none", NONE, "seal-then-couple", "divide-then-seal", "order: nothing is sealed"),
        ("shared-key", KEPT, "seal-then-couple", "divide-then-seal", "are not sealed again"),
        ("key-pair", SHARED, "seal-then-couple", "divide-then-seal", "are not sealed again"),
    ],
)
def test_what_is_sealed_is_sealed_once_and_somewhere(
    sealing: Any, key: KeyRule, coupling: Any, order: Any, says: str
) -> None:
    """Whole, each value by itself, or each share by itself."""
    with pytest.raises(DocumentProblem, match=says):
        PolicyTerms("p", sealing, SHAMIR, key, "public", 3, coupling, order)
    elements = ["p", sealing, plain(SHAMIR), plain(key), "public", 3, coupling, order]
    refused(PolicyTerms, elements, says=says.rpartition(": ")[2])


@pytest.mark.parametrize(
    ("sealing", "value", "key"),
    [
        ("none", SHAMIR, NONE),
        ("shared-key", SHAMIR, KEPT),
        ("shared-key", SHAMIR, SHARED),
        ("shared-key", COMPACT, KEPT),
        ("shared-key", COMPACT, SHARED),
        ("shared-key", SHAMIR, BOTH),
        ("shared-key", SHAMIR, ROOT),
        ("key-pair", SHAMIR, KEPT),
        ("key-pair", COMPACT, SHARED),
        ("key-pair", SHAMIR, BOTH),
        ("key-pair", SHAMIR, ROOT),
    ],
)
@pytest.mark.parametrize("digest", ["public", "sealed", "vacant"])
def test_terms_that_fit_are_read(sealing: Any, value: Division, key: KeyRule, digest: Any) -> None:
    """Every combination that means something."""
    terms = PolicyTerms("p", sealing, value, key, digest, 1)
    assert PolicyTerms.from_bytes(terms.to_bytes()) == terms


@pytest.mark.parametrize(
    ("document_type", "elements"),
    [
        (Division, ["xor", 1, 1]),
        (KeyRule, ["lost", 0, 0]),
        (PolicyTerms, ["p", "rot13", *UNSEALED[2:], *PLAINEST]),
        (PolicyTerms, [*UNSEALED[:4], "loud", 1, *PLAINEST]),
        (PolicyTerms, [*UNSEALED, "paired", PLAINEST[1]]),
        (PolicyTerms, [*UNSEALED, PLAINEST[0], "divided"]),
    ],
)
def test_unknown_words_are_refused(document_type: type[Document], elements: list[Plain]) -> None:
    """What this version does not know it does not accept."""
    refused(document_type, elements, says="not one of the words allowed here")


@pytest.mark.parametrize(
    ("sealing", "key", "is_wrapped"),
    [
        ("none", NONE, False),
        ("shared-key", SHARED, False),
        ("shared-key", KEPT, True),
        ("shared-key", BOTH, True),
        ("shared-key", ROOT, True),
        ("key-pair", SHARED, True),
        ("key-pair", KEPT, True),
    ],
)
def test_the_batch_secret_is_wrapped_unless_it_is_dealt_itself(
    sealing: Any, key: KeyRule, is_wrapped: bool
) -> None:
    """Under a key of the wallet, or under a pair of the batch."""
    assert PolicyTerms("p", sealing, SHAMIR, key, "public", 1).is_wrapped == is_wrapped


def test_a_field_of_the_digest_stands_once() -> None:
    """Two of the same would make two digests of one policy."""
    with pytest.raises(ValueError, match="shown: a field stands twice"):
        PolicyTerms("p", "none", Division("shamir", 1, 1), NONE, "public", 1, shown=("class", "class"))


def test_only_an_unsealed_whole_value_is_readable_by_its_safe() -> None:
    """What is divided or coupled is not."""
    whole, divided = Division("shamir", 1, 2), Division("shamir", 2, 2)
    assert PolicyTerms("p", "none", whole, NONE, "public", 1).is_readable
    assert not PolicyTerms("p", "none", divided, NONE, "public", 1).is_readable
    assert not PolicyTerms("p", "none", whole, NONE, "public", 1, "couple-then-seal").is_readable
