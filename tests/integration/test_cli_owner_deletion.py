"""`kura undelete` and `kura owner forget` with real safes: what people type and see, and can prove later."""

from pathlib import Path
from typing import Any

import pexpect
import pytest

from support.cluster import LocalCluster
from support.kura import Finished, KuraInProcess, new_wallet
from support.owners_wallets import quick_stretch

__all__ = ["quick_stretch"]


PIN = "forty-seven moles"
SECONDS = 60
WEEK = 7 * 86_400


@pytest.fixture
def owned(kura: KuraInProcess, request: pytest.FixtureRequest) -> tuple[KuraInProcess, str]:
    """A wallet with a value that is backed up, and its owner's name, which no other test has."""
    name = request.node.name.replace("_", "-")[:40]
    kura.ok("wallet", "add", "--class", "card", "--name", "City Bus")
    said(kura, f"{PIN}\n{PIN}\n", "owner", "enroll", name)
    kura.ok("backup", "--all")
    return kura, name


def said(kura: KuraInProcess, typed: str, *arguments: str) -> Finished:
    """A command that is told a PIN and must end well."""
    done = kura(*arguments, typed=typed)
    assert done.code == 0, done.messages
    return done


def deletions(kura: KuraInProcess) -> dict[str, Any]:
    """What was deleted; every signature holds."""
    kura.ok("receipts", "verify")
    document: dict[str, Any] = kura.json("receipts", "deleted")
    return document


@pytest.mark.usefixtures("quick_stretch")
def test_a_deletion_is_shown_with_its_day_and_taken_back(owned: tuple[KuraInProcess, str]) -> None:
    """By the id that the list of deletions shows; then the value comes back."""
    kura, _ = owned
    kura.ok("wallet", "remove", "City Bus", "--yes")
    (receipt,) = [one["id"] for one in kura.json("receipts")["receipts"]]
    kura.ok("recover", receipt, "--delete-receipt")
    kura.ok("wallet", "remove", "City Bus", "--yes")
    (row,) = [one for one in deletions(kura)["deletions"] if one["receipt_id"] == receipt]
    assert [one["erased_at"] - row["deleted_at"] >= WEEK - 5 for one in row["erased"]] == [True] * 5
    shown = kura.ok("receipts", "deleted", receipt).output
    assert "erased on 20" in shown
    assert shown.endswith("at all 5\n")
    done = said(kura, f"{PIN}\n", "undelete", receipt[:8])
    assert done.output == f"{receipt} is back, at 5 of 5 safes.\n"
    assert kura.ok("receipts", "deleted", receipt).output.endswith("undone at all 5\n")
    (row,) = [one for one in deletions(kura)["deletions"] if one["receipt_id"] == receipt]
    assert row["undone_at"] == [f"safe-{number}" for number in range(1, 6)]
    assert (row["erased"], row["owed_to"]) == ([], [])
    kura.ok("recover", receipt)
    assert "City Bus" in kura.ok("wallet", "list").output


@pytest.mark.usefixtures("quick_stretch")
def test_undelete_says_what_is_wrong(owned: tuple[KuraInProcess, str]) -> None:
    """No PIN, a wrong one, an id that nothing had, a receipt that is there."""
    kura, _ = owned
    kura.ok("backup", "City Bus", "--policy", "divided")
    (receipt,) = [one["id"] for one in kura.json("receipts")["receipts"]]
    assert "PIN" in kura("undelete", receipt).messages
    assert "no deletion" in kura("undelete", "r-nothing", typed=f"{PIN}\n").messages.lower()
    assert "was not deleted" in kura("undelete", receipt, typed=f"{PIN}\n").messages


@pytest.mark.usefixtures("quick_stretch")
def test_an_owner_is_forgotten_and_every_safe_says_so(
    owned: tuple[KuraInProcess, str], cluster: LocalCluster, tmp_path: Path
) -> None:
    """Without a terminal the name is an option; values stay, receipts go, the proofs are kept."""
    kura, name = owned
    assert "--name" in kura("owner", "forget", typed=f"{PIN}\n").messages
    assert name in kura("owner", "forget", "--name", "somebody", typed=f"{PIN}\n").messages
    assert kura("owner", "forget", "--name", name, typed="wrong PIN\n").code == 1
    done = said(kura, f"{PIN}\n", "owner", "forget", "--name", name.upper())
    assert done.output.startswith(f"{name} is forgotten: 5 of 5 safes erased everything.\n")
    assert done.output.count("erased on 20") == 5
    assert kura.json("receipts")["receipts"] == []
    assert len(kura.json("wallet", "list")["values"]) == 1
    (row,) = deletions(kura)["owners"]
    assert (row["owner"], len(row["erased"]), row["owed_to"]) == (name, 5, [])
    shown = kura.ok("receipts", "deleted").output
    assert f"{name}  " in shown
    assert shown.endswith("erased at all 5\n")
    other = new_wallet(tmp_path / "other", cluster.roster_file)
    said(other, f"{PIN}\n{PIN}\n", "owner", "enroll", name)


def test_a_person_types_the_name_and_is_warned(owned: tuple[KuraInProcess, str]) -> None:
    """Another name forgets nobody."""
    kura, name = owned
    kura.ok("wallet", "remove", "City Bus", "--yes")
    for typed, code in (("somebody", 1), (name, 0)):
        program, *rest = kura.process.command("owner", "forget")
        child = pexpect.spawn(
            program, rest, env=kura.process.environment | {"TERM": "xterm"}, timeout=SECONDS, encoding="utf-8"
        )
        child.expect("1 value is at the safes alone, and will be lost")
        child.expect("Type the owner's name")
        child.sendline(typed)
        child.expect("PIN: ?")
        child.sendline(PIN)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == code
