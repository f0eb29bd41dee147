"""One try of a gateway: it shows a grant to a safe, as the real gateway to which a wallet gave one.

It has the store of its own safe and of one more, so that a single piece of any other safe is enough. Whoever
may sign for the wallet reads its value by the very same steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from msgspec import structs

from kura.safe.v1 import peer_pb2, safe_pb2
from rpc_edge.client import SignedCaller
from rpc_edge.error_table import SAFE_ERRORS
from support.attacker import Loot, Loots, loot_of, plunder, read_manifest_of
from support.gateways import COLLECT
from support.kura import KuraInProcess, new_wallet
from support.owner_safes import SAFES, SECONDS
from support.rogues.hands import Foiled, Gathering, Hand, Try, Why
from support.rogues.scene import Scene
from support.rogues.words import OWN
from support.safe_process import now_ms
from support.sample_documents import draw
from support.steps import add_ticket
from threshold.hpke import KeyPair
from threshold.randomness import SystemRandomness
from trust.certificate import Certificate
from trust.collected import Collected
from trust.documents import SigningKey
from trust.errors import EnvelopeBroken
from trust.grant import Grant, sign_grant
from trust.ids import SafeId, WalletKey
from trust.manifest import ItemLeaf
from trust.piece import BLINDING_BYTES
from trust.refusals import Refusal
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import Value
from wallet_client.wallet import wallet_keys

GATEWAY = "safe-5"
HELPFUL = "safe-1"
"""Gave the gateway its store too."""
ASKED = ("safe-2", "safe-3", "safe-4")
SECRET_NAME = "what no gateway may read"
RECIPIENT = KeyPair(draw("a rogue gateway's recipient", 32))
HOUR = 3_600


def overhear(scene: Scene, folder: Path) -> tuple[Gathering, SigningKey]:
    """A wallet recovers a value through the rogue; gives what was heard, and the wallet's key (Secret)."""
    kura, heard = new_wallet(folder / "wallet", scene.cluster.roster_file), folder / "heard"
    add_ticket(kura, name=SECRET_NAME)
    (receipt,) = kura.json("backup", "--all", "--policy", "threshold", "--delete")["receipts"]
    scene.cluster.replace(GATEWAY, "support.rogues.gateway_process", heard=heard)
    kura.ok("recover", receipt["id"], "--via", GATEWAY)
    first, *others = (bytes.fromhex(line) for line in heard.read_text().splitlines())
    key = _key_of(kura)
    request = safe_pb2.GatherRequest.FromString(first)
    then = now_ms() // 1_000 - HOUR
    old = structs.replace(Grant.from_bytes(request.grant), issued_at=then, expires_at=then + 300)
    answers = [safe_pb2.GatherResponse.FromString(one) for one in others]
    return Gathering(request, answers, sign_grant(old, key)), key


def _key_of(kura: KuraInProcess) -> SigningKey:
    with WalletStore.open(kura.home, NoPassphrase()) as store:
        return wallet_keys(store).signing


@dataclass(frozen=True)
class Showing:
    """What is shown to one safe.

    Args:
        by: The safe that shows it, by its certificate.
        pair: Secret: with which the rogue opens what comes.
    """

    body: bytes
    signature: bytes
    certificates: Sequence[bytes]
    by: str = GATEWAY
    pair: KeyPair = RECIPIENT


Change: TypeAlias = Callable[[Hand, Showing, int], Showing]
"""Makes of what was overheard what is shown."""


def shows(change: Change) -> Try:
    """A try with a grant."""

    async def attempt(scene: Scene, hand: Hand, number: int) -> Value:
        assert hand.gathering is not None
        name, request = ASKED[number % len(ASKED)], hand.gathering.request
        heard = Showing(request.grant, request.signature, _list_of(scene, hand.gathering, name))
        showing = change(hand, heard, number)
        results = await _collected(scene, name, showing)
        pieces = [_piece(one) for one in results]
        return read(scene, hand, taken(hand, showing.certificates, pieces))

    return attempt


def _list_of(scene: Scene, gathering: Gathering, name: str) -> list[bytes]:
    parts = Grant.from_bytes(gathering.request.grant).parts
    at = [part.safe_id for part in parts].index(scene.entry(name).safe_id)
    return list(gathering.request.lists[at].certificates)


