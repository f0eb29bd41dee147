"""Waits, rates, sessions, names and what is taken once: small rules, each with its edges."""

import pytest

from auth_service.decisions.names import account_name, name_id, password_bytes
from auth_service.decisions.rates import CallRates
from auth_service.decisions.sessions import joined, living, new_session, token_hash
from auth_service.decisions.throttling import LONGEST_WAIT_MS, next_try_at_ms, plan_try
from auth_service.handlers.rates import counted_address
from auth_service.once import TakenOnce
from auth_service.records import Account, KeptSession, Ledger
from trust.authority_refusals import SessionInvalid, TooManyCalls
from trust.refusals import Malformed

NOW = 1_790_000_000_000
ACCOUNT = Account(1, bytes(16), "anna", "hash")

WAITS = {
    "none before the fifth": (4, 0),
    "30 s from the fifth on": (5, NOW + 30_000),
    "doubled with each": (7, NOW + 120_000),
    "never more than a day": (60, NOW + LONGEST_WAIT_MS),
}


@pytest.mark.parametrize(("spent", "at"), WAITS.values(), ids=WAITS)
def test_waits_between_tries(spent: int, at: int) -> None:
    assert next_try_at_ms(Ledger(spent, NOW)) == at


def test_a_try_is_spent_when_it_is_taken_and_not_before() -> None:
    waiting = Ledger(5, NOW)
    assert plan_try(waiting, NOW + 29_999) is None
    assert plan_try(waiting, NOW + 30_000) == Ledger(6, NOW + 30_000)


def test_a_clock_that_is_set_back_makes_no_wait_shorter() -> None:
    assert plan_try(Ledger(5, NOW), NOW - 86_400_000) is None
    assert plan_try(Ledger(4, NOW), NOW - 1_000) == Ledger(5, NOW)


def test_an_address_has_its_calls_and_no_others() -> None:
    rates = CallRates(2)
    for _ in range(2):
        rates.admit("a", NOW)
    with pytest.raises(TooManyCalls) as caught:
        rates.admit("a", NOW)
    assert caught.value.again_in_ms == 30_001
    rates.admit("b", NOW)
    with pytest.raises(TooManyCalls):  # what was refused cost nothing, and gave nothing
        rates.admit("a", NOW + 29_000)
    rates.admit("a", NOW + 30_001)


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("ipv4:192.0.2.1:50000", "ipv4:192.0.2.1"),
        ("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:50000", "ipv6:2001:db8:1:2::/64"),
        ("ipv6:[2001:db8:1:2:ffff::]:50001", "ipv6:2001:db8:1:2::/64"),
        ("ipv6:%5B2001:db8:1:3::%5D:50000", "ipv6:2001:db8:1:3::/64"),
        ("ipv6:%5B::ffff:192.0.2.1%5D:50000", "ipv4:192.0.2.1"),
        ("ipv6:%5Bfe80::1%25eth0%5D:50000", "ipv6:fe80::/64"),
        ("ipv6:something else:1", "ipv6:something else"),
        ("unix:/run/a.sock", "unix"),
    ],
)
def test_a_customer_has_one_limit_whichever_of_their_addresses_they_call_from(
    peer: str, counted: str
) -> None:
    assert counted_address(peer) == counted


def test_a_limit_of_zero_is_none_and_addresses_are_bounded() -> None:
    unlimited, few = CallRates(0), CallRates(1, remembered=1)
    for _ in range(100):
        unlimited.admit("a", NOW)
    few.admit("a", NOW)
    few.admit("b", NOW)
    few.admit("a", NOW)  # forgotten, and so anew


def test_a_session_lives_until_its_end() -> None:
    made = new_session(bytes(32), ("password", "device"), NOW, 60)
    assert made.methods == ("device", "password")
    assert made.token_hash == token_hash(bytes(32)) != token_hash(bytes(31))
    kept = KeptSession(ACCOUNT, made.methods, made.expires_ms)
    assert living(kept, made.expires_ms - 1) == kept
    for session, now in ((kept, made.expires_ms), (None, NOW)):
        with pytest.raises(SessionInvalid):
            living(session, now)
    assert joined(kept, ("device-verified", "device")) == ("device", "device-verified", "password")


@pytest.mark.parametrize("typed", ["Anna", "ANNA", "ａｎｎａ"])
def test_a_name_is_one_however_it_is_typed(typed: str) -> None:
    assert account_name(typed) == "anna"
    assert name_id(account_name(typed)) == name_id("anna") != name_id("anne")


def test_what_is_no_name_and_no_password() -> None:
    for name in ("", "an na", "x" * 300):
        with pytest.raises(Malformed, match="field name"):
            account_name(name)
    for password in ("seven77", "\x00" * 9, "x" * 1_001):
        with pytest.raises(Malformed, match="new_password"):
            password_bytes(password, "new_password")
    assert password_bytes("correct\u3000horse") == b"correct horse"


def test_what_is_taken_once_is_taken_once_in_its_time() -> None:
    kept: TakenOnce[str] = TakenOnce(seconds=2, most=2)
    kept.put(b"a", "A", NOW)
    assert kept.take(b"a", NOW + 1_999) == "A"
    assert kept.take(b"a", NOW) is None
    kept.put(b"b", "B", NOW)
    assert kept.take(b"b", NOW + 2_000) is None
    for name in (b"c", b"d", b"e"):
        kept.put(name, "x", NOW)
    assert (kept.take(b"c", NOW), kept.take(b"e", NOW)) == (None, "x")
