"""The fifth embodiment: several values are coupled into one item, registered once, and decoupled again.

The source gives no steps of its own: those of the second embodiment, with the coupling means 130 before (1-9)
and the decoupling means 131 after (2-11), in either order with sealing, also with the key at other safes.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.cluster import LocalCluster
from support.forked import KuraForked
from support.kura import KuraInProcess
from support.steps import TODAY, Readers, add_policy, add_ticket, certificates_of, exported

NAMES = ["City Bus", "Ran", "Rashomon"]
SEAL_FIRST = """
    name = "seal-first"
    coupling = "seal-then-couple"
    value = {k = 3, n = 5}
    key = {k = 3, n = 5}
"""
APART = """
    name = "coupled-apart"
    coupling = "couple-then-seal"
    value = {k = 1, at = ["safe-1"]}
    key = {k = 1, at = ["safe-3"]}
"""


def add_three(here: KuraInProcess) -> None:
    """Values of two classes, each with a validity of its own."""
    add_ticket(here)
    add_ticket(here, name="Ran", valid_until=str(TODAY + timedelta(days=60)), remarks="one seat only")
    add_ticket(here, **{"class": "prepaid-card"}, name="City Bus", remaining="800", valid_until="")


def names_in(listed: dict[str, Any]) -> list[str]:
    """Of the values of a list."""
    return sorted(one["name"] for one in listed["values"])


@pytest.mark.parametrize("order", ["couple-then-seal", "seal-then-couple"])
def test_in_either_order_one_item_brings_all_values_back_with_all_their_fields(
    order: str, kura: KuraForked, here: KuraInProcess, tmp_path: Path
) -> None:
    """One receipt, one certificate a safe; decoupled, each has its own class, validity and remarks again."""
    policy = "coupled" if order == "couple-then-seal" else add_policy(here, tmp_path, SEAL_FIRST)
    add_three(here)
    before = exported(here, tmp_path / "before.json")

    rows = kura.json("backup", "--all", "--policy", policy, "--delete")["receipts"]

    assert len({row["id"] for row in rows}) == 1
    (receipt,) = here.json("receipts")["receipts"]
    assert sorted(one["name"] for one in receipt["values"]) == NAMES
    assert [one["safe"] for one in certificates_of(here, receipt["id"])] == [f"safe-{x}" for x in range(1, 6)]
    digests = here.json("receipts", "show", receipt["id"])["digests"]
    assert sorted((one["item_class"], one["name"]) for one in digests) == [
        ("movie-ticket", "Ran"),
        ("movie-ticket", "Rashomon"),
        ("prepaid-card", "City Bus"),
    ]
    here.ok("recover", receipt["id"])
    assert exported(here, tmp_path / "after.json") == before
    assert names_in(here.json("wallet", "list", "--class", "prepaid-card")) == ["City Bus"]
    assert names_in(here.json("wallet", "list", "--expires-within", "7d")) == ["Rashomon"]


def test_one_of_them_is_recovered_alone(here: KuraInProcess) -> None:
    """By its name; the others stay away, and come back later from the same receipt."""
    add_three(here)
    here.ok("backup", "--all", "--policy", "coupled", "--delete")
    assert names_in(here.json("recover", "Ran")) == ["Ran"]
    assert names_in(here.json("wallet", "list")) == ["Ran"]
    (receipt,) = here.json("receipts")["receipts"]
    assert names_in(here.json("recover", receipt["id"])) == ["City Bus", "Rashomon"]
    assert names_in(here.json("wallet", "list")) == NAMES


def test_one_that_leaves_the_item_takes_nothing_from_the_others(here: KuraInProcess) -> None:
    """Corrected, it has an item of its own; recovered for good, it is gone; the pieces go with the last."""
    add_three(here)
    here.ok("backup", "--all", "--policy", "coupled")
    here.ok("wallet", "edit", "Ran", "--place", "Cinema West")
    coupled = {len(one["values"]): one for one in here.json("receipts")["receipts"]}
    assert set(coupled) == {1, 2}
    here.ok("wallet", "remove", "City Bus", "Rashomon")
    here.ok("recover", "Rashomon", "--delete-receipt")
    assert here.json("receipts", "deleted")["deletions"] == []
    assert names_in(here.json("recover", "City Bus", "--delete-receipt")) == ["City Bus"]
    (deleted,) = here.json("receipts", "deleted")["deletions"]
    assert (deleted["receipt_id"], deleted["safes_erased"]) == (coupled[2]["id"], 5)


def test_what_is_coupled_may_be_apart_from_its_key(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """As in the third embodiment: neither safe reads one of the values, both together all of them."""
    policy = add_policy(here, tmp_path, APART)
    add_three(here)
    here.ok("backup", "--all", "--policy", policy, "--delete")
    readers = Readers.of(cluster, here)
    assert readers.read("safe-1") == readers.read("safe-3") == []
    assert readers.read("safe-1", "safe-3") == NAMES
    assert names_in(here.json("recover", "--all")) == NAMES
