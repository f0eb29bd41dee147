"""The owner's wallets as all safes together know them, and the end of one that was lost.

A revocation is the owner's signed word and needs the PIN; it is owed to every safe until that safe has it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from trust.authorisation import (
    SignedAuthorisation,
    WalletRevocation,
    read_authorisation,
    read_revocation,
    revoke_wallet,
)
from trust.errors import TrustError
from trust.ids import OwnerKey, SafeId, Signature, WalletKey
from wallet_client.network.failures import SafeFailure, WrongReply
from wallet_client.network.fan_out import fan_out
from wallet_client.operations.journal import OwnersWord
from wallet_client.operations.outbox import deliver
from wallet_client.operations.owner_errors import OwnWallet, UnknownWallet, names_of
from wallet_client.operations.owner_status import require_owner
from wallet_client.operations.owners_words import owe_word
from wallet_client.operations.settle import changing
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.unlocking import open_with
from wallet_client.owners.factors import Proofs
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class OwnersWallet:
    """One wallet of the owner's.

    Args:
        wallet_key: Its public key.
        authorised_at: When the owner authorised it, Unix seconds.
        revoked_at: When the owner revoked it; None while it may act.
        is_this: It is the wallet that asks.
    """

    wallet_key: WalletKey
    authorised_at: int
    revoked_at: int | None
    is_this: bool


@dataclass(frozen=True, slots=True)
class OwnersWallets:
    """What the safes say.

    Args:
        wallets: Those first that were authorised first.
        failed: What went wrong, by the safe's name.
    """

    wallets: Sequence[OwnersWallet]
    failed: Mapping[str, SafeFailure]


async def owners_wallets(wallet: Wallet) -> OwnersWallets:
    """Ask all safes; a wallet that one of them knows of is listed.

    Raises:
        WalletWithoutOwner: The wallet acts for none.
    """
    owner_key = OwnerKey(require_owner(wallet).owner_key)

    async def ask(safe_id: SafeId) -> tuple[list[SignedAuthorisation], list[tuple[bytes, bytes]]]:
        return await wallet.links.to_owners(safe_id).wallets()

    answers = await fan_out({safe.safe_id: partial(ask, safe.safe_id) for safe in wallet.roster.safes})
    failed: dict[SafeId, SafeFailure] = dict(answers.failed)
    authorised: dict[WalletKey, int] = {}
    revoked: dict[WalletKey, int] = {}
    for safe_id, (authorisations, revocations) in answers.good.items():
        try:
            authorised |= _authorised(authorisations, owner_key)
            revoked |= _revoked(revocations, owner_key)
        except TrustError:
            failed[safe_id] = WrongReply()
    own = WalletKey(wallet.keys.signing.public)
    found = [OwnersWallet(key, at, revoked.get(key), key == own) for key, at in authorised.items()]
    ordered = tuple(sorted(found, key=lambda one: (one.authorised_at, one.wallet_key)))
    return OwnersWallets(ordered, names_of(wallet.roster, failed))


def _authorised(signed: Sequence[SignedAuthorisation], owner_key: OwnerKey) -> dict[WalletKey, int]:
    read = map(read_authorisation, signed)
    return {one.wallet_key: one.issued_at for one in read if one.owner_key == owner_key}


def _revoked(signed: Sequence[tuple[bytes, bytes]], owner_key: OwnerKey) -> dict[WalletKey, int]:
    read = (read_revocation(*one) for one in signed)
    return {one.wallet_key: one.revoked_at for one in read if one.owner_key == owner_key}


async def revoke(wallet: Wallet, prefix: str, proofs: Proofs) -> dict[str, SafeFailure]:
    """End a wallet's right to act for the owner; what went wrong, by the safe's name, is owed.

    Args:
        prefix: The beginning of its public key, hexadecimal.
        proofs: Secret.

    Raises:
        WalletWithoutOwner: The wallet acts for none.
        UnknownWallet: None of the owner's wallets, or more than one, begins so.
        OwnWallet: It is this wallet.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: The record does not open.
        WalletBusy: Another process is changing the wallet.
    """
    known = (await owners_wallets(wallet)).wallets
    matching = [one for one in known if one.wallet_key.hex().startswith(prefix.lower())]
    if len(matching) != 1:
        raise UnknownWallet(prefix)
    if matching[0].is_this:
        raise OwnWallet
    async with changing(wallet):
        unlocked, _ = await open_with(wallet, proofs)
        word = revoke_wallet(matching[0].wallet_key, wallet.now(), unlocked.secrets.signing_key)
        await to_the_end(owe_revocation, wallet, word)
        delivered = await deliver(wallet)
    return names_of(wallet.roster, delivered.failed)


def owe_revocation(
    wallet: Wallet, word: tuple[bytes, bytes], safe_ids: Iterable[SafeId] | None = None
) -> None:
    """Write down what safes are to be told of a wallet; `deliver` tells them.

    Args:
        word: Of trust.authorisation.revoke_wallet.
        safe_ids: Which; None for all.
    """
    body, signature = word
    name = f"{WalletRevocation.from_bytes(body).wallet_key.hex()}-revoked"
    with wallet.store.transaction():
        owe_word(wallet, name, OwnersWord("revocation", body, Signature(signature)), safe_ids)
