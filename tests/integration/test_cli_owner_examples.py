"""Every example that the help of the owner's commands prints works as it is printed, in one story.

The other examples stand each for itself (test_cli_examples.py); these build on each other, and ask for PINs.
Ids, codes and folders that are somebody's own are put in their places; nothing else is changed.
"""

import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auth_service.identity import NewAuthority, create_authority
from safe_node.invitations import invite
from safe_node.store.sqlite_store import DATABASE_NAME
from support.cluster import LocalCluster
from support.kura import Finished, KuraInProcess, new_wallet
from support.owner_devices import cheap_files
from support.owners_wallets import quick_stretch
from support.printed_examples import printed_examples
from support.safe_process import now_ms
from threshold.randomness import SystemRandomness

pytestmark = pytest.mark.no_cover

__all__ = ["cheap_files", "quick_stretch"]

PIN = "forty-seven moles"
ONCE, TWICE = f"{PIN}\n", f"{PIN}\n" * 2
DRAWER = "in a drawer\n"
OF_AN_OWNER = ("kura owner", "kura reseed", "kura undelete")
AT_A_TERMINAL = "kura owner forget"
"""Without --name it insists on one; test_cli_owner_deletion.py types there."""


class Story:
    """Runs examples, and remembers which."""

    def __init__(self, kura: KuraInProcess) -> None:
        """Everything happens in this wallet, unless a line names another."""
        self.kura = kura
        self.told: list[str] = []

    def tell(self, line: str, typed: str = "", **own: str) -> Finished:
        """Run a printed line, with what is somebody's own in the place of the printed words."""
        self.told.append(line)
        for printed, ours in own.items():
            line = line.replace(printed, ours)
        program, *words = shlex.split(line)
        assert program == "kura"
        return self.kura.ok(*words, typed=typed)


