"""Apple Wallet passes fill the fields and are kept whole; hostile ones are refused in bounded memory."""

import random
import struct
import tracemalloc
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.wallet_samples import EXAMPLES, NOW, pass_bytes, pass_text, zip_bytes
from wallet_client.values.errors import ImportRefused
from wallet_client.values.pkpass import CONTENT_MAX_BYTES, ENTRIES_MAX
from wallet_client.values.taking_in import take_in
from wallet_client.values.value import Value


@pytest.mark.parametrize(
    ("file", "name", "place", "valid_from", "valid_until"),
    [
        ("boardingpass-v1", "description", "TXL", date(2017, 9, 17), date(2017, 9, 18)),
        ("boardingpass-v2", "description", "TXL", date(2017, 9, 17), date(2017, 9, 18)),
        (
            "apple-store-UA-sample-unsigned-scrubbed",
            "United Airlines Boarding Pass",
            "CDG",
            date(2025, 12, 9),
            date(2025, 12, 30),
        ),
    ],
)
def test_the_samples_are_boarding_passes(
    file: str, name: str, place: str, valid_from: date, valid_until: date
) -> None:
    """Fields filled, file kept byte for byte."""
    path = EXAMPLES / f"{file}.pkpass"
    value = take_in(path, now=NOW)
    assert (value.item_class, value.name, value.place) == ("boarding-pass", name, place)
    assert (value.valid_from, value.valid_until) == (valid_from, valid_until)
    assert value.payload == path.read_bytes()
    assert (value.media_type, value.file_name) == ("application/vnd.apple.pkpass", path.name)


@pytest.mark.parametrize(
    ("style", "item_class"),
    [
        ("boardingPass", "boarding-pass"),
        ("eventTicket", "event-ticket"),
        ("coupon", "coupon"),
        ("storeCard", "store-card"),
        ("generic", "pass"),
    ],
)
def test_the_style_decides_the_class(tmp_path: Path, style: str, item_class: str) -> None:
    """One style, one class."""
    assert _taken(tmp_path, pass_text(**{"eventTicket": None, style: {}})).item_class == item_class


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"description": "", "logoText": "Logo"}, {"name": "Logo"}, id="name from the logo"),
        pytest.param({"description": " "}, {"name": "Theatre"}, id="name from the organisation"),
        pytest.param({"description": "n" * 2000}, {"name": "n" * 1000}, id="a long name is cut"),
        pytest.param({"semantics": {"venueName": "Globe"}}, {"place": "Globe"}, id="place from the venue"),
        pytest.param(
            {"locations": [{"relevantText": "Bank"}]}, {"place": "Bank"}, id="place from a location"
        ),
        pytest.param({}, {"place": "", "valid_from": None, "total_amount": None}, id="nothing said"),
        pytest.param(
            {"relevantDate": "2026-03-01T19:30+09:00", "expirationDate": "2026-02-01T00:00Z"},
            {"valid_from": None, "valid_until": date(2026, 2, 1)},
            id="relevant after it expired",
        ),
        pytest.param(
            {"relevantDates": [{"startDate": "2026-03-01T10:00Z", "endDate": "2026-03-02T10:00Z"}]},
            {"valid_from": date(2026, 3, 1), "valid_until": date(2026, 3, 2)},
            id="the newer list of dates",
        ),
        pytest.param(
            {
                "eventTicket": None,
                "storeCard": {
                    "headerFields": [{"key": "points", "value": 12}],
                    "secondaryFields": [{"key": "fee", "value": 1, "currencyCode": "EUR"}],
                    "primaryFields": [{"key": "Balance", "value": 21.75, "currencyCode": "USD"}],
                },
            },
            {"remaining_amount": Decimal("21.75"), "currency": "USD", "total_amount": None},
            id="a store card's balance",
        ),
        pytest.param(
            {"eventTicket": {"backFields": [{"key": "price", "value": 4500, "currencyCode": "JPY"}]}},
            {"total_amount": Decimal(4500), "currency": "JPY", "remaining_amount": None},
            id="a ticket's price",
        ),
        pytest.param(
            {"eventTicket": {"backFields": [{"key": "off", "value": -5, "currencyCode": "JPY"}]}},
            {"total_amount": None, "currency": None},
            id="a rebate is no price",
        ),
        pytest.param(
            {"eventTicket": {"backFields": [{"key": "venue", "value": "Hall"}]}, "extra": [1, {"a": None}]},
            {"place": "Hall"},
            id="keys nobody knows",
        ),
    ],
)
def test_the_keys_fill_the_fields(tmp_path: Path, changes: dict[str, Any], expected: dict[str, Any]) -> None:
    """What the format says where, and nothing guessed."""
    value = _taken(tmp_path, pass_text(**changes))
    assert {field: getattr(value, field) for field in expected} == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_pass_json_may_be_in_any_unicode_encoding(tmp_path: Path, encoding: str) -> None:
    """Found in the wild."""
    text = pass_text(description="x").replace('"x"', '"忠臣蔵"')
    assert _taken(tmp_path, text.encode(encoding)).name == "忠臣蔵"


