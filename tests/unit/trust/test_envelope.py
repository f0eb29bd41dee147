"""Envelopes: what opens, what does not, and what their sizes tell."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from support.sample_documents import SAFE_IDS, draw, sealing_pair
from threshold.errors import ThresholdError
from threshold.hpke import WRAPPED_BYTES
from threshold.randomness import SeededRandomness
from threshold.sealing import TAG_BYTES
from trust.envelope import (
    MAX_OUTCOME_BYTES,
    REPLY_SALT_BYTES,
    Opening,
    Outcome,
    Received,
    Sent,
    most_frame_bytes,
    open_envelope,
)
from trust.errors import DocumentMalformed, EnvelopeBroken
from trust.ids import SafeId
from trust.sealed_frames import MOST_FRAMES, SMALLEST_CLASS_BYTES, Frame, padded_length

SAFE_ID, OTHER_ID = SAFE_IDS[0], SAFE_IDS[1]
PAIR, OTHER_PAIR = sealing_pair("safe 1"), sealing_pair("safe 2")
OPENING = Opening("/kura.safe.v1.SafeService/Fetch", 1_800_000_000_000, b"proof")
WELL, FAILED = Outcome(0, "", b""), Outcome(5, "No such thing.", b"details")
SECRET = b"a value that nobody on the way may read"


def rng(label: str = "envelope") -> SeededRandomness:
    return SeededRandomness(draw("envelopes", 32), label.encode())


def sent(label: str = "envelope") -> Sent:
    return Sent(SAFE_ID, PAIR.public, rng(label))


def opened(frame: bytes, safe_id: SafeId = SAFE_ID, pair: object = PAIR) -> tuple[Received, Opening, Frame]:
    return open_envelope(frame, safe_id, pair, rng("reply"))  # type: ignore[arg-type]


def exchange(*, is_last: bool = True) -> tuple[Sent, Received]:
    """Both ends, once the first frame has arrived."""
    wallet = sent()
    received, _, _ = opened(wallet.seal_first(OPENING, SECRET, is_last=is_last))
    return wallet, received


def test_a_safe_reads_what_was_sealed_to_it() -> None:
    received, opening, frame = opened(sent().seal_first(OPENING, SECRET, is_last=True))
    assert (opening, frame) == (OPENING, Frame(SECRET, True, OPENING.to_bytes()))
    assert len(received.name) == 32


@pytest.mark.parametrize("length", [0, 1, 900, 1024, 70_000, 1_048_576])
def test_messages_of_every_size_come_out_as_they_went_in(length: int) -> None:
    message = draw("message", length) if length else b""
    wallet, safe = exchange(is_last=False)
    assert safe.open(wallet.seal(message, is_last=False)) == Frame(message, False)
    assert safe.open(wallet.seal(None, is_last=True)) == Frame(None, True)
    assert wallet.open(safe.seal(message, None)) == (message, None)
    assert wallet.open(safe.seal(message, WELL)) == (message, WELL)


def test_a_refusal_comes_back_as_an_outcome_without_a_message() -> None:
    wallet, safe = exchange()
    assert wallet.open(safe.seal(None, FAILED)) == (None, FAILED)


FIRST = sent().seal_first(OPENING, SECRET, is_last=True)


def flipped(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :]


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"", id="of nothing"),
        pytest.param(FIRST[:WRAPPED_BYTES], id="of HPKE's part alone"),
        pytest.param(FIRST[: WRAPPED_BYTES - 1], id="shorter than HPKE's part"),
        pytest.param(FIRST[:-1], id="without its last byte"),
        pytest.param(FIRST + b"\0", id="with a byte behind it"),
        pytest.param(FIRST[WRAPPED_BYTES:], id="without HPKE's part"),
        pytest.param(flipped(FIRST, 0), id="with a bit flipped in the encapsulated key"),
        pytest.param(flipped(FIRST, 31), id="with the highest byte of that key changed"),
        pytest.param(flipped(FIRST, 40), id="with a bit flipped in the wrapped secret"),
        pytest.param(flipped(FIRST, WRAPPED_BYTES - 1), id="with a bit flipped in the wrap's tag"),
        pytest.param(flipped(FIRST, WRAPPED_BYTES), id="with a bit flipped in what is sealed"),
        pytest.param(flipped(FIRST, len(FIRST) - TAG_BYTES - 1), id="with a bit flipped in the padding"),
        pytest.param(flipped(FIRST, len(FIRST) - 1), id="with a bit flipped in the tag"),
    ],
)
def test_no_safe_opens_a_first_frame(frame: bytes) -> None:
    with pytest.raises(EnvelopeBroken, match="does not open"):
        opened(frame)


def test_no_other_safe_opens_it_nor_the_same_under_another_id() -> None:
    """The key of another; and the right key, asked as another."""
    for safe_id, pair in ((OTHER_ID, OTHER_PAIR), (SAFE_ID, OTHER_PAIR), (OTHER_ID, PAIR)):
        with pytest.raises(EnvelopeBroken):
            opened(FIRST, safe_id, pair)


def test_another_wallets_wrap_before_it_does_not_open_it() -> None:
    """Each envelope's keys are its own."""
    other = sent("another").seal_first(OPENING, SECRET, is_last=True)
    with pytest.raises(EnvelopeBroken):
        opened(other[:WRAPPED_BYTES] + FIRST[WRAPPED_BYTES:])


