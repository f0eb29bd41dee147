"""Two copies of one wallet: the later one may fail, but never deletes what the earlier one registered."""

import shutil
from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, opened
from support.wallet_samples import small_value
from trust.wallet_refusals import PieceConflict
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.edit import edit
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume

OLD, ONE, OTHER = (small_value(name, payload=name.encode()) for name in ("old", "one", "other"))


async def test_an_edit_in_a_copy_leaves_the_first_edit_recoverable(folder: Path) -> None:
    """The copy is told why, and takes another generation when it tries again."""
    safes = MemorySafes.of(5, 3)
    async with opened(folder / "first", safes) as wallet:
        value_id = wallet.store.values.add(OLD)
        await back_up(wallet, [value_id], "threshold")
    shutil.copytree(folder / "first", folder / "copy")
    async with opened(folder / "first", safes, "first") as wallet:
        await edit(wallet, value_id, ONE)

    async with opened(folder / "copy", safes, "copy") as wallet:
        with pytest.raises(TooFewSafes) as refused:
            await edit(wallet, value_id, OTHER)
        assert {type(failure) for failure in refused.value.failed.values()} == {PieceConflict}
        await resume(wallet)
        assert wallet.store.values.get(value_id) == OLD
        await edit(wallet, value_id, OTHER)

    async with opened(folder / "first", safes, "later") as wallet:
        (entry,) = (await back_up(wallet, [value_id], "threshold")).entries
        await drop_backed_up(wallet, [value_id], accept_fewer=False)
        await recover(wallet, [entry.receipt_id])
        assert wallet.store.values.get(value_id) == ONE
