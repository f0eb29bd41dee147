"""What holds for every document: it reads back, and no byte of it can be changed unnoticed."""

import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.every_document import DOCUMENTS, SIGNED, SignedSample
from support.messagepack import longer_forms, pack, plain
from support.sample_documents import (
    CERTIFICATES,
    CHAIN,
    GENESIS,
    LEAF_BYTES,
    MANIFEST,
    METHOD,
    PROOF,
    RECEIPT_BYTES,
    REQUEST_BODY,
    SAFE_IDS,
    SAFE_KEYS,
    SIGNED_CERTIFICATES,
    TOMBSTONE_BYTES,
)
from support.sample_owner import (
    FORGETTING_BYTES,
    FORGETTING_SIGNATURE,
    OWNED_MANIFEST_BYTES,
    OWNED_MANIFEST_SIGNATURE,
    REVIVAL_BYTES,
    REVIVAL_SIGNATURE,
    REVOCATION_BYTES,
    REVOCATION_SIGNATURE,
    SIGNED_AUTHORISATION,
)
from trust.authorisation import (
    SignedAuthorisation,
    WalletAuthorisation,
    WalletRevocation,
    read_authorisation,
    read_revocation,
)
from trust.certificate import Certificate, SignedCertificate, verify_call, verify_certificate
from trust.digest import (
    VACANT,
    Digest,
    DigestEntries,
    DigestField,
    DigestFields,
    digest_fields_of,
    public_digest,
)
from trust.documents import Document, verify
from trust.errors import DocumentMalformed, PieceRootMismatch, RosterRefused, TrustError
from trust.ids import Hash, ItemId, OwnerId, OwnerKey, RecordId, SafeId, Signature, WalletKey
from trust.key_algorithm import KeyAlgorithm
from trust.manifest import ItemLeaf, KeyWrap, Manifest, Ownership, Place, read_leaves, read_manifest
from trust.owner_record import OwnerRecord, OwnerSecrets, RecordPlace, ReleasedPart
from trust.piece import BLOCK_BYTES, BlockChecker, block_hashes, piece_root
from trust.policy import Division, KeyRule, PolicyTerms
from trust.request import RequestProof, verify_request
from trust.roster import Roster, SignedRoster, verify_chain
from trust.roster_file import read_roster, write_roster
from trust.tombstone import (
    DeletionReceipt,
    OwnerTombstone,
    Revival,
    Tombstone,
    read_deletion,
    read_owner_tombstone,
    read_revival,
    read_tombstone,
)
from trust.value_fields import HELD_SINCE_MAX_SECONDS, ValueFields, read_head, write_head

EXAMPLES = 150
steady = settings(derandomize=True, deadline=None, max_examples=EXAMPLES)

positions = st.integers(min_value=0)
flips = st.integers(1, 255)
times = st.integers(0, 2**40)
xs = st.integers(1, 255)
generations = st.integers(1, 2**32 - 1)
hashes = st.binary(min_size=32, max_size=32).map(Hash)
item_ids = st.binary(min_size=16, max_size=16).map(ItemId)
safe_ids = st.binary(min_size=16, max_size=16).map(SafeId)
wallet_keys = st.binary(min_size=32, max_size=32).map(WalletKey)
owner_keys = st.binary(min_size=32, max_size=32).map(OwnerKey)
secrets_32 = st.binary(min_size=32, max_size=32)
signatures = st.binary(min_size=64, max_size=64).map(Signature)
kinds = st.sampled_from(["value", "key"])


def words(most: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="utf-8"), max_size=most)


