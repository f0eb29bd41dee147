"""Whether an authority's assertion opens the factor `authority` for the call in which it is shown. Pure.

Whatever is wrong with it, who shows it gets the one reply that a wrong PIN gets as well; the reason is for
the log alone. It is taken once, and only after everything else held: what is refused uses nothing up.
"""

from __future__ import annotations

from trust.assertion import (
    Assertion,
    AssertionMemory,
    Method,
    Presentation,
    SignedAssertion,
    judge_assertion,
)
from trust.authority import AuthorityDescription
from trust.errors import AssertionRefused, TrustError
from trust.owner_refusals import UnlockRefused


def admit_assertion(
    body: bytes,
    authority: AuthorityDescription,
    shown: Presentation,
    needed: frozenset[Method],
    memory: AssertionMemory,
    now: int,
) -> Assertion:
    """Take what was shown, once.

    Args:
        body: What should be a SignedAssertion.
        authority: The newest description that this safe knows of the authority that the policy names.
        shown: The call.
        needed: Methods of which the owner's policy asks each; may be none.
        memory: One for the whole process.
        now: The clock, whole seconds since 1970-01-01 UTC.

    Raises:
        UnlockRefused: Whatever the reason.
    """
    try:
        assertion = judge_assertion(SignedAssertion.from_bytes(body), authority, shown, now)
        if not needed <= set(assertion.methods):
            raise AssertionRefused(assertion.title, "the owner was authenticated by other methods")
        memory.use(assertion, now)
    except TrustError as error:
        raise UnlockRefused from error
    return assertion
