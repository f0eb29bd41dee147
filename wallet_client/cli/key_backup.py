"""`kura key backup`, `kura key recover` and `kura key forget`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from wallet_client.cli.commands import Command
from wallet_client.cli.session import Session, pass_session

if TYPE_CHECKING:
    from wallet_client.operations.backup import BackupReport
    from wallet_client.operations.keys import Forgotten
    from wallet_client.pipeline.wrapping import KeyKind
    from wallet_client.storage.keyring import KeyEntry
    from wallet_client.wallet import Wallet

_BACKUP_EXAMPLES = """
kura key backup main
kura key backup main --policy apart
"""
_RECOVER_EXAMPLES = """
kura key recover main
kura key recover office --from-root
"""


@click.command(cls=Command, opens_wallet=True, examples=_BACKUP_EXAMPLES)
@click.argument("key")
@click.option("--policy", metavar="NAME", help="How [default: threshold]; `kura policy list` shows all.")
@pass_session
def backup(session: Session, key: str, policy: str | None) -> None:
    """Register a key at the safes, with certificates of class `key`.

    No policy will do that would seal KEY under itself, whether at once or by a detour. The root leaves the
    wallet once every safe has its piece; it is fetched when it is needed.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.operations.key_backup import back_up_key
    from wallet_client.policies.presets import DEFAULT_POLICY

    async def work(wallet: "Wallet") -> "tuple[BackupReport, KeyEntry]":
        key_id = wallet.store.keyring.find(key)
        report = await back_up_key(wallet, key_id, policy or DEFAULT_POLICY)
        return report, wallet.store.keyring.entry(key_id)

    report, entry = with_wallet(session, work)
    outcome = report.entries[0]
    told = f"{entry.name} is {outcome.state.word}{' before' if outcome.already else ''}"
    if not entry.is_here:
        told += " and away from the wallet"
    more = {
        "may_still_be_lost": outcome.state.may_still_be_lost,
        "safes_holding": len(outcome.state.holding),
        "safes": len(outcome.state.placed),
        "already": outcome.already,
    }
    holding = f"{len(outcome.state.holding)} of {len(outcome.state.placed)} safes have it"
    _tell(session, entry, report.failed, f"{told}: {holding}", more)


@click.command(cls=Command, opens_wallet=True, examples=_RECOVER_EXAMPLES)
@click.argument("key")
@click.option("--from-root", is_flag=True, help="Derive it from the root, and keep it under the name KEY.")
@click.option("--pair", is_flag=True, help="With --from-root: a key pair, not a shared key.")
@click.option("--algorithm", metavar="NAME/VERSION", help="With --from-root: how [default: built in].")
@pass_session
def recover(session: Session, key: str, from_root: bool, pair: bool, algorithm: str | None) -> None:
    """Bring a key back into the wallet, to stay.

    By its receipt; one that was derived from the root is derived again. What is sealed by policy `seed` opens
    without the root once the key that was derived for it is kept: `--from-root` does that. The root itself
    is fetched for it where it is away, and does not stay.
    """
    from wallet_client.cli.opened import with_wallet
    from wallet_client.operations.keys import recover_from_root, recover_key

    if (pair or algorithm) and not from_root:
        raise click.UsageError("--pair and --algorithm go with --from-root")

    async def work(wallet: "Wallet") -> "tuple[KeyEntry, Mapping[str, Exception], bool]":
        if from_root:
            kind: KeyKind = "pair" if pair else "shared"
            return await recover_from_root(wallet, kind, key, algorithm or ""), {}, False
        key_id = wallet.store.keyring.find(key)
        report = await recover_key(wallet, key_id)
        return wallet.store.keyring.entry(key_id), report.failed, bool(report.already)

    entry, failed, already = with_wallet(session, work)
    told = "was in the wallet already" if already else "is in the wallet"
    _tell(session, entry, failed, f"{entry.name} {told}", {"already": already})


@click.command(cls=Command, opens_wallet=True, examples="kura key forget main")
@click.argument("key")
@click.option(
    "--lose",
    is_flag=True,
    help="Also where nothing is sure to bring it back: what it alone opens is then lost for ever.",
)
@pass_session
def forget(session: Session, key: str, lose: bool) -> None:
    """Erase a key from the wallet, beyond recovery from its files, once its safes have it.

    Its name, its public half and its receipt stay: `kura key recover` brings it back, and a key pair goes on
    sealing. Refused while a safe still lacks its piece or a certificate does not hold. With --lose a key
    that nothing brings back is gone, name and all.
    """
    from wallet_client.cli.key_rows import key_row
    from wallet_client.cli.opened import with_wallet
    from wallet_client.cli.output import emit
    from wallet_client.cli.rows import receipt_states
    from wallet_client.operations.keys import forget_key

    async def work(wallet: "Wallet") -> "tuple[Forgotten, dict[str, str]]":
        return await forget_key(wallet, wallet.store.keyring.find(key), lose=lose), receipt_states(
            wallet.store
        )

    forgotten, states = with_wallet(session, work)
    name = forgotten.key.name
    row = key_row(forgotten.key, states) | {"here": False}
    emit(
        session,
        {"forgotten": [row], "lost": not forgotten.entry_stays},
        lambda: (
            f"{name} forgotten; `kura key recover {name}` brings it back"
            if forgotten.entry_stays
            else f"{name} is lost"
        ),
    )


def _tell(
    session: Session,
    entry: "KeyEntry",
    failed: Mapping[str, Exception],
    sentence: str,
    more: Mapping[str, object],
) -> None:
    from wallet_client.cli.key_rows import key_row
    from wallet_client.cli.opened import reading
    from wallet_client.cli.output import emit, warn_of_safes
    from wallet_client.cli.rows import receipt_states

    warn_of_safes(failed)
    with reading(session) as store:
        states = receipt_states(store)
    document = {
        "keys": [key_row(entry, states)],
        "failed": {name: str(failure) for name, failure in failed.items()},
        **more,
    }
    emit(session, document, lambda: sentence)
