"""What every store of an authority promises; tests/contract holds each one to it.

- An answer is given after the write is durable. A write that fails changes nothing and says so.
- Decisions are made inside the write: a plan sees the records as they are, and nothing comes between.
- Events are added and never changed; each is written with what it tells of.
- What a login, a change or a removal depends on is compared once more inside the write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from auth_service.records import (
    Account,
    DeviceUse,
    Event,
    KeptDevice,
    KeptSession,
    Ledger,
    NewAccount,
    NewSession,
    Registered,
    TryOutcome,
)

NOBODIES = 16_384
"""Names that nobody has of which tries are counted; one takes another's place."""

PlanTry: TypeAlias = Callable[[Ledger, int], Ledger | None]
PlanDevice: TypeAlias = Callable[[KeptDevice], DeviceUse]


class AuthStore(Protocol):
    """Durable accounts, sessions, devices and events."""

    async def register(self, account: NewAccount, session: NewSession, at_ms: int) -> None:
        """Make an account with its first session; whatever starts a session erases those that are over.

        Raises:
            AccountExists: The name is taken.
        """

    async def spend(self, name_id: bytes, at_ms: int, plan: PlanTry) -> TryOutcome:
        """Spend a try at a name, whoever has it, if the plan takes one."""

    async def log_in(self, account: Account, session: NewSession, rehashed: str | None, at_ms: int) -> bool:
        """Give all tries back and start a session; False when the password was changed meanwhile.

        Args:
            account: As it was when the password was looked at.
            session: The session.
            rehashed: Secret: the same password under newer figures, or None.
            at_ms: When.
        """

    async def change_password(self, account: Account, password_hash: str, at_ms: int) -> bool:
        """Replace the hash (Secret), give all tries back, end all sessions; False as in `log_in`."""

    async def session(self, token_hash: bytes) -> KeptSession | None:
        """The session of that token, over or not."""

    async def end_session(self, token_hash: bytes, at_ms: int) -> None:
        """End a session, if there is one."""

    async def add_device(
        self,
        account: Account,
        token_hash: bytes,
        device_id: bytes,
        label: str,
        registered: Registered,
        at_ms: int,
    ) -> None:
        """Keep a device, by a session of the account that still stands.

        Raises:
            SessionInvalid: It ended meanwhile, as by a new password.
            DeviceRefused: The credential is known already, or the account has as many as it may.
        """

    async def devices(self, account: Account) -> tuple[KeptDevice, ...]:
        """The devices of an account, in the order they came."""

    async def remove_device(
        self, account: Account, device_id: bytes, kept_token_hash: bytes, at_ms: int
    ) -> None:
        """Remove a device, if it is the account's, and end every session but that one.

        Raises:
            SessionInvalid: That one ended meanwhile.
        """

    async def use_device(
        self, credential_id: bytes, session: NewSession, joins: bytes | None, at_ms: int, plan: PlanDevice
    ) -> KeptSession | None:
        """Judge what a device signed, note it, and start or join a session.

        Args:
            credential_id: Of the device.
            session: The one to start; the plan's methods take the place of its own.
            joins: Token hash of a session that gains the methods instead; it must be of the same account.
            at_ms: When.
            plan: The judgement; what it raises changes nothing.

        Returns:
            The session as it is now; None when the device is unknown, refused, or another account's.
        """

    async def events(self, account: Account, most: int) -> tuple[Event, ...]:
        """What happened to an account, newest first."""

    async def note(self, account: Account, token_hash: bytes, event: Event) -> None:
        """Write down what a session of an account, which still stands, is about to be given.

        Raises:
            SessionInvalid: It ended meanwhile, as by a new password.
        """

    async def close(self) -> None:
        """Finish what is queued, then let go of the files."""
