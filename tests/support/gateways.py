"""Safes in this process that gather from one another, and a wallet's own way of asking one of them.

Grants and guesses are judged by the clock of `peer_safes`, requests by the real one.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from kura.safe.v1 import peer_pb2, safe_pb2
from rpc_edge.client import SignedCaller
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.tls import peer_channel, pinned_channel
from safe_node.server import make_runner
from support.batches import KEYS
from support.logged import log_into
from support.peer_safes import PeerSafe, PeerSafes, peer_safes
from support.safe_process import now_ms
from support.sample_documents import draw
from support.tls_identities import Identity
from threshold.hpke import KeyPair, derive_key_pair
from threshold.randomness import SystemRandomness
from trust.collected import Collected
from trust.documents import SigningKey
from trust.grant import LIFE_SECONDS, Grant, granted_part, sign_grant
from trust.ids import SafeId, WalletKey
from trust.refusals import Refusal
from wallet_client.network.safe_link import SafeLink
from wallet_client.pipeline.batch import PreparedBatch
from wallet_client.policies.policy import Policy

SECONDS = 20.0
GATHER = "/kura.safe.v1.SafeService/Gather"
COLLECT = "/kura.safe.v1.PeerService/Collect"
RECIPIENT = derive_key_pair(draw("recipient", 32))

Came = dict[SafeId, list[safe_pb2.CollectedPart] | Refusal]
"""By safe, every part that opened, the whole of it; or why the gateway has none."""


class Unclosed:
    """A channel that stays open."""

    async def close(self) -> None:
        return


@dataclass
class GatewaySafes:
    """A whole roster of them; each has a second port for wallets, at which it gathers."""

    peers: PeerSafes
    ports: dict[SafeId, int] = field(default_factory=dict)
    _channels: list[grpc.aio.Channel] = field(default_factory=list)

    @property
    def safes(self) -> list[PeerSafe]:
        return self.peers.safes

    async def registered(
        self, values: Sequence[bytes], policy: Policy | str, seed: str = "plan"
    ) -> tuple[PreparedBatch, dict[SafeId, list[bytes]]]:
        """A batch at all its safes, and what each certified."""
        batch = await self.peers.take_in(values, policy, seed=seed)
        certificates: dict[SafeId, list[bytes]] = {}
        for safe in self.safes:
            if safe.safe_id in batch.plan.arrangement.safes:
                caller = safe.local.caller(KEYS.signing)
                link = SafeLink(safe.local.home.entry, Unclosed(), caller, SECONDS)
                for parcel in batch.parcels(safe.safe_id):
                    signed = await (
                        link.register(parcel)
                        if parcel.streamed is None
                        else link.register_stream(parcel, batch.chunks(parcel.streamed.x))
                    )
                    certificates.setdefault(safe.safe_id, []).extend(one.certificate for one in signed)
                await link.close()
        return batch, certificates

    def channel(self, gateway: PeerSafe) -> grpc.aio.Channel:
        """To one safe, as a wallet has it; closed at the end."""
        entry = gateway.local.home.entry
        channel = pinned_channel(
            f"127.0.0.1:{self.ports[gateway.safe_id]}", entry.tls_certificate, entry.name
        )
        self._channels.append(channel)
        return channel

    def grant(
        self,
        gateway: PeerSafe,
        lists: Mapping[SafeId, Sequence[bytes]],
        key: SigningKey = KEYS.signing,
        **changes: Any,
    ) -> Grant:
        """For the recipient of these tests, from now on."""
        roster, now = self.peers.local.roster, self.safes[0].safe.now
        fields = {
            "wallet_key": WalletKey(key.public),
            "gateway": gateway.safe_id,
            "recipient_key": RECIPIENT.public,
            "roster_version": roster.version,
            "roster_hash": roster.fingerprint,
            "issued_at": now,
            "expires_at": now + LIFE_SECONDS,
            "parts": tuple(granted_part(safe_id, one) for safe_id, one in lists.items()),
        }
        return Grant(**{**fields, **changes})

    async def gather(
        self,
        gateway: PeerSafe,
        grant: Grant,
        lists: Mapping[SafeId, Sequence[bytes]],
        *,
        key: SigningKey = KEYS.signing,
        signer: SigningKey | None = None,
        spares: Sequence[PeerSafe] = (),
        pair: KeyPair = RECIPIENT,
    ) -> Came:
        """Show a grant, and open what comes; raises what the gateway refuses."""
        answers = self.answers(gateway, grant, lists, key=key, signer=signer, spares=spares)
        frames: dict[SafeId, list[bytes] | Refusal] = {}
        async with aclosing(answers):
            async for answer in answers:
                safe_id = SafeId(answer.safe_id)
                if answer.WhichOneof("outcome") == "frame":
                    known = frames.setdefault(safe_id, [])
                    assert isinstance(known, list)
                    known.append(answer.frame)
                else:
                    word = SAFE_ERRORS.from_refusal(answer.failure)
                    assert isinstance(word, Refusal)
                    frames[safe_id] = word
        return {
            safe_id: one if isinstance(one, Refusal) else self.opened(grant, safe_id, one, pair)
            for safe_id, one in frames.items()
        }

    def answers(
        self,
        gateway: PeerSafe,
        grant: Grant,
        lists: Mapping[SafeId, Sequence[bytes]],
        *,
        key: SigningKey = KEYS.signing,
        signer: SigningKey | None = None,
        spares: Sequence[PeerSafe] = (),
        seconds: float = SECONDS,
    ) -> AsyncGenerator[safe_pb2.GatherResponse, None]:
        """Show a grant; each answer as it is taken."""
        body, signature = sign_grant(grant, signer or key)
        spare_ids = {one.safe_id for one in spares}
        request = safe_pb2.GatherRequest(
            grant=body,
            signature=signature,
            lists=[
                safe_pb2.GrantedList(certificates=one, is_spare=safe_id in spare_ids)
                for safe_id, one in lists.items()
            ],
        )
        caller = SignedCaller(self.channel(gateway), gateway.safe_id, key, now_ms, SystemRandomness())
        return caller.stream_down(GATHER, request, safe_pb2.GatherResponse, seconds)

    async def collect(
        self,
        helper: PeerSafe,
        by: PeerSafe,
        grant: Grant,
        certificates: Sequence[bytes],
        *,
        signer: SigningKey = KEYS.signing,
        stranger: Identity | None = None,
    ) -> list[safe_pb2.CollectedPart]:
        """Ask a safe as another one, with that one's certificate, or a stranger's; opened."""
        assert by.identity is not None
        shown = (by.identity.tls_key, by.identity.tls_certificate)
        if stranger is not None:
            shown = (stranger.private_key, stranger.certificate)
        entry = helper.local.home.entry
        body, signature = sign_grant(grant, signer)
        request = peer_pb2.CollectRequest(grant=body, signature=signature, certificates=certificates)
        channel = peer_channel(
            f"127.0.0.1:{helper.ports[entry.name]}",
            entry.tls_certificate,
            entry.name,
            *shown,
        )
        self._channels.append(channel)
        caller = SignedCaller(channel, helper.safe_id, signer, lambda: 0, SystemRandomness())
        stream = caller.stream_down(COLLECT, request, peer_pb2.CollectResponse, SECONDS, signed=False)
        async with aclosing(stream):
            return self.opened(grant, helper.safe_id, [answer.frame async for answer in stream])

    def opened(
        self, grant: Grant, safe_id: SafeId, frames: Sequence[bytes], pair: KeyPair = RECIPIENT
    ) -> list[safe_pb2.CollectedPart]:
        """The parts, and that they are all."""
        opener = Collected(grant.name, self.peers.local.roster.safe(safe_id), pair)
        messages = [opener.open(frame) for frame in frames]
        assert opener.is_whole
        return [safe_pb2.CollectedPart.FromString(one) for one in messages if one is not None]

    async def close(self) -> None:
        """Let go of every channel."""
        for channel in self._channels:
            await channel.close()


@asynccontextmanager
async def gateway_safes(folder: Path, count: int = 5, threshold: int = 3) -> AsyncIterator[GatewaySafes]:
    """Make a roster of safes that repair and gather, and start them."""
    async with peer_safes(folder, count, threshold) as peers, AsyncExitStack() as stack:
        safes = GatewaySafes(peers)
        for safe in peers.safes:
            assert safe.helping is not None
            assert safe.identity is not None
            log = log_into(safe.local.logged)
            runner = make_runner(safe.safe, safe.local.settings, safe.identity, log, safe.helping.peers)
            safes.ports[safe.safe_id] = await runner.start()
            stack.push_async_callback(runner.stop, 1)
        stack.push_async_callback(safes.close)
        yield safes
