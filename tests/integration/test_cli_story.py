"""The whole way on the command line, against five real safes."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.kura import EXAMPLES, KuraInProcess, new_wallet

PASSES = sorted(EXAMPLES.glob("*.pkpass"))
ROW_KEYS = {"id", "name", "class", "size_bytes", "state"}


def add_examples(kura: KuraInProcess) -> None:
    kura.ok("wallet", "add", *PASSES)
    kura.ok("wallet", "import", EXAMPLES / "figure-19.json")


def exported(kura: KuraInProcess, path: Path) -> list[str]:
    """Every value with all fields and bytes, order aside."""
    kura.ok("wallet", "export", "--all", "--fields", "--out", path)
    values = json.loads(path.read_bytes(), parse_float=Decimal)["values"]
    return sorted(map(repr, values))


def test_what_was_erased_comes_back_whole_with_two_safes_killed(
    kura: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Fields and bytes are equal; the dead safes are named in warnings, and the exit code is 0."""
    add_examples(kura)
    before = exported(kura, tmp_path / "before.json")
    receipts = kura.json("backup", "--all")["receipts"]
    assert {one["state"] for one in receipts} == {"safe"}
    cluster.kill("safe-1", "safe-4")
    kura.ok("wallet", "remove", *(one["value_id"] for one in receipts))
    assert kura.json("wallet", "list")["values"] == []

    done = kura.ok("recover", "--all")

    assert exported(kura, tmp_path / "after.json") == before
    assert "Warning: safe-1:" in done.messages
    assert "Warning: safe-4:" in done.messages


def test_three_dead_safes_stop_a_recovery_and_each_is_named(
    kura: KuraInProcess, cluster: LocalCluster
) -> None:
    """Exit code 1, standard output empty, nothing changed; with one safe back the same command works."""
    kura.ok("wallet", "add", PASSES[0])
    (receipt,) = kura.json("backup", "--all", "--delete")["receipts"]
    cluster.kill("safe-1", "safe-2", "safe-3")

    done = kura("recover", receipt["id"])

    assert (done.code, done.output) == (1, "")
    for name in ("safe-1", "safe-2", "safe-3"):
        assert name in done.messages
    assert kura.json("wallet", "list")["values"] == []
    cluster.start("safe-2")
    kura.ok("recover", receipt["id"])


def test_a_safe_away_leaves_a_value_registered_until_resume(
    kura: KuraInProcess, cluster: LocalCluster
) -> None:
    """`--delete` is refused with the number in view; `resume` delivers once the safe is back."""
    kura.ok("wallet", "add", PASSES[0])
    cluster.kill("safe-3")

    refused = kura("backup", "--all", "--delete")

    assert (refused.code, refused.output) == (1, "")
    assert "safe-3" in refused.messages
    assert "--accept-fewer" in refused.messages
    (receipt,) = kura.json("receipts")["receipts"]
    assert (receipt["state"], receipt["may_still_be_lost"]) == ("registered", 1)
    assert len(kura.json("wallet", "list")["values"]) == 1
    assert kura.json("resume")["still_owed"] == {"safe-3": 1}
    cluster.start("safe-3")
    assert kura.json("resume")["delivered"] == 1
    assert kura.json("receipts")["receipts"][0]["state"] == "safe"
    kura.ok("backup", "--all", "--delete")
    assert kura.json("wallet", "list")["values"] == []