digest_fields = st.builds(
    DigestFields,
    words(64),
    words(1000),
    words(30),
    words(10),
    words(10),
    words(1000),
    *[words(30)] * 3,
    words(3),
    words(255),
    words(1000),
    words(12),
)
amounts = st.none() | st.decimals(0, 10**9, places=2)
days = st.lists(st.dates(), min_size=2, max_size=2).map(sorted)
value_fields = st.builds(
    lambda validity, **fields: ValueFields(valid_from=validity[0], valid_until=validity[1], **fields),
    days | st.just((None, None)),
    item_class=st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True),
    name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=1000),
    **dict.fromkeys(("unit_price", "quantity", "total_amount", "remaining_amount"), amounts),
    **dict.fromkeys(("place", "remarks", "file_name"), words(1000)),
    held_since=st.integers(0, HELD_SINCE_MAX_SECONDS),
    currency=st.none() | st.from_regex(r"[A-Z]{3}", fullmatch=True),
)
entries = st.lists(digest_fields, min_size=1, max_size=3).map(lambda shown: DigestEntries(tuple(shown)))
digests = st.one_of(
    st.just(VACANT),
    entries.map(lambda shown: public_digest(shown.entries)),
    st.binary(min_size=1, max_size=400).map(lambda content: Digest("sealed", content)),
)
k_and_n = st.tuples(xs, xs).map(sorted)
divisions = st.builds(
    lambda scheme, kn: Division(scheme, *kn), st.sampled_from(["shamir", "compact"]), k_and_n
)
shared_rules = st.builds(
    lambda mode, kn: KeyRule(mode, *kn), st.sampled_from(["shared", "kept-and-shared"]), k_and_n
)
key_rules = st.one_of(st.sampled_from([KeyRule("kept"), KeyRule("root")]), shared_rules)
modes = st.sampled_from(["public", "sealed", "vacant"])
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64)
couplings = st.sampled_from(
    [
        ("single", "seal-then-divide"),
        ("single", "divide-then-seal"),
        ("couple-then-seal", "seal-then-divide"),
        ("couple-then-seal", "divide-then-seal"),
        ("seal-then-couple", "seal-then-divide"),
    ]
)
sealed_terms = st.builds(
    lambda name, sealing, value, key, digest, quorum, coupling: PolicyTerms(
        name, sealing, value, key, digest, quorum, *coupling
    ),
    names,
    st.sampled_from(["shared-key", "key-pair"]),
    divisions,
    key_rules,
    modes,
    xs,
    couplings,
)
unsealed_terms = st.builds(
    PolicyTerms,
    names,
    st.just("none"),
    k_and_n.map(lambda kn: Division("shamir", *kn)),
    st.just(KeyRule("none")),
    modes,
    xs,
    st.sampled_from(["single", "couple-then-seal"]),
)
terms = st.one_of(sealed_terms, unsealed_terms)


authorisations = st.builds(WalletAuthorisation, owner_keys, wallet_keys, times)
signed_authorisations = st.builds(
    SignedAuthorisation, authorisations.map(Document.to_bytes) | st.binary(max_size=200), signatures
)
ownerships = st.builds(Ownership, st.binary(min_size=16, max_size=16), signed_authorisations)


