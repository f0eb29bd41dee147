"""The roster as text says the same as the roster in bytes, and nothing else is read from it."""

import json
from typing import Any

import pytest

from support.sample_documents import CHAIN, GENESIS, draw, safe_entry
from trust.errors import RosterRefused
from trust.roster import verify_chain
from trust.roster_file import from_pem, read_roster, read_safe, to_pem, write_roster, write_safe

TEXT = write_roster(CHAIN)


def changed(**fields: Any) -> dict[str, Any]:
    """The file's JSON with other fields in its first version."""
    value = json.loads(TEXT)
    value["versions"][0].update(fields)
    return value


def changed_safe(**fields: Any) -> dict[str, Any]:
    """The file's JSON with other fields in its first safe."""
    value = json.loads(TEXT)
    value["versions"][0]["safes"][0].update(fields)
    return value


def refused(data: bytes) -> str:
    with pytest.raises(RosterRefused) as caught:
        read_roster(data)
    return caught.value.problem


def test_reads_back_what_it_wrote() -> None:
    """All versions with all signatures, which still hold."""
    assert read_roster(TEXT) == CHAIN
    verify_chain(read_roster(TEXT), GENESIS.fingerprint, at_least=2)


def test_writes_text_that_people_can_read() -> None:
    """Indented JSON, hexadecimal, PEM, and a line's end."""
    assert TEXT.startswith(b'{\n  "format": "kura-roster-1"')
    assert TEXT.endswith(b"}\n")
    assert GENESIS.safes[0].safe_id.hex().encode() in TEXT
    assert b"-----BEGIN CERTIFICATE-----" in TEXT


@pytest.mark.parametrize("indent", [None, 0, 7, "\t"])
@pytest.mark.parametrize("sort_keys", [False, True])
def test_white_space_and_order_do_not_matter(indent: int | str | None, sort_keys: bool) -> None:
    """The signatures cover the documents, not this text."""
    text = json.dumps(json.loads(TEXT), indent=indent, sort_keys=sort_keys).encode()
    assert read_roster(text) == CHAIN
    assert read_roster(b"\n\t " + text + b" \r\n") == CHAIN


def test_upper_case_hexadecimal_and_other_line_ends_do_not_matter() -> None:
    """Somebody's editor may have changed them."""
    pem = to_pem(GENESIS.safes[0].tls_certificate).replace("\n", "\r\n")
    upper = GENESIS.safes[0].safe_id.hex().upper()
    assert read_roster(json.dumps(changed_safe(tls_certificate=pem, safe_id=upper)).encode()) == CHAIN


def test_a_file_cut_short_anywhere_is_refused() -> None:
    """At every length but the whole, with or without the last line's end."""
    assert read_roster(TEXT[:-1]) == CHAIN
    for length in range(len(TEXT) - 1):
        assert refused(TEXT[:length]) == "the file is no complete JSON"


def test_a_file_that_goes_on_is_refused() -> None:
    """Two rosters in one file are none."""
    assert refused(TEXT + TEXT) == "the file is no complete JSON"


def test_a_file_of_more_than_four_mebibytes_is_not_parsed() -> None:
    """Whatever it holds."""
    limit = 4 * 1024 * 1024
    assert read_roster(TEXT.ljust(limit)) == CHAIN
    assert refused(TEXT.ljust(limit + 1)) == "the file is too long"


def _without(mapping: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != name}


def _places() -> list[tuple[str, ...]]:
    return [(), ("versions", "0"), ("versions", "0", "safes", "0"), ("versions", "0", "signatures", "0")]


def _at(value: Any, place: tuple[str, ...]) -> dict[str, Any]:
    for step in place:
        value = value[int(step)] if step.isdigit() else value[step]
    return value


