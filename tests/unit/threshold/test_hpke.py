"""Sealing to a key pair: RFC 9180's vectors, Wycheproof's X25519, another library, and refusals."""

from typing import Any

import pytest
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from vectors.loading import load

from threshold import hpke
from threshold.errors import InvalidLength, InvalidPublicKey, SealBroken, ThresholdError
from threshold.hpke import KeyPair

X25519_KEM = 0x0020
BASE_MODE = 0
AEADS = {1: AEAD.AES_128_GCM, 2: AEAD.AES_256_GCM, 3: AEAD.CHACHA20_POLY1305}
FIELD_PRIME = 2**255 - 19

SETUPS = [setup for setup in load("rfc9180_hpke_appendix_a.json") if setup["kem_id"] == X25519_KEM]
KEYS = [
    pytest.param(
        setup[f"ikm{who}"],
        setup[f"sk{who}m"],
        setup[f"pk{who}m"],
        id=f"{setup['suite']} {setup['mode_name']} {who}",
    )
    for setup in SETUPS
    for who in "ERS"
    if f"ikm{who}" in setup
]
SEALED_IN_BASE_MODE = [setup for setup in SETUPS if setup["mode"] == BASE_MODE and setup["aead_id"] in AEADS]
X25519_CASES = [
    case for group in load("wycheproof_x25519_test.json")["testGroups"] for case in group["tests"]
]
LOW_ORDER_CASES = [case for case in X25519_CASES if "ZeroSharedSecret" in case["flags"]]

SECRET, INFO, EXTRA = b"\x07" * 32, b"kura/v1/batch-secret", b"batch"
PAIR = hpke.derive_key_pair(bytes(range(32)))
WRAPPED = bytes.fromhex(
    "2b8c07d779faff49fc82e7485cf3fd1bd76dba7838339568081e04243ce86208"
    "8c6d97fb5fa21c35f3dbaa5a3e6afc39a84ef32adaa5ca1e731aa697035b6b67"
    "2dc062ea64e55870b7902cea3a49b5f0"
)
"""SECRET, wrapped to PAIR when this format was made."""


def case_id(case: dict[str, Any]) -> str:
    return f"{case['tcId']} {case['result']} {case['comment']}"


def is_canonical(case: dict[str, Any]) -> bool:
    return int.from_bytes(bytes.fromhex(case["public"]), "little") < FIELD_PRIME


@pytest.mark.parametrize(("key_material", "private", "public"), KEYS)
def test_a_key_pair_is_derived_as_in_rfc_9180(key_material: str, private: str, public: str) -> None:
    """Recipients', ephemeral and senders' keys of every X25519 setup."""
    pair = hpke.derive_key_pair(bytes.fromhex(key_material))
    assert (pair.private.hex(), pair.public.hex()) == (private, public)


@pytest.mark.parametrize("setup", SEALED_IN_BASE_MODE, ids=lambda setup: setup["suite"])
def test_the_library_that_wraps_opens_rfc_9180s_messages(setup: dict[str, Any]) -> None:
    """The first message of each setup, which is what single shot means; the vectors alone need an aad."""
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEADS[setup["aead_id"]])
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(setup["skRm"]))
    message = setup["encryptions"][0]
    sealed = bytes.fromhex(setup["enc"] + message["ct"])
    info, extra = bytes.fromhex(setup["info"]), bytes.fromhex(message["aad"])
    opened = openssl.hpke._decrypt_with_aad(suite, sealed, private, info, extra)
    assert opened.hex() == message["pt"]
    with pytest.raises(InvalidTag):
        openssl.hpke._decrypt_with_aad(suite, sealed, private, info, extra + b"x")


def test_a_setup_with_kuras_own_cipher_would_not_go_unnoticed() -> None:
    """The appendix has none for X25519; another library stands in for it below."""
    assert [setup["aead_id"] for setup in SEALED_IN_BASE_MODE] == [1, 3]


@pytest.mark.parametrize("case", X25519_CASES, ids=case_id)
def test_wycheproof_on_the_exchange_that_wraps(case: dict[str, Any]) -> None:
    """The shared secret of the vectors; where that is zero, a refusal."""
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(case["private"]))
    public = X25519PublicKey.from_public_bytes(bytes.fromhex(case["public"]))
    if "ZeroSharedSecret" in case["flags"]:
        with pytest.raises(ValueError, match="shared key"):
            private.exchange(public)
    else:
        assert private.exchange(public).hex() == case["shared"]


def is_refused(public: bytes) -> bool:
    try:
        hpke.wrap(public, SECRET, INFO, EXTRA)
    except InvalidPublicKey:
        return True
    return False


