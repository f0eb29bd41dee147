"""A batch's secret is sealed under a key of the wallet, and opens under that key for that batch alone."""

import pytest
from msgspec.structs import replace

from support.sample_documents import draw, scalar
from threshold import hpke
from threshold.errors import SealBroken, ThresholdError
from threshold.ristretto import Point
from trust.key_algorithm import BUILT_IN
from trust.manifest import KeyWrap
from wallet_client.pipeline.wrapping import KeyKind, WrappingKey

SECRET, SALT = scalar("batch secret"), draw("salt", 32)
KINDS: list[KeyKind] = ["shared", "pair"]


def made(kind: KeyKind, label: str = "wallet key", algorithm: str = "") -> WrappingKey:
    """A key of that name."""
    return WrappingKey.of(kind, scalar(label), algorithm)


def away(key: WrappingKey) -> WrappingKey:
    """The same key, of which only the public part is here."""
    return WrappingKey(key.kind, key.key_id, key.public, None, key.algorithm)


def changed(wrap: KeyWrap, position: int) -> KeyWrap:
    """The wrap with one byte of what is sealed changed."""
    sealed = bytearray(wrap.sealed)
    sealed[position] ^= 1
    return replace(wrap, sealed=bytes(sealed))


@pytest.mark.parametrize(("kind", "length"), [("shared", 48), ("pair", 80)])
def test_what_was_wrapped_comes_back(kind: KeyKind, length: int) -> None:
    """Named by the key's commitment, as long as the manifest says."""
    key = made(kind)
    wrap = key.wrap(SECRET, SALT)
    assert (wrap.key_id, wrap.algorithm, len(wrap.sealed)) == (key.key_id, "", length)
    assert key.unwrap(wrap, SALT) == SECRET


@pytest.mark.parametrize("kind", KINDS)
def test_a_derived_key_says_how_it_was_derived(kind: KeyKind) -> None:
    """So that whoever has the root can derive it again."""
    assert made(kind, algorithm=BUILT_IN.label).wrap(SECRET, SALT).algorithm == "kura-hkdf/1"


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrap_opens_under_no_other_key_and_for_no_other_batch(kind: KeyKind) -> None:
    """Key and salt are bound into it."""
    wrap = made(kind).wrap(SECRET, SALT)
    with pytest.raises(SealBroken):
        made(kind, "another key").unwrap(wrap, SALT)
    with pytest.raises(SealBroken):
        made(kind).unwrap(wrap, draw("another salt", 32))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("position", [0, 31, 47, -1])
def test_a_changed_wrap_does_not_open(kind: KeyKind, position: int) -> None:
    """Encapsulated key, ciphertext or tag."""
    key = made(kind)
    with pytest.raises(SealBroken):
        key.unwrap(changed(key.wrap(SECRET, SALT), position), SALT)


@pytest.mark.parametrize(("kind", "other"), [("shared", "pair"), ("pair", "shared")])
def test_a_wrap_of_one_kind_is_none_of_the_other(kind: KeyKind, other: KeyKind) -> None:
    """Though both come from the same scalar."""
    with pytest.raises(ThresholdError):
        made(other).unwrap(made(kind).wrap(SECRET, SALT), SALT)


def test_a_pair_wraps_while_its_secret_is_away() -> None:
    """The public half seals [E2]; what it sealed opens when the secret is back."""
    pair = made("pair")
    assert pair.unwrap(away(pair).wrap(SECRET, SALT), SALT) == SECRET


def test_a_shared_key_does_neither_while_it_is_away() -> None:
    """It would need the secret."""
    key = made("shared")
    with pytest.raises(ValueError, match="away"):
        away(key).wrap(SECRET, SALT)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_is_away_opens_nothing(kind: KeyKind) -> None:
    """A defect of the caller's, who must look first."""
    with pytest.raises(ValueError, match="away"):
        away(made(kind)).unwrap(made(kind).wrap(SECRET, SALT), SALT)


def test_the_pair_is_derived_from_the_scalar() -> None:
    """RFC 9180 DeriveKeyPair: whoever gets the scalar back from its shares has the pair [C12]."""
    assert made("pair").public == hpke.derive_key_pair(scalar("wallet key").to_bytes()).public
    assert made("shared").public == b""


def test_a_key_is_named_by_its_commitment() -> None:
    """The same for both kinds: what the commitments of its shares begin with."""
    assert made("shared").key_id == made("pair").key_id == Point.base_mul(scalar("wallet key")).to_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_does_not_print_its_scalar(kind: KeyKind) -> None:
    """Neither in hexadecimal nor as bytes."""
    shown = repr(made(kind))
    assert scalar("wallet key").to_bytes().hex() not in shown
    assert "scalar" not in shown
