"""What one round of repair has to work with, and what it finds out about peers on the way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from rpc_edge.errors import CallFailed
from safe_node.decisions.admission import Membership
from safe_node.decisions.helper_sets import helper_sets, suspects
from safe_node.handlers.safe import Safe
from safe_node.network.peer_link import Newest, Signed
from safe_node.network.peers import Peers
from safe_node.repairs import HeldBatch, KnownBatch, RepairReport, Word
from threshold.randomness import RandomSource
from trust.ids import ID_BYTES, SafeId
from trust.manifest import Place
from trust.refusals import Refusal
from trust.repair_session import RepairHelper, RepairSession, sign_session

_Result = TypeVar("_Result")
_SESSION_ID_BYTES = ID_BYTES

LISTEN_SECONDS = 300.0
"""For all pages of one peer: what it told by then counts, so that none holds up a round with endless ones."""

TOLD_BYTES = 128 * 1024 * 1024
"""For all words of one peer, and for all of its inventory, as they are held here: 200,000 batches of one
piece, or a million pieces in batches of a thousand."""

_ONE_BYTES, _LEAF_BYTES = 512, 128
"""What CPython needs for a batch or a word besides its leaves or its body, and for a leaf, at the most."""

NO_ANSWER = (Refusal, CallFailed)
"""What a peer that does not help is known by."""


def held_bytes(told: Sequence[HeldBatch | Word]) -> int:
    """What a page takes up as long as a round lasts, in bytes, roughly."""
    more = (len(one.body) if isinstance(one, Word) else _LEAF_BYTES * len(one.leaf_indices) for one in told)
    return len(told) * _ONE_BYTES + sum(more)


class NotRebuilt(Exception):
    """No set of helpers gave what fits."""


class DoesNotFit(Exception):
    """What a set of helpers gave is not what was lost; one of them lied."""


@dataclass(eq=False)
class HelperFailed(Exception):
    """A set of helpers gave nothing.

    Args:
        gone: Share indices of those that will not help at all.
        doubted: Of those of whom one says that the other gave nothing.
    """

    gone: frozenset[int]
    doubted: frozenset[int] = frozenset()


@dataclass
class Round:
    """One round.

    Args:
        safe: Who repairs.
        peers: Its links.
        rng: Draws the sessions' ids.
    """

    safe: Safe
    peers: Peers
    rng: RandomSource
    repaired: int = 0
    lacking: int = 0
    beyond_repair: int = 0
    silent: set[SafeId] = field(default_factory=set)
    suspected: set[SafeId] = field(default_factory=set)

    @property
    def membership(self) -> Membership:
        """Who repairs, and its rosters."""
        return self.safe.membership

    @property
    def newest(self) -> Newest:
        """The roster it goes by."""
        version = self.membership.newest.version
        return version, self.membership.fingerprints[version]

    def report(self) -> RepairReport:
        """How it went."""
        return RepairReport(
            self.repaired, self.lacking, self.beyond_repair, frozenset(self.silent), frozenset(self.suspected)
        )

    def session(
        self,
        batch: KnownBatch,
        x: int,
        helpers: Sequence[Place],
        leaf_indices: tuple[int, ...] = (),
        start: int = 0,
        length: int = 0,
    ) -> Signed:
        """A fresh session, signed: of part of these leaves' blobs; of the key share where none is named."""
        session = RepairSession(
            session_id=self.rng.read(_SESSION_ID_BYTES),
            requester=self.membership.safe_id,
            begun_at=self.safe.now,
            roster_version=self.newest[0],
            roster_hash=self.membership.fingerprints[self.newest[0]],
            manifest_hash=batch.manifest_hash,
            x=x,
            part="value" if leaf_indices else "key",
            leaf_indices=leaf_indices,
            start=start,
            length=length,
            helpers=tuple(RepairHelper(place.safe_id, place.x) for place in helpers),
        )
        return sign_session(session, self.safe.signing_key)

    async def try_sets(
        self,
        candidates: Sequence[Place],
        k: int,
        attempt: Callable[[tuple[Place, ...]], Awaitable[_Result]],
    ) -> _Result:
        """Try sets of k helpers until one gives what fits; who must have lied is noted.

        Raises:
            NotRebuilt: None did.
        """
        by_x = {place.x: place for place in candidates}
        tried: set[tuple[int, ...]] = set()
        failed: list[tuple[int, ...]] = []
        doubted = {place.x for place in candidates if place.safe_id in self.suspected | self.silent}
        while (chosen := _untried(sorted(by_x), k, doubted, tried)) is not None:
            tried.add(chosen)
            try:
                result = await attempt(tuple(by_x[x] for x in chosen))
            except DoesNotFit:
                failed.append(chosen)
                doubted |= set(chosen)
            except HelperFailed as failure:
                doubted |= failure.doubted
                for x in failure.gone:
                    del by_x[x]
            else:
                self.suspected |= {
                    place.safe_id for place in candidates if place.x in suspects(failed, chosen)
                }
                return result
        raise NotRebuilt


def _untried(
    xs: Sequence[int], k: int, doubted: set[int], tried: set[tuple[int, ...]]
) -> tuple[int, ...] | None:
    return next((chosen for chosen in helper_sets(xs, k, doubted) if chosen not in tried), None)
