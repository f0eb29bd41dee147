"""A trigger as it is kept: its phrases in canonical form, and what is remembered of its runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from wallet_client.triggers.errors import TriggerInvalid
from wallet_client.triggers.parse import NAME, read_start, read_when
from wallet_client.triggers.phrases import (
    At,
    Every,
    OnRequest,
    OnShortage,
    Phrase,
    RecoverUsable,
    Start,
    StartBackup,
    ValidityApproaching,
    sensors_in,
)

PHRASES_MAX: Final = 10
TRIGGERS_MAX: Final = 100


class Trigger(msgspec.Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """What the owner said; make it with `new_trigger`.

    Args:
        name: 1 to 64 of a-z, 0-9 and -.
        when: What must hold, all of it; 1 to 10 phrases.
        start: What it starts, one phrase.
        policy: How what has no receipt yet is backed up; "" for the default.
        made_at: When it was made, whole seconds since 1970-01-01 UTC; periods count from there.
    """

    name: str
    when: tuple[str, ...]
    start: str
    policy: str = ""
    made_at: int

    def read(self) -> "Rules":
        """The phrases as values."""
        return Rules(tuple(read_when(text) for text in self.when), read_start(self.start))


GO_ON: Final = Trigger(name="go-on", when=("free capacity above 0 B",), start="recover suspended", made_at=0)
"""In every new wallet: a recovery that stopped for want of room goes on by itself as soon as it fits."""


class History(msgspec.Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """What is remembered of a trigger's runs; times are whole seconds since 1970-01-01 UTC.

    Args:
        served_at: When the last run that ended well was started; None before the first.
        begun_at: When a run was started that has not ended well: it failed, was killed, or goes on now.
        attempts: Runs started since the last that ended well.
        outcome: What the last run came to, in words.
        brought_back: Values that it has brought back because their validity approached.
    """

    served_at: int | None = None
    begun_at: int | None = None
    attempts: int = 0
    outcome: str = ""
    brought_back: tuple[str, ...] = ()

    def begun(self, now: int) -> "History":
        """Once a run is about to start: written down first, so that a crash is counted as an attempt."""
        return msgspec.structs.replace(self, begun_at=now, attempts=min(self.attempts + 1, 1_000))

    def failed(self, outcome: str) -> "History":
        """After a run that did not do what it should."""
        return msgspec.structs.replace(self, outcome=outcome)

    def served(self, outcome: str, brought_back: Iterable[str] = ()) -> "History":
        """After a run that ended well."""
        return History(
            served_at=self.begun_at, outcome=outcome, brought_back=tuple(dict.fromkeys(brought_back))
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """A trigger's phrases as values that go together.

    Raises:
        TriggerInvalid: They do not; the reason says what to do instead.
    """

    when: tuple[Phrase, ...]
    start: Start

    def __post_init__(self) -> None:
        """Refuse combinations that could never hold, or would mean nothing."""
        if not 1 <= len(self.when) <= PHRASES_MAX:
            raise TriggerInvalid("--when", f"is needed 1 to {PHRASES_MAX} times")
        _refuse_repeated(self.when)
        _refuse_two_occasions(self.when)
        _refuse_unfit_start(self.when, self.start)

    @property
    def every(self) -> Every | None:
        """Its period."""
        return next((one for one in self.when if isinstance(one, Every)), None)

    @property
    def at(self) -> At | None:
        """Its time of day."""
        return next((one for one in self.when if isinstance(one, At)), None)

    @property
    def on_shortage(self) -> bool:
        """Whether it starts when room is short."""
        return OnShortage() in self.when

    @property
    def on_request(self) -> bool:
        """Whether it starts when asked for."""
        return OnRequest() in self.when

    @property
    def watches_validity(self) -> bool:
        """Whether it matters what becomes usable when."""
        return any(isinstance(one, ValidityApproaching) for one in self.when)

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors it asks, each once."""
        return tuple(dict.fromkeys(name for phrase in self.when for name in sensors_in(phrase)))


def new_trigger(name: str, when: Sequence[str], start: str, *, policy: str, now: int) -> Trigger:
    """A trigger that holds together.

    Args:
        when: One phrase each.
        start: What it starts.
        policy: "" for the default; whether there is such a policy is the caller's to know.
        now: Whole seconds since 1970-01-01 UTC.

    Raises:
        TriggerInvalid: The name or a phrase is none, or they do not go together.
    """
    if not NAME.fullmatch(name):
        raise TriggerInvalid(name, "is no name; it is 1 to 64 of a-z, 0-9 and -")
    phrases = tuple(read_when(text) for text in when)
    days = next((one.days for one in phrases if isinstance(one, ValidityApproaching)), None)
    rules = Rules(phrases, read_start(start, usable_days=days))
    if policy and not isinstance(rules.start, StartBackup):
        raise TriggerInvalid("--policy", "goes with a backup: what is recovered has its policy already")
    return Trigger(
        name=name, when=tuple(map(str, rules.when)), start=str(rules.start), policy=policy, made_at=now
    )


def _refuse_repeated(when: Sequence[Phrase]) -> None:
    for kind in (Every, At):
        if sum(isinstance(one, kind) for one in when) > 1:
            word = kind.__name__.lower()
            raise TriggerInvalid(f"'{word}'", "stands there twice; make a second trigger instead")


def _refuse_two_occasions(when: Sequence[Phrase]) -> None:
    clocks = any(isinstance(one, Every | At) for one in when)
    if clocks + (OnShortage() in when) + (OnRequest() in when) > 1:
        raise TriggerInvalid(
            "'on request', 'on shortage' or a schedule",
            "cannot be waited for together: each is an occasion of its own; make a second trigger instead",
        )


def _refuse_unfit_start(when: Sequence[Phrase], start: Start) -> None:
    if OnShortage() in when and start != StartBackup(delete=True):
        raise TriggerInvalid("'on shortage'", "makes room, so it goes with 'backup and delete'")
    approaching = any(isinstance(one, ValidityApproaching) for one in when)
    if approaching and not isinstance(start, RecoverUsable):
        raise TriggerInvalid("'validity approaching'", "goes with 'recover usable within DAYS'")
