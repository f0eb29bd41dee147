"""`kura owner policy`, `factor`, `waiting-period`, `veto`, and `--with`, as people and scripts meet them."""

from pathlib import Path
from typing import Any

import pytest

from support.cluster import LocalCluster
from support.kura import KuraInProcess, new_wallet
from support.owner_devices import cheap_files
from support.owners_wallets import quick_stretch, stretch_quickly

__all__ = ["cheap_files", "quick_stretch"]
pytestmark = pytest.mark.usefixtures("quick_stretch", "cheap_files")

PIN, NEW_PIN, DRAWER = "4711 mole", "forty-seven moles", "in a drawer"
BOTH = f"{PIN}\n{DRAWER}\n"


@pytest.fixture
def stick(tmp_path: Path) -> str:
    """Where a device is made."""
    return f"file:{tmp_path / 'stick.device'}"


@pytest.fixture
def phone(cluster: LocalCluster, tmp_path: Path, request: pytest.FixtureRequest) -> KuraInProcess:
    """An owner's wallet; the name is the test's."""
    here = new_wallet(tmp_path / "phone", cluster.roster_file)
    here.ok("owner", "enroll", name_of(request), typed=f"{PIN}\n" * 2)
    return here


def name_of(request: pytest.FixtureRequest) -> str:
    return str(request.node.name).replace("_", "-")[5:60]


def test_a_device_is_added_asked_for_shown_and_removed(phone: KuraInProcess, stick: str) -> None:
    """What the documents say at each step."""
    add = ("owner", "factor", "add", "device")
    done = phone.json(*add, "stick", "--device", stick, typed=f"{PIN}\n{DRAWER}\n{DRAWER}\n")
    (device,) = done["devices"]
    assert (device["label"], device["verifies"], device["copied"]) == ("stick", True, False)
    assert (done["policy"], done["failed"]) == ("pin", {})

    said = phone.ok("owner", "policy", "pin and device", "--device", stick, typed=BOTH).output
    assert "Opens by pin and device; 3 of 5 safes are enough." in said
    policy = phone.json("owner", "policy")
    assert (policy["ways"], policy["total_guesses"]) == ([["device", "pin"]], [16, 20, 30])
    assert "Opens by pin and device." in phone.ok("owner", "status").output
    listed = phone.ok("owner", "factor", "list").output
    assert "stick" in listed
    assert device["id"][:16] in listed

    second = stick.replace("stick", "second")
    by = ("--with", "pin,device", "--with-device", stick)
    phone.ok(*add, "second", "--device", second, *by, typed=f"{BOTH}{DRAWER}\n{DRAWER}\n")
    gone = ("owner", "factor", "remove", "device", device["id"][:8], "--device", second)
    left = phone.json(*gone, "--with", "pin,device", typed=BOTH)["devices"]
    assert [one["label"] for one in left] == ["second"]


