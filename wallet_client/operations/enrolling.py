"""Enrol an owner: from then on a name and a PIN bring everything back.

    offer a record to every safe -> enough took it -> open it with the PIN -> authorise this wallet

The owner's seed is kept in the wallet until the record was opened, so a command that was interrupted can be
repeated: safes that have the first record get the next in its place. After that only the record has it. Each
name has a seed of its own: a safe takes one owner key for one name, and whoever finds a name taken goes on to
another.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import structs

from trust.authorisation import SignedAuthorisation, authorise_wallet
from trust.documents import SigningKey
from trust.ids import KEY_BYTES, Hash, OwnerId, SafeId, WalletKey
from trust.owner_record import OwnerSecrets
from wallet_client.errors import WalletError
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.backup import find_root
from wallet_client.operations.beyond_owner import BeyondOwner, beyond_owner
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.forget_owner import owe_forgetting
from wallet_client.operations.journal import OwnersWord
from wallet_client.operations.outbox import deliver
from wallet_client.operations.owner_errors import (
    OwnerNameTaken,
    WalletHasAnotherRoot,
    WalletHasOwnerAlready,
    names_of,
)
from wallet_client.operations.owner_status import give_guesses_back
from wallet_client.operations.owners_words import owe_word
from wallet_client.operations.progress import Progress, silent
from wallet_client.operations.put_record import commit_record, drop_old_records, offer_record
from wallet_client.operations.reseal import not_bound_yet, reseal
from wallet_client.operations.settle import changing
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.unlocking import unlock_owner
from wallet_client.operations.wallet_keys import DEFAULT_NAMES, KeyFinder, free_key_name, key_entry
from wallet_client.owners.dealing import BY_PIN, DealtRecord, deal_record
from wallet_client.owners.factors import Factors
from wallet_client.owners.names import OwnerName, Pin
from wallet_client.owners.stretch import StretchedPin, owner_id, stretch_pin
from wallet_client.pipeline.binding import Binding
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.storage.errors import UnknownSecret
from wallet_client.storage.keys import LEAVING_ROOT
from wallet_client.storage.secret import Secret
from wallet_client.storage.settings import OwnerOfWallet
from wallet_client.wallet import Wallet, pinned_versions, wallet_keys

OWNER_SEED = "owner-seed-"
"""Before the hexadecimal owner id: name of the owner's seed, 32 bytes, while the owner is being enrolled."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What an enrolment came to.

    Args:
        safes: How many have the record in force.
        failed: What went wrong, by the safe's name, although the owner is enrolled.
        resealed: Items that were backed up before, and are bound to the owner now.
        left: Items that are not, and why.
        beyond: What a name and a PIN would not bring back.
    """

    safes: int
    failed: Mapping[str, SafeFailure]
    resealed: Sequence[ReceiptId]
    left: Mapping[ReceiptId, WalletError]
    beyond: Sequence[BeyondOwner]


async def enroll_owner(
    wallet: Wallet,
    name: OwnerName,
    pin: Pin,
    guesses: int,
    invitations: Mapping[str, str],
    progress: Progress = silent,
) -> Enrolled:
    """Make an owner's record at the safes, and this wallet the owner's.

    Args:
        wallet: Acts for no owner yet.
        name: The owner's.
        pin: Secret.
        guesses: Wrong guesses until a safe locks the record, 1 to 100.
        invitations: Of safes whose operators ask for one, by the safe's name.
        progress: Told how many of the earlier items are sealed anew.

    Raises:
        WalletHasOwnerAlready: It acts for one.
        OwnerNameTaken: The name is somebody else's; what other safes took of the record is taken back.
        TooFewSafes: Too few safes took the record; the same command goes on.
        OwnerOutOfReach, OwnerNotUnlocked: The new record could not be opened; the same command goes on.
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet):
        known = await asyncio.to_thread(wallet.store.settings.get)
        if known.owner is not None and not (known.owner.recovering and known.owner.name == name.text):
            raise WalletHasOwnerAlready(known.owner.name)
        owner, stretched = await asyncio.to_thread(_stretched, name, pin, Hash(known.genesis_fingerprint))
        if known.owner is None:
            key, in_force, failed = await _become_owner(wallet, name, owner, stretched, guesses, invitations)
        else:  # it stopped before all that was backed up was sealed anew; the PIN must be the one that holds
            versions = await asyncio.to_thread(pinned_versions, wallet.store)
            factors = Factors(pin=stretched, as_wallet=True)
            unlocked = await unlock_owner(wallet.links, versions, owner, factors, wallet.rng)
            key, failed = unlocked.secrets.signing_key, dict(unlocked.failed)
            in_force = len(wallet.roster.safes) - len(failed)
        resealed = await reseal(wallet, await asyncio.to_thread(not_bound_yet, wallet), progress, key)
        if known.owner is None and not resealed.left:
            await to_the_end(_note_ended, wallet)
        beyond = await asyncio.to_thread(beyond_owner, wallet)
    named = names_of(wallet.roster, failed)
    return Enrolled(in_force, named, tuple(resealed.receipts), dict(resealed.left), tuple(beyond))


