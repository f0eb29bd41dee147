"""The operator's command: what it makes, what it checks, and how it says that it cannot start."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pysqlite3
import pytest
from click.testing import CliRunner
from msgspec import structs

from kura.safe.v1 import owner_pb2
from kura.safe.v1 import safe_pb2 as pb
from safe_node.__main__ import main
from support.owners import DealtOwner, deal_owner
from support.safe_process import (
    START_SECONDS,
    SafeClient,
    SafeHome,
    SafeProcess,
    command,
    make_safes,
    running,
    start,
)
from support.safe_requests import CHUNK_BYTES, deal, seeded, wallet_key
from support.sample_documents import sealing_pair, signed_by
from trust.decoys import seal_decoys
from trust.documents import SigningKey
from trust.owner_refusals import InvitationInvalid, InvitationNeeded
from trust.roster_file import write_roster

SERVICE = "/kura.safe.v1.SafeService"
WALLET = wallet_key()
SECONDS = 20.0
MIB = 1024 * 1024


@pytest.fixture
def home(tmp_path: Path) -> SafeHome:
    """One safe that is a roster of its own."""
    return make_safes(tmp_path, 1)[0]


def dealt(home: SafeHome, label: str, *values: bytes) -> Any:
    return deal(home.roster, WALLET, values or (b"value",), label=label)


async def register(safe: SafeProcess, *batches: Any) -> list[pb.BatchResult]:
    safe_id = safe.home.entry.safe_id
    request = pb.RegisterRequest(batches=[batch.for_safe(safe_id) for batch in batches])
    async with SafeClient(safe, WALLET) as call:
        return list((await call.unary(f"{SERVICE}/Register", request, pb.RegisterResponse, SECONDS)).results)


async def certificate(safe: SafeProcess, batch: Any) -> bytes:
    (result,) = await register(safe, batch)
    return result.registration.certificates[0]


async def upload(
    safe: SafeProcess, batch: Any, pause: Callable[[int], Any] | None = None
) -> pb.RegisterStreamResponse:
    opening, blob = batch.opening(safe.home.entry.safe_id)

    async def parts() -> AsyncIterator[pb.RegisterStreamRequest]:
        for start_at in range(0, len(blob), CHUNK_BYTES):
            if pause is not None:
                await pause(start_at)
            yield pb.RegisterStreamRequest(chunk=blob[start_at : start_at + CHUNK_BYTES])

    async with SafeClient(safe, WALLET) as call:
        first = pb.RegisterStreamRequest(opening=opening)
        return await call.stream_up(
            f"{SERVICE}/RegisterStream", first, parts(), pb.RegisterStreamResponse, SECONDS
        )


def refused(home: SafeHome) -> tuple[int, str]:
    """The command called in this process, for what ends before it serves; else as `failure`."""
    done = CliRunner().invoke(main, ["--config", str(home.config)])
    return done.exit_code, done.stderr


def failure(home: SafeHome) -> tuple[int, str]:
    """Exit code and messages of a process."""
    process = start(home)
    _, errors = process.communicate(timeout=START_SECONDS)
    return process.returncode, errors


def test_a_port_in_use_is_said(home: SafeHome) -> None:
    """Exit code 1, one plain line."""
    with running(home) as safe:
        settings = home.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{safe.port}")
        second = make_safes(home.folder.parent / "second", 1)[0]
        second.config.write_text(settings)
        code, errors = failure(second)
    assert code == 1
    assert f"Cannot listen at 127.0.0.1:{safe.port}" in errors
    assert "Traceback" not in errors


def test_a_safe_that_runs_already_is_said(home: SafeHome) -> None:
    """The second start ends with exit code 1 before it touches the first one's database."""
    with running(home):
        code, errors = failure(home)
    assert code == 1
    assert "another process runs this safe" in errors
    assert "Traceback" not in errors


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def _seal_decoys_to_a_stranger(home: SafeHome) -> None:
    """The operator signed what was not assembled as it should be."""
    stranger = structs.replace(home.entry, sealing_key=sealing_pair("stranger").public)
    decoys = seal_decoys((stranger,), bytes(32))
    roster = structs.replace(home.roster, decoys=decoys)
    operator = SigningKey(bytes.fromhex((home.folder / "operator.key").read_text()))
    (home.folder / "roster.json").write_bytes(write_roster([signed_by(roster, operator)]))


