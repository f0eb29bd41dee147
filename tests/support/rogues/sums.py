"""Two safes that have others help them to a share of a third, as if it were lost (docs/DESIGN.md, 3.5).

With the keys of that third safe the same calls give its share, and with three shares the value opens.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeAlias

from msgspec import structs

from kura.safe.v1 import peer_pb2 as pb
from rpc_edge.client import SignedCaller
from support.attacker import Loot, read_manifest_of
from support.owner_safes import SECONDS
from support.rogues.gateway import read, stored, wallet_of
from support.rogues.hands import Hand, Try
from support.rogues.scene import Scene
from support.rogues.words import OWN
from support.safe_process import now_ms
from support.sample_documents import draw
from threshold import repair
from threshold.randomness import SystemRandomness
from threshold.ristretto import Scalar
from trust.ids import Hash
from trust.piece import BLINDING_BYTES
from trust.repair_session import RepairHelper, RepairSession, sign_session
from wallet_client.values.value import Value

SERVICE = "/kura.safe.v1.PeerService"
ROGUE = "safe-1"
THIRD = "safe-4"
"""Whose share is wanted."""
HELPERS = ("safe-3", "safe-2", "safe-5")
"""Asked in this order; the first is not the rogue's."""

Change: TypeAlias = Callable[[Scene, RepairSession], RepairSession]


def asks(change: Change, method: str = "Sum", *, heard: bool = False) -> Try:
    """A try: the key share, then the value share, added up from what three helpers give.

    Args:
        change: Makes of a proper session of the third safe's what is signed and shown.
        method: What is called.
        heard: It is a session that the third safe really signed, and that the rogue overheard.
    """

    async def attempt(scene: Scene, hand: Hand, number: int) -> Value:
        encoded, found = next(
            one for one in stored(hand.stores[0], wallet_of(hand)).items() if one[1].value_shares
        )
        x = _x_of(scene, encoded, THIRD)
        leaf, shares = next(iter(found.value_shares.items()))
        length = BLINDING_BYTES + len(next(iter(shares.values())))
        by = hand.third or ROGUE
        key_share, value_share = [
            await _added(scene, by, method, _signed(scene, THIRD if heard else by, change(scene, session)))
            for session in (
                _session(scene, encoded, number, part="key", leaf_indices=(), length=0),
                _session(scene, encoded, number, part="value", leaf_indices=(0,), length=length),
            )
        ]
        rebuilt = Loot({x: repair.scalar_sum([Scalar.from_bytes(one) for one in key_share]).to_bytes()})
        rebuilt.value_shares[leaf][x] = repair.byte_sum(value_share)[BLINDING_BYTES:]
        return read(scene, hand, {encoded: rebuilt})

    return attempt


def _session(scene: Scene, encoded: bytes, number: int, **part: Any) -> RepairSession:
    helpers = (RepairHelper(scene.entry(one).safe_id, _x_of(scene, encoded, one)) for one in HELPERS)
    return RepairSession(
        session_id=draw(f"a rogue's session {part['part']} {number}", 16),
        requester=scene.entry(THIRD).safe_id,
        begun_at=now_ms() // 1_000,
        roster_version=scene.roster.version,
        roster_hash=scene.roster.fingerprint,
        manifest_hash=Hash(sha256(encoded).digest()),
        x=_x_of(scene, encoded, THIRD),
        start=0,
        helpers=tuple(sorted(helpers, key=lambda one: one.x)),
        **part,
    )


def _x_of(scene: Scene, encoded: bytes, name: str) -> int:
    safe_id = scene.entry(name).safe_id
    return next(one.x for one in read_manifest_of(encoded).placement if one.safe_id == safe_id)


def _signed(scene: Scene, by: str, session: RepairSession) -> pb.SignedSession:
    body, signature = sign_session(session, scene.identity(by).signing_key)
    return pb.SignedSession(session=body, signature=signature)


async def _added(scene: Scene, by: str, method: str, session: pb.SignedSession) -> list[bytes]:
    request = getattr(pb, f"{method}Request")(session=session)
    sums = []
    for name in HELPERS:
        channel = scene.peers_port(name, by)
        caller = SignedCaller(channel, scene.entry(name).safe_id, OWN, now_ms, SystemRandomness())
        answer = await caller.unary(
            f"{SERVICE}/{method}", request, getattr(pb, f"{method}Response"), SECONDS, signed=False
        )
        sums.append(bytes(answer.sum))
    return sums


def for_the_third(_: Scene, session: RepairSession) -> RepairSession:
    """As that safe would ask; who signs it is another matter."""
    return session


def for_itself(scene: Scene, session: RepairSession) -> RepairSession:
    """The third safe's share, asked for by the rogue in its own name."""
    return structs.replace(session, requester=scene.entry(ROGUE).safe_id)


def for_its_own_share(scene: Scene, session: RepairSession) -> RepairSession:
    """The rogue's own index, but for another batch than any that there is."""
    return structs.replace(for_itself(scene, session), manifest_hash=Hash(bytes(32)))


def with_one_helper(scene: Scene, session: RepairSession) -> RepairSession:
    """So that what it gives were its share itself."""
    honest = scene.entry(HELPERS[0]).safe_id
    alone = tuple(one for one in session.helpers if one.safe_id == honest)
    return structs.replace(for_itself(scene, session), helpers=alone)
