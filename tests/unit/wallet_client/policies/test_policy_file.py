"""Policy files: what they say, what they leave to the roster, and every refusal with its line."""

from typing import Any

import pytest

from support.memory_safes import roster_of
from support.odd_policies import ODD
from trust.policy import Division, KeyRule
from wallet_client.policies.errors import PolicyFileInvalid
from wallet_client.policies.policy import Policy
from wallet_client.policies.policy_file import read_policy
from wallet_client.policies.policy_print import policy_toml
from wallet_client.policies.presets import policy_named, policy_names

ROSTER = roster_of(5, 3)
ROSTERS = [(2, 1), (5, 3), (33, 9)]


def read(text: str, **fields: Any) -> Policy:
    """The policy in a file called office.toml."""
    return read_policy(text, "office.toml", ROSTER, **fields)


@pytest.mark.parametrize("policy", ODD, ids=lambda one: one.name)
def test_what_is_printed_reads_as_the_same_policy(policy: Policy) -> None:
    """Every field of it."""
    assert read(policy_toml(policy)) == policy


@pytest.mark.parametrize(("n", "k"), ROSTERS)
@pytest.mark.parametrize("name", policy_names())
def test_every_preset_can_be_printed_copied_and_changed(name: str, n: int, k: int) -> None:
    """On every roster it is fitted to."""
    roster = roster_of(n, k)
    preset = policy_named(name, roster)
    assert read_policy(policy_toml(preset), "preset.toml", roster) == preset


def test_a_name_is_enough() -> None:
    """Everything else is the wallet's roster's: sealed, both divided, three of five."""
    policy = read('name = "office"')
    assert (policy.sealing, policy.digest, policy.value_at, policy.key_at) == (
        "shared-key",
        "sealed",
        "each-safe",
        "each-safe",
    )
    assert (policy.value, policy.key) == (Division("shamir", 3, 5), KeyRule("shared", 3, 5))


@pytest.mark.parametrize(
    ("text", "value", "key"),
    [
        ('sealing = "none"', (3, 5), ("none", 0, 0)),
        ("value = { n = 2 }", (2, 2), ("shared", 3, 5)),
        ('value.at = ["safe-4", "safe-2"]', (2, 2), ("shared", 3, 5)),
        ('[value]\nk = 1\nn = 2\n[key]\nat = "elsewhere"', (1, 2), ("shared", 3, 3)),
        ('value.n = 4\nkey.at = "with-value"', (3, 4), ("shared", 3, 4)),
        ('value.at = ["safe-1", "wallet", "safe-2"]\nkey.at = "with-value"', (3, 3), ("shared", 2, 2)),
        ('key = { mode = "kept-and-shared", k = 2 }', (3, 5), ("kept-and-shared", 2, 5)),
        ('key.mode = "root"', (3, 5), ("root", 0, 0)),
    ],
)
def test_k_and_n_that_are_not_said_are_the_rosters(
    text: str, value: tuple[int, int], key: tuple[str, int, int]
) -> None:
    """n is as many as there are safes of that kind, or names; k the threshold, or n where that is less."""
    policy = read(f'name = "office"\n{text}')
    assert (policy.value.k, policy.value.n) == value
    assert (policy.key.mode, policy.key.k, policy.key.n) == key


