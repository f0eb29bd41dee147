"""What each repository keeps, gives back, finds and refuses."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from support.wallet_samples import FULL_VALUE, everything_in, new_wallet, small_value
from trust.value_fields import ValueFields
from wallet_client.conditions.condition import condition_name, parse_condition
from wallet_client.conditions.default import DEFAULT_NAME, DEFAULT_NOTE, DEFAULT_TEXT
from wallet_client.errors import AlreadyKept, Ambiguous, NotKept
from wallet_client.receipts.errors import UnknownDeletion, UnknownReceipt
from wallet_client.storage.errors import (
    UnknownCondition,
    UnknownDelivery,
    UnknownOperation,
    UnknownSecret,
    WalletFull,
)
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.keys import SIGNING_SEED
from wallet_client.storage.receipts import ReceiptEntry
from wallet_client.storage.secret import Secret
from wallet_client.storage.store import WalletStore
from wallet_client.values.errors import UnknownValue
from wallet_client.values.value import ValueId, stored_size

MIB = 1024 * 1024
CINEMA = condition_name("cinema")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[WalletStore]:
    """An empty wallet."""
    with new_wallet(tmp_path) as opened:
        yield opened


class TestValues:
    """Values with their index and their room."""

    @pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB + 7])
    def test_a_value_comes_back_whole(self, store: WalletStore, size: int) -> None:
        """Whatever the number of sealed parts."""
        value = FULL_VALUE.with_fields(payload=bytes(range(256)) * (size // 256) + bytes(size % 256))
        assert store.values.get(store.values.add(value)) == value

    def test_the_index_has_every_field_but_the_payload(self, store: WalletStore) -> None:
        """Class, place and size among them."""
        value_id = store.values.add(FULL_VALUE, receipt_id="r-1")
        (entry,) = store.values.summaries()
        assert all(
            getattr(entry, name) == getattr(FULL_VALUE, name) for name in ValueFields.__struct_fields__
        )
        assert (entry.id, entry.receipt_id) == (value_id, "r-1")
        assert (entry.payload_bytes, entry.size_bytes) == (17, stored_size(FULL_VALUE))

    def test_the_index_is_searched_by_conditions_together(self, store: WalletStore) -> None:
        """Class, place, last day, receipt."""
        film = store.values.add(small_value("A", place="B", valid_until=date(2000, 5, 31)), receipt_id="r-1")
        store.values.add(small_value("G", place="H", valid_until=date(2000, 6, 30)))
        card = store.values.add(small_value("E", item_class="prepaid-card", place="B"))

        def found(**conditions: object) -> list[ValueId]:
            return [one.id for one in store.values.summaries(**conditions)]  # type: ignore[arg-type]

        assert found(item_class="prepaid-card") == [card]
        assert found(place="B") == [film, card]
        assert found(ending_within=(date(2000, 5, 1), date(2000, 5, 31))) == [film]
        assert found(receipt_id="r-1") == [film]
        assert found(place="B", ending_within=(date(2000, 6, 1), date(2000, 6, 30))) == []

    def test_values_are_listed_in_the_order_added(self, store: WalletStore) -> None:
        """Also after one was replaced."""
        ids = [store.values.add(small_value(str(number))) for number in range(50)]
        store.values.replace(ids[3], small_value("changed"))
        assert [one.id for one in store.values.summaries()] == ids

    def test_a_replaced_value_keeps_its_id_and_loses_its_receipt(self, store: WalletStore) -> None:
        """The receipt was for other content."""
        value_id = store.values.add(small_value("old"), receipt_id="r-1")
        store.values.replace(value_id, FULL_VALUE)
        assert store.values.get(value_id) == FULL_VALUE
        assert store.values.summary(value_id).receipt_id is None
        assert store.usage().used == stored_size(FULL_VALUE)

    def test_a_receipt_is_noted_and_forgotten(self, store: WalletStore) -> None:
        """The value stays as it is."""
        value_id = store.values.add(FULL_VALUE)
        store.values.link(value_id, "r-2")
        assert store.values.summary(value_id).receipt_id == "r-2"
        store.values.link(value_id, None)
        assert store.values.summary(value_id).receipt_id is None
        assert store.values.get(value_id) == FULL_VALUE

    def test_an_id_is_given_once(self, store: WalletStore) -> None:
        """A recovered value may ask for the id it had."""
        store.values.add(small_value(), value_id=ValueId("v-aaaaaaaaaa"))
        with pytest.raises(AlreadyKept, match="v-aaaaaaaaaa"):
            store.values.add(small_value(), value_id=ValueId("v-aaaaaaaaaa"))
        assert store.usage().used == stored_size(small_value())

    def test_a_value_is_found_by_id_beginning_or_name(self, store: WalletStore) -> None:
        """Whole id first, then a name that only one has, then the beginning of one id."""
        first = store.values.add(small_value("v-b"), value_id=ValueId("v-aaaaaaaaaa"))
        second = store.values.add(small_value("Hamlet"), value_id=ValueId("v-abbbbbbbbb"))
        third = store.values.add(small_value("v-aaaaaaaaaa"), value_id=ValueId("v-bccccccccc"))
        assert store.values.find("v-aaaaaaaaaa") == first
        assert store.values.find("v-b") == first
        assert store.values.find("Hamlet") == second
        assert store.values.find("v-bc") == third

    @pytest.mark.parametrize("text", ["", "x", "v-c", "Haml", "v-aaaaaaaaaaa"])
    def test_what_fits_nothing_is_unknown(self, store: WalletStore, text: str) -> None:
        """And said back escaped."""
        store.values.add(small_value("Hamlet"), value_id=ValueId("v-aaaaaaaaaa"))
        with pytest.raises(UnknownValue):
            store.values.find(text)

    def test_what_fits_several_lists_them(self, store: WalletStore) -> None:
        """By name and by beginning."""
        ids = tuple(store.values.add(small_value("twin"), value_id=ValueId(f"v-a{n:09}")) for n in range(12))
        for text in ("twin", "v-a"):
            with pytest.raises(Ambiguous) as ambiguous:
                store.values.find(text)
            assert ambiguous.value.candidates == ids
            assert str(ambiguous.value).endswith("and 2 more.")

    def test_a_full_wallet_names_the_bytes_needed_and_free(self, store: WalletStore) -> None:
        """Nothing is added; after room was made the same value fits."""
        value = small_value(payload=bytes(1000))
        store.settings.set_capacity(2 * stored_size(value) - 1)
        first = store.values.add(value)
        with pytest.raises(WalletFull) as full:
            store.values.add(value)
        assert (full.value.needed, full.value.free) == (stored_size(value), stored_size(value) - 1)
        assert store.usage().free == stored_size(value) - 1
        store.values.remove(first)
        assert store.usage().used == 0
        store.values.add(value)

    def test_a_replacement_may_use_the_room_of_what_it_replaces(self, store: WalletStore) -> None:
        """And no more than that; else the old value stays."""
        value = small_value(payload=bytes(1000))
        value_id = store.values.add(value)
        store.settings.set_capacity(stored_size(value))
        store.values.replace(value_id, small_value(payload=b"x" * 1000))
        with pytest.raises(WalletFull) as full:
            store.values.replace(value_id, small_value(payload=bytes(1001)))
        assert (full.value.needed, full.value.free) == (stored_size(value) + 1, stored_size(value))
        assert store.values.get(value_id).payload == b"x" * 1000

    def test_without_a_capacity_nothing_is_too_much(self, store: WalletStore) -> None:
        """Usage then names no limit."""
        store.values.add(small_value())
        assert store.usage() == (None, stored_size(small_value()), None)

    def test_below_a_lowered_capacity_nothing_is_free(self, store: WalletStore) -> None:
        """What is there stays."""
        store.values.add(small_value())
        store.settings.set_capacity(1)
        assert store.usage().free == 0


class TestReceipts:
    """Receipts: the caller's bytes, with what a list needs."""

    def test_a_receipt_comes_back_as_it_was_put(self, store: WalletStore) -> None:
        """Put again, it takes its own place."""
        ids = (ValueId("v-1"), ValueId("v-2"))
        store.receipts.put("r-1", b"first", state="registered", value_ids=ids, summary=b"s")
        store.receipts.put("r-2", b"x", state="safe")
        store.receipts.put("r-1", b"second!", state="safe", value_ids=ids, summary=b"t")
        assert store.receipts.get("r-1") == b"second!"
        first, _ = store.receipts.entries(state="safe")
        assert first == ReceiptEntry(id="r-1", state="safe", value_ids=ids, summary=b"t", size_bytes=7)
        assert store.receipts.entries(state="registered") == []

    def test_it_is_found_by_the_beginning_of_its_id(self, store: WalletStore) -> None:
        """If only one begins so."""
        for receipt_id in ("r-aa", "r-ab", "r-b"):
            store.receipts.put(receipt_id, b"", state="safe")
        assert [store.receipts.find(text) for text in ("r-aa", "r-b")] == ["r-aa", "r-b"]
        assert store.receipts.find("r-b") == "r-b"
        with pytest.raises(Ambiguous):
            store.receipts.find("r-a")
        with pytest.raises(UnknownReceipt):
            store.receipts.find("q")

    def test_it_is_deleted(self, store: WalletStore) -> None:
        """And unknown from then on."""
        store.receipts.put("r-1", b"", state="safe")
        store.receipts.delete("r-1")
        assert store.receipts.entries() == []


