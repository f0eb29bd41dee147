"""A version of the roster as it is assembled, and the decoy secret that goes into it.

Somebody may ask safes about an owner whom nobody enrolled (docs/DESIGN.md section 6). All safes then answer
from one common secret, so that even k + 1 answers fit one polynomial, as those about an enrolled owner do.
Whoever assembles a version draws that secret, fresh for the version, and seals it by HPKE to each safe's
sealing key (threshold/hpke.py).

What it protects is that a stranger cannot tell whether a name is enrolled. Nothing else hangs on it: no
value, no key and no guess. Every safe of the version knows it. Whoever assembled the version could know it
too, or could have sealed different ones, and then anybody could tell.
"""

from collections.abc import Sequence

from threshold import hpke
from threshold.randomness import RandomSource
from trust.documents import DocumentProblem
from trust.errors import DocumentMalformed, RosterRefused
from trust.ids import SafeId, UnixSeconds
from trust.roster import Roster, SafeEntry

DECOY_SECRET_BYTES = hpke.SECRET_BYTES
_INFO = b"kura/v1/decoy-secret"


def assemble_roster(
    entries: Sequence[SafeEntry],
    threshold: int,
    now: UnixSeconds,
    rng: RandomSource,
    before: Roster | None = None,
) -> Roster:
    """The next version, unsigned, with a fresh decoy secret.

    Args:
        entries: Its safes, 1 to 255.
        threshold: How many of them bring a value back.
        now: When it is assembled.
        rng: Gives the decoy secret; HPKE draws its ephemeral keys in the library.
        before: The version that it follows; None for a genesis.

    Raises:
        RosterRefused: The entries and the threshold make no roster.
    """
    version, previous = (before.version + 1, before.fingerprint) if before else (1, b"")
    decoys = seal_decoys(entries, rng.read(DECOY_SECRET_BYTES))
    try:
        roster = Roster(version, previous, now, threshold, tuple(entries), decoys)
        return Roster.from_bytes(roster.to_bytes())  # building a Struct checks no lengths and ranges
    except (DocumentMalformed, DocumentProblem) as error:
        raise RosterRefused(Roster.title, str(error).rstrip(".")) from None


def seal_decoys(safes: Sequence[SafeEntry], secret: bytes) -> tuple[bytes, ...]:
    """`Roster.decoys`: the secret sealed to each safe, bound to its id; 80 bytes each, different every time.

    Args:
        safes: To whom, in this order.
        secret: Secret: 32 uniform bytes.

    Raises:
        InvalidLength: The secret is not 32 bytes.
    """
    return tuple(hpke.wrap(safe.sealing_key, secret, _INFO, safe.safe_id) for safe in safes)


def open_decoy(roster: Roster, safe_id: SafeId, pair: hpke.KeyPair) -> bytes:
    """The decoy secret of this version (32 bytes, Secret), as it was sealed to one safe.

    Args:
        roster: The version.
        safe_id: The safe.
        pair: Secret: its sealing key.

    Raises:
        RosterRefused: There is no such safe.
        SealBroken: What stands there was not sealed to this key, or not for this safe.
    """
    position = roster.safes.index(roster.safe(safe_id))
    return hpke.unwrap(pair, roster.decoys[position], _INFO, safe_id)
