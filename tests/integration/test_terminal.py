"""`kura terminal`: carries all traffic of a wallet without a network, and has nothing to read in it."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog

from kura.safe.v1 import safe_pb2
from rpc_edge.client import SignedCaller
from rpc_edge.errors import UnexpectedStatus
from support.carrier import CarrierProcess, carrying, found_in, what_safes_keep
from support.cluster import LocalCluster
from support.cut_off import can_leave_the_network, run_cut_off
from support.kura import KuraInProcess, new_wallet, without_wallet
from support.owner_safes import SAFES, SECONDS
from support.owners_wallets import quick_stretch
from support.safe_process import now_ms
from support.safe_requests import wallet_key
from threshold.randomness import SystemRandomness
from trust.refusals import Malformed
from wallet_client.network.carriers import Terminal
from wallet_client.network.links import Links
from wallet_client.network.terminal import serve_terminal

__all__ = ["quick_stretch"]

PIN = "4711 moles below the lawn"
TEXT = "what nobody on the way may read"
LOG = structlog.wrap_logger(None, processors=[])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """One of this module's own, whose databases hold nothing of other tests: they are searched."""
    cluster = LocalCluster.started(tmp_path_factory.mktemp("carried"))
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def terminal(cluster: LocalCluster, tmp_path: Path) -> Iterator[CarrierProcess]:
    """One for these safes."""
    with carrying(tmp_path, cluster.roster_file) as one:
        yield one


@pytest.mark.skipif(not can_leave_the_network(), reason="a network of one's own is not allowed here")
def test_a_wallet_without_a_network_backs_up_enrols_and_comes_back_by_a_terminal_that_reads_nothing(
    cluster: LocalCluster, terminal: CarrierProcess, tmp_path: Path
) -> None:
    """Its process can reach a socket and nothing else; another, with a name and a PIN, gets everything back.

    What the terminal wrote down, and what it has in memory, holds no value, no PIN and no share, as the safes
    have them in their databases. The same search finds each of them where it was put.
    """
    note, phone, tablet = tmp_path / "note.txt", tmp_path / "phone", tmp_path / "tablet"
    note.write_text(TEXT * 100)
    roster = ["--roster", str(cluster.roster_file), "--no-passphrase"]
    addresses = [safe.endpoint for safe in cluster.roster.safes]
    commands = [
        (phone, ["wallet", "init", *roster], ""),
        (phone, ["wallet", "add", str(note)], ""),
        (phone, ["backup", "--all"], ""),
        (phone, ["owner", "enroll", "terminal-anna"], f"{PIN}\n{PIN}\n"),
        (tablet, ["owner", "recover", "terminal-anna", *roster], f"{PIN}\n"),
        (tablet, ["wallet", "list", "--json"], ""),
    ]
    before = what_safes_keep(cluster)
    done = run_cut_off(commands, addresses, KURA_TERMINAL=terminal.address)
    assert [one.code for one in done] == [0] * 6, "\n".join(one.messages for one in done)
    assert [one["name"] for one in done[-1].data["values"]] == ["note.txt"]

    kept = {
        kind: [one for one in ones if one not in before[kind]]
        for kind, ones in what_safes_keep(cluster).items()
    }
    terms = {"value": [TEXT.encode()], "PIN": [PIN.encode()], "name": [b"terminal-anna"], **kept}
    assert all(kept.values())
    record, memory = terminal.record.read_bytes(), list(terminal.memory())
    assert len(record) > 50_000
    assert found_in([record], terms) == set()
    assert found_in(memory, terms) == set()
    planted = record + b"".join(ones[-1] for ones in terms.values())
    assert found_in([planted], terms) == set(terms)
    certificate = cluster.roster.safes[0].tls_certificate
    assert found_in(memory, {"what it does know": [certificate]}) == {"what it does know"}
    assert (terminal.terminate(), Path(terminal.address.removeprefix("unix:")).exists()) == (0, False)


