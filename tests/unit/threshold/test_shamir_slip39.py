"""SLIP-39's public vectors, as far as they speak of plain Shamir over GF(2^8)/0x11b.

SLIP-39 numbers shares from 0 and keeps the secret at 255; Kura refuses x = 0. Interpolation depends only on
differences of x, so adding 128 (an exclusive-or) to every x, target included, moves its vectors into range.

Of the 30 cases to refuse, twelve speak of shares: too few members or groups (5, 14, 15, 16 and 24, 33, 34,
35), an impossible threshold (10, 29) and duplicate members (11, 30). The others speak of what plain shares
do not have: checksum and padding of words (2, 3, 21, 22), the identifier, exponent, group and member
thresholds repeated in every mnemonic (6 to 9, 12, 25 to 28, 31), the digest at 254 (13, 32), and SLIP-39's
own minimal lengths (39, 40). Kura's piece roots and manifests stand in their place.
"""

from typing import Any, NamedTuple

import pytest
from vectors.loading import load, load_words

from threshold import shamir
from threshold.errors import DuplicateShareIndex, InvalidThreshold, NotEnoughShares, ThresholdError
from threshold.randomness import SeededRandomness
from threshold.shamir import ByteShare

CASES = load("slip39_gf256_points.json")["cases"]
MNEMONICS = {name.split(".")[0]: mnemonics for name, mnemonics, *_ in load("slip39_vectors.json")}
WORDS = {word: number for number, word in enumerate(load_words("slip39_wordlist.txt"))}
MOVE = 128


class Member(NamedTuple):
    group_index: int
    group_threshold: int
    group_count: int
    threshold: int
    share: ByteShare


def read_member(mnemonic: str) -> Member:
    """The fields of one mnemonic: 10 bits a word, 40 bits of header, the value, 30 bits of checksum."""
    numbers = [WORDS[word] for word in mnemonic.split()]
    header = sum(number << (10 * place) for place, number in enumerate(reversed(numbers[:4])))
    value = sum(number << (10 * place) for place, number in enumerate(reversed(numbers[4:-3])))
    group_index, group_threshold, group_count, x, threshold = (header >> at & 15 for at in (16, 12, 8, 4, 0))
    length = 10 * len(numbers[4:-3]) // 16 * 2
    share = ByteShare(x ^ MOVE, value.to_bytes(length, "big"))
    return Member(group_index, group_threshold + 1, group_count + 1, threshold + 1, share)


def moved_shares(group: dict[str, Any]) -> list[ByteShare]:
    return [ByteShare(share["x"] ^ MOVE, bytes.fromhex(share["y"])) for share in group["shares"]]


def group_secret(group: dict[str, Any], at: int) -> bytes:
    """A threshold of one keeps the secret as it is, at every x."""
    return shamir.interpolate_at(moved_shares(group), group["member_threshold"], at ^ MOVE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_members_give_their_groups_secret_and_digest(case: dict[str, Any]) -> None:
    """f(255) and f(254) of every group of every valid case."""
    for group in case["groups"]:
        assert group_secret(group, 255).hex() == group["secret_at_255"]
        if group["digest_at_254"]:
            assert group_secret(group, 254).hex() == group["digest_at_254"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_groups_give_the_encrypted_master_secret(case: dict[str, Any]) -> None:
    """The groups' secrets are shares themselves."""
    shares = [ByteShare(group["group_index"] ^ MOVE, group_secret(group, 255)) for group in case["groups"]]
    assert (
        shamir.interpolate_at(shares, case["group_threshold"], 255 ^ MOVE).hex()
        == case["encrypted_master_secret"]
    )


def combine_mnemonics(mnemonics: list[str]) -> bytes:
    """Members to groups to master secret, with the library's own refusals."""
    members = [read_member(mnemonic) for mnemonic in mnemonics]
    first = members[0]
    if first.group_threshold > first.group_count:  # what a dealer of such a scheme would be told
        shamir.split(
            b"", first.group_threshold, range(1, first.group_count + 1), SeededRandomness(bytes(32), b"")
        )
    groups: dict[int, list[Member]] = {}
    for member in members:
        groups.setdefault(member.group_index, []).append(member)
    secrets = [
        ByteShare(
            index ^ MOVE,
            shamir.interpolate_at([one.share for one in group], group[0].threshold, 255 ^ MOVE),
        )
        for index, group in groups.items()
    ]
    return shamir.interpolate_at(secrets, first.group_threshold, 255 ^ MOVE)


def test_reading_mnemonics_gives_the_points_file() -> None:
    """The reader above is right where the answer is known."""
    assert combine_mnemonics(MNEMONICS["4"]).hex() == CASES[1]["encrypted_master_secret"]


@pytest.mark.parametrize(
    ("number", "error"),
    [
        ("5", NotEnoughShares),
        ("10", InvalidThreshold),
        ("11", DuplicateShareIndex),
        ("14", NotEnoughShares),
        ("15", NotEnoughShares),
        ("16", NotEnoughShares),
        ("24", NotEnoughShares),
        ("29", InvalidThreshold),
        ("30", DuplicateShareIndex),
        ("33", NotEnoughShares),
        ("34", NotEnoughShares),
        ("35", NotEnoughShares),
    ],
)
def test_slip39_cases_to_refuse(number: str, error: type[ThresholdError]) -> None:
    """The kind of refusal is the one the case is about."""
    with pytest.raises(error):
        combine_mnemonics(MNEMONICS[number])
