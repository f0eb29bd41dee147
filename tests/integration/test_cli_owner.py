"""`kura owner` and `kura reseed` as a person and a script meet them: PINs, documents, exit codes, a thief."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.cluster import LocalCluster
from support.kura import Finished, KuraInProcess, new_wallet, standard_input, without_wallet
from support.memory_safes import roster_file_of, roster_of
from support.owners_wallets import quick_stretch
from support.terminal import at_terminal
from tools.demo import thief

__all__ = ["quick_stretch"]

PIN, OTHER = "4711 mole", "forty-seven moles"
ONE_FOR_ALL = "The name or the PIN is another, or the safes take no guess now."

Device = Callable[[str], KuraInProcess]


@pytest.fixture
def device(cluster: LocalCluster, tmp_path: Path, quick_stretch: None) -> Device:
    """`kura` with a home of that name, in which nothing is yet."""
    return lambda name: KuraInProcess(tmp_path / name)


@pytest.fixture
def empty(device: Device, cluster: LocalCluster) -> KuraInProcess:
    """A fresh wallet."""
    here = device("phone")
    here.ok("wallet", "init", "--roster", cluster.roster_file, "--no-passphrase")
    return here


@pytest.fixture
def phone(empty: KuraInProcess) -> KuraInProcess:
    """A wallet with two values that are backed up."""
    for name in ("bus", "museum"):
        empty.ok("wallet", "add", "--class", "ticket", "--name", name)
    empty.ok("backup", "--all")
    return empty


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test enrols: they share the safes."""
    return request.node.name.translate({ord(one): "-" for one in "[]_ "})[5:60].rstrip("-").lower()


def twice(pin: str) -> str:
    return f"{pin}\n{pin}\n"


def recover(device: KuraInProcess, name: str, cluster: LocalCluster, pin: str = PIN) -> Any:
    """Come back on a device, and insist on it."""
    command = ("owner", "recover", name, "--roster", cluster.roster_file, "--no-passphrase")
    return device.json(*command, typed=f"{pin}\n")


def names(device: KuraInProcess) -> list[str]:
    return sorted(one["name"] for one in device.json("wallet", "list")["values"])


def test_a_name_and_a_pin_bring_everything_back_and_each_command_says_what_it_did(
    phone: KuraInProcess, device: Device, cluster: LocalCluster, name: str
) -> None:
    """The documents of --json, one after the other."""
    done = phone.json("owner", "enroll", name.upper(), typed=twice(PIN))
    assert done == {
        "owner": name,
        "policy": "pin",
        "safes_holding": 5,
        "safes": 5,
        "threshold": 3,
        "guesses": 10,
        "total_guesses": [16, 20, 30],
        "resealed": 2,
        "beyond_owner": [],
        "failed": {},
    }
    status = phone.json("owner", "status")
    assert status["owner"] == name
    assert [row["safe"] for row in status["safes"]] == list(cluster.names)
    for row in status["safes"]:
        assert (row["reachable"], row["differs"], row["guesses_left"], row["items"]) == (True, False, 10, 2)
    assert len({row["record"] for row in status["safes"]}) == 1

    tablet = device("tablet")
    done = recover(tablet, name, cluster)
    assert done == {
        "owner": name,
        "found": 2,
        "recovered": 2,
        "suspended": [],
        "left": {},
        "lacking": {},
        "failed": {},
    }
    assert names(tablet) == ["bus", "museum"]

    phone.ok("wallet", "add", "--class", "ticket", "--name", "zoo")
    phone.ok("backup", "--all", "--delete")
    assert tablet.json("owner", "recover", name)["recovered"] == 3  # without the PIN
    assert names(tablet) == ["bus", "museum", "zoo"]
    assert tablet.json("resume")["owner"] is None

    wallets = tablet.json("owner", "wallets")
    assert sorted(one["this"] for one in wallets["wallets"]) == [False, True]
    assert [one["revoked_at"] for one in wallets["wallets"]] == [None, None]

    done = tablet.json("owner", "change-pin", typed=f"{PIN}\n{twice(OTHER)}")
    assert done == {"safes_holding": 5, "safes": 5, "failed": {}}
    assert tablet.json("owner", "rearm") == {"safes": 5, "rearmed": 5, "failed": {}}

    done = tablet.json("reseed")
    assert (len(done["resealed"]), done["left"], done["waiting"], done["ended"]) == (3, {}, 0, True)
    done = tablet.json("reseed", "--root", typed=f"{OTHER}\n")
    assert (len(done["resealed"]), done["ended"], done["failed"]) == (3, True, {})
    states = {one["this"]: one["revoked_at"] for one in tablet.json("owner", "wallets")["wallets"]}
    assert states[False] is not None
    assert states[True] is None
    report = tablet.json("resume")
    assert (report["older_generations"], report["root_changing"], report["still_owed"]) == (0, False, {})

    refused = phone("recover", "--all")
    assert (refused.code, refused.output) == (1, "")
    assert "revoked this wallet" in refused.messages
    third = device("third")
    assert recover(third, name, cluster, OTHER)["recovered"] == 3


