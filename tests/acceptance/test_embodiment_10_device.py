"""The tenth embodiment: an authentication device, which the safes check themselves.

The source numbers no steps here, but says what differs from the eighth embodiment: the authentication device
read means 151 reads "the ID information of the IC card"; the terminal 150 sends it to the safe 152, whose
authentication check means 154 collates it with the authentication check information storage means 153. When
the owner is authenticated, the safe "sends this information to the terminal 150 to form the encryption
communication path", holds the result as a set with the value, and the recovery means 144 acquires the value
by that path. "It is also possible to use the memory card having the security function." Here the card is a
WebAuthn authenticator, in a file on a memory card; its ID information is a signature of the safes' own
challenges, each signed by its safe, so that the card checks them as they check it; the path is the recipient
key that it signs with them.
"""

import shutil
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.faults import database_of
from support.kura import KuraInProcess
from support.owner_devices import cheap_files
from support.owners_wallets import quick_stretch
from support.steps import add_ticket, exported

__all__ = ["cheap_files", "quick_stretch"]

PIN = "4711 mole"
CARD = "a card in a drawer"


@pytest.fixture
def tablet(tmp_path: Path) -> KuraInProcess:
    """Another device, on which nothing is yet."""
    return KuraInProcess(tmp_path / "tablet")


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A file on the memory card; not made yet."""
    return tmp_path / "card.device"


def asks_for_the_card(here: KuraInProcess, name: str, card: Path, policy: str = "pin and device") -> None:
    """An owner whose record asks for it (153)."""
    here.ok("owner", "enroll", name, typed=f"{PIN}\n" * 2)
    add = ("owner", "factor", "add", "device", "card", "--device", f"file:{card}")
    here.ok(*add, typed=f"{PIN}\n{CARD}\n{CARD}\n")
    changed = here.json("owner", "policy", policy, "--device", f"file:{card}", typed=f"{PIN}\n{CARD}\n")
    assert changed["policy"] == policy


def coming_back(name: str, cluster: LocalCluster, card: Path, *factors: str) -> tuple[str | Path, ...]:
    """The command of a new terminal, at which the card is read (151)."""
    roster = ("--roster", cluster.roster_file, "--no-passphrase")
    return ("owner", "recover", name, *roster, "--with", ",".join(factors), "--device", f"file:{card}")


@pytest.mark.usefixtures("quick_stretch", "cheap_files")
def test_who_has_the_card_gets_the_values_by_the_path_that_it_signed(
    here: KuraInProcess, tablet: KuraInProcess, cluster: LocalCluster, card: Path, tmp_path: Path
) -> None:
    """151 reads it, 154 of three safes each collates it with 153; one reading serves them all."""
    add_ticket(here)
    before = exported(here, tmp_path / "before.json")
    asks_for_the_card(here, "embodiment-10", card)
    here.ok("backup", "--all", "--delete")  # 143, with the set

    shutil.rmtree(here.home)
    cluster.kill("safe-2", "safe-3")
    done = tablet.json(
        *coming_back("embodiment-10", cluster, card, "pin", "device"), typed=f"{PIN}\n{CARD}\n"
    )  # 144

    assert (done["found"], done["recovered"], done["left"]) == (1, 1, {})
    assert exported(tablet, tmp_path / "after.json") == before


@pytest.mark.usefixtures("quick_stretch", "cheap_files")
def test_without_collation_a_safe_gives_nothing(
    here: KuraInProcess, tablet: KuraInProcess, cluster: LocalCluster, card: Path, tmp_path: Path
) -> None:
    """No card; another card; the card without its passphrase: nobody can even guess the PIN."""
    asks_for_the_card(here, "no-card", card)
    other = tmp_path / "other.device"
    asks_for_the_card(KuraInProcess(_another(tmp_path, cluster)), "somebody-else", other)
    roster = ("--roster", cluster.roster_file, "--no-passphrase")
    without = tablet("owner", "recover", "no-card", *roster, typed=f"{PIN}\n")
    strange = tablet(*coming_back("no-card", cluster, other, "pin", "device"), typed=f"{PIN}\n{CARD}\n")
    locked = tablet(*coming_back("no-card", cluster, card, "pin", "device"), typed=f"{PIN}\nwrong\n")
    assert [one.code for one in (without, strange, locked)] == [1, 1, 1]
    assert "does not open by pin and device" in strange.messages
    assert "the passphrase is another" in locked.messages
    assert {row["guesses_left"] for row in here.json("owner", "status")["safes"]} == {10}
    both = coming_back("no-card", cluster, card, "pin", "device")
    assert tablet.json(*both, typed=f"{PIN}\n{CARD}\n")["left"] == {}


def _another(tmp_path: Path, cluster: LocalCluster) -> Path:
    home = tmp_path / "another"
    KuraInProcess(home).ok("wallet", "init", "--roster", cluster.roster_file, "--no-passphrase")
    return home


@pytest.mark.usefixtures("quick_stretch", "cheap_files")
def test_the_card_alone_is_enough_where_the_owner_says_so(
    here: KuraInProcess, tablet: KuraInProcess, cluster: LocalCluster, card: Path
) -> None:
    """As in the source; and what no card has read, no three safes open together."""
    asks_for_the_card(here, "card-alone", card, "device")
    add_ticket(here)
    here.ok("backup", "--all", "--delete")
    assert "have nothing to guess" in here.ok("owner", "policy").output
    assert (
        tablet.json(*coming_back("card-alone", cluster, card, "device"), typed=f"{CARD}\n")["recovered"] == 1
    )


@pytest.mark.usefixtures("quick_stretch", "cheap_files")
def test_what_the_safes_hold_to_check_the_card_is_not_the_card(
    here: KuraInProcess, cluster: LocalCluster, card: Path
) -> None:
    """Neither its seed, which only its file has, nor its passphrase; the check information alone."""
    asks_for_the_card(here, "check-information", card)
    (known,) = here.json("owner", "factor", "list")["devices"]
    assert (known["label"], known["verifies"]) == ("card", True)
    for name in cluster.names:
        data = database_of(cluster, name).parent
        content = b"".join(path.read_bytes() for path in data.iterdir() if path.is_file())
        assert b"card" in content
        assert CARD.encode() not in content
