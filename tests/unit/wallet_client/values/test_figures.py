"""A JSON list of values is taken whole or not at all."""

import base64
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.wallet_samples import EXAMPLES, NOW
from wallet_client.values.errors import ImportRefused
from wallet_client.values.figures import VALUES_MAX, read_values


def test_figure_19_is_read_field_by_field() -> None:
    """The four values of the source's figure."""
    ticket, concert, card, second = read_values(EXAMPLES / "figure-19.json", now=NOW)
    assert (ticket.item_class, ticket.name, ticket.place) == ("movie-ticket", "A", "B")
    assert (ticket.unit_price, ticket.quantity, ticket.total_amount) == (
        Decimal(1600),
        Decimal(1),
        Decimal(1600),
    )
    assert (ticket.valid_from, ticket.valid_until) == (date(2000, 4, 1), date(2000, 5, 31))
    assert (concert.total_amount, concert.valid_from) == (Decimal(9000), date(2000, 4, 29))
    assert (card.remaining_amount, card.valid_from, card.valid_until) == (Decimal(800), None, None)
    assert (second.name, second.currency, second.held_since) == ("G", "JPY", NOW)


def test_every_field_can_be_said(tmp_path: Path) -> None:
    """Payload included, as base64; numbers keep their decimals; a value may name its own currency."""
    entry = {
        "class": "seed",
        "name": "n",
        "unit_price": "21.50",
        "quantity": 1,
        "remarks": "r",
        "held_since": 5,
        "media_type": "text/plain",
        "currency": "USD",
        "file_name": "f",
        "payload": base64.b64encode(b"secret").decode(),
    }
    (value,) = _read(tmp_path, json.dumps({"currency": "JPY", "values": [entry]}))
    assert (value.payload, value.currency, value.held_since) == (b"secret", "USD", 5)
    assert str(value.unit_price) == "21.50"
    (exact,) = _read(tmp_path, '{"values": [{"class": "a", "name": "b", "total_amount": 0.10}]}')
    assert exact.total_amount == Decimal("0.10")
    assert exact.currency is None


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path, mark: bytes) -> None:
    """Editors write it."""
    assert _read(tmp_path, mark + b'{"values": []}') == []


GOOD = '{"class": "a", "name": "b"}'


def _with(**fields: Any) -> str:
    return json.dumps({"values": [{"class": "a", "name": "b"}, {"class": "a", "name": "b", **fields}]})


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        pytest.param("", "a.json", "no JSON", id="nothing"),
        pytest.param("[]", "a.json", "no JSON object", id="a list"),
        pytest.param('{"values": [', "a.json", "no JSON", id="cut off"),
        pytest.param("{}", "a.json", "no list `values`", id="no list"),
        pytest.param(b'{"values": [{"class": "a", "name": "\xff"}]}', "a.json", "no JSON", id="no UTF-8"),
        pytest.param('{"values": [], "value": []}', "a.json: value", "unknown", id="an unknown key"),
        pytest.param('{"values": [], "currency": 5}', "a.json: currency", "no text", id="currency a number"),
        pytest.param('{"values": {}}', "a.json: values", "expected `array`", id="values an object"),
        pytest.param(
            _with(colour="red"), "a.json: values[1]", "unknown field `colour`", id="an unknown field"
        ),
        pytest.param(_with(name=5), "a.json: values[1].name", "expected `str`", id="a name that is a number"),
        pytest.param(_with(name=""), "a.json: values[1].name", "0 characters", id="an empty name"),
        pytest.param(
            _with(valid_from="2000-02-30"), "a.json: values[1].valid_from", "date", id="no such day"
        ),
        pytest.param(
            _with(unit_price=-1), "a.json: values[1].unit_price", "at least 0", id="a negative price"
        ),
        pytest.param(
            _with(unit_price=True), "a.json: values[1].unit_price", "decimal", id="a price that is true"
        ),
        pytest.param(_with(currency="yen"), "a.json: values[1].currency", "capital", id="no currency code"),
        pytest.param(_with(payload="%%"), "a.json: values[1].payload", "base64", id="no base64"),
        pytest.param(_with(held_since=-1), "a.json: values[1].held_since", "int", id="held before 1970"),
        pytest.param(
            '{"values": [{"class": "a", "name": "b", "unit_price": 1e999999999}]}',
            "a.json: values[0].unit_price",
            "written out",
            id="a number of a billion digits",
        ),
        pytest.param('{"values": ' + "[" * 200_000, "a.json", "nested", id="nested without end"),
        pytest.param(
            '{"values": [], "note": ' + "[" * 200_000 + "]" * 200_000 + "}",
            "a.json",
            "nested",
            id="nested where nobody looks",
        ),
        pytest.param(
            f'{{"values": [{",".join([GOOD] * (VALUES_MAX + 1))}]}}',
            "a.json: values",
            "at most 100000",
            id="too many values",
        ),
    ],
)
def test_one_wrong_thing_refuses_the_whole_file(
    tmp_path: Path, content: str | bytes, place: str, reason: str
) -> None:
    """The error leads to the place."""
    with pytest.raises(ImportRefused) as refused:
        _read(tmp_path, content)
    assert refused.value.path.endswith(place)
    assert re.search(reason, refused.value.reason)


def _read(folder: Path, content: str | bytes) -> list[Any]:
    path = folder / "a.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_values(path, now=NOW)
