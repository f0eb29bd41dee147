"""Secrets do not get out by accident."""

import pickle

import pytest

from wallet_client.storage.keyfile import Passphrase
from wallet_client.storage.secret import Secret


def test_a_secret_shows_nothing() -> None:
    """Whoever prints it learns its kind."""
    assert f"{Secret(b'abc')} {Secret(b'abc')!r}" == "<Secret, not shown> <Secret, not shown>"
    assert repr(Passphrase(b"abc")) == "<Passphrase, not shown>"


def test_a_secret_is_revealed_by_its_word() -> None:
    """And compared by its content."""
    assert Secret(b"abc").reveal() == b"abc"
    assert Secret(b"abc") == Secret(b"abc")
    assert Secret(b"abc") != Secret(b"abd")
    assert Secret(b"abc") != b"abc"


def test_a_secret_is_neither_pickled_nor_hashed() -> None:
    """Both would be copies."""
    with pytest.raises(TypeError, match="not copied"):
        pickle.dumps(Secret(b"abc"))
    with pytest.raises(TypeError):
        hash(Secret(b"abc"))
