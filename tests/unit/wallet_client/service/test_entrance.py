"""Who gets in: addresses, the token, the folder, the one server of a wallet."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import rpc_edge  # noqa: F401  # isort: split
from rpc_edge.edge import Call
from wallet_client.network.loopback import read_loopback
from wallet_client.service.entrance import (
    AlreadyServed,
    FolderOpen,
    SocketPathTooLong,
    loopback_entrance,
    only_server,
    socket_entrance,
    token_layer,
)
from wallet_client.service.errors import TokenInvalid


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:7400", "127.0.0.1:7400"),
        ("127.8.9.10:0", "127.8.9.10:0"),
        ("[::1]:65535", "[::1]:65535"),
        ("[0:0:0:0:0:0:0:1]:007", "[::1]:7"),
    ],
)
def test_loopback_addresses_are_taken(text: str, address: str) -> None:
    """All of 127/8, and ::1."""
    assert read_loopback(text) == address


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1", "localhost:1", "127.0.0.1", "127.0.0.1:",
     "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:١", "unix:/x", "", ":1"],
)  # fmt: skip
def test_other_addresses_are_refused(text: str) -> None:
    """Names too: what they mean is decided elsewhere."""
    with pytest.raises(ValueError, match=r"address|outside|port"):
        read_loopback(text)


class Metadata:
    """As much of a call as the token's layer looks at."""

    def __init__(self, *pairs: tuple[str, str | bytes]) -> None:
        self.call = Call("/x", SimpleNamespace(invocation_metadata=lambda: pairs))  # type: ignore[arg-type]


async def passes(*pairs: tuple[str, str | bytes]) -> bool:
    """Whether a call with this metadata gets through to the request."""
    async with token_layer("right")(Metadata(*pairs).call, b"request") as request:
        return request == b"request"


async def test_the_right_token_passes() -> None:
    """Among other metadata."""
    assert await passes(("user-agent", "x"), ("authorization", "Bearer right"))
    assert await passes(("authorization", b"Bearer right"))


@pytest.mark.parametrize(
    "pairs",
    [
        (),
        (("authorization", "Bearer wrong"),),
        (("authorization", "bearer right"),),
        (("authorization", "Bearer rightly"),),
        (("authorization", "Bearer right"), ("authorization", "Bearer right")),
        (("authorization", "Bearer rïght"),),
    ],
    ids=["none", "wrong", "other scheme", "longer", "twice", "no ASCII"],
)
async def test_anything_else_is_refused(pairs: tuple[tuple[str, str], ...]) -> None:
    """One answer for all of them."""
    with pytest.raises(TokenInvalid):
        await passes(*pairs)


def test_a_socket_lies_in_a_closed_folder_with_a_bearable_path(tmp_path: Path) -> None:
    """Else others could open it, or the system would cut its name."""
    tmp_path.chmod(0o701)
    with pytest.raises(FolderOpen) as opened, socket_entrance(tmp_path):
        pytest.fail("it was opened")
    assert str(tmp_path) in str(opened.value)
    with pytest.raises(SocketPathTooLong) as long, socket_entrance(tmp_path / ("x" * 100)):
        pytest.fail("it was opened")
    assert "107 bytes" in str(long.value)


def test_what_a_killed_server_left_is_cleared_away(tmp_path: Path) -> None:
    """Its socket, its token, and the half of a file."""
    tmp_path.chmod(0o700)
    for name in ("wallet.sock", "service-token", ".service-token.new", "service-cert.pem"):
        (tmp_path / name).write_text("old")
    with socket_entrance(tmp_path) as entrance:
        assert entrance.address == f"unix:{tmp_path}/wallet.sock"
        assert not (tmp_path / "wallet.sock").exists()
    with loopback_entrance(tmp_path, "127.0.0.1:0") as entrance:
        assert entrance.files["token"].read_text() != "old"
        assert b"BEGIN CERTIFICATE" in entrance.files["certificate"].read_bytes()
    assert list(tmp_path.iterdir()) == []


def test_a_wallet_has_one_server_at_a_time(tmp_path: Path) -> None:
    """The next one may come when the first has gone."""
    with only_server(tmp_path):
        with pytest.raises(AlreadyServed) as caught, only_server(tmp_path):
            pytest.fail("there are two")
        assert caught.value.hint
    with only_server(tmp_path):
        assert (tmp_path / "service.lock").exists()


def test_no_error_shows_a_path_that_steers_the_terminal(tmp_path: Path) -> None:
    """Names are escaped."""
    errors: list[Any] = [FolderOpen(tmp_path / "\x1b[2J"), SocketPathTooLong(Path("\x1b[2J"))]
    assert all("\x1b" not in str(error) for error in errors)
