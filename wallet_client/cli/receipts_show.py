"""`kura receipts show` and `kura receipts export`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from trust.certificate import Certificate, SignedCertificate
    from trust.digest import DigestFields
    from wallet_client.receipts.receipt import Receipt
    from wallet_client.receipts.shelf import ReceiptSummary
    from wallet_client.storage.receipts import ReceiptEntry
    from wallet_client.storage.store import WalletStore
    from wallet_client.wallet import Wallet

    NamedCertificate = tuple[str, Certificate]
    Digests = tuple[DigestFields, ...]

FORMAT = "kura-receipt-1"
_SHOW_EXAMPLES = """
kura receipts show "City Bus"
kura receipts show "City Bus" --json
"""
_HEX_SHOWN = 16


@click.command(cls=Command, opens_wallet=True, examples=_SHOW_EXAMPLES)
@click.argument("receipt")
@pass_session
def show(session: Session, receipt: str) -> None:
    """Show a receipt's certificates: class, digest, hash X, counter Y, and the safe each points to."""
    import msgspec

    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit
    from wallet_client.cli.rows import receipt_row, state_text
    from wallet_client.receipts.shelf import read_summary

    async def work(wallet: "Wallet") -> "tuple[ReceiptEntry, list[NamedCertificate], Digests]":
        found = _find(wallet.store, receipt)
        digests = found.read_digests(wallet.keys)
        return wallet.store.receipts.entry(found.receipt_id), _named(found, wallet), digests

    entry, certificates, digests = with_wallet(session, work)
    summary = read_summary(entry)
    document = {
        **receipt_row(entry, summary),
        "digests": [msgspec.structs.asdict(digest) for digest in digests],
        "certificates": [_certificate_row(*pair) for pair in certificates],
    }
    emit(session, document, lambda: _text(summary, entry, state_text(entry, summary), certificates, digests))


@click.command(cls=Command, opens_wallet=True, examples='kura receipts export "City Bus" --out receipt.json')
@click.argument("receipt")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The file to write; it must not exist.",
)
@pass_session
def export(session: Session, receipt: str, out: Path) -> None:
    """Write a receipt's signed documents to a file: manifest, leaf, certificates.

    They prove what is registered where, to anyone who has the roster. They hold no key, and nobody but this
    wallet recovers anything with them.
    """
    from wallet_client.cli.files import write_new
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import emit, size
    from wallet_client.values.shown import shown

    with reading(session) as store:
        found = _find(store, receipt)
    content = _exported(found)
    write_new(out, content)
    document = {"id": found.receipt_id, "file": shown(str(out)), "size_bytes": len(content)}
    emit(session, document, lambda: f"{size(len(content))} written to {shown(str(out))}")


def _named(found: "Receipt", wallet: "Wallet") -> "list[NamedCertificate]":
    """Every certificate with its safe's name, in the roster's order; safes that left it come last."""
    order = {safe.safe_id: place for place, safe in enumerate(wallet.roster.safes)}
    read = [signed.read() for signed in found.certificates]
    read.sort(key=lambda one: order.get(one.safe_id, len(order)))
    return [(wallet.safe_name(one.safe_id), one) for one in read]


def _find(store: "WalletStore", text: str) -> "Receipt":
    from wallet_client.cli.rows import find_receipts
    from wallet_client.receipts.receipt import ReceiptId
    from wallet_client.receipts.shelf import get_receipt

    (receipt_id,) = find_receipts(store.receipts, [text])
    return get_receipt(store, ReceiptId(receipt_id))


def _certificate_row(safe: str, one: "Certificate") -> dict[str, object]:
    return {
        "class": one.kind,
        "digest": {"mode": one.digest.mode, "content": one.digest.content.hex()},
        "x": one.x_hash.hex(),
        "y": one.counter,
        "safe": safe,
        "safe_id": one.safe_id.hex(),
        "item_id": one.item_id.hex(),
        "generation": one.generation,
        "index": one.index,
    }


def _text(
    summary: "ReceiptSummary",
    entry: "ReceiptEntry",
    state: str,
    certificates: "Sequence[NamedCertificate]",
    digests: "Digests",
) -> str:
    from wallet_client.cli.output import columns, fields
    from wallet_client.cli.rows import digest_text
    from wallet_client.values.shown import shown

    head = fields(
        [
            ("Receipt", entry.id),
            *((one.value_id, shown(one.fields.name)) for one in summary.members),
            ("Class", summary.fields.item_class),
            ("Policy", summary.policy_name),
            ("State", state),
            *(("Digest", digest_text(digest)) for digest in digests),
        ]
    )
    header = ("SAFE", "CLASS", "X", "Y", "DIGEST", "POINTER")
    rows = [
        (
            safe,
            one.kind,
            one.x_hash.hex()[:_HEX_SHOWN] + "…",
            str(one.counter),
            one.digest.mode,
            one.safe_id.hex(),
        )
        for safe, one in certificates
    ]
    return f"{head}\n\n{columns(header, rows, right=frozenset({3}))}"


def _exported(found: "Receipt") -> bytes:
    """JSON; signed documents are base64 of their exact bytes. Shares that the wallet keeps stay there."""
    import msgspec

    document = {
        "format": FORMAT,
        "id": found.receipt_id,
        "policy": found.policy_name,
        "manifest": found.manifest,
        "manifest_signature": found.manifest_signature,
        "leaf": found.leaf,
        "leaf_position": found.leaf_position,
        "leaf_path": found.leaf_path,
        "certificates": [_signed_row(signed) for signed in found.certificates],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _signed_row(signed: "SignedCertificate") -> dict[str, Any]:
    return {
        "certificate": signed.certificate,
        "position": signed.position,
        "count": signed.count,
        "path": signed.path,
        "root": signed.root,
        "signature": signed.signature,
    }