def test_people_read_the_same_story(kura: KuraInProcess, cluster: LocalCluster) -> None:
    """Without --json: states, numbers and names in plain columns."""
    assert "No receipts." in kura.ok("receipts").output
    assert "Nothing was open." in kura.ok("resume").output
    kura.ok("wallet", "add", "--class", "card", "--name", "Bus", "--valid-until", "2027-03-31")
    cluster.kill("safe-4")
    backed_up = kura.ok("backup", "Bus")
    assert "4 of 5" in backed_up.output
    assert "1 value backed up" in backed_up.output
    assert "Warning: safe-4:" in backed_up.messages
    assert "registered at 4 of 5; 1 may be lost" in kura.ok("receipts", "list").output
    assert "safe-4 is still owed 1 message" in kura.ok("resume").output
    cluster.start("safe-4")
    assert "1 message delivered" in kura.ok("resume").output
    listed = kura.ok("wallet", "list").output
    assert "to 2027-03-31  safe" in listed
    assert "1 value, 1 receipt" in listed
    assert "v-" in kura.ok("wallet", "edit", "Bus", "--place", "Town", "--valid-until", "").output
    assert "0 values recovered, 1 in the wallet already" in kura.ok("recover", "--all").output


def test_policies_are_fitted_to_the_roster(kura: KuraInProcess, cluster: LocalCluster) -> None:
    """Of the wallet, or of a file for people who have none."""
    names = [one["name"] for one in kura.json("policy", "list")["policies"]]
    assert names[0] == "threshold"
    listed = kura.ok("policy", "list", "--roster", cluster.roster_file).output
    for name in names:
        assert name in listed
        assert name in kura.ok("policy", "show", name).output
    assert kura.json("policy", "show", "threshold")["value"]["k"] == 3
    explained = kura.json("policy", "explain", "threshold")
    assert (explained["quorum"], explained["safes"]) == (4, list(cluster.names))


def test_fewer_safes_are_accepted_when_the_person_says_so(kura: KuraInProcess, cluster: LocalCluster) -> None:
    """`--accept-fewer` erases the value although one safe is away."""
    kura.ok("wallet", "add", PASSES[0])
    cluster.kill("safe-5")
    document = kura.json("backup", "--all", "--delete", "--accept-fewer")
    assert document["receipts"][0]["state"] == "registered"
    assert set(document["failed"]) == {"safe-5"}
    assert kura.json("wallet", "list")["values"] == []


