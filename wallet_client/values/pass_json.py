"""What a pass.json says, read into the fields of a value.

Only what the wallet shows is looked at, and that must have the type Apple's format gives it. A
key that is absent leaves its field empty; a key of the wrong type refuses the pass.

Source: Apple, "Wallet Passes": Pass, PassFields, PassFieldContent.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from trust.value_fields import NAME_MAX_CHARACTERS

_PLACE_KEYS: Final = ("destination", "venue", "location", "place", "arrive", "arrival", "to")


class PassRefused(Exception):
    """The pass is not clean; the text says why."""


class _Field(msgspec.Struct, frozen=True):
    """PassFieldContent; a value is text or a number, and a date is text."""

    key: str = ""
    value: str | int | float | None = None
    currency_code: str | None = msgspec.field(name="currencyCode", default=None)


class _Fields(msgspec.Struct, frozen=True, rename="camel"):
    """PassFields, in the order in which a person sees them."""

    primary_fields: list[_Field] = []
    header_fields: list[_Field] = []
    secondary_fields: list[_Field] = []
    auxiliary_fields: list[_Field] = []
    back_fields: list[_Field] = []
    additional_info_fields: list[_Field] = []

    def all(self) -> Iterator[_Field]:
        """Every field."""
        for name in self.__struct_fields__:
            yield from getattr(self, name)


class _Location(msgspec.Struct, frozen=True, rename="camel"):
    relevant_text: str | None = None


class _RelevantDate(msgspec.Struct, frozen=True, rename="camel"):
    date: str | None = None
    start_date: str | None = None
    end_date: str | None = None


class _Semantics(msgspec.Struct, frozen=True, rename="camel"):
    venue_name: str | None = None
    event_name: str | None = None


class _Pass(msgspec.Struct, frozen=True, rename="camel"):
    description: str = ""
    logo_text: str | None = None
    organization_name: str | None = None
    relevant_date: str | None = None
    relevant_dates: list[_RelevantDate] = []
    expiration_date: str | None = None
    locations: list[_Location] = []
    semantics: _Semantics = _Semantics()
    boarding_pass: _Fields | UnsetType = UNSET
    event_ticket: _Fields | UnsetType = UNSET
    coupon: _Fields | UnsetType = UNSET
    store_card: _Fields | UnsetType = UNSET
    generic: _Fields | UnsetType = UNSET


_STYLES: Final = {
    "boarding_pass": "boarding-pass",
    "event_ticket": "event-ticket",
    "coupon": "coupon",
    "store_card": "store-card",
    "generic": "pass",
}


def fields_of_pass(text: str) -> dict[str, Any]:
    """The fields of a value that a pass.json fills: class, name, place, validity, amounts.

    Raises:
        PassRefused: It is no JSON, nested too deeply, of no or several styles, or a key has the
            wrong type.
    """
    said = _parsed(text)
    item_class, fields = _style(said)
    valid_from, valid_until = _validity(said)
    return {
        "item_class": item_class,
        "name": _name(said),
        "place": _place(said, fields)[:NAME_MAX_CHARACTERS],
        "valid_from": valid_from,
        "valid_until": valid_until,
        **_amounts(item_class, fields),
    }


def _parsed(text: str) -> _Pass:
    try:
        return msgspec.json.decode(text, type=_Pass)
    except msgspec.ValidationError as error:
        raise PassRefused(f"its pass.json does not fit the format: {error}") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise PassRefused("its pass.json is broken JSON") from error
    except RecursionError as error:
        raise PassRefused("its pass.json is nested too deeply") from error


def _style(said: _Pass) -> tuple[str, _Fields]:
    found = [
        (item_class, fields)
        for attribute, item_class in _STYLES.items()
        if isinstance(fields := getattr(said, attribute), _Fields)
    ]
    if len(found) != 1:
        raise PassRefused(f"its pass.json has {len(found)} styles instead of one")
    return found[0]


def _name(said: _Pass) -> str:
    for text in (said.description, said.logo_text, said.organization_name):
        if text and text.strip():
            return text[:NAME_MAX_CHARACTERS]
    raise PassRefused("its pass.json names neither pass nor organisation")


def _place(said: _Pass, fields: _Fields) -> str:
    """The destination, venue or location, by the first of these that is there."""
    by_key = {field.key.lower(): field.value for field in fields.all() if isinstance(field.value, str)}
    keyed = (by_key[key] for key in _PLACE_KEYS if by_key.get(key))
    located = (one.relevant_text for one in said.locations if one.relevant_text)
    candidates = (said.semantics.venue_name, next(keyed, None), next(located, None))
    return next((text for text in candidates if text), "")


def _validity(said: _Pass) -> tuple[date | None, date | None]:
    """From the day it becomes relevant to the day it expires, in the zone the pass names."""
    starts = [one.start_date or one.date for one in said.relevant_dates]
    ends = [one.end_date for one in said.relevant_dates if one.end_date]
    first = _day(said.relevant_date or next((text for text in starts if text), None))
    last = _day(said.expiration_date or (ends[-1] if ends else None))
    # A pass may be relevant after it expired; then only the end is told.
    return (None if first and last and first > last else first), last


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError as error:
        raise PassRefused("a date of its pass.json is none") from error


def _amounts(item_class: str, fields: _Fields) -> dict[str, Any]:
    """A store card's balance is what remains; any other amount with a currency is the price."""
    priced = [(field, amount) for field in fields.all() if (amount := _amount(field)) is not None]
    if not priced:
        return {}
    field, amount = next((pair for pair in priced if "balance" in pair[0].key.lower()), priced[0])
    remains = item_class == "store-card" or "balance" in field.key.lower()
    return {"remaining_amount" if remains else "total_amount": amount, "currency": field.currency_code}


def _amount(field: _Field) -> Decimal | None:
    """A field's amount, if it is money: a number of at least 0 with a currency."""
    if not field.currency_code or field.value is None or isinstance(field.value, str) or field.value < 0:
        return None
    # repr() of a float is the shortest text that means it: 21.75 stays 21.75. abs() drops -0.0's sign.
    return Decimal(format(Decimal(repr(abs(field.value))), "f"))