class TestDeletions:
    """What was deleted at safes."""

    def test_a_deletion_is_kept_and_grows_in_its_place(self, store: WalletStore) -> None:
        """In the order decided, under the id of what is owed."""
        store.deletions.put("d-1", b"decided")
        store.deletions.put("d-2", b"")
        store.deletions.put("d-1", bytes(MIB + 1))
        assert store.deletions.get("d-1") == bytes(MIB + 1)
        assert [(one.id, one.size_bytes) for one in store.deletions.entries()] == [
            ("d-1", MIB + 1),
            ("d-2", 0),
        ]


class TestJournal:
    """Operations under way."""

    def test_an_operation_is_kept_step_by_step(self, store: WalletStore) -> None:
        """A step may bring a new body or leave the old."""
        store.journal.put("o-1", "backup", b"plan", step="begun")
        store.journal.put("o-2", "recover", b"", step="begun")
        store.journal.update("o-1", step="sent")
        assert (store.journal.entry("o-1").step, store.journal.body("o-1")) == ("sent", b"plan")
        store.journal.update("o-1", step="kept", body=bytes(2 * MIB))
        assert store.journal.body("o-1") == bytes(2 * MIB)
        assert [(one.id, one.kind, one.step) for one in store.journal.entries()] == [
            ("o-1", "backup", "kept"),
            ("o-2", "recover", "begun"),
        ]
        store.journal.delete("o-1")
        assert [one.id for one in store.journal.entries()] == ["o-2"]

    def test_an_operation_is_begun_once(self, store: WalletStore) -> None:
        """Two cannot share an id."""
        store.journal.put("o-1", "backup", b"1", step="begun")
        with pytest.raises(AlreadyKept):
            store.journal.put("o-1", "backup", b"2", step="begun")
        assert store.journal.body("o-1") == b"1"


