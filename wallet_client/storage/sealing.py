"""How one row is sealed, so that it opens only where it was put and never after it was erased.

Each version of a row has a random 32-byte *row secret* of its own. Its AES-256-GCM key is
HMAC-SHA256(table key, row secret), the table key HKDF-SHA256 of the master key. Erasing the row
secret therefore erases the row, even for somebody with the passphrase: SQLite's secure_delete
alone leaves fragments when it moves cells between pages (a test shows one such fragment in
about 1,000 removals). No key seals two versions, so nonces count the parts of one, as in
STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): a missing, swapped or cut-off part is noticed.

Names that lead to rows (ids, safe ids, key names) are stored as 16 bytes of HMAC-SHA256 under
another table key: they can be looked up but not read. What the files do tell: how many rows of
each kind there are, their sizes, and the order in which they were written. Not noticed: a whole
folder put back to an older copy of itself.
"""

import hmac
import secrets
from collections.abc import Iterable, Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wallet_client.storage.secret import Secret

ROW_SECRET_BYTES: Final = 32
NAME_BYTES: Final = 16
CHUNK_BYTES: Final = 1024 * 1024
TAG_BYTES: Final = 16

_DOMAIN: Final = b"kura/v1/wallet/"
_HEAD: Final = b"head"
_BODY: Final = b"body"


class SealBroken(Exception):
    """A row does not open: changed, moved, cut off, or of another wallet."""


class Sealer:
    """Seals the rows of one kind in one wallet.

    Args:
        master: Secret: the wallet's master key, 32 bytes.
        wallet_id: 16 bytes.
        kind: The rows' kind, such as "value".
    """

    def __init__(self, master: Secret, wallet_id: bytes, kind: str) -> None:
        self._row_key = _derived(master, wallet_id, f"{kind}/rows")
        self._name_key = _derived(master, wallet_id, f"{kind}/names")
        self._bound = b"\0".join((_DOMAIN, kind.encode("ascii"), wallet_id))

    def blinded(self, name: str) -> bytes:
        """What stands in the database for a name: 16 bytes. Text that is no UTF-8 has one too."""
        return hmac.digest(self._name_key, name.encode("utf-8", "surrogatepass"), "sha256")[:NAME_BYTES]

    def seal_head(self, secret: bytes, place: bytes, head: bytes) -> bytes:
        """Seal the small part of a row.

        Args:
            secret: Secret: the row secret, 32 bytes, used for this head alone.
            place: Where the row stands: its blinded name and slot.
            head: Secret: the bytes to seal.
        """
        return self._cipher(secret).encrypt(_nonce(0, last=True), head, self._bound + _HEAD + place)

    def open_head(self, secret: bytes, place: bytes, sealed: bytes) -> bytes:
        """The head that was sealed at this place.

        Raises:
            SealBroken: It is not that.
        """
        return _opened(self._cipher(secret), _nonce(0, last=True), sealed, self._bound + _HEAD + place)

    def seal_body(self, secret: bytes, place: bytes, body: bytes) -> Iterator[bytes]:
        """Seal the large part of a row in parts of 1 MiB, made one at a time; at least one.

        Args:
            secret: Secret: the row secret, 32 bytes, used for this body alone.
            place: Where the row stands.
            body: Secret: the bytes to seal.
        """
        cipher, view, bound = self._cipher(secret), memoryview(body), self._bound + _BODY + place
        last = max(0, len(body) - 1) // CHUNK_BYTES
        for part in range(last + 1):
            chunk = view[part * CHUNK_BYTES : (part + 1) * CHUNK_BYTES]
            yield cipher.encrypt(_nonce(part, last=part == last), chunk, bound)

    def open_body(self, secret: bytes, place: bytes, sealed: Iterable[bytes]) -> bytes:
        """The body whose parts these are, in order.

        Raises:
            SealBroken: One of them is not, or one is missing.
        """
        cipher, bound = self._cipher(secret), self._bound + _BODY + place
        waiting: bytes | None = None
        parts: list[bytes] = []
        for chunk in sealed:
            if waiting is not None:
                parts.append(_opened(cipher, _nonce(len(parts), last=False), waiting, bound))
            waiting = chunk
        if waiting is None:
            raise SealBroken
        parts.append(_opened(cipher, _nonce(len(parts), last=True), waiting, bound))
        return b"".join(parts)

    def _cipher(self, secret: bytes) -> AESGCM:
        return AESGCM(hmac.digest(self._row_key, secret, "sha256"))


def new_row_secret() -> bytes:
    """Secret: 32 random bytes for one version of one row."""
    return secrets.token_bytes(ROW_SECRET_BYTES)


def _derived(master: Secret, wallet_id: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, wallet_id, _DOMAIN + purpose.encode("ascii")).derive(master.reveal())


def _nonce(part: int, *, last: bool) -> bytes:
    return bytes([last]) + part.to_bytes(11)


def _opened(cipher: AESGCM, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, sealed, bound)
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error
