"""Where the passphrase comes from, and who is asked."""

import io
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from wallet_client.cli import passphrase
from wallet_client.cli.passphrase import (
    PassphraseFileUnreadable,
    PassphraseMissing,
    new_passphrase,
    passphrase_of,
)
from wallet_client.storage.errors import PassphraseNeeded, PassphraseRefused, WalletMissing
from wallet_client.storage.keyfile import NoPassphrase, Passphrase


class Terminal(io.StringIO):
    """Standard input at which somebody sits."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable, no terminal, a locked wallet."""
    monkeypatch.delenv("KURA_PASSPHRASE", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr(passphrase, "wallet_protection", lambda home: "argon2id")


def type_in(monkeypatch: pytest.MonkeyPatch, answers: Sequence[str]) -> None:
    """Sit at the terminal and answer."""
    remaining = iter(answers)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(click.termui, "hidden_prompt_func", lambda prompt: next(remaining))


HOME = Path("/home/of/wallet")


def test_the_explicit_word_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """--no-passphrase over everything, the file over the variable, the variable over asking."""
    file = tmp_path / "file"
    file.write_bytes(b"from file\n")
    monkeypatch.setenv("KURA_PASSPHRASE", "from variable")
    type_in(monkeypatch, [])
    for read in (lambda file, no: passphrase_of(HOME, file, no), new_passphrase):
        assert read(file, True) == NoPassphrase()
        assert read(file, False) == Passphrase(b"from file")
        assert read(None, False) == Passphrase(b"from variable")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"word", b"word"),
        (b"word\n", b"word"),
        (b"word\r\n", b"word"),
        (b" two words \n\n", b" two words \n"),
    ],
)
def test_a_file_loses_one_line_end_and_nothing_else(tmp_path: Path, content: bytes, expected: bytes) -> None:
    """Editors add it; spaces belong to the passphrase."""
    (tmp_path / "file").write_bytes(content)
    assert passphrase_of(HOME, tmp_path / "file", False) == Passphrase(expected)


def test_a_person_is_asked_once_to_open_and_twice_to_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the finger must not lock a new wallet."""
    type_in(monkeypatch, ["word"])
    assert passphrase_of(HOME, None, False) == Passphrase(b"word")
    type_in(monkeypatch, ["word", "wrod", "word", "word"])
    assert new_passphrase(None, False) == Passphrase(b"word")


def test_a_script_is_never_asked() -> None:
    """It gets an error that says what to give."""
    with pytest.raises(PassphraseNeeded):
        passphrase_of(HOME, None, False)
    with pytest.raises(PassphraseMissing):
        new_passphrase(None, False)


def test_an_unlocked_wallet_opens_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for what does not exist."""
    monkeypatch.setattr(passphrase, "wallet_protection", lambda home: "none")
    assert passphrase_of(HOME, None, False) == NoPassphrase()


def test_no_wallet_no_question(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A person is not asked for the passphrase of a wallet that is not there."""
    monkeypatch.undo()
    monkeypatch.delenv("KURA_PASSPHRASE", raising=False)
    type_in(monkeypatch, [])
    with pytest.raises(WalletMissing):
        passphrase_of(tmp_path, None, False)


def test_an_empty_passphrase_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable is a mistake, not a wish for none."""
    monkeypatch.setenv("KURA_PASSPHRASE", "")
    with pytest.raises(PassphraseRefused):
        new_passphrase(None, False)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """With the reason."""
    with pytest.raises(PassphraseFileUnreadable, match="no such file"):
        passphrase_of(HOME, tmp_path / "absent", False)
