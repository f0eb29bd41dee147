"""Key sharing against RFC 9591's vector and the Zcash Foundation's."""

from typing import Any

import pytest
from vectors.loading import load

from threshold import feldman
from threshold.errors import NotEnoughShares
from threshold.feldman import ScalarShare
from threshold.ristretto import Point, Scalar

RFC9591 = load("rfc9591_frost_ristretto255_sha512.json")["inputs"]
BIG = load("zf_frost_ristretto255_big_identifier.json")["inputs"]
DKG = load("zf_frost_ristretto255_dkg.json")["inputs"]
DEALERS = ("1", "2", "3")


def scalar(encoded: str) -> Scalar:
    return Scalar.from_bytes(bytes.fromhex(encoded))


def point(encoded: str) -> Point:
    return Point.from_bytes(bytes.fromhex(encoded))


def polynomial(inputs: dict[str, Any]) -> tuple[Scalar, ...]:
    return (scalar(inputs["group_secret_key"]), *map(scalar, inputs["share_polynomial_coefficients"]))


@pytest.mark.parametrize(
    ("inputs", "public_key"),
    [(RFC9591, "group_public_key"), (BIG, "verifying_key_key")],
    ids=["rfc9591", "zf big"],
)
def test_the_polynomial_gives_each_participants_share_and_the_public_key(
    inputs: dict[str, Any], public_key: str
) -> None:
    """Three holders, and 257 of them: nothing is cut to a byte."""
    coefficients = polynomial(inputs)
    commitments = feldman.commit(coefficients)
    assert commitments[0] == point(inputs[public_key])
    for participant in inputs["participant_shares"]:
        identifier = Scalar.from_index(participant["identifier"])
        value = scalar(participant["participant_share"])
        assert feldman.evaluate_at(coefficients, identifier) == value
        feldman.verify_share_at(identifier, value, commitments, 2)


@pytest.mark.parametrize("inputs", [RFC9591, BIG], ids=["rfc9591", "zf big"])
def test_the_listed_participants_combine_to_the_secret(inputs: dict[str, Any]) -> None:
    """129, 256 and 257 among them."""
    values = {one["identifier"]: scalar(one["participant_share"]) for one in inputs["participant_shares"]}
    points = [(Scalar.from_index(name), values[name]) for name in inputs["participant_list"]]
    assert feldman.combine_at(points, 2) == scalar(inputs["group_secret_key"])
    assert feldman.combine_at(points[::-1], 2) == scalar(inputs["group_secret_key"])
    with pytest.raises(NotEnoughShares):
        feldman.combine_at(points[:1], 2)


def test_rfc9591_shares_combine_by_their_small_indices_too() -> None:
    """The way Kura names holders."""
    shares = [
        ScalarShare(one["identifier"], scalar(one["participant_share"]))
        for one in RFC9591["participant_shares"]
    ]
    for pair in (shares[:2], shares[1:], shares[::2]):
        assert feldman.combine(pair, 2) == scalar(RFC9591["group_secret_key"])


@pytest.mark.parametrize("dealer", DEALERS)
def test_each_dkg_dealer_commits_to_its_polynomial(dealer: str) -> None:
    """The commitments are those of the signing key and its coefficient."""
    coefficients = (scalar(DKG[dealer]["signing_key"]), scalar(DKG[dealer]["coefficient"]))
    assert feldman.commit(coefficients) == tuple(map(point, DKG[dealer]["vss_commitments"]))


@pytest.mark.parametrize("holder", DEALERS)
def test_each_dkg_holder_checks_what_it_receives_and_sums_it(holder: str) -> None:
    """The inbound shares match their dealers' commitments; with the own one they sum to the signing share."""
    x = int(holder)
    own = (scalar(DKG[holder]["signing_key"]), scalar(DKG[holder]["coefficient"]))
    total = feldman.evaluate_at(own, Scalar.from_index(x))
    for dealer, value in DKG[holder]["signing_shares"].items():
        share = ScalarShare(x, scalar(value))
        feldman.verify_share(share, tuple(map(point, DKG[dealer]["vss_commitments"])), 2)
        total += share.value
    assert total == scalar(DKG[holder]["signing_share"])
    assert Point.base_mul(total) == point(DKG[holder]["verifying_share"])


def test_any_two_dkg_holders_have_the_key_behind_the_verifying_key() -> None:
    """The sum of the dealings is a dealing of the sum."""
    shares = [ScalarShare(int(holder), scalar(DKG[holder]["signing_share"])) for holder in DEALERS]
    for pair in (shares[:2], shares[1:], shares[::2]):
        assert Point.base_mul(feldman.combine(pair, 2)) == point(DKG["verifying_key"])
