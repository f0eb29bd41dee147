"""Grants, and what is collected under one: what holds, what opens, and what does not."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec import structs

from support.sample_documents import NOW, SAFE_IDS, SAFE_KEYS, WALLET, draw, key, safe_entry
from support.sample_grant import GRANT, GRANT_BYTES, GRANT_SIGNATURE, LISTS, RECIPIENT
from threshold.hpke import derive_key_pair
from threshold.randomness import SeededRandomness
from trust.collected import Collected, Collecting
from trust.documents import SigningKey
from trust.errors import DocumentMalformed, EnvelopeBroken, SignatureInvalid
from trust.grant import LIFE_SECONDS, MAX_GRANTED, Grant, granted_list_hash, read_grant, sign_grant
from trust.ids import SafeId

LOW_ORDER = bytes(32)


def changed(**fields: Any) -> bytes:
    """A grant's bytes with other fields, whether they may be or not."""
    names = Grant.__struct_fields__
    return msgspec.msgpack.encode([fields.get(name, getattr(GRANT, name)) for name in names])


def test_a_grant_is_read_as_it_was_signed() -> None:
    """And names what is asked of whom."""
    assert read_grant(GRANT_BYTES, GRANT_SIGNATURE) == GRANT
    part = GRANT.part(SAFE_IDS[0])
    assert part is not None
    assert (part.count, part.list_hash) == (3, granted_list_hash(LISTS[0]))
    assert GRANT.part(SAFE_IDS[4]) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(changed(expires_at=NOW + LIFE_SECONDS + 1), id="it lives longer than five minutes"),
        pytest.param(changed(expires_at=NOW), id="it ends when it begins"),
        pytest.param(changed(parts=()), id="it asks for nothing"),
        pytest.param(changed(parts=GRANT.parts[:1] * 2), id="a safe stands twice"),
        pytest.param(changed(recipient_key=LOW_ORDER), id="anybody could open what is sealed to its key"),
        pytest.param(changed(recipient_key=b"\xff" * 32), id="its key is not canonical"),
        pytest.param(
            changed(parts=[[SAFE_IDS[0], MAX_GRANTED + 1, bytes(32)]]), id="it asks for more than 1,000"
        ),
        pytest.param(changed()[:-1], id="it is cut off"),
    ],
)
def test_what_is_no_grant(body: bytes) -> None:
    """Whoever signed it."""
    with pytest.raises(DocumentMalformed):
        read_grant(body, WALLET.sign(Grant.title, body))


def test_a_grant_that_another_signed_does_not_hold() -> None:
    """In the wallet's name."""
    body, signature = sign_grant(GRANT, key("a thief"))
    with pytest.raises(SignatureInvalid):
        read_grant(body, signature)


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        pytest.param(NOW - LIFE_SECONDS - 1, False, id="five minutes before it begins, and a second"),
        pytest.param(
            NOW - LIFE_SECONDS, True, id="five minutes before it begins: the wallet's clock is ahead"
        ),
        pytest.param(NOW, True, id="when it begins"),
        pytest.param(NOW + LIFE_SECONDS - 1, True, id="in its last second"),
        pytest.param(NOW + LIFE_SECONDS, False, id="when it has ended"),
    ],
)
def test_when_a_grant_holds(at: int, *, holds: bool) -> None:
    assert GRANT.holds_at(at) is holds


def test_lists_that_could_be_mistaken_for_one_another_have_other_hashes() -> None:
    """Where one certificate ends and the next begins is in it, and their order."""
    lists = [[b"ab", b"c"], [b"a", b"bc"], [b"abc"], [b"c", b"ab"], [b"ab", b"c", b""]]
    assert len({granted_list_hash(one) for one in lists}) == len(lists)


def collecting(
    grant: Grant = GRANT, safe_id: SafeId = SAFE_IDS[0], signer: SigningKey = SAFE_KEYS[0]
) -> list[bytes]:
    """Three frames: two messages, and the end."""
    sealer = Collecting(grant, safe_id, signer, SeededRandomness(draw("collecting", 32), b""))
    return [sealer.seal(b"one word in many"), sealer.seal(b"two" * 30_000), sealer.seal(None, is_last=True)]


def opened(frames: list[bytes], opener: Collected | None = None) -> list[bytes | None]:
    """All messages; raises where one does not open or the last is not the end."""
    opener = opener or Collected(GRANT.name, safe_entry(1), RECIPIENT)
    messages = [opener.open(frame) for frame in frames]
    assert opener.is_whole
    return messages


def test_what_is_collected_opens_in_its_order_and_ends() -> None:
    assert opened(collecting()) == [b"one word in many", b"two" * 30_000, None]


def test_of_what_passes_the_gateway_nothing_can_be_read() -> None:
    """Nor does a small message tell its length. (Three random bytes are any word now and then.)"""
    frames = collecting()
    assert all(b"one word in many" not in frame and b"two" * 4 not in frame for frame in frames)
    assert len(frames[0]) - 80 == len(frames[2])


SPOILT: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "the first frame is left out": lambda frames: frames[1:],
    "a frame is left out": lambda frames: [frames[0], frames[2]],
    "two change places": lambda frames: [frames[0], frames[2], frames[1]],
    "one comes twice": lambda frames: [frames[0], frames[0], *frames[1:]],
    "one comes after the end": lambda frames: [*frames, frames[1]],
    "a bit differs": lambda frames: [frames[0], frames[1][:-1] + bytes([frames[1][-1] ^ 1]), frames[2]],
    "a frame is cut": lambda frames: [frames[0], frames[1][:-16], frames[2]],
    "the wrap is of another call of the same grant": lambda frames: [collecting()[0], *frames[1:]],
    "nothing at all": lambda frames: [b"", *frames],
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_frames_that_were_touched_do_not_open(spoil: Callable[[list[bytes]], list[bytes]]) -> None:
    """By whoever passed them on."""
    with pytest.raises(EnvelopeBroken):
        opened(spoil(collecting()))


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param(collecting(signer=key("the gateway")), id="made up by the gateway"),
        pytest.param(
            collecting(safe_id=SAFE_IDS[1], signer=SAFE_KEYS[1]),
            id="another safe's in the place of this one's",
        ),
        pytest.param(
            collecting(structs.replace(GRANT, issued_at=NOW + 1)),
            id="what came of another grant to the same key",
        ),
        pytest.param(
            collecting(structs.replace(GRANT, recipient_key=derive_key_pair(draw("other", 32)).public)),
            id="sealed to another recipient",
        ),
    ],
)
def test_what_this_safe_did_not_seal_under_this_grant_does_not_open(frames: list[bytes]) -> None:
    with pytest.raises(EnvelopeBroken):
        opened(frames)
