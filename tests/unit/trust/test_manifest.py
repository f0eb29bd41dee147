"""A manifest speaks for its leaves and pieces, and for no others."""

from typing import Any

import msgspec
import pytest

from support.messagepack import pack, plain
from support.sample_documents import (
    ITEM_IDS,
    LEAF_BYTES,
    LEAVES,
    MANIFEST,
    MANIFEST_BYTES,
    MANIFEST_SIGNATURE,
    PLACEMENT,
    SAFE_IDS,
    SEALED,
    TERMS,
    WALLET,
    blob,
    draw,
    hash_of,
    key,
)
from trust.digest import VACANT
from trust.documents import DocumentProblem
from trust.errors import DocumentMalformed, SignatureInvalid
from trust.ids import ItemId, SafeId, WalletKey
from trust.manifest import (
    ItemLeaf,
    KeyWrap,
    Manifest,
    Place,
    check_leaf,
    item_root,
    read_leaves,
    read_manifest,
    sign_manifest,
)
from trust.piece import key_piece_hash, piece_root
from trust.policy import Division, KeyRule, PolicyTerms

APART = (
    Place(1, SAFE_IDS[0], value=True, key=False),
    Place(2, SAFE_IDS[1], value=False, key=True),
    Place(3, SAFE_IDS[0], value=True, key=True),
    Place(200, SAFE_IDS[2], value=False, key=True),
)
"""Values at one safe, keys at others, and once both."""


def changed(**fields: Any) -> Manifest:
    """The sample manifest, built anew with other fields."""
    return msgspec.structs.replace(MANIFEST, **fields)


def over(*leaves: ItemLeaf) -> tuple[Manifest, list[bytes]]:
    """A manifest over these leaves, and their bytes."""
    data = [leaf.to_bytes() for leaf in leaves]
    return changed(item_count=len(data), item_root=item_root(data)), data


def test_a_signed_manifest_is_read() -> None:
    """Exactly as it was signed."""
    assert read_manifest(MANIFEST_BYTES, MANIFEST_SIGNATURE) == MANIFEST


def test_only_the_wallet_it_names_can_sign_a_manifest() -> None:
    """A stranger's signature does not hold, nor does the wallet's over another manifest."""
    body, signature = sign_manifest(MANIFEST, key("stranger"))
    with pytest.raises(SignatureInvalid):
        read_manifest(body, signature)
    with pytest.raises(SignatureInvalid):
        read_manifest(changed(created_at=MANIFEST.created_at + 1).to_bytes(), MANIFEST_SIGNATURE)


def test_a_manifest_cannot_be_claimed_by_another_wallet() -> None:
    """Naming one's own key over the same content needs one's own signature."""
    stolen = changed(wallet_key=WalletKey(key("stranger").public))
    with pytest.raises(SignatureInvalid):
        read_manifest(stolen.to_bytes(), MANIFEST_SIGNATURE)
    with pytest.raises(SignatureInvalid):
        read_manifest(*sign_manifest(stolen, WALLET))


def test_what_does_not_parse_is_refused_before_its_signature() -> None:
    """The error is about the document then."""
    with pytest.raises(DocumentMalformed):
        read_manifest(MANIFEST_BYTES[:-1], MANIFEST_SIGNATURE)


def test_a_place_for_nothing_is_refused() -> None:
    """Neither a value share nor a key share."""
    with pytest.raises(DocumentProblem, match="nothing is placed here"):
        Place(1, SAFE_IDS[0], value=False, key=False)
    with pytest.raises(DocumentMalformed, match="nothing is placed here"):
        Place.from_bytes(pack([1, SAFE_IDS[0], False, False]))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"placement": PLACEMENT[::-1]}, "placement: share indices must rise"),
        ({"placement": (*PLACEMENT[:4], PLACEMENT[3])}, "placement: share indices must rise"),
        ({"placement": (*PLACEMENT, Place(6, SAFE_IDS[0], True, False))}, "more shares placed than made"),
        ({"placement": (*PLACEMENT, Place(6, SAFE_IDS[0], False, True))}, "more shares placed than made"),
        ({"commitments": MANIFEST.commitments[:2]}, "commitments: do not fit"),
        ({"commitments": (*MANIFEST.commitments, bytes(32))}, "commitments: do not fit"),
        ({"commitments": ()}, "commitments: do not fit"),
    ],
    ids=[
        "falling-indices",
        "index-twice",
        "value-share-too-many",
        "key-share-too-many",
        "commitment-missing",
        "commitment-too-many",
        "no-commitment",
    ],
)
def test_a_manifest_that_contradicts_its_terms_is_refused(fields: dict[str, Any], says: str) -> None:
    """When it is built and when it is read."""
    with pytest.raises(DocumentProblem, match=says):
        changed(**fields)
    elements = plain(MANIFEST)
    assert isinstance(elements, list)
    names = Manifest.__struct_fields__
    data = [
        plain(fields[name]) if name in fields else element
        for name, element in zip(names, elements, strict=True)
    ]
    with pytest.raises(DocumentMalformed, match=says):
        Manifest.from_bytes(pack(data))