Spoil = Callable[[list[bytes]], list[bytes]]
SPOILT: dict[str, Spoil] = {
    "one flipped": lambda frames: [flipped(frames[0], 30), *frames[1:]],
    "one cut": lambda frames: [frames[0][:-1], *frames[1:]],
    "one empty": lambda frames: [b"", *frames[1:]],
    "two in another order": lambda frames: [frames[1], frames[0], *frames[2:]],
    "one left out": lambda frames: frames[1:],
    "one twice": lambda frames: [frames[0], frames[0], *frames[1:]],
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_further_frames_of_a_request_do_not_open_with(spoil: Spoil) -> None:
    wallet, safe = exchange(is_last=False)
    frames = [wallet.seal(b"%d" % number, is_last=number == 3) for number in range(4)]
    with pytest.raises(EnvelopeBroken):
        [safe.open(frame) for frame in spoil(frames)]


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_frames_of_a_reply_do_not_open_with(spoil: Spoil) -> None:
    wallet, safe = exchange()
    frames = [safe.seal(b"%d" % number, WELL if number == 3 else None) for number in range(4)]
    with pytest.raises(EnvelopeBroken):
        [wallet.open(frame) for frame in spoil(frames)]


def test_what_stops_before_its_last_frame_has_not_said_that_it_ended() -> None:
    """A frame that is left out at the end breaks nothing; so ends are said, and who waits for them sees."""
    wallet, safe = exchange(is_last=False)
    assert not safe.open(wallet.seal(b"more follows", is_last=False)).is_last
    assert wallet.open(safe.seal(b"more follows", None)) == (b"more follows", None)


def test_nothing_follows_the_last_frame_of_a_reply() -> None:
    wallet, safe = exchange()
    wallet.open(safe.seal(b"all", WELL))
    with pytest.raises(EnvelopeBroken):
        wallet.open(safe.seal(b"more", WELL))


def test_a_request_that_comes_back_is_no_reply_and_a_reply_no_request() -> None:
    """Each direction has keys of its own."""
    wallet, safe = exchange(is_last=False)
    request, reply = wallet.seal(b"request", is_last=True), safe.seal(b"reply", WELL)
    for end, frame in ((wallet, bytes(REPLY_SALT_BYTES) + request), (safe, reply[REPLY_SALT_BYTES:])):
        with pytest.raises(EnvelopeBroken):
            end.open(frame)


def test_only_who_sent_a_request_reads_the_reply() -> None:
    """Another envelope to the same safe has other keys."""
    _, safe = exchange()
    stranger = sent("a stranger")
    stranger.seal_first(OPENING, b"", is_last=True)
    with pytest.raises(EnvelopeBroken):
        stranger.open(safe.seal(SECRET, WELL))


def test_replies_to_one_request_that_was_opened_twice_share_no_key() -> None:
    """So a safe that forgot a request, at a restart for one, gives nothing away by answering it again."""
    again = [open_envelope(FIRST, SAFE_ID, PAIR, rng(label))[0] for label in ("once", "twice")]
    one, other = (safe.seal(SECRET, WELL)[REPLY_SALT_BYTES:] for safe in again)
    assert one != other


def test_an_opening_in_a_later_frame_is_refused() -> None:
    """It would name another method once the first was judged."""
    wallet = sent()
    received, _, _ = opened(wallet.seal_first(OPENING, b"", is_last=False))
    wallet._wrapped = b""
    with pytest.raises(EnvelopeBroken):
        received.open(wallet.seal_first(OPENING, b"", is_last=True))


@pytest.mark.parametrize(
    "plaintext",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(1023), id="shorter than the smallest class"),
        pytest.param(bytes([4]) + bytes(1023), id="with a flag that means nothing"),
        pytest.param(bytes(2048), id="padded more than it must be"),
        pytest.param(bytes(1023) + b"\1", id="with something in its padding"),
        pytest.param(bytes([0, 0, 0, 0, 0, 0, 1]) + bytes(1017), id="with a message it says it has not"),
        pytest.param(bytes([1, 0, 0, 255, 0, 0, 0]) + bytes(1017), id="with a message longer than itself"),
        pytest.param(bytes([1, 0, 1, 0, 0, 0, 0, 0x91]) + bytes(1016), id="with a head that is no document"),
    ],
)
def test_a_wallet_that_seals_nonsense_is_refused(plaintext: bytes) -> None:
    """Sealed as it must be; what is in it is not a frame."""
    from threshold import sealing

    wallet = sent()
    first = wallet._wrapped + sealing.seal(wallet._requests.next(), plaintext, b"")
    with pytest.raises(EnvelopeBroken):
        opened(first)


