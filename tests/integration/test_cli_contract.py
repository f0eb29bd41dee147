"""What scripts rely on: exit codes, where output goes, passphrases, refusals of bad input, completion."""

import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.kura import (
    EXAMPLES,
    PASSPHRASE,
    KuraCommand,
    KuraInProcess,
    environment,
    new_wallet,
    without_wallet,
)
from support.safe_process import make_safes

PASS = EXAMPLES / "boardingpass-v1.pkpass"


@pytest.fixture
def roster_file(cluster_of_worker: LocalCluster) -> Path:
    """A good roster; the safes behind it are not asked."""
    return cluster_of_worker.roster_file


@pytest.fixture
def wallet(roster_file: Path, tmp_path: Path) -> KuraInProcess:
    """A fresh wallet, whether safes are well or not."""
    return new_wallet(tmp_path / "wallet", roster_file)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["nonsense"], "No such command", id="an unknown command"),
        pytest.param(["wallet", "list", "--nonsense"], "No such option", id="an unknown option"),
        pytest.param(["wallet", "init"], "--roster", id="init without a roster"),
        pytest.param(["wallet", "add"], "--class and --name", id="add without anything"),
        pytest.param(["wallet", "add", "--class", "card"], "--name", id="add without a name"),
        pytest.param(
            ["wallet", "add", "--class", "c", "--name", "n", "--total", "x"], "no amount", id="no amount"
        ),
        pytest.param(["wallet", "list", "--expires-within", "soon"], "12h, 7d or 2w", id="no duration"),
        pytest.param(["backup"], "--all", id="backup of nothing"),
        pytest.param(
            ["backup", "--all", "--via", "safe-1", "--terminal", "127.0.0.1:1"], "either", id="two carriers"
        ),
        pytest.param(["backup", "v-1", "--all"], "--all", id="backup of one and all"),
        pytest.param(["backup", "--all", "--accept-fewer"], "--delete", id="accept-fewer without delete"),
        pytest.param(["recover"], "--all", id="recover nothing"),
        pytest.param(
            ["wallet", "export", "--all", "--out", "x"], "--fields", id="export of all without fields"
        ),
        pytest.param(["cluster", "up"], "--dir", id="cluster without a folder"),
        pytest.param(["completion", "tcsh"], "tcsh", id="an unknown shell"),
        pytest.param(["key", "new", "main"], "--shared, --pair or --root", id="a key of no kind"),
        pytest.param(["key", "import", "main", "f"], "--shared, --pair or --root", id="material of no kind"),
        pytest.param(["key", "recover", "main", "--pair"], "--from-root", id="a pair without the root"),
        pytest.param(
            ["key", "import-algorithm", "f", "--signer", "abc"],
            "64 hexadecimal",
            id="a signer that is no key",
        ),
    ],
)
def test_wrong_usage_ends_with_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    """Nothing on standard output, the reason on standard error."""
    done = without_wallet(tmp_path / "none")(*arguments)
    assert (done.code, done.output) == (2, "")
    assert said in done.messages


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["wallet", "list"], "There is no wallet", id="no wallet"),
        pytest.param(["recover", "--all"], "There is no wallet", id="no wallet to recover into"),
        pytest.param(
            ["cluster", "status", "--dir", "/nonexistent/kura"], "There is no cluster", id="no cluster"
        ),
        pytest.param(
            ["cluster", "up", "--dir", "/proc/kura"], "/proc/kura", id="a folder that cannot be made"
        ),
        pytest.param(
            ["wallet", "list", "--passphrase-file", "/nonexistent"], "passphrase file", id="no such file"
        ),
    ],
)
def test_a_failure_ends_with_1(tmp_path: Path, arguments: list[str], said: str) -> None:
    """A plain reason and no traceback."""
    done = without_wallet(tmp_path / "none")(*arguments)
    assert (done.code, done.output) == (1, "")
    assert said in done.messages
    assert "Traceback" not in done.messages


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["wallet", "show", "nothing"], "keeps no value nothing", id="an unknown value"),
        pytest.param(
            ["safes", "status", "--via", "nowhere"],
            "roster has no safe nowhere; it has",
            id="an unknown gateway",
        ),
        pytest.param(
            ["wallet", "remove", "nothing"], "keeps no value nothing", id="removing an unknown value"
        ),
        pytest.param(["receipts", "show", "nothing"], "keeps no receipt nothing", id="an unknown receipt"),
        pytest.param(["backup", "nothing"], "keeps no value nothing", id="backing up an unknown value"),
        pytest.param(["policy", "show", "nothing"], "There is no policy 'nothing'", id="an unknown policy"),
        pytest.param(
            ["wallet", "add", "--class", "No Class", "--name", "n"], "class", id="a class that is none"
        ),
        pytest.param(["wallet", "import", str(PASS)], "no JSON", id="an import that is no JSON"),
        pytest.param(["roster", "show", str(PASS)], "roster is refused", id="a roster that is none"),
        pytest.param(["roster", "update", str(PASS)], "roster is refused", id="an update that is none"),
        pytest.param(["key", "show", "nothing"], "keeps no key nothing", id="an unknown key"),
        pytest.param(["key", "backup", "nothing"], "keeps no key nothing", id="backing up an unknown key"),
        pytest.param(["key", "recover", "nothing"], "keeps no key nothing", id="recovering an unknown key"),
        pytest.param(["key", "forget", "nothing"], "keeps no key nothing", id="forgetting an unknown key"),
        pytest.param(["key", "recover", "x", "--from-root"], "keeps no key root", id="a key of no root"),
        pytest.param(["key", "new", "a b", "--pair"], "cannot be called a b", id="a key with a space"),
        pytest.param(
            ["key", "import", "main", "/nonexistent", "--pair"], "cannot be read", id="a key without a file"
        ),
        pytest.param(
            ["key", "import", "main", str(PASS), "--root"], "a root is 32 bytes", id="a root that is none"
        ),
        pytest.param(
            ["key", "import-algorithm", str(PASS), "--signer", "ab" * 32],
            "key algorithm is refused",
            id="an algorithm that is none",
        ),
    ],
)
def test_a_wallet_refuses_with_1(wallet: KuraInProcess, arguments: list[str], said: str) -> None:
    """Standard output stays empty, with --json too."""
    for more in ([], ["--json"]):
        done = wallet(*arguments, *more)
        assert (done.code, done.output) == (1, "")
        assert said in done.messages


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["wallet", "list"], 0, id="done"),
        pytest.param(["backup", "nothing"], 1, id="failed"),
        pytest.param(["wallet", "show", os.fsdecode(b"\xff")], 1, id="failed over a word that is no text"),
        pytest.param(["nonsense"], 2, id="wrong usage"),
    ],
)
def test_the_process_ends_with_the_code_of_the_command(
    wallet: KuraInProcess, arguments: list[str], code: int
) -> None:
    """What it prints is what the command prints."""
    assert wallet.process(*arguments) == wallet(*arguments)
    assert wallet.process(*arguments).code == code


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["wallet", "show"], id="a value"),
        pytest.param(["backup"], id="a value to back up"),
        pytest.param(["recover"], id="a receipt"),
        pytest.param(["receipts", "show"], id="a receipt to show"),
    ],
)
def test_a_name_that_is_no_utf8_is_unknown_and_no_defect(wallet: KuraInProcess, arguments: list[str]) -> None:
    """It is shown escaped."""
    done = wallet(*arguments, os.fsdecode(b"\xff"))
    assert (done.code, done.output) == (1, "")
    assert r"The wallet keeps no" in done.messages
    assert r"\udcff" in done.messages


