"""What a batch secret opens, and what the three kinds of digest say to whom."""

import pytest

from support.sample_documents import FIELDS, draw
from threshold.errors import SealBroken
from threshold.randomness import SeededRandomness
from threshold.sealing import TAG_BYTES
from trust.digest import VACANT, Digest, DigestEntries, DigestFields
from trust.documents import DocumentProblem
from trust.errors import DocumentMalformed
from trust.ids import ItemId
from wallet_client.pipeline.seal import (
    SALT_BYTES,
    WHOLE,
    BatchSecret,
    ItemName,
    make_digest,
    member_role,
    read_digest,
    share_role,
)

ENTRIES = (FIELDS, DigestFields("coupon", "Second"))
NAME = ItemName(ItemId(draw("item", 16)), 1)
OTHER_ITEM = ItemName(ItemId(draw("another item", 16)), 1)
OTHER_GENERATION = ItemName(NAME.item_id, 2)
SALT, DIGEST_SECRET = draw("salt", SALT_BYTES), draw("digest secret", 32)


def secret(label: str = "secret") -> BatchSecret:
    """A batch secret of that name."""
    return BatchSecret.draw(SeededRandomness(draw(label, 32), b"secret"))


@pytest.mark.parametrize("length", [0, 1, 15, 16, 1024, 100_000])
def test_what_is_sealed_opens_and_is_a_tag_longer(length: int) -> None:
    """Under the same secret and name."""
    plain = draw("plain", length)
    sealed = secret().seal(NAME, WHOLE, plain)
    assert len(sealed) == length + TAG_BYTES
    assert secret().open(NAME, WHOLE, sealed) == plain


@pytest.mark.parametrize("name", [OTHER_ITEM, OTHER_GENERATION], ids=["item", "generation"])
def test_it_opens_under_no_other_name(name: ItemName) -> None:
    """Item and generation are in the key and in the associated data."""
    with pytest.raises(SealBroken):
        secret().open(name, WHOLE, secret().seal(NAME, WHOLE, b"plain"))


@pytest.mark.parametrize(
    "role", [member_role(0), share_role(1, 0), share_role(1, 1), share_role(2, 0), "digest"]
)
def test_it_opens_in_no_other_role(role: str) -> None:
    """A whole item is no part of one, and no part is another."""
    sealed = secret().seal(NAME, WHOLE, b"plain")
    with pytest.raises(SealBroken):
        secret().open(NAME, role, sealed)
    with pytest.raises(SealBroken):
        secret().open(NAME, WHOLE, secret().seal(NAME, role, b"plain"))


def test_it_opens_under_no_other_secret_or_salt() -> None:
    """Both go into the key."""
    sealed = secret().seal(NAME, WHOLE, b"plain")
    for other in (secret("another"), BatchSecret(secret().scalar, draw("another salt", SALT_BYTES))):
        with pytest.raises(SealBroken):
            other.open(NAME, WHOLE, sealed)


@pytest.mark.parametrize("position", [0, 4, -1])
def test_a_changed_byte_is_noticed(position: int) -> None:
    """In the ciphertext and in the tag."""
    sealed = bytearray(secret().seal(NAME, WHOLE, b"plain"))
    sealed[position] ^= 1
    with pytest.raises(SealBroken):
        secret().open(NAME, WHOLE, bytes(sealed))


@pytest.mark.parametrize("length", [0, TAG_BYTES - 1])
def test_what_is_too_short_for_a_seal_is_none(length: int) -> None:
    """The tag alone has 16 bytes."""
    with pytest.raises(SealBroken):
        secret().open(NAME, WHOLE, bytes(length))


def test_the_associated_data_differ_in_every_part() -> None:
    """Item, generation and role."""
    names = (NAME, OTHER_ITEM, OTHER_GENERATION)
    assert len({name.associated_data(role) for name in names for role in ("value", "digest")}) == 6


def test_a_batch_secret_does_not_print_its_scalar() -> None:
    """The salt is public."""
    assert secret().scalar.to_bytes().hex() not in repr(secret())
    assert "scalar" not in repr(secret())


