"""An attacker who is handed everything some safes store, and knows the protocol as well as we do.

It reads their databases once (`loot_of`), puts together every share it finds under every manifest, tries
every secret it can make on whatever is sealed, takes the keys and roots that come to light, and tries
again until nothing new does. To be believed it needs a twin: the same program with one more safe's store,
or with the wallet's key, must succeed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import pysqlite3 as sqlite3
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msgspec.structs import replace

from threshold import dispersal, feldman
from threshold.errors import ThresholdError
from threshold.ristretto import Scalar
from threshold.sealing import TAG_BYTES, derive_item_key
from trust.division import SEGMENT_BYTES
from trust.errors import TrustError
from trust.ids import WalletKey
from trust.key_algorithm import BUILT_IN, derive_scalar
from trust.manifest import ItemLeaf, Manifest
from trust.piece import BLINDING_BYTES
from trust.policy import PolicyTerms
from wallet_client.errors import WalletError
from wallet_client.pipeline.couple import decouple
from wallet_client.pipeline.divide import combine
from wallet_client.pipeline.seal import WHOLE, BatchSecret, ItemName, item_name, member_role, share_role
from wallet_client.pipeline.wrapping import WrappingKey
from wallet_client.storage.keyring import KeyDocument
from wallet_client.values.value import Value, decode_value

_PIECES = """
    SELECT b.manifest, p.leaf, p.x, p.content, p.blob_id FROM pieces p JOIN batches b ON b.id = p.batch
"""
_KEY_SHARES = """
    SELECT b.manifest, k.id % 256, k.share FROM key_shares k JOIN batches b ON b.id = k.id / 256
"""
_NOTHING = (ThresholdError, TrustError, WalletError, ValueError)
"""What comes of trying something that is not enough."""


@dataclass
class Loot:
    """What was found under one manifest: key shares by x, and by leaf the value shares by x."""

    key_shares: dict[int, bytes] = field(default_factory=dict)
    value_shares: dict[bytes, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))


Loots: TypeAlias = dict[bytes, Loot]
"""By the manifest's exact bytes."""


def loot_of(database: Path) -> Loots:
    """Everything one safe stores."""
    loots: Loots = defaultdict(Loot)
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        for manifest, leaf, x, content, blob_id in connection.execute(_PIECES):
            blob = content if blob_id is None else _blocks(connection, blob_id)
            shares = loots[manifest].value_shares[leaf]
            if blob is not None:
                shares[x] = blob[BLINDING_BYTES:]
        for manifest, x, share in connection.execute(_KEY_SHARES):
            loots[manifest].key_shares[x] = share
    finally:
        connection.close()
    return loots


def attack(databases: Iterable[Path], wallet: WalletKey) -> list[Value]:
    """Every value of one wallet that the stores of these safes give away together."""
    loots = [loot_of(database) for database in databases]
    return plunder([{key: one for key, one in each.items() if _is_of(key, wallet)} for each in loots])


def _is_of(manifest: bytes, wallet: WalletKey) -> bool:
    return read_manifest_of(manifest).wallet_key == wallet


def plunder(
    loots: Sequence[Loots], secrets: Iterable[bytes] = (), sealed_below: int | None = None
) -> list[Value]:
    """Every value that what was found gives away.

    Args:
        loots: Of each safe; and of the wallet, where some of its shares fell into the same hands.
        secrets: Scalars of the wallet's keys that did, 32 bytes each.
        sealed_below: Leave aside what is larger than this, to save time.
    """
    hoard = _Hoard(_merged(loots), [Scalar.from_bytes(secret) for secret in secrets])
    return hoard.plundered(sealed_below)


def glimpse(loots: Sequence[Loots], secrets: Iterable[bytes] = ()) -> list[bytes]:
    """Parts of what was sealed and then divided compactly: what the secret and some fragments show.

    Every systematic fragment is a slice of the ciphertext, and each byte of AES-GCM's opens by itself.
    """
    hoard = _Hoard(_merged(loots), [Scalar.from_bytes(secret) for secret in secrets])
    return [
        part
        for encoded, found in hoard.loots.items()
        if read_manifest_of(encoded).terms.value.scheme == "compact"
        for secret in hoard.batch_secrets(read_manifest_of(encoded), found)
        if secret is not None
        for leaf, shares in found.value_shares.items()
        for part in _slices(read_manifest_of(encoded).terms, read_leaf_of(leaf), shares, secret)
    ]


