"""Change who opens an owner's record: ways, devices, authority, waiting period.

A change needs the owner's key, which is in the record alone: whoever changes a policy satisfied the one in
force just now. The wallet keeps nothing of it; the safes tell every wallet of the owner's the signed policy.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from trust.access_policy import MOST_DEVICES, Factor, OwnersDevice
from trust.authority import SignedAuthority, read_description
from trust.ids import AuthorityKey, Hash, OwnerId
from wallet_client.errors import WalletError
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.owner_errors import names_of
from wallet_client.operations.owner_status import require_owner
from wallet_client.operations.replace_record import as_now, replace_record, require_roots_in_use
from wallet_client.operations.settle import changing
from wallet_client.operations.unlocking import open_with
from wallet_client.owners.access import Access
from wallet_client.owners.devices import Device, register_device
from wallet_client.owners.factors import Proofs
from wallet_client.wallet import Wallet

Change = Callable[[Access], Access]


@dataclass(eq=False)
class SafesCanOpen(WalletError):
    """A policy of which the safes themselves are judges alone."""

    sentence = "By the authority alone, any threshold of the safes could open everything together."
    hint = "Ask for a PIN or a device as well; or say --accept-safes-can-open."


@dataclass(eq=False)
class FactorUnknown(WalletError):
    """A way needs what the owner has none of.

    Args:
        factor: "device" or "authority".
    """

    factor: str

    sentence = "The owner has no {factor}."
    hint = (
        "Add one first: `kura owner factor add device LABEL --device file:PATH`, or `factor add authority`."
    )


@dataclass(eq=False)
class FactorNeeded(WalletError):
    """What is to be removed is all that a way has.

    Args:
        factor: What.
    """

    factor: str

    sentence = "The access policy needs {factor}."
    hint = "Change the policy first: `kura owner policy EXPRESSION`."


@dataclass(eq=False)
class NoSuchDevice(WalletError):
    """No device of the owner's, or more than one, is called so.

    Args:
        label: What was said.
    """

    label: str

    sentence = "No single device of the owner's is called {label}."
    hint = "`kura owner factor list` shows them, with ids that serve as well."


@dataclass(eq=False)
class DeviceKnown(WalletError):
    """The device, or the label, stands in the record already.

    Args:
        label: Under which.
    """

    label: str

    sentence = "The owner has a device {label} already."
    hint = "Remove that one first, or give the new one another label."


@dataclass(eq=False)
class TooManyDevices(WalletError):
    """A record has room for a few."""

    sentence = f"An owner has {MOST_DEVICES} devices at most."
    hint = "Remove one first: `kura owner factor remove device LABEL`."


async def changed_record(
    wallet: Wallet,
    proofs: Proofs,
    change: Change = as_now,
    guesses: int | None = None,
) -> Mapping[str, SafeFailure]:
    """Open the record, and put another in its place everywhere.

    Args:
        wallet: Acts for the owner.
        proofs: Secret: what opens it now; its `new_pin`, or else its PIN, opens the new one.
        change: Who opens it from now on.
        guesses: Wrong guesses until a safe locks it; None: as now.

    Returns:
        Safes that still have the old record, or did not drop it, by name.

    Raises:
        WalletWithoutOwner: The wallet acts for none.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: The record of now does not open.
        RecordBehind: The record that opened lacks a root that is in use; nothing was changed.
        PinNeeded, NothingToTryWith, WalletError of `change`: Nothing was changed.
        TooFewSafes: Too few safes took the new record; the one of now holds. The command may be repeated.
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet):
        owner = OwnerId(require_owner(wallet).owner_id)
        unlocked, factors = await open_with(wallet, proofs)
        await asyncio.to_thread(require_roots_in_use, wallet, unlocked.secrets)
        failed = await replace_record(wallet, unlocked.secrets, owner, factors, guesses, change)
    return names_of(wallet.roster, failed)


async def new_device(wallet: Wallet, device: Device, label: str) -> OwnersDevice:
    """Have a device register for the wallet's owner; it counts once the record names it.

    Raises:
        WalletWithoutOwner, DeviceFailed: It does not.
    """
    owner = OwnerId(require_owner(wallet).owner_id)
    genesis = Hash(wallet.store.settings.get().genesis_fingerprint)
    return await asyncio.to_thread(register_device, device, genesis, owner, label, wallet.rng)


def with_device(new: OwnersDevice) -> Change:
    """One device more.

    Raises, when it is made: DeviceKnown, TooManyDevices.
    """

    def change(access: Access) -> Access:
        for known in access.devices:
            same = known.credential_id == new.credential_id
            if same or known.label == new.label:
                raise DeviceKnown(known.label)
        if len(access.devices) == MOST_DEVICES:
            raise TooManyDevices
        return replace(access, devices=(*access.devices, new))

    return change


def without_device(label: str) -> Change:
    """Without one, named by its label or the beginning of its id.

    Raises, when it is made: NoSuchDevice, FactorNeeded.
    """

    def change(access: Access) -> Access:
        gone = [one for one in access.devices if label == one.label or device_id(one).startswith(label)]
        if len(gone) != 1 or not label:
            raise NoSuchDevice(label)
        left = tuple(one for one in access.devices if one is not gone[0])
        if not left and "device" in access.factors:
            raise FactorNeeded("device")
        return replace(access, devices=left)

    return change


def device_id(device: OwnersDevice) -> str:
    """How the safes call it, hexadecimal: SHA-256 of the credential id."""
    return sha256(device.credential_id).hexdigest()


def known_authority(wallet: Wallet, signed: SignedAuthority | None) -> AuthorityKey:
    """Identity key of the authority that is shown, or that the wallet pinned.

    Raises:
        NoAuthority: Neither.
        TrustError: The description does not hold.
    """
    shown = signed or SignedAuthority.from_bytes(wallet.store.authority.get().authority)
    return AuthorityKey(read_description(shown).identity_key)


def with_authority(identity: AuthorityKey) -> Change:
    """This authority, in the place of the one before."""
    return lambda access: replace(access, authority=(identity,))


def without_authority(access: Access) -> Access:
    """None any more.

    Raises:
        FactorNeeded: A way needs it.
    """
    if "authority" in access.factors:
        raise FactorNeeded("authority")
    return replace(access, authority=())


def by_ways(ways: tuple[tuple[Factor, ...], ...], *, accept_safes_can_open: bool = False) -> Change:
    """These ways in the place of those before.

    Raises, when it is made: FactorUnknown.

    Raises:
        SafesCanOpen: A way has neither PIN nor device, and nobody said that this is accepted.
    """
    if ("authority",) in ways and not accept_safes_can_open:
        raise SafesCanOpen

    def change(access: Access) -> Access:
        needed = {factor for way in ways for factor in way}
        for factor, there in (("device", access.devices), ("authority", access.authority)):
            if factor in needed and not there:
                raise FactorUnknown(factor)
        return replace(access, ways=ways)

    return change


def with_waiting(seconds: int) -> Change:
    """A recovery by somebody else than a wallet of the owner's waits so long; 0 to `MAX_WAITING_SECONDS`."""
    return lambda access: replace(access, waiting_seconds=seconds)
