"""The second embodiment: a value sealed under the wallet's key, and the key itself at the safes.

Steps (1-1) to (1-16) back a value up, (2-1) to (2-15) bring it back, (3-1) to (3-11) back the key up, and
(4-1) to (4-14) bring that back. The policies are `sealed`, under one key, and `sealed-pair`, under a pair.
"""

from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.forked import KuraForked
from support.kura import KuraInProcess
from support.steps import Readers, add_ticket, certificates_of, exported

POLICIES = {"sealed": ("main", "--shared"), "sealed-pair": ("main-pair", "--pair")}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_value_is_sealed_registered_and_brought_back(
    kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, tmp_path: Path, policy: str
) -> None:
    """(1-1) to (1-16) and (2-1) to (2-15): all fields are back, and the safe that has it reads nothing."""
    add_ticket(here)
    before = exported(here, tmp_path / "before.json")
    (listed,) = here.json("wallet", "list")["values"]  # (1-1) to (1-5)

    (receipt,) = kura.json("backup", listed["id"], "--policy", policy, "--delete")["receipts"]  # (1-6) ff.

    assert (receipt["state"], receipt["safes"]) == ("safe", 1)  # (1-14) to (1-16)
    (certificate,) = certificates_of(here, receipt["id"])  # digest, X2, Y2
    assert (certificate["class"], certificate["digest"]["mode"], len(certificate["x"])) == (
        "value",
        "sealed",
        64,
    )
    assert Readers.of(cluster, here).read(*cluster.names) == []
    (standing,) = here.json("receipts")["receipts"]  # (2-1) to (2-5)
    kura.ok("recover", standing["id"])  # (2-6) to (2-15)
    assert exported(here, tmp_path / "after.json") == before


@pytest.mark.parametrize("policy", POLICIES)
def test_the_key_is_registered_erased_and_brought_back(
    kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, policy: str
) -> None:
    """(3-1) to (3-11) and (4-1) to (4-14): a certificate of class `key`, told apart from those of values."""
    name, kind = POLICIES[policy]
    (made,) = here.json("key", "new", name, kind)["keys"]
    value_id = add_ticket(here)
    here.ok("backup", value_id, "--policy", policy, "--delete")

    kura.ok("key", "backup", name)  # (3-1) to (3-11)

    receipts = here.json("receipts")["receipts"]  # (4-1) to (4-5)
    assert sorted((one["class"], one["kind"]) for one in receipts) == [
        ("key", "key"),
        ("movie-ticket", "value"),
    ]
    (of_key,) = [one for one in receipts if one["kind"] == "key"]
    assert {one["class"] for one in certificates_of(here, of_key["id"])} == {"key"}
    here.ok("key", "forget", name)
    (away,) = here.json("key", "list")["keys"]
    assert (away["here"], away["state"], away["public_key"]) == (False, "safe", made["public_key"])
    refused = here("recover", value_id)
    assert (refused.code, refused.output) == (1, "")
    assert f"The key {name} of this item is not in the wallet; `kura key recover {name}`" in refused.messages

    kura.ok("key", "recover", name)  # (4-6) to (4-14)

    (back,) = here.json("key", "list")["keys"]
    assert (back["here"], back["key_id"]) == (True, made["key_id"])
    assert here.json("recover", value_id)["values"][0]["id"] == value_id


def test_with_a_key_pair_backup_goes_on_while_the_decoding_key_is_away(
    here: KuraInProcess, cluster: LocalCluster
) -> None:
    """The public half stays in the wallet; the key comes back although two safes have died."""
    here.ok("key", "new", "main-pair", "--pair")
    here.ok("key", "backup", "main-pair")
    here.ok("key", "forget", "main-pair")
    value_id = add_ticket(here)
    (receipt,) = here.json("backup", value_id, "--policy", "sealed-pair", "--delete")["receipts"]
    (holder,) = {one["safe"] for one in certificates_of(here, receipt["id"])}
    cluster.kill(*[name for name in cluster.names if name != holder][:2])
    here.ok("key", "recover", "main-pair")
    assert here.json("recover", value_id)["values"][0]["name"] == "Rashomon"


@pytest.mark.parametrize("policy", POLICIES)
def test_recovery_stops_when_what_the_safe_returns_is_not_what_was_signed(
    here: KuraInProcess, cluster: LocalCluster, policy: str
) -> None:
    """(2-10) to (2-12): one bit is changed at the safe; it is named, and nothing is decoded."""
    value_id = add_ticket(here)
    (receipt,) = here.json("backup", value_id, "--policy", policy, "--delete")["receipts"]
    (holder,) = {one["safe"] for one in certificates_of(here, receipt["id"])}
    cluster.replace_with_liar(holder, "flip-bit")
    stopped = here("recover", receipt["id"])
    assert (stopped.code, stopped.output) == (1, "")
    assert holder in stopped.messages
    assert here.json("wallet", "list")["values"] == []


def test_a_new_key_takes_the_place_of_an_old_one(here: KuraInProcess, tmp_path: Path) -> None:
    """Keys are obtained, registered and deleted; the same material from outside gives the same key."""
    (tmp_path / "card.key").write_bytes(bytes(range(48)))
    (first,) = here.json("key", "import", "card", tmp_path / "card.key", "--shared")["keys"]
    refused = here("key", "forget", "card")
    assert (refused.code, refused.output) == (1, "")
    assert "--lose" in refused.messages
    assert here.json("key", "forget", "card", "--lose")["lost"] is True
    assert here.json("key", "list")["keys"] == []
    (again,) = here.json("key", "import", "other", tmp_path / "card.key", "--shared")["keys"]
    assert again["key_id"] == first["key_id"]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_key_is_not_sealed_under_itself(here: KuraInProcess, policy: str) -> None:
    """Whoever lost it would need it to get it back."""
    name, kind = POLICIES[policy]
    here.ok("key", "new", name, kind)
    refused = here("key", "backup", name, "--policy", policy)
    assert (refused.code, refused.output) == (1, "")
    assert f"The key {name} would be sealed under itself by the policy {policy}." in refused.messages
