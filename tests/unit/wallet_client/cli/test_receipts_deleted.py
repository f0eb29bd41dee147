"""`kura receipts deleted` and the half of `kura receipts verify` that is about deletions."""

import asyncio
import json
from pathlib import Path

import pytest

from support.kura_in_process import KuraInProcess
from support.memory_safes import MemorySafes, opened, safe_key
from support.sample_documents import NOW, key
from support.wallet_samples import small_value
from trust.tombstone import sign_deletion
from wallet_client.operations.backup import back_up
from wallet_client.operations.recover import recover
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_deletion, put_deletion
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore


@pytest.fixture
def kura(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> KuraInProcess:
    """The command for a wallet that does not exist yet."""
    return KuraInProcess(tmp_path / "wallet", capsys)


async def fill(home: Path, *away: int) -> list[ReceiptId]:
    """A wallet that deleted two receipts one after the other, the second while some safes were away."""
    safes = MemorySafes.of(5, 3)
    async with opened(home, safes) as wallet:
        with wallet.store.transaction():
            ids = [wallet.store.values.add(small_value(name)) for name in ("first", "second")]
        receipts = [entry.receipt_id for entry in (await back_up(wallet, ids, "threshold")).entries]
        await recover(wallet, receipts[:1], delete_receipts=True)
        safes.take_down(*away)
        await recover(wallet, receipts[1:], delete_receipts=True)
    return receipts


@pytest.fixture
def receipts(kura: KuraInProcess) -> list[ReceiptId]:
    """What was deleted; of the second, safes 2 and 5 have not heard."""
    return asyncio.run(fill(kura.home, 2, 5))


def test_a_wallet_that_deleted_nothing_says_so(kura: KuraInProcess) -> None:
    """In words, and with an empty list."""

    async def empty() -> None:
        async with opened(kura.home, MemorySafes.of()):
            pass

    asyncio.run(empty())
    assert kura("receipts", "deleted") == (0, "No deletions.\n", "")
    assert json.loads(kura("receipts", "deleted", "--json").output) == {"deletions": []}
    assert "deletion" not in kura("receipts", "verify").output


def test_people_read_who_confirmed_and_who_owes_it(kura: KuraInProcess, receipts: list[ReceiptId]) -> None:
    """One line for each generation, oldest first, without class or name."""
    header, first, second = kura("receipts", "deleted").output.splitlines()
    assert header.split() == ["RECEIPT", "GENERATION", "POLICY", "DELETED", "STATE"]
    assert first.startswith(receipts[0])
    assert first.endswith("erased at all 5")
    assert second.startswith(receipts[1])
    assert second.endswith("UTC  erased at 3 of 5; owed to safe-2, safe-5")


def test_scripts_read_the_same(kura: KuraInProcess, receipts: list[ReceiptId]) -> None:
    """With every safe's time."""
    (row,) = json.loads(kura("receipts", "deleted", receipts[1][:6], "--json").output)["deletions"]
    erased = row.pop("erased")
    assert [(one["safe"], one["erased_at"]) for one in erased] == [
        (name, NOW) for name in ("safe-1", "safe-3", "safe-4")
    ]
    assert len(row.pop("item_id")) == 32
    assert row == {
        "receipt_id": receipts[1],
        "generation": 1,
        "policy": "threshold",
        "deleted_at": NOW,
        "safes": 5,
        "safes_erased": 3,
        "owed_to": ["safe-2", "safe-5"],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [("r-nothing", "keeps no deletion r-nothing"), ("r-", "may be r-"), ("first", "keeps no deletion first")],
    ids=["an unknown one", "one that fits two", "a value's name"],
)
def test_a_receipt_that_is_not_among_them_is_refused(
    kura: KuraInProcess, receipts: list[ReceiptId], text: str, said: str
) -> None:
    """Names of what was deleted are not kept."""
    code, output, messages = kura("receipts", "deleted", text)
    assert (code, output) == (1, "")
    assert said in messages


def test_verify_checks_what_safes_gave_unless_receipts_are_named(
    kura: KuraInProcess, receipts: list[ReceiptId]
) -> None:
    """Five words of one deletion and three of the other."""
    said = kura("receipts", "verify").output
    assert said == "0 receipts with 0 certificates, and 8 deletion receipts: every signature holds\n"
    assert json.loads(kura("receipts", "verify", "--json").output)["deletion_receipts"] == 8


@pytest.mark.parametrize("forger", [safe_key(2), key("stranger")], ids=["another safe", "a stranger"])
def test_verify_names_item_and_safe_of_what_does_not_hold(
    kura: KuraInProcess, receipts: list[ReceiptId], forger: object
) -> None:
    """And ends with 1."""
    with WalletStore.open(kura.home, NoPassphrase()) as store:
        entry = store.deletions.entries()[0]
        deletion = get_deletion(store, entry.id)
        safe_id = deletion.safes[0].safe_id
        word = sign_deletion(safe_id, deletion.items[0].tombstone, NOW, forger)  # type: ignore[arg-type]
        put_deletion(store, entry.id, deletion.with_receipts(safe_id, {0: word}))
    code, output, messages = kura("receipts", "verify")
    assert (code, output) == (1, "")
    assert f"deleted {receipts[0]}, safe-1: " in messages
    assert messages.count("deleted r-") == 1