def terms(sealing: Any, key: KeyRule) -> PolicyTerms:
    """Terms that seal so."""
    return PolicyTerms("any", sealing, Division("shamir", 3, 5), key, "public", 4)


SHARED, BOTH = KeyRule("shared", 3, 5), KeyRule("kept-and-shared", 3, 5)
UNSEALED, KEPT = terms("none", KeyRule("none")), terms("shared-key", KeyRule("kept"))
ROOT, DEALT = terms("shared-key", KeyRule("root")), terms("shared-key", SHARED)
PAIR, KEPT_AND_DEALT = terms("key-pair", SHARED), terms("shared-key", BOTH)
VALUES_ONLY = tuple(Place(place.x, place.safe_id, True, False) for place in PLACEMENT)
OWN = KeyWrap(MANIFEST.commitments[0], "", bytes(48))
"""Under the key whose shares are dealt, if any are."""
DERIVED = KeyWrap(MANIFEST.commitments[0], "kura-hkdf/1", bytes(48))


@pytest.mark.parametrize(
    ("agreed", "wrap"), [(KEPT, OWN), (ROOT, DERIVED), (UNSEALED, None)], ids=["kept", "root", "none"]
)
def test_a_key_that_is_not_shared_has_no_key_places(agreed: PolicyTerms, wrap: KeyWrap | None) -> None:
    """And no commitments."""
    fields = {"terms": agreed, "placement": VALUES_ONLY, "wrap": wrap}
    fits = changed(**fields, commitments=())
    assert Manifest.from_bytes(fits.to_bytes()).key_places() == ()
    with pytest.raises(DocumentProblem, match="commitments"):
        changed(**fields, commitments=MANIFEST.commitments[:1])
    with pytest.raises(DocumentProblem, match="more shares placed than made"):
        changed(terms=agreed, wrap=wrap, commitments=())


@pytest.mark.parametrize(
    ("agreed", "wrap", "says"),
    [
        (KEPT, None, "wrap: does not fit the sealing and the key"),
        (ROOT, None, "wrap: does not fit the sealing and the key"),
        (PAIR, None, "wrap: does not fit the sealing and the key"),
        (KEPT_AND_DEALT, None, "wrap: does not fit the sealing and the key"),
        (DEALT, OWN, "wrap: does not fit the sealing and the key"),
        (UNSEALED, OWN, "wrap: does not fit the sealing and the key"),
        (KEPT, DERIVED, "an algorithm without a root"),
        (PAIR, DERIVED, "an algorithm without a root"),
        (ROOT, OWN, "a root without an algorithm"),
        (PAIR, KeyWrap(bytes(32), "", bytes(80)), "is under another key than the one dealt"),
        (KEPT_AND_DEALT, KeyWrap(bytes(32), "", bytes(48)), "is under another key than the one dealt"),
    ],
)
def test_a_wrap_that_does_not_fit_the_terms_is_refused(
    agreed: PolicyTerms, wrap: KeyWrap | None, says: str
) -> None:
    """Where none should be, where one is missing, and under another key than it says."""
    is_dealt = agreed.key.is_shared
    with pytest.raises(DocumentProblem, match=says):
        changed(
            terms=agreed,
            placement=PLACEMENT if is_dealt else VALUES_ONLY,
            commitments=MANIFEST.commitments if is_dealt else (),
            wrap=wrap,
        )


