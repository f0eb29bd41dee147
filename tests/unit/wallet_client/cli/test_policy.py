"""`kura policy`, and how backup and recover follow what a policy says: the command, in process."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.kura import KuraInProcess
from support.memory_safes import MemorySafes, roster_file_of
from wallet_client import wallet as wallet_module
from wallet_client.policies.presets import policy_names

OFFICE = 'name = "office"\nsummary = "For the office."\n[after]\nbackup = "delete"\nrecovery = "delete"\n'


@pytest.fixture
def kura(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KuraInProcess:
    """For an empty wallet, with safes in memory behind its links."""
    safes = MemorySafes.of(5, 3)
    monkeypatch.setattr(wallet_module, "Links", lambda *_: safes)
    (tmp_path / "roster.json").write_bytes(roster_file_of(safes.roster))
    kura = KuraInProcess(tmp_path / "wallet")
    assert kura("wallet", "init", "--no-passphrase", "--roster", tmp_path / "roster.json").code == 0
    return kura


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A policy file."""
    path = tmp_path / "office.toml"
    path.write_text(OFFICE)
    return path


def data(kura: KuraInProcess, *words: str | Path) -> Any:
    """What a command prints as JSON."""
    said = kura(*words, "--json")
    assert said.code == 0, said.messages
    return json.loads(said.output)


def test_a_file_is_added_listed_shown_and_removed(kura: KuraInProcess, office: Path) -> None:
    """And what is shown is a file again."""
    assert kura("policy", "add", office).output == "office added\n"
    assert [one["name"] for one in data(kura, "policy", "list")["policies"]] == [*policy_names(), "office"]
    assert "office       For the office." in kura("policy", "list").output
    shown = data(kura, "policy", "show", "office")
    assert (shown["name"], shown["after"]) == ("office", {"backup": "delete", "recovery": "delete"})
    assert shown["toml"] == kura("policy", "show", "office").output
    assert kura("policy", "remove", "office").output == "office removed\n"
    assert kura("policy", "show", "office").code == 1


@pytest.mark.parametrize("name", policy_names())
def test_a_preset_is_shown_copied_and_added(kura: KuraInProcess, name: str, tmp_path: Path) -> None:
    """Under another name."""
    copy = tmp_path / "mine.toml"
    copy.write_text(kura("policy", "show", name).output.replace(f'name = "{name}"', 'name = "mine"'))
    assert kura("policy", "add", copy).code == 0
    mine, preset = data(kura, "policy", "show", "mine"), data(kura, "policy", "show", name)
    assert {key: mine[key] for key in mine.keys() - {"name", "toml"}} == {
        key: preset[key] for key in preset.keys() - {"name", "toml"}
    }


@pytest.mark.parametrize("name", policy_names())
def test_every_preset_is_explained(kura: KuraInProcess, name: str) -> None:
    """In sentences, and as numbers."""
    sentences = kura("policy", "explain", name).output.splitlines()
    document = data(kura, "policy", "explain", name)
    assert document["sentences"] == sentences
    assert (document["policy"], document["size_bytes"]) == (name, 1024)


def test_a_file_that_was_not_added_is_explained_for_a_size(kura: KuraInProcess, office: Path) -> None:
    """And for another roster."""
    document = data(kura, "policy", "explain", office, "--size", "1 MiB")
    assert (document["policy"], document["readers"], document["may_be_lost"]) == ("office", 3, 2)
    assert document["stored_bytes"] == 5 * ((1 << 20) + 16 + 32 + 32)
    roster = office.with_name("roster.json")
    assert data(kura, "policy", "explain", office, "--roster", roster)["safes"][0] == "safe-1"
    assert data(kura, "policy", "explain", "apart", "--roster", roster)["readers_such_as"] == [
        "safe-1",
        "safe-4",
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b'name = "office"\n[value]\nk = 6\n',
            "office.toml, line 3: 6 shares would be needed and 5 are made; ",
        ),
        (
            b'name = "threshold"\n',
            "office.toml, line 1: the policy 'threshold' is built in; allowed: another name",
        ),
        (b"\xff", "it is no text in UTF-8"),
        (b"#" * 70_000, "office.toml cannot be read"),
    ],
)
def test_a_bad_file_is_refused_with_file_and_line(
    kura: KuraInProcess, office: Path, content: bytes, sentence: str
) -> None:
    """Nothing is added."""
    office.write_bytes(content)
    code, output, said = kura("policy", "add", office)
    assert (code, output) == (1, "")
    assert sentence in said
    assert len(data(kura, "policy", "list")["policies"]) == len(policy_names())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["add", "nowhere.toml"], "does not exist"),
        (["explain", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["explain", "nothing"], "There is no policy 'nothing'"),
        (["remove", "nothing"], "The wallet keeps no policy nothing."),
        (["remove", "threshold"], "The policy threshold is built in."),
        (["explain", "plain", "--size", "1 KB"], "no size in whole bytes"),
    ],
)
def test_what_is_not_there_is_said(kura: KuraInProcess, words: list[str], sentence: str) -> None:
    """With no result."""
    code, output, said = kura("policy", *words)
    assert (code != 0, output) == (True, "")
    assert sentence in said


def backed_up(kura: KuraInProcess, *words: str) -> Any:
    """One value, backed up under the policy of the file."""
    assert kura("wallet", "add", "--class", "coupon", "--name", "n").code == 0
    return data(kura, "backup", "--all", "--policy", "office", *words)


def test_a_policy_erases_values_after_backup_and_receipts_after_recovery(
    kura: KuraInProcess, office: Path
) -> None:
    """Unless something else is said."""
    kura("policy", "add", office)
    assert backed_up(kura)["kept"] is False
    assert data(kura, "wallet", "list")["values"] == []
    assert "1 receipt deleted" in kura("recover", "--all").output
    assert data(kura, "receipts")["receipts"] == []


def test_what_is_said_goes_before_what_the_policy_says(kura: KuraInProcess, office: Path) -> None:
    """--keep and --keep-receipt."""
    kura("policy", "add", office)
    assert backed_up(kura, "--keep")["kept"] is True
    assert len(data(kura, "wallet", "list")["values"]) == 1
    assert "deleted" not in kura("recover", "--all", "--keep-receipt").output
    assert len(data(kura, "receipts")["receipts"]) == 1


def test_fewer_are_accepted_only_where_values_are_erased(kura: KuraInProcess, office: Path) -> None:
    """By the command or by the policy."""
    kura("policy", "add", office)
    assert backed_up(kura, "--accept-fewer")["kept"] is False
    refused = kura("backup", "--all", "--policy", "threshold", "--accept-fewer")
    assert refused.code == 2
    assert "--accept-fewer goes with --delete" in refused.messages
