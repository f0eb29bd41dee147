"""Generate the Python package `kura` from protos/, and tell whether the committed copy is still fresh.

The generated modules, with their type stubs, are committed under protos/gen so that nobody needs a
protobuf compiler to run or read the project. One tool writes them, so two people who run it get the
same bytes: the compiler and its plugins are pinned in requirements/dev.txt, files are compiled in
sorted order, and nothing of the machine reaches the output.

    python -m tools.generate_stubs            rewrite protos/gen from protos/
    python -m tools.generate_stubs --check    change nothing; exit 1 and name each file that differs
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PROTO_ROOT = REPOSITORY / "protos"
GENERATED_ROOT = PROTO_ROOT / "gen"

PACKAGE_DOCSTRING = '"""Generated from protos/ by tools/generate_stubs.py. Do not edit."""\n'


class StubGenerationError(Exception):
    """The protobuf compiler refused a file; `output` is what it printed."""

    def __init__(self, output: str) -> None:
        super().__init__(f"protoc failed:\n{output}")
        self.output = output


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that is not what the .proto files would generate now."""

    path: str
    """Relative to protos/gen, with forward slashes."""
    kind: str
    """`stale`, `missing` or `extra`."""


def proto_files(proto_root: Path) -> list[Path]:
    """Return every .proto file below `proto_root`, relative to it and sorted, generated files left out."""
    found = (path.relative_to(proto_root) for path in proto_root.rglob("*.proto"))
    return sorted(path for path in found if path.parts[0] != "gen")


def generate(proto_root: Path, target: Path) -> None:
    """Compile every .proto file below `proto_root` into Python modules and type stubs below `target`.

    Args:
        proto_root: Folder that the import paths inside the .proto files are relative to.
        target: Existing, empty folder that becomes the import root of the generated package.

    Raises:
        StubGenerationError: The compiler or one of its plugins failed.
    """
    sources = proto_files(proto_root)
    _run_protoc(proto_root, target, sources)
    for source in sources:
        _drop_empty_service_modules(target / source)
    _write_package_files(target)


def differences(fresh: Path, committed: Path) -> list[Difference]:
    """Compare two generated trees file by file, byte by byte; sorted by path, empty when they agree."""
    fresh_files, committed_files = set(_relative_files(fresh)), set(_relative_files(committed))
    found = [Difference(path, "missing") for path in fresh_files - committed_files]
    found += [Difference(path, "extra") for path in committed_files - fresh_files]
    found += [
        Difference(path, "stale")
        for path in fresh_files & committed_files
        if (fresh / path).read_bytes() != (committed / path).read_bytes()
    ]
    return sorted(found, key=lambda difference: difference.path)


def check(proto_root: Path, committed: Path) -> list[Difference]:
    """Generate into a temporary folder and return how `committed` differs from that."""
    with tempfile.TemporaryDirectory(prefix="kura-stubs-") as folder:
        fresh = Path(folder)
        generate(proto_root, fresh)
        return differences(fresh, committed)


def rewrite(proto_root: Path, target: Path) -> None:
    """Replace `target` by freshly generated files; when generation fails the old ones stay."""
    with tempfile.TemporaryDirectory(prefix="kura-stubs-") as folder:
        fresh = Path(folder) / "gen"
        fresh.mkdir()
        generate(proto_root, fresh)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(fresh, target)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit code: 0 done or fresh, 1 stale or failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.generate_stubs", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when a file differs")
    try:
        return (
            _report(check(PROTO_ROOT, GENERATED_ROOT))
            if parser.parse_args(arguments).check
            else _rewrite_and_report()
        )
    except StubGenerationError as error:
        print(error, file=sys.stderr)
        return 1


def _rewrite_and_report() -> int:
    rewrite(PROTO_ROOT, GENERATED_ROOT)
    written = sum(1 for _ in _relative_files(GENERATED_ROOT))
    print(f"{written} files written to protos/gen")
    return 0


def _report(found: Sequence[Difference]) -> int:
    for difference in found:
        print(f"{difference.kind:8}protos/gen/{difference.path}", file=sys.stderr)
    if found:
        print("protos/gen does not match protos/: run `make stubs` and commit the result", file=sys.stderr)
    return 1 if found else 0


def _run_protoc(proto_root: Path, target: Path, sources: Sequence[Path]) -> None:
    # The mypy plugins are programs beside the interpreter that protoc looks for on PATH.
    search_path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={proto_root}"),
        *(f"--{plugin}_out={target}" for plugin in ("python", "mypy", "grpc_python", "mypy_grpc")),
        *(source.as_posix() for source in sources),
    ]
    environment = os.environ | {"PATH": search_path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StubGenerationError(done.stderr)


def _drop_empty_service_modules(source: Path) -> None:
    """Remove the gRPC modules that the plugins write even for a .proto without a service."""
    module = source.with_name(f"{source.stem}_pb2_grpc.py")
    lines = module.read_text(encoding="utf-8").splitlines()
    if not any(line.startswith("class ") for line in lines):
        module.unlink()
        module.with_suffix(".pyi").unlink()


def _write_package_files(target: Path) -> None:
    """Make every generated folder an ordinary package, marked as typed at its top."""
    modules = [path.relative_to(target) for path in target.rglob("*.py")]
    for package in {package for module in modules for package in module.parents[:-1]}:
        (target / package / "__init__.py").write_text(PACKAGE_DOCSTRING, encoding="utf-8")
    for top in {module.parts[0] for module in modules}:
        (target / top / "py.typed").touch()


def _relative_files(root: Path) -> Iterator[str]:
    """Yield the path of every file below `root`, bytecode left out."""
    for path in root.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(root).as_posix()


if __name__ == "__main__":
    raise SystemExit(main())
