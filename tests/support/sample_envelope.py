"""An envelope to the first safe of the sample documents, and its reply; the same in every run.

HPKE draws its ephemeral key in the library, so what it made of the secret was made once, and a test opens it.
"""

from unittest import mock

from support.sample_documents import SAFE_IDS, SEALING_PAIRS, draw
from threshold import hpke
from trust.envelope import Opening, Outcome, Sent, open_envelope

SECRET = draw("envelope secret", 32)
REPLY_SALT = draw("envelope reply", 32)
WRAPPED = bytes.fromhex(
    "9ea2d1e8451dbc3b209c3390c9e1bc99ed2bd0cb1afef8563e28c96df182847157c7016618a2f3c1"
    "43d8eb505ab7b5777b99de9022e004941fe4ff37ad6963b43eba5841357ed3d1895aab43d2b47e1b"
)
OPENING = Opening("/kura.safe.v1.OwnerService/BeginUnlock", 1_790_000_000_000, b"")
OUTCOME = Outcome(0, "", b"")
MESSAGES = (b"first message", b"second message")
ANSWER = b"answer"


class _Fixed:
    """Gives what it was told."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, length: int) -> bytes:
        assert length == len(self._content)
        return self._content


def frames() -> tuple[list[bytes], bytes]:
    """The frames of the request, and the one of the reply."""
    wallet = _sent()
    requests = [
        wallet.seal_first(OPENING, MESSAGES[0], is_last=False),
        wallet.seal(MESSAGES[1], is_last=True),
    ]
    safe, _, _ = open_envelope(requests[0], SAFE_IDS[0], SEALING_PAIRS[0], _Fixed(REPLY_SALT))
    return requests, safe.seal(ANSWER, OUTCOME)


def _sent() -> Sent:
    """As if HPKE had drawn the same key again."""
    with mock.patch.object(hpke, "wrap", return_value=WRAPPED):
        return Sent(SAFE_IDS[0], SEALING_PAIRS[0].public, _Fixed(SECRET))
