"""No secret shows itself: not in a log, a traceback's locals or a failed assertion.

Every dataclass and Struct of the packages is built with a marker in each field that is secret, and
then printed. A field is secret when its class's docstring says "name: Secret: ..." or when its name is
one of those that secrets have; so a class written tomorrow is covered the day it is written.
"""

import base64
import collections.abc
import importlib
import importlib.util
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum

import msgspec
import pytest

from support.sample_documents import LEAF_BYTES

PACKAGES = ("threshold", "trust", "durable", "rpc_edge", "safe_node", "auth_service", "wallet_client")
MARKER = b"do-not-show-me!!" * 2
"""32 bytes, so that it passes for a key, and readable, so that any way of printing it is seen."""

SECRET_NAMES = re.compile(
    r"(.+_)?(seed|secret|secrets|key_shares?|shares?|blobs?|passphrase|password|pin|payload|plaintext|scalar"
    r"|coefficients|private_key|kept_key|master_key|token)"
)
DOCUMENTED = re.compile(r"^\s*(\w+): Secret\b", re.MULTILINE)

PLAUSIBLE: dict[str, object] = {"leaf": LEAF_BYTES[0]}
"""What stands in fields, by name, that a class reads before it prints itself."""

FEIGNED = {
    collections.abc.Iterator: iter(()),
    collections.abc.Generator: iter(()),
    collections.abc.AsyncIterator: None,
    collections.abc.Callable: print,
}
"""What stands for things that show nothing of what they hold."""


def classes() -> Iterator[type]:
    """Every dataclass and Struct that a module of ours defines."""
    for name in _modules():
        for value in vars(importlib.import_module(name)).values():
            if inspect.isclass(value) and value.__module__ == name and _has_fields(value):
                yield value


def _modules() -> Iterator[str]:
    for package in PACKAGES:
        if importlib.util.find_spec(package) is None:
            continue
        yield package
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, package + "."):
            if not module.name.endswith("__main__"):
                yield module.name


def _has_fields(kind: type) -> bool:
    return bool(is_dataclass(kind) or issubclass(kind, msgspec.Struct))


def _field_names(kind: type) -> list[str]:
    if is_dataclass(kind):
        return [item.name for item in fields(kind)]
    return list(typing.cast(type[msgspec.Struct], kind).__struct_fields__)


def secret_fields(kind: type) -> set[str]:
    """The fields that are secret by their documentation or by their name."""
    documented = {name for base in kind.__mro__ for name in DOCUMENTED.findall(base.__doc__ or "")}
    return {name for name in _field_names(kind) if name in documented or SECRET_NAMES.fullmatch(name)}


def build(kind: type) -> object:
    """An instance with the marker in every secret field, made past all checks of its own."""
    hints, secret = _hints(kind), secret_fields(kind)
    values = {
        name: PLAUSIBLE[name] if name in PLAUSIBLE else _fill(hints.get(name, bytes), name in secret)
        for name in _field_names(kind)
    }
    if issubclass(kind, msgspec.Struct):
        unchecked = {"__post_init__": lambda _self: None}
        made_of: typing.Any = type(kind)
        return typing.cast(object, made_of(kind.__name__, (kind,), unchecked)(**values))
    made = kind.__new__(kind)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


def _hints(kind: type) -> dict[str, object]:
    try:
        return typing.get_type_hints(kind)
    except NameError:  # a name that is imported for the type checker alone; the others still tell
        return {name: hint for name, hint in kind.__annotations__.items() if not isinstance(hint, str)}


