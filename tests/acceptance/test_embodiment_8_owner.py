"""The eighth embodiment: owner information is registered with the values, and brings them back without a key.

The source numbers no steps here, but says what differs from the embodiments before: the terminal takes in the
owner information (145) and the owner authentication information (146); the registration means 143 registers
both with the value as a set; the recovery means 144 presents the owner information to the safe and gets the
value when collation succeeds, "even if the decoding key [...] is lost"; the authentication information may be
a one-way function of the owner information, and that a password. Here it is a name and a PIN; the one-way
function is one that no safe can compute alone.
"""

import shutil
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.faults import database_of
from support.forked import KuraForked
from support.kura import KuraInProcess
from support.owners_wallets import quick_stretch
from support.steps import Readers, add_ticket, exported
from trust.ids import Hash
from wallet_client.owners import stretch
from wallet_client.owners.names import OwnerName, Pin

__all__ = ["quick_stretch"]

PIN, OTHER = "4711 mole", "4711 moles"
TWICE = f"{PIN}\n{PIN}\n"


@pytest.fixture
def tablet(tmp_path: Path) -> KuraInProcess:
    """Another device, on which nothing is yet."""
    return KuraInProcess(tmp_path / "tablet")


def coming_back(name: str, cluster: LocalCluster) -> tuple[str | Path, ...]:
    """The command of a new device."""
    return ("owner", "recover", name, "--roster", cluster.roster_file, "--no-passphrase")


def test_who_presents_the_owner_information_gets_the_values_though_every_key_is_lost(
    kura: KuraForked, here: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """145 and 146 take it in, 143 registers it; 144 presents it to three safes of five on a new device."""
    add_ticket(here)
    add_ticket(here, name="Ran")
    before = exported(here, tmp_path / "before.json")
    kura.ok("owner", "enroll", "embodiment-8", typed=TWICE)  # 145, 146
    here.ok("backup", "--all", "--delete")  # 143

    shutil.rmtree(kura.home)  # the terminal is destroyed, and with it the decoding key
    cluster.kill("safe-2", "safe-4")
    tablet = KuraForked(tmp_path / "tablet")
    done = tablet.json(*coming_back("embodiment-8", cluster), typed=f"{PIN}\n")  # 144

    assert (done["found"], done["recovered"], done["left"]) == (2, 2, {})
    assert exported(KuraInProcess(tablet.home), tmp_path / "after.json") == before


@pytest.mark.usefixtures("quick_stretch")
def test_without_collation_a_safe_gives_nothing(
    here: KuraInProcess, tablet: KuraInProcess, cluster: LocalCluster
) -> None:
    """Other owner information is refused and counted; the right one is collated, and costs no guess."""
    here.ok("owner", "enroll", "collation", typed=TWICE)
    add_ticket(here)
    here.ok("backup", "--all", "--delete")

    refused = tablet(*coming_back("collation", cluster), typed=f"{OTHER}\n")

    assert (refused.code, refused.output) == (1, "")
    assert tablet.json("wallet", "list")["values"] == []
    rows = here.json("owner", "status")["safes"]
    assert sorted(row["guesses_left"] for row in rows) == [9, 9, 9, 10, 10]
    assert tablet.json(*coming_back("collation", cluster), typed=f"{PIN}\n")["recovered"] == 1
    rows = here.json("owner", "status")["safes"]
    assert sorted(row["guesses_left"] for row in rows) == [9, 9, 9, 10, 10]


@pytest.mark.usefixtures("quick_stretch")
def test_what_a_safe_keeps_of_it_is_no_owner_information(here: KuraInProcess, cluster: LocalCluster) -> None:
    """Neither name nor PIN, nor the PIN stretched, stands in any safe's files; the owner's id does."""
    here.ok("owner", "enroll", "one-way-anna", typed=TWICE)
    genesis = Hash(cluster.roster.fingerprint)
    owner = stretch.owner_id(OwnerName("one-way-anna"), genesis)
    for name in cluster.names:
        data = database_of(cluster, name).parent
        content = b"".join(path.read_bytes() for path in data.iterdir() if path.is_file())
        assert bytes(owner) in content
        for secret in (b"one-way-anna", PIN.encode(), stretch.stretch_pin(Pin(PIN), owner).reveal()):
            assert secret not in content


@pytest.mark.usefixtures("quick_stretch")
def test_the_values_are_registered_with_it_as_a_set(here: KuraInProcess, cluster: LocalCluster) -> None:
    """What was registered before too: not even all safes together read it without the owner information."""
    add_ticket(here)
    here.ok("backup", "--all")
    readers = Readers.of(cluster, here)
    assert readers.read(*cluster.names[:3]) == ["Rashomon"]  # the attacker's twin

    here.ok("owner", "enroll", "as-a-set", typed=TWICE)
    add_ticket(here, name="Ran")
    here.ok("backup", "--all", "--delete")

    assert readers.read(*cluster.names) == []
    assert {row["items"] for row in here.json("owner", "status")["safes"]} == {2}
    assert here.json("recover", "--all")["values"] != []


@pytest.mark.usefixtures("quick_stretch")
def test_the_owner_information_may_be_replaced(
    here: KuraInProcess, tablet: KuraInProcess, cluster: LocalCluster
) -> None:
    """The old password opens nothing any more."""
    here.ok("owner", "enroll", "replaced", typed=TWICE)
    add_ticket(here)
    here.ok("backup", "--all", "--delete")
    here.ok("owner", "change-pin", typed=f"{PIN}\n{OTHER}\n{OTHER}\n")
    assert tablet(*coming_back("replaced", cluster), typed=f"{PIN}\n").code == 1
    assert tablet.json(*coming_back("replaced", cluster), typed=f"{OTHER}\n")["recovered"] == 1
