"""Requests about owners are refused by the path of what has the wrong form, before anybody is looked up."""

from collections.abc import Callable
from typing import Any

import pytest

from kura.safe.v1 import owner_pb2 as pb
from safe_node.accounts import OwnersWallet, OwnerView
from safe_node.guesses import Evidence
from safe_node.handlers.owner_converters import (
    read_attempt,
    read_claim,
    read_evidence,
    read_owner_id,
    read_recipient_key,
    read_record_id,
    read_signature,
    read_version,
    write_status,
    write_wallet,
)
from safe_node.owners import KeptDevice, KeptOwner, Ledger, Veto, Waiting
from support.owners import Access, deal_owner, guess_at, output_of
from support.safe_requests import roster_of
from support.sample_access import TOUCH
from trust.access_policy import PIN_ALONE, Way
from trust.ids import WalletKey
from trust.refusals import Malformed

T = 1_790_000_000_000
ROSTER = roster_of(1)
SAFE_ID = ROSTER.safes[0].safe_id
DEALT, STAGED, OLD = (deal_owner(ROSTER, version=version) for version in ("first", "staged", "old"))
GUESS = guess_at(DEALT.record)
PART = DEALT.admitted(SAFE_ID, ROSTER)
LOW_ORDER, NOT_CANONICAL = bytes(32), b"\xff" * 32


def begin(**changes: bytes) -> Any:
    fields: dict[str, Any] = {"owner_id": DEALT.owner_id} | changes
    return read_owner_id(pb.BeginUnlockRequest(**fields))


def commit(**changes: bytes) -> Any:
    fields: dict[str, Any] = {"owner_id": DEALT.owner_id, "record_id": DEALT.record.record_id} | changes
    request = pb.CommitRecordRequest(**fields)
    return read_owner_id(request), read_record_id(request)


def evaluate(**changes: Any) -> Any:
    request = GUESS.request()
    request.factors.extend(changes.pop("factors", []))
    for name, value in changes.items():
        setattr(request, name, value)
    return read_attempt(request, T)


def by_device(**changes: Any) -> Any:
    """With the factors in the order in which nobody sorts them."""
    key = changes.pop("recipient_key", GUESS.recipient.public)
    return evaluate(factors=[pb.FACTOR_PIN, pb.FACTOR_DEVICE], recipient_key=key, **changes)


def evidence(**changes: bytes) -> Any:
    return read_evidence(pb.EvaluateRequest(**changes))  # type: ignore[arg-type]


def veto(**changes: bytes) -> Any:
    return read_recipient_key(changes.get("recipient_key", GUESS.recipient.public))


def unlock(**changes: bytes) -> Any:
    request = GUESS.unlock_request(SAFE_ID, output_of(DEALT, ROSTER))
    for name, value in changes.items():
        setattr(request, name, value)
    return read_claim(request)


def part(**changes: Any) -> Any:
    message = pb.RecordVersion()
    message.CopyFrom(DEALT.versions[SAFE_ID])
    for name, value in changes.items():
        setattr(message.parts[0], name, value)
    return read_version(message)


def version(**changes: Any) -> Any:
    message = pb.RecordVersion()
    message.CopyFrom(DEALT.versions[SAFE_ID])
    for name, value in changes.items():
        if name == "parts":
            del message.parts[:]
            message.parts.extend(value)
        else:
            setattr(message, name, value)
    return read_version(message)


def signature(**changes: bytes) -> Any:
    return read_signature(changes.get("signature", bytes(64)))


def test_what_has_the_right_form_is_read_as_it_was_sent() -> None:
    """Nothing is lost on the way."""
    assert begin() == DEALT.owner_id
    assert commit() == (DEALT.owner_id, DEALT.record.record_id)
    assert evaluate() == (GUESS.attempt(T), GUESS.blinded.element)
    attempt, _ = by_device()
    assert (attempt.way, attempt.recipient_key) == (("device", "pin"), GUESS.recipient.public)
    assert evidence(assertion=b"shown") == Evidence(b"", b"shown", b"")
    assert veto() == GUESS.recipient.public
    assert unlock() == GUESS.claim(SAFE_ID, output_of(DEALT, ROSTER))
    assert part() == DEALT.candidate(SAFE_ID)
    assert signature() == bytes(64)


