"""The twelfth embodiment's first half: one safe acquires what another has, and gives the owner both.

The source numbers no steps here; its sentences are these, with the safes of its figure 21:

(1) value and decoding key "are stored in different electronic safe means", 164 and 165; "the terminal is
    destroyed";
(2) "the owner authentication for the other electronic safe means 165 to which the decoding key is registered
    is completed successful";
(3) "this electronic safe means 165 acquires the encryption electronic information through the communication
    with the electronic safe means 164 to which the electronic value information is registered";
(4) "the terminal 163 acquires the encryption electronic information from" it;
(5) the recovery means "decodes the encryption electronic value information to recover this information";
(6) it is encrypted again, so that "the original condition can be recovered".

Here safe 165, the gateway, is safe-5. It authenticates nobody for the others: each safe judges the owner, and
the grant, by itself. And it learns nothing: what passes through it is sealed to the new device.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from rpc_edge.tls import pinned_channel
from support.carrier import found_in, memory_of, what_these_keep
from support.cluster import LocalCluster
from support.faults import wait_until
from support.kura import KuraInProcess, new_wallet, without_wallet
from support.owners_wallets import quick_stretch
from support.steps import add_ticket, certificates_of, exported
from wallet_client.network import carriers, links

__all__ = ["quick_stretch"]

VALUES, KEYS = ("safe-1", "safe-2", "safe-3"), ("safe-4", "safe-5")
"""The two sides of five safes under `apart`."""

GATEWAY = "safe-5"
PIN, WRONG = "4711 moles under the gate", "4712 moles under the gate"
TEXT = "what no gateway may read"


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The safes to which wallets of this process open a connection; to anybody but a gateway it fails."""
    found: list[str] = []

    def to_gateway(endpoint: str, certificate: bytes, name: str) -> grpc.aio.Channel:
        found.append(name)
        return pinned_channel(endpoint, certificate, name)

    def direct(*_: object) -> None:
        raise AssertionError("a wallet with a gateway reached another safe")

    monkeypatch.setattr(carriers, "pinned_channel", to_gateway)
    monkeypatch.setattr(links, "pinned_channel", direct)
    return found


def calls(cluster: LocalCluster, name: str, method: str) -> int:
    """How often a safe's log tells of a call that went well."""
    lines = (cluster.folder(name) / "log").read_text().splitlines()
    found = (json.loads(line) for line in lines if f'/{method}"' in line)
    return sum(one["outcome"] == "OK" for one in found)


def test_one_safe_gathers_key_and_value_for_the_owner_and_reads_neither(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path, quick_stretch: None, reached: list[str]
) -> None:
    """(1) to (6), by a device that reaches that one safe alone, while two others are down."""
    others = [name for name in cluster.names if name != GATEWAY]
    earlier = what_these_keep(cluster, cluster.names)
    with pytest.MonkeyPatch.context() as direct:
        direct.setattr(links, "pinned_channel", pinned_channel)
        add_ticket(here, name=TEXT)
        before = exported(here, tmp_path / "before.json")
        here.ok("owner", "enroll", "gateway-anna", typed=f"{PIN}\n{PIN}\n")
        here.ok("backup", "--all", "--policy", "apart", "--delete")
    shutil.rmtree(here.home)
    cluster.kill("safe-1", "safe-4")
    counted = [calls(cluster, GATEWAY, "Gather"), calls(cluster, "safe-2", "Collect")]

    tablet = without_wallet(tmp_path / "tablet")
    roster = ("--roster", cluster.roster_file, "--no-passphrase", "--via", GATEWAY)
    refused = tablet("owner", "recover", "gateway-anna", *roster, typed=f"{WRONG}\n")
    assert (refused.code, refused.output) == (1, "")
    assert [calls(cluster, GATEWAY, "Gather"), calls(cluster, "safe-2", "Collect")] == counted

    done = tablet.json("owner", "recover", "gateway-anna", "--via", GATEWAY, typed=f"{PIN}\n")
    assert (done["found"], done["recovered"]) == (1, 1)
    assert exported(tablet, tmp_path / "after.json") == before
    assert calls(cluster, GATEWAY, "Gather") > counted[0]
    assert calls(cluster, "safe-2", "Collect") > counted[1]
    assert set(reached) == {GATEWAY}

    own = what_these_keep(cluster, [GATEWAY])
    kept = {
        kind: [one for one in ones if one not in [*earlier[kind], *own[kind]]]
        for kind, ones in what_these_keep(cluster, others).items()
    }
    terms = {
        "value": [TEXT.encode()],
        "PIN": [PIN.encode()],
        "name": [b"gateway-anna"],
        **{kind: ones for kind, ones in kept.items() if ones},
    }
    assert {"value share", "share of r", "share of the OPRF key"} < set(terms)
    process = json.loads((cluster.folder(GATEWAY) / "process.json").read_bytes())
    seen = [*memory_of(process["pid"]), *files_of(cluster.folder(GATEWAY))]
    assert found_in(seen, terms) == set()
    assert found_in(seen, {"its own": own["key share"][-1:]}) == {"its own"}
    assert found_in([b"".join(ones[-1] for ones in terms.values())], terms) == set(terms)

    cluster.start("safe-1", "safe-4")
    until_all_answer(tablet)
    assert tablet.json("reseed", "--via", GATEWAY)["ended"]
    (again,) = tablet.json("receipts")["receipts"]
    certificates = certificates_of(tablet, again["id"])
    assert [one["safe"] for one in certificates] == [*VALUES, *KEYS]
    assert {one["generation"] for one in certificates} == {2}
    assert set(reached) == {GATEWAY}


def until_all_answer(kura: KuraInProcess) -> None:
    """A gateway finds a safe that was started again within a second."""
    wait_until(lambda: not kura.ok("safes", "status", "--via", GATEWAY).messages)


def files_of(folder: Path) -> Iterator[bytes]:
    """Every file of a safe: settings, keys, database, log."""
    return (path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_by_receipts_too_and_what_a_safe_lost_and_rebuilt_comes_by_its_new_certificate(
    here: KuraInProcess, cluster: LocalCluster, tmp_path: Path, reached: list[str]
) -> None:
    """A wallet without an owner; the gateway by its id. The rebuilt piece is one of three that are left."""
    until_all_answer(here)
    add_ticket(here)
    before = exported(here, tmp_path / "before.json")
    gateway = {one.name: one.safe_id.hex() for one in cluster.roster.safes}[GATEWAY]
    (receipt,) = here.json("backup", "--all", "--delete", "--via", gateway)["receipts"]
    cluster.wipe("safe-2")
    new_wallet(tmp_path / "passer-by", cluster.roster_file).ok("safes", "repair", "--via", GATEWAY)
    cluster.kill("safe-3", "safe-4")

    done = here.ok("recover", receipt["id"], "--via", gateway)

    assert exported(here, tmp_path / "after.json") == before
    assert "safe-3" in done.messages
    assert "safe-2" not in done.messages
    assert set(reached) == {GATEWAY}
