"""The first embodiment: a value at a safe, a certificate of it in the wallet, and back again.

Steps (1-1) to (1-15) and (2-1) to (2-14) of the source, and what it says before them of digest, X, Y, the
index of the safe, and the index of the wallet. The policy is `plain`: unsealed and whole, at one safe.
"""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pysqlite3 as sqlite3
import pytest
from msgspec import structs

from support.cluster import LocalCluster
from support.faults import database_of, receipts_of, reopened
from support.forked import KuraForked
from support.kura import KuraInProcess
from support.lying_safe import AS_TOLD, HONEST, OTHER_DIGEST
from support.steps import TICKET, TODAY, add_policy, add_ticket, certificates_of, exported
from trust.certificate import Certificate
from trust.digest import Digest, DigestEntries, DigestFields
from trust.piece import BLINDING_BYTES, piece_root
from trust.value_fields import read_head
from trust.wallet_refusals import CertificateUnknown, DigestMismatch
from wallet_client.network.links import Links
from wallet_client.pipeline.batch import EncodedMember, PreparedBatch
from wallet_client.pipeline.plan import Member, PlanItem, plan_batches
from wallet_client.values.value import encode_value

SHOWN = {
    "item_class": "movie-ticket",
    "name": "Rashomon",
    "quantity": "2",
    "place": "Cinema East",
    "valid_from": TICKET["--valid-from"],
    "valid_until": TICKET["--valid-until"],
}
"""The fields of figure 2(b)."""


def stored_at(cluster: LocalCluster, certificate: dict[str, Any]) -> bytes:
    """The blob that the safe keeps under a certificate, read from its database."""
    connection = sqlite3.connect(database_of(cluster, certificate["safe"]))
    try:
        query = "SELECT content FROM pieces WHERE counter = ? AND x_hash = ?"
        rows = connection.execute(query, (certificate["y"], bytes.fromhex(certificate["x"]))).fetchall()
    finally:
        connection.close()
    assert len(rows) == 1
    return bytes(rows[0][0])