def test_the_same_search_finds_shares_and_values_in_what_a_wallet_says_bare(
    cluster: LocalCluster, tmp_path: Path, quick_stretch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its messages before TLS, without envelopes: so a terminal that was handed those would be caught."""
    said: list[bytes] = []
    unary = SignedCaller.unary

    async def overheard(caller: Any, method: str, request: Any, *rest: Any, **more: Any) -> Any:
        said.append(request.SerializeToString())
        return await unary(caller, method, request, *rest, **more)

    monkeypatch.setattr(SignedCaller, "unary", overheard)
    (tmp_path / "note.txt").write_text(TEXT)
    wallet = new_wallet(tmp_path / "wallet", cluster.roster_file)
    for policy in ("threshold", "plain"):
        (value,) = wallet.json("wallet", "add", tmp_path / "note.txt")["values"]
        wallet.ok("backup", value["id"], "--policy", policy)
    wallet.ok("owner", "enroll", "overheard-anna", typed=f"{PIN}\n{PIN}\n")
    assert found_in(said, {"value": [TEXT.encode()], **what_safes_keep(cluster)}) == {
        "value",
        "value share",
        "key share",
        "share of r",
        "share of the OPRF key",
        "sealed secrets",
    }


def test_a_second_terminal_at_the_same_socket_is_refused(
    cluster: LocalCluster, terminal: CarrierProcess, tmp_path: Path
) -> None:
    """The first goes on: gRPC alone would take its socket away."""
    kura = without_wallet(tmp_path / "none")
    done = kura("terminal", "--listen", terminal.address, "--roster", cluster.roster_file)
    assert (done.code, done.output) == (1, "")
    assert "Something else listens" in done.messages
    assert terminal.process.poll() is None
    wallet = new_wallet(tmp_path / "wallet", cluster.roster_file)
    wallet.ok("wallet", "add", "--class", "note", "--name", "one", "--terminal", terminal.address)
    assert wallet.json("backup", "--all", "--terminal", terminal.address)["receipts"][0]["state"] == "safe"


@pytest.mark.parametrize("is_link", [False, True])
def test_a_terminal_takes_no_file_for_a_socket_and_erases_none(
    cluster: LocalCluster, tmp_path: Path, is_link: bool
) -> None:
    """Whoever mistypes the path keeps what is there, and is told that something is."""
    path, target = tmp_path / "photo.jpg", tmp_path / "target"
    target.write_text("the only one")
    path.symlink_to(target) if is_link else target.rename(path)
    refused = without_wallet(tmp_path / "wallet")(
        "terminal", "--listen", f"unix:{path}", "--roster", cluster.roster_file
    )
    assert refused.code == 1
    assert "Something else listens or lies at" in refused.messages
    assert "Name a path where nothing is yet" in refused.messages
    assert path.is_symlink() is is_link
    assert path.read_text() == "the only one"


def test_without_its_terminal_a_wallet_reaches_no_safe(kura: KuraInProcess, tmp_path: Path) -> None:
    """It never falls back to calling them directly."""
    kura.ok("wallet", "add", "--class", "note", "--name", "one")
    done = kura("backup", "--all", "--terminal", f"unix:{tmp_path / 'nobody.sock'}")
    assert (done.code, done.output) == (1, "")
    assert done.messages.count("the terminal carries nothing to it: nothing listens there") == 5


@pytest.mark.parametrize(
    "address", ["unix:", "unix:relative.sock", "0.0.0.0:7500", "10.1.2.3:7500", "7500", "x"]
)
def test_a_terminal_is_on_this_machine(cluster: LocalCluster, tmp_path: Path, address: str) -> None:
    """Up to it there is no TLS; what is beyond this machine is refused at both ends, as wrong usage."""
    kura = without_wallet(tmp_path / "none")
    listening = kura("terminal", "--listen", address, "--roster", cluster.roster_file)
    asking = kura("recover", "--all", "--terminal", address)
    assert [(done.code, done.output) for done in (listening, asking)] == [(2, "")] * 2


async def test_a_terminal_on_loopback_answers_carry_and_nothing_else(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    """In this process: an envelope comes back answered, a bare call does not, and SIGTERM ends it."""
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve_terminal("127.0.0.1:0", cluster.roster, tmp_path / "record", heard.set_result, LOG)
    )
    address = await heard
    entry, key = cluster.roster.safes[0], wallet_key("terminal")
    async with grpc.aio.insecure_channel(address) as channel:
        bare = SignedCaller(channel, entry.safe_id, key, now_ms, SystemRandomness())
        with pytest.raises(UnexpectedStatus, match="UNIMPLEMENTED"):
            await bare.unary(
                f"{SAFES}/Describe",
                safe_pb2.DescribeRequest(),
                safe_pb2.DescribeResponse,
                SECONDS,
                signed=False,
            )
    links = Links(cluster.roster, key, SECONDS, Terminal(address))
    with pytest.raises(Malformed, match="certificates"):
        await links.to(entry.safe_id).fetch([b"no certificate"], 0)
    await links.close()
    os.kill(os.getpid(), signal.SIGTERM)
    await serving
    record = (tmp_path / "record").read_bytes()
    assert record.startswith(b"> safe-1 1120\n")
    assert b"\n< safe-1 1072\n" in record