@pytest.mark.parametrize("lie", ["flip-bit", "garbage"])
def test_a_lying_safe_is_named_and_changes_nothing(
    kura: KuraInProcess, cluster: LocalCluster, tmp_path: Path, lie: str
) -> None:
    """Exit code 0 with a warning; the bytes are those that were backed up."""
    value_id = kura.json("wallet", "add", PASSES[1])["values"][0]["id"]
    kura.ok("backup", value_id, "--delete")
    cluster.replace_with_liar("safe-2", lie)

    done = kura.ok("recover", "--all")

    assert "Warning: safe-2:" in done.messages
    kura.ok("wallet", "export", value_id, "--out", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == PASSES[1].read_bytes()


def test_the_lists_carry_the_promised_names(kura: KuraInProcess) -> None:
    """`values` and `receipts` are lists of objects with id, name, class, size_bytes, state."""
    add_examples(kura)
    before = kura.json("wallet", "list")
    assert len(before["values"]) == 7
    assert before["receipts"] == []
    assert {one["state"] for one in before["values"]} == {"not-backed-up"}
    kura.ok("backup", "--all")
    after = kura.json("wallet", "list")
    for row in [*after["values"], *after["receipts"], *kura.json("receipts")["receipts"]]:
        assert row.keys() >= ROW_KEYS
        assert row["state"] == "safe"
    tickets = kura.json("wallet", "list", "--class", "movie-ticket")
    assert sorted(one["name"] for one in tickets["values"]) == ["A", "G"]
    assert sorted(one["name"] for one in tickets["receipts"]) == ["A", "G"]


def test_an_edit_replaces_what_the_safes_keep(kura: KuraInProcess) -> None:
    """After the edit, recovery brings the new content back, not the old."""
    kura.ok(
        "wallet", "add", "--class", "prepaid-card", "--name", "Bus", "--total", "1000", "--remaining", "800"
    )
    kura.ok("backup", "--all")
    assert kura.json("wallet", "edit", "Bus", "--remaining", "650.50")["values"][0]["state"] == "safe"
    kura.ok("wallet", "remove", "Bus")
    kura.ok("recover", "--all")
    card = kura.json("wallet", "show", "Bus")
    assert (card["total_amount"], card["remaining_amount"]) == (1000, 650.5)


def test_a_receipt_shows_every_certificate_and_holds_offline(
    kura: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Class, digest, X, Y and safe pointer of each; verified, shown and exported with all safes dead."""
    kura.ok("wallet", "add", PASSES[0])
    (receipt,) = kura.json("backup", "--all")["receipts"]
    cluster.kill(*cluster.names)

    shown = kura.json("receipts", "show", receipt["id"][:6])

    certificates = shown["certificates"]
    assert [one["safe"] for one in certificates] == list(cluster.names)
    for one in certificates:
        assert one.keys() >= {"class", "digest", "x", "y", "safe_id"}
    assert [one["item_class"] for one in shown["digests"]] == ["boarding-pass"]
    text = kura.ok("receipts", "show", receipt["id"]).output
    for safe in cluster.roster.safes:
        assert safe.safe_id.hex() in text
    assert kura.json("receipts", "verify")["receipts"] == [{"id": receipt["id"], "certificates": 5}]
    kura.ok("receipts", "export", receipt["id"], "--out", tmp_path / "receipt.json")
    assert len(json.loads((tmp_path / "receipt.json").read_bytes())["certificates"]) == 5


def test_a_recovered_receipt_can_be_deleted_with_its_pieces(kura: KuraInProcess) -> None:
    """`--delete-receipt` leaves the value in the wallet and no receipt."""
    kura.ok("wallet", "add", PASSES[0])
    kura.ok("backup", "--all", "--delete")
    kura.ok("recover", "--all", "--delete-receipt")
    document = kura.json("wallet", "list")
    assert [one["state"] for one in document["values"]] == ["not-backed-up"]
    assert document["receipts"] == []


def test_what_was_deleted_is_proved_by_the_safes(kura: KuraInProcess, cluster: LocalCluster) -> None:
    """One is away and owes its word until `resume`; the proofs hold with all safes dead."""
    kura.ok("wallet", "add", "--class", "card", "--name", "Bus")
    (receipt,) = kura.json("backup", "--all")["receipts"]
    cluster.kill("safe-4")
    kura.ok("recover", "--all", "--delete-receipt")
    assert "erased at 4 of 5; owed to safe-4" in kura.ok("receipts", "deleted").output
    cluster.start("safe-4")
    kura.ok("resume")
    cluster.kill(*cluster.names)
    (row,) = kura.json("receipts", "deleted", receipt["id"])["deletions"]
    assert (row["generation"], row["safes_erased"], row["owed_to"]) == (1, 5, [])
    assert kura.json("receipts", "verify") == {"receipts": [], "deletion_receipts": 5}


def test_a_full_wallet_says_how_much_is_needed_and_free(cluster: LocalCluster, tmp_path: Path) -> None:
    """Exit code 1 with both figures; after room is made the same command goes on."""
    kura = new_wallet(tmp_path / "small", cluster.roster_file, "--capacity", "4KiB")
    kura.ok("wallet", "add", PASSES[1])
    kura.ok("backup", "--all", "--delete")
    kura.ok("wallet", "add", PASSES[2])

    done = kura("recover", "--all")

    assert (done.code, done.output) == (1, "")
    assert "bytes are needed" in done.messages
    kura.ok("wallet", "remove", kura.ok("wallet", "list", "--json").ids[0])
    assert len(kura.json("recover", "--all")["values"]) == 1


@pytest.mark.parametrize("policy", ["threshold", "apart", "sealed", "plain"])
def test_every_policy_brings_a_value_back(kura: KuraInProcess, tmp_path: Path, policy: str) -> None:
    """Backup, erase, recover, compare."""
    kura.ok("wallet", "add", PASSES[0])
    (receipt,) = kura.json("backup", "--all", "--policy", policy, "--delete")["receipts"]
    kura.ok("recover", "--all")
    kura.ok("wallet", "export", receipt["value_id"], "--out", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == PASSES[0].read_bytes()
