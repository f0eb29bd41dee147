"""Exceptions become a sentence, a hint and an exit code, in one place."""

from collections.abc import Callable

import click
import pytest

from tools.local_cluster.errors import ClusterMissing
from trust.errors import DocumentMalformed, RosterRefused
from wallet_client.cli.edge import exit_code_of
from wallet_client.storage.errors import WrongPassphrase

CASES: list[tuple[BaseException, int, list[str]]] = [
    (WrongPassphrase(), 1, ["Error: The passphrase does not open this wallet.", "Try again"]),
    (ClusterMissing("/c"), 1, ["Error: There is no cluster in /c.", "kura cluster up"]),
    (RosterRefused("roster", "it is empty"), 1, ["it is empty", "Nothing was contacted"]),
    (DocumentMalformed("receipt", "", "not MessagePack"), 1, ["The receipt is malformed"]),
    (
        OSError(28, "No space left on device", "/x\x1b"),
        1,
        [r"/x\x1b: no space left on device", "permissions"],
    ),
    (KeyError("secret"), 1, ["did not expect (KeyError)", "KURA_DEBUG=1"]),
    (click.UsageError("name a FILE"), 2, ["Error: name a FILE"]),
    (click.ClickException("no"), 1, ["Error: no"]),
    (click.Abort(), 130, ["interrupted; run kura resume, or say the same again"]),
    (KeyboardInterrupt(), 130, ["interrupted; run kura resume, or say the same again"]),
]


def chained(error: Exception, cause: BaseException) -> Exception:
    error.__context__ = cause
    return error


CASES.append(
    (
        chained(ImportError("secret"), KeyboardInterrupt()),
        130,
        ["interrupted; run kura resume, or say the same again"],
    )
)


def raising(error: BaseException) -> Callable[[], None]:
    def run() -> None:
        raise error

    return run


@pytest.mark.parametrize(("error", "code", "said"), CASES, ids=[type(case[0]).__name__ for case in CASES])
def test_each_failure_has_its_code_and_words(
    error: BaseException, code: int, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error; no traceback, and nothing of an unexpected error's content."""
    assert exit_code_of(raising(error)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    for words in said:
        assert words in captured.err
    assert "Traceback" not in captured.err
    assert "secret" not in captured.err


def test_debug_adds_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code stays."""
    monkeypatch.setenv("KURA_DEBUG", "1")
    assert exit_code_of(raising(KeyError("x"))) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("outcome", "code"), [(None, 0), (0, 0), (2, 2), ("text", 0)])
def test_what_ends_well_ends_with_its_own_code(outcome: object, code: int) -> None:
    """click hands on the code of `--help` and the like."""
    assert exit_code_of(lambda: outcome) == code
