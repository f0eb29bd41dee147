"""Why a safe refuses another safe, beside what every server says (trust/refusals.py)."""

from dataclasses import dataclass

from trust.refusals import Refusal


@dataclass(eq=False)
class NotAPeer(Refusal):
    """The certificate on the other side is no other safe's of the newest roster."""

    sentence = "The certificate is no other safe's of the roster."


@dataclass(eq=False)
class RepairSessionInvalid(Refusal):
    """A repair session is not signed, not fresh, or not for who asks."""

    sentence = "The repair session does not hold."
    field: str


@dataclass(eq=False)
class PieceUnknown(Refusal):
    """Never kept, another's or deleted: one reply."""

    sentence = "The safe keeps no such piece."


@dataclass(eq=False)
class HelperSilent(Refusal):
    """A helper got nothing from another one."""

    sentence = "Another helper of the repair gave nothing."
    helper: str
