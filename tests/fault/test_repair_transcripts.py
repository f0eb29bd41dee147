"""No message to or from a safe reveals another's share: what k - 1 safes see of repairs tells them nothing.

Every message of real repairs is recorded. An attacker with the databases, secrets and messages of k - 1
safes, the repaired one among them, determines no share but theirs; its twin with k safes has the secret.
"""

from collections.abc import AsyncIterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from safe_node.handlers import peer_repair
from support.peer_safes import PeerSafes, peer_safes, some_bytes
from support.repair_attacker import BYTES, SCALARS, Attacker, Field, Message
from threshold.ristretto import Scalar
from trust.ids import SafeId
from trust.repair_session import RepairSession

K = 3
AT = 40
"""The byte of the share that is attacked; every byte is divided alike."""


@pytest.fixture
async def safes(tmp_path: Path) -> AsyncIterator[PeerSafes]:
    """Five, three bring back."""
    async with peer_safes(tmp_path) as made:
        yield made


def number(part: str, content: bytes) -> int:
    return content[AT] if part == "value" else int.from_bytes(content, "little")


class Recorder:
    """Hears every sum and summand where it is sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[Message] = []
        self.pads: list[tuple[RepairSession, int, int, int]] = []
        for kind, field in (("sum_of", "sum"), ("summand", "summand")):
            self._listen(monkeypatch, kind, field)

    def _listen(self, monkeypatch: pytest.MonkeyPatch, handler: str, field: str) -> None:
        honest = getattr(peer_repair, handler)

        async def heard(helping: Any, caller: SafeId, request: Any) -> Any:
            answer = await honest(helping, caller, request)
            session = RepairSession.from_bytes(request.session.session)
            giver = session.helper(helping.safe.membership.safe_id)
            taker = session.helper(caller)
            assert giver is not None
            at = session.x if taker is None else taker.x
            content = number(session.part, getattr(answer, field))
            self.messages.append(Message(field, session, giver.x, at, content))
            pads = peer_repair._pads(helping, session)
            for to in session.helpers:
                if to != giver:
                    self.pads.append((session, giver.x, to.x, _pad(session, pads(to.x))))
            return answer

        monkeypatch.setattr(peer_repair, handler, heard)


def attacker(
    numbers: Field, part: str, bought: tuple[int, ...], recorder: Recorder, safes: PeerSafes
) -> Attacker:
    """Everything the safes with these share indices know."""
    made = Attacker(numbers, K, bought)
    by_x = {x: safe for safe in safes.safes for _, x in safe.kept()}
    for x in bought:
        ((blob, share),) = by_x[x].kept().values()
        made.knows_share(x, number(part, (blob if part == "value" else share) or b""))
    for message in recorder.messages:
        if message.session.part == part:
            made.sees(message)
    for session, giver, to, pad in recorder.pads:
        if session.part == part and giver in bought:
            made.knows_pad(session, giver, to, pad)
    return made


def _pad(session: RepairSession, stream: Any) -> int:
    is_value = session.part == "value"
    content = stream.read(session.length) if is_value else Scalar.random(stream).to_bytes()
    return number(session.part, content)


@pytest.mark.parametrize(("part", "numbers"), [("value", BYTES), ("key", SCALARS)], ids=["value", "key"])
async def test_k_minus_1_views_determine_nothing_and_k_determine_the_secret(
    safes: PeerSafes, monkeypatch: pytest.MonkeyPatch, part: str, numbers: Field
) -> None:
    """Repaired twice, by different helpers, so that what two sessions tell is put together."""
    await safes.take_in([some_bytes(900)], "threshold")
    recorder, lost = Recorder(monkeypatch), safes.safes[4]
    for away in (safes.safes[0], safes.safes[1]):
        await away.stop()
        await lost.wipe()
        assert (await lost.repair()).repaired == 1
        await away.start()
        for safe in safes.safes:
            await safe.reconnect()
    xs = sorted(x for safe in safes.safes for _, x in safe.kept())
    assert len({one.session.session_id for one in recorder.messages if one.session.part == part}) == 2
    secrets = set()
    for bought in combinations(xs, K):
        made = attacker(numbers, part, bought, recorder, safes)
        secrets.add(made.share_at(0))
    assert len(secrets) == 1
    assert None not in secrets
    for bought in combinations(xs, K - 1):
        made = attacker(numbers, part, bought, recorder, safes)
        found = {x: made.share_at(x) for x in (0, *xs)}
        assert {x for x, share in found.items() if share is not None} == set(bought)