def test_a_value_is_registered_certified_deleted_and_brought_back(
    kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """(1-1) to (1-15), deletion to save room, and (2-1) to (2-14): all fields are back."""
    add_ticket(here)
    before = exported(here, tmp_path / "before.json")
    (listed,) = here.json("wallet", "list")["values"]  # (1-1) to (1-4)
    assert (listed["class"], listed["name"], listed["state"]) == ("movie-ticket", "Rashomon", "not-backed-up")

    (receipt,) = kura.json("backup", listed["id"], "--policy", "plain", "--delete")["receipts"]  # (1-5) ff.

    assert (receipt["state"], receipt["safes"]) == ("safe", 1)  # (1-14), (1-15)
    emptied = here.json("wallet", "list")
    assert (emptied["values"], emptied["used_bytes"]) == ([], 0)
    (standing,) = here.json("receipts")["receipts"]  # (2-1) to (2-4)
    assert standing["id"] == receipt["id"]
    (back,) = kura.json("recover", standing["id"])["values"]  # (2-5) to (2-14)
    assert back["id"] == listed["id"]
    assert exported(here, tmp_path / "after.json") == before


def test_a_certificate_is_digest_hash_and_counter(here: KuraInProcess, cluster: LocalCluster) -> None:
    """(1-11) ff.: the digest by the setting, X over what is stored, Y one more for each certificate."""
    add_ticket(here)
    add_ticket(here, name="Ikiru")
    here.ok("backup", "--all", "--policy", "plain")

    first, second = (certificates_of(here, name)[0] for name in ("Rashomon", "Ikiru"))

    assert first["class"] == "value"
    (entry,) = DigestEntries.from_bytes(bytes.fromhex(first["digest"]["content"])).entries
    assert {name: text for name, text in structs.asdict(entry).items() if text} == SHOWN
    assert first["x"] != second["x"]
    assert second["y"] == first["y"] + 1
    for certificate in (first, second):
        blob = stored_at(cluster, certificate)
        assert piece_root(blob).hex() == certificate["x"]
        assert read_head(blob[BLINDING_BYTES:]).place == "Cinema East"


def test_the_digest_may_be_vacant(here: KuraInProcess, tmp_path: Path) -> None:
    """The certificate then tells nothing, and still brings the value back."""
    silent = """
        name = "silent"
        sealing = "none"
        digest.mode = "vacant"
        value = {k = 1, at = ["safe-2"]}
        after.backup = "delete"
    """
    add_policy(here, tmp_path, silent)
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", "silent")
    (certificate,) = certificates_of(here, "Rashomon")
    assert (certificate["safe"], certificate["digest"]) == ("safe-2", {"mode": "vacant", "content": ""})
    assert len(here.json("recover", "Rashomon")["values"]) == 1


def test_the_wallet_lists_what_is_backed_up_without_asking_a_safe(
    here: KuraInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values and receipts by class, by what ends within a week, with sizes; no link is ever asked for."""
    add_ticket(here)
    add_ticket(here, name="Ran", valid_until=str(TODAY + timedelta(days=60)))
    add_ticket(here, name="City Bus", **{"class": "prepaid-card"})
    here.ok("backup", "--all", "--policy", "plain", "--delete")

    def refuse(*_: object) -> None:
        raise AssertionError("a safe was asked")

    monkeypatch.setattr(Links, "to", refuse)
    ending = here.json("wallet", "list", "--class", "movie-ticket", "--expires-within", "7d")["receipts"]
    assert [one["name"] for one in ending] == ["Rashomon"]
    assert ending[0]["size_bytes"] > 0
    assert len(here.json("receipts")["receipts"]) == 3
    assert "Cinema East" in here.ok("receipts", "show", "Ran").output


def test_a_value_is_corrected_by_registering_anew_and_deleting(here: KuraInProcess) -> None:
    """The next certificate has another X and a higher Y; the safe says for sure that the old is gone."""
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", "plain")
    (old,) = certificates_of(here, "Rashomon")
    here.ok("wallet", "edit", "Rashomon", "--place", "Cinema West")
    (new,) = certificates_of(here, "Rashomon")
    assert (new["item_id"], new["generation"]) == (old["item_id"], old["generation"] + 1)
    assert new["x"] != old["x"]
    assert new["y"] > old["y"]
    (deleted,) = here.json("receipts", "deleted")["deletions"]
    assert deleted["generation"] == old["generation"]
    assert [one["safe"] for one in deleted["erased"]] == [old["safe"]]


def test_several_safes_are_told_apart_by_the_pointer_in_the_certificate(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """Whole at two safes: each certificate points to its own, and either brings the value back [C3]."""
    add_policy(here, tmp_path, 'name = "twice"\nsealing = "none"\nvalue = {k = 1, at = ["safe-2", "safe-4"]}')
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", "twice", "--delete")
    ids = {safe.name: safe.safe_id.hex() for safe in cluster.roster.safes}
    certificates = certificates_of(here, "Rashomon")
    assert [(one["safe"], one["safe_id"]) for one in certificates] == [
        (name, ids[name]) for name in ("safe-2", "safe-4")
    ]
    cluster.kill("safe-2")
    assert len(here.json("recover", "Rashomon")["values"]) == 1


def test_the_safe_looks_up_by_counter_then_hash_then_whole_certificate(
    here: KuraInProcess, cluster: LocalCluster
) -> None:
    """(2-9), (2-10): whichever part differs, nothing is found; and the look-up is the index's."""
    add_ticket(here)
    here.ok("backup", "Rashomon", "--policy", "plain")

    async def presented() -> list[type]:
        async with reopened(here.home) as wallet:
            ((signed,),) = (receipt.certificates for receipt in receipts_of(wallet))
            link = wallet.links.to(signed.read().safe_id)
            shown = [one.to_bytes() for one in changed(signed.read())]
            return [type(answer) for answer in await link.fetch([*shown, signed.certificate], 4_096)]

    *others, whole = asyncio.run(presented())
    assert others == [CertificateUnknown] * 3
    assert whole is not CertificateUnknown
    connection = sqlite3.connect(database_of(cluster, "safe-1"))
    try:
        find = "SELECT 1 FROM pieces WHERE counter = 1 AND x_hash = x'00' AND certificate = x'00'"
        plan = str(connection.execute(f"EXPLAIN QUERY PLAN {find}").fetchall())
    finally:
        connection.close()
    assert "USING INDEX pieces_by_counter (counter=? AND x_hash=?)" in plan


def changed(certificate: Certificate) -> list[Certificate]:
    """Another counter; the same with another X; both right and another digest."""
    return [
        structs.replace(certificate, counter=certificate.counter + 1_000_000),
        structs.replace(certificate, x_hash=bytes(32)),
        structs.replace(certificate, digest=Digest("vacant")),
    ]


def test_the_safe_derives_the_digest_itself_and_registers_no_other(here: KuraInProcess) -> None:
    """(1-11): from the value that it is sent, whose fields it can read."""
    add_ticket(here)

    async def register_with_another_digest() -> None:
        async with reopened(here.home) as wallet:
            ((value_id, value),) = (
                (one.id, wallet.store.values.get(one.id)) for one in wallet.store.values.summaries()
            )
            item = PlanItem((Member(value_id, len(encode_value(value))),), None, 1)
            (plan,) = plan_batches([item], wallet.policy("plain"), wallet.roster, wallet.now(), wallet.rng)
            says = DigestFields(item_class="gold-bar", name="Rashomon")
            batch = PreparedBatch(plan, [EncodedMember(encode_value(value), says)], wallet.keys)
            (safe_id,) = plan.arrangement.safes
            (parcel,) = batch.parcels(safe_id)
            await wallet.links.to(safe_id).register(parcel)

    with pytest.raises(DigestMismatch):
        asyncio.run(register_with_another_digest())


def test_a_mismatch_on_either_side_stops_what_is_under_way(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """(1-14) the wallet keeps no certificate of another digest; (2-10) nor a value with another hash.

    And the safe collates before it gives anything out: of what rots in its own database it says so.
    """
    lie = tmp_path / "lie"
    lie.write_text(OTHER_DIGEST)
    cluster.replace_with_liar("safe-1", AS_TOLD, file=lie)
    add_ticket(here)

    refused = here("backup", "Rashomon", "--policy", "plain", "--delete")

    assert (refused.code, refused.output) == (1, "")
    assert "safe-1: " in refused.messages
    assert here.json("receipts")["receipts"] == []
    assert len(here.json("wallet", "list")["values"]) == 1

    lie.write_text(HONEST)
    here.ok("backup", "Rashomon", "--policy", "plain", "--delete")
    lie.write_text("flip-bit")
    assert_nothing_recovered(here, "do not trust it")

    lie.write_text(HONEST)
    (certificate,) = certificates_of(here, "Rashomon")
    connection = sqlite3.connect(database_of(cluster, "safe-1"))
    with connection:
        blob = stored_at(cluster, certificate)
        connection.execute("UPDATE pieces SET content = ? WHERE content = ?", (blob[:-1] + b"!", blob))
    connection.close()
    assert_nothing_recovered(here, "safe-1")


def assert_nothing_recovered(here: KuraInProcess, why: str) -> None:
    """The recovery ends in an error that says why, and the wallet is as empty as it was."""
    stopped = here("recover", "Rashomon")
    assert (stopped.code, stopped.output) == (1, "")
    assert why in stopped.messages
    assert here.json("wallet", "list")["values"] == []
