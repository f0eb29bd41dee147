"""Why an authority refuses, beside what every server says (trust/refusals.py)."""

from dataclasses import dataclass

from trust.refusals import Refusal


@dataclass(eq=False)
class LoginRefused(Refusal):
    """Unknown, wrong or too early: one reply."""

    sentence = "The authority lets nobody in: the name or the password is another, or no try is taken now."


@dataclass(eq=False)
class SessionInvalid(Refusal):
    """Unknown, over or ended."""

    sentence = "The session is over. Log in again."


@dataclass(eq=False)
class AccountExists(Refusal):
    """Names are given once."""

    sentence = "Somebody has an account of that name. Log in, or choose another name."


@dataclass(eq=False)
class RegistrationClosed(Refusal):
    """The operator's decision."""

    sentence = "The authority takes no new accounts."


@dataclass(eq=False)
class QuestionSealBroken(Refusal):
    """Another key, another method, or changed on the way."""

    sentence = "The question does not open."


@dataclass(eq=False)
class PathUnknown(Refusal):
    """A common key is good for one question."""

    sentence = "The common key is unknown, used, or too old. Open another path."


@dataclass(eq=False)
class DeviceRefused(Refusal):
    """Unknown device, old challenge, wrong signature, counter, or no verification: one reply."""

    sentence = "The device is unknown, or what it signed does not hold."


@dataclass(eq=False)
class TooManyCalls(Refusal):
    """A limit for each address."""

    sentence = "Too many calls came from this address. Try again later."
    again_in_ms: int
