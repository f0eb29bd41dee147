"""The wires between a wallet and real safes, which a test may cut, or have lose every answer.

Killing a process costs seconds; a wire costs nothing, and a lost answer is what a kill seldom hits: the safe
did what it was asked, and the wallet does not know.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, TypeVar, cast

import grpc

from rpc_edge.errors import ConnectionLost, NothingListens
from trust.certificate import SignedCertificate
from trust.ids import SafeId
from wallet_client.network.links import Links
from wallet_client.network.messages import FetchedPiece
from wallet_client.network.safe_link import SafeLink, SignedBytes
from wallet_client.network.streams import ByteSink
from wallet_client.pipeline.parcel import Parcel

_Answer = TypeVar("_Answer")

CUT: Final = "cut"
DEAF: Final = "deaf"


class Wires:
    """Stands in for a wallet's links; the attributes are for tests to set.

    Args:
        links: The real ones, which are closed with these.
    """

    def __init__(self, links: Links) -> None:
        self._links = links
        self.gateway = links.gateway
        self.broken: dict[SafeId, str] = {}
        """CUT: nothing gets there; DEAF: everything does, and no answer comes back."""

    def to(self, safe_id: SafeId) -> "_Wire":
        """As Links.to."""
        return _Wire(self._links.to(safe_id), lambda: self.broken.get(safe_id, ""))

    async def close(self) -> None:
        """As Links.close."""
        await self._links.close()


class _Wire:
    """As SafeLink, as long as the wire holds."""

    def __init__(self, link: SafeLink, state: Callable[[], str]) -> None:
        self._link = link
        self._state = state

    @property
    def _channel(self) -> grpc.aio.Channel:
        return cast(grpc.aio.Channel, self._link._channel)

    async def register(self, parcel: Parcel) -> tuple[SignedCertificate, ...]:
        return await self._carry(self._link.register, parcel)

    async def register_stream(self, parcel: Parcel, chunks: Iterator[bytes]) -> tuple[SignedCertificate, ...]:
        return await self._carry(self._link.register_stream, parcel, chunks)

    async def fetch(
        self, certificates: Sequence[bytes], expected_bytes: int
    ) -> Sequence[FetchedPiece | Exception]:
        return await self._carry(self._link.fetch, certificates, expected_bytes)

    async def fetch_stream(
        self, certificate: bytes, x_hash: bytes, blob_length: int, into: ByteSink
    ) -> bytes | None:
        return await self._carry(self._link.fetch_stream, certificate, x_hash, blob_length, into)

    async def delete(self, tombstones: Sequence[SignedBytes]) -> Sequence[SignedBytes | Exception]:
        return await self._carry(self._link.delete, tombstones)

    async def _carry(self, call: Callable[..., Awaitable[_Answer]], *arguments: Any) -> _Answer:
        if self._state() == CUT:
            raise NothingListens
        answer = await call(*arguments)
        if self._state() == DEAF:
            raise ConnectionLost
        return answer