@pytest.fixture
def story(
    cluster: LocalCluster,
    tmp_path: Path,
    quick_stretch: None,
    cheap_files: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Story:
    """A wallet with two values, one of them backed up, in a folder with the roster's file and a stick."""
    shutil.copy(cluster.roster_file, tmp_path / "roster.json")
    (tmp_path / "stick").mkdir()
    new = NewAuthority("authority", "127.0.0.1:7401", "127.0.0.1:7401", 30, 30)
    create_authority(tmp_path / "authority", new, SystemRandomness(), datetime.now(UTC))
    shutil.copy(tmp_path / "authority" / "authority.json", tmp_path)
    monkeypatch.chdir(tmp_path)
    kura = new_wallet(tmp_path / "wallet", cluster.roster_file)
    for name in ("City Bus", "Museum"):
        kura.ok("wallet", "add", "--class", "ticket", "--name", name)
    kura.ok("backup", "City Bus")
    return Story(kura)


def test_the_printed_examples_of_an_owner_work(story: Story, cluster: LocalCluster, tmp_path: Path) -> None:
    """From the first enrolment to the end of the owner, twice."""
    _looks_after_the_owner(story)
    _deletes_and_takes_back(story)
    _takes_back_what_was_written_over(story)
    _reseeds(story)
    _asks_for_more(story, tmp_path)
    _comes_back(story, tmp_path)
    story.kura.ok("owner", "forget", "--name", "anna", typed=ONCE)
    database = cluster.folder("safe-2") / "data" / DATABASE_NAME
    code = invite(database, 0, SystemRandomness(), now_ms())
    line = "kura owner enroll anna --policy pin --guesses 5 --invitation safe-2=R7KQ-2MWD-XA4T-9PLC"
    story.tell(line, TWICE, **{"R7KQ-2MWD-XA4T-9PLC": code})
    story.tell("kura owner forget --name anna", ONCE)
    printed = {line for line in printed_examples() if line.startswith(OF_AN_OWNER)}
    assert set(story.told) == printed - {AT_A_TERMINAL}


def _looks_after_the_owner(story: Story) -> None:
    story.tell("kura owner enroll anna", TWICE)
    story.tell("kura owner status")
    story.tell("kura owner status --json")
    story.tell("kura owner change-pin", ONCE + TWICE)
    story.tell("kura owner change-pin --guesses 5", ONCE + TWICE)
    story.tell("kura owner wallets")
    story.tell("kura owner wallets --json")
    story.tell("kura owner rearm")


def _asks_for_more(story: Story, tmp_path: Path) -> None:
    """Whether the authority's word opens anything needs one that runs: test_embodiment_9_authority.py."""
    story.tell("kura owner factor add device stick --device file:stick/kura.device", ONCE + DRAWER * 2)
    story.tell("kura owner factor add authority --authority authority.json", ONCE)
    story.tell("kura owner factor list")
    story.tell("kura owner factor list --json")
    line = "kura owner policy 'pin and (device or authority)' --device file:stick/kura.device"
    story.tell(line, ONCE + DRAWER)
    story.tell("kura owner policy")
    line = "kura owner recover anna --roster roster.json --with pin,device --device file:stick/kura.device"
    third = f"recover anna --home {tmp_path / 'third'} --no-passphrase"
    story.tell(line, ONCE + DRAWER, **{"recover anna": third})
    by = ("--with", "pin,device", "--device", "file:stick/kura.device")
    story.kura.ok("owner", "policy", "pin or device", *by, typed=ONCE + DRAWER)
    story.tell("kura owner policy pin --json", ONCE)
    story.tell("kura owner factor remove device stick", ONCE)
    story.tell("kura owner factor remove authority", ONCE)
    story.tell("kura owner waiting-period 48h", ONCE)
    thief = KuraInProcess(tmp_path / "thief")
    thief("owner", "recover", "anna", "--roster", "roster.json", "--no-passphrase", typed=ONCE)
    story.tell("kura owner veto", ONCE)
    story.tell("kura owner waiting-period off", ONCE)


def _deletes_and_takes_back(story: Story) -> None:
    receipt = _deleted(story)
    story.tell("kura undelete r-ra5abmuq7o", ONCE, **{"r-ra5abmuq7o": receipt})
    assert _receipts(story) == [receipt]
    receipt = _deleted(story)
    story.tell("kura undelete r-ra5 --json", ONCE, **{"r-ra5": receipt[:5]})
    assert _receipts(story) == [receipt]


def _takes_back_what_was_written_over(story: Story) -> None:
    (receipt,) = _receipts(story)
    story.kura.ok("recover", receipt)
    story.kura.ok("wallet", "edit", "City Bus", "--remarks", "a thief's")
    _deleted(story)
    deleted = story.kura.json("receipts", "deleted", receipt)["deletions"]
    before = sorted(one["generation"] for one in deleted)[-2]
    own = {"r-ra5": receipt[:5], "--generation 2": f"--generation {before}"}
    story.tell("kura undelete r-ra5 --generation 2", ONCE, **own)
    assert _receipts(story) == [receipt]


def _deleted(story: Story) -> str:
    (receipt,) = _receipts(story)
    story.kura.ok("wallet", "remove", "City Bus", "--yes")
    story.kura.ok("recover", receipt, "--delete-receipt")
    assert _receipts(story) == []
    return receipt


def _receipts(story: Story) -> list[str]:
    return [one["id"] for one in story.kura.json("receipts")["receipts"]]


def _reseeds(story: Story) -> None:
    (receipt,) = _receipts(story)
    story.tell("kura reseed r-ra5abmuq7o", **{"r-ra5abmuq7o": receipt})
    story.tell("kura reseed")
    story.tell("kura reseed --root", ONCE)


def _comes_back(story: Story, folder: Path) -> None:
    new = {"--home ~/new-phone": f"--home {folder / 'phone'} --no-passphrase"}
    story.tell("kura owner recover anna --roster roster.json --home ~/new-phone", ONCE, **new)
    small = {"--json": f"--json --home {folder / 'small'} --no-passphrase"}
    story.tell("kura owner recover anna --roster roster.json --capacity 64KiB --json", ONCE, **small)
    by_one = {"--via safe-2": f"--via safe-2 --home {folder / 'by-one'} --no-passphrase"}
    story.tell("kura owner recover anna --roster roster.json --via safe-2", ONCE, **by_one)
    story.tell("kura owner recover anna", ONCE)
    others = [one for one in story.kura.json("owner", "wallets")["wallets"] if not one["this"]]
    story.tell("kura owner revoke 3f9c0a77", ONCE, **{"3f9c0a77": others[0]["wallet"][:8]})
