"""What can go wrong at an authority, each with what helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rpc_edge.errors import CallFailed
from trust import authority_calls as calls
from trust.authority_refusals import DeviceRefused, LoginRefused, SessionInvalid
from trust.errors import TrustError
from trust.precis import Fault, prepare_secret
from trust.refusals import Refusal
from wallet_client.errors import WalletError


@dataclass(eq=False)
class AuthorityFailed(WalletError):
    """The authority refused, cannot be reached, or must not be believed.

    Args:
        authority: Its name.
        cause: What happened.
    """

    authority: str
    cause: Refusal | CallFailed | TrustError
    _HINTS: ClassVar[tuple[tuple[type[Exception], str], ...]] = (
        (LoginRefused, "Try again; after five wrong passwords wait half a minute, then twice as long each."),
        (SessionInvalid, "Log in again: `kura authority login`."),
        (DeviceRefused, "Log in by password, and look at `kura authority events`."),
        (Refusal, "Do what the sentence says, then say the same command again."),
        (CallFailed, "Its operator must bring it back; nothing was changed."),
        (TrustError, "Do not type your password there; ask its operator for the newest authority.json."),
    )

    def __str__(self) -> str:
        """Name the authority and the cause."""
        return f"The authority {self.authority}: {str(self.cause).rstrip('.')}."

    @property
    def hint(self) -> str:  # type: ignore[override]
        """What helps against the cause."""
        return next(text for kind, text in self._HINTS if isinstance(self.cause, kind))


@dataclass(eq=False)
class NotLoggedIn(WalletError):
    """There is no session."""

    sentence = "You are not logged in at the authority."
    hint = "Log in first: `kura authority login`."


@dataclass(eq=False)
class NoDeviceHere(WalletError):
    """This wallet keeps no device of the account."""

    sentence = "This wallet keeps no device for the authority."
    hint = "Log in by password, then add one: `kura authority devices add LABEL`."


@dataclass(eq=False)
class DeviceLabelTaken(WalletError):
    """Two of one name could not be told apart in the list.

    Args:
        label: Which.
    """

    label: str
    sentence = "The account has a device {label} already."
    hint = "Give this one another label, or remove that one: `kura authority devices list` shows its id."


@dataclass(eq=False)
class PasswordRefused(WalletError):
    """A text that can be no password.

    Args:
        problem: What is wrong, without the text.
    """

    problem: str
    sentence = "The password {problem}."
    hint = "Use 8 to 1,000 characters; spaces and symbols count, control characters do not go."


def check_password(typed: str) -> str:
    """What was typed (Secret), if it can be a password; the authority prepares it.

    Raises:
        PasswordRefused: It cannot.
    """
    found = prepare_secret(typed, calls.PASSWORD_MIN_CHARACTERS, calls.PASSWORD_MAX_CHARACTERS)
    if isinstance(found, Fault):
        raise PasswordRefused(found.flaw.value)
    return typed
