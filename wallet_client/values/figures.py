"""Values from a JSON file, as in examples/figure-19.json.

    {"currency": "JPY", "values": [{"class": "movie-ticket", "name": "A", "unit_price": 1600, ...}]}

All or nothing: one field that is unknown or wrong, and no value is taken. `conditions` and every
key that begins with `note` are for readers and are passed over.

Source: PCT/JP00/05439, figure 19.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from trust.value_fields import HELD_SINCE_MAX_SECONDS
from wallet_client.values.errors import ImportRefused, ValueRefused
from wallet_client.values.files import file_name, read_bytes
from wallet_client.values.value import Value

JSON_MAX_BYTES: Final = 128 * 1024 * 1024
VALUES_MAX: Final = 100_000
_KNOWN: Final = frozenset({"currency", "values", "conditions"})
_READERS_PREFIX: Final = "note"
_TOO_DEEP: Final = "it is nested too deeply"


class ListedValue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the list; `payload` is base64, dates are ISO 8601 days."""

    item_class: str = msgspec.field(name="class")
    name: str
    unit_price: Decimal | None = None
    quantity: Decimal | None = None
    total_amount: Decimal | None = None
    place: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    remaining_amount: Decimal | None = None
    remarks: str = ""
    held_since: Annotated[int, Meta(ge=0, le=HELD_SINCE_MAX_SECONDS)] | None = None
    media_type: str = "application/octet-stream"
    currency: str | None = None
    file_name: str = ""
    payload: bytes = b""

    def __repr__(self) -> str:
        """Class and size, as of a Value."""
        return f"<ListedValue {self.item_class}, {len(self.payload)} bytes>"


def read_values(path: Path, *, now: int) -> list[Value]:
    """All values of a JSON file, in its order.

    Args:
        path: The file, UTF-8, at most 128 MiB and 100,000 values.
        now: Seconds since 1970: `held_since` where the file does not say.

    Raises:
        ImportRefused: Something in it is wrong; the error's path ends in the place, as in
            `a.json: values[2].valid_from`.
    """
    content = read_bytes(path, JSON_MAX_BYTES).removeprefix(b"\xef\xbb\xbf")
    entries, currency = _parsed(path, content)
    if len(entries) > VALUES_MAX:
        reason = f"it lists {len(entries)} values; at most {VALUES_MAX} are taken"
        raise ImportRefused(_at(path, "values"), reason)
    return [_value(path, number, one, currency, now) for number, one in enumerate(entries)]


def _parsed(path: Path, content: bytes) -> tuple[list[ListedValue], str | None]:
    try:
        parts = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        unknown = sorted(key for key in parts if not _is_known(key))
        if unknown:
            raise ImportRefused(_at(path, unknown[0]), "this field is unknown")
        if "values" not in parts:
            raise ImportRefused(str(path), "it has no list `values`")
        currency = _currency(path, parts.get("currency", msgspec.Raw(b"null")))
        return _entries(path, parts["values"]), currency
    except RecursionError as error:
        raise ImportRefused(str(path), _TOO_DEEP) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ImportRefused(str(path), "it is no JSON object") from error


def _is_known(key: str) -> bool:
    return key in _KNOWN or key.startswith(_READERS_PREFIX)


def _entries(path: Path, raw: msgspec.Raw) -> list[ListedValue]:
    try:
        return msgspec.json.decode(raw, type=list[ListedValue])
    except msgspec.ValidationError as error:
        reason, where = _place_of(error)
        raise ImportRefused(_at(path, "values" + where), reason) from error


def _currency(path: Path, raw: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(raw, type=str | None)
    except msgspec.ValidationError as error:
        raise ImportRefused(_at(path, "currency"), "it is no text") from error


def _place_of(error: msgspec.ValidationError) -> tuple[str, str]:
    """Reason and place of msgspec's "Expected `str`, got `int` - at `$[2].name`"."""
    reason, _, where = str(error).partition(" - at `$")
    return reason[:1].lower() + reason[1:], where.rstrip("`")


def _value(path: Path, number: int, entry: ListedValue, currency: str | None, now: int) -> Value:
    fields = {field: getattr(entry, field) for field in entry.__struct_fields__}
    fields["currency"] = entry.currency or currency
    fields["held_since"] = now if entry.held_since is None else entry.held_since
    try:
        return Value(**fields)
    except ValueRefused as error:
        raise ImportRefused(_at(path, f"values[{number}].{error.field}"), error.reason) from error


def _at(path: Path, place: str) -> str:
    return f"{file_name(path)}: {place}"
