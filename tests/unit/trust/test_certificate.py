"""A certificate proves itself alone and offline, and certifies one piece at one safe."""

from typing import Any

import msgspec
import pytest

from support.messagepack import pack, plain
from support.sample_documents import (
    CALL_SIGNATURE,
    CERTIFICATES,
    ITEM_IDS,
    SAFE_IDS,
    SAFE_KEYS,
    SEALED,
    SIGNED_CERTIFICATES,
    certificate,
    hash_of,
)
from threshold import merkle
from trust.certificate import (
    COUNTER_LIMIT,
    Certificate,
    CertificateHead,
    SignedCertificate,
    check_certificate,
    sign_certificates,
    verify_call,
    verify_certificate,
)
from trust.errors import CertificateMismatch, DocumentMalformed, SignatureInvalid

SAFE, KEY = SAFE_IDS[0], SAFE_KEYS[0]


def call(count: int) -> list[bytes]:
    """The certificates of a call that registered `count` items."""
    sample = certificate(0)
    return [msgspec.structs.replace(sample, counter=number).to_bytes() for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 255, 1_000])
def test_one_signature_covers_a_call_and_each_certificate_stands_alone(count: int) -> None:
    """However many there are."""
    certificates = call(count)
    signature = sign_certificates(SAFE, certificates, KEY)
    signed = verify_call(SAFE, certificates, signature, KEY.public)
    assert len(signed) == count
    for position, alone in enumerate(signed):
        read = SignedCertificate.from_bytes(alone.to_bytes())
        assert (read.position, read.count) == (position, count)
        assert verify_certificate(read, KEY.public).counter == position


@pytest.mark.parametrize(
    "certificates",
    [
        CERTIFICATES[:2],
        [*CERTIFICATES, CERTIFICATES[0]],
        [CERTIFICATES[1], CERTIFICATES[0], CERTIFICATES[2]],
        [CERTIFICATES[0], certificate(1, counter=9).to_bytes(), CERTIFICATES[2]],
        [],
    ],
    ids=["one-missing", "one-more", "order", "one-changed", "none"],
)
def test_a_call_of_other_certificates_is_refused(certificates: list[bytes]) -> None:
    """The signature is over these certificates in this order."""
    with pytest.raises(SignatureInvalid):
        verify_call(SAFE, certificates, CALL_SIGNATURE, KEY.public)


def test_a_call_signed_by_another_safe_is_refused() -> None:
    """Under its own key, under the other's key, and with the other's id."""
    stranger = sign_certificates(SAFE, CERTIFICATES, SAFE_KEYS[1])
    other_id = sign_certificates(SAFE_IDS[1], CERTIFICATES, KEY)
    for safe_id, signature, public in (
        (SAFE, stranger, KEY.public),
        (SAFE, CALL_SIGNATURE, SAFE_KEYS[1].public),
        (SAFE_IDS[1], CALL_SIGNATURE, KEY.public),
        (SAFE, other_id, KEY.public),
    ):
        with pytest.raises(SignatureInvalid):
            verify_call(safe_id, CERTIFICATES, signature, public)


SIGNED = SIGNED_CERTIFICATES[1]
PATH = SIGNED.path


@pytest.mark.parametrize(
    "fields",
    [
        {"position": 0},
        {"position": 2},
        {"position": 3},
        {"position": 2**40},
        {"count": 1},
        {"count": 2},
        {"count": 4},
        {"count": 2**40},
        {"path": ()},
        {"path": PATH[:1]},
        {"path": PATH[::-1]},
        {"path": (*PATH, PATH[0])},
        {"path": (hash_of("other"), PATH[1])},
        {"path": (PATH[0], hash_of("other"))},
        {"path": (PATH[0], b"")},
        {"root": hash_of("other")},
        {"root": merkle.leaf_hash(SIGNED.certificate)},
        {"certificate": CERTIFICATES[0]},
        {"certificate": certificate(1, counter=9).to_bytes()},
        {"certificate": certificate(1, x=2, counter=8).to_bytes()},
        {"signature": bytes(64)},
        {"signature": CALL_SIGNATURE[:32] + bytes(32)},
        {"signature": CALL_SIGNATURE[:63]},
    ],
    ids=lambda fields: f"{next(iter(fields))}",
)
def test_a_certificate_with_anything_changed_is_refused(fields: dict[str, Any]) -> None:
    """Position, count, path, root, certificate and signature all hold each other."""
    with pytest.raises(SignatureInvalid):
        verify_certificate(msgspec.structs.replace(SIGNED, **fields), KEY.public)


