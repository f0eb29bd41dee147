"""The coverage gate fails exactly when a package has less than it promises, and shows what is missing."""

from pathlib import Path

import pytest
from coverage import Coverage, CoverageData

from tools import coverage_gate

TWO_BRANCHES = """\
def sign(number):
    if number < 0:
        return -1
    return 1
"""
ALL_ARCS = [(-1, 1), (1, -1), (-1, 2), (2, 3), (2, 4), (3, -1), (4, -1)]
NEVER_NEGATIVE = [(-1, 1), (1, -1), (-1, 2), (2, 4), (4, -1)]


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Coverage:
    """Data of a run in which `whole` was covered and `partly` missed one line and one branch."""
    monkeypatch.chdir(tmp_path)
    data = CoverageData(basename=str(tmp_path / ".coverage"))
    for package, arcs in (("whole", ALL_ARCS), ("partly", NEVER_NEGATIVE)):
        module = tmp_path / package / "module.py"
        module.parent.mkdir()
        module.write_text(TWO_BRANCHES)
        data.add_arcs({str(module): arcs})
    data.write()
    coverage = Coverage(data_file=tmp_path / ".coverage", config_file=False, branch=True)
    coverage.load()
    return coverage


@pytest.mark.parametrize(
    ("thresholds", "exit_code"),
    [
        pytest.param({"whole": 100.0}, 0, id="everything covered where everything is asked"),
        pytest.param({"whole": 100.0, "partly": 60.0}, 0, id="enough covered where less is asked"),
        pytest.param({"whole": 100.0, "partly": 90.0}, 1, id="one package short"),
        pytest.param({"whole": 100.0, "absent": 1.0}, 1, id="a package that no test ever imported"),
    ],
)
def test_the_exit_code_is_the_judgement(
    measured: Coverage, thresholds: dict[str, float], exit_code: int
) -> None:
    """`make coverage` fails when and only when a promise is broken."""
    assert coverage_gate.judge(measured, thresholds) == exit_code


def test_every_package_gets_a_line_and_a_short_one_its_missing_lines(
    measured: Coverage, capsys: pytest.CaptureFixture[str]
) -> None:
    """4 lines and 2 branches, of which 1 line and 1 branch were missed, are 66.7%."""
    coverage_gate.judge(measured, {"whole": 100.0, "partly": 90.0})
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "coverage whole          100.0% (at least 100%)",
        "coverage partly          66.7% (at least 90%)",
    ]
    assert "module.py" in printed.err


def test_a_package_without_data_is_named(measured: Coverage, capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt package cannot pass unnoticed."""
    coverage_gate.judge(measured, {"absent": 1.0})
    assert capsys.readouterr().err == "no data for absent/\n\n"


def test_the_command_judges_the_data_file_of_the_last_run(
    measured: Coverage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reads .coverage where it is started, as the run before left it."""
    monkeypatch.setattr(coverage_gate, "THRESHOLDS_PERCENT", {"whole": 100.0})
    assert coverage_gate.main() == 0
    assert capsys.readouterr().out == "coverage whole          100.0% (at least 100%)\n"
