"""Make an owner's record: for every way in draw r and an OPRF key, seal the secrets, deal all parts.

Pure computation; each part is for its safe alone. Nothing of what was drawn is kept: with the PIN and k parts
it comes back, and for another PIN there is another record.

Source: Feldman 1987 for both dealings, RFC 9497 for the output, ePrint 2017/363 for the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from threshold import feldman, oprf
from threshold.errors import InvalidThreshold
from threshold.oprf import Mode
from threshold.randomness import RandomSource
from threshold.ristretto import Scalar
from trust.access_policy import Factor, SignedAccessPolicy, sign_policy
from trust.device_proof import wrap_device_secret
from trust.ids import Hash, OwnerId, RecordId, SafeId
from trust.owner_record import (
    DEVICE_SECRET_BYTES,
    NO_PIN,
    OwnerRecord,
    OwnerSecrets,
    RecordPlace,
    WaySecrets,
    seal_secrets,
    sealed_hash,
)
from trust.roster import Roster
from trust.unlock_proof import unlock_tag
from wallet_client.owners.access import Access
from wallet_client.owners.errors import PinNeeded
from wallet_client.owners.stretch import StretchedPin

RECORD_ID_BYTES = 16
DEFAULT_GUESSES = 10
MAX_GUESSES = 100
BY_PIN = Access()


@dataclass(frozen=True, slots=True)
class DealtPart:
    """What one safe gets of one way, beside the record and the sealed secrets.

    Args:
        unlock_share: Secret: of r, 32 bytes.
        oprf_share: Secret: of the OPRF key, 32 bytes.
        unlock_tag: Secret: what it recognises the PIN by, 32 bytes.
    """

    unlock_share: bytes = field(repr=False)
    oprf_share: bytes = field(repr=False)
    unlock_tag: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DealtWay:
    """One way into a record.

    Args:
        way: Its factors.
        record: The same for all safes.
        sealed: The sealed secrets, and the wraps of the device secret behind them; the same for all.
        parts: By safe.
    """

    way: tuple[Factor, ...]
    record: OwnerRecord
    sealed: bytes
    parts: Mapping[SafeId, DealtPart]


@dataclass(frozen=True, slots=True)
class DealtRecord:
    """One version of a record.

    Args:
        policy: The owner's word on who opens it.
        ways: All ways into it, in the policy's order.
    """

    policy: SignedAccessPolicy
    ways: tuple[DealtWay, ...]

    @property
    def record(self) -> OwnerRecord:
        """That of the first way; id, owner, k and places are those of all."""
        return self.ways[0].record

    @property
    def safes(self) -> tuple[SafeId, ...]:
        """Who gets a part."""
        return tuple(self.ways[0].parts)


def deal_record(
    owner_id: OwnerId,
    secrets: OwnerSecrets,
    pin: StretchedPin | None,
    roster: Roster,
    rng: RandomSource,
    access: Access = BY_PIN,
    made_at: int = 0,
) -> DealtRecord:
    """A fresh record of an owner, for all safes of a roster and with its threshold.

    Args:
        owner_id: Whose.
        secrets: Secret: what it protects.
        pin: Secret: what opens the ways with a PIN.
        roster: Its safes get x = 1, 2, ... in the roster's order.
        rng: Draws the record's id, the device secret, and for each way r, the OPRF key and both polynomials.
        access: Who opens it.
        made_at: When, seconds since 1970; later than the one before.

    Raises:
        PinNeeded: A way has a PIN, and there is none.
        DocumentProblem: The terms make no policy.
        InputMapsToIdentity: No PIN is known that does this.
        InvalidScalar: The generator is broken: it drew zero.
    """
    if pin is None and "pin" in access.factors:
        raise PinNeeded
    record_id = RecordId(rng.read(RECORD_ID_BYTES))
    policy = access.policy(owner_id, secrets.owner_key, record_id, made_at)
    signed = sign_policy(policy, secrets.signing_key)
    device_secret = rng.read(DEVICE_SECRET_BYTES) if "device" in access.factors else b""
    dealer = _Dealer(owner_id, secrets, record_id, roster, access, device_secret, rng)
    return DealtRecord(signed, tuple(dealer.deal(way, pin) for way in access.ways))


@dataclass(frozen=True, slots=True)
class _Dealer:
    """What all ways of one version have in common.

    Args:
        device_secret: Secret: 32 bytes where a way has a device.
    """

    owner_id: OwnerId
    secrets: OwnerSecrets
    record_id: RecordId
    roster: Roster
    access: Access
    device_secret: bytes = field(repr=False)
    rng: RandomSource

    def deal(self, way: tuple[Factor, ...], pin: StretchedPin | None) -> DealtWay:
        safes, k = self.roster.safes, self.roster.threshold
        xs = range(1, len(safes) + 1)
        unlock_secret, oprf_key = Scalar.random(self.rng), Scalar.random(self.rng)
        unlock = feldman.deal(unlock_secret, k, xs, self.rng)
        evaluation = feldman.deal(oprf_key, k, xs, self.rng)
        output = oprf.evaluate(oprf_key, pin.reveal() if pin and "pin" in way else NO_PIN, Mode.VOPRF)
        sealed = self._sealed(way, unlock_secret.to_bytes(), output)
        record = OwnerRecord(
            owner_id=self.owner_id,
            owner_key=self.secrets.owner_key,
            record_id=self.record_id,
            k=k,
            places=tuple(RecordPlace(x, safe.safe_id) for x, safe in zip(xs, safes, strict=True)),
            unlock_commitments=tuple(point.to_bytes() for point in unlock.commitments),
            oprf_commitments=tuple(point.to_bytes() for point in evaluation.commitments),
            sealed_hash=Hash(sealed_hash(sealed)),
        )
        parts = {
            safe.safe_id: DealtPart(
                unlock.shares[position].value.to_bytes(),
                evaluation.shares[position].value.to_bytes(),
                unlock_tag(output, safe.safe_id, self.record_id),
            )
            for position, safe in enumerate(safes)
        }
        return DealtWay(way, record, sealed, parts)

    def _sealed(self, way: tuple[Factor, ...], unlock_secret: bytes, output: bytes) -> bytes:
        """The secrets under this way, and the device secret as each device reads it: no device is touched."""
        by_device = "device" in way
        under = WaySecrets(unlock_secret, output, way, self.device_secret if by_device else b"")
        sealed = seal_secrets(self.secrets, under, self.owner_id, self.record_id)
        label = self.owner_id + self.record_id
        wraps = [
            wrap_device_secret(device.wrapping_key, self.device_secret, device.credential_id, label)
            for device in self.access.devices
            if by_device
        ]
        return b"".join((sealed, *wraps))


def true_total_of_guesses(n: int, k: int, guesses: int, lying: int) -> int:
    """How many PINs a thief can try in all who has bought `lying` safes: floor((n - c) G / (k - c)).

    A guess needs an answer of k safes; lying ones answer without counting, the others G times each.

    Args:
        n: Safes of the record.
        k: Parts that open it.
        guesses: G, that one safe allows.
        lying: c, 0 to k - 1; k of them need no guess that anybody counts.

    Raises:
        InvalidThreshold: k is not 1 to n, or c not 0 to k - 1; names what is left for honest safes.
    """
    if not 0 <= lying < k <= n:
        raise InvalidThreshold(k - lying, n - lying)
    return (n - lying) * guesses // (k - lying)
