"""The committed Python package `kura` is what protos/ generates now, and the tool that says so is right."""

import sys
from pathlib import Path

import pytest

from tools import generate_stubs
from tools.generate_stubs import Difference, StubGenerationError

TINY_SERVICE = """
syntax = "proto3";
package tiny.v1;
message Question {}
message Answer { string text = 1; }
service Oracle { rpc Ask(Question) returns (Answer); }
"""

TINY_MESSAGE = """
syntax = "proto3";
package tiny.v1;
message Note { bytes content = 1; }
"""


@pytest.fixture
def protos(tmp_path: Path) -> Path:
    """Two .proto files, one with a service and one without."""
    folder = tmp_path / "protos" / "tiny" / "v1"
    folder.mkdir(parents=True)
    (folder / "oracle.proto").write_text(TINY_SERVICE)
    (folder / "note.proto").write_text(TINY_MESSAGE)
    return tmp_path / "protos"


@pytest.fixture
def committed(protos: Path) -> Path:
    """The stubs of `protos`, where the tool puts them."""
    generate_stubs.rewrite(protos, protos / "gen")
    return protos / "gen"


def test_the_committed_stubs_are_fresh() -> None:
    """Nobody changed a .proto without running `make stubs`, or a stub by hand."""
    assert generate_stubs.check(generate_stubs.PROTO_ROOT, generate_stubs.GENERATED_ROOT) == []


def test_a_service_gets_messages_and_grpc_modules_with_types_a_message_only_the_former(
    committed: Path,
) -> None:
    """Every folder is an ordinary, typed package, and no module is written that would be empty."""
    assert sorted(path.relative_to(committed).as_posix() for path in committed.rglob("*.*")) == [
        "tiny/__init__.py",
        "tiny/py.typed",
        "tiny/v1/__init__.py",
        "tiny/v1/note_pb2.py",
        "tiny/v1/note_pb2.pyi",
        "tiny/v1/oracle_pb2.py",
        "tiny/v1/oracle_pb2.pyi",
        "tiny/v1/oracle_pb2_grpc.py",
        "tiny/v1/oracle_pb2_grpc.pyi",
    ]


def test_generating_twice_gives_the_same_bytes(protos: Path, committed: Path) -> None:
    """Freshness can be judged by bytes because the generator is deterministic."""
    assert generate_stubs.check(protos, committed) == []


def test_bytecode_beside_the_stubs_is_not_a_difference(protos: Path, committed: Path) -> None:
    """Importing the stubs does not make them stale."""
    cache = committed / "tiny" / "__pycache__"
    cache.mkdir()
    (cache / "note_pb2.cpython-311.pyc").write_bytes(b"bytecode")
    assert generate_stubs.check(protos, committed) == []


def test_stale_missing_and_extra_files_are_each_named(protos: Path, committed: Path) -> None:
    """Whoever reads the message knows which file to look at."""
    (committed / "tiny/v1/note_pb2.py").unlink()
    (committed / "tiny/v1/oracle_pb2.pyi").write_text("# edited by hand\n")
    (committed / "tiny/v1/forgotten_pb2.py").write_text("# its .proto is gone\n")
    assert generate_stubs.check(protos, committed) == [
        Difference("tiny/v1/forgotten_pb2.py", "extra"),
        Difference("tiny/v1/note_pb2.py", "missing"),
        Difference("tiny/v1/oracle_pb2.pyi", "stale"),
    ]


def test_a_proto_that_does_not_compile_leaves_the_old_stubs(protos: Path, committed: Path) -> None:
    """The compiler's own message reaches the caller, and nothing is removed."""
    before = sorted(committed.rglob("*"))
    (protos / "tiny/v1/note.proto").write_text("message without a syntax")
    with pytest.raises(StubGenerationError, match=r"note\.proto"):
        generate_stubs.rewrite(protos, committed)
    assert sorted(committed.rglob("*")) == before


@pytest.fixture
def command_line(protos: Path, committed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tool's command line, turned from this repository to the tiny one; gives its stubs' folder."""
    monkeypatch.setattr(generate_stubs, "PROTO_ROOT", protos)
    monkeypatch.setattr(generate_stubs, "GENERATED_ROOT", committed)
    return committed


def test_check_says_nothing_and_exits_0_when_fresh(
    command_line: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make lint` stays quiet."""
    assert generate_stubs.main(["--check"]) == 0
    assert capsys.readouterr() == ("", "")


def test_check_exits_1_and_says_what_to_run_when_stale(
    command_line: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the file and the cure, and --check itself changes nothing."""
    edited = command_line / "tiny/v1/note_pb2.py"
    edited.write_text("# edited by hand\n")
    assert generate_stubs.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "stale   protos/gen/tiny/v1/note_pb2.py",
        "protos/gen does not match protos/: run `make stubs` and commit the result",
    ]
    assert edited.read_text() == "# edited by hand\n"


def test_without_check_the_stubs_are_rewritten(
    command_line: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run after an edit by hand brings back what the .proto says."""
    (command_line / "tiny/v1/note_pb2.py").write_text("# edited by hand\n")
    assert generate_stubs.main([]) == 0
    assert capsys.readouterr().out == "9 files written to protos/gen\n"
    assert generate_stubs.main(["--check"]) == 0


def test_a_proto_that_does_not_compile_is_exit_1_with_the_compilers_words(
    command_line: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken .proto is the caller's mistake, told without a traceback."""
    (command_line.parent / "tiny/v1/note.proto").write_text("message without a syntax")
    assert generate_stubs.main([]) == 1
    assert "note.proto" in capsys.readouterr().err


def test_the_compiler_is_found_without_an_activated_environment(
    protos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plugins beside the interpreter are used whatever PATH says."""
    monkeypatch.delenv("PATH")
    generate_stubs.generate(protos, tmp_path)
    assert (tmp_path / "tiny/v1/note_pb2.pyi").is_file(), sys.executable
