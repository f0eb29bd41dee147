"""Which key seals a batch or opens one: named, made, derived or fetched; and what is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support.memory_safes import MemorySafes, check_books, opened
from support.odd_policies import policy
from support.sample_documents import draw, scalar
from support.wallet_samples import small_value
from trust.key_algorithm import BUILT_IN, derive_scalar
from trust.policy import KeyRule
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.edit import edit
from wallet_client.operations.errors import KeyNotInWallet, TooFewSafes
from wallet_client.operations.recover import recover
from wallet_client.operations.wallet_keys import KeyFinder, new_key
from wallet_client.pipeline.wrapping import WrappingKey
from wallet_client.policies.errors import PolicyUnfit
from wallet_client.policies.policy import Policy
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage.errors import KeyAway, UnknownAlgorithm, UnknownKey
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

VALUE = small_value("a value", payload=b"content")
NEW = small_value("a value", payload=b"other content")
ROOT = draw("root", 32)


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet."""
    async with opened(folder, safes) as made:
        yield made


def under(mode: str, **fields: Any) -> Policy:
    """A policy whose key is the wallet's in this way."""
    shares = (3, 5) if mode == "kept-and-shared" else (0, 0)
    return policy(mode, key=KeyRule(mode, *shares), **fields)  # type: ignore[arg-type]


async def backed_up(wallet: Wallet, name: str) -> tuple[ValueId, ReceiptId]:
    """The value, in the wallet and at all safes."""
    value_id = wallet.store.values.add(VALUE)
    (entry,) = (await back_up(wallet, [value_id], name)).entries
    return value_id, entry.receipt_id


async def away(wallet: Wallet, name: str) -> ReceiptId:
    """The value at all safes and not in the wallet."""
    value_id, receipt_id = await backed_up(wallet, name)
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    return receipt_id


def check_root_is_away(wallet: Wallet) -> None:
    """Its entry is there, and it is not."""
    (root,) = wallet.store.keyring.entries()
    assert (root.kind, root.is_here) == ("root", False)


@pytest.mark.parametrize("mode", ["none", "shared"])
async def test_a_policy_whose_key_is_not_the_wallets_asks_for_none(wallet: Wallet, mode: str) -> None:
    """And none is made."""
    one = policy("p") if mode == "shared" else policy("p", sealing="none", key=KeyRule("none"))
    assert await KeyFinder(wallet).for_backup(one) is None
    assert wallet.store.keyring.entries() == []


@pytest.mark.parametrize(
    ("sealing", "name"), [("shared-key", "main"), ("key-pair", "main-pair")], ids=["shared", "pair"]
)
@pytest.mark.parametrize("mode", ["kept", "kept-and-shared"])
async def test_a_key_that_no_policy_names_is_made_once(
    wallet: Wallet, mode: str, sealing: str, name: str
) -> None:
    """Under a plain name, for all policies of its kind."""
    keys = [await KeyFinder(wallet).for_backup(under(mode, sealing=sealing)) for _ in range(2)]
    assert keys[0] == keys[1]
    assert [entry.name for entry in wallet.store.keyring.entries()] == [name]


async def test_a_named_key_is_used_and_no_other(wallet: Wallet) -> None:
    """Though there is the one that is made for those that name none."""
    await KeyFinder(wallet).for_backup(under("kept"))
    office = new_key(wallet, "shared", "office")
    key = await KeyFinder(wallet).for_backup(under("kept", key_name="office"))
    assert key is not None
    assert key.key_id == office.key_id


async def test_a_named_key_that_there_is_not_is_not_made(wallet: Wallet) -> None:
    """A misspelt name must not seal under a fresh key."""
    with pytest.raises(UnknownKey) as caught:
        await KeyFinder(wallet).for_backup(under("kept", key_name="ofice"))
    assert caught.value.text == "ofice"
    assert wallet.store.keyring.entries() == []


@pytest.mark.parametrize(
    ("kind", "sealing", "wanted"),
    [("shared", "key-pair", "pair"), ("pair", "shared-key", "shared"), ("root", "shared-key", "shared")],
)
async def test_a_named_key_of_another_kind_is_refused(
    wallet: Wallet, kind: Any, sealing: str, wanted: str
) -> None:
    """A root seals nothing itself, either."""
    new_key(wallet, kind, "office")
    with pytest.raises(PolicyUnfit, match=f"the key office is no {wanted} key"):
        await KeyFinder(wallet).for_backup(under("kept", sealing=sealing, key_name="office"))


@pytest.mark.parametrize(
    ("mode", "sealing", "seals"),
    [
        ("kept", "shared-key", False),
        ("kept", "key-pair", True),
        ("kept-and-shared", "shared-key", False),
        ("kept-and-shared", "key-pair", False),
    ],
)
async def test_a_key_that_is_away_seals_only_as_a_pair_that_is_not_dealt(
    wallet: Wallet, mode: str, sealing: str, seals: bool
) -> None:
    """Its public half is enough to seal, not to make shares of it."""
    one = under(mode, sealing=sealing)
    await KeyFinder(wallet).for_backup(one)
    (entry,) = wallet.store.keyring.entries()
    wallet.store.keyring.send_away(entry.id)
    if seals:
        key = await KeyFinder(wallet).for_backup(one)
        assert key is not None
        assert (key.public, key.scalar) == (entry.public, None)
    else:
        with pytest.raises(KeyAway) as caught:
            await KeyFinder(wallet).for_backup(one)
        assert caught.value.name == entry.name


