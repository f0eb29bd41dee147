"""Keys of a wallet: made, taken in, backed up, brought back, forgotten, and what is refused on the way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from support.memory_safes import MemorySafes, check_books, opened
from support.sample_documents import draw
from support.wallet_samples import FULL_VALUE
from threshold.ristretto import Scalar
from trust.certificate import Certificate
from trust.policy import Division, KeyRule
from wallet_client.errors import AlreadyKept
from wallet_client.operations.backup import back_up, drop_backed_up, find_root
from wallet_client.operations.errors import (
    KeyLost,
    KeyNotInWallet,
    KeyNotSafe,
    KeyPiecesWaitHere,
    KeyUnderItself,
    TooFewSafes,
)
from wallet_client.operations.forget import forget
from wallet_client.operations.key_backup import back_up_key
from wallet_client.operations.keys import (
    forget_key,
    make_key,
    recover_from_root,
    recover_key,
    secret_of_material,
)
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.policies.policy import Policy
from wallet_client.policies.presets import policy_named
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt, read_summary, update_receipt
from wallet_client.storage.errors import KeyAway, KeyNameRefused, SecondRoot, UnknownAlgorithm, UnknownKey
from wallet_client.storage.keyring import KeyEntry, KeyringKind
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet


def policy(name: str, **fields: object) -> Policy:
    """A policy whose key is the wallet's, changed."""
    plain: dict[str, object] = {
        "summary": "For a test.",
        "sealing": "shared-key",
        "value": Division("shamir", 3, 5),
        "key": KeyRule("kept"),
        "digest": "sealed",
    }
    return Policy(name=name, **(plain | fields))  # type: ignore[arg-type]