def test_a_tree_of_one_cannot_be_claimed_for_a_certificate_of_three() -> None:
    """A consistent path to another root still lacks the safe's signature."""
    alone = msgspec.structs.replace(
        SIGNED, position=0, count=1, path=(), root=merkle.leaf_hash(SIGNED.certificate)
    )
    with pytest.raises(SignatureInvalid):
        verify_certificate(alone, KEY.public)


def test_the_count_is_signed_though_the_root_would_do() -> None:
    """A path that fits a tree of another size is refused by the head."""
    certificates = call(4)
    signed = verify_call(SAFE, certificates, sign_certificates(SAFE, certificates, KEY), KEY.public)
    assert len(signed[0].path) == 2
    with pytest.raises(SignatureInvalid):
        verify_certificate(msgspec.structs.replace(signed[0], count=3), KEY.public)


def test_a_certificate_under_another_safes_key_is_refused() -> None:
    """The roster says whose key it is."""
    with pytest.raises(SignatureInvalid):
        verify_certificate(SIGNED, SAFE_KEYS[1].public)


def test_a_safe_cannot_certify_in_anothers_name() -> None:
    """The signature's head takes its safe from the certificate."""
    foreign = [certificate(0, x=2).to_bytes()]
    signature = sign_certificates(SAFE, foreign, KEY)
    signed = verify_call(SAFE, foreign, signature, KEY.public)[0]
    for public in (KEY.public, SAFE_KEYS[1].public):
        with pytest.raises(SignatureInvalid):
            verify_certificate(signed, public)


def test_a_certificate_that_does_not_parse_is_refused() -> None:
    """Before its path and signature are looked at."""
    with pytest.raises(DocumentMalformed):
        verify_certificate(msgspec.structs.replace(SIGNED, certificate=b"\xc1"), KEY.public)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_head_is_no_certificate_and_a_certificate_no_head(position: int) -> None:
    """Neither type reads the other's bytes."""
    head = CertificateHead(SAFE, 3, SIGNED.root)
    with pytest.raises(DocumentMalformed):
        Certificate.from_bytes(head.to_bytes())
    with pytest.raises(DocumentMalformed):
        CertificateHead.from_bytes(CERTIFICATES[position])


def test_what_was_registered_is_accepted_under_any_counter() -> None:
    """Y is the safe's to choose, up to its limit."""
    expected = certificate(0, counter=0)
    for counter in (0, 7, COUNTER_LIMIT):
        given = certificate(0, counter=counter)
        assert check_certificate(given.to_bytes(), expected) == given


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("safe_id", SAFE_IDS[1]),
        ("kind", "key"),
        ("digest", SEALED),
        ("x_hash", hash_of("other")),
        ("item_id", ITEM_IDS[1]),
        ("generation", 2),
        ("index", 2),
    ],
)
def test_a_certificate_for_anything_else_is_refused(field: str, value: object) -> None:
    """The error names the safe that issued it and the field that differs."""
    expected = certificate(0)
    given = msgspec.structs.replace(expected, **{field: value})
    with pytest.raises(CertificateMismatch) as caught:
        check_certificate(given.to_bytes(), expected)
    assert (caught.value.safe_id, caught.value.field) == (SAFE, field)
    assert str(caught.value) == f"The certificate differs from what was registered in its {field}."


def test_every_field_but_the_counter_is_compared() -> None:
    """A field added later must be compared too."""
    tested = {"safe_id", "kind", "digest", "x_hash", "item_id", "generation", "index"}
    assert set(Certificate.__struct_fields__) == tested | {"counter"}


def test_a_certificate_given_back_that_does_not_parse_is_refused() -> None:
    """Also when it is the right one in a longer form."""
    elements = plain(certificate(0))
    assert isinstance(elements, list)
    with pytest.raises(DocumentMalformed):
        check_certificate(pack([*elements, None]), certificate(0))


def test_a_signed_certificate_can_be_looked_into_before_it_is_verified() -> None:
    """To find whose key it needs; what it says is not yet believed."""
    assert SIGNED.read() == certificate(1, counter=8)
    with pytest.raises(DocumentMalformed):
        msgspec.structs.replace(SIGNED, certificate=b"").read()