@pytest.mark.parametrize(("sealing", "kind"), [("shared-key", "shared"), ("key-pair", "pair")])
async def test_a_key_comes_from_the_root_and_is_not_kept(wallet: Wallet, sealing: str, kind: Any) -> None:
    """By the algorithm that is built in; the root is drawn where there never was one."""
    key = await KeyFinder(wallet).for_backup(under("root", sealing=sealing))
    (entry,) = wallet.store.keyring.entries()
    root = wallet.store.keyring.secret(entry.id).reveal()
    assert (entry.kind, entry.name) == ("root", "root")
    assert key == WrappingKey.of(kind, derive_scalar(BUILT_IN, root), BUILT_IN.label)


async def test_an_algorithm_that_was_not_brought_makes_nothing(wallet: Wallet) -> None:
    """Not even a root."""
    with pytest.raises(UnknownAlgorithm) as caught:
        await KeyFinder(wallet).for_backup(under("root", algorithm="own-hkdf/2"))
    assert caught.value.text == "own-hkdf/2"
    assert wallet.store.keyring.entries() == []


@pytest.mark.parametrize("name", ["threshold", "plain", "apart"])
async def test_what_is_sealed_under_no_key_of_the_wallet_needs_none_to_open(
    wallet: Wallet, name: str
) -> None:
    """Its key, if any, comes from the safes."""
    _, receipt_id = await backed_up(wallet, name)
    manifest = get_receipt(wallet.store, receipt_id).read_manifest()
    assert await KeyFinder(wallet).for_recovery(manifest) is None


async def test_another_root_opens_nothing_and_no_safe_is_asked(wallet: Wallet, safes: MemorySafes) -> None:
    """The manifest names the key that the right root gives."""
    receipt_id = await away(wallet, "seed")
    (old,) = wallet.store.keyring.entries()
    wallet.store.keyring.remove(old.id)
    new_key(wallet, "root", "another root")
    calls = [len(safe.calls) for safe in safes]
    with pytest.raises(KeyNotInWallet):
        await recover(wallet, [receipt_id])
    assert [len(safe.calls) for safe in safes] == calls
    assert wallet.store.values.summaries() == []


async def test_without_root_and_without_its_receipt_nothing_is_opened(wallet: Wallet) -> None:
    """And no fresh root is drawn for it."""
    receipt_id = await away(wallet, "seed")
    (old,) = wallet.store.keyring.entries()
    wallet.store.keyring.remove(old.id)
    with pytest.raises(KeyNotInWallet):
        await recover(wallet, [receipt_id])
    assert wallet.store.keyring.entries() == []


async def test_a_root_that_too_few_safes_can_give_back_stops_a_recovery(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """It goes on when they are back, and the root is forgotten again."""
    receipt_id = await away(wallet, "seed")
    safes.take_down(1, 2, 3)
    with pytest.raises(TooFewSafes):
        await recover(wallet, [receipt_id])
    check_root_is_away(wallet)
    safes.take_down(1, 2)
    await recover(wallet, [receipt_id])
    check_root_is_away(wallet)


async def test_a_root_is_fetched_once_for_many_batches(wallet: Wallet, safes: MemorySafes) -> None:
    """Three batches and one request for the root at each safe."""
    with wallet.store.transaction():
        ids = [wallet.store.values.add(small_value(name, payload=bytes(70_000))) for name in "ABC"]
    report = await back_up(wallet, ids, "seed")
    await drop_backed_up(wallet, ids, accept_fewer=False)
    for safe in safes:
        safe.calls.clear()
    await recover(wallet, [entry.receipt_id for entry in report.entries])
    assert max(len(safe.calls) for safe in safes) == 4
    check_root_is_away(wallet)
    check_books(wallet, safes)


async def test_an_edit_seals_under_the_same_key_as_the_backup(wallet: Wallet, safes: MemorySafes) -> None:
    """Also where the root must be fetched for it."""
    value_id, receipt_id = await backed_up(wallet, "seed")
    old = get_receipt(wallet.store, receipt_id).read_manifest().wrap
    await edit(wallet, value_id, NEW)
    new = get_receipt(wallet.store, receipt_id).read_manifest().wrap
    assert old is not None
    assert new is not None
    assert (new.key_id, new.algorithm) == (old.key_id, old.algorithm)
    assert new.sealed != old.sealed
    check_root_is_away(wallet)
    check_books(wallet, safes)


async def test_a_key_made_from_what_came_from_elsewhere_is_that_key(wallet: Wallet) -> None:
    """A scalar and a root alike."""
    shared = new_key(wallet, "shared", "mine", scalar("mine").to_bytes())
    root = new_key(wallet, "root", "root", ROOT)
    assert wallet.store.keyring.secret(shared.id).reveal() == scalar("mine").to_bytes()
    assert wallet.store.keyring.secret(root.id).reveal() == ROOT
    assert await KeyFinder(wallet).root(make=False) == ROOT