@cache
def read_manifest_of(encoded: bytes) -> Manifest:
    """A manifest, parsed once."""
    return Manifest.from_bytes(encoded)


@cache
def read_leaf_of(encoded: bytes) -> ItemLeaf:
    """A leaf, parsed once: coalitions of safes meet the same ones again and again."""
    return ItemLeaf.from_bytes(encoded)


class _Hoard:
    """What was found, and what it led to.

    Args:
        loots: All that was found, by manifest.
        scalars: Secrets of keys that are known.
    """

    def __init__(self, loots: Loots, scalars: list[Scalar]) -> None:
        self.loots = loots
        self._scalars = scalars
        self._divided: dict[bytes, bytes] = {}

    def plundered(self, sealed_below: int | None) -> list[Value]:
        """Try again with every key that comes to light, until none does."""
        while True:
            opened = list(self._open_all(sealed_below))
            keys = [value for kind, value in opened if kind == "key"]
            if not self._learn(keys):
                return [value for kind, value in opened if kind == "value"]

    def batch_secrets(self, manifest: Manifest, found: Loot) -> Iterator[BatchSecret | None]:
        """Whatever may open what is under a manifest: nothing, key shares as if enough, every known key."""
        yield None
        dealt = _interpolated(manifest, found.key_shares)
        if dealt is not None and manifest.wrap is None:
            yield BatchSecret(dealt, manifest.salt)
        for scalar in (*([dealt] if dealt is not None else []), *self._scalars):
            for secret in _unwrapped(manifest, scalar):
                yield BatchSecret(secret, manifest.salt)

    def _learn(self, keys: Sequence[Value]) -> bool:
        """Make scalars of keys; whether any is new."""
        learnt = {scalar.to_bytes(): scalar for key in keys for scalar in _scalars_of(key)}
        known = {scalar.to_bytes() for scalar in self._scalars}
        self._scalars += [scalar for encoded, scalar in learnt.items() if encoded not in known]
        return not learnt.keys() <= known

    def _open_all(self, sealed_below: int | None) -> Iterator[tuple[str, Value]]:
        for encoded, found in self.loots.items():
            manifest = read_manifest_of(encoded)
            secrets = list(self.batch_secrets(manifest, found))
            for leaf_bytes, shares in found.value_shares.items():
                leaf = read_leaf_of(leaf_bytes)
                if shares and _is_in(sealed_below, leaf):
                    yield from self._open(manifest, leaf, leaf_bytes, shares, secrets)

    def _open(
        self,
        manifest: Manifest,
        leaf: ItemLeaf,
        leaf_bytes: bytes,
        shares: Mapping[int, bytes],
        secrets: Iterable[BatchSecret | None],
    ) -> Iterator[tuple[str, Value]]:
        for secret in secrets:
            try:
                if manifest.terms.order == "divide-then-seal":
                    content = _joined(manifest.terms, shares, leaf, secret)
                else:
                    content = self._joined_once(manifest, leaf, leaf_bytes, shares)
                members = _members(manifest.terms, leaf, content, secret)
                values = [decode_value(member) for member in members]
            except _NOTHING:
                continue
            yield from ((leaf.kind, value) for value in values)
            return

    def _joined_once(
        self, manifest: Manifest, leaf: ItemLeaf, leaf_bytes: bytes, shares: Mapping[int, bytes]
    ) -> bytes:
        if leaf_bytes not in self._divided:
            self._divided[leaf_bytes] = _joined(manifest.terms, shares, leaf, None)
        return self._divided[leaf_bytes]


def _is_in(sealed_below: int | None, leaf: ItemLeaf) -> bool:
    return sealed_below is None or leaf.sealed_length < sealed_below or leaf.kind == "key"


def _merged(loots: Iterable[Loots]) -> Loots:
    merged: Loots = defaultdict(Loot)
    for each in loots:
        for manifest, found in each.items():
            merged[manifest].key_shares |= found.key_shares
            for leaf, shares in found.value_shares.items():
                merged[manifest].value_shares[leaf].update(shares)
    return merged