@pytest.mark.parametrize(("mode", "read_back"), [("public", ENTRIES), ("sealed", ENTRIES), ("vacant", ())])
def test_the_owner_reads_what_the_mode_keeps(mode: str, read_back: tuple[DigestFields, ...]) -> None:
    """All of it, or nothing where it is vacant."""
    digest = make_digest(mode, ENTRIES, DIGEST_SECRET, SALT, NAME)  # type: ignore[arg-type]
    assert digest.mode == mode
    assert read_digest(digest, DIGEST_SECRET, SALT, NAME) == read_back


def test_a_public_digest_is_the_fields_themselves() -> None:
    """Whoever has the certificate reads them, those of each value."""
    content = make_digest("public", ENTRIES, DIGEST_SECRET, SALT, NAME).content
    assert DigestEntries.from_bytes(content).entries == ENTRIES


@pytest.mark.parametrize("mode", ["public", "sealed"])
def test_the_largest_entries_fit_in_every_mode_and_no_larger_in_any(mode: str) -> None:
    """A policy's digest may be sealed or not: what can be coupled does not depend on it."""
    most = entries_of(16_368)
    digest = make_digest(mode, most, DIGEST_SECRET, SALT, NAME)  # type: ignore[arg-type]
    assert read_digest(Digest.from_bytes(digest.to_bytes()), DIGEST_SECRET, SALT, NAME) == most
    with pytest.raises(DocumentProblem, match="take more than 16368 bytes"):
        make_digest(mode, entries_of(16_369), DIGEST_SECRET, SALT, NAME)  # type: ignore[arg-type]


def entries_of(size: int) -> tuple[DigestFields, ...]:
    """Sixteen entries of so many bytes in all."""
    most = (DigestFields(name="n" * 1000),) * 15
    least = len(DigestEntries((*most, DigestFields(name="n" * 500, place="p" * 256))).to_bytes())
    return (*most, DigestFields(name="n" * 500, place="p" * (256 + size - least)))


def test_a_sealed_digest_shows_none_of_them() -> None:
    """Not a word of the name."""
    content = make_digest("sealed", ENTRIES, DIGEST_SECRET, SALT, NAME).content
    assert FIELDS.name.encode() not in content
    assert FIELDS.item_class.encode() not in content


def test_a_vacant_digest_is_empty() -> None:
    """And the same for all."""
    assert make_digest("vacant", ENTRIES, DIGEST_SECRET, SALT, NAME) == VACANT


@pytest.mark.parametrize(
    ("secret_label", "salt_label", "name"),
    [
        ("another secret", "salt", NAME),
        ("digest secret", "another salt", NAME),
        ("digest secret", "salt", OTHER_ITEM),
        ("digest secret", "salt", OTHER_GENERATION),
    ],
    ids=["wallet", "batch", "item", "generation"],
)
def test_a_sealed_digest_is_read_only_where_it_belongs(
    secret_label: str, salt_label: str, name: ItemName
) -> None:
    """Its wallet, its batch, its item, its generation."""
    digest = make_digest("sealed", ENTRIES, DIGEST_SECRET, SALT, NAME)
    with pytest.raises(SealBroken):
        read_digest(digest, draw(secret_label, 32), draw(salt_label, SALT_BYTES), name)


def test_a_value_is_no_digest_and_a_digest_no_value() -> None:
    """The role is in the key."""
    digest = make_digest("sealed", ENTRIES, DIGEST_SECRET, SALT, NAME)
    with pytest.raises(SealBroken):
        secret().open(NAME, WHOLE, digest.content)
    value = secret().seal(NAME, WHOLE, DigestEntries(ENTRIES).to_bytes())
    with pytest.raises(SealBroken):
        read_digest(Digest("sealed", value), DIGEST_SECRET, SALT, NAME)


def test_a_public_digest_of_nonsense_cannot_be_built() -> None:
    """The document checks itself."""
    with pytest.raises((DocumentMalformed, ValueError)):
        Digest("public", b"nonsense")
