"""Policies in TOML files: how one is read, and refused with the line and what is allowed there.

    name = "office"              # 1 to 64 of a-z, 0-9 and -
    summary = "For the office."
    sealing = "shared-key"       # none, shared-key, key-pair
    order = "seal-then-divide"   # divide-then-seal
    coupling = "single"          # couple-then-seal, seal-then-couple
    quorum = 4                   # safes that must have answered
    compact_above = "64 KiB"     # sealed bytes from which the value is erasure-coded
    accept = ["accept-single-safe"]

    [digest]
    mode = "sealed"              # public, sealed, vacant
    fields = ["class", "name"]   # what it shows; unless said: class, name, quantity, validity and place

    [value]
    scheme = "shamir"            # compact
    k = 3
    n = 5
    at = "each-safe"             # or a list: names of safes, and "wallet"

    [key]
    mode = "shared"              # none, shared, kept, kept-and-shared, root
    k = 3
    n = 5
    at = "each-safe"             # with-value, elsewhere, or a list
    name = "main"                # of a key that is kept
    algorithm = "kura-hkdf/1"    # of a key from the root

    [after]
    backup = "keep"              # delete
    recovery = "keep"            # delete

Only the name is required. n is as many as there are safes, or names in the list, and k the roster's, unless
said. What is read can be used on the roster: whatever `arrange` would refuse is refused here, with its line.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from trust.digest import DEFAULT_SHOWN, DigestField
from trust.policy import Division, KeyRule
from trust.roster import Roster
from wallet_client.policies.arrangement import arrange
from wallet_client.policies.contradictions import check_terms
from wallet_client.policies.errors import PolicyFileInvalid, PolicyUnfit
from wallet_client.policies.policy import IN_WALLET, Holders, Policy
from wallet_client.policies.toml_lines import line_and_problem
from wallet_client.policies.toml_table import Table
from wallet_client.values.sizes import EXAMPLES, read_size

ACCEPT_SINGLE_SAFE: Final = "accept-single-safe"
SUMMARY_MAX_CHARACTERS: Final = 200

_TOP: Final = ("name", "summary", "sealing", "order", "coupling", "quorum", "compact_above", "accept")
_TABLES: Final = ("digest", "value", "key", "after")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}/[0-9]{1,5}")
_KEEP_OR_DELETE: Final = ("keep", "delete")
DIGEST_FIELDS: Final[tuple[str, ...]] = get_args(DigestField)


def read_policy(text: str, path: str, roster: Roster, keys: Mapping[str, str] | None = None) -> Policy:
    """The policy that a file says, for this roster.

    Args:
        text: The file's content.
        path: What errors call the file.
        roster: Gives k and n where the file does not.
        keys: Kinds of the wallet's keys by name, to hold `key.name` to; None where no wallet is at hand.

    Raises:
        PolicyFileInvalid: It is no TOML, says something unknown, or a policy that cannot or should not be.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyFileInvalid(path, *line_and_problem(str(error), text)) from None
    top = Table(path, text, (), content)
    policy = _policy(top, roster)
    check_terms(top, policy)
    if keys is not None and policy.key_name:
        _check_key(top, policy, keys)
    _check_arrangement(top, policy, roster)
    return policy


def _policy(top: Table, roster: Roster) -> Policy:
    top.only(*_TOP, *_TABLES)
    value_table, key_table, after = top.table("value"), top.table("key"), top.table("after")
    after.only("backup", "recovery")
    value, value_at = _value(value_table, roster)
    sealing = top.word("sealing", ("none", "shared-key", "key-pair"), "shared-key")
    key, key_at = _key(key_table, roster, sealing, value, value_at)
    return Policy(
        name=_name(top),
        summary=_summary(top),
        sealing=cast(Any, sealing),
        value=value,
        key=key,
        digest=cast(Any, top.table("digest").word("mode", ("public", "sealed", "vacant"), "sealed")),
        shown=_shown(top.table("digest")),
        value_at=cast(Any, value_at),
        key_at=cast(Any, key_at),
        coupling=cast(
            Any, top.word("coupling", ("single", "couple-then-seal", "seal-then-couple"), "single")
        ),
        order=cast(Any, top.word("order", ("seal-then-divide", "divide-then-seal"), "seal-then-divide")),
        key_name=key_table.text_of("name", ""),
        algorithm=_algorithm(key_table),
        quorum=top.number("quorum"),
        compact_above=_compact_above(top),
        drop_after_backup=after.word("backup", _KEEP_OR_DELETE, "keep") == "delete",
        forget_after_recovery=after.word("recovery", _KEEP_OR_DELETE, "keep") == "delete",
        accept_single_safe=ACCEPT_SINGLE_SAFE in _accepted(top),
    )


def _name(top: Table) -> str:
    name = top.text_of("name")
    if not _NAME.fullmatch(name):
        raise top.refused("name", f"{name!r} is no policy's name", "1 to 64 of a-z, 0-9 and -, no - first")
    return name


