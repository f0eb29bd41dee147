"""Keys in the store: here or away, by name, as a member of an item, and nowhere in the files once away."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from support.sample_documents import ALGORITHM, NOW, draw, scalar
from support.wallet_samples import everything_in, new_wallet
from wallet_client.errors import AlreadyKept, Ambiguous
from wallet_client.operations.wallet_keys import key_entry, read_key
from wallet_client.storage.errors import KeyAway, UnknownKey
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.keyring import KEY_CLASS, KEY_MEDIA_TYPE, KeyEntry, KeyringKind
from wallet_client.storage.secret import Secret
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import ValueId, stored_size

KINDS: list[KeyringKind] = ["shared", "pair", "root"]
NOBODY = ValueId("k-nobody")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[WalletStore]:
    """An empty wallet."""
    with new_wallet(tmp_path) as opened:
        yield opened


def secret_of(kind: KeyringKind, label: str) -> bytes:
    """A root is any 32 bytes, all else a scalar."""
    return draw(label, 32) if kind == "root" else scalar(label).to_bytes()


def kept(
    store: WalletStore, kind: KeyringKind = "shared", name: str = "main", algorithm: str = ""
) -> KeyEntry:
    """A key of that name, in the wallet."""
    secret = secret_of(kind, name)
    entry = key_entry(kind, name, secret, algorithm, NOW)
    store.keyring.add(entry, Secret(secret))
    return entry


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_kept_with_its_entry(store: WalletStore, kind: KeyringKind) -> None:
    """A pair with its public half; a root is named by a hash, for it has no commitment."""
    entry = kept(store, kind)
    assert store.keyring.entry(entry.id) == entry == store.keyring.named("main")
    assert store.keyring.secret(entry.id) == Secret(secret_of(kind, "main"))
    assert (len(entry.key_id), len(entry.public)) == (32, 32 if kind == "pair" else 0)
    assert store.keyring.has(entry.id)


def test_one_key_has_one_entry(store: WalletStore) -> None:
    """Also under another name."""
    entry = kept(store)
    with pytest.raises(AlreadyKept):
        store.keyring.add(msgspec.structs.replace(entry, name="other"), Secret(bytes(32)))
    assert store.keyring.entries() == [entry]


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_was_sent_away_leaves_its_entry(store: WalletStore, kind: KeyringKind) -> None:
    """Name, key id, public half and receipt stay; the secret is nowhere."""
    entry = kept(store, kind)
    store.keyring.link_known(store.keyring.summary(entry.id), "r-1")
    store.keyring.send_away(entry.id)
    assert store.keyring.entry(entry.id) == msgspec.structs.replace(entry, is_here=False, receipt_id="r-1")
    assert not store.keyring.has(entry.id)
    for ask in (store.keyring.secret, store.keyring.get):
        with pytest.raises(KeyAway) as caught:
            ask(entry.id)
        assert caught.value.name == "main"


def test_a_key_that_came_back_keeps_what_its_entry_said(store: WalletStore) -> None:
    """The name it has here, and the receipt it has now; it stays from then on."""
    entry = kept(store)
    store.keyring.link_known(store.keyring.summary(entry.id), "r-2")
    store.keyring.send_away(entry.id)
    secret = secret_of("shared", "main")
    store.keyring.bring_back(key_entry("shared", "an old name", secret, "", NOW - 1), Secret(secret))
    back = store.keyring.entry(entry.id)
    assert (back.name, back.receipt_id, back.is_here, back.stays) == ("main", "r-2", True, True)
    assert store.keyring.secret(entry.id) == Secret(secret)


def test_a_key_that_the_wallet_forgot_entirely_comes_back_as_it_was_backed_up(store: WalletStore) -> None:
    """With the name it had then."""
    secret = secret_of("pair", "main")
    entry = key_entry("pair", "main", secret, "", NOW)
    store.keyring.bring_back(entry, Secret(secret))
    assert store.keyring.entry(entry.id) == msgspec.structs.replace(entry, stays=True)


def test_nothing_of_a_key_can_be_read_from_the_files(tmp_path: Path, store: WalletStore) -> None:
    """Neither the secret nor what names it; nor when it is away."""
    entry = kept(store, name="a name to be seen")
    for _ in range(2):
        content = everything_in(tmp_path)
        for shown in (secret_of("shared", "a name to be seen"), entry.key_id, entry.name.encode()):
            assert shown not in content
        store.keyring.send_away(entry.id)


def test_keys_are_there_when_the_wallet_is_opened_again(tmp_path: Path) -> None:
    """Those that are here and those that are away, in the order in which they came."""
    with new_wallet(tmp_path) as store:
        entries = [kept(store, kind, f"my {kind}") for kind in KINDS]
        store.keyring.send_away(entries[1].id)
        store.keyring.add_algorithm(ALGORITHM)
    with WalletStore.open(tmp_path, NoPassphrase()) as store:
        assert [entry.name for entry in store.keyring.entries()] == ["my shared", "my pair", "my root"]
        assert [entry.is_here for entry in store.keyring.entries()] == [True, False, True]
        assert store.keyring.algorithms() == [ALGORITHM]


@pytest.mark.parametrize("kind", KINDS)
def test_to_a_backup_a_key_is_a_value_of_class_key(store: WalletStore, kind: KeyringKind) -> None:
    """Its kind in words, its name, and the document that brings it back."""
    entry = kept(store, kind, algorithm="" if kind == "root" else ALGORITHM.label)
    value = store.keyring.get(entry.id)
    assert (value.item_class, value.name, value.media_type) == (KEY_CLASS, "main", KEY_MEDIA_TYPE)
    assert read_key(value) == (entry, Secret(secret_of(kind, "main")), ())
    summary = store.keyring.summary(entry.id)
    assert (summary.id, summary.item_class, summary.name) == (entry.id, KEY_CLASS, "main")


def test_a_root_takes_the_brought_algorithms_along_and_no_other_key_does(store: WalletStore) -> None:
    """So that it is of use alone."""
    store.keyring.add_algorithm(ALGORITHM)
    assert read_key(store.keyring.get(kept(store, "root", "root").id))[2] == (ALGORITHM,)
    assert read_key(store.keyring.get(kept(store, "shared", "main").id))[2] == ()


def test_keys_take_no_room_of_the_values(store: WalletStore) -> None:
    """The capacity is for values."""
    entry = kept(store)
    assert store.usage().used == 0
    assert stored_size(store.keyring.get(entry.id)) > 0


def test_a_key_is_found_as_people_name_it(store: WalletStore) -> None:
    """By its name, its id, or the id's beginning; not by what fits two."""
    first, second = kept(store, name="first"), kept(store, name="second")
    assert store.keyring.find("first") == store.keyring.find(first.id) == first.id
    assert store.keyring.find(second.id[:6]) == second.id
    with pytest.raises(Ambiguous):
        store.keyring.find("k-")
    with pytest.raises(UnknownKey):
        store.keyring.find("third")
    assert store.keyring.named("third") is None


def test_a_key_that_is_not_kept_is_unknown(store: WalletStore) -> None:
    """To every question but whether it is here."""
    ring = store.keyring
    assert not ring.has(NOBODY)
    for ask in (ring.entry, ring.secret, ring.summary, ring.get, ring.send_away, ring.remove):
        with pytest.raises(UnknownKey):
            ask(NOBODY)


def test_neither_entry_nor_document_prints_a_secret(store: WalletStore) -> None:
    """An entry has none; the document is sealed as a payload."""
    entry = kept(store)
    secret = secret_of("shared", "main")
    assert secret.hex() not in repr(entry)
    assert repr(secret)[2:-1] not in repr(store.keyring.get(entry.id))
