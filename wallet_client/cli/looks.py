"""Triggers as rows: how they stand, and what came of running them."""

from collections.abc import Sequence
from datetime import datetime

from wallet_client.cli.output import columns, fields
from wallet_client.operations.triggers import Look
from wallet_client.triggers.judge import Finding
from wallet_client.values.shown import shown


def look_row(look: Look) -> dict[str, object]:
    """How a trigger stands, for --json."""
    trigger, history = look.entry.trigger, look.entry.history
    return {
        "name": trigger.name,
        "when": trigger.when,
        "start": trigger.start,
        "policy": trigger.policy or None,
        "would_run": look.holds,
        "occasion": look.occasion.why,
        "next_at": look.occasion.next_at,
        "findings": [_finding_row(one) for one in look.findings],
        "last_run_at": history.served_at,
        "last_outcome": history.outcome or None,
        "attempts_since": history.attempts,
    }


def run_row(look: Look) -> dict[str, object]:
    """What came of running a trigger, for --json."""
    done = look.done
    recovery = None if done is None else done.recovery
    put_away = None if done is None else done.put_away
    return {
        "name": look.name,
        "outcome": look.outcome,
        "occasion": look.occasion.why,
        "next_at": look.occasion.next_at,
        "findings": [_finding_row(one) for one in look.findings],
        "did": None if done is None else str(done),
        "error": None if look.error is None else str(look.error),
        "backed_up": [one.value_id for one in put_away.backed_up] if put_away else [],
        "erased": list(put_away.left) if put_away else [],
        "recovered": list(recovery.report.recovered) if recovery else [],
        "suspended": list(recovery.suspended) if recovery else [],
    }


def looks_table(looks: Sequence[Look]) -> str:
    """Triggers as columns, and then the sensors that are absent."""
    rows = (
        (
            look.name,
            ", ".join(look.entry.trigger.when),
            look.entry.trigger.start,
            "never" if look.entry.history.served_at is None else _moment(look.entry.history.served_at),
            _standing(look),
        )
        for look in looks
    )
    absent = dict.fromkeys(f"absent: {shown(str(one))}" for look in looks for one in look.absent)
    return "\n".join([columns(("TRIGGER", "WHEN", "STARTS", "LAST RUN", "NOW"), rows), *absent])


def look_text(look: Look) -> str:
    """One trigger, phrase by phrase."""
    marks = [("yes" if look.occasion.has_come else "no", look.occasion.why + _next(look))]
    marks += [("yes" if one.holds else "no", shown(str(one))) for one in look.findings]
    verdict = "would run now" if look.holds else "waits"
    return f"{look.name}: {look.entry.trigger.start}: {verdict}\n{fields(marks)}"


def run_text(look: Look) -> str:
    """What came of one trigger, in a line."""
    if look.outcome == "ran":
        return f"{look.name} ran ({_why(look)}): {look.done}"
    if look.error is not None:
        return f"{look.name} failed ({_why(look)})"
    if look.outcome == "idle":
        return f"{look.name} had nothing to do ({_why(look)})"
    return f"{look.name} {_standing(look)}"


def _why(look: Look) -> str:
    return ", ".join([look.occasion.why, *(shown(str(one)) for one in look.findings)])


def _standing(look: Look) -> str:
    if look.holds:
        return "would run"
    missing = [shown(str(one)) for one in look.findings if not one.holds]
    if not look.occasion.has_come:
        missing.insert(0, look.occasion.why + _next(look))
    return f"waits for {', '.join(missing)}"


def _next(look: Look) -> str:
    return "" if look.occasion.next_at is None else f" (next {_moment(look.occasion.next_at)})"


def _moment(seconds: int) -> str:
    """A local time: triggers speak of those."""
    from datetime import UTC

    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _finding_row(finding: Finding) -> dict[str, object]:
    return {
        "phrase": finding.phrase,
        "holds": finding.holds,
        "detail": finding.detail,
        "absent": finding.is_absent,
    }
