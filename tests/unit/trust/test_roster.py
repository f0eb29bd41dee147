"""A roster is believed from its pinned genesis on, version by version, and names each safe once."""

from typing import Any

import msgspec
import pytest

from support.messagepack import pack, plain
from support.sample_documents import (
    CHAIN,
    GENESIS,
    NOW,
    OPERATORS,
    SAFE_IDS,
    SAFE_KEYS,
    SUCCESSOR,
    draw,
    hash_of,
    key,
    safe_entry,
    signed_by,
)
from trust.documents import DocumentProblem, SigningKey
from trust.errors import DocumentMalformed, RosterRefused
from trust.ids import SafeId, Signature
from trust.roster import Roster, RosterSignature, SafeEntry, SignedRoster, verify_chain

FIRST = CHAIN[0]
SEALING_KEY = safe_entry(1).sealing_key


def refused(chain: list[SignedRoster], **arguments: Any) -> str:
    with pytest.raises(RosterRefused) as caught:
        verify_chain(chain, **arguments)
    assert str(caught.value) == f"The roster is refused: {caught.value.problem}."
    return caught.value.problem


def entry(**fields: Any) -> SafeEntry:
    return msgspec.structs.replace(safe_entry(1), **fields)


def test_a_genesis_signed_by_all_is_accepted() -> None:
    """And its fingerprint may be pinned."""
    assert verify_chain([FIRST]) == GENESIS
    assert verify_chain([FIRST], pinned_genesis=GENESIS.fingerprint) == GENESIS


def test_a_chain_gives_its_newest_version() -> None:
    """From the pinned genesis, and not older than what was seen."""
    assert verify_chain(CHAIN, GENESIS.fingerprint, at_least=2) == SUCCESSOR


def test_no_version_is_no_roster() -> None:
    """An empty file pins nothing."""
    assert refused([]) == "it is empty"


def test_a_chain_must_start_with_the_genesis() -> None:
    """A later version alone proves nothing about those who signed it."""
    assert refused([CHAIN[1]]) == "it does not start with version 1"


def test_another_genesis_than_the_pinned_one_is_refused() -> None:
    """Whoever signed it."""
    other = msgspec.structs.replace(GENESIS, created_at=NOW + 1)
    problem = refused([signed_by(other, *OPERATORS)], pinned_genesis=GENESIS.fingerprint)
    assert problem == "its fingerprint is not the one pinned when this wallet was made"
    assert "pinned" in refused([FIRST], pinned_genesis=hash_of("other"))


@pytest.mark.parametrize("missing", range(5))
def test_a_genesis_needs_every_operator(missing: int) -> None:
    """Four of five are not all."""
    signers = [operator for number, operator in enumerate(OPERATORS) if number != missing]
    assert refused([signed_by(GENESIS, *signers)]) == "version 1 has 4 of the 5 signatures it needs"


def test_an_operator_counts_once() -> None:
    """However often they sign."""
    twice = signed_by(GENESIS, *OPERATORS[:4], OPERATORS[0], OPERATORS[0])
    assert refused([twice]) == "version 1 has 4 of the 5 signatures it needs"


@pytest.mark.parametrize("stranger", [key("stranger"), SAFE_KEYS[4]], ids=["stranger", "safe's-own-key"])
def test_a_strangers_signature_counts_for_nothing(stranger: SigningKey) -> None:
    """Nor does a safe's signing key: it lies on the safe, and the operator's must not."""
    assert refused([signed_by(GENESIS, *OPERATORS[:4], stranger)]) == (
        "version 1 has 4 of the 5 signatures it needs"
    )
    assert verify_chain([signed_by(GENESIS, *OPERATORS, stranger)]) == GENESIS


@pytest.mark.parametrize(
    "signature",
    [
        RosterSignature(OPERATORS[0].public, Signature(bytes(64))),
        RosterSignature(OPERATORS[1].public, FIRST.signatures[0].signature),
        RosterSignature(OPERATORS[0].public, CHAIN[1].signatures[0].signature),
        RosterSignature(bytes(32), Signature(bytes([1]) + bytes(63))),
    ],
    ids=["zero", "another-operator's", "of-another-version", "low-order-key"],
)
def test_a_signature_that_does_not_hold_is_refused_and_not_skipped(signature: RosterSignature) -> None:
    """Even when enough good ones are there: somebody tampered with the file."""
    chain = [msgspec.structs.replace(FIRST, signatures=(*FIRST.signatures, signature))]
    assert refused(chain) == "a signature of version 1 does not hold"


def roster_of(n: int, k: int) -> Roster:
    """A genesis of n safes (5 at most) with threshold k."""
    return Roster(1, b"", NOW, k, GENESIS.safes[:n], GENESIS.decoys[:n])


NEEDED = [
    (1, 1, 1),
    (2, 1, 2),
    (2, 2, 2),
    (3, 2, 2),
    (4, 2, 3),
    (5, 1, 5),
    (5, 2, 4),
    (5, 3, 3),
    (5, 4, 4),
    (5, 5, 5),
]
"""Safes, threshold k, and how many operators must sign the next version: max(k, n - k + 1)."""