@pytest.mark.parametrize(("agreed", "sealed"), [(PAIR, 80), (KEPT_AND_DEALT, 48)], ids=["pair", "kept"])
def test_a_wrap_under_the_key_that_is_dealt_is_read(agreed: PolicyTerms, sealed: int) -> None:
    """Its key id is the first commitment."""
    manifest = changed(terms=agreed, wrap=KeyWrap(MANIFEST.commitments[0], "", bytes(sealed)))
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest


@pytest.mark.parametrize("length", [0, 47, 81])
def test_a_wrap_of_another_length_is_none(length: int) -> None:
    """48 bytes under a shared key, 80 to a pair."""
    with pytest.raises(DocumentMalformed):
        KeyWrap.from_bytes(pack([bytes(32), "", bytes(length)]))


def test_a_value_share_beyond_n_is_none() -> None:
    """Key shares alone may stand behind the value's."""
    value = Division("shamir", 3, 4)
    behind = (*PLACEMENT[:4], Place(200, SAFE_IDS[4], value=False, key=True))
    fits = msgspec.structs.replace(TERMS, value=value)
    assert changed(terms=fits, placement=behind).places_at(SAFE_IDS[4])[0].x == 200
    with pytest.raises(DocumentProblem, match="value shares stand at 1 to n"):
        changed(terms=fits, placement=(*PLACEMENT[:3], PLACEMENT[4]))


def test_fewer_shares_may_be_placed_than_made() -> None:
    """Some pieces may stay in the wallet [C7]."""
    assert len(changed(placement=PLACEMENT[:2]).value_places()) == 2


def test_places_are_told_apart_by_what_they_keep_and_where() -> None:
    """Values, keys, and all of one safe, each in the order of x."""
    manifest = changed(placement=APART)
    assert [place.x for place in manifest.value_places()] == [1, 3]
    assert [place.x for place in manifest.key_places()] == [2, 3, 200]
    assert [place.x for place in manifest.places_at(SAFE_IDS[0])] == [1, 3]
    assert manifest.places_at(SafeId(bytes(16))) == ()


def test_the_hash_of_a_piece_is_its_root_or_the_key_pieces_hash() -> None:
    """The root where a value share is, alone or with a key share; else the key piece's hash."""
    manifest = changed(placement=APART)
    leaf = msgspec.structs.replace(LEAVES[0], piece_roots=(hash_of("root 1"), hash_of("root 3")))
    assert manifest.piece_hash(leaf, 1) == hash_of("root 1")
    assert manifest.piece_hash(leaf, 3) == hash_of("root 3")
    for x in (2, 200):
        expected = key_piece_hash(leaf.item_id, leaf.generation, x, manifest.commitments[0])
        assert manifest.piece_hash(leaf, x) == expected


@pytest.mark.parametrize("x", [0, 4, 255])
def test_nothing_is_kept_where_nothing_is_placed(x: int) -> None:
    """An index outside the placement has no hash."""
    with pytest.raises(KeyError):
        changed(placement=APART).piece_hash(LEAVES[0], x)


def test_places_are_worked_out_once() -> None:
    """A thousand leaves ask the same manifest: the answer is kept, not made again."""
    manifest = changed(placement=APART)
    assert manifest.value_places() is manifest.value_places()
    assert changed(placement=PLACEMENT).value_places() == PLACEMENT


def test_the_leaves_roots_are_those_of_the_pieces() -> None:
    """What the wallet signed is what a safe computes from the bytes it got."""
    for item, leaf in enumerate(LEAVES):
        for place in PLACEMENT:
            assert MANIFEST.piece_hash(leaf, place.x) == piece_root(blob(item, place.x))


def test_leaves_are_read_against_their_manifest() -> None:
    """In order, all of them."""
    assert read_leaves(MANIFEST, LEAF_BYTES) == LEAVES


def other_leaf() -> bytes:
    return msgspec.structs.replace(LEAVES[1], sealed_length=1_041).to_bytes()


