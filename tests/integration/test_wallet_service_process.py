"""`kura wallet serve` as a process: who gets in, what lies in the folder, and how it ends."""

import json
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import rpc_edge  # noqa: F401  # isort: split
from kura.wallet.v1 import wallet_pb2 as pb
from kura.wallet.v1 import wallet_pb2_grpc
from support.cluster import LocalCluster
from support.kura import KuraInProcess
from support.tls_identities import identity

pytestmark = pytest.mark.no_cover

ENDS_SECONDS = 30
TOKEN_REASON = b"TOKEN_INVALID"


@contextmanager
def serving(kura: KuraInProcess, *options: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """What the server said when it was ready, and its process, which is stopped at the end."""
    with subprocess.Popen(
        kura.process.command("wallet", "serve", "--json", *options),
        env=kura.process.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            yield json.loads(line), process
        finally:
            process.terminate()
            process.communicate(timeout=ENDS_SECONDS)


@contextmanager
def unix_channel(ready: dict[str, Any]) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(ready["address"]) as channel:
        yield channel


@contextmanager
def tls_channel(ready: dict[str, Any], certificate: bytes | None = None) -> Iterator[grpc.Channel]:
    roots = certificate or Path(ready["certificate"]).read_bytes()
    options = (("grpc.ssl_target_name_override", "localhost"),)
    with grpc.secure_channel(ready["address"], grpc.ssl_channel_credentials(roots), options) as channel:
        yield channel


def describe(channel: grpc.Channel, *metadata: tuple[str, str]) -> Any:
    """The shortest call there is."""
    return wallet_pb2_grpc.WalletServiceStub(channel).Describe(
        pb.DescribeRequest(), metadata=metadata, timeout=20
    )


def status_of(channel: grpc.Channel, *metadata: tuple[str, str]) -> tuple[grpc.StatusCode, bytes]:
    """How the call was refused, with its details."""
    with pytest.raises(grpc.RpcError) as caught:
        describe(channel, *metadata)
    error: Any = caught.value
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    return error.code(), details if isinstance(details, bytes) else b""


def mode(path: Path) -> int:
    """Permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_on_a_unix_socket_the_owner_needs_no_token(kura: KuraInProcess) -> None:
    """Socket 0600 in a folder 0700; SIGTERM ends it with exit code 0 and takes the socket away."""
    with serving(kura) as (ready, process):
        path = kura.home / "wallet.sock"
        assert ready == {"address": f"unix:{path}", "certificate": None, "token": None}
        assert (mode(path), mode(kura.home)) == (0o600, 0o700)
        with unix_channel(ready) as channel:
            assert len(describe(channel).safes) == 5
        process.send_signal(signal.SIGTERM)
        assert process.wait(ENDS_SECONDS) == 0
    assert not path.exists()


def test_on_loopback_a_call_needs_the_certificate_and_the_token(
    kura: KuraInProcess, cluster: LocalCluster
) -> None:
    """Both lie in the folder with mode 0600 as long as the server runs, and are other ones the next time."""
    tokens = []
    for _ in range(2):
        with serving(kura, "--listen", "127.0.0.1:0") as (ready, _):
            token = Path(ready["token"]).read_text()
            assert {mode(Path(ready[name])) for name in ("token", "certificate")} == {0o600}
            with tls_channel(ready) as channel:
                assert describe(channel, ("authorization", f"Bearer {token}")).threshold == 3
            tokens.append(token)
        assert not any(Path(ready[name]).exists() for name in ("token", "certificate"))
    assert tokens[0] != tokens[1]
    assert {len(token) for token in tokens} == {43}  # 32 bytes in base64url


def test_a_wrong_token_is_refused_whatever_is_wrong_with_it(kura: KuraInProcess) -> None:
    """Missing, wrong, half, doubled, or as another scheme: one answer, with its reason."""
    with serving(kura, "--listen", "127.0.0.1:0") as (ready, _), tls_channel(ready) as channel:
        right = ("authorization", f"Bearer {Path(ready['token']).read_text()}")
        tries: list[list[tuple[str, str]]] = [
            [],
            [("authorization", "")],
            [("authorization", "Bearer nonsense")],
            [("authorization", right[1][:-1])],
            [("authorization", right[1].replace("Bearer", "Basic"))],
            [("x-authorization", right[1])],
            [right, right],
        ]
        for metadata in tries:
            code, details = status_of(channel, *metadata)
            assert (code, TOKEN_REASON in details) == (grpc.StatusCode.UNAUTHENTICATED, True), metadata


def test_health_is_told_without_a_token(kura: KuraInProcess) -> None:
    """A supervisor needs no secret; the answer holds none."""
    with serving(kura, "--listen", "[::1]:0") as (ready, _), tls_channel(ready) as channel:
        request = health_pb2.HealthCheckRequest(service="kura.wallet.v1.WalletService")
        health: Any = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(request, timeout=20)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_a_client_that_trusts_another_certificate_sends_nothing(kura: KuraInProcess) -> None:
    """Somebody else on the port would not get the token either."""
    other = identity("localhost").certificate
    with serving(kura, "--listen", "127.0.0.1:0") as (ready, _), tls_channel(ready, other) as channel:
        assert status_of(channel)[0] == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "address", ["0.0.0.0:0", "192.0.2.1:7400", "[::]:0", "localhost:7400", "7400", "127.0.0.1:x"]
)
def test_an_address_that_is_not_loopback_is_wrong_usage(kura: KuraInProcess, address: str) -> None:
    """Exit code 2, and nothing listens; a name could lead anywhere, so only numbers are taken."""
    done = kura("wallet", "serve", "--listen", address)
    assert (done.code, "Invalid value for --listen" in done.messages) == (2, True)


def test_a_port_that_is_taken_is_a_plain_failure(kura: KuraInProcess) -> None:
    """Exit code 1 with the address and what to do; no token is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = kura("wallet", "serve", "--listen", address)
    assert done.code == 1
    assert address in done.messages
    assert "port 0" in done.messages
    assert not (kura.home / "service-token").exists()


def test_a_wallet_is_served_by_one_process_at_a_time(kura: KuraInProcess) -> None:
    """The second ends with exit code 1 and leaves the first its socket."""
    with serving(kura) as (ready, _):
        second = kura("wallet", "serve")
        assert (second.code, "served by another process" in second.messages) == (1, True)
        with unix_channel(ready) as channel:
            assert describe(channel).threshold == 3


def test_a_killed_server_leaves_nothing_that_stops_the_next(kura: KuraInProcess) -> None:
    """Its socket lies there still; the lock went with the process."""
    with serving(kura) as (_, process):
        process.kill()
        process.wait(ENDS_SECONDS)
        assert (kura.home / "wallet.sock").exists()
    with serving(kura) as (ready, _), unix_channel(ready) as channel:
        assert describe(channel).threshold == 3


def test_a_folder_that_others_may_enter_is_refused(kura: KuraInProcess) -> None:
    """The folder is the lock of the socket."""
    kura.home.chmod(0o750)
    done = kura("wallet", "serve")
    assert (done.code, "chmod 700" in done.messages) == (1, True)


def test_the_command_line_works_beside_a_served_wallet(kura: KuraInProcess, tmp_path: Path) -> None:
    """What one adds the other backs up, and the other way round."""
    (tmp_path / "note.txt").write_text("remember")
    with serving(kura) as (ready, _), unix_channel(ready) as channel:
        stub = wallet_pb2_grpc.WalletServiceStub(channel)
        (value_id,) = kura.ok("wallet", "add", tmp_path / "note.txt", "--json").ids
        *_, last = stub.Backup(pb.BackupRequest(value_ids=[value_id], drop_values=True), timeout=60)
        receipt_id = last.result.values[0].receipt_id
        kura.ok("recover", receipt_id)
        assert stub.GetValue(pb.GetValueRequest(value_id=value_id), timeout=20).payload == b"remember"
        kura.ok("backup", "--all", "--policy", "apart", "--delete")
        assert list(stub.ListValues(pb.ListValuesRequest(), timeout=20)) == []


def test_a_running_backup_is_finished_before_the_server_ends(kura: KuraInProcess) -> None:
    """SIGTERM in the middle of a call: the caller gets the result, and the exit code is 0."""
    with serving(kura) as (ready, process), unix_channel(ready) as channel:
        stub = wallet_pb2_grpc.WalletServiceStub(channel)
        fields = pb.ValueFields(item_class="file", name="large")
        parts = [
            pb.AddValueStreamRequest(fields=fields),
            *[pb.AddValueStreamRequest(chunk=bytes(1 << 20))] * 16,
        ]
        value_id = stub.AddValueStream(iter(parts), timeout=60).value.value_id
        steps = stub.Backup(pb.BackupRequest(value_ids=[value_id]), timeout=60)
        first = next(steps)
        process.send_signal(signal.SIGTERM)
        *_, last = steps
        assert first.HasField("progress")
        assert last.result.values[0].state == pb.BACKUP_STATE_SAFE
        assert process.wait(ENDS_SECONDS) == 0
