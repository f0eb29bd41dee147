"""Whether an authority's assertion opens the factor `authority` for the call in which it is shown. Pure.

Whatever is wrong with it, who shows it gets the one reply that a wrong PIN gets as well. It is taken once,
and only after everything else held (factor_memory.py): what is refused uses nothing up.
"""

from __future__ import annotations

from trust.assertion import (
    Assertion,
    Presentation,
    SignedAssertion,
    judge_assertion,
)
from trust.authority import AuthorityDescription, SignedAuthority, read_description


def admit_assertion(
    body: bytes, description: bytes, shown: Presentation, now: int
) -> tuple[Assertion, AuthorityDescription]:
    """What was shown, and whose word it is, if it holds.

    Args:
        body: What should be a SignedAssertion.
        description: What should be a SignedAuthority: the authority as it stands now.
        shown: The call, and which authority the owner's policy names.
        now: The clock, whole seconds since 1970-01-01 UTC.

    Raises:
        TrustError: Whatever the reason; all of one cost once both documents parse.
    """
    authority = read_description(SignedAuthority.from_bytes(description))
    assertion = judge_assertion(SignedAssertion.from_bytes(body), authority, shown, now)
    return assertion, authority