def test_public_keys_that_cannot_be_decoded_with_are_refused() -> None:
    """Of Wycheproof's: low order, because anybody could open; not canonical, because nobody could."""
    refused = [case for case in X25519_CASES if is_refused(bytes.fromhex(case["public"]))]
    assert refused == [case for case in X25519_CASES if case in LOW_ORDER_CASES or not is_canonical(case)]
    assert len(refused) == 44


def test_a_public_key_is_checked_without_anything_to_seal() -> None:
    """The same ones are refused, and by the same error."""
    for case in X25519_CASES:
        public = bytes.fromhex(case["public"])
        if is_refused(public):
            with pytest.raises(InvalidPublicKey):
                hpke.check_public_key(public)
        else:
            hpke.check_public_key(public)
    hpke.check_public_key(PAIR.public)


def test_a_refused_public_key_brings_no_text_of_the_library() -> None:
    """The refusal stands alone."""
    with pytest.raises(InvalidPublicKey) as refusal:
        hpke.wrap(bytes(32), SECRET, INFO, EXTRA)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize("case", LOW_ORDER_CASES, ids=case_id)
def test_an_encapsulated_key_of_low_order_does_not_open(case: dict[str, Any]) -> None:
    """Whoever wrapped so would know the shared secret of every recipient."""
    with pytest.raises(SealBroken):
        hpke.unwrap(PAIR, bytes.fromhex(case["public"]) + WRAPPED[32:], INFO, EXTRA)


def test_what_is_not_canonical_could_never_be_unwrapped() -> None:
    """Why it is refused: the library itself wraps to the same key in another encoding, for nobody."""
    ignored_bit = PAIR.public[:-1] + bytes((PAIR.public[-1] | 128,))
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    lost = suite.encrypt(SECRET, X25519PublicKey.from_public_bytes(ignored_bit))
    with pytest.raises(InvalidTag):
        suite.decrypt(lost, X25519PrivateKey.from_private_bytes(PAIR.private))
    with pytest.raises(InvalidPublicKey):
        hpke.wrap(ignored_bit, SECRET, INFO, EXTRA)


@pytest.mark.parametrize("extra", [b"", EXTRA, bytes(70_000)], ids=len)
def test_what_was_wrapped_unwraps(extra: bytes) -> None:
    """80 bytes, and never the same ones: the ephemeral key is the library's."""
    wrapped = hpke.wrap(PAIR.public, SECRET, INFO, extra)
    assert len(wrapped) == hpke.WRAPPED_BYTES
    assert wrapped != hpke.wrap(PAIR.public, SECRET, INFO, extra)
    assert hpke.unwrap(PAIR, wrapped, INFO, extra) == SECRET


def test_a_wrap_of_the_first_day_unwraps() -> None:
    """Wraps lie at safes for years, so suite and labels are pinned."""
    assert hpke.unwrap(PAIR, WRAPPED, INFO, EXTRA) == SECRET


DOCUMENTED_INFO = (20).to_bytes(8, "big") + INFO + EXTRA


def test_another_library_unwraps_what_this_one_wrapped() -> None:
    """Plain HPKE with the documented info and no aad."""
    wrapped = hpke.wrap(PAIR.public, SECRET, INFO, EXTRA)
    recipient = HPKE.new(
        receiver_key=import_x25519_private_key(PAIR.private),
        aead_id=HPKE.AEAD.AES256_GCM,
        enc=wrapped[:32],
        info=DOCUMENTED_INFO,
    )
    assert recipient.unseal(wrapped[32:]) == SECRET


def test_what_another_library_wrapped_unwraps_here() -> None:
    """The other way round."""
    sender = HPKE.new(
        receiver_key=import_x25519_public_key(PAIR.public),
        aead_id=HPKE.AEAD.AES256_GCM,
        info=DOCUMENTED_INFO,
    )
    assert hpke.unwrap(PAIR, sender.enc + sender.seal(SECRET), INFO, EXTRA) == SECRET


@pytest.mark.parametrize(
    ("pair", "info", "extra"),
    [
        pytest.param(KeyPair(b"\x01" * 32), INFO, EXTRA, id="another key pair"),
        pytest.param(PAIR, b"kura/v1/another", EXTRA, id="another purpose"),
        pytest.param(PAIR, INFO, b"another", id="another batch"),
        pytest.param(PAIR, INFO, b"", id="no batch"),
        pytest.param(PAIR, INFO + EXTRA[:1], EXTRA[1:], id="a byte moved from one label to the other"),
        pytest.param(PAIR, EXTRA, INFO, id="labels exchanged"),
    ],
)
def test_anything_else_does_not_unwrap(pair: KeyPair, info: bytes, extra: bytes) -> None:
    """One refusal for all, without a hint which."""
    with pytest.raises(SealBroken) as refusal:
        hpke.unwrap(pair, WRAPPED, info, extra)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("plaintext", [b"", SECRET, bytes(70_000)], ids=len)