async def _collected(scene: Scene, name: str, showing: Showing) -> list[safe_pb2.FetchResult]:
    """What a safe gives under a grant, if it is sealed to the rogue."""
    entry, rng = scene.entry(name), SystemRandomness()
    channel = scene.peers_port(name, showing.by)
    caller = SignedCaller(channel, entry.safe_id, OWN, now_ms, rng)
    request = peer_pb2.CollectRequest(
        grant=showing.body, signature=showing.signature, certificates=showing.certificates
    )
    stream = caller.stream_down(COLLECT, request, peer_pb2.CollectResponse, SECONDS, signed=False)
    frames = [answer.frame async for answer in stream]
    opener = Collected(Grant.from_bytes(showing.body).name, entry, showing.pair)
    try:
        messages = [opener.open(frame) for frame in frames]
    except EnvelopeBroken:
        raise Foiled(Why.FOR_ANOTHER) from None
    parts = [safe_pb2.CollectedPart.FromString(one) for one in messages if one is not None]
    return [result for part in parts for result in part.results]


def _piece(result: safe_pb2.FetchResult) -> safe_pb2.StoredPiece:
    if result.WhichOneof("outcome") == "refusal":
        refusal = SAFE_ERRORS.from_refusal(result.refusal)
        assert isinstance(refusal, Refusal)
        raise refusal
    return result.piece


async def fetches_itself(scene: Scene, hand: Hand, number: int) -> Value:
    """With the wallet's certificates, as a wallet of its own; signed for the wallet by who has its key."""
    assert hand.gathering is not None
    door = scene.all_doors[1 + number % len(ASKED)]
    certificates = _list_of(scene, hand.gathering, door.entry.name)
    key, rng = hand.wallet or OWN, SystemRandomness()
    caller = SignedCaller(door.channel, door.entry.safe_id, key, now_ms, rng)
    request = safe_pb2.FetchRequest(certificates=certificates)
    answer = await caller.unary(f"{SAFES}/Fetch", request, safe_pb2.FetchResponse, SECONDS)
    return read(scene, hand, taken(hand, certificates, [_piece(one) for one in answer.results]))


async def opens_what_it_passed_on(scene: Scene, hand: Hand, number: int) -> Value:
    """The frames themselves, by keys that the rogue has."""
    assert hand.gathering is not None
    answer = hand.gathering.answers[number % len(hand.gathering.answers)]
    name = Grant.from_bytes(hand.gathering.request.grant).name
    pair = KeyPair(draw(f"a key that might fit {number}", 32))
    try:
        Collected(name, scene.roster.safe(SafeId(answer.safe_id)), pair).open(answer.frame)
    except EnvelopeBroken:
        raise Foiled(Why.FOR_ANOTHER) from None
    raise AssertionError("it has no key of the recipient's")


@cache
def stored(database: Path, wallet: WalletKey) -> Loots:
    """What one safe keeps of one wallet."""
    return {key: one for key, one in loot_of(database).items() if read_manifest_of(key).wallet_key == wallet}


def wallet_of(hand: Hand) -> WalletKey:
    """Whose value is wanted."""
    assert hand.gathering is not None
    return Grant.from_bytes(hand.gathering.request.grant).wallet_key


def taken(hand: Hand, certificates: Sequence[bytes], pieces: Sequence[safe_pb2.StoredPiece]) -> Loots:
    """Pieces of another safe, under the manifests that the rogue's safes keep as well."""
    found: Loots = {}
    leaves = [
        (encoded, leaf, ItemLeaf.from_bytes(leaf))
        for encoded, loot in stored(hand.stores[0], wallet_of(hand)).items()
        for leaf in loot.value_shares
    ]
    for certificate, piece in zip(map(Certificate.from_bytes, certificates), pieces, strict=True):
        for encoded, leaf, read_leaf in leaves:
            if (read_leaf.item_id, read_leaf.generation) == (certificate.item_id, certificate.generation):
                loot = found.setdefault(encoded, Loot())
                loot.value_shares[leaf][certificate.index] = piece.blob[BLINDING_BYTES:]
                loot.key_shares[certificate.index] = piece.key_share
    return found


def read(scene: Scene, hand: Hand, more: Loots) -> Value:
    """The value, by what was stolen and what came besides."""
    loots = [*(stored(store, wallet_of(hand)) for store in hand.stores), more]
    found = [value for value in plunder(loots) if value.name == SECRET_NAME]
    if not found:
        raise Foiled(Why.TOO_LITTLE)
    return found[0]