PATHS = {part: "version.parts[0].", version: "version."}
MALFORMED: list[tuple[Callable[..., Any], str, Any]] = [
    (begin, "owner_id", bytes(31)),
    (begin, "owner_id", b""),
    (commit, "record_id", b""),
    (commit, "record_id", bytes(17)),
    (evaluate, "owner_id", bytes(33)),
    (evaluate, "record_id", bytes(15)),
    (evaluate, "guess_id", b""),
    (evaluate, "guess_id", bytes(17)),
    (evaluate, "factors", [pb.FACTOR_UNSPECIFIED]),
    (evaluate, "factors", [pb.FACTOR_PIN, pb.FACTOR_PIN]),
    (evaluate, "factors", [pb.FACTOR_DEVICE, 7]),
    (evaluate, "recipient_key", LOW_ORDER),
    (by_device, "recipient_key", b""),
    (by_device, "recipient_key", bytes(31)),
    (by_device, "recipient_key", NOT_CANONICAL),
    (evidence, "device_proof", bytes(65_537)),
    (evidence, "assertion", bytes(65_537)),
    (evidence, "authority", bytes(65_537)),
    (veto, "recipient_key", bytes(33)),
    (evaluate, "blinded_element", b""),
    (evaluate, "blinded_element", bytes(32)),
    (evaluate, "blinded_element", NOT_CANONICAL),
    (evaluate, "blinded_element", GUESS.blinded.element.to_bytes() + b"\0"),
    (unlock, "owner_id", b""),
    (unlock, "record_id", b""),
    (unlock, "guess_id", b""),
    (unlock, "recipient_key", b""),
    (unlock, "recipient_key", bytes(33)),
    (unlock, "recipient_key", LOW_ORDER),
    (unlock, "recipient_key", NOT_CANONICAL),
    (unlock, "proof", bytes(31)),
    (part, "record", b""),
    (part, "unlock_share", bytes(31)),
    (part, "oprf_share", bytes(33)),
    (part, "unlock_tag", b""),
    (part, "sealed_secrets", bytes(118)),
    (part, "sealed_secrets", bytes(119 + 8 * 112 + 1)),
    (version, "guesses", 0),
    (version, "guesses", 101),
    (version, "policy", b""),
    (version, "policy", bytes(32_769)),
    (version, "policy_signature", bytes(63)),
    (version, "parts", []),
    (version, "parts", [DEALT.part(SAFE_ID)] * 8),
    (signature, "signature", bytes(63)),
]


@pytest.mark.parametrize(
    ("read", "field", "value"),
    MALFORMED,
    ids=[f"{read.__name__}: {field} is {value!r:.20}" for read, field, value in MALFORMED],
)
def test_the_field_of_the_wrong_form_is_named(read: Callable[..., Any], field: str, value: Any) -> None:
    with pytest.raises(Malformed) as refused:
        read(**{field: value})
    assert refused.value.field == (PATHS.get(read, "") + field)


def test_a_status_tells_records_guesses_and_what_is_kept() -> None:
    """The wait as well."""
    owner = KeptOwner(
        PART.owner_id,
        PART.owner_key,
        Ledger(4, T),
        current=PART.record,
        staged=STAGED.admitted(SAFE_ID, ROSTER).record,
        old=(OLD.admitted(SAFE_ID, ROSTER).record,),
    )
    assert write_status(OwnerView(owner, items=3, used_bytes=7000), T) == pb.OwnerStatusResponse(
        record_id=DEALT.record.record_id,
        staged_record_id=STAGED.record.record_id,
        old_record_ids=[OLD.record.record_id],
        guesses_allowed=10,
        guesses_spent=4,
        next_guess_at_ms=T + 60_000,
        policy=PART.record.policy,
        policy_signature=PART.record.policy_signature,
        ways=[pb.WayStatus(factors=[pb.FACTOR_PIN], guesses_spent=4, next_guess_at_ms=T + 60_000)],
        items=3,
        bytes=7000,
    )


def test_a_status_tells_of_every_way_what_waits_and_which_device_was_copied() -> None:
    """The guesses of the way that has most of them spent stand for all."""
    ways: tuple[Way, ...] = (("device",), ("device", "pin"), PIN_ALONE)
    by_ways = deal_owner(ROSTER, access=Access(ways, (TOUCH,), waiting_seconds=60)).admitted(SAFE_ID, ROSTER)
    waiting = Waiting(bytes(32), GUESS.guess_id, GUESS.record.record_id, ("device",), T, T + 60_000)
    owner = KeptOwner(
        by_ways.owner_id,
        by_ways.owner_key,
        Ledger(1, T),
        by_ways.record,
        ledgers={("device", "pin"): Ledger(10, T)},
        waiting=(waiting,),
        veto=Veto(T, bytes(32)),
        devices={b"a": KeptDevice(3), b"b": KeptDevice(4, copied=True)},
    )
    status, both = write_status(OwnerView(owner, 0, 0), T), [pb.FACTOR_DEVICE, pb.FACTOR_PIN]
    month = 30 * 24 * 3_600_000
    assert list(status.ways) == [
        pb.WayStatus(factors=both, guesses_spent=10, next_guess_at_ms=T + month),
        pb.WayStatus(factors=[pb.FACTOR_PIN], guesses_spent=1),
    ]
    assert (status.guesses_spent, status.next_guess_at_ms) == (10, T + month)
    assert [(list(one.factors), one.release_at_ms) for one in status.waiting] == [
        ([pb.FACTOR_DEVICE], T + 60_000)
    ]
    assert status.next_veto_at_ms == T + month
    assert list(status.copied_devices) == [b"b"]


def test_a_status_without_a_record_tells_what_is_kept() -> None:
    """A wallet may act for an owner whose enrolment this safe missed."""
    status = write_status(OwnerView(None, items=3, used_bytes=7000), T)
    assert status == pb.OwnerStatusResponse(items=3, bytes=7000)


def test_a_wallet_is_written_with_both_words() -> None:
    wallet = OwnersWallet(WalletKey(b"w" * 32), b"for", b"signed", b"against", b"signed too")
    assert write_wallet(wallet) == pb.OwnersWallet(
        wallet_key=b"w" * 32,
        authorisation=b"for",
        signature=b"signed",
        revocation=b"against",
        revocation_signature=b"signed too",
    )
