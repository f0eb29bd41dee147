"""Keys of items, and the AEAD that seals them."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from vectors.loading import load

from threshold import sealing
from threshold.errors import InvalidLabel, InvalidLength, SealBroken, ThresholdError
from threshold.sealing import SealingKey

SECRET, BINDING, SALT, ITEM = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32, b"\x04" * 16
KEY = SealingKey(b"\x05" * 32)

CASES = [
    case
    for group in load("wycheproof_aes_gcm_test.json")["testGroups"]
    for case in group["tests"]
    if group["ivSize"] == 96
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['tcId']} {case['result']} {case['comment']}")
def test_wycheproof_on_the_cipher_that_seals(case: dict[str, Any]) -> None:
    """Every case with a 12-byte nonce; the others are a different construction that Kura never uses."""
    cipher = AESGCM(bytes.fromhex(case["key"]))
    nonce, message, extra = bytes.fromhex(case["iv"]), bytes.fromhex(case["msg"]), bytes.fromhex(case["aad"])
    sealed = bytes.fromhex(case["ct"] + case["tag"])
    if case["result"] == "valid":
        assert cipher.encrypt(nonce, message, extra) == sealed
        assert cipher.decrypt(nonce, sealed, extra) == message
    else:
        with pytest.raises(InvalidTag):
            cipher.decrypt(nonce, sealed, extra)


@pytest.mark.parametrize("plaintext", [b"", b"x", bytes(70_000)], ids=len)
def test_what_was_sealed_opens(plaintext: bytes) -> None:
    """Ciphertext and tag, nothing else: no nonce travels."""
    sealed = sealing.seal(KEY, plaintext, b"context")
    assert len(sealed) == len(plaintext) + sealing.TAG_BYTES
    assert sealed == AESGCM(KEY.key).encrypt(bytes(12), plaintext, b"context")
    assert sealing.open_sealed(KEY, sealed, b"context") == plaintext


SEALED = sealing.seal(KEY, b"value", b"context")


@pytest.mark.parametrize(
    ("key", "sealed", "context"),
    [
        pytest.param(SealingKey(b"\x06" * 32), SEALED, b"context", id="another key"),
        pytest.param(KEY, SEALED, b"another", id="another context"),
        pytest.param(KEY, bytes((SEALED[0] ^ 1,)) + SEALED[1:], b"context", id="changed ciphertext"),
        pytest.param(KEY, SEALED[:-1] + bytes((SEALED[-1] ^ 128,)), b"context", id="changed tag"),
        pytest.param(KEY, SEALED[:-1], b"context", id="cut"),
        pytest.param(KEY, SEALED + b"\0", b"context", id="longer"),
        pytest.param(KEY, SEALED[:15], b"context", id="shorter than a tag"),
        pytest.param(KEY, b"", b"context", id="empty"),
    ],
)
def test_anything_else_does_not_open(key: SealingKey, sealed: bytes, context: bytes) -> None:
    """One refusal for all, without a hint which."""
    with pytest.raises(SealBroken) as refusal:
        sealing.open_sealed(key, sealed, context)
    assert refusal.value.__cause__ is None


def rfc5869(key_material: bytes, salt: bytes, info: bytes) -> bytes:
    """One block of HKDF-SHA256, written out."""
    pseudorandom_key = hmac.new(salt or bytes(32), key_material, hashlib.sha256).digest()
    return hmac.new(pseudorandom_key, info + b"\x01", hashlib.sha256).digest()


@pytest.mark.parametrize("binding", [BINDING, b""], ids=["bound", "unbound"])
def test_an_items_key_is_the_documented_derivation(binding: bytes) -> None:
    """DESIGN 3.8, byte by byte."""
    info = b"kura/v1/item-key" + ITEM + b"\x05value" + b"\x00\x00\x01\x02"
    expected = rfc5869(SECRET + binding, SALT, info)
    assert sealing.derive_item_key(SECRET, binding, SALT, ITEM, "value", 258).key == expected


def test_a_binding_is_the_documented_derivation() -> None:
    """From the root and the item alone, by way of what a wallet keeps."""
    secret = sealing.derive_binding_secret(SECRET)
    assert secret == rfc5869(SECRET, b"", b"kura/v1/binding-secret")
    assert sealing.derive_item_binding(secret, ITEM) == rfc5869(secret, b"", b"kura/v1/item-binding" + ITEM)


def test_every_input_changes_the_key() -> None:
    """No two messages share a key."""
    keys = {
        sealing.derive_item_key(*inputs).key
        for inputs in [
            (SECRET, BINDING, SALT, ITEM, "value", 0),
            (BINDING, BINDING, SALT, ITEM, "value", 0),
            (SECRET, b"", SALT, ITEM, "value", 0),
            (SECRET, SECRET, SALT, ITEM, "value", 0),
            (SECRET, BINDING, SECRET, ITEM, "value", 0),
            (SECRET, BINDING, SALT, ITEM[:-1] + b"\0", "value", 0),
            (SECRET, BINDING, SALT, ITEM, "digest", 0),
            (SECRET, BINDING, SALT, ITEM, "valu", 0),
            (SECRET, BINDING, SALT, ITEM, "value", 1),
            (SECRET, BINDING, SALT, ITEM, "value", 2**32 - 1),
        ]
    }
    assert len(keys) == 10


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        pytest.param(
            (SECRET[:31], BINDING, SALT, ITEM, "v", 0), InvalidLength("secret", 31, 32), id="secret"
        ),
        pytest.param(
            (SECRET, BINDING[:31], SALT, ITEM, "v", 0), InvalidLength("binding", 31, 32), id="binding"
        ),
        pytest.param((SECRET, BINDING, SALT + b"x", ITEM, "v", 0), InvalidLength("salt", 33, 32), id="salt"),
        pytest.param((SECRET, BINDING, SALT, SALT, "v", 0), InvalidLength("item id", 32, 16), id="item id"),
        pytest.param((SECRET, BINDING, SALT, ITEM, "", 0), InvalidLabel("role"), id="no role"),
        pytest.param((SECRET, BINDING, SALT, ITEM, "r" * 256, 0), InvalidLabel("role"), id="long role"),
        pytest.param((SECRET, BINDING, SALT, ITEM, "rôle", 0), InvalidLabel("role"), id="role beyond ASCII"),
        pytest.param((SECRET, BINDING, SALT, ITEM, "v", -1), InvalidLabel("index"), id="negative index"),
        pytest.param((SECRET, BINDING, SALT, ITEM, "v", 2**32), InvalidLabel("index"), id="index of 33 bits"),
    ],
)
def test_derivation_refuses(inputs: tuple[Any, ...], error: ThresholdError) -> None:
    """Lengths are what keeps the encoding unambiguous."""
    with pytest.raises(type(error)) as refusal:
        sealing.derive_item_key(*inputs)
    assert vars(refusal.value) == vars(error)


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        pytest.param(
            lambda: sealing.derive_binding_secret(SECRET[:16]), InvalidLength("root", 16, 32), id="root"
        ),
        pytest.param(
            lambda: sealing.derive_item_binding(b"", ITEM),
            InvalidLength("binding secret", 0, 32),
            id="binding secret",
        ),
        pytest.param(
            lambda: sealing.derive_item_binding(SECRET, b""), InvalidLength("item id", 0, 16), id="item"
        ),
    ],
)
def test_a_binding_needs_a_whole_root_and_item(attempt: Callable[[], bytes], error: InvalidLength) -> None:
    """As above."""
    with pytest.raises(InvalidLength) as refusal:
        attempt()
    assert vars(refusal.value) == vars(error)


def test_sealing_keys_are_32_bytes_and_do_not_show() -> None:
    """AES-256 only."""
    with pytest.raises(InvalidLength):
        SealingKey(bytes(16))
    assert repr(KEY) == "SealingKey(redacted)"
