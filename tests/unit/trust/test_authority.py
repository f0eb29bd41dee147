"""What an authority says of itself is believed from its own identity, in one form, and never backwards."""

from typing import Any

import msgspec
import pytest

from support.sample_authority import (
    DAY,
    DESCRIPTION,
    IDENTITY,
    OLD_SIGNING,
    SIGNED_DESCRIPTION,
    SIGNING,
    described,
)
from support.sample_documents import NOW, key
from trust.authority import (
    AuthorityDescription,
    SignedAuthority,
    SigningPeriod,
    describe_authority,
    device_origin,
    follow_authority,
    read_authority,
    read_description,
    write_authority,
)
from trust.errors import AuthorityRefused, DocumentMalformed, SignatureInvalid

OTHER = key("another authority")


def test_a_description_is_read_as_it_was_signed() -> None:
    assert read_description(SIGNED_DESCRIPTION) == DESCRIPTION
    assert DESCRIPTION.relying_party == f"authority-{IDENTITY.public.hex()[:32]}"
    assert device_origin("authority-1") == "https://authority-1"


WRONG: dict[str, dict[str, Any]] = {
    "a name that is no label": {"name": "Authority"},
    "an endpoint without a port": {"endpoint": "auth.example.org"},
    "a sealing key of low order": {"sealing_key": bytes(32)},
    "no signing key": {"signing_keys": ()},
    "a signing key twice": {"signing_keys": (DESCRIPTION.signing_keys[0],) * 2},
    "the identity as a signing key": {"signing_keys": (SigningPeriod(IDENTITY.public, 1, 2),)},
    "keys in another order": {"signing_keys": DESCRIPTION.signing_keys[::-1]},
    "another identity": {"identity_key": OTHER.public},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises((AuthorityRefused, ValueError)):
        describe_authority(msgspec.structs.replace(DESCRIPTION, **changes), IDENTITY)


@pytest.mark.parametrize("changes", list(WRONG.values())[:-1], ids=list(WRONG)[:-1])
def test_what_cannot_be_meant_is_not_read(changes: dict[str, Any]) -> None:
    fields = msgspec.structs.asdict(DESCRIPTION) | changes
    body = msgspec.msgpack.encode([fields[name] for name in DESCRIPTION.__struct_fields__])
    with pytest.raises(DocumentMalformed):
        AuthorityDescription.from_bytes(body)


def test_a_signing_time_ends_after_it_begins() -> None:
    with pytest.raises(ValueError, match="not after it begins"):
        SigningPeriod(SIGNING.public, NOW, NOW)


def test_a_description_that_another_key_signed_is_refused() -> None:
    body = SIGNED_DESCRIPTION.description
    forged = SignedAuthority(body, OTHER.sign(AuthorityDescription.title, body))
    with pytest.raises(SignatureInvalid):
        read_description(forged)
    with pytest.raises(AuthorityRefused, match="does not hold"):
        follow_authority(forged, DESCRIPTION)


def test_the_same_or_a_newer_version_is_followed() -> None:
    assert follow_authority(SIGNED_DESCRIPTION, DESCRIPTION) == DESCRIPTION
    assert follow_authority(described(version=3), DESCRIPTION).version == 3


STRANGERS = {
    "another authority's": (
        describe_authority(msgspec.structs.replace(DESCRIPTION, identity_key=OTHER.public, version=9), OTHER),
        "its identity is not the one that was pinned",
    ),
    "an older version": (described(version=1), "shows version 1, but 2 was seen"),
    "another of the same version": (described(name="other"), "two descriptions of one version"),
}


@pytest.mark.parametrize(("signed", "words"), STRANGERS.values(), ids=STRANGERS)
def test_what_may_not_take_the_place_of_the_pinned_one(signed: SignedAuthority, words: str) -> None:
    with pytest.raises(AuthorityRefused, match=words):
        follow_authority(signed, DESCRIPTION)


SIGNERS = {
    "the newest, now": (SIGNING, (NOW,), ""),
    "the one before, in the overlap": (OLD_SIGNING, (NOW, NOW + 899), ""),
    "the one before, once it is retired": (OLD_SIGNING, (NOW, NOW + 900), "retired"),
    "the newest, before it begins": (SIGNING, (NOW - 301,), "not yet in use"),
    "a key that is not described": (OTHER, (NOW,), "not the authority's"),
}


@pytest.mark.parametrize(("signer", "at", "words"), SIGNERS.values(), ids=SIGNERS)
def test_a_signing_key_holds_in_its_time_alone(signer: Any, at: tuple[int, ...], words: str) -> None:
    if not words:
        DESCRIPTION.check_signing(signer.public, at)
        return
    with pytest.raises(AuthorityRefused, match=words):
        DESCRIPTION.check_signing(signer.public, at)


def test_the_file_says_in_clear_what_is_signed() -> None:
    data = write_authority(SIGNED_DESCRIPTION)
    assert read_authority(data) == SIGNED_DESCRIPTION
    assert IDENTITY.public.hex().encode() in data
    assert DAY


FILES = {
    "no JSON": (b"{", "no signed description"),
    "too long": (b" " * 65_537, "no signed description"),
    "no hexadecimal": (b'{"format":"","name":"","identity_key":"","document":"x"}', "no signed description"),
    "no document": (b'{"format":"","name":"","identity_key":"","document":"00"}', "no signed description"),
    "another name in clear": (
        write_authority(SIGNED_DESCRIPTION).replace(b'"authority"', b'"authoritY"'),
        "something else than what is signed",
    ),
}


@pytest.mark.parametrize(("data", "words"), FILES.values(), ids=FILES)
def test_a_file_that_is_none_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(AuthorityRefused, match=words):
        read_authority(data)
