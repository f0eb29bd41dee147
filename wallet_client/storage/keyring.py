"""The keyring: the keys of a wallet that seal batches, and its root, each here or away.

A key that is away left its entry: what it is called, what names it in manifests, its public half, and the
receipt that brings it back. To the operations a key is a member of an item like a value: it has a summary, an
encoding and a receipt.
"""

import base64
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from trust.documents import Document
from trust.ids import Bytes32
from trust.key_algorithm import KeyAlgorithm
from wallet_client.storage.errors import KeyAway, UnknownKey
from wallet_client.storage.naming import resolve
from wallet_client.storage.records import Records
from wallet_client.storage.secret import Secret
from wallet_client.storage.values import ValueSummary
from wallet_client.values.value import Value, ValueId, stored_size

KEY_CLASS = "key"
"""Class of a key among values, receipts and digests."""

KEY_MEDIA_TYPE = "application/vnd.kura.key"

KeyringKind: TypeAlias = Literal["shared", "pair", "root"]

KIND_WORDS: Final[Mapping[KeyringKind, str]] = {"shared": "shared key", "pair": "key pair", "root": "root"}


class KeyEntry(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A key as lists show it.

    Args:
        id: `k-` and ten base32 characters of its key id.
        name: What people call it, unique in the wallet.
        kind: "shared", "pair" or "root".
        key_id: 32 bytes: commitment to its scalar; of a root, a hash.
        public: X25519 public key of a pair, 32 bytes; else empty.
        algorithm: How it came from the root, as name/version; empty where it did not.
        held_since: When the wallet got it, whole seconds since 1970-01-01 UTC.
        is_here: Its secret is in the wallet.
        receipt_id: The receipt whose item it was backed up in.
        stays: It was brought back on request: a root that was not is sent away once it is safe [E7].
    """

    id: ValueId
    name: str
    kind: KeyringKind
    key_id: bytes
    public: bytes
    algorithm: str
    held_since: int
    is_here: bool = True
    receipt_id: str | None = None
    stays: bool = False


class KeyDocument(Document, frozen=True):
    """What is sealed when a key is backed up.

    Args:
        kind: As in KeyEntry.
        name: Its name.
        secret: Secret: a scalar, or the root; 32 bytes.
        algorithm: How it came from the root, as name/version; empty where it did not.
        held_since: As in KeyEntry.
        algorithms: Of a root: the descriptions that were brought from outside, so that it is of use alone.
    """

    title = "key"

    kind: KeyringKind
    name: str
    secret: Bytes32
    algorithm: str
    held_since: int
    algorithms: tuple[KeyAlgorithm, ...] = ()

    def __repr__(self) -> str:
        """Without the secret."""
        return f"<KeyDocument {self.kind}>"


def short_key_id(key_id: bytes) -> ValueId:
    """A key's id in the wallet."""
    return ValueId("k-" + base64.b32encode(key_id).decode("ascii")[:10].lower())


class Keyring:
    """The keys of one wallet.

    Args:
        records: Their sealed rows.
        algorithms: Sealed rows of the descriptions that were brought from outside.
    """

    def __init__(self, records: Records[KeyEntry], algorithms: Records[KeyAlgorithm]) -> None:
        self._records = records
        self._algorithms = algorithms

    def add(self, entry: KeyEntry, secret: Secret) -> None:
        """Keep a new key.

        Raises:
            AlreadyKept: There is one of that id.
        """
        self._records.add(entry.id, entry, secret.reveal())

    def bring_back(self, entry: KeyEntry, secret: Secret) -> None:
        """Keep a key that came back, to stay; what its entry said of name and receipt stays too."""
        known = self.entry(entry.id) if self._records.has(entry.id) else entry
        back = msgspec.structs.replace(known, is_here=True, stays=True)
        self._records.put(entry.id, back, secret.reveal())

    def send_away(self, key_id: ValueId) -> None:
        """Erase a key's secret beyond recovery; its entry stays.

        Raises:
            UnknownKey: There is none of that id.
        """
        away = msgspec.structs.replace(self.entry(key_id), is_here=False, stays=False)
        self._records.replace(key_id, away, b"")

    def cut_off(self, key_id: ValueId) -> None:
        """Note that the root there is does not give this key: it is of use by itself alone.

        Raises:
            UnknownKey: There is none of that id.
        """
        entry = msgspec.structs.replace(self.entry(key_id), algorithm="")
        self._records.replace_head(key_id, entry)

    def remove(self, key_id: ValueId) -> None:
        """Erase a key, entry and all.

        Raises:
            UnknownKey: There is none of that id.
        """
        self._records.remove(key_id)

    def has(self, key_id: ValueId) -> bool:
        """Whether the key itself is in the wallet, not only its entry."""
        return self._records.has(key_id) and self.entry(key_id).is_here

    def entry(self, key_id: ValueId) -> KeyEntry:
        """One key as lists show it.

        Raises:
            UnknownKey: There is none of that id.
        """
        return self._records.head(key_id)

    def entries(self) -> list[KeyEntry]:
        """All keys, in the order in which they came."""
        return self._records.heads()

    def named(self, name: str) -> KeyEntry | None:
        """The key of exactly that name, if there is one."""
        return next((entry for entry in self.entries() if entry.name == name), None)

    def find(self, text: str) -> ValueId:
        """The key that a person means by its name, its id or the id's beginning.

        Raises:
            UnknownKey: None fits.
            Ambiguous: More than one does.
        """
        named = ((entry.id, entry.name) for entry in self.entries())
        return ValueId(resolve(text, named, "key", UnknownKey))

    def secret(self, key_id: ValueId) -> Secret:
        """The secret of a key, 32 bytes.

        Raises:
            UnknownKey: There is none of that id.
            KeyAway: It is not in the wallet.
        """
        entry = self.entry(key_id)
        if not entry.is_here:
            raise KeyAway(entry.name)
        return Secret(self._records.body(key_id))

    def summary(self, key_id: ValueId) -> ValueSummary:
        """The key as a value's index entry.

        Raises:
            UnknownKey: There is none of that id.
        """
        entry = self.entry(key_id)
        plain = _as_value(entry, b"")
        size = stored_size(plain)
        fields = {name: getattr(plain.fields, name) for name in plain.fields.__struct_fields__}
        return ValueSummary(
            **fields, id=key_id, payload_bytes=0, size_bytes=size, receipt_id=entry.receipt_id
        )

    def get(self, key_id: ValueId) -> Value:
        """Secret: the key as the value that is backed up.

        Raises:
            UnknownKey: There is none of that id.
            KeyAway: It is not in the wallet.
        """
        entry = self.entry(key_id)
        brought = tuple(self.algorithms()) if entry.kind == "root" else ()
        document = KeyDocument(
            entry.kind, entry.name, self.secret(key_id).reveal(), entry.algorithm, entry.held_since, brought
        )
        return _as_value(entry, document.to_bytes())

    def link_known(self, summary: ValueSummary, receipt_id: str | None) -> None:
        """Note in which receipt a key is backed up now, None for in none."""
        entry = msgspec.structs.replace(self.entry(summary.id), receipt_id=receipt_id)
        self._records.replace_head(summary.id, entry)

    def add_algorithm(self, algorithm: KeyAlgorithm) -> None:
        """Keep a description that was brought from outside, in the place of the one of that label."""
        self._algorithms.put(algorithm.label, algorithm, b"")

    def algorithms(self) -> list[KeyAlgorithm]:
        """The descriptions that were brought from outside."""
        return self._algorithms.heads()


def _as_value(entry: KeyEntry, payload: bytes) -> Value:
    """A key in the clothes of a value: class `key`, and what kind of key it is."""
    return Value(
        item_class=KEY_CLASS,
        name=entry.name,
        remarks=KIND_WORDS[entry.kind],
        held_since=entry.held_since,
        media_type=KEY_MEDIA_TYPE,
        payload=payload,
    )
