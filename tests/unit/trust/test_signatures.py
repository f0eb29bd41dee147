"""A signature holds for one type of document, one key and the exact bytes."""

import json
from hashlib import sha512
from pathlib import Path

import pysodium
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from support.every_document import DOCUMENTS, SIGNED, SignedSample
from support.sample_documents import WALLET, draw, key
from trust import documents
from trust.documents import Document, SigningKey, signed_bytes, verify
from trust.errors import DocumentMalformed, SignatureInvalid

VECTORS = Path(__file__).parents[2] / "vectors"
WYCHEPROOF = json.loads((VECTORS / "wycheproof_ed25519_test.json").read_text())
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the prime-order subgroup (RFC 8032 section 5.1)."""

LOW_ORDER_KEYS = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0000000000000000000000000000000000000000000000000000000000000080",
]
"""All encodings of the eight points whose order divides 8, as in libsodium's own list."""

NON_CANONICAL_KEYS = [
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]
"""y not below 2^255 - 19, or x = 0 with its sign set (RFC 8032 section 5.1.3)."""

every_signed = pytest.mark.parametrize("sample", SIGNED.values(), ids=SIGNED.keys())


def _title(sample: SignedSample) -> str:
    return type(sample.document).title


def _titles() -> list[str]:
    """Of all documents in `trust`; the wallet's own ones are never signed."""
    return [kind.title for kind in Document.__subclasses__() if kind.__module__.startswith("trust.")]


@every_signed
def test_the_signature_of_a_document_holds(sample: SignedSample) -> None:
    """Under its signer's key and its own title."""
    verify(_title(sample), sample.signer.public, sample.document.to_bytes(), sample.signature)


@every_signed
def test_another_library_agrees(sample: SignedSample) -> None:
    """The layout of the signed bytes is the one the page states, written out here by hand."""
    message = (
        b"kura/v1/"
        + _title(sample).encode("ascii")
        + b"\x00"
        + sample.signer.public
        + sample.document.to_bytes()
    )
    public = Ed25519PublicKey.from_public_bytes(sample.signer.public)
    public.verify(sample.signature, message)
    with pytest.raises(InvalidSignature):
        public.verify(sample.signature, message[1:])


@every_signed
def test_no_other_type_of_document_may_use_the_signature(sample: SignedSample) -> None:
    """The same bytes under any other title, the neighbours 'certificate' and 'certificates' included."""
    body = sample.document.to_bytes()
    titles = set(_titles()) - {_title(sample)}
    assert "certificate" in titles
    for title in [*titles, "", _title(sample) + "\x00", _title(sample)[:-1]]:
        with pytest.raises(SignatureInvalid):
            verify(title, sample.signer.public, body, sample.signature)


@every_signed
def test_no_other_key_may_claim_the_signature(sample: SignedSample) -> None:
    """Nor may anybody sign for another's key."""
    body = sample.document.to_bytes()
    stranger = key("stranger")
    with pytest.raises(SignatureInvalid):
        verify(_title(sample), stranger.public, body, sample.signature)
    with pytest.raises(SignatureInvalid):
        verify(_title(sample), sample.signer.public, body, stranger.sign(_title(sample), body))


@every_signed
def test_every_bit_of_a_signature_counts(sample: SignedSample) -> None:
    """Each of the 512 bits, turned alone."""
    body = sample.document.to_bytes()
    for bit in range(512):
        turned = bytearray(sample.signature)
        turned[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureInvalid):
            verify(_title(sample), sample.signer.public, body, bytes(turned))


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 128])
def test_a_signature_is_64_bytes(length: int) -> None:
    """Shorter and longer ones are refused, not cut."""
    good = WALLET.sign("manifest", b"body")
    with pytest.raises(SignatureInvalid):
        verify("manifest", WALLET.public, b"body", (good * 2)[:length])


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_is_32_bytes(length: int) -> None:
    """So that where the key ends and the body begins is never in question."""
    good = WALLET.sign("manifest", b"body")
    with pytest.raises(SignatureInvalid):
        verify("manifest", (WALLET.public * 2)[:length], b"body", good)


@pytest.mark.parametrize("encoded", LOW_ORDER_KEYS + NON_CANONICAL_KEYS)
def test_refuses_low_order_and_non_canonical_keys(encoded: str) -> None:
    """Under a key of order 1, R = identity and S = 0 would else fit every message."""
    public = bytes.fromhex(encoded)
    for r in (bytes([1]) + bytes(31), public):
        with pytest.raises(SignatureInvalid):
            verify("manifest", public, b"body", r + bytes(32))


