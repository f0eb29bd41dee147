"""A rogue that would have an easier record in the place of the owner's, or pass for a wallet of theirs."""

from msgspec import structs

from kura.safe.v1 import owner_pb2 as pb
from support.factors import AUTHORITY_ALONE
from support.owners import Access, deal_owner
from support.rogues.hands import Hand
from support.rogues.scene import Door, Scene, Victim
from support.rogues.words import OWN
from support.sample_documents import NOW
from trust.access_policy import sign_policy
from trust.authorisation import authorise_wallet
from trust.ids import WalletKey


async def enrols_over(scene: Scene, hand: Hand, number: int) -> object:
    """A record of its own under the owner's name, which the authority alone opens."""
    door, victim = _of(scene, number)
    access = Access((AUTHORITY_ALONE,), (), (scene.description.identity_key,))
    known_as = victim.owner.owner_id
    dealt = deal_owner(scene.roster, "a rogue", owner="a rogue", access=access, known_as=known_as)
    return await door.ask(pb.EnrollRequest(version=dealt.versions[door.entry.safe_id]), dealt.key)


async def stages_lowered(scene: Scene, hand: Hand, number: int) -> object:
    """The owner's own record, its policy lowered to the authority alone, signed anew by the rogue."""
    door, victim = _of(scene, number)
    version = pb.RecordVersion()
    version.CopyFrom(victim.owner.versions[door.entry.safe_id])
    lowered = sign_policy(structs.replace(victim.owner.policy, ways=(AUTHORITY_ALONE,), devices=()), OWN)
    version.policy, version.policy_signature = lowered.policy, lowered.signature
    return await door.ask(pb.StageRecordRequest(version=version), OWN)


async def reads_the_wallets(scene: Scene, hand: Hand, number: int) -> object:
    """As if its own key were the key of a wallet of somebody's."""
    door, _ = _of(scene, number)
    return await door.ask(pb.ListWalletsRequest(), OWN)


async def authorises_itself(scene: Scene, hand: Hand, number: int) -> object:
    """The owner's word for a wallet, with another signature under it."""
    door, victim = _of(scene, number)
    word = authorise_wallet(WalletKey(OWN.public), NOW, victim.owner.key)
    forged = OWN.sign("wallet authorisation", word.authorisation)
    return await door.ask(pb.AuthoriseWalletRequest(authorisation=word.authorisation, signature=forged), OWN)


def _of(scene: Scene, number: int) -> tuple[Door, Victim]:
    doors, victims = scene.doors, scene.victims
    return doors[number % len(doors)], victims[number // len(doors) % len(victims)]