@pytest.mark.parametrize(
    "leaves",
    [
        [],
        LEAF_BYTES[:2],
        [*LEAF_BYTES, LEAF_BYTES[0]],
        [LEAF_BYTES[1], LEAF_BYTES[0], LEAF_BYTES[2]],
        [LEAF_BYTES[0], other_leaf(), LEAF_BYTES[2]],
        [LEAF_BYTES[0], LEAF_BYTES[1], LEAF_BYTES[2] + b"\x00"],
        [LEAF_BYTES[0] + LEAF_BYTES[1], LEAF_BYTES[2], b""],
    ],
    ids=["none", "one-missing", "one-more", "order", "one-changed", "trailing-byte", "joined"],
)
def test_leaves_that_are_not_the_manifests_are_refused(leaves: list[bytes]) -> None:
    """Any leaf more, fewer, changed or elsewhere changes the root or the count."""
    with pytest.raises(DocumentMalformed, match="not those the manifest names"):
        read_leaves(MANIFEST, leaves)


@pytest.mark.parametrize("count", [1, 2, 4, 1_000])
def test_a_manifest_that_counts_other_than_its_leaves_is_refused(count: int) -> None:
    """Though its root is theirs."""
    with pytest.raises(DocumentMalformed, match="not those the manifest names"):
        read_leaves(changed(item_count=count), LEAF_BYTES)


def test_a_tree_node_is_no_leaf() -> None:
    """Two leaves' joined hashes, given as one leaf, lead to another root (RFC 9162 section 2.1)."""
    manifest, data = over(LEAVES[0], LEAVES[1])
    forged = changed(item_count=1, item_root=manifest.item_root)
    with pytest.raises(DocumentMalformed, match="not those the manifest names"):
        read_leaves(forged, [item_root(data[:1]) + item_root(data[1:])])


def test_a_leaf_that_does_not_parse_is_refused_though_the_root_covers_it() -> None:
    """A wallet's signature makes no document of garbage."""
    garbage = [b"\xc1"]
    manifest = changed(item_count=1, item_root=item_root(garbage))
    with pytest.raises(DocumentMalformed, match="not MessagePack"):
        read_leaves(manifest, garbage)


def test_an_item_may_not_stand_twice_in_one_batch() -> None:
    """Not even in two generations: which one counted would be chance."""
    twice = msgspec.structs.replace(LEAVES[1], item_id=ITEM_IDS[0], generation=2)
    manifest, data = over(LEAVES[0], twice, LEAVES[2])
    with pytest.raises(DocumentMalformed, match="an item stands twice") as caught:
        read_leaves(manifest, data)
    assert caught.value.field == "item_id"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"piece_roots": ()}, "piece_roots"),
        ({"piece_roots": LEAVES[0].piece_roots[:4]}, "piece_roots"),
        ({"piece_roots": (*LEAVES[0].piece_roots, hash_of("one more"))}, "piece_roots"),
        ({"digest": VACANT}, "digest"),
        ({"digest": SEALED}, "digest"),
    ],
    ids=["no-roots", "root-missing", "root-too-many", "vacant-digest", "sealed-digest"],
)
def test_a_leaf_that_does_not_fit_the_terms_is_refused(fields: dict[str, Any], field: str) -> None:
    """By itself and among the others, and the field is named."""
    leaf = msgspec.structs.replace(LEAVES[0], **fields)
    manifest, data = over(leaf, LEAVES[1])
    for attempt in (lambda: check_leaf(manifest, leaf), lambda: read_leaves(manifest, data)):
        with pytest.raises(DocumentMalformed) as caught:
            attempt()
        assert (caught.value.document, caught.value.field) == ("item leaf", field)


def test_a_thousand_leaves_are_read() -> None:
    """The most a batch may hold."""
    leaves = [
        ItemLeaf(
            item_id=ItemId(number.to_bytes(16, "big")),
            generation=1,
            kind="value",
            digest=VACANT,
            sealed_length=0,
            piece_roots=LEAVES[0].piece_roots,
        )
        for number in range(1_000)
    ]
    data = [leaf.to_bytes() for leaf in leaves]
    terms = msgspec.structs.replace(TERMS, digest="vacant")
    manifest = changed(terms=terms, item_count=1_000, item_root=item_root(data))
    assert read_leaves(manifest, data) == tuple(leaves)


def test_a_salt_is_part_of_what_is_signed() -> None:
    """Like every field: another salt, another manifest."""
    assert changed(salt=draw("other salt", 32)).to_bytes() != MANIFEST_BYTES
