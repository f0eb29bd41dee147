"""What holds for every text and value: a condition or a ConditionInvalid, and a verdict that adds up."""

from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from trust.value_fields import HELD_SINCE_MAX_SECONDS
from wallet_client.conditions.condition import Condition, parse_condition
from wallet_client.conditions.errors import ConditionInvalid
from wallet_client.conditions.subject import Subject, WalletState
from wallet_client.conditions.vocabulary import FIELDS, OTHER_WORDS
from wallet_client.values.value import Value

steady = settings(derandomize=True, deadline=None, max_examples=100)

WORDS = [*FIELDS, *OTHER_WORDS, "(", ")", ",", "<", "<=", ">", ">=", "=", "+", "-", "%", '"', "\\"]
LITERALS = [
    "64 KiB",
    "20%",
    "2000-03-15",
    "7 days",
    "1 month",
    "1600",
    '"City Bus"',
    "movie-ticket",
    "999999 years",
]

words = st.sampled_from(WORDS + LITERALS)
any_text = st.one_of(
    st.text(st.characters(), max_size=200),
    st.lists(words, max_size=30).map(" ".join),
    st.lists(words, max_size=30).map("".join),
)

relations = st.sampled_from(["is", "is not", "=", "<", "<=", ">", ">="])
spans = st.builds(
    "{} {}".format, st.integers(0, 99_999), st.sampled_from(["days", "weeks", "months", "years"])
)
a_day = st.builds(
    "{} {} {}".format,
    st.sampled_from(["today", "valid-from", "valid-until", "held-since", "2000-03-15"]),
    st.sampled_from("+-"),
    spans,
)
a_number = st.sampled_from(["total", "quantity", "unit-price", "1600", "0.5", "20% of remaining"])
statements = st.one_of(
    st.builds("{} {} {}".format, a_day, relations, a_day),
    st.builds("remaining {} {}".format, relations, a_number),
    st.builds("size {} {}".format, relations, st.sampled_from(["free", "64 KiB", "1.5% of capacity"])),
    st.builds("held-for {} {}".format, relations, spans),
    st.builds("usable within {}".format, spans),
    st.builds("{} is absent".format, st.sampled_from(list(FIELDS))),
    st.builds("has {}".format, st.sampled_from(list(FIELDS))),
    st.builds('{} contains "{}"'.format, st.sampled_from(["name", "place"]), st.sampled_from(["a", "é", ""])),
    st.just("class not in (movie-ticket, card)"),
)
sentences = st.recursive(
    statements,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' and '.join(parts)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' or '.join(parts)})"),
    ),
    max_leaves=12,
)
amounts = st.none() | st.decimals(0, 10**9, places=2)
maybe_days = st.none() | st.dates()


@st.composite
def subjects(draw: st.DrawFn) -> Subject:
    first, last = draw(maybe_days), draw(maybe_days)
    if first and last and last < first:
        first, last = last, first
    value = Value(
        item_class=draw(st.sampled_from(["movie-ticket", "card", "seed"])),
        name=draw(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)),
        total_amount=draw(amounts),
        remaining_amount=draw(amounts),
        quantity=draw(st.none() | st.just(Decimal(2))),
        valid_from=first,
        valid_until=last,
        held_since=draw(st.integers(0, HELD_SINCE_MAX_SECONDS)),
    )
    return Subject(value.fields, draw(st.integers(0, 2**30)))


def condition_or_refusal(text: str) -> Condition | ConditionInvalid:
    try:
        return parse_condition(text)
    except ConditionInvalid as error:
        return error


limits = st.none() | st.integers(0, 2**40)
states = st.builds(WalletState, st.dates(), limits, limits)


@steady
@given(any_text, subjects(), states)
def test_any_text_is_a_condition_or_refused_as_one(text: str, subject: Subject, state: WalletState) -> None:
    """Nothing else is raised, when it is read or when it is judged; the place lies in the text."""
    read = condition_or_refusal(text)
    if isinstance(read, Condition):
        assert read.judge(subject, state).clause
    else:
        assert 1 <= read.column <= len(read.text) + 1
        assert read.text in text
        assert 1 <= read.line <= text.count("\n") + 1
        assert str(read)


@steady
@given(sentences, subjects(), states)
def test_a_condition_and_its_opposite_never_agree(text: str, subject: Subject, state: WalletState) -> None:
    """Whatever is absent; and both are decided by the same clause."""
    verdict = parse_condition(text).judge(subject, state)
    opposite = parse_condition(f"not ({text})").judge(subject, state)
    assert (verdict.selected, verdict.clause) == (not opposite.selected, opposite.clause)


@steady
@given(sentences, sentences, subjects(), states)
def test_and_and_or_are_what_they_are(one: str, other: str, subject: Subject, state: WalletState) -> None:
    """Of the parts' own verdicts."""
    verdicts = [parse_condition(text).judge(subject, state).selected for text in (one, other)]
    joined = {
        word: parse_condition(f"({one}) {word} ({other})").judge(subject, state) for word in ("and", "or")
    }
    assert joined["and"].selected is all(verdicts)
    assert joined["or"].selected is any(verdicts)


@steady
@given(sentences, subjects(), states)
def test_lines_and_capitals_do_not_matter(text: str, subject: Subject, state: WalletState) -> None:
    """Nor where the spaces are many."""
    other = parse_condition(text.replace(" ", " \n\t "))
    assert other.judge(subject, state) == parse_condition(text).judge(subject, state)


@steady
@given(st.dates(), st.dates(), st.dates(), st.integers(0, 500))
def test_usable_is_what_its_two_comparisons_say(one: date, two: date, today: date, count: int) -> None:
    """For a value with both days."""
    value = Value(item_class="card", name="n", valid_from=min(one, two), valid_until=max(one, two))
    subject, state = Subject(value.fields, 1), WalletState(today)
    spelled = f"valid-from <= today + {count} days and valid-until >= today"
    said = parse_condition(f"usable within {count} days").judge(subject, state)
    assert said.selected is parse_condition(spelled).judge(subject, state).selected
