"""Owner ids and stretched PINs are pinned: one other bit would be another owner."""

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from threshold.errors import InvalidLength
from trust.ids import Hash, OwnerId
from wallet_client.owners import stretch
from wallet_client.owners.names import OwnerName, Pin
from wallet_client.owners.stretch import StretchedPin
from wallet_client.storage.secret import Secret

GENESIS = Hash(bytes(range(32)))
NAME, PIN = OwnerName("Juliet"), Pin("correct horse battery staple")
OWNER = OwnerId(bytes.fromhex("27c454ba170a811bebfbead67e0353491a178b8f3c455574f0ad5b4ef774c3a9"))
STRETCHED = "c7d12b0d26525aa135257d45d008604d176aabc27c49eb417b2016ab763cc663"


def by_another_library(content: bytes, salt_of: bytes) -> bytes:
    """OpenSSL's Argon2id, with the figures of docs/DESIGN.md, section 6."""
    salt = hashlib.sha256(salt_of).digest()[:16]
    kdf = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=64 * 1024)
    return kdf.derive(content)


def test_the_owner_id_is_pinned_and_does_not_depend_on_how_the_name_was_typed() -> None:
    """Kept the same for as long as anybody's record is."""
    for typed in ("Juliet", "ＪＵＬＩＥＴ"):
        assert stretch.owner_id(OwnerName(typed), GENESIS) == OWNER


def test_the_stretched_pin_is_pinned() -> None:
    """As the owner id is."""
    assert stretch.stretch_pin(PIN, OWNER).reveal().hex() == STRETCHED


def test_another_library_gives_the_same() -> None:
    """Nothing hangs on one implementation of Argon2id."""
    assert by_another_library(b"juliet", GENESIS) == OWNER
    salt_of = b"kura/v1/pin-salt" + OWNER
    assert by_another_library(b"correct horse battery staple", salt_of).hex() == STRETCHED


def test_another_roster_or_name_is_another_owner() -> None:
    """Owners of two rosters cannot be linked by their ids."""
    assert stretch.owner_id(NAME, Hash(bytes(32))) != OWNER
    assert stretch.owner_id(OwnerName("romeo"), GENESIS) != OWNER


def test_one_pin_of_two_owners_stretches_to_two_secrets() -> None:
    """So no work on one helps with the other."""
    assert stretch.stretch_pin(PIN, OwnerId(bytes(32))).reveal().hex() != STRETCHED


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        pytest.param(
            lambda: stretch.owner_id(NAME, Hash(GENESIS[1:])),
            InvalidLength("genesis fingerprint", 31, 32),
            id="a short fingerprint",
        ),
        pytest.param(
            lambda: stretch.stretch_pin(PIN, OwnerId(OWNER + b"\0")),
            InvalidLength("owner id", 33, 32),
            id="a long owner id",
        ),
    ],
)
def test_inputs_of_another_length_are_refused(attempt: Callable[[], object], error: InvalidLength) -> None:
    """Before any work."""
    with pytest.raises(InvalidLength) as refusal:
        attempt()
    assert vars(refusal.value) == vars(error)


def test_a_stretched_pin_does_not_show() -> None:
    """It is as good as the PIN."""
    assert isinstance(StretchedPin(b"secret"), Secret)
    assert repr(StretchedPin(b"secret")) == "<StretchedPin, not shown>"
