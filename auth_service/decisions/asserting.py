"""What an authority asserts of the account of a session."""

from __future__ import annotations

from threshold.randomness import RandomSource
from trust.assertion import Assertion, Method, SignedAssertion, sign_assertion
from trust.authority_calls import AssertionWish
from trust.documents import DocumentProblem, SigningKey
from trust.errors import DocumentMalformed
from trust.ids import AuthorityKey, OwnerId
from trust.refusals import Malformed

ID_BYTES = 16


def assert_owner(
    wish: AssertionWish,
    authority: AuthorityKey,
    owner_id: OwnerId,
    methods: tuple[Method, ...],
    life_seconds: int,
    now: int,
    key: SigningKey,
    rng: RandomSource,
) -> SignedAssertion:
    """Make and sign an assertion.

    Args:
        wish: What was asked for, in a session that lives.
        authority: Who asserts it.
        owner_id: Of the account's own name and the wish's genesis; nobody chooses it.
        methods: Of the session, ascending.
        life_seconds: How long it holds, at most 600.
        now: Whole seconds since 1970-01-01 UTC.
        key: Secret: the signing key in use.
        rng: Gives 16 bytes.

    Raises:
        Malformed: The wish's audience is none.
    """
    try:
        assertion = Assertion(
            assertion_id=rng.read(ID_BYTES),
            authority=authority,
            owner_id=owner_id,
            genesis=wish.genesis,
            audience=wish.audience,
            login=wish.login,
            methods=methods,
            issued_at=now,
            expires_at=now + life_seconds,
        )
        return sign_assertion(assertion, key)
    except (DocumentMalformed, DocumentProblem):
        raise Malformed("question") from None
