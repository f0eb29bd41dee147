"""Rearm, Veto, OwnerStatus, AuthoriseWallet, ListWallets, RevokeWallet: an owner's guesses and wallets."""

from __future__ import annotations

from functools import partial

from kura.safe.v1 import owner_pb2 as pb
from safe_node.accounts import Standing
from safe_node.decisions.accounts import (
    judge_authorisation,
    judge_revocation,
    plan_authorisation,
    plan_rearming,
    plan_revocation,
)
from safe_node.decisions.waiting import plan_veto
from safe_node.handlers.owner_converters import read_recipient_key, read_signature, write_status, write_wallet
from safe_node.handlers.safe import Safe
from trust.ids import OwnerKey, WalletKey
from trust.owner_refusals import NotAnOwnersWallet


async def rearm(safe: Safe, caller: Standing) -> pb.RearmResponse:
    """Give all guesses back.

    Raises:
        NotAnOwnersWallet, OwnerUnknown, RearmedLately
    """
    plan = partial(plan_rearming, caller=caller, now_ms=safe.now_ms())
    await safe.store.owners.rearm(account_of(caller), plan)
    return pb.RearmResponse()


async def veto(safe: Safe, caller: WalletKey, request: pb.VetoRequest) -> pb.VetoResponse:
    """End a recovery that waits, for good.

    Raises:
        Malformed, OwnerUnknown, NothingWaits, VetoedLately
    """
    recipient_key = read_recipient_key(request.recipient_key)
    plan = partial(plan_veto, recipient_key=recipient_key, now_ms=safe.now_ms())
    await safe.store.owners.veto(OwnerKey(caller), plan)
    return pb.VetoResponse()


async def owner_status(safe: Safe, caller: Standing) -> pb.OwnerStatusResponse:
    """Tell where records and guesses stand, and what is kept.

    Raises:
        NotAnOwnersWallet
    """
    return write_status(await safe.store.owners.view(account_of(caller)), safe.now_ms())


async def authorise_wallet(
    safe: Safe, caller: WalletKey, request: pb.AuthoriseWalletRequest
) -> pb.AuthoriseWalletResponse:
    """Make the caller a wallet of the owner who says so.

    Raises:
        Malformed, NotYourItem, WalletRevoked, WalletHasOwner
    """
    word = judge_authorisation(request.authorisation, read_signature(request.signature), caller)
    await safe.store.owners.authorise(word, plan_authorisation)
    return pb.AuthoriseWalletResponse()


async def list_wallets(safe: Safe, caller: Standing) -> pb.ListWalletsResponse:
    """Name the owner's wallets.

    Raises:
        NotAnOwnersWallet
    """
    wallets = await safe.store.owners.wallets(account_of(caller))
    return pb.ListWalletsResponse(wallets=[write_wallet(wallet) for wallet in wallets])


async def revoke_wallet(
    safe: Safe, caller: Standing, request: pb.RevokeWalletRequest
) -> pb.RevokeWalletResponse:
    """Keep the owner's word against a wallet.

    Raises:
        Malformed, NotTheOwner, NotAnOwnersWallet, TooManyRevocations
    """
    word = judge_revocation(request.revocation, read_signature(request.signature), caller)
    await safe.store.owners.revoke(word, plan_revocation)
    return pb.RevokeWalletResponse()


def account_of(caller: Standing) -> OwnerKey:
    """For whom the caller acts; `rights` saw to it that there is somebody."""
    if caller.owner_key is None:
        raise NotAnOwnersWallet
    return caller.owner_key