def _entries(count: int) -> bytes:
    return zip_bytes([("pass.json", pass_text()), *((f"{number}.png", b"") for number in range(count - 1))])


def _lying_about_size() -> bytes:
    """A pass.json of 8 MiB that calls itself 100 bytes long."""
    packed = bytearray(zip_bytes([("pass.json", b" " * (8 * 1024 * 1024))]))
    directory = packed.index(b"PK\x01\x02")
    for offset in (22, directory + 24):
        packed[offset : offset + 4] = struct.pack("<I", 100)
    return bytes(packed)


def _encrypted() -> bytes:
    packed = bytearray(pass_bytes())
    for offset in (6, packed.index(b"PK\x01\x02") + 8):
        packed[offset] |= 1
    return bytes(packed)


def _declaring(size: int) -> bytes:
    packed = bytearray(zip_bytes([("pass.json", pass_text()), ("bomb", b"x")]))
    second = packed.rindex(b"PK\x01\x02")
    packed[second + 24 : second + 28] = struct.pack("<I", size)
    return bytes(packed)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "no readable ZIP", id="nothing"),
        pytest.param(b"PK\x03\x04 and no more", "no readable ZIP", id="no ZIP"),
        pytest.param(pass_bytes()[:-30], "no readable ZIP", id="cut off"),
        pytest.param(zip_bytes([("logo.png", b"x")]), "0 entries pass.json", id="no pass.json"),
        pytest.param(zip_bytes([("a/pass.json", pass_text())]), "0 entries", id="pass.json in a folder"),
        pytest.param(zip_bytes([("pass.json", "{}"), ("pass.json", "{}")]), "2 entries", id="two pass.json"),
        *[
            pytest.param(
                zip_bytes([("pass.json", pass_text()), (name, b"x")]), "leads out", id=f"entry {name}"
            )
            for name in ("../evil", "/etc/passwd", "a/../../b", "a\\..\\b", "C:evil", "./pass.json", "a//b")
        ],
        pytest.param(_entries(ENTRIES_MAX + 1), "more than 1000 entries", id="too many entries"),
        pytest.param(
            zip_bytes([("pass.json", b" " * (CONTENT_MAX_BYTES + 1))]), "more than", id="a long pass.json"
        ),
        pytest.param(_lying_about_size(), "no readable ZIP|broken", id="a bomb that lies about its size"),
        pytest.param(_declaring(2**32 - 2), "unpack to more", id="a bomb that says so"),
        pytest.param(_encrypted(), "encrypted", id="an encrypted pass.json"),
        pytest.param(
            zip_bytes([("pass.json", pass_text())], zipfile.ZIP_LZMA), "unusual", id="an unusual packing"
        ),
    ],
)
def test_an_archive_that_is_not_clean_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    """Whatever is wrong with it ends in one kind of error."""
    with pytest.raises(ImportRefused, match=reason):
        _taken_file(tmp_path, content)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "broken JSON", id="empty"),
        pytest.param("{", "broken JSON", id="cut off"),
        pytest.param(pass_text() + "x", "broken JSON", id="something follows"),
        pytest.param("[]", "does not fit", id="a list"),
        pytest.param(b"\xff\xfe\x00", "no Unicode", id="half a character"),
        pytest.param(b'{"a": "\xc3\x28"}', "no Unicode", id="no UTF-8"),
        pytest.param("[" * 500_000, "does not fit|nested", id="nested without end"),
        pytest.param('{"x":' * 100_000 + "1" + "}" * 100_000, "nested", id="nested where nobody looks"),
        pytest.param(pass_text(eventTicket=None), "0 styles", id="no style"),
        pytest.param(pass_text(generic={}), "2 styles", id="two styles"),
        pytest.param(pass_text(description="", organizationName=None), "names neither", id="no name"),
        pytest.param(pass_text(description=5), "does not fit", id="a name that is a number"),
        pytest.param(pass_text(description=["x"]), "does not fit", id="a name that is a list"),
        pytest.param(pass_text(eventTicket=[]), "does not fit", id="a style that is a list"),
        pytest.param(pass_text(eventTicket={"primaryFields": {}}), "does not fit", id="fields no list"),
        pytest.param(
            pass_text(eventTicket={"primaryFields": [{"key": "a", "value": [1]}]}),
            "does not fit",
            id="a value a list",
        ),
        pytest.param(pass_text(locations="here"), "does not fit", id="locations a text"),
        pytest.param(pass_text(semantics=[]), "does not fit", id="semantics a list"),
        pytest.param(pass_text(relevantDate=5), "does not fit", id="a date that is a number"),
        pytest.param(pass_text(expirationDate="tomorrow"), "a date", id="a date that is none"),
        pytest.param(pass_text(expirationDate="2026-02-30T00:00Z"), "a date", id="a day that does not exist"),
        pytest.param(
            pass_text(
                coupon={"backFields": [{"key": "a", "value": 1e300, "currencyCode": "USD"}]}, eventTicket=None
            ),
            "28 digits",
            id="an amount of 301 digits",
        ),
        pytest.param(
            pass_text(
                coupon={"backFields": [{"key": "a", "value": 1, "currencyCode": "$"}]}, eventTicket=None
            ),
            "currency",
            id="no currency code",
        ),
        pytest.param('{"description": "\\ud800", "coupon": {}}', "broken JSON", id="half a surrogate pair"),
    ],
)
def test_a_pass_json_that_is_not_clean_is_refused(tmp_path: Path, text: str | bytes, reason: str) -> None:
    """Wrong types in any key that is looked at, broken text, missing things."""
    with pytest.raises(ImportRefused, match=reason):
        _taken(tmp_path, text)


