"""Policies from files in a wallet: added, found, honoured, removed while nothing is backed up under them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.memory_safes import Crash, MemorySafes, check_books, opened, roster_of
from support.wallet_samples import small_value
from wallet_client.errors import AlreadyKept
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.policies import add_policy, remove_policy
from wallet_client.operations.recover import recover
from wallet_client.operations.wallet_keys import new_key
from wallet_client.policies.errors import (
    PolicyBuiltIn,
    PolicyFileInvalid,
    PolicyInUse,
    PolicyUnfit,
    UnknownPolicy,
)
from wallet_client.policies.presets import policy_names
from wallet_client.policies.shelf import all_summaries
from wallet_client.storage.errors import PolicyNotKept
from wallet_client.wallet import Wallet

OFFICE = 'name = "office"\nsummary = "For the office."\n[value]\nn = 4\n'


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet."""
    async with opened(folder, safes) as made:
        yield made


def add(wallet: Wallet, text: str = OFFICE) -> None:
    """Take a policy in."""
    add_policy(wallet.store, text, "office.toml", wallet.roster)


async def test_a_policy_from_a_file_backs_up_like_any_other(wallet: Wallet, safes: MemorySafes) -> None:
    """It is found by its name, and stands behind the others in lists."""
    add(wallet)
    value = small_value("one")
    value_id = wallet.store.values.add(value)
    (entry,) = (await back_up(wallet, [value_id], "office")).entries
    assert len(entry.state.placed) == 5
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    await recover(wallet, [entry.receipt_id])
    assert wallet.store.values.get(value_id) == value
    assert list(all_summaries(wallet.store, wallet.roster)) == [*policy_names(), "office"]
    check_books(wallet, safes)


async def test_a_policy_outlives_the_process(folder: Path, safes: MemorySafes) -> None:
    """It is in the wallet."""
    async with opened(folder, safes) as wallet:
        add(wallet)
        before = wallet.policy("office")
    async with opened(folder, safes) as wallet:
        assert wallet.policy("office") == before


async def test_what_a_file_leaves_out_follows_the_roster(wallet: Wallet) -> None:
    """The text is kept, not what it came to."""
    add(wallet)
    wallet.roster = roster_of(7, 4)
    policy = wallet.policy("office")
    assert (policy.value.k, policy.value.n, policy.key.k, policy.key.n) == (4, 4, 4, 7)


async def test_a_roster_that_shrank_makes_a_policy_unfit(wallet: Wallet) -> None:
    """With the line of its file, and the reason."""
    add(wallet)
    wallet.roster = roster_of(3, 2)
    with pytest.raises(PolicyUnfit, match="line 4 of its file: it needs 4 safes and the roster has 3"):
        wallet.policy("office")


async def test_an_unknown_policy_names_those_from_files_as_well(wallet: Wallet) -> None:
    """So that a slip is seen."""
    add(wallet)
    with pytest.raises(UnknownPolicy) as caught:
        wallet.policy("offcie")
    assert caught.value.known == (*policy_names(), "office")


async def test_a_name_is_taken_once(wallet: Wallet) -> None:
    """The changed policy would pass for the old one wherever a receipt names it."""
    add(wallet)
    with pytest.raises(AlreadyKept, match="a policy office already"):
        add(wallet, OFFICE.replace("n = 4", "n = 5"))
    assert wallet.policy("office").value.n == 4


@pytest.mark.parametrize("name", policy_names())
async def test_no_file_takes_the_name_of_a_built_in_policy(name: str, wallet: Wallet) -> None:
    """It is refused at the line of the name."""
    with pytest.raises(PolicyFileInvalid, match=f"office.toml, line 2: the policy {name!r} is"):
        add(wallet, f'summary = "Mine."\nname = "{name}"')


async def test_a_policy_must_name_a_key_that_the_wallet_has(wallet: Wallet) -> None:
    """And of the kind that its sealing needs."""
    text = 'name = "office"\n[key]\nmode = "kept"\nname = "drawer"'
    with pytest.raises(PolicyFileInvalid, match="line 4: the wallet has no key 'drawer'"):
        add(wallet, text)
    new_key(wallet, "pair", "drawer")
    with pytest.raises(PolicyFileInvalid, match="line 4: the key 'drawer' is of kind pair"):
        add(wallet, text)
    add(wallet, text.replace("[key]", 'sealing = "key-pair"\n[key]'))


async def test_a_policy_under_which_nothing_is_backed_up_can_go(wallet: Wallet) -> None:
    """And its name can be given anew."""
    add(wallet)
    remove_policy(wallet.store, "office")
    with pytest.raises(UnknownPolicy):
        wallet.policy("office")
    add(wallet, OFFICE.replace("n = 4", "n = 5"))


async def test_a_policy_that_receipts_name_stays(wallet: Wallet) -> None:
    """Until those values are backed up otherwise."""
    add(wallet)
    ids = [wallet.store.values.add(small_value(name)) for name in ("one", "two")]
    await back_up(wallet, ids, "office")
    with pytest.raises(PolicyInUse, match="used by 2 receipts") as caught:
        remove_policy(wallet.store, "office")
    assert "another name" in caught.value.hint
    await back_up(wallet, ids, "threshold")
    remove_policy(wallet.store, "office")


async def test_a_policy_that_a_begun_backup_names_stays(folder: Path, safes: MemorySafes) -> None:
    """It will have receipts once the journal is settled."""

    def die(step: str) -> None:
        raise Crash

    async with opened(folder, safes) as wallet:
        add(wallet)
        value_id = wallet.store.values.add(small_value("one"))
        safes[1].step = die
        with pytest.raises(Crash):
            await back_up(wallet, [value_id], "office")
    safes.calm_down()
    async with opened(folder, safes) as wallet:
        with pytest.raises(PolicyInUse):
            remove_policy(wallet.store, "office")


async def test_a_built_in_policy_stays(wallet: Wallet) -> None:
    """Every wallet has it."""
    with pytest.raises(PolicyBuiltIn):
        remove_policy(wallet.store, "threshold")


async def test_what_is_not_there_cannot_be_removed(wallet: Wallet) -> None:
    """By any name."""
    with pytest.raises(PolicyNotKept):
        remove_policy(wallet.store, "\udcffoffice")


@pytest.mark.parametrize("said", [None, True, False])
async def test_a_policy_may_have_receipts_deleted_after_recovery(
    said: bool | None, wallet: Wallet, safes: MemorySafes
) -> None:
    """Its own values' alone, and only if nothing else is said."""
    add(wallet, 'name = "once"\n[after]\nrecovery = "delete"')
    once, kept = (wallet.store.values.add(small_value(name)) for name in ("once", "kept"))
    receipts = [
        (await back_up(wallet, [value_id], policy)).entries[0].receipt_id
        for value_id, policy in ((once, "once"), (kept, "threshold"))
    ]
    report = await recover(wallet, receipts, delete_receipts=said)
    forgotten = {None: [once], True: [once, kept], False: []}[said]
    assert list(report.forgotten) == forgotten
    assert len(wallet.store.receipts.entries()) == 2 - len(forgotten)
    check_books(wallet, safes)


async def test_a_receipt_of_a_policy_that_the_wallet_lost_is_kept(wallet: Wallet) -> None:
    """What it said of afterwards is not known any more."""
    add(wallet, 'name = "once"\n[after]\nrecovery = "delete"')
    value_id = wallet.store.values.add(small_value("one"))
    (entry,) = (await back_up(wallet, [value_id], "once")).entries
    wallet.store.policies.remove("once")
    assert (await recover(wallet, [entry.receipt_id], delete_receipts=None)).forgotten == ()
