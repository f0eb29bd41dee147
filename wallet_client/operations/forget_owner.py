"""End an owner: the safes erase the record and everything that the owner's wallets registered, at once.

The owner's word is owed to every safe until that safe has given its receipt. This wallet acts for nobody from
then on, and its receipts are worth nothing; what is in it stays. An enrolment that cannot be finished is
taken back in the same way.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trust.documents import SigningKey
from trust.ids import OwnerId, SafeId
from trust.tombstone import forget_owner as sign_forgetting
from trust.tombstone import hash_of
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.journal import OwnersWord, read_entry
from wallet_client.operations.outbox import deliver
from wallet_client.operations.owner_errors import OtherOwner, names_of
from wallet_client.operations.owner_status import require_owner
from wallet_client.operations.owners_words import owe_word
from wallet_client.operations.settle import changing
from wallet_client.operations.superseded import SUPERSEDED
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.unlocking import open_with
from wallet_client.operations.wallet_keys import key_entry
from wallet_client.owners.factors import Proofs
from wallet_client.owners.names import OwnerName
from wallet_client.receipts.forgetting import Forgetting
from wallet_client.receipts.shelf import get_forgetting, put_forgetting, read_summary
from wallet_client.storage.keys import BINDING_PREFIX
from wallet_client.storage.secret import Secret
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet, wallet_keys


@dataclass(frozen=True, slots=True)
class OwnerForgotten:
    """What came of it.

    Args:
        forgetting: The owner's word, with the safes' receipts so far.
        failed: What went wrong, by the safe's name; the word is owed to it.
    """

    forgetting: Forgetting
    failed: Mapping[str, SafeFailure]


def nowhere_else(store: WalletStore) -> list[ValueId]:
    """Values and keys that would be lost with the owner: they are at safes, and not in this wallet."""
    keys = {entry.id for entry in store.keyring.entries() if entry.kind == "root" or entry.algorithm}
    summaries = [read_summary(entry) for entry in store.receipts.entries()]
    return [
        value_id
        for summary in summaries
        for value_id in summary.value_ids
        if value_id not in keys and not store.holding(summary.kind).has(value_id)
    ]


async def forget_owner(wallet: Wallet, name: OwnerName, proofs: Proofs) -> OwnerForgotten:
    """Have the owner of this wallet forgotten, for good.

    Args:
        wallet: Acts for the owner.
        name: The owner's, said again.
        proofs: Secret.

    Raises:
        WalletWithoutOwner: The wallet acts for none.
        OtherOwner: It acts for somebody else.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: The record does not open.
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet):
        owner = require_owner(wallet)
        if owner.name != name.text:
            raise OtherOwner(owner.name)
        secrets = (await open_with(wallet, proofs))[0].secrets

        def decide() -> str:
            with wallet.store.transaction():
                _drop_everything_owed(wallet)
                _keep_root(wallet, secrets.root)
                _let_go(wallet.store)
                everyone = [safe.safe_id for safe in wallet.roster.safes]
                return owe_forgetting(wallet, name, OwnerId(owner.owner_id), secrets.signing_key, everyone)

        forgetting_id = await to_the_end(decide)
        wallet.keys = await asyncio.to_thread(wallet_keys, wallet.store)
        delivered = await deliver(wallet)
        forgetting = await asyncio.to_thread(get_forgetting, wallet.store, forgetting_id)
    return OwnerForgotten(forgetting, names_of(wallet.roster, delivered.failed))


def owe_forgetting(
    wallet: Wallet, name: OwnerName, owner_id: OwnerId, owner: SigningKey, safe_ids: Iterable[SafeId]
) -> str:
    """Write down what safes are to hear; call it inside a transaction. Gives the id under which it is kept.

    Args:
        owner: Secret: the owner's key.
    """
    safes = list(safe_ids)
    body, signature = sign_forgetting(owner_id, wallet.now(), owner)
    forgetting_id = f"{hash_of(body).hex()}-forgotten"
    put_forgetting(wallet.store, forgetting_id, Forgetting.decided(name.text, body, signature, safes))
    owe_word(wallet, forgetting_id, OwnersWord("forgetting", body, signature), safes)
    return forgetting_id


def _drop_everything_owed(wallet: Wallet) -> None:
    """But tombstones and earlier owners' ends: their receipts are of use."""
    outbox = wallet.store.outbox
    for entry in outbox.entries():
        owed, _ = read_entry(outbox.get(entry.owner_id, entry.safe_id))
        ends = owed.kind == "word" and OwnersWord.from_bytes(owed.body).about == "forgetting"
        if owed.kind != "tombstones" and not ends:
            outbox.delete(entry.owner_id, entry.safe_id)


def _keep_root(wallet: Wallet, root: bytes) -> None:
    """No safe can bring it back any more; keys that come from it can be made again."""
    keyring, entry = wallet.store.keyring, key_entry("root", "", root, "", 0)
    if entry.id in {known.id for known in keyring.entries()} and not keyring.has(entry.id):
        keyring.bring_back(entry, Secret(root))


def _let_go(store: WalletStore) -> None:
    """No receipts, no bindings, nobody to act for; keys that nothing brings back go with them."""
    for receipt in store.receipts.entries():
        store.receipts.delete(receipt.id)
    for value in store.values.summaries():
        store.values.link_known(value, None)
    for key in store.keyring.entries():
        if not key.is_here and not key.algorithm:
            store.keyring.remove(key.id)
        else:
            store.keyring.link_known(store.keyring.summary(key.id), None)
    for operation in store.journal.entries():
        if operation.kind == SUPERSEDED:
            store.journal.delete(operation.id)
    for name in store.keys.names():
        if name.startswith(BINDING_PREFIX):
            store.keys.delete(name)
    store.settings.set_owner(None)
