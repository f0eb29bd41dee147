"""The built wheel is the whole program and nothing else, and works away from the source tree.

It is built and installed without a network: from a copy of the tree, by the pinned setuptools of this
environment, into an empty virtual environment that borrows this one's dependencies.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE_ROOTS = {
    "auth_service": REPOSITORY,
    "durable": REPOSITORY,
    "kura": REPOSITORY / "protos" / "gen",
    "rpc_edge": REPOSITORY,
    "safe_node": REPOSITORY,
    "threshold": REPOSITORY,
    "tools": REPOSITORY,
    "trust": REPOSITORY,
    "wallet_client": REPOSITORY,
}
BUILD_INPUTS = ("pyproject.toml", "README.md", "LICENSE")

pytestmark = pytest.mark.timeout(300)


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command that must succeed, away from this process's Python settings; returns its stdout."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def copy_sources(target: Path) -> None:
    """Copy what a build reads, so that building leaves nothing behind in the tree."""
    leave_out = shutil.ignore_patterns("__pycache__")
    for package, root in PACKAGE_ROOTS.items():
        place = target / root.relative_to(REPOSITORY) / package
        shutil.copytree(root / package, place, ignore=leave_out)
    for name in BUILD_INPUTS:
        shutil.copy(REPOSITORY / name, target / name)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built offline."""
    source, output = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    copy_sources(source)
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", *offline, "--wheel-dir", output, source, cwd=output)
    (built,) = output.iterdir()
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """Every path inside the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """The wheel's METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel in it; the dependencies are this environment's."""
    home = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    offline = ("--no-index", "--no-deps", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", home, "install", "--quiet", *offline, wheel, cwd=home)
    # A plain path line: unlike a real site folder it runs no .pth files, so the borrowed environment's
    # own installation of this tree, if it has one, stays out of sight.
    (site_packages,) = home.glob("lib/python3.*/site-packages")
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home


@pytest.mark.parametrize("package", sorted(PACKAGE_ROOTS))
def test_every_module_and_stub_of_a_package_is_inside(package: str, names: set[str]) -> None:
    """A file that works in the tree works when installed."""
    root = PACKAGE_ROOTS[package]
    kept = (path for path in (root / package).rglob("*") if path.suffix in {".py", ".pyi", ".sql", ".toml"})
    expected = {path.relative_to(root).as_posix() for path in kept}
    assert expected
    assert expected <= names


@pytest.mark.parametrize("package", sorted(PACKAGE_ROOTS))
def test_every_package_says_that_it_is_typed(package: str, names: set[str]) -> None:
    """Whoever builds on a package gets its types (PEP 561)."""
    assert f"{package}/py.typed" in names


def test_every_folder_with_modules_is_a_package_of_its_own(names: set[str]) -> None:
    """No namespace packages: a missing __init__.py would silently drop a folder from the next wheel."""
    folders = {name.rpartition("/")[0] for name in names if name.endswith(".py")}
    assert {folder for folder in folders if f"{folder}/__init__.py" not in names} == set()


def test_nothing_else_is_inside(names: set[str]) -> None:
    """No tests, benchmarks, examples or caches; only the packages and the wheel's own records."""
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGE_ROOTS)
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".proto"))]


def test_the_licence_travels_with_it(metadata: Message, names: set[str]) -> None:
    """The SPDX expression and the full text (PEP 639)."""
    assert metadata["License-Expression"] == "Apache-2.0"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_every_dependency_is_locked_with_a_hash(metadata: Message) -> None:
    """Whoever installs from requirements/runtime.txt gets all that the wheel asks for."""
    locked = (REPOSITORY / "requirements" / "runtime.txt").read_text()
    wanted = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    always = [one for one in metadata.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert len(always) == len(wanted)
    for requirement in wanted:
        name = requirement.partition(">=")[0]
        assert f"\n{name}==" in f"\n{locked}", name
        assert "--hash=sha256:" in locked.partition(f"{name}==")[2].partition("==")[0], name


@pytest.mark.parametrize("module", ["kura.safe.v1.safe_pb2_grpc", *sorted(set(PACKAGE_ROOTS) - {"kura"})])
def test_the_installed_packages_come_from_the_wheel(module: str, installed: Path, tmp_path: Path) -> None:
    """Nothing reaches back into the source tree."""
    show = f"import {module} as module; print(module.__file__)"
    found = Path(run(installed / "bin" / "python", "-c", show, cwd=tmp_path).strip())
    assert found.is_relative_to(installed)


def test_kura_help_works_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """The console script starts in a folder that knows nothing of us and lists its commands."""
    shown = run(installed / "bin" / "kura", "--help", cwd=tmp_path, NO_COLOR="1")
    assert {"backup", "cluster", "receipts", "recover", "wallet"} <= set(shown.split())


def test_the_operators_programs_help_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """An operator's machine has the programs of safe and authority too."""
    for program in ("kura-safe", "kura-authority"):
        assert "--config" in run(installed / "bin" / program, "--help", cwd=tmp_path, NO_COLOR="1")