def test_people_are_told_the_same_in_words(
    phone: KuraInProcess, device: Device, cluster: LocalCluster, name: str
) -> None:
    """What to expect of a thief who guesses, and what a name and a PIN would not bring back."""
    phone.ok("wallet", "add", "--class", "ticket", "--name", "alone")
    phone.ok("backup", "alone", "--policy", "sealed")
    said = phone.ok("owner", "enroll", name, "--guesses", "5", typed=twice(PIN))
    assert f"{name} is enrolled at 5 of 5 safes; any 3 of them bring everything back." in said.output
    assert "can try 8 PINs in all, 10 if 1 safe lies, 15 if 2 safes lie" in said.output
    assert "3 items sealed anew." in said.output
    assert "kura key backup main" in said.messages
    assert "5 of 5" in phone.ok("owner", "status").output

    tablet = device("tablet")
    command = ("owner", "recover", name, "--roster", cluster.roster_file, "--no-passphrase")
    said = tablet.ok(*command, "--capacity", "1KiB", typed=f"{PIN}\n")
    assert "Found 3 values; 2 recovered." in said.output
    assert "the wallet knows nothing of it" in said.messages
    (other,) = [one["wallet"] for one in tablet.json("owner", "wallets")["wallets"] if not one["this"]]
    said = tablet.ok("owner", "revoke", other[:16], typed=PIN)
    assert "5 of 5 safes refuse the wallet from now on." in said.output
    said = tablet.ok("reseed")
    assert "2 items sealed anew.\n1 item stands as they were." in said.output


@pytest.mark.parametrize(
    "pin",
    [
        pytest.param("x" * 1000, id="a thousand characters"),
        pytest.param("\U0001f42d\U0001f511\U0001f42d\U0001f511", id="emoji"),
        pytest.param(" spaced  out ", id="spaces"),
    ],
)
def test_a_pin_holds_however_it_is_written(
    empty: KuraInProcess, device: Device, cluster: LocalCluster, name: str, pin: str
) -> None:
    """As it was typed, to the last character; a line end of another system is none of it."""
    empty.ok("owner", "enroll", name, typed=f"{pin}\r\n{pin}\n")
    refused = wrong(device("stranger"), name, cluster, pin[:-1] + "?")
    assert ONE_FOR_ALL in refused.messages
    assert recover(device("tablet"), name, cluster, pin)["left"] == {}


def wrong(device: KuraInProcess, name: str, cluster: LocalCluster, pin: str) -> Finished:
    """A guess that fails."""
    return device(
        "owner", "recover", name, "--roster", cluster.roster_file, "--no-passphrase", typed=f"{pin}\n"
    )


