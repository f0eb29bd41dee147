"""A policy as the TOML file that says it: to be read, copied and changed."""

import json
from collections.abc import Iterator

from trust.digest import DEFAULT_SHOWN
from wallet_client.policies.policy import Policy
from wallet_client.policies.policy_file import ACCEPT_SINGLE_SAFE
from wallet_client.values.sizes import write_size


def policy_toml(policy: Policy) -> str:
    """The file; `read_policy` reads the same policy from it."""
    return "".join(f"{line}\n" for line in _lines(policy))


def _lines(policy: Policy) -> Iterator[str]:
    yield from (f"name = {_quoted(policy.name)}", f"summary = {_quoted(policy.summary)}")
    yield f"sealing = {_quoted(policy.sealing)}"
    yield f"order = {_quoted(policy.order)}"
    yield f"coupling = {_quoted(policy.coupling)}"
    if policy.quorum is not None:
        yield f"quorum = {policy.quorum}"
    if policy.compact_above is not None:
        yield f"compact_above = {_quoted(write_size(policy.compact_above))}"
    if policy.accept_single_safe:
        yield f"accept = [{_quoted(ACCEPT_SINGLE_SAFE)}]"
    yield from ("", "[digest]", f"mode = {_quoted(policy.digest)}")
    if policy.shown != DEFAULT_SHOWN:
        yield f"fields = [{', '.join(map(_quoted, policy.shown))}]"
    yield from ("", "[value]", f"scheme = {_quoted(policy.value.scheme)}")
    yield from (f"k = {policy.value.k}", f"n = {policy.value.n}", f"at = {_holders(policy.value_at)}")
    yield from _key_lines(policy)
    yield from ("", "[after]", f"backup = {_kept(policy.drop_after_backup)}")
    yield f"recovery = {_kept(policy.forget_after_recovery)}"


def _key_lines(policy: Policy) -> Iterator[str]:
    yield from ("", "[key]", f"mode = {_quoted(policy.key.mode)}")
    if policy.key.is_shared:
        yield from (f"k = {policy.key.k}", f"n = {policy.key.n}", f"at = {_holders(policy.key_at)}")
    if policy.key_name:
        yield f"name = {_quoted(policy.key_name)}"
    if policy.algorithm:
        yield f"algorithm = {_quoted(policy.algorithm)}"


def _kept(is_deleted: bool) -> str:
    return _quoted("delete" if is_deleted else "keep")


def _holders(at: str | tuple[str, ...]) -> str:
    return _quoted(at) if isinstance(at, str) else f"[{', '.join(map(_quoted, at))}]"


def _quoted(text: str) -> str:
    """A basic string: JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)
