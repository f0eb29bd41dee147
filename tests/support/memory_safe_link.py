"""A wallet's link to a safe in memory: who may call, and whose is what, as the real one has it."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from support.memory_owner_safes import MemoryOwnerSafe
from trust.certificate import Certificate, SignedCertificate
from trust.ids import WalletKey
from trust.owner_refusals import WalletRevoked
from trust.peer_refusals import PieceUnknown
from wallet_client.network.messages import FetchedPiece
from wallet_client.network.safe_link import SignedBytes
from wallet_client.network.streams import ByteSink
from wallet_client.pipeline.parcel import Parcel

if TYPE_CHECKING:
    from support.memory_safes import MemorySafe


class MemorySafeLink:
    """A caller's link to it; stands in for SafeLink.

    Args:
        safe: That is called.
        owners: What it knows of owners.
        caller: Whose signature the calls carry; nobody's: whose pieces they are is not looked at.
    """

    def __init__(self, safe: "MemorySafe", owners: MemoryOwnerSafe, caller: WalletKey) -> None:
        self._safe = safe
        self._owners = owners
        self._caller = caller

    async def register(self, parcel: Parcel) -> tuple[SignedCertificate, ...]:
        """As SafeLink."""
        self._check_right()
        return await self._safe.register(parcel)

    async def register_stream(self, parcel: Parcel, chunks: Iterator[bytes]) -> tuple[SignedCertificate, ...]:
        """As SafeLink."""
        self._check_right()
        return await self._safe.register_stream(parcel, chunks)

    async def fetch(
        self, certificates: Sequence[bytes], expected_bytes: int
    ) -> Sequence[FetchedPiece | Exception]:
        """As SafeLink."""
        self._check_right()
        return await self._safe.fetch(certificates, expected_bytes, self._theirs)

    async def fetch_stream(
        self, certificate: bytes, x_hash: bytes, blob_length: int, into: ByteSink
    ) -> bytes | None:
        """As SafeLink."""
        self._check_right()
        return await self._safe.fetch_stream(certificate, x_hash, blob_length, into, self._theirs)

    async def delete(self, tombstones: Sequence[tuple[bytes, bytes]]) -> Sequence[SignedBytes | Exception]:
        """As SafeLink."""
        self._check_right()
        return await self._safe.delete(tombstones)

    async def certify(self, expected: Sequence[Certificate]) -> list[SignedCertificate | Exception]:
        """As SafeLink, of a safe that rebuilds nothing: what it has no more, it does not have."""
        self._check_right()
        return [PieceUnknown() for _ in expected]

    def _check_right(self) -> None:
        if self._owners.standing(self._caller).revoked and not self._safe.is_down:
            raise WalletRevoked

    @property
    def _theirs(self) -> Callable[[WalletKey], bool]:
        return self._owners.theirs(self._caller) if self._caller else lambda _: True
