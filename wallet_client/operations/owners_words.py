"""The owner's signed words that all safes are to hear: about wallets, about a deletion, about the owner.

Each is owed to every safe until that safe has heard it, in the order of everything else that it is owed.
"""

from collections.abc import Iterable

from trust.errors import TrustError
from trust.ids import SafeId, Signature
from trust.tombstone import Revival, hash_of, read_deletion
from trust.wallet_refusals import ErasedAlready
from wallet_client.network.failures import WrongReply
from wallet_client.operations.journal import Owed, OwnersWord, write_entry
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.receipts.shelf import (
    all_deletions_by_id,
    get_forgetting,
    put_deletion,
    put_forgetting,
)
from wallet_client.wallet import Wallet


def owe_word(wallet: Wallet, cause: str, word: OwnersWord, safe_ids: Iterable[SafeId] | None = None) -> None:
    """Write down what safes are to be told; call it inside a transaction.

    Args:
        cause: Its name in the outbox; of an owner's end, the id under which that is kept.
        word: What they are told.
        safe_ids: Which; None for all.
    """
    everyone = (safe.safe_id for safe in wallet.roster.safes)
    for safe_id in everyone if safe_ids is None else safe_ids:
        wallet.store.outbox.put(cause, safe_id, write_entry(Owed("word", word.to_bytes())))


async def deliver_word(wallet: Wallet, safe_id: SafeId, cause: str, word: OwnersWord) -> None:
    """Tell a safe, and note that it has heard.

    Raises:
        SafeFailure: It did not take it; it is still owed.
    """
    link = wallet.links.to_owners(safe_id)
    match word.about:
        case "authorisation":
            await link.authorise_wallet(word.word, word.signature)
        case "revocation":
            await link.revoke_wallet(word.word, word.signature)
        case "revival":
            try:
                await link.undelete(word.word, word.signature)
            except ErasedAlready:
                await to_the_end(_note_too_late, wallet, safe_id, cause, word)
                return
        case "forgetting":
            receipt = await link.forget_owner(word.word, word.signature)
            await to_the_end(_keep_receipt, wallet, safe_id, cause, word, receipt)
            return
    await to_the_end(wallet.store.outbox.delete, cause, safe_id)


def _note_too_late(wallet: Wallet, safe_id: SafeId, cause: str, word: OwnersWord) -> None:
    """The safe erased before it heard: its deletion stands, and its receipt is owed where it gave none."""
    hash_ = Revival.from_bytes(word.word).tombstone_hash
    with wallet.store.transaction():
        for deletion_id, deletion in all_deletions_by_id(wallet.store):
            positions = [at for at, item in enumerate(deletion.items) if hash_of(item.tombstone) == hash_]
            changed = deletion.without_undone([safe_id], positions)
            if changed != deletion:
                put_deletion(wallet.store, deletion_id, changed)
                if changed.owed_to(safe_id):
                    wallet.store.outbox.put(deletion_id, safe_id, write_entry(Owed("tombstones", b"")))
        wallet.store.outbox.delete(cause, safe_id)


def _keep_receipt(
    wallet: Wallet, safe_id: SafeId, cause: str, word: OwnersWord, receipt: tuple[bytes, bytes]
) -> None:
    body, signature = receipt
    try:
        read_deletion(body, signature, safe_id, wallet.roster.safe(safe_id).signing_key, word.word)
    except TrustError:
        raise WrongReply from None
    with wallet.store.transaction():
        forgetting = get_forgetting(wallet.store, cause)
        put_forgetting(wallet.store, cause, forgetting.with_receipt(safe_id, (body, Signature(signature))))
        wallet.store.outbox.delete(cause, safe_id)
