"""One bare server: `python -m benchmarks.bare.server FOLDER` prints its port and serves until it is killed.

Put and PutMany commit once a call, in the event loop: the cheapest a single call can be.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pysqlite3

from benchmarks.bare.wire import ANSWER_BYTES, OPTIONS, SERVICE, decode_rows

Context = grpc.aio.ServicerContext[Any, Any]


class Rows:
    """Rows in one table; a stream is several rows under one number."""

    def __init__(self, path: Path) -> None:
        self._connection: Any = pysqlite3.connect(str(path), isolation_level=None)
        for setting in ("page_size = 16384", "journal_mode = WAL", "synchronous = FULL"):
            self._connection.execute(f"PRAGMA {setting}")
        self._connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, content BLOB NOT NULL)")
        self._answer = bytes(ANSWER_BYTES)

    async def put(self, request: bytes, context: Context) -> bytes:
        """One row, one commit."""
        return self._keep([request])

    async def put_many(self, request: bytes, context: Context) -> bytes:
        """Many rows, one commit."""
        rows = decode_rows(request)
        return self._keep(rows) + bytes(ANSWER_BYTES * (len(rows) - 1))

    async def put_stream(self, requests: AsyncIterator[bytes], context: Context) -> bytes:
        """The chunks of a stream, one commit at the end."""
        self._connection.execute("BEGIN IMMEDIATE")
        first = None
        async for chunk in requests:
            key = self._connection.execute("INSERT INTO rows (content) VALUES (?)", (chunk,)).lastrowid
            first = key if first is None else first
        self._connection.execute("COMMIT")
        return int(first or 0).to_bytes(8) + self._answer

    async def get(self, request: bytes, context: Context) -> bytes:
        """One row by its number."""
        return self._row(int.from_bytes(request))

    async def get_stream(self, request: bytes, context: Context) -> AsyncIterator[bytes]:
        """So many rows from this number on."""
        first, count = int.from_bytes(request[:8]), int.from_bytes(request[8:])
        for key in range(first, first + count):
            yield self._row(key)

    def _keep(self, rows: list[bytes]) -> bytes:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO rows (content) VALUES (?)", [(row,) for row in rows])
        last = self._connection.execute("SELECT last_insert_rowid()").fetchone()[0]
        self._connection.execute("COMMIT")
        return int(last).to_bytes(8) + self._answer

    def _row(self, key: int) -> bytes:
        return bytes(self._connection.execute("SELECT content FROM rows WHERE id = ?", (key,)).fetchone()[0])


def _handlers(rows: Rows) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "Put": grpc.unary_unary_rpc_method_handler(rows.put),
            "PutMany": grpc.unary_unary_rpc_method_handler(rows.put_many),
            "PutStream": grpc.stream_unary_rpc_method_handler(rows.put_stream),
            "Get": grpc.unary_unary_rpc_method_handler(rows.get),
            "GetStream": grpc.unary_stream_rpc_method_handler(rows.get_stream),
        },
    )


async def main(folder: Path) -> None:
    """Serve."""
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((_handlers(Rows(folder / "rows.db")),))
    identity = ((folder / "key.pem").read_bytes(), (folder / "certificate.pem").read_bytes())
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([identity]))
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