def test_the_end_of_time_is_within_a_long_time(wallet: KuraInProcess) -> None:
    """A span that leads beyond the calendar ends with it."""
    wallet.ok("wallet", "add", "--class", "ticket", "--name", "late", "--valid-until", "9999-12-31")
    assert len(wallet.json("wallet", "list", "--expires-within", "999999w")["values"]) == 1


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_a_result_that_cannot_be_shown_is_a_failure_that_says_what_was_done(
    wallet: KuraInProcess, more: list[str]
) -> None:
    """A full device and a closed standard output; the reader of a pipe may leave without a word."""
    command = shlex.join(wallet.process.command("wallet", "list", *more))
    for target, said in (("> /dev/full", "no space left on device"), (">&-", "it is closed"), ("| true", "")):
        done = subprocess.run(
            ["bash", "-c", f"{command} {target}; exit ${{PIPESTATUS[0]}}"],
            env=wallet.process.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert said in done.stderr
        assert ("is done all the same" in done.stderr) is bool(said)
        assert "Exception" not in done.stderr


def test_a_list_without_values_is_imported_with_a_word(wallet: KuraInProcess, tmp_path: Path) -> None:
    """Silence would leave open whether it was read."""
    (tmp_path / "none.json").write_text('{"values": []}')
    assert "no values" in wallet.ok("wallet", "import", tmp_path / "none.json").output


def test_the_passphrase_opens_and_nothing_else_does(roster_file: Path, tmp_path: Path) -> None:
    """From the variable or a file; a wrong one, an empty one and none end with 1 and change nothing."""
    home, file = tmp_path / "locked", tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    locked = without_wallet(home)
    by_variable = without_wallet(home, KURA_PASSPHRASE=PASSPHRASE)
    by_variable.ok("wallet", "init", "--roster", roster_file)
    by_variable.ok("wallet", "add", PASS)
    before = {path.name: path.read_bytes() for path in home.iterdir()}

    for refused in (
        locked("wallet", "list"),
        locked("wallet", "list", "--no-passphrase"),
        without_wallet(home, KURA_PASSPHRASE="wrong")("wallet", "list"),
        without_wallet(home, KURA_PASSPHRASE="")("wallet", "list"),
    ):
        assert (refused.code, refused.output) == (1, "")
        assert "passphrase" in refused.messages
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before
    assert len(locked.json("wallet", "list", "--passphrase-file", file)["values"]) == 1
    assert len(locked.json("--passphrase-file", str(file), "wallet", "list")["values"]) == 1


def test_a_new_wallet_needs_a_word_about_its_passphrase(roster_file: Path, tmp_path: Path) -> None:
    """Without a terminal it is never asked for; --no-passphrase says plainly what it means."""
    kura = without_wallet(tmp_path / "new")
    refused = kura("wallet", "init", "--roster", roster_file)
    assert (refused.code, refused.output) == (1, "")
    assert "KURA_PASSPHRASE" in refused.messages
    assert not (tmp_path / "new").exists()
    made = kura.ok("wallet", "init", "--roster", roster_file, "--no-passphrase")
    assert "can read every value" in made.messages


def test_init_shows_and_pins_the_fingerprint(cluster_of_worker: LocalCluster, tmp_path: Path) -> None:
    """In groups of four for people, whole in JSON; a second init leaves the wallet as it is."""
    kura = without_wallet(tmp_path / "new")
    expected = cluster_of_worker.roster.fingerprint.hex()
    options = ("wallet", "init", "--roster", cluster_of_worker.roster_file, "--no-passphrase")
    assert kura.json(*options, "--capacity", "64KiB")["fingerprint"] == expected
    assert kura("wallet", "init", *options[2:]).code == 1
    groups = " ".join(expected[at : at + 4] for at in range(0, 64, 4))
    assert groups in kura.ok("roster", "show").output
    assert kura.json("wallet", "list")["capacity_bytes"] == 65_536


def test_a_roster_of_another_genesis_is_refused(wallet: KuraInProcess, tmp_path: Path) -> None:
    """Exit code 1; nothing is contacted and the wallet keeps its own."""
    (other,) = make_safes(tmp_path / "other", 1)
    done = wallet("roster", "update", other.folder / "roster.json")
    assert (done.code, done.output) == (1, "")
    assert "not the one pinned" in done.messages


def test_home_may_stand_before_or_after_the_command(wallet: KuraInProcess, tmp_path: Path) -> None:
    """The option overrules KURA_HOME wherever it stands."""
    elsewhere = without_wallet(tmp_path / "elsewhere")
    assert elsewhere("wallet", "list").code == 1
    elsewhere.ok("wallet", "list", "--home", wallet.home)
    elsewhere.ok("--home", wallet.home, "wallet", "list")


def bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pass.json", b"{}" + b" " * (300 << 20))
    return path


def archive(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as zipped:
        for name, text in members.items():
            zipped.writestr(name.replace("_", "."), text)
    return path


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(bomb, id="a zip bomb"),
        pytest.param(lambda path: archive(path, pass_json="{"), id="broken JSON"),
        pytest.param(lambda path: archive(path, other_json="{}"), id="without pass.json"),
        pytest.param(lambda path: path, id="not there"),
    ],
)
def test_a_bad_pass_adds_nothing_of_the_whole_call(
    wallet: KuraInProcess, tmp_path: Path, make: object
) -> None:
    """The good file beside it is not added either."""
    path = make(tmp_path / "bad.pkpass")  # type: ignore[operator]
    done = wallet("wallet", "add", PASS, path)
    assert done.code in {1, 2}
    assert done.output == ""
    assert wallet.json("wallet", "list")["values"] == []


