"""An expression becomes the fewest ways that say the same; what says nothing is refused where it stops."""

from itertools import chain, combinations, product

import pytest

from support.sample_owner import OWNER, OWNER_ID, RECORD_ID
from trust.access_policy import PIN_ALONE, Factor, OwnersDevice, Way
from trust.documents import DocumentProblem
from trust.ids import AuthorityKey, OwnerKey
from wallet_client.owners.access import Access, AccessExpressionInvalid, expression_of, read_ways
from wallet_client.owners.explain_access import Ground, explain_access

PIN: Way = ("pin",)
DEVICE: Way = ("device",)
AUTHORITY: Way = ("authority",)
PIN_DEVICE: Way = ("device", "pin")
PIN_AUTHORITY: Way = ("authority", "pin")
GROUND = Ground(5, 3, 10)


def device(label: str = "stick", number: int = 1) -> OwnersDevice:
    """One that is never asked."""
    credential = bytes(16) + b"\x00\x20" + bytes([number]) * 32 + b"cose"
    return OwnersDevice(credential=credential, verifies=True, wrapping_key=bytes([number]) * 32, label=label)


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("pin", (PIN,)),
        ("PIN And Device", (PIN_DEVICE,)),
        ("pin and (device or authority)", (PIN_AUTHORITY, PIN_DEVICE)),
        ("(pin and device) or (pin and authority)", (PIN_AUTHORITY, PIN_DEVICE)),
        ("pin or device", (DEVICE, PIN)),
        ("device and authority and pin", (("authority", "device", "pin"),)),
        ("pin or pin and device", (PIN,)),
        ("(pin or device) and (pin or authority)", (("authority", "device"), PIN)),
        ("((pin))", (PIN,)),
        ("pin and pin", (PIN,)),
        ("authority", (AUTHORITY,)),
    ],
)
def test_an_expression_becomes_ways(text: str, ways: tuple[tuple[Factor, ...], ...]) -> None:
    """In disjunctive normal form, without those that another makes needless."""
    assert read_ways(text) == ways


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("pin and", 8),
        ("pin device", 5),
        ("pin and (device", 16),
        ("fingerprint", 1),
        ("pin or not device", 8),
        ("pins", 1),
        ("pin and device)", 15),
        ("pin or " * 40 + "pin", 201),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stops(text: str, position: int) -> None:
    """So that the person sees the place."""
    with pytest.raises(AccessExpressionInvalid) as refused:
        read_ways(text)
    assert refused.value.position == position


def test_every_policy_reads_back_from_what_is_shown() -> None:
    """All sets of ways of which none makes another needless."""
    factors: tuple[Factor, ...] = ("authority", "device", "pin")
    all_ways = list(chain.from_iterable(combinations(factors, size) for size in (1, 2, 3)))
    for chosen in product((False, True), repeat=len(all_ways)):
        ways = tuple(sorted(way for way, taken in zip(all_ways, chosen, strict=True) if taken))
        needless = any(set(one) < set(other) for one in ways for other in ways)
        if ways and not needless:
            assert read_ways(expression_of(ways)) == ways


@pytest.mark.parametrize("text", ["device", "pin and authority"])
def test_a_way_that_nobody_could_go_makes_no_policy(text: str) -> None:
    """No device, no authority."""
    with pytest.raises(DocumentProblem):
        Access(read_ways(text)).policy(OWNER_ID, OwnerKey(OWNER.public), RECORD_ID, 1)


@pytest.mark.parametrize(
    ("access", "said", "never"),
    [
        (Access(), "16 PINs in all, 20 if 1 safe lies, 30 if 2 safes lie", "authority"),
        (Access(), "3 safes together still have to guess the PIN", "can open"),
        (Access((PIN_DEVICE,), (device(),)), "the PIN and the device stick", "guess the PIN"),
        (Access((DEVICE,), (device("a", 1), device("b", 2))), "one of the devices a, b", "PINs in all"),
        (Access((DEVICE,), (device(),)), "3 safes together have nothing to guess", "can open everything"),
        (
            Access((AUTHORITY,), (), (AuthorityKey(bytes(32)),)),
            "3 safes together can open everything, without you",
            "guess",
        ),
        (Access((AUTHORITY,), (), (AuthorityKey(bytes(32)),)), "The authority itself can open it", "PIN"),
        (
            Access((PIN_AUTHORITY,), (), (AuthorityKey(bytes(32)),)),
            "the PIN and the authority's word",
            "itself",
        ),
        (
            Access((PIN_DEVICE,), (device(),)),
            "Lose the device stick, and nothing opens it, ever",
            "authority",
        ),
        (Access((PIN_DEVICE,), (device("a", 1), device("b", 2))), "one of the devices", "Lose the device"),
        (Access((PIN_ALONE, PIN_DEVICE), (device(),)), "the device stick", "Lose the device"),
        (
            Access((PIN_AUTHORITY,), (), (AuthorityKey(bytes(32)),)),
            "Without the authority nothing opens it",
            "Lose",
        ),
        (Access(waiting_seconds=172_800), "waits 2 days", "authority"),
    ],
)
def test_a_policy_is_told_in_plain_words(access: Access, said: str, never: str) -> None:
    """Who could open what."""
    text = "\n".join(explain_access(access, GROUND))
    assert said in text
    assert never not in text
