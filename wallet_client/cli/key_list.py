"""`kura key list` and `kura key show`. Nothing here contacts a safe."""

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

_SHOW_EXAMPLES = """
kura key show main
kura key show main --json
"""


@click.command("list", cls=Command, opens_wallet=True, examples="kura key list\nkura key list --json")
@pass_session
def list_keys(session: Session) -> None:
    """List keys: kind, whether the key is here or away, and the state of its receipt.

    What is away left its entry and its public half; `kura key recover` brings it back.
    """
    from wallet_client.cli.key_rows import key_row, keys_table
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import emit
    from wallet_client.cli.rows import receipt_states

    with reading(session) as store:
        entries, states = store.keyring.entries(), receipt_states(store)
        brought = [one.label for one in store.keyring.algorithms()]
    document = {"keys": [key_row(one, states) for one in entries], "algorithms": brought}

    def text() -> str:
        table = keys_table(entries, states) if entries else "No keys."
        return f"{table}\n\nAlgorithms: {', '.join(brought)}" if brought else table

    emit(session, document, text)


@click.command(cls=Command, opens_wallet=True, examples=_SHOW_EXAMPLES)
@click.argument("key")
@pass_session
def show(session: Session, key: str) -> None:
    """Show a key's public half, what names it in manifests, and what is sealed under it."""
    import base64

    from wallet_client.cli.key_rows import key_row, kind_text, place_word
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import count_of, emit, fields, moment
    from wallet_client.cli.rows import receipt_states
    from wallet_client.receipts.shelf import receipts_under

    with reading(session) as store:
        entry, states = store.keyring.entry(store.keyring.find(key)), receipt_states(store)
        sealed = receipts_under(store, entry)
    row = key_row(entry, states)
    policies = sorted({one.policy_name for one in sealed})
    public = base64.b64encode(entry.public).decode("ascii")
    document = {**row, "public_key_base64": public, "receipts": len(sealed), "policies": policies}
    pairs = [
        ("Key", entry.id),
        ("Name", entry.name),
        ("Kind", kind_text(entry)),
        ("Where", place_word(entry)),
        ("State", str(row["state"])),
        ("Receipt", entry.receipt_id or ""),
        ("Key id", entry.key_id.hex()),
        ("Public", entry.public.hex()),
        ("", public),
        ("Since", moment(entry.held_since)),
        ("Seals", f"{count_of(len(sealed), 'receipt')}{' of ' if policies else ''}{', '.join(policies)}"),
    ]
    emit(session, document, lambda: fields(pairs))
