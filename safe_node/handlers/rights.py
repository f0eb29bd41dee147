"""Who may call what: one table for every method of a safe, and the one place where a wallet is held to it.

Whether a signature is needed at all, the server reads here; who signed is looked up once a call, and a wallet
that its owner revoked is stopped here, whatever it asks. What depends on the request's own documents, such as
whose record it is, the decisions judge.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from enum import Enum
from typing import Final

from rpc_edge.authentication import authenticated_wallet, is_signed
from rpc_edge.edge import Call, Layer, RawRequest
from safe_node.accounts import Standing
from safe_node.store.owners_base import OwnerStore
from trust.ids import OwnerKey
from trust.owner_refusals import NotAnOwnersWallet, WalletRevoked
from trust.refusals import RequestUnsigned

_SAFE = "/kura.safe.v1.SafeService"
_OWNERS = "/kura.safe.v1.OwnerService"
_PEERS = "/kura.safe.v1.PeerService"


class Right(Enum):
    """Who may call a method."""

    ANYONE = "anyone, without a signature"
    ANYONE_OR_OWNERS = (
        "anyone, without a signature; one that is there must hold, and not be a revoked wallet's"
    )
    WALLET = "any wallet that is not revoked"
    OWNERS_WALLET = "a wallet that acts for an owner here, or an owner"
    OWNER = "the owner whom the request names, which the decision judges"
    PEER = "another safe of the roster, told by its certificate, at the peers' port alone"
    OWNERS_WORD = "the owner whom the document names, or a wallet of theirs, which the decision judges"


RIGHTS: Final[Mapping[str, Right]] = {
    f"{_SAFE}/Describe": Right.ANYONE,
    f"{_SAFE}/Register": Right.WALLET,
    f"{_SAFE}/RegisterStream": Right.WALLET,
    f"{_SAFE}/Fetch": Right.WALLET,
    f"{_SAFE}/FetchStream": Right.WALLET,
    f"{_SAFE}/Delete": Right.WALLET,
    f"{_SAFE}/Carry": Right.ANYONE,
    f"{_SAFE}/Certify": Right.WALLET,
    f"{_SAFE}/Repair": Right.WALLET,
    f"{_PEERS}/Inventory": Right.PEER,
    f"{_PEERS}/Words": Right.PEER,
    f"{_PEERS}/ShowBatch": Right.PEER,
    f"{_PEERS}/Sum": Right.PEER,
    f"{_PEERS}/Summand": Right.PEER,
    f"{_PEERS}/Fragment": Right.PEER,
    f"{_OWNERS}/BeginUnlock": Right.ANYONE,
    f"{_OWNERS}/Evaluate": Right.ANYONE,
    f"{_OWNERS}/Unlock": Right.ANYONE_OR_OWNERS,
    f"{_OWNERS}/Enroll": Right.OWNER,
    f"{_OWNERS}/StageRecord": Right.OWNER,
    f"{_OWNERS}/CommitRecord": Right.OWNER,
    f"{_OWNERS}/DropRecord": Right.OWNER,
    f"{_OWNERS}/Rearm": Right.OWNERS_WALLET,
    f"{_OWNERS}/Veto": Right.OWNER,
    f"{_OWNERS}/OwnerStatus": Right.OWNERS_WALLET,
    f"{_OWNERS}/AuthoriseWallet": Right.WALLET,
    f"{_OWNERS}/ListWallets": Right.OWNERS_WALLET,
    f"{_OWNERS}/RevokeWallet": Right.OWNERS_WORD,
    f"{_OWNERS}/Catalogue": Right.OWNERS_WALLET,
    f"{_OWNERS}/Undelete": Right.OWNERS_WALLET,
    f"{_OWNERS}/ForgetOwner": Right.WALLET,
    f"{_SAFE}/Gather": Right.WALLET,
    f"{_PEERS}/Collect": Right.PEER,
}
OPEN_METHODS: Final = frozenset(path for path, right in RIGHTS.items() if right is Right.ANYONE)
SIGNED_AT_WILL: Final = frozenset(path for path, right in RIGHTS.items() if right is Right.ANYONE_OR_OWNERS)

_caller: ContextVar[Standing] = ContextVar("caller")


def caller() -> Standing:
    """Who signed the call being handled, as the safe knew them when it came.

    Raises:
        RequestUnsigned: The method is open, or this is no call.
    """
    try:
        return _caller.get()
    except LookupError:
        raise RequestUnsigned from None


def account_if_signed() -> OwnerKey | None:
    """The owner for whom the call being handled was signed; None where it was not, or for nobody."""
    standing = _caller.get(None)
    return None if standing is None else standing.owner_key


def check_right(right: Right, standing: Standing) -> None:
    """Hold who signed a call to the method's right.

    Raises:
        WalletRevoked: The wallet acts for nobody any more.
        NotAnOwnersWallet: It acts for nobody, and the method needs an owner.
    """
    if standing.revoked:
        raise WalletRevoked
    if right is Right.OWNERS_WALLET and standing.owner_key is None:
        raise NotAnOwnersWallet


def lawful_calls(owners: OwnerStore) -> Layer:
    """The layer, inside the one that verifies signatures, that lets only those pass who may."""

    @asynccontextmanager
    async def layer(call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
        right = RIGHTS[call.path]
        if right is not Right.ANYONE and (right is not Right.ANYONE_OR_OWNERS or is_signed()):
            standing = await owners.standing(authenticated_wallet())
            check_right(right, standing)
            _caller.set(standing)
        yield request

    return layer
