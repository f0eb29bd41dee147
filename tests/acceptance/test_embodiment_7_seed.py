"""The seventh embodiment: a seed in the place of keys, at the safes and not in the wallet.

Steps (1-1) to (1-7) register the seed and erase it, (2-1) to (2-4) back a value up under a key that comes
from it, (3-1) to (3-7) bring that key back. The policy is `seed`; the seed is the wallet's root.
"""

from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.forked import KuraForked
from support.kura import KuraInProcess
from support.steps import Readers, add_policy, add_ticket, certificates_of, exported

ROOT = bytes(range(32))


@pytest.fixture
def root_file(tmp_path: Path) -> Path:
    """A seed from outside."""
    (tmp_path / "root.hex").write_text(ROOT.hex() + "\n")
    return tmp_path / "root.hex"


def state_of(here: KuraInProcess, name: str) -> tuple[bool, str]:
    """Whether a key is here, and the state of its receipt."""
    (key,) = [one for one in here.json("key", "list")["keys"] if one["name"] == name]
    return key["here"], key["state"]


def test_the_seed_is_registered_and_leaves_the_wallet_and_a_key_comes_back_from_it(
    kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, root_file: Path, tmp_path: Path
) -> None:
    """(1-1) to (1-7), (2-1) to (2-4), (3-1) to (3-7), with two safes dead in the third part."""
    here.ok("key", "import", "root", root_file, "--root")

    kura.ok("key", "backup", "root")  # (1-1) to (1-7)

    assert state_of(here, "root") == (False, "safe")
    (receipt,) = here.json("receipts")["receipts"]
    assert {one["class"] for one in certificates_of(here, receipt["id"])} == {"key"}

    value_id = add_ticket(here)  # (2-1)
    before = exported(here, tmp_path / "before.json")
    kura.ok("backup", value_id, "--policy", "seed", "--delete")  # (2-2) to (2-4)
    assert [one["name"] for one in here.json("key", "list")["keys"] if one["here"]] == []

    cluster.kill("safe-2", "safe-3")
    (key,) = kura.json("key", "recover", "office", "--from-root")["keys"]  # (3-1) to (3-7)

    assert (key["here"], key["kind"], key["algorithm"]) == (True, "shared", "kura-hkdf/1")
    assert state_of(here, "root") == (False, "safe")
    here.ok("recover", value_id)
    assert exported(here, tmp_path / "after.json") == before
    assert here.json("key", "show", "office")["receipts"] == 1


def test_the_seed_is_fetched_used_and_forgotten_without_a_word(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """The first backup makes and registers it; a recovery leaves neither seed nor key in the wallet."""
    value_id = add_ticket(here)
    before = exported(here, tmp_path / "before.json")
    here.ok("backup", value_id, "--policy", "seed", "--delete")
    cluster.kill("safe-1", "safe-5")
    here.ok("recover", value_id)
    assert exported(here, tmp_path / "after.json") == before
    assert [(one["name"], one["here"]) for one in here.json("key", "list")["keys"]] == [("root", False)]
    here.ok("key", "recover", "root")
    assert state_of(here, "root") == (True, "safe")


def test_the_algorithm_and_the_seed_come_from_outside(here: KuraInProcess, tmp_path: Path) -> None:
    """Both are brought in a signed file; the manifest names the algorithm, and the key it gives opens."""
    issuer = here.json(
        "key",
        "publish-algorithm",
        "office/1",
        *("--hash", "sha512", "--info", "keys of the office", "--new-seed"),
        *("--issuer", tmp_path / "issuer.key", "--out", tmp_path / "office.json"),
    )["issuer"]
    refused = here("key", "import-algorithm", tmp_path / "office.json", "--signer", "ab" * 32)
    assert (refused.code, refused.output) == (1, "")
    assert "another issuer signed it" in refused.messages

    taken = here.json("key", "import-algorithm", tmp_path / "office.json", "--signer", issuer)

    assert (taken["name"], taken["version"], taken["root"]) == ("office", 1, "root")
    assert here.json("key", "list")["algorithms"] == ["office/1"]
    policy = add_policy(
        here,
        tmp_path,
        """
        name = "office"
        sealing = "key-pair"
        [key]
        mode = "root"
        algorithm = "office/1"
        """,
    )
    value_id = add_ticket(here)
    here.ok("backup", value_id, "--policy", policy, "--delete")
    (pair,) = here.json("key", "recover", "pair", "--from-root", "--pair", "--algorithm", "office/1")["keys"]
    assert here.json("key", "show", "pair")["policies"] == ["office"]
    assert len(pair["public_key"]) == 64
    assert here.json("recover", value_id)["values"][0]["id"] == value_id


def test_the_seed_may_be_divided_and_fewer_operators_read_nothing(
    here: KuraInProcess, cluster: LocalCluster
) -> None:
    """As in the sixth embodiment: each part lies with a piece of the value; two operators read neither."""
    add_ticket(here)
    here.ok("backup", "--all", "--policy", "seed", "--delete")
    (of_root, of_value) = sorted(here.json("receipts")["receipts"], key=lambda one: str(one["kind"]))
    holders = [{one["safe"] for one in certificates_of(here, each["id"])} for each in (of_root, of_value)]
    assert holders == [set(cluster.names)] * 2
    assert Readers.of(cluster, here).read(*cluster.names[:2]) == []


def test_the_seed_is_not_sealed_under_what_comes_from_it(here: KuraInProcess, root_file: Path) -> None:
    """Nor is there a second one."""
    here.ok("key", "import", "root", root_file, "--root")
    refused = here("key", "backup", "root", "--policy", "seed")
    assert (refused.code, refused.output) == (1, "")
    assert "sealed under itself" in refused.messages
    second = here("key", "new", "another", "--root")
    assert (second.code, second.output) == (1, "")
    assert "has a root already: root" in second.messages