@st.composite
def owner_records(draw: st.DrawFn) -> OwnerRecord:
    """Any record that k parts could open; what stands for points need not be any."""
    xs_of_parts = draw(st.sets(xs, min_size=1, max_size=8))
    safes = draw(st.sets(safe_ids, min_size=len(xs_of_parts), max_size=len(xs_of_parts)))
    k = draw(st.integers(1, len(xs_of_parts)))
    places = tuple(RecordPlace(x, safe_id) for x, safe_id in zip(xs_of_parts, safes, strict=True))
    unlock, evaluation = [draw(st.lists(hashes, min_size=k, max_size=k).map(tuple)) for _ in range(2)]
    return OwnerRecord(
        draw(hashes.map(OwnerId)),
        draw(owner_keys),
        draw(st.binary(min_size=16, max_size=16).map(RecordId)),
        k,
        places,
        unlock,
        evaluation,
        draw(hashes),
    )


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Any manifest that its terms allow."""
    agreed = draw(terms)
    room = min(8, agreed.value.n)
    where = sorted(draw(st.sets(st.integers(1, agreed.value.n), max_size=room)))
    placement = tuple(
        Place(x, draw(safe_ids), value=True, key=position < agreed.key.n and draw(st.booleans()))
        for position, x in enumerate(where)
    )
    commitments = tuple(draw(hashes) if i < 3 else bytes(32) for i in range(agreed.key.k))
    wrap = KeyWrap(
        key_id=commitments[0] if commitments else draw(hashes),
        algorithm=draw(names) if agreed.key.mode == "root" else "",
        sealed=draw(st.binary(min_size=48, max_size=80)),
    )
    return Manifest(
        draw(wallet_keys),
        agreed,
        draw(st.integers(1, 2**64 - 1)),
        draw(hashes),
        placement,
        commitments,
        draw(hashes),
        draw(times),
        draw(st.integers(1, 1_000)),
        draw(hashes),
        wrap if agreed.is_wrapped else None,
        draw(st.one_of(st.none(), ownerships)),
    )


key_algorithms = st.builds(
    KeyAlgorithm,
    st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,63}\Z"),
    st.integers(1, 65_535),
    st.sampled_from(["sha256", "sha512"]),
    st.binary(max_size=64),
    st.binary(min_size=1, max_size=255),
)
leaves = st.builds(
    ItemLeaf,
    item_ids,
    generations,
    kinds,
    digests,
    st.integers(0, 2**36 - 64),
    st.lists(hashes, max_size=8).map(tuple),
)
certificates = st.builds(
    Certificate, safe_ids, kinds, digests, hashes, st.integers(0, 2**63 - 1), item_ids, generations, xs
)
signed_certificates = st.builds(
    SignedCertificate,
    st.binary(max_size=300),
    st.integers(0, 2**64 - 1),
    st.integers(1, 2**64 - 1),
    st.lists(hashes, max_size=64).map(tuple),
    hashes,
    signatures,
)
documents = st.one_of(
    value_fields,
    digest_fields,
    entries,
    digests,
    terms,
    manifests(),
    key_algorithms,
    leaves,
    certificates,
    signed_certificates,
    st.builds(Tombstone, wallet_keys, item_ids, generations, times),
    st.builds(DeletionReceipt, safe_ids, hashes, times),
    st.builds(
        RequestProof,
        wallet_keys,
        st.integers(0, 2**53),
        st.binary(min_size=16, max_size=16),
        signatures,
    ),
    owner_records(),
    st.builds(OwnerSecrets, secrets_32, secrets_32, secrets_32),
    st.builds(ReleasedPart, secrets_32, st.binary(min_size=119, max_size=119)),
    authorisations,
    signed_authorisations,
    ownerships,
    st.builds(WalletRevocation, owner_keys, wallet_keys, times),
    st.builds(Revival, owner_keys, item_ids, generations, hashes, times),
    st.builds(OwnerTombstone, hashes.map(OwnerId), owner_keys, times),
)


@steady
@given(documents)
def test_every_document_reads_back(document: Document) -> None:
    """And is written as the specification of MessagePack says."""
    data = document.to_bytes()
    assert type(document).from_bytes(data) == document
    assert pack(plain(document)) == data


@steady
@given(documents, st.data())
def test_no_document_has_a_second_encoding(document: Document, data: st.DataObject) -> None:
    """Any longer form of any element is refused."""
    forms = list(longer_forms(plain(document)))
    with pytest.raises(DocumentMalformed):
        type(document).from_bytes(data.draw(st.sampled_from(forms)))


@steady
@given(value_fields, st.binary(max_size=300), st.lists(st.sampled_from(get_args(DigestField))))
def test_whoever_has_the_first_bytes_of_a_value_makes_the_same_digest(
    fields: ValueFields, payload: bytes, shown: list[DigestField]
) -> None:
    """The safe, from what it was given, as the wallet from what it has; a byte less and there is none."""
    head = write_head(fields)
    read = read_head((head + payload)[: len(head) + len(payload) // 2])
    digest = public_digest((digest_fields_of(read, shown),))
    assert digest == public_digest((digest_fields_of(fields, shown),))
    assert Digest.from_bytes(digest.to_bytes()) == digest
    with pytest.raises(DocumentMalformed):
        read_head(head[:-1])


def read_again(document: Document, data: bytes) -> bytes | None:
    """What a document of that type read from `data` would write, or None when it is refused."""
    try:
        return type(document).from_bytes(data).to_bytes()
    except DocumentMalformed:
        return None


@steady
@given(st.sampled_from(list(DOCUMENTS.values())), st.binary(max_size=300))
def test_noise_is_refused_by_one_error(document: Document, noise: bytes) -> None:
    """Whatever the bytes: DocumentMalformed, or a document that writes the same bytes."""
    assert read_again(document, noise) in (None, noise)


@steady
@given(st.sampled_from(list(DOCUMENTS.values())), positions, st.binary(min_size=1, max_size=9), st.booleans())
def test_a_spoilt_document_is_refused_by_one_error(
    document: Document, position: int, noise: bytes, insert: bool
) -> None:
    """Bytes written over it or pushed into it."""
    data = document.to_bytes()
    at = position % (len(data) + 1)
    spoilt = data[:at] + noise + data[at if insert else at + len(noise) :]
    assert read_again(document, spoilt) in (None, spoilt)


def change(data: bytes, position: int, flip: int) -> bytes:
    """The bytes with one of them changed."""
    at = position % len(data)
    return data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]


def some_changes(data: bytes, label: str) -> Iterator[tuple[int, int]]:
    """Seeded positions and flips, as many as hypothesis would try: two numbers need none of its craft."""
    rng = random.Random(label)
    return ((rng.randrange(len(data)), rng.randint(1, 255)) for _ in range(EXAMPLES))


def read_and_verify(sample: SignedSample, body: bytes, signature: bytes) -> None:
    document = type(sample.document).from_bytes(body)
    verify(document.title, sample.signer.public, body, signature)


@pytest.mark.parametrize("title", SIGNED)
def test_a_signed_document_with_one_byte_changed_is_refused(title: str) -> None:
    """Anywhere in the document, and anywhere in the signature."""
    sample = SIGNED[title]
    body = sample.document.to_bytes()
    for position, flip in some_changes(body, title):
        with pytest.raises(TrustError):
            read_and_verify(sample, change(body, position, flip), sample.signature)
    for position, flip in some_changes(sample.signature, title):
        with pytest.raises(TrustError):
            read_and_verify(sample, body, change(sample.signature, position, flip))


WHOLE: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "signed certificate": (
        SIGNED_CERTIFICATES[1].to_bytes(),
        lambda data: verify_certificate(SignedCertificate.from_bytes(data), SAFE_KEYS[0].public),
    ),
    "request proof": (
        PROOF.to_bytes(),
        lambda data: verify_request(RequestProof.from_bytes(data), METHOD, SAFE_IDS[0], REQUEST_BODY),
    ),
    "request body": (REQUEST_BODY, lambda data: verify_request(PROOF, METHOD, SAFE_IDS[0], data)),
    "signed roster": (
        CHAIN[0].to_bytes(),
        lambda data: verify_chain([SignedRoster.from_bytes(data)], GENESIS.fingerprint),
    ),
    "newer roster": (
        CHAIN[1].to_bytes(),
        lambda data: verify_chain([CHAIN[0], SignedRoster.from_bytes(data)], GENESIS.fingerprint),
    ),
    "manifest": (
        MANIFEST.to_bytes(),
        lambda data: read_manifest(data, SIGNED["manifest"].signature),
    ),
    "manifest of an owner": (
        OWNED_MANIFEST_BYTES,
        lambda data: read_manifest(data, OWNED_MANIFEST_SIGNATURE),
    ),
    "wallet authorisation": (
        SIGNED_AUTHORISATION.to_bytes(),
        lambda data: read_authorisation(SignedAuthorisation.from_bytes(data)),
    ),
    "wallet revocation": (REVOCATION_BYTES, lambda data: read_revocation(data, REVOCATION_SIGNATURE)),
    "tombstone": (
        TOMBSTONE_BYTES,
        lambda data: read_tombstone(data, SIGNED["tombstone"].signature),
    ),
    "revival": (REVIVAL_BYTES, lambda data: read_revival(data, REVIVAL_SIGNATURE)),
    "owner tombstone": (
        FORGETTING_BYTES,
        lambda data: read_owner_tombstone(data, FORGETTING_SIGNATURE),
    ),
    "deletion receipt": (
        RECEIPT_BYTES,
        lambda data: read_deletion(
            data, SIGNED["deletion receipt"].signature, SAFE_IDS[0], SAFE_KEYS[0].public, TOMBSTONE_BYTES
        ),
    ),
    "leaf": (LEAF_BYTES[1], lambda data: read_leaves(MANIFEST, [LEAF_BYTES[0], data, LEAF_BYTES[2]])),
    "certificate of a call": (
        CERTIFICATES[1],
        lambda data: verify_call(
            SAFE_IDS[0],
            [CERTIFICATES[0], data, CERTIFICATES[2]],
            SIGNED["certificates"].signature,
            SAFE_KEYS[0].public,
        ),
    ),
}
"""Bytes as they travel, and what their reader does with them."""


@pytest.mark.parametrize(("data", "read"), WHOLE.values(), ids=WHOLE.keys())
def test_what_travels_is_refused_with_any_byte_changed(data: bytes, read: Callable[[bytes], object]) -> None:
    """Every byte there is, with its lowest and with its highest bit turned."""
    read(data)
    for position in range(len(data)):
        for flip in (0x01, 0x80):
            with pytest.raises(TrustError):
                read(change(data, position, flip))


@pytest.mark.parametrize("title", WHOLE)
def test_what_travels_is_refused_with_any_byte_changed_in_any_way(title: str) -> None:
    """Any other value of any byte."""
    data, read = WHOLE[title]
    for position, flip in some_changes(data, title):
        with pytest.raises(TrustError):
            read(change(data, position, flip))


@steady
@given(st.permutations(range(3)))
def test_leaves_in_any_other_order_are_refused(order: list[int]) -> None:
    """The root fixes the order."""
    given_leaves = [LEAF_BYTES[number] for number in order]
    if order == [0, 1, 2]:
        assert [leaf.to_bytes() for leaf in read_leaves(MANIFEST, given_leaves)] == given_leaves
    else:
        with pytest.raises(DocumentMalformed):
            read_leaves(MANIFEST, given_leaves)


ROSTER_TEXT = write_roster(CHAIN)


def believed(text: bytes) -> Roster | None:
    """The newest version a file proves, or None when it is refused."""
    try:
        return verify_chain(read_roster(text), GENESIS.fingerprint)
    except RosterRefused:
        return None


@steady
@given(positions, flips)
def test_a_roster_file_with_one_byte_changed_says_the_same_or_is_refused(position: int, flip: int) -> None:
    """White space and case may change; what is believed may not."""
    assert believed(change(ROSTER_TEXT, position, flip)) in (None, CHAIN[1].roster)


@steady
@given(st.binary(max_size=200))
def test_noise_is_no_roster(noise: bytes) -> None:
    """By one error, whatever the bytes."""
    with pytest.raises(RosterRefused):
        read_roster(noise)


@steady
@given(st.integers(0, 3 * BLOCK_BYTES), st.lists(st.integers(1, 3), min_size=1, max_size=4), st.data())
def test_a_stream_cut_in_any_chunks_of_whole_blocks_is_the_blob(
    length: int, cuts: list[int], data: st.DataObject
) -> None:
    """And with one byte changed its block is named."""
    blob = bytes(length)
    ends = [0]
    while ends[-1] < length:
        ends.append(min(length, ends[-1] + cuts[len(ends) % len(cuts)] * BLOCK_BYTES))
    feed(blob, blob, ends)
    if length:
        where = data.draw(st.integers(0, length - 1))
        with pytest.raises(PieceRootMismatch) as caught:
            feed(blob, change(blob, where, 1), ends)
        assert caught.value.block == where // BLOCK_BYTES


def feed(announced: bytes, blob: bytes, ends: list[int]) -> None:
    """Give one blob, in chunks that end there, to whoever expects another."""
    stream = BlockChecker(block_hashes(announced), len(announced), piece_root(announced))
    for start, end in pairwise(ends):
        stream.check(blob[start:end])
    stream.finish()
