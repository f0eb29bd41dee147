"""Who may call what: one table for every method of an authority, applied where questions are opened."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

SERVICE: Final = "kura.auth.v1.AuthService"
_AUTH = f"/{SERVICE}"


class Right(Enum):
    """Who may call a method."""

    PUBLIC = "anyone, in clear: it says and asks nothing about an owner"
    ANYONE = "anyone, in a sealed question; the answer depends on what it proves"
    SESSION = "who holds the token of a session that lives, in a sealed question"


RIGHTS: Final[Mapping[str, Right]] = {
    f"{_AUTH}/Describe": Right.PUBLIC,
    f"{_AUTH}/OpenPath": Right.PUBLIC,
    f"{_AUTH}/Register": Right.ANYONE,
    f"{_AUTH}/Login": Right.ANYONE,
    f"{_AUTH}/ChallengeDevice": Right.ANYONE,
    f"{_AUTH}/LoginWithDevice": Right.ANYONE,
    f"{_AUTH}/Logout": Right.ANYONE,
    f"{_AUTH}/ChangePassword": Right.ANYONE,
    f"{_AUTH}/AddDevice": Right.SESSION,
    f"{_AUTH}/ListDevices": Right.SESSION,
    f"{_AUTH}/RemoveDevice": Right.SESSION,
    f"{_AUTH}/Assert": Right.SESSION,
    f"{_AUTH}/ListEvents": Right.SESSION,
}
