"""What the wallet's conditions select, and what they say of the rest."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from support.wallet_samples import EXAMPLES, new_wallet, small_value
from wallet_client.conditions.condition import ConditionText, condition_name, parse_condition
from wallet_client.conditions.default import DEFAULT_NAME
from wallet_client.conditions.errors import ConditionInvalid
from wallet_client.operations.select import Named, Selected, select
from wallet_client.storage.store import WalletStore
from wallet_client.values.figures import read_values

IDES = datetime(2000, 3, 15, 12, tzinfo=UTC)


@pytest.fixture
def store(folder: Path) -> Iterator[WalletStore]:
    """A wallet of 8,000 bytes with the values of figure 19, got today, and no condition."""
    with new_wallet(folder, capacity_bytes=8_000) as opened:
        for value in read_values(EXAMPLES / "figure-19.json", now=int(IDES.timestamp())):
            opened.values.add(value)
        opened.conditions.remove(DEFAULT_NAME)
        yield opened


def keep(store: WalletStore, **conditions: str) -> None:
    for name, text in conditions.items():
        store.conditions.add(condition_name(name), parse_condition(text).text)


def chosen(judged: list[Selected]) -> dict[str, str]:
    """Which condition selects which value."""
    return {one.summary.name: one.condition for one in judged if one.selected}


def test_without_conditions_nothing_is_selected(store: WalletStore) -> None:
    """And nothing is left out of the answer."""
    judged = select(store, now=IDES)
    assert [(one.summary.name, one.selected, one.clause) for one in judged] == [
        (name, False, "") for name in "ACEG"
    ]


def test_one_condition_is_enough_and_the_first_is_named(store: WalletStore) -> None:
    """In the order in which they were made; what none selects says why of each."""
    keep(store, cinema="class is movie-ticket", later="not usable within 1 month")
    judged = select(store, now=IDES)
    assert chosen(judged) == {"A": "cinema", "C": "later", "G": "cinema"}
    assert judged[0].clause == "class is movie-ticket"
    assert judged[2].clause == (
        "cinema: class is movie-ticket (prepaid-card is movie-ticket is false);"
        " later: usable within 1 month (every day meets 2000-03-15 to 2000-04-15)"
    )


def test_the_default_condition_selects_figure_20b(store: WalletStore) -> None:
    """On the day of the figure, in a wallet with room."""
    store.settings.set_capacity(None)
    keep(store, default="not usable within 1 month or held-for >= 30 days or free < 20% of capacity")
    assert chosen(select(store, now=IDES)) == {"C": "default", "G": "default"}
    assert list(chosen(select(store, now=IDES + timedelta(days=30)))) == ["A", "C", "E", "G"]


def test_room_is_the_wallets(store: WalletStore) -> None:
    """What is used counts; size is what the value takes."""
    used = store.usage().used
    keep(store, short="free < 20% of capacity", small="size < 1 KiB and capacity is 8000 bytes")
    assert set(chosen(select(store, now=IDES)).values()) == {"small"}
    store.values.add(small_value("filler", payload=bytes(8_000 - used - 200)))
    assert set(chosen(select(store, now=IDES)).values()) == {"short"}


def test_a_condition_that_is_not_kept_can_be_tried(store: WalletStore) -> None:
    """Those that are kept do not count then, and one alone needs no name."""
    keep(store, all="has class")
    judged = select(store, now=IDES, only=[Named("", parse_condition("name is A"))])
    assert chosen(judged) == {"A": ""}
    assert judged[1].clause == "name is A (C is A is false)"


def test_what_is_backed_up_is_told_apart_and_still_selected(store: WalletStore) -> None:
    """A backup of it changes nothing, so it need not be left out."""
    keep(store, cinema="class is movie-ticket")
    first, *_ = store.values.summaries()
    store.values.link(first.id, "r-1")
    assert [(one.summary.name, one.selected, one.already) for one in select(store, now=IDES)] == [
        ("A", True, True),
        ("C", False, False),
        ("E", False, False),
        ("G", True, False),
    ]


def test_the_day_is_that_of_the_given_time_where_it_is(store: WalletStore) -> None:
    """Late in Greenwich it is tomorrow in Tokyo."""
    late = datetime(2000, 3, 15, 23, tzinfo=UTC)
    keep(store, ides="today is 2000-03-15", next="today is 2000-03-16")
    assert set(chosen(select(store, now=late)).values()) == {"ides"}
    tokyo = late.astimezone(timezone(timedelta(hours=9)))
    assert set(chosen(select(store, now=tokyo)).values()) == {"next"}


def test_a_condition_of_a_newer_program_is_refused(store: WalletStore) -> None:
    """Nothing is selected by half of the conditions."""
    store.conditions.add(condition_name("newer"), ConditionText("colour is red"))
    with pytest.raises(ConditionInvalid, match="colour"):
        select(store, now=IDES)


def test_an_answer_shows_no_name_where_it_is_logged(store: WalletStore) -> None:
    """Nor does the condition, which may hold one."""
    keep(store, secret='name contains "A"')
    (first, *_) = select(store, now=IDES)
    (entry,) = store.conditions.entries()
    assert first.selected
    assert "contains" not in f"{first!r} {entry!r} {parse_condition(entry.text)!r}"


def test_nothing_is_changed_and_no_payload_is_opened(
    store: WalletStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Computation over the index alone."""
    keep(store, cinema="class is movie-ticket")
    monkeypatch.setattr(store.values, "get", None)
    before = store.values.summaries()
    select(store, now=datetime.combine(date.max, IDES.timetz()))
    assert store.values.summaries() == before
