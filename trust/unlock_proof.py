"""How a safe recognises that the PIN of a guess was right, without ever learning it.

    tag      what one safe keeps with its part; it comes of the OPRF output, and is of no use at another safe
    proof    what the wallet shows: bound to the safe, the guess, the recipient key and the record

In a way without a PIN the output is that of 32 zero bytes: the proof then binds the recipient key and nothing
more, and what the owner has proven they have proven by the other factors.

Source: ePrint 2017/363 for the whole; HKDF (RFC 5869) and HMAC (RFC 2104). docs/FORMATS.md gives the bytes.
"""

import hmac

from threshold import hkdf
from trust.ids import ID_BYTES, GuessId, RecordId, SafeId
from trust.owner_record import OPRF_OUTPUT_BYTES, check_length

RECIPIENT_KEY_BYTES = 32
TAG_BYTES = 32
PROOF_BYTES = 32

_UNLOCK_TAG = b"kura/v1/unlock-tag"
_UNLOCK_PROOF = b"kura/v1/unlock-proof"


def unlock_tag(oprf_output: bytes, safe_id: SafeId, record_id: RecordId) -> bytes:
    """Secret: what one safe keeps to recognise the PIN by, 32 bytes; it is of no use at another safe.

    Args:
        oprf_output: Secret: of the stretched PIN, 64 bytes.
        safe_id: Whose it is to be.
        record_id: Of the record it is kept with.

    Raises:
        InvalidLength: The output is not 64 bytes.
    """
    check_length("OPRF output", oprf_output, OPRF_OUTPUT_BYTES)
    return hkdf.derive(oprf_output, b"", _UNLOCK_TAG + safe_id + record_id, TAG_BYTES)


def unlock_proof(
    tag: bytes, safe_id: SafeId, guess_id: GuessId, recipient_key: bytes, record_id: RecordId
) -> bytes:
    """What shows a safe that the PIN of this guess was right, 32 bytes; it holds for this recipient alone.

    Args:
        tag: Secret: of that safe and record, 32 bytes.
        safe_id: To whom it is shown.
        guess_id: The guess that was evaluated.
        recipient_key: X25519 public key, 32 bytes, to which the answer is to be sealed.
        record_id: The record that was tried.

    Raises:
        InvalidLength: The guess id or the recipient key has another length.
    """
    check_length("guess id", guess_id, ID_BYTES)
    check_length("recipient key", recipient_key, RECIPIENT_KEY_BYTES)
    message = _UNLOCK_PROOF + safe_id + guess_id + recipient_key + record_id
    return hmac.digest(tag, message, "sha256")


def is_unlock_proof(
    proof: bytes,
    tag: bytes,
    safe_id: SafeId,
    guess_id: GuessId,
    recipient_key: bytes,
    record_id: RecordId,
) -> bool:
    """Whether a proof, of any length, holds; in constant time.

    Args:
        proof: What was shown.
        tag: Secret: what this safe keeps, 32 bytes; the others as `unlock_proof`, which may raise.
    """
    return hmac.compare_digest(proof, unlock_proof(tag, safe_id, guess_id, recipient_key, record_id))
