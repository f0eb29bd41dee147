"""Rosters are put together, signed one by one, and judged."""

import pytest
from msgspec.structs import replace

from support.safe_requests import seeded
from support.sample_documents import CHAIN, GENESIS, NOW, OPERATORS, WALLET, safe_entry, signed_by
from trust.errors import RosterRefused
from trust.roster import RosterSignature, SignedRoster, verify_chain
from wallet_client.cli.ceremony import assembled, signatures_of, with_signature

ENTRIES = tuple(safe_entry(number) for number in range(1, 6))
RNG = seeded("ceremony")
NAMES = tuple(entry.name for entry in ENTRIES)


def test_a_genesis_holds_once_all_have_signed() -> None:
    """Before that, who is missing is known by name."""
    chain = assembled(ENTRIES, 3, NOW, RNG)
    genesis = chain[-1].roster
    assert replace(genesis, decoys=GENESIS.decoys) == GENESIS
    for done, operator in enumerate(OPERATORS):
        state = signatures_of(chain)
        assert (state.signed, state.waiting, state.needed) == (NAMES[:done], NAMES[done:], 5)
        assert not state.complete
        with pytest.raises(RosterRefused):
            verify_chain(chain)
        chain = with_signature(chain, operator)
    assert signatures_of(chain).complete
    assert verify_chain(chain) == genesis


def test_a_successor_follows_and_needs_fewer() -> None:
    """Version 2 names the hash of version 1; n - k + 1 of the old operators sign it."""
    chain = assembled(ENTRIES, 3, NOW + 1, RNG, CHAIN[:1])
    assert (chain[-1].roster.version, chain[-1].roster.previous) == (2, GENESIS.fingerprint)
    assert signatures_of(chain).needed == 3
    for operator in OPERATORS[:3]:
        chain = with_signature(chain, operator)
    assert verify_chain(chain).version == 2


def test_signing_twice_changes_nothing() -> None:
    """One signature for each operator."""
    once = with_signature(assembled(ENTRIES, 3, NOW, RNG), OPERATORS[0])
    assert with_signature(once, OPERATORS[0]) == once


def test_a_strangers_key_signs_nothing() -> None:
    """Only operators of the roster that must sign do."""
    with pytest.raises(RosterRefused, match="none of the operators"):
        with_signature(assembled(ENTRIES, 3, NOW, RNG), WALLET)


def test_a_bad_signature_does_not_count() -> None:
    """It stands under an operator's key and does not hold."""
    forged = RosterSignature(OPERATORS[0].public, signed_by(GENESIS, OPERATORS[1]).signatures[0].signature)
    state = signatures_of((SignedRoster(GENESIS, (forged,)),))
    assert (state.signed, state.complete) == ((), False)


@pytest.mark.parametrize(
    ("entries", "threshold"),
    [
        pytest.param((), 1, id="no safe"),
        pytest.param(ENTRIES, 6, id="a threshold above the number of safes"),
        pytest.param((*ENTRIES, ENTRIES[0]), 3, id="one safe twice"),
    ],
)
def test_entries_that_make_no_roster_are_refused(entries: tuple[object, ...], threshold: int) -> None:
    """With the reason."""
    with pytest.raises(RosterRefused):
        assembled(entries, threshold, NOW, RNG)  # type: ignore[arg-type]


def test_nothing_follows_a_chain_that_does_not_hold() -> None:
    """The version before must be signed."""
    with pytest.raises(RosterRefused, match="signatures"):
        assembled(ENTRIES, 3, NOW, RNG, (SignedRoster(GENESIS),))