def test_names_that_steer_a_terminal_are_shown_escaped(wallet: KuraInProcess) -> None:
    """In lists and in full; in JSON they are as they are."""
    name = "evil\x1b[2J\u202etxt"
    wallet.ok("wallet", "add", "--class", "file", "--name", name)
    for arguments in (["wallet", "list"], ["wallet", "show", name]):
        output = wallet.ok(*arguments).output
        assert "\x1b" not in output
        assert "\u202e" not in output
        assert r"evil\x1b[2J\u202etxt" in output
    assert wallet.json("wallet", "list")["values"][0]["name"] == name


def test_export_writes_what_was_added_and_overwrites_nothing(wallet: KuraInProcess, tmp_path: Path) -> None:
    """Empty files too; the file is its owner's alone."""
    empty, out = tmp_path / "empty", tmp_path / "out"
    empty.write_bytes(b"")
    ids = wallet.ok("wallet", "add", PASS, empty, "--json").ids
    wallet.ok("wallet", "export", ids[0], "--out", out)
    assert out.read_bytes() == PASS.read_bytes()
    assert out.stat().st_mode & 0o777 == 0o600
    assert wallet("wallet", "export", ids[1], "--out", out).code == 1
    assert out.read_bytes() == PASS.read_bytes()
    exported = wallet.ok("wallet", "export", ids[1], "--out", tmp_path / "nothing")
    assert "only fields" not in exported.messages
    assert (tmp_path / "nothing").read_bytes() == b""


