"""Bring a dealt record into force at every safe.

Where the owner has one already it is staged, and put in force; the old one goes once every safe has the new.
A safe that knows no such owner takes it at once. So one way enrols, changes the PIN, and mends a safe that
was away. Staging comes first: a safe whose operator asks for invitations looks at the invitation before it
tells whether it knows the owner, and takes each only once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from trust.documents import SigningKey
from trust.ids import OwnerId, RecordId, SafeId
from trust.owner_record import OwnerRecord
from trust.owner_refusals import OwnerExists, OwnerUnknown
from wallet_client.network.failures import SafeFailure
from wallet_client.network.fan_out import fan_out
from wallet_client.network.owner_messages import PartToKeep, VersionToKeep
from wallet_client.owners.dealing import DealtRecord
from wallet_client.wallet import Wallet

Offer = Literal["enrolled", "staged", "taken"]
"""What a safe made of a record, as `Put` has it."""


@dataclass(frozen=True, slots=True)
class Put:
    """Where the record is now.

    Args:
        enrolled: Safes that had none, and have it in force.
        staged: Safes that keep it beside the one in force.
        taken: Safes at which the name is somebody else's.
        failed: What went wrong at the others.
    """

    enrolled: tuple[SafeId, ...]
    staged: tuple[SafeId, ...]
    taken: tuple[SafeId, ...]
    failed: Mapping[SafeId, SafeFailure]


async def offer_record(
    wallet: Wallet, dealt: DealtRecord, owner: SigningKey, guesses: int, invitations: Mapping[str, str]
) -> Put:
    """Have every safe stage the record, or enrol the owner where it knows none.

    Args:
        wallet: Whose links are used.
        dealt: Secret.
        owner: Secret: the owner's key.
        guesses: Wrong guesses until a safe locks the record, 1 to 100.
        invitations: Of safes whose operators ask for one, by the safe's name.
    """
    calls = {
        safe_id: partial(
            _offer,
            wallet,
            safe_id,
            owner,
            version_for(dealt, safe_id, guesses),
            invitations.get(wallet.safe_name(safe_id), ""),
        )
        for safe_id in dealt.safes
    }
    answers = await fan_out(calls)

    def where(offer: Offer) -> tuple[SafeId, ...]:
        return tuple(safe_id for safe_id, made in answers.good.items() if made == offer)

    return Put(where("enrolled"), where("staged"), where("taken"), answers.failed)


async def _offer(
    wallet: Wallet, safe_id: SafeId, owner: SigningKey, version: VersionToKeep, invitation: str
) -> Offer:
    link = wallet.links.to_owners(safe_id, owner)
    try:
        await link.stage(version)
    except OwnerUnknown:  # there is none, or a stranger's, which a safe does not tell apart
        try:
            await link.enroll(version, invitation)
        except OwnerExists:
            return "taken"
        return "enrolled"
    return "staged"


def version_for(dealt: DealtRecord, safe_id: SafeId, guesses: int) -> VersionToKeep:
    """Secret: what one safe is to keep."""
    parts = tuple(
        PartToKeep(
            record=one.record.to_bytes(),
            unlock_share=one.parts[safe_id].unlock_share,
            oprf_share=one.parts[safe_id].oprf_share,
            unlock_tag=one.parts[safe_id].unlock_tag,
            sealed=one.sealed,
        )
        for one in dealt.ways
    )
    return VersionToKeep(dealt.policy, parts, guesses)


async def commit_record(
    wallet: Wallet, record: OwnerRecord, owner: SigningKey, safes: Iterable[SafeId]
) -> dict[SafeId, SafeFailure]:
    """Put a staged record in force at these safes; what went wrong, by safe.

    Args:
        owner: Secret: the owner's key.
    """

    async def commit(safe_id: SafeId) -> None:
        await wallet.links.to_owners(safe_id, owner).commit(record.owner_id, record.record_id)

    return (await fan_out({safe_id: partial(commit, safe_id) for safe_id in safes})).failed


async def drop_old_records(
    wallet: Wallet, owner_id: OwnerId, owner: SigningKey, safes: Iterable[SafeId]
) -> dict[SafeId, SafeFailure]:
    """Erase, at these safes, every record that was in force before; what went wrong, by safe.

    Args:
        owner: Secret: the owner's key.
    """

    async def drop_old(safe_id: SafeId) -> None:
        link = wallet.links.to_owners(safe_id, owner)
        for record_id in (await link.status()).old_record_ids:
            await link.drop(owner_id, RecordId(record_id))

    return (await fan_out({safe_id: partial(drop_old, safe_id) for safe_id in safes})).failed