def test_a_wrong_pin_and_a_name_of_nobody_print_the_same(
    empty: KuraInProcess, device: Device, cluster: LocalCluster, name: str
) -> None:
    """Exit code 1, nothing on standard output, and the wallet that was made is used the next time."""
    empty.ok("owner", "enroll", name, typed=twice(PIN))
    stranger, nobody = device("stranger"), device("nobody")
    said = wrong(stranger, name, cluster, OTHER)
    assert said == wrong(nobody, f"{name}-not", cluster, PIN)
    assert (said.code, said.output) == (1, "")
    assert ONE_FOR_ALL in said.messages
    assert "Traceback" not in said.messages
    assert [row["guesses_left"] for row in empty.json("owner", "status")["safes"]].count(9) == 3
    assert recover(stranger, name, cluster)["failed"] == {}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        pytest.param("", "holds too few lines", id="nothing"),
        pytest.param(f"{PIN}\n", "holds too few lines", id="no second line"),
        pytest.param(f"{PIN}\n{OTHER}\n", "not the same", id="two that differ"),
        pytest.param("\n\n", "PIN", id="an empty one"),
        pytest.param(twice("123"), "PIN", id="one that is too short"),
        pytest.param(twice("x" * 1001), "PIN", id="one that is too long"),
        pytest.param(twice("x" * 100_000), "PIN", id="one without end"),
        pytest.param(twice("47\x0011"), "PIN", id="a control character"),
        pytest.param(b"\xff\xfe4711\n\xff\xfe4711\n", "not UTF-8", id="no text"),
    ],
)
def test_what_cannot_be_a_pin_is_refused_before_any_safe_is_asked(
    empty: KuraInProcess, name: str, typed: str | bytes, said: str
) -> None:
    """Exit code 1, a plain reason without the PIN, and the wallet is nobody's."""
    done = empty("owner", "enroll", name, typed=typed)
    assert (done.code, done.output) == (1, "")
    assert said in done.messages
    assert "Traceback" not in done.messages
    assert PIN not in done.messages
    assert empty("owner", "status").code == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["owner", "recover", "anna"], "--roster FILE", id="a new device without a roster"),
        pytest.param(["owner", "enroll"], "Missing argument", id="no name"),
        pytest.param(["owner", "enroll", "anna", "--guesses", "0"], "1<=x<=100", id="no guess at all"),
        pytest.param(["owner", "enroll", "anna", "--invitation", "x"], "SAFE=CODE", id="half an invitation"),
        pytest.param(["reseed", "--root", "r-1"], "--root is for all items", id="a root for one item"),
        pytest.param(["owner", "change-pin", "4711"], "unexpected extra argument", id="a PIN as an argument"),
    ],
)
def test_wrong_usage_ends_with_2(device: Device, words: list[str], said: str) -> None:
    """And nothing is made."""
    nowhere = device("nowhere")
    done = nowhere(*words, typed=twice(PIN))
    assert (done.code, done.output) == (2, "")
    assert said in done.messages
    assert not nowhere.home.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["owner", "status"],
        ["owner", "wallets"],
        ["owner", "rearm"],
        ["owner", "change-pin"],
        ["owner", "revoke", "00"],
        ["reseed", "--root"],
    ],
    ids=" ".join,
)
def test_a_wallet_of_nobody_refuses_with_1(empty: KuraInProcess, words: list[str]) -> None:
    """It says how to become somebody's."""
    done = empty(*words, typed=f"{PIN}\n{twice(OTHER)}")
    assert (done.code, done.output) == (1, "")
    assert "acts for no owner" in done.messages
    assert "kura owner enroll" in done.messages


def test_a_wallet_serves_one_owner_and_one_roster(
    empty: KuraInProcess, device: Device, cluster: LocalCluster, tmp_path: Path, name: str
) -> None:
    """Another name, or the roster of other safes, is refused before a PIN is asked for."""
    empty.ok("owner", "enroll", name, typed=twice(PIN))
    for words in (("owner", "enroll", name), ("owner", "recover", f"{name}-not")):
        done = empty(*words, typed=twice(PIN))
        assert (done.code, done.output) == (1, "")
        assert f"acts for the owner {name} already" in done.messages
    second = device("second")
    second.ok("wallet", "init", "--roster", cluster.roster_file, "--no-passphrase")
    (tmp_path / "other.json").write_bytes(roster_file_of(roster_of(3, 2)))
    done = second("owner", "recover", name, "--roster", tmp_path / "other.json")
    assert (done.code, done.output) == (1, "")
    assert "believes another" in done.messages
    for prefix in ("", "zz"):
        done = empty("owner", "revoke", prefix + "0" * 70, typed=PIN)
        assert (done.code, "begins with" in done.messages) == (1, True)
    done = empty("owner", "revoke", empty.json("owner", "wallets")["wallets"][0]["wallet"], typed=PIN)
    assert (done.code, "this wallet itself" in done.messages) == (1, True)


def test_too_few_safes_cost_no_guess(
    empty: KuraInProcess, device: Device, cluster: LocalCluster, name: str
) -> None:
    """The error names each that is away; a status is to be had from the others."""
    empty.ok("owner", "enroll", name, typed=twice(PIN))
    cluster.kill("safe-1", "safe-3", "safe-5")
    done = wrong(device("tablet"), name, cluster, PIN)
    assert (done.code, done.output) == (1, "")
    assert "2 of the 3 safes needed answered well" in done.messages
    assert "No guess was spent." in done.messages
    rows = empty.json("owner", "status")["safes"]
    assert [row["reachable"] for row in rows] == [False, True, False, True, False]
    cluster.start("safe-1", "safe-3", "safe-5")
    assert {row["guesses_left"] for row in empty.json("owner", "status")["safes"]} == {10}
    assert recover(device("tablet"), name, cluster)["failed"] == {}


