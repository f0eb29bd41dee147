"""`kura owner status`."""

from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.network.failures import SafeFailure
    from wallet_client.operations.owner_status import OwnerView, SafesView, Waiting

_ID_SHOWN = 8


@click.command(cls=Command, opens_wallet=True, examples="kura owner status\nkura owner status --json")
@pass_session
def status(session: Session) -> None:
    """Ask every safe for the owner's record, the guesses left, how many items it keeps, and who waits.

    A safe that has another record than most, or keeps one of before, is marked, and the command shown that
    renews the record everywhere, once all safes answer.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit
    from wallet_client.cli.owner_policy import access_document
    from wallet_client.operations.owner_status import owner_status

    view = with_wallet(session, owner_status)
    document = access_document(view) | {
        "safes": [_row(view, name, one) for name, one in view.safes.items()],
        "waiting": [
            {
                "key": one.recipient_key.hex(),
                "with": list(one.way),
                "asked_at_ms": one.asked_at_ms,
                "release_at_ms": one.release_at_ms,
            }
            for one in view.waiting.values()
        ],
        "next_veto_at_ms": max((one.next_veto_at_ms for one in view.answered), default=0),
    }
    emit(session, document, lambda: _text(view))


def _row(view: "OwnerView", name: str, one: "SafesView | SafeFailure") -> dict[str, object]:
    if isinstance(one, Exception):
        return {"safe": name, "reachable": False, "problem": str(one)}
    return {
        "safe": name,
        "reachable": True,
        "record": one.record_id.hex(),
        "differs": view.differs(one),
        "guesses_left": one.guesses_left,
        "ways": [
            {
                "with": list(way.way),
                "guesses_spent": way.guesses_spent,
                "next_guess_at_ms": way.next_guess_at_ms,
            }
            for way in one.ways
        ],
        "guesses_allowed": one.guesses_allowed,
        "next_guess_at_ms": one.next_guess_at_ms,
        "items": one.items,
        "bytes": one.size_bytes,
    }


def _text(view: "OwnerView") -> str:
    from wallet_client.cli.output import columns
    from wallet_client.cli.owner_policy import renewing
    from wallet_client.values.shown import shown

    rows = [(name, *_cells(view, one)) for name, one in view.safes.items()]
    table = columns(
        ("SAFE", "RECORD", "GUESSES LEFT", "ITEMS", "SIZE", "NOTE"), rows, right=frozenset({2, 3, 4})
    )
    behind = any(view.differs(one) for one in view.answered)
    renew = [f"Once all safes answer, {renewing(view)}: it renews the record everywhere."] if behind else []
    return "\n".join([shown(view.name), table, *_access_lines(view), *renew])


def _access_lines(view: "OwnerView") -> list[str]:
    """What matters beside the table: how the record opens, who waits, which device was copied."""
    from wallet_client.operations.change_access import device_id
    from wallet_client.owners.access import expression_of, way_text
    from wallet_client.triggers.units import duration_text
    from wallet_client.values.shown import shown

    access = view.access
    lines = [f"Opens by {expression_of(access.ways)}."]
    if access.waiting_seconds:
        lines.append(f"Who is in none of your wallets waits {duration_text(access.waiting_seconds)}.")
    lines += [
        f"A recovery by {way_text(one.way)} {_since_or_until(one, view)}:"
        f" {one.recipient_key.hex()[:16]} (kura owner veto)"
        for one in view.waiting.values()
    ]
    lines += [
        f"A copy of the device {shown(one.label)} is about"
        f" (kura owner factor remove device {device_id(one)[:8]})"
        for one in access.devices
        if bytes.fromhex(device_id(one)) in view.copied
    ]
    return lines


def _since_or_until(one: "Waiting", view: "OwnerView") -> str:
    from wallet_client.cli.output import moment

    said = "could go on since" if view.may_go_on(one) else "waits until"
    return f"{said} {moment(one.release_at_ms // 1_000)}"


def _cells(view: "OwnerView", one: "SafesView | SafeFailure") -> tuple[str, str, str, str, str]:
    from wallet_client.cli.output import moment, size
    from wallet_client.network.failures import explain

    if isinstance(one, Exception):
        return "", "", "", "", explain(one)
    notes = []
    if one.record_id != view.record_id or not one.record_id:
        notes.append("differs")
    elif one.staged or one.old:
        notes.append("keeps another beside")
    if one.next_guess_at_ms:
        notes.append(f"next guess {moment(one.next_guess_at_ms // 1000)}")
    left = f"{one.guesses_left} of {one.guesses_allowed}" if one.guesses_allowed else ""
    record = one.record_id.hex()[:_ID_SHOWN] or "none"
    return record, left, str(one.items), size(one.size_bytes), "; ".join(notes)
