"""What a policy file may not say together, and why not.

`PolicyTerms` refuses most of it as well, of any document; here each refusal has its reason in plain words,
its line, and a way out.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from threshold.dispersal import MAX_FRAGMENTS
from wallet_client.policies.policy import Policy
from wallet_client.policies.toml_table import Table

_SEALED: Final = '"shared-key" or "key-pair" as sealing'


class _Contradiction(NamedTuple):
    """One thing that may not be.

    Args:
        is_said: Whether a policy says it.
        key: Where the file says it.
        problem: Why it may not be.
        allowed: What may.
    """

    is_said: Callable[[Policy], bool]
    key: str
    problem: str
    allowed: str


_CONTRADICTIONS: Final = (
    _Contradiction(
        lambda one: one.sealing == "none" and one.key.mode != "none",
        "key.mode",
        "nothing is sealed, so there is no key",
        f'"none", or {_SEALED}',
    ),
    _Contradiction(
        lambda one: one.sealing != "none" and one.key.mode == "none",
        "key.mode",
        "what is sealed without a key is lost",
        '"shared", "kept", "kept-and-shared", "root", or "none" as sealing',
    ),
    _Contradiction(
        lambda one: one.sealing == "none" and one.value.scheme == "compact",
        "value.scheme",
        "a compact share shows a part of what is divided, so that must be sealed",
        f'"shamir", or {_SEALED}',
    ),
    _Contradiction(
        lambda one: one.sealing == "none" and one.compact_above is not None,
        "compact_above",
        "a compact share shows a part of what is divided, so that must be sealed",
        f"no compact_above, or {_SEALED}",
    ),
    _Contradiction(
        lambda one: one.sealing == "none" and one.order == "divide-then-seal",
        "order",
        "nothing is sealed",
        f'"seal-then-divide", or {_SEALED}',
    ),
    _Contradiction(
        lambda one: one.sealing == "none" and one.coupling == "seal-then-couple",
        "coupling",
        "nothing is sealed",
        f'"single", "couple-then-seal", or {_SEALED}',
    ),
    _Contradiction(
        lambda one: one.coupling == "seal-then-couple" and one.order == "divide-then-seal",
        "order",
        "values that are sealed before they are coupled are not sealed again",
        '"seal-then-divide", or "couple-then-seal" as coupling',
    ),
    _Contradiction(
        lambda one: one.value.scheme == "compact" and one.compact_above is not None,
        "compact_above",
        "the value is compact already, whatever its size",
        'no compact_above, or "shamir" as value.scheme',
    ),
    _Contradiction(
        lambda one: one.value.scheme == "compact" and one.value.n > MAX_FRAGMENTS,
        "value.n",
        "the erasure code makes fewer shares",
        f'up to {MAX_FRAGMENTS}, or "shamir" as value.scheme',
    ),
    _Contradiction(
        lambda one: bool(one.key_name) and one.key.mode not in ("kept", "kept-and-shared"),
        "key.name",
        "only a key that the wallet keeps has a name",
        'no name, or "kept" or "kept-and-shared" as key.mode',
    ),
    _Contradiction(
        lambda one: bool(one.algorithm) and one.key.mode != "root",
        "key.algorithm",
        "only a key from the root has an algorithm",
        'no algorithm, or "root" as key.mode',
    ),
)


def check_terms(top: Table, policy: Policy) -> None:
    """Hold a policy to itself.

    Args:
        top: The file it was read from.
        policy: What it says.

    Raises:
        PolicyFileInvalid: It contradicts itself.
    """
    for one in _CONTRADICTIONS:
        if one.is_said(policy):
            raise top.refused(one.key, one.problem, one.allowed)
