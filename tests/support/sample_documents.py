"""One of each document, the same in every run, for tests to vary and vectors to pin.

No byte is random: what must look random is SHAKE-256 of a label, so that another implementation can
make the same documents.
"""

from datetime import date
from decimal import Decimal
from hashlib import shake_256
from typing import get_args

from msgspec.structs import replace

from support.sample_decoys import sealed_decoys
from threshold.feldman import commit
from threshold.hpke import KeyPair, derive_key_pair
from threshold.ristretto import Scalar
from trust.certificate import Certificate, sign_certificates, verify_call
from trust.digest import (
    Digest,
    DigestField,
    DigestFields,
    digest_fields_of,
    public_digest,
)
from trust.documents import SigningKey
from trust.ids import Hash, ItemId, SafeId, WalletKey
from trust.key_algorithm import KeyAlgorithm
from trust.manifest import ItemLeaf, KeyWrap, Manifest, Place, item_root, sign_manifest
from trust.piece import piece_root
from trust.policy import Division, KeyRule, PolicyTerms
from trust.request import prove_request
from trust.roster import Roster, SafeEntry, SignedRoster, sign_roster
from trust.tombstone import Tombstone, sign_deletion, sign_tombstone
from trust.value_fields import ValueFields

NOW = 1_790_000_000
"""Unix seconds at which everything here happens."""


def draw(label: str, length: int) -> bytes:
    """The bytes that stand for `length` random ones."""
    return shake_256(b"kura sample documents: " + label.encode()).digest(length)


def key(label: str) -> SigningKey:
    """The signing key of that name."""
    return SigningKey(draw(label, 32))


def sealing_pair(label: str) -> KeyPair:
    """The key pair of that name to which HPKE seals."""
    return derive_key_pair(draw(label, 32))


def scalar(label: str) -> Scalar:
    """A scalar that is never zero: 31 random bytes, little-endian, so below the group's order."""
    return Scalar.from_bytes(draw(label, 31) + b"\x00")


WALLET = key("wallet")
SAFE_IDS = tuple(SafeId(draw(f"safe {number}", 16)) for number in range(1, 6))
SAFE_KEYS = tuple(key(f"safe {number} signing") for number in range(1, 6))
SEALING_PAIRS = tuple(sealing_pair(f"safe {number} sealing") for number in range(1, 6))
OPERATORS = tuple(key(f"operator {number}") for number in range(1, 6))


def safe_entry(number: int) -> SafeEntry:
    """The entry of safe 1 to 5."""
    return SafeEntry(
        safe_id=SAFE_IDS[number - 1],
        name=f"safe-{number}",
        operator=f"Operator {number}",
        endpoint=f"safe-{number}.example:7443",
        peer_endpoint=f"safe-{number}.example:7444",
        tls_certificate=draw(f"tls certificate {number}", 90),
        signing_key=SAFE_KEYS[number - 1].public,
        sealing_key=SEALING_PAIRS[number - 1].public,
        operator_key=OPERATORS[number - 1].public,
    )


DECOY_SECRETS = tuple(draw(f"decoy secret {version}", 32) for version in (1, 2))
GENESIS = Roster(1, b"", NOW, 3, tuple(safe_entry(number) for number in range(1, 6)), sealed_decoys(1))
SUCCESSOR = Roster(2, GENESIS.fingerprint, NOW + 86_400, 3, GENESIS.safes, sealed_decoys(2))


def signed_by(roster: Roster, *operators: SigningKey) -> SignedRoster:
    """A roster with these operators' signatures."""
    return SignedRoster(roster, tuple(sign_roster(roster, operator) for operator in operators))


CHAIN = (signed_by(GENESIS, *OPERATORS), signed_by(SUCCESSOR, *OPERATORS[1:4]))

VALUE_FIELDS = ValueFields(
    item_class="ticket",
    name="Kabuki-za, 昼の部",
    unit_price=Decimal("1600.50"),
    quantity=Decimal(2),
    total_amount=Decimal("3201.00"),
    place="Tōkyō",
    valid_from=date(2026, 11, 23),
    valid_until=date(2026, 12, 31),
    remaining_amount=Decimal(0),
    remarks="row 3\nseats 4 and 5",
    held_since=NOW,
    media_type="text/plain",
    currency="JPY",
    file_name="ticket.txt",
)
"""Every field set, none to its default."""
ALL_SHOWN = digest_fields_of(VALUE_FIELDS, get_args(DigestField))
FIELDS = DigestFields("ticket", "Kabuki-za, 昼の部", "1", "2026-11-23", "2026-12-31", "Tōkyō")
TERMS = PolicyTerms("threshold", "shared-key", Division("shamir", 3, 5), KeyRule("shared", 3, 5), "public", 4)
PLACEMENT = tuple(Place(x, SAFE_IDS[x - 1], value=True, key=True) for x in range(1, 6))
ITEM_IDS = tuple(ItemId(draw(f"item {number}", 16)) for number in range(3))
SEALED_LENGTHS = (16, 1_040, 150_016)