@pytest.mark.parametrize("place", _places(), ids=["file", "version", "safe", "signature"])
def test_unknown_and_missing_fields_are_refused_at_every_level(place: tuple[str, ...]) -> None:
    """A misspelt field would else be ignored, and an old reader would miss what a new one needs."""
    value = json.loads(TEXT)
    target = _at(value, place)
    target["colour"] = "blue"
    assert "unknown field `colour`" in refused(json.dumps(value).encode())
    del target["colour"]
    for name in list(target):
        kept = target.pop(name)
        assert f"missing required field `{name}`" in refused(json.dumps(value).encode())
        target[name] = kept
    assert read_roster(json.dumps(value).encode()) == CHAIN


@pytest.mark.parametrize("place", _places(), ids=["file", "version", "safe", "signature"])
@pytest.mark.parametrize("other", [None, 1.5, True, {"a": 1}, [[]]], ids=str)
def test_values_of_another_type_are_refused_at_every_level(place: tuple[str, ...], other: object) -> None:
    """Nothing is converted."""
    for name in list(_at(json.loads(TEXT), place)):
        value = json.loads(TEXT)
        _at(value, place)[name] = other
        assert "Expected" in refused(json.dumps(value).encode())


@pytest.mark.parametrize("name", ["kura-roster-2", "", "KURA-ROSTER-1"])
def test_another_format_is_refused(name: str) -> None:
    """By its name, before anything in it is believed."""
    value = json.loads(TEXT) | {"format": name}
    assert refused(json.dumps(value).encode()) == "its format is not kura-roster-1"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"format": "\xff"}',
        b'{"format": "\\ud800"}',
        b"[" * 100_000,
    ],
    ids=["empty", "blank", "null", "array", "object", "no-utf8", "text-no-utf8", "half-a-surrogate", "deep"],
)
def test_what_is_no_roster_is_refused(data: bytes) -> None:
    """With a typed error."""
    assert refused(data)


@pytest.mark.parametrize(
    "fields",
    [
        {"safe_id": "00" * 15},
        {"safe_id": "zz" * 16},
        {"safe_id": "0" * 31},
        {"name": "Safe 1"},
        {"name": "safe-2"},
        {"endpoint": "host:1\n"},
        {"operator": ""},
        {"signing_key": ""},
        {"signing_key": "00" * 33},
        {"sealing_key": ""},
        {"sealing_key": "zz" * 32},
        {"sealing_key": "00" * 32},
        {"sealing_key": "ff" * 32},
        {"operator_key": "00" * 31},
        {"tls_certificate": ""},
        {"tls_certificate": "garbage"},
        {"tls_certificate": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"},
        {"tls_certificate": "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"},
        {"tls_certificate": "-----BEGIN CERTIFICATE-----\nQUJD!!!!\n-----END CERTIFICATE-----\n"},
        {"tls_certificate": "-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n"},
        {"tls_certificate": "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n"},
        {"tls_certificate": to_pem(b"one") + to_pem(b"two")},
        {"tls_certificate": to_pem(b"key").replace("CERTIFICATE", "PRIVATE KEY")},
        {"tls_certificate": to_pem(b"\x00" * 8_193)},
        {"tls_certificate": "-----BEGIN CERTIFICATE-----\nÄAAA\n-----END CERTIFICATE-----\n"},
    ],
    ids=lambda fields: "-".join(f"{name}:{value[:40]!r}" for name, value in fields.items()),
)
def test_a_safe_that_is_malformed_is_refused(fields: dict[str, Any]) -> None:
    """In a roster, and mostly alone as well."""
    assert refused(json.dumps(changed_safe(**fields)).encode())
    if fields != {"name": "safe-2"}:
        alone = json.loads(write_safe(safe_entry(1))) | fields
        with pytest.raises(RosterRefused):
            read_safe(json.dumps(alone).encode())


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 0},
        {"version": -1},
        {"version": 2**31 + 1},
        {"version": 2**64},
        {"version": 2},
        {"previous": "00"},
        {"previous": "zz"},
        {"created_at": -1},
        {"created_at": 2**40 + 1},
        {"threshold": 0},
        {"threshold": 6},
        {"safes": []},
        {"decoys": []},
        {"decoys": ["00" * 80] * 4},
        {"decoys": ["00" * 80] * 6},
        {"decoys": ["00" * 79] * 5},
        {"decoys": ["zz" * 80] * 5},
        {"signatures": [{"operator_key": "00", "signature": "00" * 64}]},
        {"signatures": [{"operator_key": "00" * 32, "signature": "00" * 63}]},
        {"signatures": [{"operator_key": "00" * 32, "signature": "xy" * 64}]},
        {"signatures": [{"operator_key": "00" * 32, "signature": "00" * 64}] * 256},
    ],
    ids=lambda fields: "-".join(f"{name}:{str(value)[:40]}" for name, value in fields.items()),
)
def test_a_version_that_is_malformed_is_refused(fields: dict[str, Any]) -> None:
    """The text is held to the same rules as the bytes."""
    assert refused(json.dumps(changed(**fields)).encode())


