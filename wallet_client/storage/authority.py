"""The owner's account at an authority: whom the wallet pinned, how it asks, the session, devices it keeps."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from wallet_client.errors import NotKept
from wallet_client.storage.records import Records

_NAME: Final = "authority"
QuestionSeal = Literal["static", "common"]
"""As trust.owner_information has it, which every command would load with this."""


class KeptDevice(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A software authenticator that lives in this wallet.

    Args:
        device_id: What the authority calls it, 16 bytes.
        credential_id: 32 random bytes.
        private_key: Secret: P-256 scalar, 32 bytes, big-endian.
        counter: Signatures it made.
    """

    device_id: Annotated[bytes, Meta(min_length=16, max_length=16)]
    credential_id: bytes
    private_key: Annotated[bytes, Meta(min_length=32, max_length=32)]
    counter: Annotated[int, Meta(ge=0, le=2**32 - 1)]

    def __repr__(self) -> str:
        return "<KeptDevice redacted>"


class AuthorityAccount(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What the wallet knows of its owner's account.

    Args:
        authority: trust.authority.SignedAuthority, exact bytes: the newest description seen.
        seal: How questions are sealed; chosen by the owner, never changed by what the other side says.
        name: The account's; empty before the first login.
        token: Secret: of the session, 32 bytes; empty without one.
        expires_at: The session ends then.
        devices: Software authenticators.
    """

    authority: bytes
    seal: QuestionSeal
    name: str = ""
    token: Annotated[bytes, Meta(max_length=32)] = b""
    expires_at: int = 0
    devices: tuple[KeptDevice, ...] = ()

    def __repr__(self) -> str:
        return "<AuthorityAccount redacted>"


class NoAuthority(NotKept):
    """No authority was ever pinned."""

    kind = "authority"
    hint = "Pin one with `kura authority register NAME --authority FILE`, or `login` if you have an account."

    def __init__(self, text: str = _NAME) -> None:
        super().__init__(text)

    def __str__(self) -> str:
        """Say it."""
        return "This wallet knows no authority."


class AuthorityShelf:
    """The one account of a wallet.

    Args:
        records: Its sealed row.
    """

    def __init__(self, records: Records[AuthorityAccount]) -> None:
        self._records = records

    def get(self) -> AuthorityAccount:
        """The account.

        Raises:
            NoAuthority: There is none.
            WalletDamaged: It does not open.
        """
        return self._records.head(_NAME)

    def find(self) -> AuthorityAccount | None:
        """The account, if there is one."""
        return self._records.head(_NAME) if self._records.has(_NAME) else None

    def put(self, account: AuthorityAccount) -> None:
        """Keep the account, in the place of what was kept before."""
        self._records.put(_NAME, account)
