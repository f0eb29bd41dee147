"""The options that give the fields of a value, for `add` and `edit`."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from wallet_client.cli.parameters import Amount, Day

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--class", "item_class", metavar="CLASS", help="Kind of value: 1 to 64 of a-z, 0-9 and -."),
    click.option("--name", help="Title, 1 to 1,000 characters."),
    click.option("--valid-from", type=Day(), metavar="DAY", help="First day of validity, as 2026-01-31."),
    click.option("--valid-until", type=Day(), metavar="DAY", help="Last day of validity."),
    click.option("--unit-price", type=Amount(), help="Price of one."),
    click.option("--quantity", type=Amount(), help="How many."),
    click.option("--total", "total_amount", type=Amount(), help="Price of all."),
    click.option("--currency", help="Of the amounts, as JPY."),
    click.option("--place", help="Where it can be used."),
    click.option("--remaining", "remaining_amount", type=Amount(), help="What is left of it."),
    click.option("--remarks", help="Anything else, up to 10,000 characters."),
)
_CLEARED_TO_NONE = frozenset({"currency"})


def value_options(function: _Function) -> _Function:
    """Give a command all of them; the values arrive as keyword arguments, None where not said."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def given(context: click.Context, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were said; an empty text clears the field."""
    said = click.core.ParameterSource.COMMANDLINE
    return {
        field: None if field in _CLEARED_TO_NONE and value == "" else value
        for field, value in options.items()
        if context.get_parameter_source(field) is said
    }