async def _become_owner(
    wallet: Wallet,
    name: OwnerName,
    owner: OwnerId,
    pin: StretchedPin,
    guesses: int,
    invitations: Mapping[str, str],
) -> tuple[SigningKey, int, dict[SafeId, SafeFailure]]:
    """Bring a record into force, and have this wallet act for its owner.

    Returns:
        Secret: the owner's key; at how many safes the record is in force; what went wrong, by safe.
    """
    seed = await to_the_end(_owner_seed, wallet, owner)
    secrets = OwnerSecrets(seed, await KeyFinder(wallet).root(make=True))
    dealt = await asyncio.to_thread(
        deal_record, owner, secrets, pin, wallet.roster, wallet.rng, BY_PIN, wallet.now()
    )
    failed = await _put_in_force(wallet, name, dealt, secrets, guesses, invitations)
    in_force = len(wallet.roster.safes) - len(failed)
    versions = await asyncio.to_thread(pinned_versions, wallet.store)
    factors = Factors(pin=pin)
    await unlock_owner(wallet.links, versions, owner, factors, wallet.rng, dealt.record.record_id)
    failed |= await adopt_owner(wallet, name, owner, secrets)
    return secrets.signing_key, in_force, failed


def _stretched(name: OwnerName, pin: Pin, genesis: Hash) -> tuple[OwnerId, StretchedPin]:
    owner = owner_id(name, genesis)
    return owner, stretch_pin(pin, owner)


def _owner_seed(wallet: Wallet, owner: OwnerId) -> bytes:
    """Secret: of an enrolment under this name that was interrupted, or a fresh one."""
    name = OWNER_SEED + owner.hex()
    try:
        return wallet.store.keys.get(name).reveal()
    except UnknownSecret:
        seed = Secret(wallet.rng.read(KEY_BYTES))
        wallet.store.keys.put(name, seed)
        return seed.reveal()


async def _put_in_force(
    wallet: Wallet,
    name: OwnerName,
    dealt: DealtRecord,
    secrets: OwnerSecrets,
    guesses: int,
    invitations: Mapping[str, str],
) -> dict[SafeId, SafeFailure]:
    owner = secrets.signing_key
    put = await offer_record(wallet, dealt, owner, guesses, invitations)
    if put.taken:
        others = [safe_id for safe_id in dealt.safes if safe_id not in put.taken]
        await to_the_end(_take_back, wallet, name, dealt.record.owner_id, owner, others)
        await deliver(wallet)
        raise OwnerNameTaken(tuple(wallet.safe_name(safe_id) for safe_id in put.taken))
    failed = dict(put.failed)
    failed |= await commit_record(wallet, dealt.record, owner, put.staged)
    n, k = len(dealt.safes), dealt.record.k
    good, needed = n - len(failed), n - (n - k) // 2
    if good < needed:
        raise TooFewSafes("enrolled", good, needed, names_of(wallet.roster, failed))
    if put.staged:
        await give_guesses_back(wallet, owner)  # a command that was interrupted may have spent some
    if not failed:
        failed |= await drop_old_records(wallet, dealt.record.owner_id, owner, put.staged)
    return failed


def _take_back(
    wallet: Wallet, name: OwnerName, owner_id: OwnerId, owner: SigningKey, safes: Sequence[SafeId]
) -> None:
    """Where the name was free, what these safes may have taken goes; the next try is another owner's."""
    with wallet.store.transaction():
        wallet.store.keys.delete(OWNER_SEED + owner_id.hex())
        if safes:
            owe_forgetting(wallet, name, owner_id, owner, safes)


async def adopt_owner(
    wallet: Wallet, name: OwnerName, owner: OwnerId, secrets: OwnerSecrets
) -> dict[SafeId, SafeFailure]:
    """Have this wallet act for an owner: note it, and tell every safe; what went wrong, by safe, is owed.

    What the safes have of the owner's is still to be asked for, and what is backed up here to be bound.

    Args:
        secrets: Secret: of the opened record.

    Raises:
        WalletHasAnotherRoot: And not this owner's.
    """
    key = WalletKey(wallet.keys.signing.public)
    signed = authorise_wallet(key, wallet.now(), secrets.signing_key)
    await to_the_end(_note_owner, wallet, name, owner, secrets, signed)
    wallet.keys = await asyncio.to_thread(wallet_keys, wallet.store)
    return (await deliver(wallet)).failed


def _note_owner(
    wallet: Wallet, name: OwnerName, owner: OwnerId, secrets: OwnerSecrets, signed: SignedAuthorisation
) -> None:
    binding, store = Binding.of_root(secrets.root), wallet.store
    with store.transaction():
        _keep_roots(wallet, secrets)
        store.settings.set_owner(
            OwnerOfWallet(
                name=name.text,
                owner_id=owner,
                owner_key=secrets.owner_key,
                binding_id=binding.id,
                authorisation=signed.authorisation,
                signature=signed.signature,
                recovering=True,
            )
        )
        owe_word(wallet, "authorised", OwnersWord("authorisation", signed.authorisation, signed.signature))
        for seed in [one for one in store.keys.names() if one.startswith(OWNER_SEED)]:
            store.keys.delete(seed)


def _keep_roots(wallet: Wallet, secrets: OwnerSecrets) -> None:
    keys, keyring = wallet.store.keys, wallet.store.keyring
    for root in secrets.roots:
        bound = Binding.of_root(root)
        keys.put_binding(bound.id, Secret(bound.secret))
    for root in secrets.roots[1:]:
        keys.put(LEAVING_ROOT, Secret(root))
    known, entry = find_root(wallet), key_entry("root", DEFAULT_NAMES["root"], secrets.root, "", wallet.now())
    if known is None:
        keyring.add(structs.replace(entry, name=free_key_name(keyring, entry.name)), Secret(secrets.root))
    elif known.id != entry.id:
        raise WalletHasAnotherRoot


def _note_ended(wallet: Wallet) -> None:
    owner = wallet.store.settings.get().owner
    if owner is not None:
        wallet.store.settings.set_owner(structs.replace(owner, recovering=False))