def _blocks(connection: sqlite3.Connection, blob_id: int) -> bytes:
    span = (blob_id * 65_536, (blob_id + 1) * 65_536)
    rows = connection.execute("SELECT content FROM blocks WHERE id >= ? AND id < ? ORDER BY id", span)
    return b"".join(row[0] for row in rows)


def _interpolated(manifest: Manifest, key_shares: Mapping[int, bytes]) -> Scalar | None:
    """Interpolate whatever key shares there are, as if they were enough."""
    scalars = [feldman.ScalarShare(x, Scalar.from_bytes(share)) for x, share in sorted(key_shares.items())]
    used = scalars[: manifest.terms.key.k]
    if not used:
        return None
    try:
        return feldman.combine(used, len(used))
    except ThresholdError:
        return None


def _unwrapped(manifest: Manifest, scalar: Scalar) -> Iterator[Scalar]:
    """The batch secret, if it is wrapped under the key that this scalar makes, as either kind."""
    if manifest.wrap is None:
        return
    for key in _keys_of(scalar.to_bytes()):
        try:
            yield key.unwrap(manifest.wrap, manifest.salt)
        except _NOTHING:
            continue


@cache
def _keys_of(scalar: bytes) -> tuple[WrappingKey, WrappingKey]:
    """Both kinds of key that a scalar makes, made once."""
    read = Scalar.from_bytes(scalar)
    return WrappingKey.of("shared", read), WrappingKey.of("pair", read)


def _scalars_of(key: Value) -> Iterator[Scalar]:
    """What a key that came to light is, or what comes of a root by every algorithm known."""
    document = KeyDocument.from_bytes(key.payload)
    if document.kind == "root":
        yield from (derive_scalar(one, document.secret) for one in (BUILT_IN, *document.algorithms))
    else:
        yield Scalar.from_bytes(document.secret)


def _joined(
    terms: PolicyTerms, shares: Mapping[int, bytes], leaf: ItemLeaf, secret: BatchSecret | None
) -> bytes:
    """Combine whatever there is, as if it were enough: fewer Shamir shares than k give noise."""
    chosen = sorted(shares)[: terms.value.k]
    if terms.value.scheme == "shamir":
        terms = replace(terms, value=replace(terms.value, k=len(chosen)))
    unseal = None if secret is None else partial(_open_share, secret, item_name(leaf))
    return bytes(combine(terms, {x: BytesIO(shares[x]) for x in chosen}, leaf.sealed_length, unseal))


def _open_share(secret: BatchSecret, name: ItemName, x: int, segment: int, sealed: bytes) -> bytes:
    return secret.open(name, share_role(x, segment), sealed)


def _members(
    terms: PolicyTerms, leaf: ItemLeaf, content: bytes, secret: BatchSecret | None
) -> Iterable[bytes]:
    apart = terms.order == "divide-then-seal" or terms.coupling == "seal-then-couple"
    if secret is not None and not apart:
        content = secret.open(item_name(leaf), WHOLE, content)
    if terms.coupling == "single":
        return [content]
    parts = decouple(content)
    if secret is None or terms.coupling == "couple-then-seal":
        return parts
    return [secret.open(item_name(leaf), member_role(n), part) for n, part in enumerate(parts)]


def _slices(
    terms: PolicyTerms, leaf: ItemLeaf, shares: Mapping[int, bytes], secret: BatchSecret
) -> Iterator[bytes]:
    """What single fragments of the first segment show, where they are slices of one ciphertext."""
    if terms.order != "seal-then-divide" or terms.coupling == "seal-then-couple":
        return
    segment = min(leaf.sealed_length, SEGMENT_BYTES)
    length = dispersal.fragment_length(segment, terms.value.k, terms.value.n)
    name = item_name(leaf)
    key = derive_item_key(secret.scalar.to_bytes(), b"", secret.salt, name.item_id, WHOLE, name.generation)
    stream = Cipher(algorithms.AES(key.key), modes.CTR(bytes(12) + (2).to_bytes(4, "big"))).encryptor()
    plain = stream.update(bytes(segment))
    for x, share in shares.items():
        if x <= terms.value.k:
            span = slice((x - 1) * length, min(x * length, segment - TAG_BYTES))
            yield bytes(a ^ b for a, b in zip(share, plain[span], strict=False))