@pytest.mark.parametrize(("n", "k", "needed"), NEEDED)
def test_a_new_version_needs_so_many_operators_of_the_one_before(n: int, k: int, needed: int) -> None:
    """With exactly as many it is accepted, with one fewer refused."""
    genesis = roster_of(n, k)
    assert genesis.successors_needed == needed
    following = Roster(2, genesis.fingerprint, NOW + 1, k, genesis.safes, genesis.decoys)
    chain = [signed_by(genesis, *OPERATORS[:n])]
    assert verify_chain([*chain, signed_by(following, *OPERATORS[:needed])]) == following
    problem = refused([*chain, signed_by(following, *OPERATORS[: needed - 1])])
    assert problem == f"version 2 has {needed - 1} of the {needed} signatures it needs"


def replaced_operators() -> Roster:
    """A version in which operators 3, 4 and 5 handed over to others."""
    handed = tuple(
        msgspec.structs.replace(safe, operator_key=key(f"new operator {number}").public)
        for number, safe in enumerate(GENESIS.safes[2:])
    )
    safes = (*GENESIS.safes[:2], *handed)
    return Roster(2, GENESIS.fingerprint, NOW + 1, 3, safes, SUCCESSOR.decoys)


def test_the_operators_of_the_version_before_decide() -> None:
    """Those who only come in with the new version have no say in it, and those who left have none later."""
    second = replaced_operators()
    new = [key(f"new operator {number}") for number in range(3)]
    assert refused([FIRST, signed_by(second, *OPERATORS[:2], *new)]) == (
        "version 2 has 2 of the 3 signatures it needs"
    )
    good = signed_by(second, *OPERATORS[2:])
    assert verify_chain([FIRST, good]) == second
    third = Roster(3, second.fingerprint, NOW + 2, 3, second.safes, second.decoys)
    assert refused([FIRST, good, signed_by(third, *OPERATORS)]) == (
        "version 3 has 2 of the 3 signatures it needs"
    )
    assert verify_chain([FIRST, good, signed_by(third, *new)]) == third


@pytest.mark.parametrize(
    "second",
    [
        msgspec.structs.replace(SUCCESSOR, version=3),
        msgspec.structs.replace(SUCCESSOR, previous=hash_of("other")),
        msgspec.structs.replace(SUCCESSOR, previous=SUCCESSOR.fingerprint),
        GENESIS,
    ],
    ids=["version-skipped", "of-another-roster", "of-itself", "genesis-again"],
)
def test_a_version_that_does_not_follow_is_refused(second: Roster) -> None:
    """Numbers rise by one, and each names the hash of the one before."""
    problem = refused([FIRST, signed_by(second, *OPERATORS)])
    assert problem == f"version {second.version} does not follow version 1"


def test_a_version_left_out_is_noticed() -> None:
    """Version 3 does not follow version 1."""
    third = msgspec.structs.replace(SUCCESSOR, version=3, previous=SUCCESSOR.fingerprint)
    assert verify_chain([*CHAIN, signed_by(third, *OPERATORS)]) == third
    assert "does not follow" in refused([FIRST, signed_by(third, *OPERATORS)])


def test_a_roll_back_is_refused() -> None:
    """Who saw version 2 does not go back to version 1, though all signed it."""
    assert refused([FIRST], at_least=2) == "it ends at version 1, but 2 was seen"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"version": 2}, "previous: only the genesis follows nothing"),
        ({"previous": bytes(32)}, "previous: only the genesis follows nothing"),
        ({"version": 2, "previous": bytes(31)}, "previous: only the genesis follows nothing"),
        ({"threshold": 6}, "threshold: more than there are safes"),
        ({"safes": ()}, "threshold: more than there are safes"),
        ({"safes": GENESIS.safes[:4]}, "decoys: must be one for each safe"),
        ({"decoys": GENESIS.decoys[:4]}, "decoys: must be one for each safe"),
        ({"decoys": (*GENESIS.decoys, bytes(80))}, "decoys: must be one for each safe"),
        ({"decoys": ()}, "decoys: must be one for each safe"),
    ],
    ids=[
        "no-previous",
        "genesis-with-previous",
        "previous-cut",
        "threshold-too-high",
        "no-safes",
        "a-safe-fewer",
        "a-decoy-fewer",
        "a-decoy-more",
        "no-decoys",
    ],
)
def test_a_roster_that_contradicts_itself_is_refused(fields: dict[str, Any], says: str) -> None:
    """When it is built."""
    with pytest.raises(DocumentProblem, match=says):
        msgspec.structs.replace(GENESIS, **fields)


