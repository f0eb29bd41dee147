"""A wallet of 16 KiB lives through a thousand random days at real safes, and never loses a value.

It also never holds more than fits, and leaves no piece at a safe without a receipt (support.long_life).
"""

from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.faults import fresh_wallet
from support.long_life import Life
from support.sample_documents import draw
from threshold.randomness import SeededRandomness

DAYS = 1_000
CAPACITY_BYTES = 16_384
PATIENCE_SECONDS = 30
"""An honest safe on a busy machine is not to be taken for one that is away."""

KILLED_ON = {150: "safe-2", 550: "safe-4"}
"""Their processes; they come back when the wallet next rests."""

BOOKS_EVERY, REST_EVERY = 25, 100


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [20_263])
async def test_a_small_wallet_lives_long(seed: int, cluster: LocalCluster, tmp_path: Path) -> None:
    """Values, capacity and books hold on every day and at the end, when everything comes back."""
    async with fresh_wallet(
        cluster, tmp_path / "wallet", capacity_bytes=CAPACITY_BYTES, patience_seconds=PATIENCE_SECONDS
    ) as wallet:
        wallet.rng = SeededRandomness(draw(str(seed), 32), b"life")
        life, day = Life(wallet, cluster, seed), 0
        try:
            for day in range(1, DAYS + 1):
                if day in KILLED_ON:
                    life.kill(KILLED_ON[day])
                await life.live_a_day()
                if day % BOOKS_EVERY == 0:
                    life.check_books()
                if day % REST_EVERY == 0:
                    await life.rest()
            await life.bring_everything_back()
            life.check()
        except BaseException as error:
            error.add_note(f"seed {seed}, day {day}")
            raise
