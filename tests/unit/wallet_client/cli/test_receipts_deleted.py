"""`kura receipts deleted` and the half of `kura receipts verify` that is about deletions."""

import asyncio
import json
from pathlib import Path

import pytest
from msgspec import structs

from support.kura import KuraInProcess
from support.memory_safes import MemorySafes, opened, safe_key
from support.sample_documents import NOW, key
from support.sample_owner import FORGETTING, FORGETTING_BYTES, FORGETTING_SIGNATURE
from support.wallet_samples import small_value
from trust.documents import SigningKey
from trust.tombstone import sign_deletion
from wallet_client.cli.output import moment
from wallet_client.operations.backup import back_up
from wallet_client.operations.recover import recover
from wallet_client.receipts.forgetting import Forgetting
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_deletion, put_deletion, put_forgetting
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore


@pytest.fixture
def kura(tmp_path: Path) -> KuraInProcess:
    """The command for a wallet that does not exist yet."""
    return KuraInProcess(tmp_path / "wallet")


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
    assert json.loads(kura("receipts", "deleted", "--json").output) == {"deletions": [], "owners": []}
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
        "undone_at": [],
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


WEEK = 7 * 86_400


def changed(kura: KuraInProcess, number: int, *, waits: bool = False, undone: int = 0) -> None:
    """Have a deletion wait at the safes that confirmed it, and be taken back at so many of the first."""
    with WalletStore.open(kura.home, NoPassphrase()) as store:
        entry = store.deletions.entries()[number]
        deletion = get_deletion(store, entry.id)
        body = deletion.items[0].tombstone
        for at, safe in enumerate(deletion.safes, 1):
            if waits and safe.receipts[0] is not None:
                word = sign_deletion(safe.safe_id, body, NOW + WEEK, safe_key(at))
                given = structs.replace(safe, receipts=(word,))
                safes = tuple(given if one == safe else one for one in deletion.safes)
                deletion = structs.replace(deletion, safes=safes)
        keepers = [safe.safe_id for safe in deletion.safes[:undone]]
        put_deletion(store, entry.id, deletion.with_undone(keepers, [0]))


def test_what_waits_is_shown_with_the_day_on_which_it_is_erased(
    kura: KuraInProcess, receipts: list[ReceiptId]
) -> None:
    """The same words before that day and after it."""
    changed(kura, 0, waits=True)
    _, first, second = kura("receipts", "deleted").output.splitlines()
    assert first.endswith(f"erased on {moment(NOW + WEEK)} at all 5")
    assert "erased at 3 of 5" in second
    assert kura("receipts", "verify").code == 0


def test_what_was_taken_back_is_shown_as_undone(kura: KuraInProcess, receipts: list[ReceiptId]) -> None:
    """Everywhere, or at some safes."""
    changed(kura, 0, undone=5)
    changed(kura, 1, undone=2)
    _, first, second = kura("receipts", "deleted").output.splitlines()
    assert first.endswith("  undone at all 5")
    assert second.endswith("  undone at 2 of 5; erased at 2 of 5; owed to safe-5")
    (row,) = json.loads(kura("receipts", "deleted", receipts[1], "--json").output)["deletions"]
    assert (row["safes"], row["safes_erased"]) == (5, 2)
    assert row["undone_at"] == ["safe-1", "safe-2"]


def forgotten(kura: KuraInProcess, forger: SigningKey | None = None) -> None:
    """An owner's end in the wallet, which safe 1 confirmed, or somebody in its place."""
    with WalletStore.open(kura.home, NoPassphrase()) as store:
        safes = [safe.safe_id for safe in MemorySafes.of(5, 3).roster.safes]
        word = sign_deletion(safes[0], FORGETTING_BYTES, NOW, forger or safe_key(1))
        decided = Forgetting.decided("anna", FORGETTING_BYTES, FORGETTING_SIGNATURE, safes)
        put_forgetting(store, "anna", decided.with_receipt(safes[0], word))


def test_owners_who_were_forgotten_stand_below(kura: KuraInProcess, receipts: list[ReceiptId]) -> None:
    """By name, since the owner said it; not where one receipt is asked for."""
    forgotten(kura)
    lines = kura("receipts", "deleted").output.splitlines()
    assert lines[3].split() == ["OWNER", "FORGOTTEN", "STATE"]
    assert lines[4].startswith("anna  ")
    assert lines[4].endswith("erased at 1 of 5; owed to safe-2, safe-3, safe-4, safe-5")
    (row,) = json.loads(kura("receipts", "deleted", "--json").output)["owners"]
    assert (row["owner"], row["forgotten_at"], row["safes"]) == ("anna", FORGETTING.forgotten_at, 5)
    assert [(one["safe"], one["erased_at"]) for one in row["erased"]] == [("safe-1", NOW)]
    assert json.loads(kura("receipts", "deleted", receipts[0], "--json").output)["owners"] == []
    assert "9 deletion receipts" in kura("receipts", "verify").output


def test_verify_names_owner_and_safe_of_what_does_not_hold(
    kura: KuraInProcess, receipts: list[ReceiptId]
) -> None:
    """And ends with 1."""
    forgotten(kura, key("stranger"))
    code, output, messages = kura("receipts", "verify")
    assert (code, output) == (1, "")
    assert "forgotten anna, safe-1: " in messages