@pytest.mark.parametrize(
    "field",
    [
        "safe_id",
        "name",
        "endpoint",
        "peer_endpoint",
        "signing_key",
        "sealing_key",
        "operator_key",
        "tls_certificate",
    ],
)
def test_nothing_may_stand_for_two_safes(field: str) -> None:
    """Else one safe could hold two pieces, or one operator sign twice."""
    first, second = GENESIS.safes[:2]
    doubled = msgspec.structs.replace(second, **{field: getattr(first, field)})
    with pytest.raises(DocumentProblem, match=f"{field}: stands for two safes"):
        msgspec.structs.replace(GENESIS, safes=(first, doubled, *GENESIS.safes[2:]))
    data = plain(GENESIS)
    assert isinstance(data, list)
    safes = [plain(first), plain(doubled), *[plain(safe) for safe in GENESIS.safes[2:]]]
    with pytest.raises(DocumentMalformed, match=f"{field}: stands for two safes"):
        Roster.from_bytes(pack([*data[:4], safes, *data[5:]]))


def test_one_operator_may_run_two_safes_under_two_keys() -> None:
    """The name of the operator is for people and need not be unique."""
    both = msgspec.structs.replace(GENESIS.safes[1], operator=GENESIS.safes[0].operator)
    two = msgspec.structs.replace(roster_of(2, 1), safes=(GENESIS.safes[0], both))
    assert two.safes[1] == both


@pytest.mark.parametrize("other", [0, 1], ids=["its-own", "another's"])
def test_an_operator_key_is_no_safes_signing_key(other: int) -> None:
    """Who breaks into a safe must not be able to sign rosters."""
    mixed = msgspec.structs.replace(GENESIS.safes[0], operator_key=GENESIS.safes[other].signing_key)
    with pytest.raises(DocumentProblem, match="operator_key: is a safe's signing key too"):
        msgspec.structs.replace(GENESIS, safes=(mixed, *GENESIS.safes[1:]))


@pytest.mark.parametrize(
    "sealing_key",
    [
        bytes(32),
        b"\1" + bytes(31),
        b"\xff" * 32,
        SEALING_KEY[:31],
        SEALING_KEY[:31] + bytes([SEALING_KEY[31] | 128]),
    ],
    ids=["zero", "low-order", "not-below-the-prime", "cut", "the-bit-that-x25519-ignores"],
)
def test_a_key_to_which_nothing_can_be_sealed_is_refused(sealing_key: bytes) -> None:
    """Nobody could open what is sealed to it, or anybody could."""
    with pytest.raises(DocumentProblem, match="sealing_key: must be an X25519 public key"):
        entry(sealing_key=sealing_key)


@pytest.mark.parametrize(
    "name", ["", "-a", "A", "a_b", "a.b", "ä", "a" * 64, "a\n", "a b", "a\x00", "safe-1 ", "١"]
)
def test_a_name_that_could_be_mistaken_is_refused(name: str) -> None:
    """Names go into certificates, command lines and file names."""
    with pytest.raises(DocumentProblem, match="name: must be a lower-case DNS label"):
        entry(name=name)


@pytest.mark.parametrize("name", ["a", "0", "safe-1", "a" * 63, "a-"])
def test_a_dns_label_is_a_name(name: str) -> None:
    """Lower-case letters, digits and hyphens, 63 at most."""
    assert entry(name=name).name == name


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "host",
        "host:",
        ":1",
        "host:0",
        "host:65536",
        "host:99999",
        "host:123456",
        "host:+1",
        "host:01",
        "host:1\n",
        "host:1 ",
        " host:1",
        "ho st:1",
        "host:1:2",
        "::1:7443",
        "[::1]",
        "[::1]:",
        "[host]:1",
        "unix:/tmp/s",
        "https://host:1",
        "user@host:1",
        "host:١",
        "h" * 254 + ":1",
    ],
)
def test_an_endpoint_that_is_not_host_and_port_is_refused(endpoint: str) -> None:
    """No scheme, no path, no white space, no port that is none."""
    with pytest.raises(DocumentProblem, match="endpoint: must be host:port"):
        entry(endpoint=endpoint)


@pytest.mark.parametrize(
    "endpoint", ["host:1", "127.0.0.1:65535", "[::1]:7443", "safe-1.example:7443", "h" * 253 + ":80"]
)
def test_host_and_port_are_an_endpoint(endpoint: str) -> None:
    """Names, IPv4, and IPv6 in brackets."""
    assert entry(endpoint=endpoint).endpoint == endpoint


def test_a_safe_is_found_by_its_id() -> None:
    """Or its absence said."""
    assert GENESIS.safe(SAFE_IDS[3]) == safe_entry(4)
    unknown = SafeId(draw("unknown", 16))
    with pytest.raises(RosterRefused, match=f"it has no safe {unknown.hex()}"):
        GENESIS.safe(unknown)


def test_the_fingerprint_changes_with_every_field() -> None:
    """It is the hash of all that is signed."""
    others = {
        msgspec.structs.replace(GENESIS, created_at=NOW + 1).fingerprint,
        msgspec.structs.replace(GENESIS, threshold=2).fingerprint,
        msgspec.structs.replace(GENESIS, safes=GENESIS.safes[::-1]).fingerprint,
        msgspec.structs.replace(GENESIS, safes=(entry(operator="x"), *GENESIS.safes[1:])).fingerprint,
        msgspec.structs.replace(GENESIS, decoys=GENESIS.decoys[::-1]).fingerprint,
        SUCCESSOR.fingerprint,
    }
    assert len(others | {GENESIS.fingerprint}) == 7
