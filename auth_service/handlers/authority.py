"""All that answering a call takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from auth_service.config import AccountSettings
from auth_service.decisions.rates import CallRates
from auth_service.hashing import PasswordHashes
from auth_service.identity import Identity
from auth_service.once import TakenOnce
from auth_service.records import KeptSession
from auth_service.store.base import AuthStore
from rpc_edge.freshness import FreshnessJudge
from threshold.randomness import RandomSource, SystemRandomness
from trust.authority_refusals import SessionInvalid
from trust.common_key import PATH_SECONDS, CommonKey
from trust.ids import AuthorityKey

CHALLENGE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Authority:
    """One running authority.

    Args:
        identity: Secret: its keys.
        accounts: The operator's rules.
        store: What it keeps.
        hashes: Makes and compares hashes.
        rates: Calls by address.
        freshness: Questions to the static key that were seen.
        now_ms: The clock: milliseconds since 1970-01-01 UTC.
        rng: Where salts, tokens, ids and challenges come from.
        paths: Secret: common keys that wait for their question.
        challenges: Given out to devices, each with the handle of the account that may register one by it;
            empty for a login.
    """

    identity: Identity
    accounts: AccountSettings
    store: AuthStore
    hashes: PasswordHashes
    rates: CallRates
    freshness: FreshnessJudge
    now_ms: Callable[[], int]
    rng: RandomSource = field(default_factory=SystemRandomness)
    paths: TakenOnce[CommonKey] = field(default_factory=lambda: TakenOnce(PATH_SECONDS), repr=False)
    challenges: TakenOnce[bytes] = field(default_factory=lambda: TakenOnce(CHALLENGE_SECONDS))

    @property
    def now(self) -> int:
        """The clock in whole seconds."""
        return self.now_ms() // 1_000

    @property
    def key(self) -> AuthorityKey:
        """Its identity."""
        return self.identity.description.identity_key

    @property
    def relying_party(self) -> str:
        """By which devices know it."""
        return self.identity.description.relying_party


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Args:
        authority: Whom.
        found: The session of the question's token, where the method needs one.
    """

    authority: Authority
    found: KeptSession | None

    @property
    def session(self) -> KeptSession:
        """The session.

        Raises:
            SessionInvalid: The method needs none, so none was looked for.
        """
        if self.found is None:
            raise SessionInvalid
        return self.found
