"""Select what the backup conditions want backed up (the source's extracting means 159).

Computation alone: one pass over the index, no payload opened, no safe asked, nothing changed. A value is
selected when at least one condition selects it; without conditions nothing is.

Source: PCT/JP00/05439, eleventh embodiment, claims 20 and 36.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from wallet_client.conditions.condition import Condition, Verdict, parse_condition
from wallet_client.conditions.subject import Subject, WalletState
from wallet_client.storage.store import WalletStore
from wallet_client.storage.values import ValueSummary


@dataclass(frozen=True, slots=True)
class Named:
    """A condition by its name; "" for one that is only tried.

    Args:
        name: What it is called.
        condition: What it says.
    """

    name: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Selected:
    """What the conditions say of one value.

    Args:
        summary: The value.
        selected: Whether one of them selects it.
        condition: Name of the first that does; "" where none does.
        clause: What decided, with the value's own figures. Where none selects it, what decided in each,
            after the condition's name if there are several.
        already: It has a receipt: a backup of it stands, or is under way.
    """

    summary: ValueSummary
    selected: bool
    condition: str
    clause: str = field(repr=False)
    already: bool


def select(store: WalletStore, *, now: datetime, only: Sequence[Named] | None = None) -> list[Selected]:
    """What the conditions say of every value, in the order added.

    Args:
        store: The wallet's.
        now: The day that is judged, with the time zone in which days begin.
        only: Conditions to judge by; the wallet's own where not said.

    Raises:
        ConditionInvalid: A condition that is kept is none to this program.
    """
    conditions = kept_conditions(store) if only is None else only
    usage = store.usage()
    state = WalletState(now.date(), usage.free, usage.capacity, now.tzinfo or UTC)
    return [_judged(summary, conditions, state) for summary in store.values.summaries()]


def kept_conditions(store: WalletStore) -> list[Named]:
    """The wallet's conditions, read.

    Raises:
        ConditionInvalid: One is none to this program.
    """
    return [Named(entry.name, parse_condition(entry.text)) for entry in store.conditions.entries()]


def _judged(summary: ValueSummary, conditions: Sequence[Named], state: WalletState) -> Selected:
    subject = Subject(summary, summary.size_bytes)
    already = summary.receipt_id is not None
    refused: list[tuple[str, Verdict]] = []
    for one in conditions:
        verdict = one.condition.judge(subject, state)
        if verdict.selected:
            return Selected(summary, True, one.name, verdict.clause, already)
        refused.append((one.name, verdict))
    return Selected(summary, False, "", _why_not(refused), already)


def _why_not(refused: Sequence[tuple[str, Verdict]]) -> str:
    if len(refused) == 1:
        return refused[0][1].clause
    return "; ".join(f"{name}: {verdict.clause}" for name, verdict in refused)
