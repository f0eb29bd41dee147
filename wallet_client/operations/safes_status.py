"""What each safe holds of this wallet's items, what it lacks, and how its repair stands.

Every safe is asked for the certificate of every piece that it should keep. Those of pieces that it lost and
rebuilt since are new: the receipts get them here, and name the safe as holding again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from trust.certificate import Certificate, SignedCertificate
from trust.ids import SafeId
from trust.repairable import is_beyond_repair
from wallet_client.network.failures import SafeFailure, is_failure_of_safe
from wallet_client.network.fan_out import fan_out
from wallet_client.network.messages import RepairView
from wallet_client.operations.owner_errors import names_of
from wallet_client.operations.settle import changing
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt, update_receipt
from wallet_client.wallet import Wallet

_AT_ONCE = 2_000
"""Names in one message: their certificates fit one answer."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """One safe.

    Args:
        pieces: Which it should keep of this wallet's items.
        held: Which it keeps.
        renewed: Of these, those under a certificate that is new to the wallet.
        lacking: Receipts of which it lacks something.
        unrepairable: Of these, those that its peers cannot give back, whatever happens.
        repair: How its repair stands.
    """

    pieces: int
    held: int
    renewed: int
    lacking: tuple[ReceiptId, ...]
    unrepairable: tuple[ReceiptId, ...]
    repair: RepairView


@dataclass(frozen=True, slots=True)
class SafesStatus:
    """All safes of the roster.

    Args:
        safes: By name.
        failed: Those that did not answer, by name, and why.
    """

    safes: Mapping[str, Holdings]
    failed: Mapping[str, SafeFailure]


@dataclass(frozen=True, slots=True)
class _Wanted:
    receipt_id: ReceiptId
    expected: Certificate
    known: bytes | None
    is_repairable: bool


async def safes_status(wallet: Wallet) -> SafesStatus:
    """Ask all safes; receipts get what is new.

    Raises:
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet):
        wanted = await asyncio.to_thread(_wanted, wallet)
        calls = {
            entry.safe_id: partial(_ask, wallet, entry.safe_id, wanted.get(entry.safe_id, []))
            for entry in wallet.roster.safes
        }
        answers = await fan_out(calls)
        found = [new for _, renewed in answers.good.values() for new in renewed]
        await to_the_end(_keep, wallet, found)
    safes = {wallet.safe_name(safe_id): holdings for safe_id, (holdings, _) in answers.good.items()}
    order = [entry.name for entry in wallet.roster.safes]
    return SafesStatus(
        {name: safes[name] for name in order if name in safes}, names_of(wallet.roster, answers.failed)
    )


async def ask_for_repair(wallet: Wallet) -> Mapping[str, SafeFailure]:
    """Have every safe look for what it lost; which did not answer, and why."""
    calls = {
        entry.safe_id: partial(_repair, wallet, entry.safe_id, only_look=False)
        for entry in wallet.roster.safes
    }
    return names_of(wallet.roster, (await fan_out(calls)).failed)


async def still_repairing(wallet: Wallet) -> bool:
    """Whether any safe that answers is still at it."""
    calls = {
        entry.safe_id: partial(_repair, wallet, entry.safe_id, only_look=True)
        for entry in wallet.roster.safes
    }
    return any(view.running for view in (await fan_out(calls)).good.values())


async def _repair(wallet: Wallet, safe_id: SafeId, *, only_look: bool) -> RepairView:
    return await wallet.links.to(safe_id).repair(only_look=only_look)


def _wanted(wallet: Wallet) -> dict[SafeId, list[_Wanted]]:
    wanted: dict[SafeId, list[_Wanted]] = {}
    for entry in wallet.store.receipts.entries():
        receipt = get_receipt(wallet.store, ReceiptId(entry.id))
        known = {signed.read().index: signed.certificate for signed in receipt.certificates}
        for place in receipt.read_manifest().placement:
            one = _Wanted(
                receipt.receipt_id,
                receipt.expected_at(place),
                known.get(place.x),
                not is_beyond_repair(receipt.read_manifest(), place),
            )
            wanted.setdefault(place.safe_id, []).append(one)
    return wanted


_New = tuple[ReceiptId, SignedCertificate]


async def _ask(wallet: Wallet, safe_id: SafeId, wanted: Sequence[_Wanted]) -> tuple[Holdings, list[_New]]:
    link = wallet.links.to(safe_id)
    view = await link.repair(only_look=True)
    held, renewed, lacking = 0, list[_New](), list[_Wanted]()
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        answers = await link.certify([one.expected for one in part])
        for one, answer in zip(part, answers, strict=True):
            if isinstance(answer, SignedCertificate):
                held += 1
                renewed += [(one.receipt_id, answer)] if answer.certificate != one.known else []
            elif is_failure_of_safe(answer):
                lacking.append(one)
            else:
                raise answer
    return (
        Holdings(
            pieces=len(wanted),
            held=held,
            renewed=len(renewed),
            lacking=_ids(lacking),
            unrepairable=_ids([one for one in lacking if not one.is_repairable]),
            repair=view,
        ),
        renewed,
    )


def _ids(wanted: Sequence[_Wanted]) -> tuple[ReceiptId, ...]:
    return tuple(dict.fromkeys(one.receipt_id for one in wanted))


def _keep(wallet: Wallet, found: Sequence[_New]) -> None:
    by_receipt: dict[ReceiptId, list[SignedCertificate]] = {}
    for receipt_id, signed in found:
        by_receipt.setdefault(receipt_id, []).append(signed)
    with wallet.store.transaction():
        for receipt_id, more in by_receipt.items():
            receipt: Receipt = get_receipt(wallet.store, receipt_id)
            update_receipt(wallet.store, receipt.with_renewed(tuple(more)))