ODD = {
    one.name: one
    for one in (
        policy("under-a", key_name="a"),
        policy("under-b", key_name="b"),
        policy("kept-and-divided", key=KeyRule("kept-and-shared", 3, 5)),
        policy("pair-from-root", sealing="key-pair", key=KeyRule("root")),
        policy("odd-algorithm", key=KeyRule("root"), algorithm="nobodys/1"),
        policy(
            "copies", sealing="none", key=KeyRule("none"), value=Division("shamir", 1, 5), digest="vacant"
        ),
    )
}


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet that knows a few more policies."""
    async with opened(folder, safes) as made:
        made.policy = lambda name: ODD.get(name) or policy_named(name, made.roster)  # type: ignore[method-assign]
        yield made


def entry_of(wallet: Wallet, name: str) -> KeyEntry:
    """A key as it stands now."""
    entry = wallet.store.keyring.named(name)
    assert entry is not None
    return entry


async def sealed_value(wallet: Wallet, policy_name: str) -> ReceiptId:
    """A value that is at the safes and nowhere else."""
    value_id = wallet.store.values.add(FULL_VALUE)
    report = await back_up(wallet, [value_id], policy_name)
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    return report.entries[0].receipt_id


async def safe_key(wallet: Wallet, name: str, kind: KeyringKind = "shared") -> KeyEntry:
    """A new key that all safes have."""
    entry = await make_key(wallet, kind, name)
    report = await back_up_key(wallet, entry.id, "threshold")
    assert report.entries[0].state.word == "safe"
    return entry_of(wallet, name)


@pytest.mark.parametrize("kind", ["shared", "pair", "root"])
@pytest.mark.parametrize("policy_name", ["threshold", "compact", "coupled", "apart", "plain", "sealed"])
async def test_a_key_comes_back_from_the_safes_as_it_was(
    wallet: Wallet, safes: MemorySafes, kind: KeyringKind, policy_name: str
) -> None:
    """Under any policy, with certificates of class `key`; two safes may be gone where the policy says so."""
    entry = await make_key(wallet, kind, "mine")
    secret = wallet.store.keyring.secret(entry.id).reveal()
    report = await back_up_key(wallet, entry.id, policy_name)
    await forget_key(wallet, entry.id)
    receipt = get_receipt(wallet.store, report.entries[0].receipt_id)
    assert {Certificate.from_bytes(one.certificate).kind for one in receipt.certificates} == {"key"}
    assert (receipt.kind, receipt.value_ids) == ("key", (entry.id,))
    with pytest.raises(KeyAway):
        wallet.store.keyring.secret(entry.id)
    if policy_name in ("threshold", "compact", "coupled"):
        safes.take_down(1, 4)
    recovered = await recover_key(wallet, entry.id)
    assert recovered.recovered == (entry.id,)
    assert wallet.store.keyring.secret(entry.id).reveal() == secret
    assert (entry_of(wallet, "mine").public, entry_of(wallet, "mine").key_id) == (entry.public, entry.key_id)
    check_books(wallet, safes)


async def test_a_receipt_of_a_key_is_told_apart_from_those_of_values(wallet: Wallet) -> None:
    """By its kind, and in lists by its class."""
    await safe_key(wallet, "mine")
    await sealed_value(wallet, "threshold")
    summaries = [read_summary(entry) for entry in wallet.store.receipts.entries()]
    assert [(one.kind, one.fields.item_class) for one in summaries] == [
        ("key", "key"),
        ("value", FULL_VALUE.item_class),
    ]


async def test_a_key_that_is_registered_stays_as_it_is(wallet: Wallet, safes: MemorySafes) -> None:
    """Even while it is away; under another policy it becomes a new generation of its item."""
    entry = await safe_key(wallet, "mine")
    await forget_key(wallet, entry.id)
    again = await back_up_key(wallet, entry.id, "threshold")
    assert again.entries[0].already
    with pytest.raises(KeyAway, match="`kura key recover mine`"):
        await back_up_key(wallet, entry.id, "apart")
    await recover_key(wallet, entry.id)
    moved = await back_up_key(wallet, entry.id, "apart")
    assert moved.entries[0].receipt_id == again.entries[0].receipt_id
    assert get_receipt(wallet.store, moved.entries[0].receipt_id).read_leaf().generation == 2
    check_books(wallet, safes)


async def test_a_key_that_lost_a_piece_is_registered_anew(wallet: Wallet, safes: MemorySafes) -> None:
    """As a value would be."""
    entry = await safe_key(wallet, "mine")
    receipt = get_receipt(wallet.store, ReceiptId(entry.receipt_id or ""))
    update_receipt(wallet.store, receipt.without_pieces({1}))
    report = await back_up_key(wallet, entry.id, "threshold")
    assert not report.entries[0].already
    check_books(wallet, safes)


async def test_a_pair_seals_while_its_decoding_key_is_away(wallet: Wallet, safes: MemorySafes) -> None:
    """Backing up asks for the public half alone; opening says which key is missing, and what helps."""
    pair = await safe_key(wallet, "main-pair", "pair")
    await forget_key(wallet, pair.id)
    receipt_id = await sealed_value(wallet, "sealed-pair")
    calls = [len(safe.calls) for safe in safes]
    with pytest.raises(KeyNotInWallet, match=r"main-pair .* `kura key recover main-pair`"):
        await recover(wallet, [receipt_id])
    assert [len(safe.calls) for safe in safes] == calls
    await recover_key(wallet, pair.id)
    await recover(wallet, [receipt_id])
    assert [wallet.store.values.get(one.id) for one in wallet.store.values.summaries()] == [FULL_VALUE]


async def test_a_shared_key_that_is_away_seals_nothing(wallet: Wallet) -> None:
    """The same key seals and opens."""
    key = await safe_key(wallet, "main")
    await forget_key(wallet, key.id)
    value_id = wallet.store.values.add(FULL_VALUE)
    with pytest.raises(KeyAway, match="`kura key recover main`"):
        await back_up(wallet, [value_id], "sealed")


async def test_what_divides_a_key_restores_it_with_the_value(wallet: Wallet) -> None:
    """A policy keeps and divides the key; forgotten, it is in the keyring again once a value is back [E6]."""
    key = await safe_key(wallet, "main")
    secret = wallet.store.keyring.secret(key.id).reveal()
    receipt_id = await sealed_value(wallet, "kept-and-divided")
    await forget_key(wallet, key.id)
    await recover(wallet, [receipt_id])
    assert wallet.store.keyring.secret(key.id).reveal() == secret
    assert entry_of(wallet, "main").receipt_id == key.receipt_id


@pytest.mark.parametrize(
    ("name", "backed_up", "policy_name"),
    [
        pytest.param("main", (), "sealed", id="a key under itself"),
        pytest.param("main", (), "kept-and-divided", id="a key under itself, although it is divided as well"),
        pytest.param("a", (("b", "under-a"),), "under-b", id="a key under one that lies under it"),
        pytest.param("root", (), "seed", id="the root under what comes from it"),
        pytest.param("root", (("a", "seed"),), "under-a", id="the root under a key that lies under the root"),
    ],
)
async def test_a_key_is_never_sealed_under_itself(
    wallet: Wallet, name: str, backed_up: tuple[tuple[str, str], ...], policy_name: str
) -> None:
    """Not even by a detour: no order of recoveries would bring either back."""
    for one in dict.fromkeys((name, *(other for other, _ in backed_up))):
        await make_key(wallet, "root" if one == "root" else "shared", one)
    for other, under in backed_up:
        await back_up_key(wallet, entry_of(wallet, other).id, under)
    before = wallet.store.receipts.entries()
    with pytest.raises(KeyUnderItself) as refused:
        await back_up_key(wallet, entry_of(wallet, name).id, policy_name)
    assert (refused.value.name, refused.value.policy) == (name, policy_name)
    assert wallet.store.receipts.entries() == before


async def test_a_stored_derived_key_is_not_sealed_under_itself(wallet: Wallet) -> None:
    """Under the pair that comes from the same root it may lie."""
    await make_key(wallet, "root", "root")
    entry = await recover_from_root(wallet, "shared", "derived")
    with pytest.raises(KeyUnderItself):
        await back_up_key(wallet, entry.id, "seed")
    await back_up_key(wallet, entry.id, "pair-from-root")


async def test_keys_in_a_row_are_no_circle(wallet: Wallet) -> None:
    """`b` under `a`, and `a` divided; or `a` under a key that is not backed up at all."""
    for name in ("a", "b"):
        await make_key(wallet, "shared", name)
    await back_up_key(wallet, entry_of(wallet, "b").id, "under-a")
    await back_up_key(wallet, entry_of(wallet, "a").id, "threshold")
    await forget_key(wallet, entry_of(wallet, "a").id)
    await forget_key(wallet, entry_of(wallet, "b").id)
    with pytest.raises(KeyNotInWallet, match="`kura key recover a`"):
        await recover_key(wallet, entry_of(wallet, "b").id)
    await recover_key(wallet, entry_of(wallet, "a").id)
    await recover_key(wallet, entry_of(wallet, "b").id)
    assert entry_of(wallet, "b").is_here


async def test_a_key_that_is_nowhere_else_is_not_forgotten(wallet: Wallet) -> None:
    """Unless it is to be lost; then its entry goes too, so that nothing more is sealed to half a pair."""
    entry = await make_key(wallet, "pair", "main-pair")
    with pytest.raises(KeyNotSafe, match="backed up nowhere"):
        await forget_key(wallet, entry.id)
    assert entry_of(wallet, "main-pair").is_here
    forgotten = await forget_key(wallet, entry.id, lose=True)
    assert not forgotten.entry_stays
    assert wallet.store.keyring.entries() == []
    await sealed_value(wallet, "sealed-pair")
    assert entry_of(wallet, "main-pair").key_id != entry.key_id


async def test_a_key_that_not_all_safes_have_is_forgotten_only_to_be_lost(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """The safe is named; the entry stays, since the others bring the key back."""
    safes.take_down(2)
    entry = await make_key(wallet, "shared", "mine")
    await back_up_key(wallet, entry.id, "threshold")
    with pytest.raises(KeyNotSafe, match="safe-2 did not take it yet"):
        await forget_key(wallet, entry.id)
    assert (await forget_key(wallet, entry.id, lose=True)).entry_stays
    assert (await recover_key(wallet, entry.id)).recovered == (entry.id,)
    safes.take_down()
    await resume(wallet)
    await forget_key(wallet, entry.id)


async def test_a_key_that_waits_in_the_outbox_would_not_be_lost(wallet: Wallet, safes: MemorySafes) -> None:
    """Whole copies: the piece that is owed to one safe is the key."""
    safes.take_down(5)
    entry = await make_key(wallet, "shared", "mine")
    await back_up_key(wallet, entry.id, "copies")
    for lose in (False, True):
        with pytest.raises(KeyPiecesWaitHere, match="safe-5"):
            await forget_key(wallet, entry.id, lose=lose)
    assert entry_of(wallet, "mine").is_here


async def test_a_certificate_that_does_not_hold_keeps_the_key_here(wallet: Wallet) -> None:
    """The receipt is verified before the wallet relies on it."""
    entry = await safe_key(wallet, "mine")
    receipt = get_receipt(wallet.store, ReceiptId(entry.receipt_id or ""))
    first, second, *others = receipt.certificates
    swapped = replace(first, signature=second.signature)
    forged = replace(receipt, certificates=(swapped, second, *others))
    update_receipt(wallet.store, forged)
    name = wallet.safe_name(first.read().safe_id)
    with pytest.raises(KeyNotSafe, match=f"the certificate of {name} does not hold"):
        await forget_key(wallet, entry.id)


async def test_a_key_without_its_receipt_is_lost_and_says_so(wallet: Wallet) -> None:
    """Somebody deleted the receipt while the key was away."""
    entry = await safe_key(wallet, "mine")
    await forget_key(wallet, entry.id)
    await forget(wallet, [ReceiptId(entry.receipt_id or "")])
    with pytest.raises(KeyLost):
        await recover_key(wallet, entry.id)


async def test_too_few_safes_keep_a_key_away(wallet: Wallet, safes: MemorySafes) -> None:
    """It comes back when they do."""
    entry = await safe_key(wallet, "mine")
    await forget_key(wallet, entry.id)
    safes.take_down(1, 2, 3)
    with pytest.raises(TooFewSafes):
        await recover_key(wallet, entry.id)
    safes.take_down(1, 2)
    await recover_key(wallet, entry.id)


@pytest.mark.parametrize("name", ["", "k-abc", "a b", "ä", "-a", "x" * 65, "a\n", "../a"])
async def test_a_key_has_a_plain_name(wallet: Wallet, name: str) -> None:
    """One that a command line and a policy file can say, and that is no id."""
    with pytest.raises(KeyNameRefused):
        await make_key(wallet, "shared", name)


async def test_names_keys_and_roots_are_not_taken_twice(wallet: Wallet) -> None:
    """What is there stays."""
    secret = secret_of_material("pair", bytes(32))
    await make_key(wallet, "pair", "one", secret)
    await make_key(wallet, "root", "root")
    before = wallet.store.keyring.entries()
    with pytest.raises(AlreadyKept, match="key one already"):
        await make_key(wallet, "shared", "one")
    with pytest.raises(AlreadyKept):
        await make_key(wallet, "pair", "two", secret)
    with pytest.raises(SecondRoot, match="root already: root"):
        await make_key(wallet, "root", "other")
    assert wallet.store.keyring.entries() == before


async def test_an_unknown_key_is_neither_backed_up_nor_brought_back_nor_forgotten(wallet: Wallet) -> None:
    """Each says so."""
    nobody = ValueId("k-aaaaaaaaaa")
    with pytest.raises(UnknownKey):
        await back_up_key(wallet, nobody, "threshold")
    with pytest.raises(UnknownKey):
        await recover_key(wallet, nobody)
    with pytest.raises(UnknownKey):
        await forget_key(wallet, nobody, lose=True)


def test_the_same_material_gives_the_same_key() -> None:
    """And another kind of key, or one byte more, gives another."""
    material = draw("material", 50)
    made = secret_of_material("shared", material)
    assert made == secret_of_material("shared", material)
    assert made == Scalar.from_bytes(made).to_bytes()
    others = {secret_of_material("pair", material), secret_of_material("shared", material + b"\n")}
    assert made not in others
    assert len(others) == 2


@pytest.mark.parametrize("form", ["raw", "hex", "hex and a line's end"])
def test_a_root_is_taken_as_it_is(form: str) -> None:
    """32 bytes, or 64 digits."""
    root = draw("root", 32)
    content = {"raw": root, "hex": root.hex().encode(), "hex and a line's end": root.hex().encode() + b"\n"}[
        form
    ]
    assert secret_of_material("root", content) == root


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("shared", bytes(31)),
        ("pair", b""),
        ("shared", bytes(1_048_577)),
        ("root", bytes(31)),
        ("root", bytes(33)),
        ("root", b"g" * 64),
        ("root", b"0" * 63),
    ],
)
def test_what_is_no_key_material_is_refused_without_showing_it(kind: KeyringKind, content: bytes) -> None:
    """The sentence gives lengths alone."""
    with pytest.raises(ValueError, match="bytes") as refused:
        secret_of_material(kind, content)
    assert "ggg" not in str(refused.value)


async def test_a_derived_key_may_be_stored_and_then_opens_without_the_root(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Automatic use forgets it; `recover_from_root` keeps it, until it is forgotten again [E7]."""
    receipt_id = await sealed_value(wallet, "seed")
    root = find_root(wallet)
    assert root is not None
    assert not root.is_here
    assert [one.kind for one in wallet.store.keyring.entries()] == ["root"]
    derived = await recover_from_root(wallet, "shared", "office")
    assert [one.kind for one in wallet.store.keyring.entries() if one.is_here] == ["shared"]
    lost = get_receipt(wallet.store, ReceiptId(root.receipt_id or "")).read_leaf().item_id
    for safe in safes:
        safe.pieces = {name: piece for name, piece in safe.pieces.items() if name[0] != lost}
    await recover(wallet, [receipt_id])
    assert len(wallet.store.values.summaries()) == 1
    assert (derived.algorithm, derived.name) == ("kura-hkdf/1", "office")