class TestOutbox:
    """What waits for a safe."""

    def test_what_waits_is_listed_by_owner_and_by_safe(self, store: WalletStore) -> None:
        """One message for each pair."""
        one, two = bytes(16), bytes([1] * 16)
        store.outbox.put("o-1", one, b"a")
        store.outbox.put("o-1", two, bytes(MIB + 1))
        store.outbox.put("o-2", one, b"c")
        store.outbox.put("o-1", one, b"again")
        assert store.outbox.get("o-1", one) == b"again"
        assert store.outbox.get("o-1", two) == bytes(MIB + 1)
        assert [entry.size_bytes for entry in store.outbox.entries(owner_id="o-1")] == [5, MIB + 1]
        assert [entry.owner_id for entry in store.outbox.entries(safe_id=one)] == ["o-1", "o-2"]
        store.outbox.delete("o-1", one)
        assert len(store.outbox.entries()) == 2


class TestKeys:
    """Named secrets."""

    def test_a_secret_is_kept_replaced_and_deleted(self, store: WalletStore) -> None:
        """Under its name, which is sealed too."""
        store.keys.put("item-1", Secret(b"one"))
        store.keys.put("item-1", Secret(b"two"))
        assert store.keys.get("item-1") == Secret(b"two")
        assert store.keys.get("item-1") != Secret(b"one")
        assert store.keys.names() == [SIGNING_SEED, "item-1"]
        store.keys.delete("item-1")
        assert store.keys.names() == [SIGNING_SEED]


