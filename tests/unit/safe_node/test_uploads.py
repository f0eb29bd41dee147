"""A safe takes in so many streams at once, and says so to the next."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kura.safe.v1 import safe_pb2 as pb
from safe_node.config import Limits
from safe_node.handlers.register_stream import register_stream
from safe_node.handlers.safe import Safe
from support.store_bench import CALLER, MEMBERSHIP, SAFE_KEY
from trust.refusals import Busy, Malformed


async def nothing() -> AsyncIterator[pb.RegisterStreamRequest]:
    """A stream that ends at once."""
    messages: tuple[pb.RegisterStreamRequest, ...] = ()
    for message in messages:
        yield message


async def test_beyond_its_streams_a_safe_is_busy_and_a_place_is_given_back() -> None:
    """Refused before anything is read; a stream that fails leaves its place to the next."""
    store: Any = None
    safe = Safe("safe-1", MEMBERSHIP, SAFE_KEY, Limits(), store, lambda: 0, asyncio.Semaphore(1))
    for _ in range(2):
        with pytest.raises(Malformed, match="opening"):
            await register_stream(safe, CALLER, nothing())
    async with safe.uploads:
        with pytest.raises(Busy):
            await register_stream(safe, CALLER, nothing())
