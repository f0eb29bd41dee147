"""A version is assembled with a fresh secret that each of its safes opens, and nobody else."""

import pytest
from msgspec.structs import replace

from support.safe_requests import seeded
from support.sample_documents import (
    DECOY_SECRETS,
    GENESIS,
    NOW,
    SAFE_IDS,
    SEALING_PAIRS,
    SUCCESSOR,
    draw,
    safe_entry,
    sealing_pair,
)
from threshold.errors import InvalidLength, SealBroken
from trust.decoys import assemble_roster, open_decoy, seal_decoys
from trust.errors import RosterRefused
from trust.ids import SafeId
from trust.roster import Roster, SafeEntry

SECRET = draw("a decoy secret", 32)


def assembled(label: str, before: Roster | None = None) -> Roster:
    return assemble_roster(GENESIS.safes, 3, NOW, seeded(label), before)


def opened(roster: Roster) -> set[bytes]:
    """What its safes open."""
    return {open_decoy(roster, safe_id, pair) for safe_id, pair in zip(SAFE_IDS, SEALING_PAIRS, strict=True)}


@pytest.mark.parametrize("roster", [GENESIS, SUCCESSOR], ids=["genesis", "successor"])
def test_decoys_of_the_first_day_open(roster: Roster) -> None:
    """Rosters are kept for years, so suite and labels are pinned."""
    assert opened(roster) == {DECOY_SECRETS[roster.version - 1]}


def test_all_safes_of_a_version_open_one_secret() -> None:
    """It is the 32 bytes that the randomness gave."""
    assert opened(assembled("first")) == {seeded("first").read(32)}


def test_a_version_is_a_genesis_or_follows_the_one_before() -> None:
    """Each has a secret of its own, and only the secret and its seals are new."""
    genesis = assembled("first")
    assert replace(genesis, decoys=GENESIS.decoys) == GENESIS
    second = assembled("second", genesis)
    assert (second.version, second.previous) == (2, genesis.fingerprint)
    assert opened(second) != opened(genesis)


def test_two_seals_of_one_secret_differ() -> None:
    """The same randomness assembles rosters of different fingerprints: HPKE draws keys of its own."""
    assert assembled("first").fingerprint != assembled("first").fingerprint


def test_another_key_opens_nothing() -> None:
    """Neither another safe's nor a stranger's."""
    for pair in (SEALING_PAIRS[1], sealing_pair("stranger")):
        with pytest.raises(SealBroken):
            open_decoy(GENESIS, SAFE_IDS[0], pair)


def test_a_decoy_in_another_safes_place_does_not_open() -> None:
    """Though both safes had the same key: it is bound to the safe's id."""
    first = safe_entry(1)
    moved = replace(first, safe_id=SafeId(draw("another safe", 16)))
    roster = Roster(1, b"", NOW, 1, (moved,), seal_decoys((first,), SECRET))
    with pytest.raises(SealBroken):
        open_decoy(roster, moved.safe_id, SEALING_PAIRS[0])


def test_a_changed_decoy_does_not_open() -> None:
    """With one bit turned."""
    first = GENESIS.decoys[0]
    changed = replace(GENESIS, decoys=(first[:-1] + bytes([first[-1] ^ 1]), *GENESIS.decoys[1:]))
    with pytest.raises(SealBroken):
        open_decoy(changed, SAFE_IDS[0], SEALING_PAIRS[0])


def test_a_stranger_has_no_decoy() -> None:
    """The roster has no such safe."""
    with pytest.raises(RosterRefused, match="it has no safe"):
        open_decoy(GENESIS, SafeId(draw("unknown", 16)), SEALING_PAIRS[0])


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_secret_of_another_length_is_not_sealed(length: int) -> None:
    """32 bytes."""
    with pytest.raises(InvalidLength):
        seal_decoys(GENESIS.safes, bytes(length))


@pytest.mark.parametrize(
    ("entries", "threshold", "says"),
    [
        pytest.param((), 1, "threshold: more than there are safes", id="no safe"),
        pytest.param(GENESIS.safes, 6, "threshold: more than there are safes", id="a threshold too high"),
        pytest.param(GENESIS.safes, 0, "Expected `int` >= 1", id="a threshold of none"),
        pytest.param(
            (*GENESIS.safes, safe_entry(1)), 3, "safe_id: stands for two safes", id="one safe twice"
        ),
    ],
)
def test_what_makes_no_roster_is_refused(entries: tuple[SafeEntry, ...], threshold: int, says: str) -> None:
    """With the reason."""
    with pytest.raises(RosterRefused, match=says):
        assemble_roster(entries, threshold, NOW, seeded("first"))
