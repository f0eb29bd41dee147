"""`kura key` for people and scripts: what is printed and refused, and what other commands say of keys."""

import base64
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.kura import KuraInProcess, new_wallet
from support.steps import add_policy, add_ticket


@pytest.fixture
def here(cluster: LocalCluster, tmp_path: Path) -> KuraInProcess:
    """A fresh wallet that believes the cluster, driven from this process."""
    new_wallet(tmp_path / "wallet", cluster.roster_file)
    return KuraInProcess(tmp_path / "wallet")


def test_people_read_what_became_of_a_key(here: KuraInProcess) -> None:
    """Made, registered, forgotten, sealing on, brought back: a line for each, and `show` has it all."""
    assert here.ok("key", "list").output == "No keys.\n"
    assert "key pair  here   not-backed-up" in here.ok("key", "new", "office", "--pair").output
    assert here.ok("key", "backup", "office").output == "office is safe: 5 of 5 safes have it\n"
    assert here.ok("key", "backup", "office").output.startswith("office is safe before")
    forgotten = here.ok("key", "forget", "office").output
    assert forgotten == "office forgotten; `kura key recover office` brings it back\n"
    assert "key pair  away   safe" in here.ok("key", "list").output
    assert here.ok("key", "recover", "office").output == "office is in the wallet\n"
    assert here.ok("key", "recover", "office").output == "office was in the wallet already\n"
    key = here.json("key", "show", "office")
    shown = here.ok("key", "show", key["id"][:6]).output
    for text in (key["key_id"], key["public_key"], key["public_key_base64"], key["receipt_id"], "0 receipts"):
        assert text in shown
    assert base64.b64decode(key["public_key_base64"]).hex() == key["public_key"]
    here.ok("key", "new", "spare", "--shared")
    assert here.ok("key", "forget", "spare", "--lose").output == "spare is lost\n"


def test_a_key_stands_among_receipts_under_its_class(here: KuraInProcess) -> None:
    """`recover --all` is about values; a key's receipt may be named, and brings the key."""
    here.ok("key", "new", "office", "--shared")
    here.ok("key", "backup", "office")
    assert "key    office" in here.ok("receipts").output
    here.ok("key", "forget", "office")
    assert "0 values recovered" in here.ok("recover", "--all").output
    assert [(one["name"], one["class"]) for one in here.json("recover", "office")["values"]] == [
        ("office", "key")
    ]
    assert here.json("key", "show", "office")["here"] is True
    assert here.json("wallet", "list")["values"] == []


def test_a_safe_that_is_away_keeps_the_key_here(here: KuraInProcess, cluster: LocalCluster) -> None:
    """It is named, with what to do; after `resume` the key may go."""
    here.ok("key", "new", "office", "--shared")
    cluster.kill("safe-3")
    backed_up = here.ok("key", "backup", "office")
    assert "office is registered: 4 of 5 safes have it" in backed_up.output
    assert "Warning: safe-3:" in backed_up.messages
    refused = here("key", "forget", "office")
    assert (refused.code, refused.output) == (1, "")
    assert "safe-3 did not take it yet" in refused.messages
    assert "kura resume" in refused.messages
    cluster.start("safe-3")
    here.ok("resume")
    here.ok("key", "forget", "office")


def test_a_key_that_is_kept_and_divided_comes_back_with_a_value(here: KuraInProcess, tmp_path: Path) -> None:
    """The wallet forgets it; recovering what lies under it restores key and value."""
    (key,) = here.json("key", "new", "office", "--pair")["keys"]
    policy = add_policy(
        here,
        tmp_path,
        """
        name = "kept-and-divided"
        sealing = "key-pair"
        [key]
        mode = "kept-and-shared"
        name = "office"
        """,
    )
    here.ok("key", "backup", "office")
    value_id = add_ticket(here)
    here.ok("backup", value_id, "--policy", policy, "--delete")
    here.ok("key", "forget", "office")
    assert here.json("recover", value_id)["values"][0]["id"] == value_id
    (back,) = here.json("key", "list")["keys"]
    assert (back["here"], back["key_id"], back["name"]) == (True, key["key_id"], "office")


def test_an_issuer_is_told_what_nobody_could_read(here: KuraInProcess, tmp_path: Path) -> None:
    """Wrong usage, and no file; a seed from a file is put in as it is."""
    out, issuer = tmp_path / "office.json", tmp_path / "issuer.key"
    (tmp_path / "root").write_bytes(bytes(range(32)))
    (tmp_path / "bad.key").write_text("no key")
    common = ("--issuer", issuer, "--out", out)
    for label, options in (
        ("office", common),
        ("Office/1", common),
        ("office/99999", common),
        ("office/1", (*common, "--salt", "xy")),
        ("office/1", (*common, "--info", "x" * 256)),
        ("office/1", (*common, "--new-seed", "--seed", tmp_path / "root")),
        ("office/1", ("--issuer", tmp_path / "bad.key", "--out", out)),
    ):
        refused = here("key", "publish-algorithm", label, *options)
        assert (refused.code, refused.output) == (2, ""), label
    assert not out.exists()
    short = here("key", "publish-algorithm", "office/1", *common, "--seed", tmp_path / "bad.key")
    assert (short.code, short.output) == (1, "")
    published = here.ok("key", "publish-algorithm", "office/1", *common, "--seed", tmp_path / "root")
    assert "in the file, which is secret" in published.output
    assert bytes(range(32)).hex() in out.read_text()
    assert issuer.stat().st_mode & 0o777 == 0o600


def test_what_is_known_under_a_name_is_not_changed(here: KuraInProcess, tmp_path: Path) -> None:
    """Not by the same issuer either; the same file again is no harm."""
    files = {}
    for number, info in enumerate(("one", "two")):
        files[info] = tmp_path / f"{info}.json"
        issuer = here.json(
            *("key", "publish-algorithm", "office/1", "--info", info),
            *("--issuer", tmp_path / "issuer.key", "--out", files[info]),
        )["issuer"]
        assert number == 0 or files["one"].read_bytes() != files["two"].read_bytes()
    signer = ("--signer", f"{issuer[:32]} {issuer[32:]}")
    assert "from now on" in here.ok("key", "import-algorithm", files["one"], *signer).output
    assert "before" in here.ok("key", "import-algorithm", files["one"], *signer).output
    refused = here("key", "import-algorithm", files["two"], *signer)
    assert (refused.code, refused.output) == (1, "")
    assert "The key algorithm office/1 is known, and says something else" in refused.messages
    (tmp_path / "long.json").write_bytes(b" " * 16_385)
    assert here("key", "import-algorithm", tmp_path / "long.json", *signer).code == 1
    assert "Algorithms: office/1" in here.ok("key", "list").output