BREAK: dict[str, tuple[Callable[[SafeHome], object], str]] = {
    "a setting nobody knows": (
        lambda home: home.config.write_text('colour = "red"\n' + home.config.read_text()),
        "unknown field `colour`",
    ),
    "no roster": (lambda home: (home.folder / "roster.json").unlink(), "roster.json: No such file"),
    "a roster cut short": (
        lambda home: (home.folder / "roster.json").write_bytes(
            (home.folder / "roster.json").read_bytes()[:-9]
        ),
        "The roster is refused",
    ),
    "another safe's roster": (
        lambda home: (home.folder / "roster.json").write_bytes(
            (make_safes(home.folder / "others", 1)[0].folder / "roster.json").read_bytes()
        ),
        "",
    ),
    "a damaged key": (
        lambda home: (home.folder / "keys" / "signing.key").write_text("00"),
        "signing.key: not 64 hexadecimal digits",
    ),
    "another sealing key": (
        lambda home: (home.folder / "keys" / "sealing.key").write_text("00" * 32),
        "the sealing key is not the one roster version 1 states",
    ),
    "a decoy secret sealed to a stranger": (
        _seal_decoys_to_a_stranger,
        "the decoy secret that roster version 1 has for this safe does not open with its sealing key",
    ),
    "another name": (
        lambda home: home.config.write_text(home.config.read_text().replace("safe-1", "safe-2")),
        "the name is not the one roster version 1 states",
    ),
    "a database that is none": (
        lambda home: _write(home.database, b"x" * 40_000),
        "safe.db: file is not a database",
    ),
}


@pytest.mark.parametrize(("spoil", "words"), BREAK.values(), ids=BREAK)
def test_a_safe_does_not_start_with(home: SafeHome, spoil: Callable[[SafeHome], object], words: str) -> None:
    """Exit code 1 and what to mend, without a traceback."""
    spoil(home)
    code, errors = refused(home)
    assert code == 1
    assert words in errors
    assert "Traceback" not in errors


def test_wrong_usage_ends_with_2() -> None:
    """No --config, or an unknown word."""
    assert command().returncode == 2
    assert command("fly").returncode == 2


def test_init_makes_a_safe_and_never_overwrites(tmp_path: Path) -> None:
    """The operator is told what to do next; the second time nothing changes."""
    words = (
        "init",
        "--dir",
        str(tmp_path),
        "--name",
        "safe-9",
        "--operator",
        "Nine",
        "--endpoint",
        "127.0.0.1:7309",
    )
    made = command(*words)
    assert made.returncode == 0
    assert "Take" in made.stdout
    assert "operator.key off this machine" in made.stdout
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = command(*words)
    assert again.returncode == 1
    assert "nothing was written" in again.stderr
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert command(*words[:-1], "nowhere").returncode == 1


def test_an_invitation_needs_a_database(home: SafeHome) -> None:
    """Exit code 1 and what to do, before the safe was ever started; 2 without --config."""
    home.database.unlink()
    made = command("invite", "--config", str(home.config))
    assert made.returncode == 1
    assert "start the safe once" in made.stderr
    assert command("invite").returncode == 2


async def test_an_operator_invites_while_the_safe_runs(home: SafeHome) -> None:
    """The printed code enrols one owner, however it is typed; without the setting the operator is told."""
    owner, other = deal_owner(home.roster, "alice"), deal_owner(home.roster, "bob")
    with running(home) as safe:
        unasked = command("invite", "--config", str(home.config))
        assert unasked.returncode == 0
        assert "does not ask for invitations" in unasked.stderr
        safe.terminate()
    home.config.write_text(home.config.read_text().replace("needed = false", "needed = true"))
    with running(home) as safe:
        for _ in range(2):
            with pytest.raises(InvitationNeeded):
                await enroll(safe, owner)
        code = command("invite", "--config", str(home.config)).stdout.strip()
        with pytest.raises(InvitationInvalid):
            await enroll(safe, owner, code[:-1])
        for _ in range(2):
            await enroll(safe, owner, code.lower())
        with pytest.raises(InvitationInvalid):
            await enroll(safe, other, code)
        await enroll(safe, other, unasked.stdout)


async def enroll(safe: SafeProcess, owner: DealtOwner, invitation: str = "") -> None:
    request = owner_pb2.EnrollRequest(version=owner.versions[safe.home.entry.safe_id], invitation=invitation)
    async with SafeClient(safe, owner.key) as call:
        await call.unary("/kura.safe.v1.OwnerService/Enroll", request, owner_pb2.EnrollResponse, SECONDS)


async def test_check_finds_what_rotted(home: SafeHome) -> None:
    """Sound: exit code 0. One changed byte in one piece: exit code 1 and how many."""
    with running(home) as safe:
        await certificate(safe, dealt(home, "small"))
        await upload(safe, dealt(home, "large", seeded("rots").read(2 * MIB)))
    sound = command("check", "--config", str(home.config))
    assert sound.returncode == 0, sound.stderr
    assert "2 hashed, 0 damaged" in sound.stdout
    connection = pysqlite3.connect(str(home.database))
    connection.execute("UPDATE blocks SET content = zeroblob(length(content)) WHERE id % 2 = 1")
    connection.commit()
    connection.close()
    rotten = command("check", "--config", str(home.config))
    assert rotten.returncode == 1
    assert "2 hashed, 1 damaged" in rotten.stdout
    assert "needs repair" in rotten.stderr
