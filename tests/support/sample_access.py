"""The ways into the sample owner's record, and what a device says to open it. Nothing is random."""

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fido2.cose import ES256, CoseKey, EdDSA
from fido2.webauthn import Aaguid, AttestedCredentialData, AuthenticatorData, CollectedClientData

from support.sample_authority import DESCRIPTION
from support.sample_documents import GENESIS, NOW, SAFE_IDS, SAFE_KEYS, draw, sealing_pair
from support.sample_owner import OWNER, OWNER_ID, RECIPIENT, RECORD_ID
from trust.access_policy import PIN_ALONE, AccessPolicy, OwnersDevice, sign_policy
from trust.device_proof import (
    DeviceProof,
    SafeChallenge,
    challenge_hash,
    device_origin,
    relying_party,
    sign_challenge,
)
from trust.ids import GuessId, OwnerKey, Signature
from trust.login import Login

TOUCH_KEY = Ed25519PrivateKey.from_private_bytes(draw("key of the touch device", 32))
FINGER_KEY = ec.derive_private_key(int.from_bytes(draw("key of the finger device", 31)), ec.SECP256R1())
WRAPPING = sealing_pair("the touch device's own secret")


def _credential(name: str, key: CoseKey) -> bytes:
    return bytes(AttestedCredentialData.create(Aaguid.NONE, draw(f"credential {name}", 32), key))


TOUCH = OwnersDevice(
    credential=_credential("touch", EdDSA.from_cryptography_key(TOUCH_KEY.public_key())),  # type: ignore[no-untyped-call]
    verifies=False,
    wrapping_key=WRAPPING.public,
    label="key ring",
)
FINGER = OwnersDevice(
    credential=_credential("finger", ES256.from_cryptography_key(FINGER_KEY.public_key())),  # type: ignore[no-untyped-call]
    verifies=True,
    wrapping_key=sealing_pair("the finger device's own secret").public,
    label="telephone",
)
POLICY = AccessPolicy(
    owner_id=OWNER_ID,
    owner_key=OwnerKey(OWNER.public),
    record_id=RECORD_ID,
    made_at=NOW,
    ways=(("authority", "pin"), ("device",), PIN_ALONE),
    devices=(TOUCH, FINGER),
    authority=(DESCRIPTION.identity_key,),
    waiting_seconds=86_400,
)
SIGNED_POLICY = sign_policy(POLICY, OWNER)

CHALLENGES = tuple(
    SafeChallenge(SAFE_IDS[at], OWNER_ID, NOW * 1_000 + at, draw(f"nonce of safe {at + 1}", 32))
    for at in range(3)
)
SIGNED_CHALLENGES = tuple(
    sorted(
        (sign_challenge(challenge, SAFE_KEYS[at]) for at, challenge in enumerate(CHALLENGES)),
        key=lambda signed: signed.challenge,
    )
)
LOGIN = Login(
    owner_id=OWNER_ID,
    way=("device", "pin"),
    record_id=RECORD_ID,
    guess_id=GuessId(draw("guess of a device", 16)),
    element=draw("blinded element of a device", 32),
    recipient_key=RECIPIENT.public,
)
LOGIN_HASH = challenge_hash(SIGNED_CHALLENGES, LOGIN)
_GENESIS = GENESIS.fingerprint
_CLIENT_DATA = bytes(CollectedClientData.create("webauthn.get", LOGIN_HASH, device_origin(_GENESIS)))
_DATA = bytes(
    AuthenticatorData.create(
        sha256(relying_party(_GENESIS).encode()).digest(), AuthenticatorData.FLAG.UP, counter=7
    )
)
DEVICE_PROOF = DeviceProof(
    challenges=SIGNED_CHALLENGES,
    credential_id=draw("credential touch", 32),
    client_data=_CLIENT_DATA,
    authenticator_data=_DATA,
    signature=TOUCH_KEY.sign(_DATA + sha256(_CLIENT_DATA).digest()),
)

DOCUMENTS = {
    "owner's device": TOUCH,
    "owner's device that verifies": FINGER,
    "access policy": POLICY,
    "signed access policy": SIGNED_POLICY,
    "safe challenge": CHALLENGES[0],
    "signed safe challenge": SIGNED_CHALLENGES[0],
    "device proof": DEVICE_PROOF,
}
CHALLENGE_SIGNATURE = Signature(sign_challenge(CHALLENGES[0], SAFE_KEYS[0]).signature)