def _fill(hint: object, secret: bool) -> object:
    """A value of the annotated type; where it is secret and can hold the marker, the marker."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _fill(next(part for part in arguments if part is not type(None)), secret)
    if origin is typing.Literal:
        return arguments[0]
    if origin in FEIGNED:
        return FEIGNED[origin]
    if origin is tuple:
        return tuple(_fill(part, secret) for part in arguments if part is not Ellipsis)
    if origin in (dict, collections.abc.Mapping):
        return {"public": _fill(arguments[1], secret)}
    if origin is not None and len(arguments) == 1:
        return [_fill(arguments[0], secret)]
    return _fill_one(getattr(hint, "__supertype__", hint), secret)


def _fill_one(hint: object, secret: bool) -> object:
    if hint in (int, bool, float):
        return 1
    if hint is str:
        return MARKER.decode() if secret else "public"
    if inspect.isclass(hint) and hint not in (bytes, object):
        return _instance(hint)
    return MARKER if secret else b"public"


def _instance(hint: type) -> object:
    """A class of ours that has fields is built like any other; one without gets the marker as its content."""
    if _has_fields(hint):
        return build(hint)
    if issubclass(hint, Enum):
        return next(iter(hint.__members__.values()))
    if hint.__module__.startswith(PACKAGES):
        try:
            return typing.cast(typing.Callable[[bytes], object], hint)(MARKER)
        except (TypeError, ValueError):
            return object.__new__(hint)
    return memoryview(MARKER) if hint is memoryview else object()


def holds_marker(value: object) -> bool:
    """Whether a built value has the marker anywhere in its fields."""
    if isinstance(value, tuple | list):
        return any(holds_marker(element) for element in value)
    if isinstance(value, dict):
        return any(holds_marker(element) for element in value.values())
    if _has_fields(type(value)):
        return any(holds_marker(getattr(value, name)) for name in _field_names(type(value)))
    return value in (MARKER, MARKER.decode())


def shown(value: object) -> str:
    """All that printing, formatting and logging would show."""
    return "\n".join([repr(value), str(value), f"{value}", f"{[value]}", f"{({'key': value},)!r}"])


def leaks(value: object) -> bool:
    """Whether the marker can be read in what is shown, in any of the usual ways to write bytes."""
    text = shown(value)
    forms = (
        MARKER.decode(),
        MARKER.hex(),
        base64.b64encode(MARKER).decode(),
        str(int.from_bytes(MARKER, "big")),
        str(int.from_bytes(MARKER, "little")),
        str(list(MARKER)),
    )
    return any(form[:16] in text or form[:16] in text.lower() for form in forms)


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


WITH_SECRETS = sorted((kind for kind in set(classes()) if holds_marker(build(kind))), key=_path)


@pytest.mark.parametrize("kind", WITH_SECRETS, ids=_path)
def test_printing_shows_no_secret(kind: type) -> None:
    """Neither its own nor one that lies deeper in it."""
    assert not leaks(build(kind))


def test_classes_with_secrets_are_found() -> None:
    """The rule finds the ones it must."""
    must = {"threshold.ristretto.Scalar", "threshold.feldman.ScalarShare", "trust.documents.SigningKey"}
    assert must <= {_path(kind) for kind in WITH_SECRETS}


@dataclass(frozen=True)
class LeakyByName:
    seed: bytes


@dataclass(frozen=True)
class LeakyByDocstring:
    """Says so and shows it.

    Args:
        harmless: Secret: it is not.
    """

    harmless: bytes


@dataclass(frozen=True)
class LeakyInside:
    inner: tuple[LeakyByName, ...]


class LeakyStruct(msgspec.Struct):
    payload: bytes | None


class LeakyPairs(msgspec.Struct):
    key_shares: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True)
class Redacted:
    seed: bytes = field(repr=False)
    public: bytes


@pytest.mark.parametrize("kind", [LeakyByName, LeakyByDocstring, LeakyInside, LeakyStruct, LeakyPairs])
def test_a_class_that_shows_its_secret_would_be_caught(kind: type) -> None:
    """By its field's name, by its docstring, deeper inside, in a Struct, and in pairs."""
    assert holds_marker(build(kind))
    assert leaks(build(kind))


def test_a_class_that_redacts_its_secret_passes() -> None:
    """And what is public may be seen."""
    assert holds_marker(build(Redacted))
    assert not leaks(build(Redacted))
    assert "public" in shown(build(Redacted))