def test_a_direction_ends_with_its_frames() -> None:
    """No number, and so no key, comes twice."""
    wallet, _ = exchange(is_last=False)
    wallet._requests.used = MOST_FRAMES
    with pytest.raises(EnvelopeBroken):
        wallet.seal(b"", is_last=True)


def test_nothing_is_sealed_to_a_key_that_is_none() -> None:
    with pytest.raises(ThresholdError):
        Sent(SAFE_ID, bytes(32), rng())


@pytest.mark.parametrize(
    ("length", "padded"),
    [
        (0, 1024),
        (1, 1024),
        (1024, 1024),
        (1025, 2048),
        (40_000, 65_536),
        (65_536, 65_536),
        (65_537, 69_632),
        (69_632, 69_632),
        (131_072, 131_072),
        (131_073, 139_264),
        (1_048_576, 1_048_576),
        (1_048_577, 1_114_112),
    ],
)
def test_so_many_bytes_are_padded_to(length: int, padded: int) -> None:
    """Doublings up to 64 KiB, then sixteen steps for each."""
    assert padded_length(length) == padded


def test_classes_hold_what_is_in_them_and_add_a_sixteenth_at_most_above_64_kib() -> None:
    padded = {length: padded_length(length) for length in range(0, 300_000, 97)}
    assert all(one <= other for one, other in pairwise(padded.values()))
    assert all(length <= size for length, size in padded.items())
    assert all(size <= length * 17 / 16 + 1 for length, size in padded.items() if length > 65_536)


def test_frames_of_one_class_have_one_length() -> None:
    """A guess at a PIN, its answer and its refusal: none tells by its size what it is."""
    wallet, safe = exchange(is_last=False)
    asked = {len(wallet.seal(draw("x", length), is_last=True)) for length in (1, 100, 900)}
    assert asked == {SMALLEST_CLASS_BYTES + TAG_BYTES}
    answered = [safe.seal(None, FAILED), safe.seal(SECRET, WELL), safe.seal(draw("x", 900), None)]
    assert {len(answered[0]) - REPLY_SALT_BYTES, *map(len, answered[1:])} == asked


def test_a_frame_is_never_longer_than_was_said() -> None:
    """Messages, and the largest outcome there is."""
    largest = Outcome(16, "x" * 1000, bytes(MAX_OUTCOME_BYTES - 1000 - 20))
    for length in (0, 1000, 1_048_576):
        _, safe = exchange()
        assert len(safe.seal(bytes(length), largest)) <= most_frame_bytes(length)


def test_no_frame_shows_what_is_in_it_and_neither_does_its_repr() -> None:
    wallet, safe = exchange(is_last=False)
    frames = [FIRST, wallet.seal(SECRET, is_last=True), safe.seal(SECRET, WELL)]
    assert not any(SECRET in frame or b"/kura.safe" in frame for frame in frames)
    assert repr(SECRET) not in repr(safe.open(frames[1]))


@pytest.mark.parametrize(
    "document",
    [
        Opening("", 0, b""),
        Opening("m" * 201, 0, b""),
        Opening("m", -1, b""),
        Opening("m", 0, bytes(513)),
        Outcome(17, "", b""),
        Outcome(-1, "", b""),
        Outcome(0, "x" * 1001, b""),
        Outcome(0, "", bytes(MAX_OUTCOME_BYTES + 1)),
    ],
    ids=repr,
)
def test_an_opening_or_outcome_out_of_its_bounds_is_refused(document: Opening | Outcome) -> None:
    with pytest.raises(DocumentMalformed):
        type(document).from_bytes(document.to_bytes())
