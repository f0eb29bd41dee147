"""When a request is fresh, stale or replayed: the pure judgement."""

import pytest

from rpc_edge.freshness import SLOT_MS, FreshnessJudge
from trust.ids import WalletKey
from trust.refusals import RequestReplayed, RequestStale
from trust.request import FRESH_MS

START = 1_800_000_000_000
NOW = START + 10 * FRESH_MS
ALICE, BOB = WalletKey(b"a" * 32), WalletKey(b"b" * 32)


def nonce(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.mark.parametrize("offset", [-FRESH_MS, -1, 0, 1, FRESH_MS])
def test_a_request_within_five_minutes_is_accepted_once(offset: int) -> None:
    judge = FreshnessJudge(START)
    judge.admit(ALICE, nonce(1), NOW + offset, NOW)
    with pytest.raises(RequestReplayed):
        judge.admit(ALICE, nonce(1), NOW + offset, NOW)


@pytest.mark.parametrize("offset", [-FRESH_MS - 1, FRESH_MS + 1, -NOW, 2**53 - NOW])
def test_a_request_beyond_five_minutes_is_stale(offset: int) -> None:
    with pytest.raises(RequestStale) as caught:
        FreshnessJudge(START).admit(ALICE, nonce(1), NOW + offset, NOW)
    assert caught.value.server_time_ms == NOW


def test_a_request_older_than_the_process_is_stale() -> None:
    judge = FreshnessJudge(START)
    with pytest.raises(RequestStale):
        judge.admit(ALICE, nonce(1), START - 1, START + 1)
    judge.admit(ALICE, nonce(1), START, START + 1)


def test_nonces_belong_to_their_wallet() -> None:
    """Nobody uses up another's nonce."""
    judge = FreshnessJudge(START)
    judge.admit(ALICE, nonce(1), NOW, NOW)
    judge.admit(BOB, nonce(1), NOW, NOW)


def test_a_nonce_is_remembered_as_long_as_its_request_would_be_fresh() -> None:
    """Accepted never twice, whenever it is sent again."""
    judge = FreshnessJudge(START)
    issued = NOW + FRESH_MS
    judge.admit(ALICE, nonce(1), issued, NOW)
    for now in range(NOW, NOW + 3 * FRESH_MS, 1000):
        with pytest.raises((RequestReplayed, RequestStale)):
            judge.admit(ALICE, nonce(1), issued, now)


def test_what_was_forgotten_stays_refused_when_the_clock_is_set_back() -> None:
    judge = FreshnessJudge(START)
    judge.admit(ALICE, nonce(1), NOW, NOW)
    judge.admit(ALICE, nonce(2), NOW + 3 * FRESH_MS, NOW + 3 * FRESH_MS)
    with pytest.raises(RequestStale):
        judge.admit(ALICE, nonce(1), NOW, NOW)


def test_a_clock_that_jumped_ahead_and_came_back_does_not_shut_the_safe() -> None:
    judge = FreshnessJudge(START)
    judge.admit(ALICE, nonce(1), NOW, NOW)
    with pytest.raises(RequestStale):
        judge.admit(ALICE, nonce(2), NOW, NOW + 20 * FRESH_MS)
    judge.admit(ALICE, nonce(3), NOW + 2 * SLOT_MS, NOW + 2 * SLOT_MS)


def test_a_full_memory_makes_room_also_after_the_clock_was_set_back() -> None:
    judge = FreshnessJudge(START, remembered=10)
    with pytest.raises(RequestStale):
        judge.admit(ALICE, nonce(0), NOW, NOW + FRESH_MS + SLOT_MS)
    for number in range(10):
        judge.admit(ALICE, nonce(number), NOW - SLOT_MS, NOW)
    judge.admit(ALICE, nonce(10), NOW + SLOT_MS, NOW + SLOT_MS)
    with pytest.raises(RequestStale):
        judge.admit(ALICE, nonce(0), NOW - SLOT_MS, NOW + SLOT_MS)


def test_when_full_the_window_narrows_and_punctual_wallets_stay_served() -> None:
    """The oldest nonces go, their time is refused from then on, and nothing is accepted twice."""
    judge = FreshnessJudge(START, remembered=100)
    now = NOW
    for number in range(1000):
        now += 1000
        judge.admit(ALICE, nonce(number), now, now)
    with pytest.raises(RequestStale):
        judge.admit(BOB, nonce(1), now - FRESH_MS + 1000, now)
    for number in range(1000):
        with pytest.raises((RequestReplayed, RequestStale)):
            judge.admit(ALICE, nonce(number), NOW + (number + 1) * 1000, now)


def test_requests_from_the_future_cannot_fill_the_memory() -> None:
    """Half is theirs at most; the present is served from the rest."""
    judge = FreshnessJudge(START, remembered=100)
    for number in range(50):
        judge.admit(BOB, nonce(number), NOW + FRESH_MS, NOW)
    with pytest.raises(RequestStale):
        judge.admit(BOB, nonce(50), NOW + FRESH_MS, NOW)
    now = NOW
    for number in range(200):
        now += 1000
        judge.admit(ALICE, nonce(number), now, now)


def test_more_than_fits_into_the_narrowest_window_is_refused_not_forgotten() -> None:
    judge = FreshnessJudge(START, remembered=10)
    for number in range(10):
        judge.admit(ALICE, nonce(number), NOW, NOW)
    with pytest.raises(RequestStale):
        judge.admit(ALICE, nonce(10), NOW, NOW)
    for number in range(10):
        with pytest.raises(RequestReplayed):
            judge.admit(ALICE, nonce(number), NOW, NOW)
