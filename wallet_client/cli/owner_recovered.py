"""What came back to an owner, as `kura owner recover` and `kura resume` tell it."""

from wallet_client.cli.output import count_of
from wallet_client.operations.owner_recovery import OwnerRecovered


def recovered_document(done: OwnerRecovered) -> dict[str, object]:
    """For --json."""
    return {
        "found": done.found,
        "recovered": done.recovered,
        "suspended": list(done.suspended),
        "left": {receipt_id: str(error) for receipt_id, error in done.left.items()},
        "lacking": dict(done.lacking),
        "failed": {name: str(failure) for name, failure in done.failed.items()},
    }


def recovered_text(done: OwnerRecovered) -> str:
    """For people."""
    lines = [f"Found {count_of(done.found, 'value')}; {done.recovered} recovered."]
    if done.suspended:
        waits = count_of(len(done.suspended), "value waits", "values wait")
        lines.append(f"{waits} for room: `kura recover --suspended` goes on.")
    lines += [
        f"{name} lacks {count_of(count, 'item')} that it should keep: `kura reseed` mends that."
        for name, count in sorted(done.lacking.items())
    ]
    return "\n".join(lines)