def test_bombs_take_no_memory(tmp_path: Path) -> None:
    """200 MiB of zeros beside pass.json, 8 MiB in it: less than 8 MiB are ever held."""
    beside = zip_bytes([("pass.json", pass_text()), ("logo.png", bytes(200 * 1024 * 1024))])
    inside = _lying_about_size()
    tracemalloc.start()
    try:
        assert _taken_file(tmp_path, beside).item_class == "event-ticket"
        with pytest.raises(ImportRefused):
            _taken_file(tmp_path, inside)
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_any_damage_ends_in_a_value_or_a_refusal(tmp_path: Path) -> None:
    """Eight hundred seeded damages to a real pass: no other exception ever."""
    original = (EXAMPLES / "boardingpass-v1.pkpass").read_bytes()
    outcomes = [_outcome(tmp_path, _damaged(original, random.Random(seed))) for seed in range(800)]
    assert "refused" in outcomes
    assert "taken" in outcomes


def _damaged(original: bytes, rng: random.Random) -> bytes:
    changed = bytearray(original)
    for _ in range(rng.randint(1, 4)):
        # Half of the damage goes to the directory, where a reader believes what it is told.
        start = len(changed) - 700 if rng.random() < 0.5 else 0
        changed[rng.randrange(start, len(changed))] = rng.randrange(256)
    return bytes(changed[: rng.choice([len(changed), len(changed), rng.randrange(len(changed))])])


def _outcome(folder: Path, content: bytes) -> str:
    try:
        _taken_file(folder, content)
    except ImportRefused:
        return "refused"
    return "taken"


def _taken(folder: Path, text: str | bytes) -> Value:
    return _taken_file(folder, pass_bytes(text))


def _taken_file(folder: Path, content: bytes) -> Value:
    path = folder / "some.pkpass"
    path.write_bytes(content)
    return take_in(path, now=NOW)
