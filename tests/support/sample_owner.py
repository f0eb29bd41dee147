"""One owner: the record, what it opens, whom it authorised, and every secret in between.

As in sample_documents, nothing is random. HPKE draws its ephemeral key in the library, so the sealed part was
sealed once, by `threshold.hpke.seal`, and a test opens it.
"""

from msgspec.structs import replace

from support.sample_documents import (
    ITEM_IDS,
    MANIFEST,
    NOW,
    SAFE_IDS,
    TOMBSTONE_BYTES,
    WALLET,
    draw,
    key,
    scalar,
    sealing_pair,
)
from threshold import oprf
from threshold.feldman import commit, evaluate_at
from threshold.oprf import Mode
from threshold.ristretto import Scalar
from threshold.sealing import derive_item_binding
from trust.authorisation import WalletRevocation, authorise_wallet, read_authorisation, revoke_wallet
from trust.ids import GuessId, Hash, OwnerId, OwnerKey, RecordId, WalletKey
from trust.manifest import Manifest, Ownership, sign_manifest
from trust.owner_record import (
    OwnerRecord,
    OwnerSecrets,
    RecordPlace,
    ReleasedPart,
    WaySecrets,
    seal_secrets,
    sealed_hash,
)
from trust.tombstone import OwnerTombstone, Revival, forget_owner, revive
from trust.unlock_proof import unlock_proof, unlock_tag
from wallet_client.pipeline.binding import Binding

OWNER = key("owner")
OWNER_ID = OwnerId(draw("owner id", 32))
RECORD_ID = RecordId(draw("record", 16))
GUESS_ID = GuessId(draw("guess", 16))
RECIPIENT = sealing_pair("recipient")
STRETCHED_PIN = draw("stretched PIN", 32)

UNLOCK_POLYNOMIAL = tuple(scalar(f"unlock coefficient {i}") for i in range(3))
OPRF_POLYNOMIAL = tuple(scalar(f"OPRF coefficient {i}") for i in range(3))
UNLOCK_SECRET = UNLOCK_POLYNOMIAL[0].to_bytes()
OPRF_OUTPUT = oprf.evaluate(OPRF_POLYNOMIAL[0], STRETCHED_PIN, Mode.VOPRF)

SECRETS = OwnerSecrets(OWNER.seed, draw("root", 32))
CHANGING_SECRETS = OwnerSecrets(OWNER.seed, draw("next root", 32), SECRETS.root)
SEALED_SECRETS = seal_secrets(SECRETS, WaySecrets(UNLOCK_SECRET, OPRF_OUTPUT), OWNER_ID, RECORD_ID)

RECORD = OwnerRecord(
    owner_id=OWNER_ID,
    owner_key=OwnerKey(OWNER.public),
    record_id=RECORD_ID,
    k=3,
    places=tuple(RecordPlace(x, SAFE_IDS[x - 1]) for x in range(1, 6)),
    unlock_commitments=tuple(point.to_bytes() for point in commit(UNLOCK_POLYNOMIAL)),
    oprf_commitments=tuple(point.to_bytes() for point in commit(OPRF_POLYNOMIAL)),
    sealed_hash=Hash(sealed_hash(SEALED_SECRETS)),
)


def unlock_share(x: int) -> bytes:
    """What the safe at x has of r."""
    return evaluate_at(UNLOCK_POLYNOMIAL, Scalar.from_index(x)).to_bytes()


def oprf_share(x: int) -> bytes:
    """What the safe at x has of the OPRF key."""
    return evaluate_at(OPRF_POLYNOMIAL, Scalar.from_index(x)).to_bytes()


PART = ReleasedPart(unlock_share(1), SEALED_SECRETS)
TAG = unlock_tag(OPRF_OUTPUT, SAFE_IDS[0], RECORD_ID)
UNLOCK_PROOF = unlock_proof(TAG, SAFE_IDS[0], GUESS_ID, RECIPIENT.public, RECORD_ID)
SEALED_PART = bytes.fromhex(
    """
    152410a12169e8823c984a1c6d417041847d525bbf66c10d2fa42274a1f2296b18f96dc276bfd959dbe116db
    a3c83440f697053d4f3984bea2f197cfe84607cb4bacf6a2fb8e63caabfa99942fd3e85869802bbce11794a2
    5a76aace2d2e5bad8e338dc4b95a8cbacf51891640963021da7db95f1fde24fb0ebe2a40461ab1b8dd44a40b
    e25e02d1b5af6e7ed82829fcc30f2b8a513ea253faf88b2b2496a5f2bdc97c25370fb8032f678e1d2d20a20e
    af1c8a97785b264ceb23b85fbdb018ec1e3e10f3c7edd27b1c2f8efc
    """
)
"""PART, sealed by safe 1 to RECIPIENT."""

BINDING = Binding.of_root(SECRETS.root)
ITEM_BINDING = derive_item_binding(BINDING.secret, ITEM_IDS[0])

SIGNED_AUTHORISATION = authorise_wallet(WalletKey(WALLET.public), NOW + 1, OWNER)
AUTHORISATION = read_authorisation(SIGNED_AUTHORISATION)
REVOCATION_BYTES, REVOCATION_SIGNATURE = revoke_wallet(WalletKey(WALLET.public), NOW + 2, OWNER)
REVOCATION = WalletRevocation.from_bytes(REVOCATION_BYTES)

REVIVAL_BYTES, REVIVAL_SIGNATURE = revive(TOMBSTONE_BYTES, ITEM_IDS[0], 1, NOW + 90, OWNER)
REVIVAL = Revival.from_bytes(REVIVAL_BYTES)
FORGETTING_BYTES, FORGETTING_SIGNATURE = forget_owner(OWNER_ID, NOW + 99, OWNER)
FORGETTING = OwnerTombstone.from_bytes(FORGETTING_BYTES)

OWNERSHIP = Ownership(BINDING.id, SIGNED_AUTHORISATION)
OWNED_MANIFEST: Manifest = replace(MANIFEST, ownership=OWNERSHIP)
OWNED_MANIFEST_BYTES, OWNED_MANIFEST_SIGNATURE = sign_manifest(OWNED_MANIFEST, WALLET)