def _summary(top: Table) -> str:
    summary = top.text_of("summary", "")
    if len(summary) > SUMMARY_MAX_CHARACTERS or not summary.isprintable():
        raise top.refused(
            "summary", "it is no summary", f"one line, up to {SUMMARY_MAX_CHARACTERS} characters"
        )
    return summary


def _shown(table: Table) -> tuple[DigestField, ...]:
    """The fields of digests, as they stand in the file."""
    table.only("mode", "fields")
    if "fields" not in table.content:
        return DEFAULT_SHOWN
    fields = table.texts("fields")
    for field in fields:
        if field not in DIGEST_FIELDS:
            raise table.refused("fields", f"{field!r} is no field of a digest", ", ".join(DIGEST_FIELDS))
    if not fields:
        raise table.refused(
            "fields", "a digest that shows nothing is a vacant one", '"vacant" as digest.mode'
        )
    if len(set(fields)) < len(fields):
        raise table.refused("fields", "a field stands twice", "each field once")
    return cast(tuple[DigestField, ...], fields)


def _compact_above(top: Table) -> int | None:
    if "compact_above" not in top.content:
        return None
    text = top.text_of("compact_above")
    count = read_size(text)
    if count is None:
        raise top.refused(
            "compact_above", f"{text!r} is no size in whole bytes", f"a text such as {EXAMPLES}"
        )
    return count


def _accepted(top: Table) -> tuple[str, ...]:
    accepted = top.texts("accept")
    for word in accepted:
        if word != ACCEPT_SINGLE_SAFE:
            raise top.refused("accept", f"{word!r} is nothing to accept", f'"{ACCEPT_SINGLE_SAFE}"')
    return accepted


def _algorithm(table: Table) -> str:
    label = table.text_of("algorithm", "")
    if label and not _LABEL.fullmatch(label):
        raise table.refused("algorithm", f"{label!r} is no algorithm", 'name/version, such as "kura-hkdf/1"')
    return label


def _value(table: Table, roster: Roster) -> tuple[Division, str | Holders]:
    table.only("scheme", "k", "n", "at")
    at = table.word_or_texts("at", ("each-safe",), "each-safe")
    scheme = table.word("scheme", ("shamir", "compact"), "shamir")
    k, n = _k_and_n(table, roster, len(roster.safes) if isinstance(at, str) else len(at))
    return Division(cast(Any, scheme), k, n), at


def _key(
    table: Table, roster: Roster, sealing: str, value: Division, value_at: str | Holders
) -> tuple[KeyRule, str | Holders]:
    table.only("mode", "k", "n", "at", "name", "algorithm")
    modes = ("none", "shared", "kept", "kept-and-shared", "root")
    mode = table.word("mode", modes, "none" if sealing == "none" else "shared")
    if mode not in ("shared", "kept-and-shared"):
        table.none_of(("k", "n", "at"), f"the key is {mode!r} and not divided")
        return KeyRule(cast(Any, mode)), "each-safe"
    at = table.word_or_texts("at", ("each-safe", "with-value", "elsewhere"), "each-safe")
    k, n = _k_and_n(table, roster, _holders_of_key(at, roster, value, value_at))
    return KeyRule(cast(Any, mode), k, n), at


def _holders_of_key(at: str | Holders, roster: Roster, value: Division, value_at: str | Holders) -> int:
    """How many key shares are made unless the file says it."""
    if not isinstance(at, str):
        return len(at)
    safes = len(roster.safes)
    with_value = min(value.n, safes) if isinstance(value_at, str) else len(set(value_at) - {IN_WALLET})
    return {"each-safe": safes, "with-value": with_value, "elsewhere": safes - with_value}[at]


def _k_and_n(table: Table, roster: Roster, holders: int) -> tuple[int, int]:
    n = table.number("n") or holders
    if n == 0:
        raise table.refused("at", "no safe is left for it", "fewer safes for the value, or names")
    k = table.number("k") or min(roster.threshold, n)
    if k > n:
        raise table.refused("k", f"{k} shares would be needed and {n} are made", f"1 to {n}")
    return k, n


def _check_key(top: Table, policy: Policy, keys: Mapping[str, str]) -> None:
    kind = "pair" if policy.sealing == "key-pair" else "shared"
    fitting = ", ".join(name for name, known in keys.items() if known == kind) or f"none yet of kind {kind}"
    table = top.table("key")
    if policy.key_name not in keys:
        raise table.refused("name", f"the wallet has no key {policy.key_name!r}", fitting)
    if keys[policy.key_name] != kind:
        problem = f"the key {policy.key_name!r} is of kind {keys[policy.key_name]}"
        raise table.refused("name", problem, f"with sealing {policy.sealing!r} one of kind {kind}: {fitting}")


def _check_arrangement(top: Table, policy: Policy, roster: Roster) -> None:
    try:
        arrange(policy, roster, 0)
    except PolicyUnfit as unfit:
        raise top.refused(unfit.field, unfit.problem, _allowed(unfit.field, roster)) from None


def _allowed(field: str, roster: Roster) -> str:
    if field.endswith(".at"):
        return f'{", ".join(safe.name for safe in roster.safes)} and "{IN_WALLET}", each once unless accepted'
    return ""