def test_any_length_is_sealed(plaintext: bytes) -> None:
    """48 bytes longer; a wrap is a seal of 32 bytes."""
    sealed = hpke.seal(PAIR.public, plaintext, INFO, EXTRA)
    assert len(sealed) == len(plaintext) + hpke.OVERHEAD_BYTES
    assert hpke.open_sealed(PAIR, sealed, INFO, EXTRA) == plaintext
    assert hpke.open_sealed(PAIR, WRAPPED, INFO, EXTRA) == SECRET


@pytest.mark.parametrize("length", [0, 31, 32, 47, 48])
def test_what_is_too_short_for_key_and_tag_is_no_seal(length: int) -> None:
    """The same refusal as for anything that was changed."""
    with pytest.raises(SealBroken):
        hpke.open_sealed(PAIR, WRAPPED[:length], INFO, EXTRA)


@pytest.mark.parametrize("position", range(hpke.WRAPPED_BYTES))
def test_no_byte_of_a_wrap_can_be_changed(position: int) -> None:
    """Key, ciphertext and tag; even the bit of the key that X25519 ignores."""
    for bit in (1, 128):
        changed = bytearray(WRAPPED)
        changed[position] ^= bit
        with pytest.raises(SealBroken):
            hpke.unwrap(PAIR, bytes(changed), INFO, EXTRA)


def refusal_of(call: Any, *inputs: object) -> ThresholdError:
    with pytest.raises(ThresholdError) as refusal:
        call(*inputs)
    return refusal.value


@pytest.mark.parametrize(
    ("call", "inputs", "error"),
    [
        pytest.param(
            hpke.derive_key_pair, (bytes(31),), InvalidLength("key material", 31, 32), id="key material cut"
        ),
        pytest.param(KeyPair, (bytes(31),), InvalidLength("private key", 31, 32), id="private key cut"),
        pytest.param(KeyPair, (bytes(33),), InvalidLength("private key", 33, 32), id="private key longer"),
        pytest.param(
            hpke.wrap,
            (PAIR.public[:31], SECRET, INFO, EXTRA),
            InvalidLength("public key", 31, 32),
            id="public key cut",
        ),
        pytest.param(
            hpke.check_public_key,
            (PAIR.public + b"\0",),
            InvalidLength("public key", 33, 32),
            id="checked public key longer",
        ),
        pytest.param(
            hpke.wrap,
            (PAIR.public, SECRET + b"\0", INFO, EXTRA),
            InvalidLength("secret", 33, 32),
            id="secret longer",
        ),
        pytest.param(
            hpke.unwrap,
            (PAIR, WRAPPED[:-1], INFO, EXTRA),
            InvalidLength("wrapped secret", 79, 80),
            id="wrap cut",
        ),
        pytest.param(
            hpke.unwrap,
            (PAIR, WRAPPED + b"\0", INFO, EXTRA),
            InvalidLength("wrapped secret", 81, 80),
            id="wrap longer",
        ),
        pytest.param(
            hpke.unwrap, (PAIR, b"", INFO, EXTRA), InvalidLength("wrapped secret", 0, 80), id="no wrap"
        ),
    ],
)
def test_wrong_lengths_are_refused(call: Any, inputs: tuple[object, ...], error: InvalidLength) -> None:
    """Before any key is used, with the length that was needed."""
    refusal = refusal_of(call, *inputs)
    assert type(refusal) is InvalidLength
    assert vars(refusal) == vars(error)


def test_longer_key_material_is_another_key_pair() -> None:
    """All of it counts, not its first 32 bytes."""
    assert hpke.derive_key_pair(bytes(33)) != hpke.derive_key_pair(bytes(32))


def test_the_public_half_always_belongs_to_the_private_one() -> None:
    """It cannot be given, so it cannot be given wrongly."""
    assert KeyPair(PAIR.private) == PAIR
    with pytest.raises(TypeError):
        KeyPair(PAIR.private, PAIR.public)  # type: ignore[call-arg]


def test_a_key_pair_shows_only_its_public_half() -> None:
    """Nothing secret in a log."""
    assert repr(PAIR) == f"KeyPair(public={PAIR.public!r})"
