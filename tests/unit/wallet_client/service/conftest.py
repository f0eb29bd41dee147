"""A served wallet before safes in memory, and the program that calls it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, opened
from support.vendor import Vendor, vendor_of


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def vendor(tmp_path: Path, safes: MemorySafes) -> AsyncIterator[Vendor]:
    """A program with the stubs, over a real channel."""
    async with opened(tmp_path / "wallet", safes) as wallet, vendor_of(wallet) as one:
        yield one