REFUSED = {
    "no TOML": ('name = "office"\nkey = = 3', 2, "Invalid value", ""),
    "no TOML to its end": ('name = "office"\nsummary = """', 2, "Unterminated string", ""),
    "a key twice": ('name = "office"\nquorum = 3\nquorum = 4', 3, "Cannot overwrite a value", ""),
    "no name": ('sealing = "none"', 1, "name is missing", "a text in quotes"),
    "a name with a space": ('\nname = "my office"', 2, "no policy's name", "1 to 64 of a-z, 0-9 and -"),
    "a name for a terminal": ('name = "\\u001b[2J"', 1, "no policy's name", "1 to 64"),
    "a number as name": ("name = 3", 1, "name must be a text", "in quotes"),
    "a summary of two lines": ('name = "o"\nsummary = """a\nb"""', 2, "no summary", "one line"),
    "a long summary": (f'name = "o"\nsummary = "{"a" * 201}"', 2, "no summary", "up to 200 characters"),
    "an unknown key": (
        'name = "o"\n\nsafes = 3',
        3,
        "'safes' means nothing",
        "name, summary, sealing, order",
    ),
    "an unknown key of the value": (
        'name = "o"\n[value]\nk = 3\nm = 5',
        4,
        "'value.m' means",
        "scheme, k, n, at",
    ),
    "an unknown key of the key": ('name = "o"\nkey.scheme = "x"', 2, "'key.scheme' means", "mode, k, n, at"),
    "an unknown key of the digest": (
        'name = "o"\n[digest]\nkind = "x"',
        3,
        "'digest.kind' means",
        "mode, fields",
    ),
    "an unknown key of after": (
        'name = "o"\n[after]\nlunch = "x"',
        3,
        "'after.lunch' means",
        "backup, recovery",
    ),
    "an unknown table": (
        'name = "o"\n[safes]\nn = 3',
        2,
        "'safes' means nothing",
        "digest, value, key, after",
    ),
    "a text for a table": ('name = "o"\nvalue = "whole"', 2, "value must be a table", "[value]"),
    "an unknown sealing": (
        'name = "o"\nsealing = "wax"',
        2,
        "sealing is 'wax'",
        '"none", "shared-key", "key-pair"',
    ),
    "a number as sealing": ('name = "o"\nsealing = 1', 2, "sealing is 1", '"none"'),
    "an unknown order": ('name = "o"\norder = "seal"', 2, "order is 'seal'", '"divide-then-seal"'),
    "an unknown coupling": ('name = "o"\ncoupling = "many"', 2, "coupling is 'many'", '"seal-then-couple"'),
    "an unknown digest": (
        'name = "o"\n[digest]\nmode = "open"',
        3,
        "mode is 'open'",
        '"public", "sealed", "vacant"',
    ),
    "an unknown field of the digest": (
        'name = "o"\n[digest]\nfields = ["class", "remarks"]',
        3,
        "'remarks' is no field of a digest",
        "held-since",
    ),
    "a field of the digest twice": (
        'name = "o"\ndigest.fields = ["class", "class"]',
        2,
        "a field stands twice",
        "each field once",
    ),
    "an unknown scheme": (
        'name = "o"\n[value]\nscheme = "raid"',
        3,
        "scheme is 'raid'",
        '"shamir", "compact"',
    ),
    "an unknown key mode": (
        'name = "o"\n[key]\nmode = "lost"',
        3,
        "mode is 'lost'",
        '"kept-and-shared", "root"',
    ),
    "an unknown ending": ('name = "o"\n[after]\nbackup = "burn"', 3, "backup is 'burn'", '"keep", "delete"'),
    "an unknown place": (
        'name = "o"\n[value]\nat = "elsewhere"',
        3,
        "at is 'elsewhere'",
        '"each-safe", or a list',
    ),
    "no place at all": ('name = "o"\n[key]\nat = []', 3, "at is []", '"with-value", "elsewhere", or a list'),
    "a number as a place": (
        'name = "o"\n[value]\nat = ["safe-1", 2]',
        3,
        "must be a list of texts",
        "safe-2",
    ),
    "k of nothing": ('name = "o"\n[value]\nk = 0', 3, "k is 0", "from 1 to 255"),
    "too many shares": ('name = "o"\n[value]\nn = 256', 3, "n is 256", "from 1 to 255"),
    "k that is true": ('name = "o"\n[value]\nk = true', 3, "k is True", "a whole number"),
    "half a quorum": ('name = "o"\nquorum = 2.5', 2, "quorum is 2.5", "a whole number"),
    "a size without a unit we know": (
        'name = "o"\ncompact_above = "64 KB"',
        2,
        "'64 KB' is no size",
        "64 KiB",
    ),
    "a size that is a number": ('name = "o"\ncompact_above = 65536', 2, "must be a text", "in quotes"),
    "half a byte": ('name = "o"\ncompact_above = "0.5 B"', 2, "is no size in whole bytes", "1.5 MiB"),
    "a field that no digest has": (
        'name = "o"\n[digest]\nfields = ["class", "payload"]',
        3,
        "'payload' is no field of a digest",
        "class, name, quantity",
    ),
    "a field twice": (
        'name = "o"\ndigest.fields = ["name", "name"]',
        2,
        "a field stands twice",
        "each field once",
    ),
    "a digest of nothing": (
        'name = "o"\n[digest]\nfields = []',
        3,
        "shows nothing is a vacant one",
        '"vacant"',
    ),
    "accepting something else": (
        'name = "o"\naccept = ["risk"]',
        2,
        "'risk' is nothing to accept",
        "single-safe",
    ),
    "accepting a text": (
        'name = "o"\naccept = "accept-single-safe"',
        2,
        "must be a list of texts",
        "such as",
    ),
    "an algorithm without version": (
        'name = "o"\n[key]\nmode = "root"\nalgorithm = "hkdf"',
        4,
        "'hkdf' is no algorithm",
        "name/version",
    ),
    "k above n": (
        'name = "o"\n[value]\nn = 2\nk = 3',
        4,
        "3 shares would be needed and 2 are made",
        "1 to 2",
    ),
    "k above n of the key": (
        'name = "o"\n\n[key]\nk = 6',
        4,
        "6 shares would be needed and 5 are made",
        "1 to 5",
    ),
    "more shares than safes": (
        'name = "o"\n[value]\nn = 6',
        3,
        "it needs 6 safes and the roster has 5",
        "",
    ),
    "more key shares than other safes": (
        'name = "o"\n[value]\nn = 3\n[key]\nn = 3\nat = "elsewhere"',
        5,
        "it needs 3 safes that keep no value share and the roster has 2",
        "",
    ),
    "no safe is elsewhere": (
        'name = "o"\n[key]\nat = "elsewhere"',
        3,
        "no safe is left for it",
        "fewer safes",
    ),
    "an unknown safe": (
        'name = "o"\n[value]\nat = [\n  "safe-1",\n  "safe-9",\n]',
        3,
        "the roster has no safe 'safe-9'",
        'safe-1, safe-2, safe-3, safe-4, safe-5 and "wallet"',
    ),
    "too few places": (
        'name = "o"\n[value]\nk = 3\nn = 5\nat = ["safe-1"]',
        5,
        "1 shares are kept",
        "safe-1",
    ),
    "nothing leaves the wallet": (
        'name = "o"\nvalue.at = ["wallet"]\nkey.at = ["wallet"]',
        2,
        "no safe keeps anything",
        "safe-1",
    ),
    "several shares at one safe": (
        'name = "o"\n[value]\nk = 2\nat = ["safe-1", "safe-1", "safe-2"]',
        4,
        "several shares, which needs accept-single-safe",
        "each once unless accepted",
    ),
    "several key shares at one safe": (
        'name = "o"\n[key]\nk = 2\nat = ["safe-1", "safe-1", "safe-2"]',
        4,
        "several shares, which needs accept-single-safe",
        "each once unless accepted",
    ),
    "key and whole value at one safe": (
        'name = "o"\nvalue = { k = 1, n = 1 }\n[key]\nk = 1\nn = 1\nat = "with-value"',
        6,
        "one safe keeps the key and the whole value, which needs accept-single-safe",
        "",
    ),
    "a quorum below k": (
        'name = "o"\nquorum = 2',
        2,
        "a quorum of 2 is not between 3 and 5, or no majority",
        "",
    ),
    "a quorum above n": (
        'name = "o"\nquorum = 6',
        2,
        "a quorum of 6 is not between 3 and 5, or no majority",
        "",
    ),
    "a quorum without majority": (
        'name = "o"\nquorum = 2\n[value]\nk = 1\n[key]\nk = 2',
        2,
        "a quorum of 2 is not between 2 and 5, or no majority",
        "",
    ),
    "sealing without a key": (
        'name = "o"\n[key]\nmode = "none"',
        3,
        "what is sealed without a key is lost",
        "kept",
    ),
    "a key without sealing": (
        'name = "o"\nsealing = "none"\n[key]\nmode = "kept"',
        4,
        "nothing is sealed, so there is no key",
        '"none", or "shared-key"',
    ),
    "compact unsealed": (
        'name = "o"\nsealing = "none"\n[value]\nscheme = "compact"',
        4,
        "a compact share shows a part",
        '"shamir", or "shared-key"',
    ),
    "compact above a size, unsealed": (
        'name = "o"\ncompact_above = "1 MiB"\nsealing = "none"',
        2,
        "a compact share shows a part",
        "no compact_above",
    ),
    "compact twice": (
        'name = "o"\ncompact_above = "1 MiB"\nvalue.scheme = "compact"',
        2,
        "the value is compact already",
        "no compact_above",
    ),
    "compact in too many parts": (
        'name = "o"\n[value]\nscheme = "compact"\nn = 33',
        4,
        "the erasure code makes fewer shares",
        "up to 32",
    ),
    "shares sealed with nothing": (
        'name = "o"\nsealing = "none"\norder = "divide-then-seal"',
        3,
        "nothing is sealed",
        '"seal-then-divide", or',
    ),
    "members sealed with nothing": (
        'name = "o"\ncoupling = "seal-then-couple"\nsealing = "none"',
        2,
        "nothing is sealed",
        '"couple-then-seal", or',
    ),
    "sealed before coupling and after dividing": (
        'name = "o"\ncoupling = "seal-then-couple"\norder = "divide-then-seal"',
        3,
        "are not sealed again",
        '"couple-then-seal" as coupling',
    ),
    "a name for a divided key": (
        'name = "o"\n[key]\nname = "main"',
        3,
        "only a key that the wallet keeps",
        "no name",
    ),
    "an algorithm for a kept key": (
        'name = "o"\n[key]\nmode = "kept"\nalgorithm = "kura-hkdf/1"',
        4,
        "only a key from the root",
        "no algorithm",
    ),
    "shares of a kept key": (
        'name = "o"\n[key]\nmode = "kept"\nk = 2',
        4,
        "the key is 'kept' and not divided",
        "no k",
    ),
    "places of a key that is none": (
        'name = "o"\nsealing = "none"\n[key]\nat = "each-safe"',
        4,
        "the key is 'none' and not divided",
        "no at",
    ),
}


