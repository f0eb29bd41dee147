"""What is said when something goes wrong on the way in: each time the command that helps, and it does."""

import json
import re
import shlex
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.kura import KuraInProcess, new_wallet
from support.owner_devices import cheap_files
from support.owners_wallets import quick_stretch

__all__ = ["cheap_files", "quick_stretch"]
pytestmark = pytest.mark.usefixtures("quick_stretch", "cheap_files")

PIN, DRAWER = "4711 mole", "in a drawer"
BOTH = f"{PIN}\n{DRAWER}\n"
ONE = f"{PIN}\n"


@pytest.fixture
def phone(cluster: LocalCluster, tmp_path: Path, request: pytest.FixtureRequest) -> KuraInProcess:
    """An owner's wallet; the name is the test's."""
    here = new_wallet(tmp_path / "phone", cluster.roster_file)
    here.ok("owner", "enroll", name_of(request), typed=ONE * 2)
    return here


def name_of(request: pytest.FixtureRequest) -> str:
    return str(request.node.name).replace("_", "-")[5:60]


def stranger(folder: Path, cluster: LocalCluster, name: str) -> tuple[KuraInProcess, tuple[str, ...]]:
    """A new device, and how it comes back."""
    command = ("owner", "recover", name, "--roster", str(cluster.roster_file), "--no-passphrase")
    return KuraInProcess(folder), command


def test_a_device_that_came_to_nothing_leaves_no_file(phone: KuraInProcess, tmp_path: Path) -> None:
    """A wrong PIN, a label that is taken; a file that was there before stays."""
    file, add = tmp_path / "stick.device", ("owner", "factor", "add", "device")
    wrong = phone(*add, "stick", "--device", f"file:{file}", typed=f"0000\n{DRAWER}\n{DRAWER}\n")
    assert wrong.code == 1
    assert not file.exists()
    phone.ok(*add, "stick", "--device", f"file:{file}", typed=f"{BOTH}{DRAWER}\n")
    second = tmp_path / "second.device"
    taken = phone(*add, "stick", "--device", f"file:{second}", typed=f"{BOTH}{DRAWER}\n")
    assert "has a device stick already" in taken.messages
    assert not second.exists()
    assert phone(*add, "again", "--device", f"file:{file}", typed=BOTH).code == 1
    assert file.exists()


def test_an_older_copy_of_a_device_is_told_and_serves_once_it_has_caught_up(
    phone: KuraInProcess, cluster: LocalCluster, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """As often as the other one signed meanwhile; the owner is told, and how to end the device."""
    file, copy = tmp_path / "stick.device", tmp_path / "copy.device"
    add = ("owner", "factor", "add", "device", "stick", "--device", f"file:{file}")
    phone.ok(*add, typed=f"{BOTH}{DRAWER}\n")
    copy.write_bytes(file.read_bytes())
    phone.ok("owner", "policy", "pin and device", "--device", f"file:{file}", typed=BOTH)
    phone.ok("owner", "change-pin", "--with", "pin,device", "--device", f"file:{file}", typed=BOTH + ONE * 2)
    tablet, recover = stranger(tmp_path / "tablet", cluster, name_of(request))
    plain = tablet(*recover, typed=ONE)
    assert "Where the record asks for more than a PIN, say by what: --with pin,device." in plain.messages
    by = (*recover, "--with", "pin,device", "--device", f"file:{copy}")
    refused = tablet(*by, typed=BOTH)
    assert "An older copy of a device's file is refused until it has signed more often" in refused.messages
    for _ in range(int(json.loads(file.read_bytes())["counter"])):
        if (done := tablet(*by, typed=BOTH)).code == 0:
            break
    assert done.code == 0
    shown = phone.ok("owner", "status").output
    (found,) = re.findall(r"A copy of the device stick is about \(kura (.*)\)", shown)
    gone = phone(*shlex.split(found), "--with", "pin,device", "--device", f"file:{copy}", typed=BOTH)
    assert "The access policy needs device" in gone.messages


def test_a_change_with_a_safe_down_says_the_command_that_renews_the_record(
    phone: KuraInProcess, cluster: LocalCluster, tmp_path: Path
) -> None:
    """With the factors of now, which are others than before; the status says it too, until it is done."""
    file = f"file:{tmp_path / 'stick.device'}"
    phone.ok("owner", "factor", "add", "device", "s", "--device", file, typed=f"{BOTH}{DRAWER}\n")
    cluster.kill("safe-2")
    changed = phone.ok("owner", "policy", "pin and device", "--device", file, typed=BOTH)
    said = "say `kura owner policy 'pin and device' --with device,pin --device DEVICE`"
    assert f"opens it there: {said} once all safes answer" in " ".join(changed.messages.split())
    cluster.start("safe-2")
    shown = phone.ok("owner", "status").output
    assert (shown.count("keeps another beside"), shown.count("differs")) == (4, 1)
    (command,) = re.findall(r"Once all safes answer, say `kura (.*)`: it renews", shown)
    phone.ok(*shlex.split(command.replace("DEVICE", shlex.quote(file))), typed=BOTH)
    assert "renews the record" not in phone.ok("owner", "status").output


def test_who_vetoed_lately_is_told_what_ends_the_others(
    phone: KuraInProcess, cluster: LocalCluster, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two wait: a veto for one, a changed PIN for all; each wallet that waits is for one name."""
    phone.ok("owner", "waiting-period", "48h", typed=ONE)
    for number in range(2):
        thief, recover = stranger(tmp_path / f"thief-{number}", cluster, name_of(request))
        assert "the safes give their parts from" in thief(*recover, typed=ONE).messages
    other = thief("owner", "recover", "somebody-else", "--no-passphrase")
    assert "In this wallet the recovery of another name waits." in other.messages
    first, second = phone.json("owner", "status")["waiting"]
    done = phone.ok("owner", "veto", first["key"][:8], typed=ONE)
    assert "1 more wait, and no veto is taken for 30 days: change the PIN" in done.messages
    late = phone("owner", "veto", second["key"][:8], typed=ONE)
    assert "A veto was taken less than 30 days ago; the next one is on" in late.messages
    assert "`kura owner change-pin`" in late.messages
    phone.ok("owner", "change-pin", typed=f"{PIN}\nanother PIN\nanother PIN\n")
    assert phone.json("owner", "status")["waiting"] == []


def test_a_gateway_that_is_down_is_named_and_no_safe_behind_it(
    phone: KuraInProcess, cluster: LocalCluster, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Nobody knows anything of those; another gateway serves."""
    cluster.kill("safe-4")
    tablet, recover = stranger(tmp_path / "tablet", cluster, name_of(request))
    refused = tablet(*recover, "--via", "safe-4", typed=ONE)
    assert refused.messages.count("safe-4 carries nothing to it: nothing listens there (go by another") == 4
    assert refused.messages.count("its operator must bring it back") == 1
    tablet.ok(*recover, "--via", "safe-1", typed=ONE)