def blob(item: int, x: int) -> bytes:
    """The value piece of one item at x: 32 random bytes and a share as long as the sealed item."""
    return draw(f"blob of item {item} at {x}", 32 + SEALED_LENGTHS[item])


def leaf(item: int) -> ItemLeaf:
    """The leaf of item 0, 1 or 2."""
    roots = tuple(piece_root(blob(item, x)) for x in range(1, 6))
    return ItemLeaf(ITEM_IDS[item], 1, "value", public_digest((FIELDS,)), SEALED_LENGTHS[item], roots)


LEAVES = tuple(leaf(item) for item in range(3))
LEAF_BYTES = tuple(item.to_bytes() for item in LEAVES)

MANIFEST = Manifest(
    wallet_key=WalletKey(WALLET.public),
    terms=TERMS,
    roster_version=GENESIS.version,
    roster_hash=GENESIS.fingerprint,
    placement=PLACEMENT,
    commitments=tuple(point.to_bytes() for point in commit([scalar(f"coefficient {i}") for i in range(3)])),
    salt=draw("salt", 32),
    created_at=NOW,
    item_count=len(LEAVES),
    item_root=item_root(LEAF_BYTES),
)
MANIFEST_BYTES, MANIFEST_SIGNATURE = sign_manifest(MANIFEST, WALLET)

ALGORITHM = KeyAlgorithm("own-hkdf", 2, "sha512", draw("algorithm salt", 16), b"own keys")
WRAPPED_TERMS = PolicyTerms(
    "own",
    "key-pair",
    Division("shamir", 3, 5),
    KeyRule("root"),
    "vacant",
    4,
    "couple-then-seal",
    "divide-then-seal",
)
KEY_ID = commit([scalar("wallet key")])[0].to_bytes()
WRAP = KeyWrap(KEY_ID, ALGORITHM.label, draw("wrapped secret", 80))
WRAPPED_MANIFEST = replace(
    MANIFEST,
    terms=WRAPPED_TERMS,
    placement=tuple(Place(x, SAFE_IDS[x - 1], value=True, key=False) for x in range(1, 6)),
    commitments=(),
    wrap=WRAP,
)
"""The same batch as far as its terms go, its secret sealed under a key that comes from the root."""


def certificate(item: int, x: int = 1, counter: int = 7) -> Certificate:
    """What the safe at x certifies of one item."""
    sample = LEAVES[item]
    return Certificate(
        SAFE_IDS[x - 1], "value", sample.digest, sample.piece_roots[x - 1], counter, sample.item_id, 1, x
    )


CERTIFICATES = tuple(certificate(item, counter=7 + item).to_bytes() for item in range(3))
CALL_SIGNATURE = sign_certificates(SAFE_IDS[0], CERTIFICATES, SAFE_KEYS[0])
SIGNED_CERTIFICATES = verify_call(SAFE_IDS[0], CERTIFICATES, CALL_SIGNATURE, SAFE_KEYS[0].public)

TOMBSTONE = Tombstone(WalletKey(WALLET.public), ITEM_IDS[0], 1, NOW + 60)
TOMBSTONE_BYTES, TOMBSTONE_SIGNATURE = sign_tombstone(TOMBSTONE, WALLET)
RECEIPT_BYTES, RECEIPT_SIGNATURE = sign_deletion(SAFE_IDS[0], TOMBSTONE_BYTES, NOW + 61, SAFE_KEYS[0])

METHOD = "/kura.safe.v1.SafeService/Fetch"
REQUEST_BODY = b"the exact bytes of a request message"
NONCE = draw("nonce", 16)
PROOF = prove_request(WALLET, METHOD, SAFE_IDS[0], REQUEST_BODY, NOW * 1_000, NONCE)


SEALED = Digest("sealed", draw("sealed digest", 60))


def hash_of(label: str) -> Hash:
    """A hash of nothing that is known."""
    return Hash(draw(label, 32))
