"""The third embodiment: what is sealed goes to some safes, its key to others; neither side reads anything.

The steps are those of the second embodiment, (1-1) to (1-16) and (2-1) to (2-15), with the key of (3-1) to
(3-11) registered elsewhere. The policy is `apart`; a policy from a file makes it the source's two safes.
"""

import asyncio
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.faults import reopened
from support.forked import KuraForked
from support.kura import KuraInProcess
from support.steps import Readers, add_policy, add_ticket, certificates_of, exported, kept_at
from wallet_client.operations.key_backup import back_up_key
from wallet_client.operations.keys import forget_key, recover_key
from wallet_client.operations.recover import recover
from wallet_client.receipts.receipt import ReceiptId

VALUES, KEYS = ("safe-1", "safe-2", "safe-3"), ("safe-4", "safe-5")
"""The two sides of five safes under `apart`."""

TWO_SAFES = """
    name = "two-safes"
    value = {k = 1, at = ["safe-2"]}
    key = {k = 1, at = ["safe-5"]}
"""
KEY_ELSEWHERE = """
    name = "key-elsewhere"
    sealing = "none"
    value = {k = 1, at = ["safe-5"]}
"""
"""The decoding key itself, as it is, at the safe that has no value (3-1)."""


def test_a_value_and_its_key_are_registered_at_different_safes_and_brought_back(
    kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """(1-1) to (1-16), each side certifies what it has; (2-1) to (2-15) with one safe left on each side."""
    add_ticket(here)
    before = exported(here, tmp_path / "before.json")

    (receipt,) = kura.json("backup", "Rashomon", "--policy", "apart", "--delete")["receipts"]

    assert receipt["state"] == "safe"
    certificates = certificates_of(here, receipt["id"])
    assert [one["safe"] for one in certificates] == [*VALUES, *KEYS]
    item_id = certificates[0]["item_id"]
    kept = {x: kept_at(cluster, name, item_id) for x, name in enumerate((*VALUES, *KEYS), start=1)}
    assert kept == {x: [(x, x <= len(VALUES), x > len(VALUES))] for x in kept}
    cluster.kill("safe-1", "safe-3", "safe-5")
    done = kura.ok("recover", receipt["id"])
    assert exported(here, tmp_path / "after.json") == before
    assert "Warning: safe-5:" in done.messages


def test_only_operators_of_both_sides_together_read_anything(
    here: KuraInProcess, cluster: LocalCluster
) -> None:
    """The attacker with all stores of a side reads nothing; its twin with one safe of each reads all."""
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", "apart")
    readers = Readers.of(cluster, here)
    assert readers.read(*VALUES) == []
    assert readers.read(*KEYS) == []
    for names in ((value, other) for value in VALUES for other in KEYS):
        assert readers.read(*names) == ["Rashomon"]


def test_the_two_safes_of_the_source_need_each_other(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """One for the value, one for the key: without either nothing is recovered, and it is named."""
    add_policy(here, tmp_path, TWO_SAFES)
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", "two-safes", "--delete")
    readers = Readers.of(cluster, here)
    assert readers.read("safe-2") == readers.read("safe-5") == []
    assert readers.read("safe-2", "safe-5") == ["Rashomon"]
    cluster.stop("safe-5")
    stopped = here("recover", "Rashomon")
    assert (stopped.code, stopped.output) == (1, "")
    assert "safe-5: " in stopped.messages
    cluster.start("safe-5")
    assert len(here.json("recover", "Rashomon")["values"]) == 1


def test_a_key_of_the_wallet_goes_to_another_safe_than_what_it_seals(
    here: KuraInProcess, tmp_path: Path
) -> None:
    """(3-1) to (3-11) and (4-1) to (4-14): a certificate of class key, from the safe that has no value."""
    add_policy(here, tmp_path, KEY_ELSEWHERE)
    add_ticket(here)
    (receipt,) = here.json("backup", "Rashomon", "--policy", "sealed", "--delete")["receipts"]

    async def register_the_key_and_forget_it() -> None:
        async with reopened(here.home) as wallet:
            (key,) = wallet.store.keyring.entries()
            await back_up_key(wallet, key.id, "key-elsewhere")
            await forget_key(wallet, key.id)

    async def bring_both_back() -> None:
        async with reopened(here.home) as wallet:
            (key,) = wallet.store.keyring.entries()
            await recover_key(wallet, key.id)
            await recover(wallet, [ReceiptId(receipt["id"])])

    asyncio.run(register_the_key_and_forget_it())
    of_key = next(one for one in here.json("receipts")["receipts"] if one["kind"] == "key")
    classes = [certificates_of(here, one)[0] for one in (receipt["id"], of_key["id"])]
    assert [(one["class"], one["safe"]) for one in classes] == [("value", "safe-1"), ("key", "safe-5")]
    assert here("recover", "Rashomon").code == 1
    asyncio.run(bring_both_back())
    assert [one["name"] for one in here.json("wallet", "list")["values"]] == ["Rashomon"]


@pytest.mark.parametrize("at", ['["safe-2"]', '"with-value"'])
def test_a_policy_that_puts_both_at_one_safe_is_refused(at: str, here: KuraInProcess, tmp_path: Path) -> None:
    """Unless it says in so many words that one safe may read everything."""
    file = tmp_path / "together.toml"
    file.write_text(f'name = "together"\nvalue = {{k = 1, at = ["safe-2"]}}\nkey = {{k = 1, at = {at}}}\n')
    refused = here("policy", "add", file)
    assert (refused.code, refused.output) == (1, "")
    assert "accept-single-safe" in refused.messages