async def test_a_derived_key_is_forgotten_without_a_receipt_and_derived_again(wallet: Wallet) -> None:
    """The root brings it back, as long as the root itself is safe."""
    await make_key(wallet, "root", "root")
    derived = await recover_from_root(wallet, "pair", "office")
    assert (await forget_key(wallet, derived.id)).entry_stays
    assert (await recover_key(wallet, derived.id)).recovered == (derived.id,)
    root = find_root(wallet)
    assert root is not None
    await back_up_key(wallet, root.id, "threshold")
    await forget_key(wallet, derived.id)
    await recover_key(wallet, derived.id)
    assert entry_of(wallet, "office").public == derived.public
    await forget_key(wallet, root.id, lose=True)
    wallet.store.keyring.link_known(wallet.store.keyring.summary(root.id), None)
    with pytest.raises(KeyNotSafe, match="nowhere"):
        await forget_key(wallet, derived.id)


async def test_nothing_is_derived_without_a_root_or_by_an_unknown_algorithm(wallet: Wallet) -> None:
    """Nor does asking make a root."""
    with pytest.raises(UnknownKey):
        await recover_from_root(wallet, "shared", "office")
    assert wallet.store.keyring.entries() == []
    await make_key(wallet, "root", "root")
    with pytest.raises(UnknownAlgorithm, match="nobodys/1"):
        await recover_from_root(wallet, "shared", "office", "nobodys/1")
    with pytest.raises(KeyNameRefused):
        await recover_from_root(wallet, "shared", "an office")
    value_id = wallet.store.values.add(FULL_VALUE)
    with pytest.raises(UnknownAlgorithm, match="nobodys/1"):
        await back_up(wallet, [value_id], "odd-algorithm")


async def test_deriving_a_key_that_is_stored_leaves_it_under_its_name(wallet: Wallet) -> None:
    """One key has one entry."""
    await make_key(wallet, "root", "root")
    first = await recover_from_root(wallet, "shared", "office")
    assert (await recover_from_root(wallet, "shared", "another")).name == "office"
    assert [one.id for one in wallet.store.keyring.entries() if one.kind == "shared"] == [first.id]