def test_refuses_s_beyond_the_order() -> None:
    """S + L verifies by the bare equation; one message must not have two signatures."""
    signature = WALLET.sign("manifest", b"body")
    s = int.from_bytes(signature[32:], "little") + ORDER
    with pytest.raises(SignatureInvalid):
        verify("manifest", WALLET.public, b"body", signature[:32] + s.to_bytes(32, "little"))


def test_refuses_r_of_low_order() -> None:
    """The key's owner can make one that fits the bare equation, and other libraries accept it."""
    message = signed_bytes("manifest", WALLET.public, b"body")
    hashed = bytearray(sha512(draw("wallet", 32)).digest()[:32])
    hashed[0] &= 248
    hashed[31] = hashed[31] & 127 | 64
    r = bytes([1]) + bytes(31)
    challenge = int.from_bytes(sha512(r + WALLET.public + message).digest(), "little")
    s = challenge * int.from_bytes(hashed, "little") % ORDER
    signature = r + s.to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(WALLET.public).verify(signature, message)
    with pytest.raises(SignatureInvalid):
        verify("manifest", WALLET.public, b"body", signature)


def _cases() -> list[object]:
    return [
        pytest.param(group["publicKey"]["pk"], case, id=f"{case['tcId']}-{case['result']}")
        for group in WYCHEPROOF["testGroups"]
        for case in group["tests"]
    ]


@pytest.mark.parametrize(("public", "case"), _cases())
def test_wycheproof(public: str, case: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every known edge case of Ed25519 verification, through `verify` with the framing taken off."""
    monkeypatch.setattr(documents, "signed_bytes", lambda _title, _key, body: body)
    arguments = ("any", bytes.fromhex(public), bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
    if case["result"] == "valid":
        verify(*arguments)
    else:
        with pytest.raises(SignatureInvalid):
            verify(*arguments)


def test_wycheproof_is_complete() -> None:
    """All 151 cases ran, of which some must be accepted."""
    results = [case["result"] for group in WYCHEPROOF["testGroups"] for case in group["tests"]]
    assert len(results) == WYCHEPROOF["numberOfTests"] == 151
    assert {"valid", "invalid"} == set(results)


def test_titles_name_one_type_each() -> None:
    """Two signed types under one title would share their signatures; 0x00 would end a title early."""
    titles = [title for title in _titles() if title != "digest"]
    assert len(set(titles)) == len(titles)
    assert all(title.isascii() and "\x00" not in title for title in titles)
    assert Document.title not in titles
    assert "digest" not in SIGNED
    assert {type(document).title for document in DOCUMENTS.values()} <= {*titles, "digest"}


def test_signed_bytes_are_unambiguous() -> None:
    """What could slide between title, key and body does not."""
    public = bytes(32)
    assert signed_bytes("roster", public, b"x") == b"kura/v1/roster\x00" + public + b"x"
    assert signed_bytes("a", public, b"") != signed_bytes("", b"a" + public, b"")


def test_a_signing_key_is_the_one_of_rfc_8032() -> None:
    """Seed and public key of RFC 8032 section 7.1, test 1."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    expected = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert SigningKey(seed).public.hex() == expected


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_signing_key_needs_32_bytes(length: int) -> None:
    """And says so without showing them."""
    with pytest.raises(DocumentMalformed) as caught:
        SigningKey(draw("wrong seed", length))
    assert str(caught.value) == "The signing key is malformed at seed: must be 32 bytes."


def test_a_signing_key_does_not_show_itself() -> None:
    """Its representation holds the public key and neither the seed nor what was expanded from it."""
    seed = draw("wallet", 32)
    shown = repr(WALLET)
    assert repr(WALLET.public) in shown
    _, expanded = pysodium.crypto_sign_seed_keypair(seed)
    for secret in (seed, expanded):
        assert repr(secret) not in shown
        assert secret.hex() not in shown


def test_the_same_seed_makes_the_same_key_and_signature() -> None:
    """Ed25519 draws no randomness: an interrupted backup signs the same bytes again."""
    again = SigningKey(draw("wallet", 32))
    assert again == WALLET
    assert again.sign("manifest", b"body") == WALLET.sign("manifest", b"body")