def test_while_a_safe_is_away_the_pin_of_before_is_told_to_be_of_use(
    empty: KuraInProcess, cluster: LocalCluster, name: str
) -> None:
    """Its record is dropped once every safe has the new one."""
    empty.ok("owner", "enroll", name, typed=twice(PIN))
    cluster.kill("safe-5")
    changed = empty("owner", "change-pin", typed=f"{PIN}\n{twice(OTHER)}")
    assert (changed.code, "the PIN of before can still use it" in changed.messages) == (0, True)
    cluster.start("safe-5")
    changed = empty("owner", "change-pin", typed=f"{OTHER}\n{twice(OTHER)}")
    assert (changed.code, changed.messages) == (0, "")
    assert [row["differs"] for row in empty.json("owner", "status")["safes"]] == [False] * 5


def searched(home: Path, cluster: LocalCluster, capture: pytest.CaptureFixture[str]) -> dict[str, int]:
    """What the thief's program finds in the safes' databases with a stolen home."""
    databases = [str(cluster.folder(safe) / "data" / "safe.db") for safe in cluster.names]
    capture.readouterr()
    with standard_input(""):
        assert thief.main([str(home), *databases]) == 0
    found: dict[str, int] = json.loads(capture.readouterr().out)
    return found


def test_a_stolen_home_opens_what_the_safes_store_until_it_is_reseeded(
    phone: KuraInProcess,
    device: Device,
    cluster: LocalCluster,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    """Everything, keys and what they seal, and a value too large for one message; then nothing at all."""
    phone.ok("owner", "enroll", name, typed=twice(PIN))
    (tmp_path / "large").write_bytes(bytes(range(256)) * 16_384)
    phone.ok("wallet", "add", tmp_path / "large")
    phone.ok("wallet", "add", "--class", "ticket", "--name", "under the root")
    phone.ok("backup", "large")
    phone.ok("backup", "under the root", "--policy", "seed", "--delete")
    stolen = Path(shutil.copytree(phone.home, tmp_path / "stolen"))
    nobody = device("nobody")
    nobody.ok("wallet", "init", "--roster", cluster.roster_file, "--no-passphrase")
    others = searched(nobody.home, cluster, capsys)["opened"]  # what other tests left unbound
    assert searched(stolen, cluster, capsys)["opened"] == others + 5

    tablet = device("tablet")
    recover(tablet, name, cluster)
    assert tablet.json("reseed", "--root", typed=f"{PIN}\n")["ended"]

    assert searched(stolen, cluster, capsys)["opened"] == others
    assert searched(tablet.home, cluster, capsys)["opened"] == others + 5
    refused = KuraInProcess(stolen)("recover", "--all")
    assert (refused.code, refused.output) == (1, "")


def test_at_a_terminal_the_pin_is_asked_for_and_never_shown(cluster: LocalCluster, tmp_path: Path) -> None:
    """After a slip both are asked for again; so is a new wallet's passphrase, twice and no third time.

    The home is where KURA_HOME says. The PIN is stretched here as it is for people.
    """
    kura = new_wallet(tmp_path / "phone", cluster.roster_file).process
    with at_terminal(kura, "owner", "enroll", "terminal-anna") as terminal:
        for text in (PIN, OTHER, PIN, PIN):
            terminal.answer(r"(PIN|again): ?", text)
        terminal.expect("is enrolled at 5 of 5 safes")
        assert PIN not in terminal.shown
    assert terminal.code == 0
    tablet = without_wallet(tmp_path / "tablet").process
    with at_terminal(
        tablet, "owner", "recover", "terminal-anna", "--roster", cluster.roster_file
    ) as terminal:
        terminal.answer(r"PIN: ?", PIN)
        terminal.answer(r"Passphrase for the new wallet: ?", "a passphrase")
        terminal.answer(r"again: ?", "a passphrase")
        terminal.expect("Found 0 values; 0 recovered.")
        assert "Passphrase:" not in terminal.shown
        assert PIN not in terminal.shown
    assert terminal.code == 0
    assert (tmp_path / "tablet" / "wallet.db").exists()


def test_standard_input_that_is_closed_holds_no_pin(
    empty: KuraInProcess, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a service without any has it."""
    monkeypatch.setattr(sys, "stdin", None)
    from wallet_client.cli.main import main

    assert main(["--home", str(empty.home), "owner", "enroll", name]) == 1
    assert "holds too few lines" in capsys.readouterr().err
