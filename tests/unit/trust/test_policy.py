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
        ("shared", 0, 0),
        ("shared", 0, 5),
        ("shared", 6, 5),
    ],
)
def test_a_key_rule_that_contradicts_itself_is_refused(mode: Any, k: int, n: int) -> None:
    """Shares without sharing, or sharing without shares."""
    with pytest.raises(DocumentProblem, match="k: does not fit the mode and n"):
        KeyRule(mode, k, n)
    refused(KeyRule, [mode, k, n], says="does not fit the mode and n")


@pytest.mark.parametrize("rule", [NONE, KEPT, SHARED, KeyRule("shared", 1, 1), KeyRule("shared", 255, 255)])
def test_a_key_rule_that_fits_is_read(rule: KeyRule) -> None:
    """All three modes."""
    assert KeyRule.from_bytes(rule.to_bytes()) == rule


@pytest.mark.parametrize(
    ("sealing", "value", "key", "says"),
    [
        ("none", SHAMIR, KEPT, "a key without sealing"),
        ("none", SHAMIR, SHARED, "a key without sealing"),
        ("shared-key", SHAMIR, NONE, "sealing without a key"),
        ("none", COMPACT, NONE, "compact division hides nothing"),
    ],
)
def test_terms_that_contradict_each_other_are_refused(
    sealing: Any, value: Division, key: KeyRule, says: str
) -> None:
    """Sealing and key go together, and what hides nothing needs sealing."""
    with pytest.raises(DocumentProblem, match=says):
        PolicyTerms("p", sealing, value, key, "public", 3)
    refused(PolicyTerms, ["p", sealing, plain(value), plain(key), "public", 3], says=says)


@pytest.mark.parametrize(
    ("sealing", "value", "key"),
    [
        ("none", SHAMIR, NONE),
        ("shared-key", SHAMIR, KEPT),
        ("shared-key", SHAMIR, SHARED),
        ("shared-key", COMPACT, KEPT),
        ("shared-key", COMPACT, SHARED),
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
        (PolicyTerms, ["p", "rot13", ["shamir", 1, 1], ["none", 0, 0], "public", 1]),
        (PolicyTerms, ["p", "none", ["shamir", 1, 1], ["none", 0, 0], "loud", 1]),
    ],
)
def test_unknown_words_are_refused(document_type: type[Document], elements: list[Plain]) -> None:
    """What this version does not know it does not accept."""
    refused(document_type, elements, says="not one of the words allowed here")
