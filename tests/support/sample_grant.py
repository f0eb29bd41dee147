"""A grant of the sample wallet's for two safes, and what the first of them gives under it, ever the same.

HPKE draws its ephemeral key in the library, so what it made of the secret was made once, and a test opens it.
"""

from unittest import mock

from support.sample_documents import (
    CERTIFICATES,
    GENESIS,
    NOW,
    SAFE_IDS,
    SAFE_KEYS,
    WALLET,
    certificate,
    draw,
)
from threshold import hpke
from trust.collected import CollectedOpening, Collecting
from trust.grant import LIFE_SECONDS, Grant, granted_part, sign_grant
from trust.ids import WalletKey

RECIPIENT = hpke.derive_key_pair(draw("grant recipient", 32))
GATEWAY = SAFE_IDS[1]
LISTS = (CERTIFICATES, (certificate(0, 2).to_bytes(),))
GRANT = Grant(
    wallet_key=WalletKey(WALLET.public),
    gateway=GATEWAY,
    recipient_key=RECIPIENT.public,
    roster_version=GENESIS.version,
    roster_hash=GENESIS.fingerprint,
    issued_at=NOW,
    expires_at=NOW + LIFE_SECONDS,
    parts=tuple(granted_part(SAFE_IDS[number], one) for number, one in enumerate(LISTS)),
)
GRANT_BYTES, GRANT_SIGNATURE = sign_grant(GRANT, WALLET)
SECRET = draw("collected secret", 32)
WRAPPED = bytes.fromhex(
    "500e608412135bf9b6cd2fef081c76cd2272a2bdf23d9c98b4975e7e676f1c3ed52667875a4e83be"
    "0184147fecefb89925d10c5d140d970e8c0cbdd5bb2d7030e8259d5b134bf16f353912c846770cc5"
)
OPENING = CollectedOpening(GRANT.name, WRAPPED)
OPENING_SIGNATURE = SAFE_KEYS[0].sign(CollectedOpening.title, OPENING.to_bytes())
MESSAGES = (b"first part", b"second part")


class _Fixed:
    """Gives the secret."""

    def read(self, length: int) -> bytes:
        assert length == len(SECRET)
        return SECRET


def frames() -> list[bytes]:
    """Both messages and the end, as if HPKE had drawn the same key again."""
    with mock.patch.object(hpke, "wrap", return_value=WRAPPED):
        safe = Collecting(GRANT, SAFE_IDS[0], SAFE_KEYS[0], _Fixed())
    return [*(safe.seal(message) for message in MESSAGES), safe.seal(None, is_last=True)]
