"""Two wallets of one owner change one item at once, at real safes: one change stands, for everybody."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.owner_safes import LocalSafes, local_safes
from support.owners_at_real_safes import ANNA, PIN, backed_up, enrolled, value_of, wallet_at
from support.owners_wallets import quick_stretch
from support.wallet_samples import small_value
from wallet_client.operations.edit import edit
from wallet_client.operations.owner_recovery import continue_recovery, recover_owner
from wallet_client.owners.factors import by_pin
from wallet_client.wallet import Wallet

__all__ = ["quick_stretch"]

pytestmark = pytest.mark.usefixtures("quick_stretch")


@pytest.fixture
async def safes(tmp_path: Path) -> AsyncIterator[LocalSafes]:
    """Three safes, of which two bring back."""
    async with local_safes(tmp_path / "safes", 3, 2) as started:
        yield started


def names(wallet: Wallet) -> list[str]:
    return [one.name for one in wallet.store.values.summaries()]


@pytest.mark.parametrize(
    "seconds_later", [5, 0, -5], ids=["the second later", "in one second", "the first later"]
)
async def test_every_wallet_comes_to_have_the_same(
    tmp_path: Path, safes: LocalSafes, seconds_later: int
) -> None:
    """Both registered the same generation; no wallet takes for `safe` what would not come back."""
    async with (
        wallet_at(tmp_path / "one", safes) as one,
        wallet_at(tmp_path / "other", safes, "other") as other,
        wallet_at(tmp_path / "third", safes, "third") as third,
    ):
        await enrolled(one)
        await backed_up(one, "ticket")
        await recover_owner(other, ANNA, by_pin(PIN))
        ticket = value_of(other, "ticket")
        await edit(one, value_of(one, "ticket"), small_value("of the one"))
        safes.clock.ms += seconds_later * 1000
        await edit(other, ticket, small_value("of the other"))
        for wallet in (one, other):
            await continue_recovery(wallet)
        await recover_owner(third, ANNA, by_pin(PIN))
        assert names(one) == names(other) == names(third)
        if seconds_later:
            assert names(one) == ["of the other" if seconds_later > 0 else "of the one"]
        for wallet in (one, other):
            await continue_recovery(wallet)
        assert names(one) == names(other) == names(third)
