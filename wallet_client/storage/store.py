"""The wallet's store: made, opened and closed as one, with every repository on it.

    with WalletStore.open(home, Passphrase(b"...")) as store:
        value_id = store.values.add(value)

Opening a wallet writes nothing until the passphrase, the version and the sealed settings have all
been found right: they are read through a connection that may only read.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from trust.key_algorithm import KeyAlgorithm
from wallet_client.conditions.default import DEFAULT_NAME, DEFAULT_NOTE, DEFAULT_TEXT
from wallet_client.receipts.errors import UnknownDeletion, UnknownReceipt
from wallet_client.storage.authority import AuthorityAccount, AuthorityShelf, NoAuthority
from wallet_client.storage.conditions import ConditionEntry, Conditions
from wallet_client.storage.database import DATABASE_NAME, Database, check_file
from wallet_client.storage.deletions import DeletionEntry, Deletions
from wallet_client.storage.errors import (
    PolicyNotKept,
    UnknownAlgorithm,
    UnknownCondition,
    UnknownDelivery,
    UnknownKey,
    UnknownOperation,
    UnknownSecret,
    WalletExists,
)
from wallet_client.storage.folder import device_errors, make_folder, require_files, sync_folder
from wallet_client.storage.journal import Journal, Operation
from wallet_client.storage.keyfile import (
    KEY_FILE_NAME,
    Protection,
    Unlock,
    new_key_file,
    open_key_file,
    read_key_file,
    write_key_file,
)
from wallet_client.storage.keyring import KeyEntry, Keyring
from wallet_client.storage.keys import SIGNING_SEED, Keys
from wallet_client.storage.lock import HomeLock
from wallet_client.storage.outbox import Delivery, Outbox
from wallet_client.storage.policies import Policies, StoredPolicy
from wallet_client.storage.receipts import ReceiptEntry, Receipts
from wallet_client.storage.records import Records
from wallet_client.storage.schema import migrate, schema_version
from wallet_client.storage.secret import Secret
from wallet_client.storage.settings import Settings, SettingsMissing, WalletSettings
from wallet_client.storage.suspended import Suspended, Suspension
from wallet_client.storage.triggers import SensorEntry, Sensors, TriggerEntry, Triggers
from wallet_client.storage.values import Usage, Values, ValueSummary
from wallet_client.triggers.errors import UnknownSensor, UnknownSuspension, UnknownTrigger
from wallet_client.values.errors import UnknownValue

_UNFINISHED: Final = DATABASE_NAME + ".new"


class WalletStore:
    """An open wallet; `create` and `open` make one.

    All methods may be called from any thread; one transaction belongs to one thread.

    Attributes:
        values: What the wallet keeps.
        receipts: Where it is backed up.
        deletions: What was deleted at safes, and which of them confirmed it.
        forgettings: Owners who were forgotten, and which safes confirmed it.
        journal: What is under way.
        outbox: What waits for a safe.
        keys: Named secrets.
        keyring: Keys that seal batches, and the root.
        conditions: Which values are backed up by themselves.
        policies: Policies that came from files.
        triggers: What starts backups and recoveries by itself.
        sensors: Commands that triggers may ask.
        suspended: Recoveries that wait for room.
        authority: The owner's account at an authority.
        settings: Capacity, roster, pinned fingerprint.
    """

    def __init__(self, database: Database, master: Secret, wallet_id: bytes) -> None:
        self._database = database
        parts = (database, master, wallet_id)
        self.settings = _settings(*parts)
        self.values = Values(
            Records(*parts, "value", ValueSummary, UnknownValue, purges=True), self._capacity
        )
        self.receipts = Receipts(Records(*parts, "receipt", ReceiptEntry, UnknownReceipt, purges=True))
        self.deletions = Deletions(Records(*parts, "deletion", DeletionEntry, UnknownDeletion))
        self.forgettings = Deletions(Records(*parts, "forgetting", DeletionEntry, UnknownDeletion))
        self.journal = Journal(Records(*parts, "operation", Operation, UnknownOperation))
        self.outbox = Outbox(Records(*parts, "delivery", Delivery, UnknownDelivery))
        self.keys = Keys(Records(*parts, "secret", str, UnknownSecret, purges=True))
        self.keyring = Keyring(
            Records(*parts, "key", KeyEntry, UnknownKey, purges=True),
            Records(*parts, "algorithm", KeyAlgorithm, UnknownAlgorithm),
        )
        self.conditions = Conditions(Records(*parts, "condition", ConditionEntry, UnknownCondition))
        self.policies = Policies(Records(*parts, "policy", StoredPolicy, PolicyNotKept))
        self.triggers = Triggers(Records(*parts, "trigger", TriggerEntry, UnknownTrigger))
        self.sensors = Sensors(Records(*parts, "sensor", SensorEntry, UnknownSensor))
        self.authority = AuthorityShelf(
            Records(*parts, "authority", AuthorityAccount, NoAuthority, purges=True)
        )
        self.suspended = Suspended(Records(*parts, "suspension", Suspension, UnknownSuspension))

    @classmethod
    def create(
        cls,
        home: Path,
        unlock: Unlock,
        *,
        capacity_bytes: int | None,
        roster: bytes,
        roster_fingerprint: bytes,
        signing_seed: Secret,
        roster_version: int = 1,
    ) -> Self:
        """Make a wallet in a folder; a crash before the end leaves none.

        Args:
            home: The folder, made with mode 0700 where it is missing.
            unlock: Secret: what shall open it.
            capacity_bytes: How much its values may take; None for no limit.
            roster: The roster's bytes, as signed.
            roster_fingerprint: 32 bytes, pinned for good.
            signing_seed: Secret: the wallet's Ed25519 seed, 32 bytes.
            roster_version: The roster's.

        Raises:
            WalletExists: The folder holds one already; it stays as it is.
            WalletBusy: Another process is making one there.
            StorageFailed: The folder cannot be written.
        """
        settings = WalletSettings(
            capacity_bytes=capacity_bytes,
            roster=roster,
            roster_version=roster_version,
            genesis_fingerprint=roster_fingerprint,
        )
        with device_errors():
            make_folder(home)
            with HomeLock(home):
                if (home / DATABASE_NAME).exists():
                    raise WalletExists(home)
                cls._build(home, unlock, settings, signing_seed)
        return cls.open(home, unlock)

    @classmethod
    def open(cls, home: Path, unlock: Unlock) -> Self:
        """Open the wallet in a folder.

        Raises:
            WalletMissing: There is none.
            WrongPassphrase: The passphrase is another; nothing was touched.
            PassphraseNeeded: It has one and none was given.
            PassphraseUnused: It has none and one was given.
            WalletDamaged: Its files are not as the wallet wrote them; nothing was touched.
            WalletTooNew: A newer Kura wrote it; nothing was touched.
            StorageFailed: The device or the permissions do not allow it.
        """
        with device_errors():
            key_file = read_key_file(require_files(home))
            path = home / DATABASE_NAME
            check_file(path)
            master = open_key_file(key_file, unlock)
            _check_unchanged(path, master, key_file.wallet_id)
            return cls(_opened(path), master, key_file.wallet_id)

    @classmethod
    def _build(cls, home: Path, unlock: Unlock, settings: WalletSettings, seed: Secret) -> None:
        """Write both files; the last step, a rename, makes it a wallet."""
        key_file, master = new_key_file(unlock)
        write_key_file(home / KEY_FILE_NAME, key_file)
        path = home / _UNFINISHED
        for leftover in home.glob(f"{_UNFINISHED}*"):
            leftover.unlink()
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with cls(Database(path), master, key_file.wallet_id) as store:
            migrate(store._database)
            with store.transaction():
                store.settings.create(settings)
                store.keys.put(SIGNING_SEED, seed)
                store.conditions.add(DEFAULT_NAME, DEFAULT_TEXT, note=DEFAULT_NOTE)
        path.rename(home / DATABASE_NAME)
        sync_folder(home)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all changes inside it happen together or not at all; may be nested.

        Other threads wait meanwhile: no network calls inside.

        Raises:
            WalletError: As the device or the file has it; nothing happened.
        """
        with self._database.transaction():
            yield

    @property
    def traces_remain(self) -> bool:
        """Whether erased bytes still wait to be overwritten, because another process reads the wallet."""
        return self._database.traces_remain

    def usage(self) -> Usage:
        """How full the wallet is."""
        return self.values.usage()

    def holding(self, kind: Literal["value", "key"]) -> Values | Keyring:
        """Where the members of an item of this kind are."""
        return self.values if kind == "value" else self.keyring

    def signing_seed(self) -> Secret:
        """The wallet's Ed25519 seed, 32 bytes."""
        return self.keys.get(SIGNING_SEED)

    def purge(self) -> None:
        """Overwrite whatever was erased and is still in the log; removals of values do so themselves.

        Raises:
            TracesRemain: Another process reads the wallet right now.
        """
        self._database.purge()

    def close(self) -> None:
        """Close; the store is of no use after it."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _capacity(self) -> int | None:
        return self.settings.get().capacity_bytes


def wallet_protection(home: Path) -> Protection:
    """How the wallet in a folder is locked, so that one knows whether to ask for a passphrase.

    Raises:
        WalletMissing: There is none.
        WalletDamaged: Its key file does not tell.
    """
    with device_errors():
        return read_key_file(require_files(home)).protection


def _settings(database: Database, master: Secret, wallet_id: bytes) -> Settings:
    return Settings(Records(database, master, wallet_id, "setting", WalletSettings, SettingsMissing))


def _check_unchanged(path: Path, master: Secret, wallet_id: bytes) -> None:
    """Read the version and open the settings, through a connection that may not write."""
    database = Database(path, read_only=True)
    try:
        schema_version(database)
        _settings(database, master, wallet_id).get()
    finally:
        database.close()


def _opened(path: Path) -> Database:
    """The database at its newest version, and what a crash left in the log overwritten if it may be."""
    database = Database(path)
    try:
        migrate(database)
        if _has_log(path):
            database.purge_if_free()
    except BaseException:
        database.close()
        raise
    return database


def _has_log(path: Path) -> bool:
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0
