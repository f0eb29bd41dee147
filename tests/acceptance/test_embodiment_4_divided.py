"""The fourth embodiment: a value is divided into pieces, each registered and certified alone; and combined.

The source gives no steps of its own: those of the second embodiment, with the dividing means 126 before (1-9)
and the combining means 127 after (2-11), in either order with sealing, also with the key at other safes.
"""

import asyncio
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.faults import receipts_of, reopened
from support.forked import KuraForked
from support.kura import KuraInProcess
from support.steps import Readers, add_policy, add_ticket, certificates_of, exported, kept_at

SEAL_FIRST = """
    name = "seal-first"
    order = "seal-then-divide"
    value = {k = 3, n = 5}
    key.mode = "kept"
"""
ALL_NEEDED = """
    name = "all-needed"
    order = "divide-then-seal"
    value = {k = 3, at = ["safe-1", "safe-3", "safe-5"]}
    key.mode = "kept"
"""
PARTLY_KEPT = """
    name = "partly-kept"
    value = {k = 3, at = ["safe-1", "wallet", "safe-3"]}
    key = {k = 1, at = ["safe-5"]}
"""
PARTLY_DEPOSITED = """
    name = "partly-deposited"
    value = {k = 2, n = 5, at = ["safe-4", "safe-2", "safe-1"]}
    key.mode = "kept"
"""
ALL_AT_ONE = """
    name = "all-at-one"
    order = "divide-then-seal"
    value = {k = 3, at = ["safe-2", "safe-2", "safe-2"]}
    key.mode = "kept"
    accept = ["accept-single-safe"]
"""
KEY_ELSEWHERE = """
    name = "key-elsewhere"
    value = {k = 2, n = 3}
    key = {k = 1, at = "elsewhere"}
"""


def order_of(home: Path) -> list[str]:
    """The order of dividing and sealing that the receipts' manifests say."""

    async def orders() -> list[str]:
        async with reopened(home) as wallet:
            return [receipt.read_manifest().terms.order for receipt in receipts_of(wallet)]

    return asyncio.run(orders())


@pytest.mark.parametrize("order", ["divide-then-seal", "seal-then-divide"])
def test_in_either_order_every_piece_is_certified_by_itself_and_three_bring_all_back(
    order: str, kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """As many certificates as pieces, each with its own X and the identifier by which it is combined."""
    policy = "divided" if order == "divide-then-seal" else add_policy(here, tmp_path, SEAL_FIRST)
    add_ticket(here)
    before = exported(here, tmp_path / "before.json")

    (receipt,) = kura.json("backup", "Rashomon", "--policy", policy, "--delete")["receipts"]

    assert order_of(here.home) == [order]
    certificates = certificates_of(here, receipt["id"])
    assert [(one["safe"], one["index"]) for one in certificates] == [(f"safe-{x}", x) for x in range(1, 6)]
    assert len({one["x"] for one in certificates}) == 5
    assert len({one["item_id"] for one in certificates}) == 1
    cluster.kill("safe-1", "safe-4")
    here.ok("recover", receipt["id"])
    assert exported(here, tmp_path / "after.json") == before


def test_where_all_pieces_are_needed_one_less_brings_nothing_back(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """n of n, as the source divides: the missing piece's safe is named, and with it all is back."""
    policy = add_policy(here, tmp_path, ALL_NEEDED)
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", policy, "--delete")
    assert [one["index"] for one in certificates_of(here, "Rashomon")] == [1, 2, 3]
    cluster.stop("safe-3")
    stopped = here("recover", "Rashomon")
    assert (stopped.code, stopped.output) == (1, "")
    assert "safe-3: " in stopped.messages
    cluster.start("safe-3")
    assert [one["name"] for one in here.json("recover", "Rashomon")["values"]] == ["Rashomon"]


def test_a_piece_may_stay_in_the_wallet(here: KuraInProcess, cluster: LocalCluster, tmp_path: Path) -> None:
    """Only part is deposited [C7]: all safes together read nothing, with the wallet's piece it comes back."""
    policy = add_policy(here, tmp_path, PARTLY_KEPT)
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", policy, "--delete")
    certificates = certificates_of(here, "Rashomon")
    assert [(one["safe"], one["index"]) for one in certificates] == [
        ("safe-1", 1),
        ("safe-3", 3),
        ("safe-5", 4),
    ]
    assert Readers.of(cluster, here).read(*cluster.names) == []
    assert here.json("policy", "explain", policy)["readers"] is None
    assert [one["name"] for one in here.json("recover", "Rashomon")["values"]] == ["Rashomon"]


def test_only_the_required_pieces_need_be_deposited(here: KuraInProcess, tmp_path: Path) -> None:
    """Five are made and three deposited [C31], where the policy says, and two of them do."""
    policy = add_policy(here, tmp_path, PARTLY_DEPOSITED)
    add_ticket(here)
    (receipt,) = here.json("backup", "Rashomon", "--policy", policy, "--delete")["receipts"]
    places = {one["safe"]: one["index"] for one in certificates_of(here, "Rashomon")}
    assert places == {"safe-4": 1, "safe-2": 2, "safe-1": 3}
    assert receipt["may_still_be_lost"] == 1
    assert len(here.json("recover", "Rashomon")["values"]) == 1


def test_all_pieces_may_go_to_one_safe(here: KuraInProcess, cluster: LocalCluster, tmp_path: Path) -> None:
    """The source's one safe 113 certifies each piece; that it counts once is said, and must be accepted."""
    refused = tmp_path / "refused.toml"
    refused.write_text(ALL_AT_ONE.replace('accept = ["accept-single-safe"]', ""))
    assert "accept-single-safe" in here("policy", "add", refused).messages
    policy = add_policy(here, tmp_path, ALL_AT_ONE)
    add_ticket(here)
    (receipt,) = here.json("backup", "Rashomon", "--policy", policy, "--delete")["receipts"]
    assert (receipt["safes"], receipt["may_still_be_lost"]) == (1, 0)
    first, *others = certificates_of(here, "Rashomon")
    assert [one["y"] for one in others] == [first["y"] + 1, first["y"] + 2]
    assert kept_at(cluster, "safe-2", first["item_id"]) == [(x, True, False) for x in (1, 2, 3)]
    assert len(here.json("recover", "Rashomon")["values"]) == 1


def test_the_key_may_be_at_other_safes_than_the_pieces(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """As in the third embodiment: all pieces without the key, or the key with one piece, show nothing."""
    policy = add_policy(here, tmp_path, KEY_ELSEWHERE)
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", policy)
    readers = Readers.of(cluster, here)
    assert readers.read("safe-1", "safe-2", "safe-3") == []
    assert readers.read("safe-1", "safe-4", "safe-5") == []
    assert readers.read("safe-1", "safe-3", "safe-5") == ["Rashomon"]
