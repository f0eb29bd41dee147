"""Five bare servers, and the fan-outs to them: every call goes to all five and waits for all."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import grpc

from benchmarks.bare.wire import CHUNK_BYTES, OPTIONS, SERVER_NAME, SERVICE, encode_rows, write_identity
from benchmarks.processes import Started, start

SERVERS = 5


class BareServer:
    """One server and its channel."""

    def __init__(self, folder: Path) -> None:
        write_identity(folder)
        command = [sys.executable, "-m", "benchmarks.bare.server", str(folder)]
        self.process: Started = start(command)
        certificate = (folder / "certificate.pem").read_bytes()
        self._channel = grpc.aio.secure_channel(
            f"127.0.0.1:{self.process.first_line}",
            grpc.ssl_channel_credentials(certificate),
            options=(*OPTIONS, ("grpc.ssl_target_name_override", SERVER_NAME)),
        )
        self.put: Any = self._channel.unary_unary(f"/{SERVICE}/Put")
        self.put_many: Any = self._channel.unary_unary(f"/{SERVICE}/PutMany")
        self.put_stream: Any = self._channel.stream_unary(f"/{SERVICE}/PutStream")
        self.get: Any = self._channel.unary_unary(f"/{SERVICE}/Get")
        self.get_stream: Any = self._channel.unary_stream(f"/{SERVICE}/GetStream")

    async def close(self) -> None:
        """End the channel, then the process."""
        await self._channel.close()
        self.process.end()


class BareSafes:
    """Five servers; an async context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = AsyncExitStack()
        self.servers: list[BareServer] = []

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for number in range(SERVERS):
                server = BareServer(self._folder / f"bare-{number}")
                stack.push_async_callback(server.close)
                self.servers.append(server)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def put(self, content: bytes) -> list[bytes]:
        """Keep one row at each; gives what `get` takes."""
        answers = await self._everywhere(lambda server: server.put(content))
        return [answer[:8] for answer in answers]

    async def put_many(self, rows: Sequence[bytes]) -> None:
        """Keep many rows at each, in one message."""
        message = encode_rows(rows)
        await self._everywhere(lambda server: server.put_many(message))

    async def get(self, keys: Sequence[bytes]) -> None:
        """Read one row from each."""
        wanted = dict(zip(map(id, self.servers), keys, strict=True))
        await self._everywhere(lambda server: server.get(wanted[id(server)]))

    async def put_stream(self, content: bytes) -> list[bytes]:
        """Send a long content to each; gives what `get_stream` takes."""
        answers = await self._everywhere(lambda server: server.put_stream(_chunks(content)))
        count = -(-len(content) // CHUNK_BYTES)
        return [answer[:8] + count.to_bytes(8) for answer in answers]

    async def get_stream(self, keys: Sequence[bytes]) -> None:
        """Read a long content from each."""
        wanted = dict(zip(map(id, self.servers), keys, strict=True))
        await self._everywhere(lambda server: _drained(server.get_stream(wanted[id(server)])))

    async def _everywhere(self, call: Callable[[BareServer], Awaitable[Any]]) -> list[Any]:
        return await asyncio.gather(*(_awaited(call(server)) for server in self.servers))


async def _awaited(call: Awaitable[Any]) -> Any:
    return await call


async def _drained(stream: Any) -> None:
    async for _ in stream:
        pass


def _chunks(content: bytes) -> Iterator[bytes]:
    return (content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES))