@pytest.mark.parametrize(
    ("place", "name"), [(("versions", "0", "safes", "0"), "sealing_key"), (("versions", "0"), "decoys")]
)
def test_a_file_of_before_owners_is_refused_by_what_it_lacks(place: tuple[str, ...], name: str) -> None:
    """Safes without sealing keys, or a version without decoys."""
    value = json.loads(TEXT)
    del _at(value, place)[name]
    path = "$.versions[0].safes[0]" if "safes" in place else "$.versions[0]"
    assert refused(json.dumps(value).encode()) == f"Object missing required field `{name}` - at `{path}`"


def test_a_roster_of_no_versions_is_read_and_then_refused() -> None:
    """Reading verifies nothing; verifying refuses it."""
    assert read_roster(b'{"format": "kura-roster-1", "versions": []}') == ()


def test_an_error_shows_a_hostile_field_name_escaped_and_short() -> None:
    """It reaches a terminal."""
    problem = refused(json.dumps({"\x1b[2J\n" + "x" * 10_000: 1}).encode())
    assert problem.isprintable()
    assert len(problem) <= 200


def test_an_error_reads_as_one_sentence() -> None:
    """What the document's own error says is set into the roster's."""
    with pytest.raises(RosterRefused) as caught:
        read_roster(json.dumps(changed_safe(signing_key="00")).encode())
    assert str(caught.value) == (
        "The roster is refused: The safe entry is malformed at $[6]: Expected `bytes` of length >= 32."
    )


def test_a_safes_entry_is_read_back() -> None:
    """As it goes to the key ceremony."""
    assert read_safe(write_safe(safe_entry(2))) == safe_entry(2)


def test_a_safes_entry_is_held_to_the_same_rules() -> None:
    """Unknown fields, half a file, a roster in its place."""
    text = write_safe(safe_entry(2))
    for data in (text[:-3], TEXT, json.dumps(json.loads(text) | {"a": 1}).encode(), b"x" * (4 * 2**20 + 1)):
        with pytest.raises(RosterRefused):
            read_safe(data)


@pytest.mark.parametrize("length", [1, 47, 48, 49, 96, 97, 8_192])
def test_pem_is_undone(length: int) -> None:
    """At every way the base64 lines can end; 64 characters each."""
    der = draw("certificate", length)
    text = to_pem(der)
    assert from_pem(text) == der
    assert max(len(line) for line in text.splitlines()) <= 64


@pytest.mark.parametrize("name", ["format", "versions"])
def test_the_last_of_two_fields_of_one_name_counts(name: str) -> None:
    """JSON leaves it open; the signatures decide what is believed in any case."""
    value = json.dumps(_without(json.loads(TEXT), name))[:-1]
    good = json.dumps(json.loads(TEXT)[name])
    twice = f'{value}, "{name}": {"[]" if name == "versions" else chr(34) * 2}, "{name}": {good}}}'
    assert read_roster(twice.encode()) == CHAIN