@pytest.mark.parametrize(("text", "line", "problem", "allowed"), REFUSED.values(), ids=REFUSED)
def test_a_file_is_refused_with_file_line_and_what_is_allowed(
    text: str, line: int, problem: str, allowed: str
) -> None:
    """In one sentence, with what to do."""
    with pytest.raises(PolicyFileInvalid) as caught:
        read(text)
    assert str(caught.value).startswith(f"office.toml, line {line}: ")
    assert problem in caught.value.problem
    assert allowed in caught.value.allowed
    assert "kura policy show" in caught.value.hint


KEYS = {"main": "shared", "pair": "pair", "root": "root"}


@pytest.mark.parametrize(
    ("sealing", "name", "problem", "allowed"),
    [
        ("key-pair", "main", "the key 'main' is of kind shared", "of kind pair: pair"),
        ("shared-key", "pair", "the key 'pair' is of kind pair", "of kind shared: main"),
        ("shared-key", "root", "the key 'root' is of kind root", "of kind shared: main"),
        ("shared-key", "office", "the wallet has no key 'office'", "main"),
    ],
)
def test_a_named_key_must_be_one_that_seals_so(sealing: str, name: str, problem: str, allowed: str) -> None:
    """With a wallet at hand."""
    text = f'name = "o"\nsealing = "{sealing}"\n[key]\nmode = "kept"\nname = "{name}"'
    with pytest.raises(PolicyFileInvalid) as caught:
        read(text, keys=KEYS)
    assert (caught.value.line, caught.value.problem) == (5, problem)
    assert allowed in caught.value.allowed


def test_a_named_key_that_fits_is_taken() -> None:
    """A pair for key-pair."""
    text = 'name = "o"\nsealing = "key-pair"\n[key]\nmode = "kept"\nname = "pair"'
    assert read(text, keys=KEYS).key_name == "pair"


def test_without_a_wallet_any_key_may_be_named() -> None:
    """For whoever explains a file on a roster alone."""
    assert read('name = "o"\n[key]\nmode = "kept"\nname = "any"').key_name == "any"