def test_what_unlocks_the_record_takes_the_same_options(
    phone: KuraInProcess, stick: str, cluster: LocalCluster, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Change of PIN, revocation, a new root, the end of it all: none goes by the PIN alone any more."""
    phone.ok("owner", "factor", "add", "device", "s", "--device", stick, typed=f"{PIN}\n{DRAWER}\n{DRAWER}\n")
    phone.ok("owner", "policy", "pin and device", "--device", stick, typed=BOTH)
    by = ("--with", "pin,device", "--device", stick)
    assert phone("owner", "change-pin", typed=f"{PIN}\n{NEW_PIN}\n{NEW_PIN}\n").code == 1
    phone.ok("owner", "change-pin", *by, typed=f"{BOTH}{NEW_PIN}\n{NEW_PIN}\n")
    both = f"{NEW_PIN}\n{DRAWER}\n"
    tablet = KuraInProcess(tmp_path / "tablet")
    roster = ("--roster", cluster.roster_file, "--no-passphrase")
    tablet.ok("owner", "recover", name_of(request), *roster, *by, typed=both)
    other = next(one for one in phone.json("owner", "wallets")["wallets"] if not one["this"])
    assert phone.json("owner", "revoke", other["wallet"][:12], *by, typed=both)["told"] == 5
    assert phone.json("reseed", "--root", *by, typed=both)["ended"]
    assert phone("owner", "forget", "--name", name_of(request), typed=f"{NEW_PIN}\n").code == 1
    phone.ok("owner", "forget", "--name", name_of(request), *by, typed=both)


def test_a_stranger_waits_and_is_vetoed(
    phone: KuraInProcess, cluster: LocalCluster, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Told when to come back; the owner sees who waits; what is ended is told the next time."""
    said = phone.ok("owner", "waiting-period", "48h", typed=f"{PIN}\n").output
    assert "waits 2 days; a veto ends that." in said
    thief = KuraInProcess(tmp_path / "thief")
    command = ("owner", "recover", name_of(request), "--roster", cluster.roster_file, "--no-passphrase")
    first = thief(*command, typed=f"{PIN}\n")
    assert first.code == 1
    assert "The owner's waiting period runs: the safes give their parts from" in first.messages
    again = thief(*command)
    assert again.code == 1
    assert first.messages.endswith(again.messages)

    shown: Any = phone.json("owner", "status")
    (waiting,) = shown["waiting"]
    assert (waiting["with"], shown["next_veto_at_ms"]) == (["pin"], 0)
    assert waiting["release_at_ms"] - waiting["asked_at_ms"] == 48 * 3_600_000
    key = waiting["key"]
    assert "A recovery by pin waits until" in phone.ok("owner", "status").output
    assert phone("owner", "veto", "ffff" + key[:4], typed=f"{PIN}\n").code == 1
    assert phone.json("owner", "veto", key[:8], typed=f"{PIN}\n")["ended"] == 5

    ended = thief(*command)
    assert ended.code == 1
    assert "was vetoed, or the owner's record was changed" in ended.messages
    assert phone.json("owner", "waiting-period", "off", typed=f"{PIN}\n")["waiting_seconds"] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("policy", "pin and fingers"), "makes no sense from place 9 on"),
        (("policy", "authority"), "--accept-safes-can-open"),
        (("policy", "pin and device"), "The owner has no device"),
        (("waiting-period", "31d"), "up to 30d, or off"),
        (("waiting-period", "soon"), "up to 30d, or off"),
        (("factor", "remove", "device", "none"), "No single device"),
        (("factor", "add", "device", "x" * 65, "--device", "file:x"), "1 to 64 characters"),
        (("factor", "add", "device", "x", "--device", "usb"), "a device is file:PATH"),
        (("factor", "add", "device", "x", "--device", "pkcs11:token=x"), "a token is named"),
        (("factor", "add", "authority"), "knows no authority"),
        (("veto",), "No single recovery waits"),
        (("change-pin", "--with", "pin,eyes"), "no list of pin, device, authority"),
        (("change-pin", "--with", "pin,device"), "To open it with device, say which"),
        (("change-pin", "--with", "device", "--device", "file:none"), "no such file"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_what_is_said_wrongly_is_refused_with_a_hint(
    shared: KuraInProcess, words: tuple[str, ...], said: str
) -> None:
    """And changes nothing."""
    refused = shared("owner", *words, typed=f"{PIN}\n{DRAWER}\n")
    assert refused.code in (1, 2)
    assert said in refused.messages
    assert refused.output == ""


@pytest.fixture(scope="module")
def shared(cluster_of_worker: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> KuraInProcess:
    """One owner for all refusals: they change nothing."""
    cluster_of_worker.heal()
    with pytest.MonkeyPatch.context() as patch:
        stretch_quickly(patch)
        here = new_wallet(tmp_path_factory.mktemp("shared") / "phone", cluster_of_worker.roster_file)
        here.ok("owner", "enroll", "refused-with-a-hint", typed=f"{PIN}\n" * 2)
    return here