class TestConditions:
    """Backup conditions by name."""

    def test_a_new_wallet_has_the_default_condition_and_nothing_else(self, store: WalletStore) -> None:
        """The initial setting; it holds together."""
        (entry,) = store.conditions.entries()
        assert (entry.name, entry.text) == (DEFAULT_NAME, DEFAULT_TEXT)
        assert parse_condition(entry.text).text == DEFAULT_TEXT

    def test_conditions_are_kept_in_the_order_in_which_they_were_made(self, store: WalletStore) -> None:
        """A changed one keeps its place, and its note unless it gets another."""
        store.conditions.add(CINEMA, parse_condition("class is movie-ticket").text, note="for G")
        store.conditions.replace(DEFAULT_NAME, parse_condition("has place").text)
        store.conditions.replace(CINEMA, parse_condition("name is G").text)
        assert [(one.name, one.text, one.note) for one in store.conditions.entries()] == [
            (DEFAULT_NAME, "has place", DEFAULT_NOTE),
            (CINEMA, "name is G", "for G"),
        ]
        store.conditions.replace(CINEMA, parse_condition("name is A").text, note="for A")
        assert store.conditions.entry(CINEMA).note == "for A"

    def test_a_name_is_taken_once(self, store: WalletStore) -> None:
        """What it says already stays."""
        with pytest.raises(AlreadyKept, match="condition default"):
            store.conditions.add(DEFAULT_NAME, parse_condition("has place").text)
        assert store.conditions.entry(DEFAULT_NAME).text == DEFAULT_TEXT

    def test_what_was_removed_stays_removed(self, store: WalletStore, tmp_path: Path) -> None:
        """The default condition too, when the wallet is opened again."""
        store.conditions.remove(DEFAULT_NAME)
        with WalletStore.open(tmp_path, NoPassphrase()) as opened:
            assert opened.conditions.entries() == []
            opened.conditions.add(DEFAULT_NAME, parse_condition("has place").text)

    def test_what_a_condition_says_is_sealed(self, store: WalletStore, tmp_path: Path) -> None:
        """Name, text and note."""
        store.conditions.add(CINEMA, parse_condition("name is Chushingura").text, note="a whisper")
        found = everything_in(tmp_path)
        assert [text for text in (b"cinema", b"Chushingura", b"whisper") if text in found] == []


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        pytest.param(lambda store: store.values.get(ValueId("v-?")), UnknownValue, id="get a value"),
        pytest.param(lambda store: store.values.summary(ValueId("v-?")), UnknownValue, id="its summary"),
        pytest.param(lambda store: store.values.remove(ValueId("v-?")), UnknownValue, id="remove a value"),
        pytest.param(lambda store: store.values.link(ValueId("v-?"), "r"), UnknownValue, id="link a value"),
        pytest.param(
            lambda store: store.values.replace(ValueId("v-?"), FULL_VALUE), UnknownValue, id="replace a value"
        ),
        pytest.param(lambda store: store.receipts.get("?"), UnknownReceipt, id="get a receipt"),
        pytest.param(lambda store: store.receipts.entry("?"), UnknownReceipt, id="its entry"),
        pytest.param(lambda store: store.receipts.delete("?"), UnknownReceipt, id="delete a receipt"),
        pytest.param(lambda store: store.deletions.get("?"), UnknownDeletion, id="get a deletion"),
        pytest.param(lambda store: store.journal.body("?"), UnknownOperation, id="an operation's body"),
        pytest.param(lambda store: store.journal.update("?", step="x"), UnknownOperation, id="update one"),
        pytest.param(lambda store: store.journal.delete("?"), UnknownOperation, id="delete one"),
        pytest.param(lambda store: store.outbox.get("?", bytes(16)), UnknownDelivery, id="get a delivery"),
        pytest.param(lambda store: store.outbox.delete("?", bytes(16)), UnknownDelivery, id="delete one"),
        pytest.param(lambda store: store.keys.get("?"), UnknownSecret, id="get a secret"),
        pytest.param(lambda store: store.keys.delete("?"), UnknownSecret, id="delete a secret"),
        pytest.param(lambda store: store.conditions.entry("?"), UnknownCondition, id="get a condition"),
        pytest.param(
            lambda store: store.conditions.replace("?", DEFAULT_TEXT), UnknownCondition, id="change one"
        ),
        pytest.param(lambda store: store.conditions.remove("?"), UnknownCondition, id="remove one"),
    ],
)
def test_what_is_not_kept_has_its_own_error(store: WalletStore, ask: object, error: type[NotKept]) -> None:
    """With a sentence and a next step."""
    assert callable(ask)
    with pytest.raises(error) as unknown:
        ask(store)
    assert "?" in str(unknown.value)
    assert unknown.value.hint
