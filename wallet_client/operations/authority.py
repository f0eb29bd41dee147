"""What an owner does at an authority: register, log in, change the password, keep devices, be asserted.

The wallet pins the authority's identity the first time, and follows its description from then on. Whatever
the authority answers, the seal of questions stays the one that the owner chose.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from msgspec import structs

from rpc_edge.errors import CallFailed
from trust import authority_calls as calls
from trust.assertion import Presentation, SignedAssertion, judge_assertion
from trust.authority import (
    AuthorityDescription,
    SignedAuthority,
    device_origin,
    follow_authority,
    read_description,
)
from trust.errors import TrustError
from trust.ids import Hash
from trust.login import Login
from trust.refusals import Refusal
from wallet_client.network.authority_link import AuthorityLink, linked
from wallet_client.operations.authority_errors import (
    AuthorityFailed,
    DeviceLabelTaken,
    NoDeviceHere,
    NotLoggedIn,
)
from wallet_client.owners.names import OwnerName
from wallet_client.owners.software_device import SoftwareDevice
from wallet_client.storage.authority import AuthorityAccount, KeptDevice, QuestionSeal
from wallet_client.storage.store import wallet_protection
from wallet_client.wallet import Wallet


@dataclass(slots=True)
class Desk:
    """An authority that a wallet is at.

    Args:
        wallet: The wallet.
        account: What it knows.
        link: Asks.
        authority: The newest description.
    """

    wallet: Wallet
    account: AuthorityAccount
    link: AuthorityLink
    authority: AuthorityDescription

    @property
    def token(self) -> bytes:
        """Secret: of the session.

        Raises:
            NotLoggedIn: There is none, or its time is over.
        """
        if not self.account.token or self.wallet.now() >= self.account.expires_at:
            raise NotLoggedIn
        return self.account.token

    def keep(self, account: AuthorityAccount) -> None:
        """Write down what changed."""
        self.wallet.store.authority.put(account)
        self.account = account

    async def register(self, name: OwnerName, password: str) -> calls.Session:
        """Make an account; Secret: `password`."""
        asked = calls.Credentials(name.text, password)
        return self._entered(await self.link.ask("Register", asked, calls.Session))

    async def log_in(self, name: OwnerName, password: str) -> calls.Session:
        """Start a session by a password; Secret: `password`."""
        asked = calls.Credentials(name.text, password)
        return self._entered(await self.link.ask("Login", asked, calls.Session))

    async def log_in_by_device(self) -> calls.Session:
        """Start a session by this wallet's device, or add it to the session that lives.

        Raises:
            NoDeviceHere: There is none.
        """
        if not self.account.devices:
            raise NoDeviceHere
        kept = self.account.devices[-1]
        given = await self.link.ask("ChallengeDevice", calls.ChallengeQuestion(b""), calls.DeviceChallenge)
        kept = structs.replace(kept, counter=kept.counter + 1)
        # Before it signs: a counter that stood still would look like a copied key.
        self.keep(structs.replace(self.account, devices=(*self.account.devices[:-1], kept)))
        device = SoftwareDevice(kept.credential_id, kept.private_key, kept.counter, self._verifies())
        party = self.authority.relying_party
        signed = device.signature(given.challenge, party, device_origin(party))
        token = self.account.token if self.wallet.now() < self.account.expires_at else b""
        asked = calls.DeviceLogin(token, kept.credential_id, *signed)
        return self._entered(await self.link.ask("LoginWithDevice", asked, calls.Session))

    async def log_out(self) -> None:
        """End the session, here and there."""
        token = self.account.token
        self.keep(structs.replace(self.account, token=b"", expires_at=0))
        if token:
            await self.link.ask("Logout", calls.InSession(token), calls.Done)

    async def change_password(self, password: str, new_password: str) -> None:
        """Replace the password and end every session; Secret: both."""
        asked = calls.PasswordChange(self._name(), password, new_password)
        await self.link.ask("ChangePassword", asked, calls.Done)
        self.keep(structs.replace(self.account, token=b"", expires_at=0))

    async def add_device(self, label: str) -> calls.DeviceShown:
        """Make a software device in this wallet and register it.

        Raises:
            DeviceLabelTaken: Another of the account's is called so.
        """
        if any(one.label == label for one in await self.devices()):
            raise DeviceLabelTaken(label)
        token, party = self.token, self.authority.relying_party
        device = SoftwareDevice.make(self.wallet.rng, self._verifies())
        asked = calls.ChallengeQuestion(token)
        given = await self.link.ask("ChallengeDevice", asked, calls.DeviceChallenge)
        client_data, attestation = device.registration(given.challenge, party, device_origin(party))
        new = calls.NewDevice(token, label, client_data, attestation)
        shown = await self.link.ask("AddDevice", new, calls.DeviceShown)
        kept = KeptDevice(
            device_id=shown.device_id,
            credential_id=device.credential_id,
            private_key=device.private_key,
            counter=0,
        )
        self.keep(structs.replace(self.account, devices=(*self.account.devices, kept)))
        return shown

    async def devices(self) -> tuple[calls.DeviceShown, ...]:
        """The devices of the account."""
        return (await self.link.ask("ListDevices", calls.InSession(self.token), calls.Devices)).devices

    async def remove_device(self, device_id: bytes) -> None:
        """Remove a device; every other session ends."""
        asked = calls.DeviceRemoval(self.token, device_id)
        await self.link.ask("RemoveDevice", asked, calls.Done)
        left = tuple(one for one in self.account.devices if one.device_id != device_id)
        self.keep(structs.replace(self.account, devices=left))

    async def events(self) -> tuple[calls.EventShown, ...]:
        """What happened to the account, newest first."""
        return (await self.link.ask("ListEvents", calls.InSession(self.token), calls.Events)).events

    async def assertion(self, login: Login) -> SignedAssertion:
        """An assertion for one guess at all safes of the roster, held to all that they will hold it to."""
        genesis = Hash(self.wallet.store.settings.get().genesis_fingerprint)
        audience = tuple(sorted(safe.safe_id for safe in self.wallet.roster.safes))
        wish = calls.AssertionWish(self.token, genesis, audience, login.hash())
        granted = await self.link.ask("Assert", wish, calls.Granted)
        signed = SignedAssertion.from_bytes(granted.assertion)
        for safe_id in audience:
            shown = Presentation(safe_id, genesis, login, self.authority.identity_key)
            judge_assertion(signed, self.authority, shown, self.wallet.now())
        return signed

    def _entered(self, session: calls.Session) -> calls.Session:
        self.keep(
            structs.replace(
                self.account, name=session.name, token=session.token, expires_at=session.expires_at
            )
        )
        return session

    def _name(self) -> str:
        if not self.account.name:
            raise NotLoggedIn
        return self.account.name

    def _verifies(self) -> bool:
        return wallet_protection(self.wallet.home) != "none"


@asynccontextmanager
async def at_authority(
    wallet: Wallet, signed: SignedAuthority | None = None, seal: QuestionSeal | None = None
) -> AsyncIterator[Desk]:
    """Go to the authority that the wallet pinned, or pin the one that is shown.

    Args:
        wallet: The wallet.
        signed: A description from a file: pinned the first time, followed later.
        seal: How questions are sealed from now on; None: as before, at first to the static key.

    Raises:
        NoAuthority: None was pinned and none is shown.
        AuthorityFailed: It refused, cannot be reached, or must not be believed.
    """
    account = _pinned(wallet, signed, seal)
    described = read_description(SignedAuthority.from_bytes(account.authority))
    try:
        async with linked(described, account.seal, lambda: int(wallet.clock() * 1_000), wallet.rng) as link:
            shown = await link.describe()
            newest = follow_authority(shown, described)
            account = structs.replace(account, authority=shown.to_bytes())
            wallet.store.authority.put(account)
        async with linked(newest, account.seal, lambda: int(wallet.clock() * 1_000), wallet.rng) as link:
            yield Desk(wallet, account, link, newest)
    except (Refusal, CallFailed, TrustError) as error:
        raise AuthorityFailed(described.name, error) from error


def _pinned(wallet: Wallet, signed: SignedAuthority | None, seal: QuestionSeal | None) -> AuthorityAccount:
    before = wallet.store.authority.find()
    if before is None:
        if signed is None:
            return wallet.store.authority.get()
        return AuthorityAccount(authority=signed.to_bytes(), seal=seal or "static")
    account = structs.replace(before, seal=seal or before.seal)
    if signed is None:
        return account
    pinned, shown = read_description(SignedAuthority.from_bytes(before.authority)), read_description(signed)
    if shown.identity_key == pinned.identity_key and shown.version < pinned.version:
        return account  # the file of the first day; what was seen since stays
    try:
        follow_authority(signed, pinned)
    except TrustError as error:
        raise AuthorityFailed(pinned.name, error) from error
    return structs.replace(account, authority=signed.to_bytes())