def test_what_export_writes_import_takes(wallet: KuraInProcess, roster_file: Path, tmp_path: Path) -> None:
    """All fields and bytes go from one wallet into another."""
    wallet.ok("wallet", "add", PASS)
    wallet.ok("wallet", "import", EXAMPLES / "figure-19.json")
    wallet.ok("wallet", "export", "--all", "--fields", "--out", tmp_path / "one.json")
    other = new_wallet(tmp_path / "other", roster_file)
    other.ok("wallet", "import", tmp_path / "one.json")
    other.ok("wallet", "export", "--all", "--fields", "--out", tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_ctrl_c_ends_with_130_and_names_resume(wallet: KuraInProcess) -> None:
    """A command that waits for another process's lock is interrupted."""
    with (wallet.home / "lock").open("w") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        with subprocess.Popen(
            [sys.executable, "-X", "importtime", *wallet.process.command("backup", "--all")[1:]],
            env=wallet.process.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as waiting:
            assert waiting.stderr is not None
            for line in waiting.stderr:
                if line.endswith("wallet_client.operations.backup\n"):
                    break
            waiting.send_signal(signal.SIGINT)
            messages = waiting.stderr.read()
    assert waiting.returncode == 130
    assert "interrupted; run kura resume" in messages


def test_an_unexpected_failure_is_a_plain_sentence(wallet: KuraInProcess, tmp_path: Path) -> None:
    """KURA_DEBUG=1 shows where; without it no traceback is printed."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "pysqlite3.py").write_text("raise ZeroDivisionError\n")
    path = f"{tmp_path / 'broken'}{os.pathsep}{environment()['PYTHONPATH']}"
    for more, traceback in (({}, False), ({"KURA_DEBUG": "1"}, True)):
        done = KuraCommand(wallet.home, {"PYTHONPATH": path, **more})("wallet", "list")
        assert (done.code, done.output) == (1, "")
        assert "did not expect (ZeroDivisionError)" in done.messages
        assert ("Traceback" in done.messages) is traceback


def test_what_ends_soon_is_found(wallet: KuraInProcess) -> None:
    """--expires-within counts from today; what ended, ends later or never is left out."""
    today = datetime.now(UTC).astimezone().date()
    for name, days in (("ended", -1), ("today", 0), ("soon", 6), ("later", 30)):
        until = (today + timedelta(days=days)).isoformat()
        wallet.ok("wallet", "add", "--class", "ticket", "--name", name, "--valid-until", until)
    wallet.ok("wallet", "add", "--class", "ticket", "--name", "never")
    found = wallet.json("wallet", "list", "--expires-within", "7d")["values"]
    assert [one["name"] for one in found] == ["today", "soon"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_serve_says_where_and_ends_in_order(wallet: KuraInProcess, number: signal.Signals) -> None:
    """One document once calls are served; exit code 0, and the socket is gone."""
    with subprocess.Popen(
        wallet.process.command("wallet", "serve", "--json"),
        env=wallet.process.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        assert ready["address"] == f"unix:{wallet.home}/wallet.sock"
        server.send_signal(number)
    assert server.returncode == 0
    assert not (wallet.home / "wallet.sock").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(tmp_path: Path, shell: str) -> None:
    """It names the variable that the shell sets."""
    assert "_KURA_COMPLETE" in without_wallet(tmp_path).ok("completion", shell).output


def test_completion_completes_commands_and_options(tmp_path: Path) -> None:
    """As bash asks for it."""

    def completed(words: str) -> list[str]:
        asked = {
            "_KURA_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        output = KuraCommand(tmp_path, asked)().output
        return [line.partition(",")[2] for line in output.splitlines()]

    assert completed("kura rec") == ["receipts", "recover"]
    assert completed("kura wallet ex") == ["export"]
    assert "--accept-fewer" in completed("kura backup --a")


def test_json_is_one_document_whatever_the_locale(wallet: KuraInProcess) -> None:
    """UTF-8, although the terminal says ASCII; text gets escapes."""
    wallet.ok("wallet", "add", "--class", "ticket", "--name", "歌舞伎座")
    ascii_only = KuraCommand(wallet.home, {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    done = subprocess.run(
        ascii_only.command("wallet", "list", "--json"),
        env=ascii_only.environment,
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["values"][0]["name"] == "歌舞伎座"
    assert r"\u6b4c" in ascii_only.ok("wallet", "list").output
