"""The ninth embodiment: the owner is authenticated at the terminal's side, and safes take the result.

The source numbers no steps here, but says what differs from the eighth embodiment: the terminal 147 has an
owner information input means (145), an owner authentication information storage means (148) and an owner
authentication means (149), which collates the two. When the owner is authenticated, the safe is notified, and
"establishes the encryption communication path" between itself and the wallet; it holds "a set of the owner
authentication information corresponding to the result of authentication and the electronic value
information", and the recovery means 144 acquires the value "via the above encryption communication path". The
owner information may travel to 149 under a common key that is used temporarily, or under 149's public key;
and it may be a password. Here 148 and 149 are an authority, the notice is its signed assertion, and the path
is the recipient key that it binds. Names are stretched for real: the authority does it too.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.authority_process import AuthorityProcess, authority_process
from support.cluster import LocalCluster
from support.kura import KuraInProcess
from support.steps import add_ticket, exported

PIN, OTHER = "4711 mole", "4711 moles"
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthorityProcess]:
    with authority_process(tmp_path_factory.mktemp("authority") / "one") as one:
        yield one


@pytest.fixture
def tablet(tmp_path: Path) -> KuraInProcess:
    """Another device, on which nothing is yet."""
    return KuraInProcess(tmp_path / "tablet")


def asks_for_both(here: KuraInProcess, name: str, authority: AuthorityProcess) -> None:
    """An account (148), an owner, and a record that asks for the PIN and the authority's word."""
    here.ok("authority", "register", name, "--authority", authority.file, typed=f"{PASSWORD}\n" * 2)
    here.ok("owner", "enroll", name, typed=f"{PIN}\n" * 2)
    here.ok("owner", "factor", "add", "authority", typed=f"{PIN}\n")
    changed = ("owner", "policy", "pin and authority", "--authority", authority.file)
    assert here.json(*changed, typed=f"{PIN}\n")["policy"] == "pin and authority"


def coming_back(
    name: str, cluster: LocalCluster, authority: AuthorityProcess, *factors: str
) -> tuple[str | Path, ...]:
    """The command of a new device."""
    roster = ("--roster", cluster.roster_file, "--no-passphrase")
    by = ("--with", ",".join(factors)) if factors else ()
    shown = ("--authority", authority.file) if "authority" in factors else ()
    return ("owner", "recover", name, *roster, *by, *shown)


def test_who_is_authenticated_gets_the_values_by_the_path_that_the_authentication_names(
    here: KuraInProcess,
    tablet: KuraInProcess,
    cluster: LocalCluster,
    authority: AuthorityProcess,
    tmp_path: Path,
) -> None:
    """Neither the PIN nor the authentication is enough; with both, three of five safes seal to it."""
    add_ticket(here)
    before = exported(here, tmp_path / "before.json")
    asks_for_both(here, "embodiment-9", authority)
    here.ok("backup", "--all", "--delete")  # 143 registers, with the set
    both = coming_back("embodiment-9", cluster, authority, "pin", "authority")

    # Who is not authenticated cannot even guess.
    alone = tablet(*coming_back("embodiment-9", cluster, authority), typed=f"{PIN}\n")
    other_password = tablet(*both, typed=f"{PIN}\nanother horse\n")
    assert [one.code for one in (alone, other_password)] == [1, 1]
    assert "The name or the PIN is another" in alone.messages
    assert "The authority" in other_password.messages
    assert _guesses_left(here) == [10] * 5

    # 145 takes the password in, under a temporary common key; 149 collates it with what 148 holds.
    login = ("authority", "login", "embodiment-9", "--authority", authority.file, "--seal", "common")
    tablet.ok(*login, typed=f"{PASSWORD}\n")
    wrong_pin = tablet(*both, typed=f"{OTHER}\n")
    assert wrong_pin.code == 1
    assert "does not open by pin and authority" in wrong_pin.messages
    assert _guesses_left(here) == [9, 9, 9, 10, 10]

    shutil.rmtree(here.home)
    cluster.kill("safe-1", "safe-5")
    done = tablet.json(*both, typed=f"{PIN}\n")  # 144 acquires
    assert (done["found"], done["recovered"], done["left"]) == (1, 1, {})
    assert exported(tablet, tmp_path / "after.json") == before


def test_the_password_may_travel_under_the_public_key_and_the_authority_alone_opens_nothing(
    here: KuraInProcess, tablet: KuraInProcess, cluster: LocalCluster, authority: AuthorityProcess
) -> None:
    """In one command on a new device; nobody opens by the authority's word what asks for the PIN as well."""
    asks_for_both(here, "public-key", authority)
    by_word = tablet(*coming_back("public-key", cluster, authority, "authority"), typed=f"{PASSWORD}\n")
    assert by_word.code == 1
    assert "does not open by authority" in by_word.messages
    both = coming_back("public-key", cluster, authority, "pin", "authority")
    assert tablet.json(*both, typed=f"{PIN}\n")["left"] == {}


def _guesses_left(here: KuraInProcess) -> list[int]:
    return sorted(row["guesses_left"] for row in here.json("owner", "status")["safes"])
