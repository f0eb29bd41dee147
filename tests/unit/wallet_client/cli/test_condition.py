"""`kura condition`, and what `kura backup --conditions --dry-run` shows; no safe is asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.kura import KuraInProcess
from support.wallet_samples import EXAMPLES, new_wallet
from wallet_client.values.figures import read_values

IDES = ("--today", "2000-03-15")
Run = Callable[..., str]


@pytest.fixture
def wallet(tmp_path: Path) -> KuraInProcess:
    """`kura` with the values of figure 19."""
    with new_wallet(tmp_path) as store:
        for value in read_values(EXAMPLES / "figure-19.json", now=1):
            store.values.add(value)
    return KuraInProcess(tmp_path)


@pytest.fixture
def kura(wallet: KuraInProcess) -> Run:
    """Run one command to its good end, and give what it printed."""

    def run(*arguments: str) -> str:
        done = wallet(*arguments)
        assert done.code == 0, done.messages
        return done.output

    return run


@pytest.fixture
def documents(kura: Run) -> Callable[..., Any]:
    """The same with --json, read."""
    return lambda *arguments: json.loads(kura(*arguments, "--json"))


def chosen(document: Any) -> list[str]:
    return [one["name"] for one in document["values"] if one["selected"]]


def test_a_condition_is_added_tried_changed_and_removed(kura: Run, documents: Callable[..., Any]) -> None:
    """Every step is told, in words and as JSON; the default can go as well."""
    assert "default" in kura("condition", "list")
    assert "condition cinema added" in kura("condition", "add", "cinema", "class is\nmovie-ticket")
    assert "class is movie-ticket" in kura("condition", "list")
    assert chosen(documents("condition", "test", "cinema")) == ["A", "G"]
    kura("condition", "edit", "cinema", "not usable within 1 month", "--note", "20(b)")
    assert documents("condition", "list")["conditions"][1] == {
        "name": "cinema",
        "expression": "not usable within 1 month",
        "note": "20(b)",
    }
    tried = documents("condition", "test", "cinema", *IDES)
    assert (tried["today"], chosen(tried)) == ("2000-03-15", ["C", "G"])
    for name in ("default", "cinema"):
        assert f"condition {name} removed" in kura("condition", "remove", name)
    assert documents("condition", "list") == {"conditions": []}
    assert "selects nothing" in kura("condition", "list")
    assert "0 of 4 values selected" in kura("condition", "test")


def test_a_try_shows_for_each_value_what_decided(kura: Run) -> None:
    """Figure 20(b), in columns; the value's own figures stand beside the clause."""
    output = kura("condition", "test", "--expression", "not usable within 1 month", *IDES)
    assert "usable within 1 month (every day meets 2000-03-15 to 2000-04-15)" in output
    assert "2 of 4 values selected" in output


def test_a_dry_run_shows_what_and_why(kura: Run, documents: Callable[..., Any]) -> None:
    """What is selected alone; nothing is a success with a plain sentence."""
    shown = kura("backup", "--conditions", "--dry-run")
    assert "yes, default" in shown
    assert "4 values would be backed up" in shown
    kura("condition", "edit", "default", "place is H")
    (row,) = documents("backup", "--conditions", "--dry-run")["values"]
    assert (row["name"], row["condition"], row["clause"], row["already"]) == (
        "G",
        "default",
        "place is H",
        False,
    )
    kura("condition", "remove", "default")
    assert "No condition selects a value" in kura("backup", "--conditions", "--dry-run")
    assert documents("backup", "--conditions", "--dry-run")["values"] == []


def test_an_empty_wallet_is_tried_too(tmp_path: Path) -> None:
    """Without a table."""
    new_wallet(tmp_path).close()
    assert KuraInProcess(tmp_path)("condition", "test").output == "0 of 0 values selected\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["condition", "add", "x", "class < 3"], 1, "\n        ^\n", id="no condition"),
        pytest.param(["condition", "add", "x", "class < 3"], 1, "allowed: is, is not", id="what is allowed"),
        pytest.param(["condition", "add", "A b", "has place"], 1, "no name", id="no name"),
        pytest.param(["condition", "add", "default", "has place"], 1, "already", id="a name that is taken"),
        pytest.param(["condition", "edit", "x", "has place"], 1, "no condition x", id="changing none"),
        pytest.param(["condition", "edit", "default", "has"], 1, "not complete", id="changing it to none"),
        pytest.param(["condition", "remove", "x"], 1, "no condition x", id="removing none"),
        pytest.param(["condition", "test", "x"], 1, "no condition x", id="trying none"),
        pytest.param(["condition", "test", "x", "--expression", "has place"], 2, "not both", id="trying two"),
        pytest.param(["condition", "test", "--today", "soon"], 2, "no day", id="no day"),
        pytest.param(["backup", "--conditions", "--all"], 2, "--conditions", id="conditions and all"),
        pytest.param(["backup", "--conditions", "A"], 2, "--conditions", id="conditions and a name"),
        pytest.param(["backup", "--all", "--dry-run"], 2, "--conditions", id="a dry run of all"),
    ],
)
def test_what_makes_no_sense_is_refused(
    wallet: KuraInProcess, arguments: list[str], code: int, said: str
) -> None:
    """Nothing on standard output, and nothing is kept."""
    done = wallet(*arguments)
    assert (done.code, done.output) == (code, "")
    assert said in done.messages
    kept = json.loads(wallet("condition", "list", "--json").output)["conditions"]
    assert [one["name"] for one in kept] == ["default"]
