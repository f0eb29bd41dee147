"""Argon2id, off the event loop, so many at once and no more.

Each hash takes its memory, 64 MiB by default; what would have to wait behind too many others is refused as
Busy. A password for a name that nobody has is held against a hash of nothing known, at the same price.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from auth_service.config import PasswordSettings
from threshold.randomness import RandomSource
from trust.ids import Hash, OwnerId
from trust.owner_id import owner_id
from trust.refusals import Busy

_Result = TypeVar("_Result")


class PasswordHashes:
    """Makes and compares hashes.

    Args:
        settings: The figures, and how many at once.
        rng: Gives 16 bytes for each salt, and 32 for the password that nobody has.
    """

    def __init__(self, settings: PasswordSettings, rng: RandomSource) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.passes,
            memory_cost=settings.memory_kib,
            parallelism=settings.lanes,
            type=Type.ID,
        )
        self._rng = rng
        self._room = settings.at_once + settings.waiting
        self._pool = ThreadPoolExecutor(settings.at_once, "kura-hash")
        self._nobodys = self._hash(rng.read(32))

    async def hash(self, password: bytes) -> str:
        """The hash (Secret) of a password (Secret), in the PHC form.

        Raises:
            Busy: Too many wait.
        """
        return await self._work(lambda: self._hash(password))

    async def verify(self, password_hash: str | None, password: bytes) -> bool:
        """Whether a password (Secret) is the one that was hashed; None is nobody's hash, and never is.

        Raises:
            Busy: Too many wait.
        """
        same = await self._work(lambda: self._same(password_hash or self._nobodys, password))
        return same and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Whether a hash (Secret) was made with other figures than those of today."""
        return self._hasher.check_needs_rehash(password_hash)

    async def owner_id(self, name: str, genesis: Hash) -> OwnerId:
        """What the safes of a roster know the owner of that name by.

        Raises:
            Busy: Too many wait.
        """
        return await self._work(lambda: owner_id(name.encode(), genesis))

    async def close(self) -> None:
        """Finish what was begun."""
        await asyncio.to_thread(self._pool.shutdown)

    def _hash(self, password: bytes) -> str:
        return self._hasher.hash(password, salt=self._rng.read(16))

    def _same(self, password_hash: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, run: Callable[[], _Result]) -> _Result:
        if not self._room:
            raise Busy
        self._room -= 1
        loop = asyncio.get_running_loop()
        job = self._pool.submit(run)
        # Not when the caller leaves: what was begun goes on, and takes its memory.
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        return await asyncio.wrap_future(job)

    def _leave(self) -> None:
        self._room += 1
