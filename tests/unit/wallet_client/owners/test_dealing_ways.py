"""All ways into one version of a record open the same secrets, and share nothing but its id and policy."""

import pytest

from support.memory_safes import roster_of
from support.owner_devices import MemoryDevice
from support.safe_requests import seeded
from support.sample_documents import draw, key
from threshold import feldman, hpke, oprf
from threshold.errors import SealBroken
from threshold.feldman import ScalarShare
from threshold.oprf import Mode
from threshold.ristretto import Scalar
from trust.access_policy import Factor, read_policy
from trust.device_proof import WRAP_BYTES, unwrap_device_secret
from trust.ids import AuthorityKey, OwnerId
from trust.owner_record import (
    NO_PIN,
    SEALED_BYTES,
    OwnerSecrets,
    WaySecrets,
    open_secrets,
    sealed_hash,
)
from wallet_client.owners.access import Access
from wallet_client.owners.dealing import DealtRecord, DealtWay, deal_record
from wallet_client.owners.devices import DeviceQuestion, register_device
from wallet_client.owners.errors import PinNeeded
from wallet_client.owners.stretch import StretchedPin

OWNER_ID = OwnerId(draw("dealt owner", 32))
SECRETS = OwnerSecrets(key("owner").seed, draw("root", 32))
PIN = StretchedPin(draw("the PIN, stretched", 32))
ROSTER = roster_of(5, 3)
GENESIS = ROSTER.fingerprint
STICK, PHONE = MemoryDevice("stick"), MemoryDevice("phone")
ALL_WAYS: tuple[tuple[Factor, ...], ...] = (
    ("authority",),
    ("authority", "device"),
    ("authority", "device", "pin"),
    ("authority", "pin"),
    ("device",),
    ("device", "pin"),
    ("pin",),
)
ACCESS = Access(
    ALL_WAYS,
    tuple(register_device(one, GENESIS, OWNER_ID, one.seed, seeded(one.seed)) for one in (STICK, PHONE)),
    (AuthorityKey(key("authority").public),),
    3_600,
)


def dealt(access: Access = ACCESS, pin: StretchedPin | None = PIN, seed: str = "ways") -> DealtRecord:
    """A version of the record."""
    return deal_record(OWNER_ID, SECRETS, pin, ROSTER, seeded(seed), access, 1_790_000_000)


DEALT = dealt()


def output_of(one: DealtWay, pin: bytes) -> bytes:
    """What a PIN comes to under a way's key, from the shares of three safes."""
    return oprf.evaluate(_combined(one, "oprf_share"), pin, Mode.VOPRF)


def _combined(one: DealtWay, share: str) -> Scalar:
    shares = [
        ScalarShare(one.record.x_at(safe_id) or 0, Scalar.from_bytes(getattr(part, share)))
        for safe_id, part in list(one.parts.items())[1:4]
    ]
    return feldman.combine(shares, 3)


def device_secret(one: DealtWay, device: MemoryDevice) -> bytes:
    """What a device reads of the wraps."""
    answer = device.answer(DeviceQuestion(GENESIS, OWNER_ID, bytes(32)))
    pair = hpke.derive_key_pair(answer.secret)
    label = OWNER_ID + one.record.record_id
    return unwrap_device_secret(pair, one.sealed[SEALED_BYTES:], answer.credential_id, label)


def opened(one: DealtWay, pin: bytes, secret: bytes) -> OwnerSecrets:
    """What three parts and these factors open."""
    under = WaySecrets(_combined(one, "unlock_share").to_bytes(), output_of(one, pin), one.way, secret)
    return open_secrets(one.sealed[:SEALED_BYTES], under, one.record)


def by_name(one: DealtWay) -> str:
    return " and ".join(one.way)


@pytest.mark.parametrize("one", DEALT.ways, ids=by_name)
@pytest.mark.parametrize("device", [STICK, PHONE], ids=["by one device", "by the other"])
def test_every_way_opens_the_same_secrets(one: DealtWay, device: MemoryDevice) -> None:
    """With its factors; whoever has another PIN or no device secret opens nothing."""
    pin = PIN.reveal() if "pin" in one.way else NO_PIN
    secret = device_secret(one, device) if "device" in one.way else b""
    assert opened(one, pin, secret) == SECRETS
    with pytest.raises(SealBroken):
        opened(one, draw("another PIN", 32), secret)
    if "device" in one.way:
        with pytest.raises(SealBroken):
            opened(one, pin, bytes(32))


@pytest.mark.parametrize("one", DEALT.ways, ids=by_name)
def test_a_way_with_a_device_has_a_wrap_for_each_and_no_other_way_has_any(one: DealtWay) -> None:
    """The hash in the record covers them."""
    wraps = 2 if "device" in one.way else 0
    assert len(one.sealed) == SEALED_BYTES + wraps * WRAP_BYTES
    assert one.record.sealed_hash == sealed_hash(one.sealed)


def test_a_device_that_is_not_the_owners_reads_no_wrap() -> None:
    """Nor one of the owner's under another credential."""
    with pytest.raises(SealBroken):
        device_secret(next(one for one in DEALT.ways if one.way == ("device",)), MemoryDevice("another"))


def test_the_ways_share_the_records_id_and_nothing_else() -> None:
    """Parts of one way are of no use in another."""
    assert {one.record.record_id for one in DEALT.ways} == {DEALT.record.record_id}
    for what in ("unlock_commitments", "oprf_commitments", "sealed_hash"):
        assert len({getattr(one.record, what) for one in DEALT.ways}) == len(ALL_WAYS)
    tags = [part.unlock_tag for one in DEALT.ways for part in one.parts.values()]
    assert len(set(tags)) == 5 * len(ALL_WAYS)


def test_the_policy_is_the_owners_word_for_this_version() -> None:
    """With all terms."""
    policy = read_policy(DEALT.policy, SECRETS.owner_key)
    assert (policy.record_id, policy.owner_id) == (DEALT.record.record_id, OWNER_ID)
    assert Access.of(policy) == ACCESS
    assert [one.way for one in DEALT.ways] == list(policy.ways)
    assert {one.credential_id for one in policy.devices} == {
        device.answer(DeviceQuestion(GENESIS, OWNER_ID, bytes(32))).credential_id for device in (STICK, PHONE)
    }


def test_no_record_with_a_pin_is_made_without_one() -> None:
    """Ways without are."""
    with pytest.raises(PinNeeded):
        dealt(pin=None)
    made = dealt(Access((("device",),), ACCESS.devices), None)
    assert opened(made.ways[0], NO_PIN, device_secret(made.ways[0], STICK)) == SECRETS
