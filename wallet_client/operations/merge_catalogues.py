"""What all safes together know of an owner's items: the union of what each tells, tombstones win.

Of each item one generation stands: the newest that can be brought back. A next generation that died on its
way to the safes hides the one before it as little as one that a single safe made up with a stolen key: what a
revoked wallet signed counts for less than what a wallet signed that may act, unless more safes keep it than
can be liars. A tombstone of a wallet that one safe at least knows to be revoked, which a thief may have
signed, hides nothing that can still be brought back. A revival, which the owner signed, dominates its
tombstone, also that of a safe which was away.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from trust.certificate import SignedCertificate
from trust.ids import Hash, ItemId, SafeId, Signature, WalletKey
from trust.manifest import ItemLeaf, Manifest
from trust.roster import Roster
from trust.tombstone import Tombstone
from wallet_client.network.failures import SafeFailure
from wallet_client.policies.arrangement import Arrangement

Generation = tuple[ItemId, int]
SignedWord = tuple[bytes, bytes]


@dataclass(slots=True)
class FoundItem:
    """One generation of one item, as one wallet registered it and the safes together know it.

    Args:
        manifest: Its batch's, parsed.
        manifest_bytes: Exact bytes.
        manifest_signature: The registering wallet's.
        leaf: Parsed.
        leaf_bytes: Exact bytes.
        position: The leaf's place among the batch's.
        path: Its inclusion path.
        certificates: By share index, each checked.
    """

    manifest: Manifest
    manifest_bytes: bytes
    manifest_signature: Signature
    leaf: ItemLeaf
    leaf_bytes: bytes
    position: int
    path: tuple[bytes, ...]
    certificates: dict[int, SignedCertificate] = field(default_factory=dict)

    @property
    def generation(self) -> Generation:
        """Its item and generation."""
        return self.leaf.item_id, self.leaf.generation

    @property
    def holding(self) -> set[SafeId]:
        """The safes that keep all that is placed at them."""
        placement = self.manifest.placement
        lacking = {place.safe_id for place in placement if place.x not in self.certificates}
        return {place.safe_id for place in placement} - lacking

    @property
    def comes_back(self) -> bool:
        """Whether these safes are enough."""
        arrangement = Arrangement(self.manifest.terms, self.manifest.placement)
        return arrangement.may_still_be_lost(self.holding) >= 0


@dataclass(slots=True)
class SafesWord:
    """What one safe tells, every signature in it checked.

    Args:
        items: By the exact bytes of manifest and leaf.
        tombstones: Exact bytes, by their hash; each of one of the owner's wallets, or of the owner.
        revived: Hashes of tombstones that the owner took back.
        revoked: Wallets of which the owner said that they act no longer, with the signed word.
    """

    items: dict[tuple[bytes, bytes], FoundItem] = field(default_factory=dict)
    tombstones: dict[Hash, bytes] = field(default_factory=dict)
    revived: set[Hash] = field(default_factory=set)
    revoked: dict[WalletKey, SignedWord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All safes' catalogues, merged.

    Args:
        items: Of each item what stands.
        older: Generations before those, which are still at safes, and may go once the newer was read back.
        deleted: Generations that a wallet that may act, or the owner, deleted.
        tombstones: What stands against generations, exact bytes, of revoked wallets too.
        spent: By item, the newest generation that was ever registered or deleted.
        lacking: By safe, how many of these items are placed there and not kept.
        unheard: By safe, what others know that the owner said against wallets, and this one does not: it was
            wiped, or put back to an older database.
        failed: What went wrong, by safe.
    """

    items: tuple[FoundItem, ...]
    older: tuple[FoundItem, ...]
    deleted: frozenset[Generation]
    tombstones: Mapping[Generation, tuple[bytes, ...]]
    spent: Mapping[ItemId, int]
    lacking: Mapping[SafeId, int]
    unheard: Mapping[SafeId, tuple[SignedWord, ...]]
    failed: Mapping[SafeId, SafeFailure]


def merge_catalogues(
    words: Mapping[SafeId, SafesWord],
    failed: Mapping[SafeId, SafeFailure],
    owed: AbstractSet[Generation],
    roster: Roster,
) -> Catalogue:
    """Put together what the safes tell.

    Args:
        words: Of those that answered well.
        failed: What went wrong at the others.
        owed: What the wallet that asks deleted, and what not every safe was told yet.
        roster: Says how many of its safes may lie.
    """
    revoked = {wallet: signed for word in words.values() for wallet, signed in word.revoked.items()}
    tombstones = _standing_tombstones(words.values())
    signers = {name: {one.wallet_key for one in known} for name, known in tombstones.items()}
    deleted = owed | {name for name, signed_by in signers.items() if not signed_by <= revoked.keys()}
    candidates = [
        one
        for one in _joined(words.values())
        if one.generation not in deleted and (one.generation not in signers or one.comes_back)
    ]
    most_liars = len(roster.safes) - roster.threshold
    standing: dict[ItemId, FoundItem] = {}
    for one in sorted(candidates, key=lambda item: _rank(item, revoked.keys(), most_liars)):
        standing[one.leaf.item_id] = one
    return Catalogue(
        items=tuple(standing.values()),
        older=tuple(one for one in candidates if _may_go(one, standing[one.leaf.item_id], revoked.keys())),
        deleted=frozenset(deleted),
        tombstones={name: tuple(one.to_bytes() for one in known) for name, known in tombstones.items()},
        spent=_newest([*owed, *signers, *(one.generation for one in candidates)]),
        lacking=_lacking(words, standing.values()),
        unheard=_unheard(words, revoked),
        failed=failed,
    )


def _standing_tombstones(words: Collection[SafesWord]) -> dict[Generation, list[Tombstone]]:
    """Those that the owner did not take back, whichever safes know of either."""
    told = {hash_: body for word in words for hash_, body in word.tombstones.items()}
    revived = {hash_ for word in words for hash_ in word.revived}
    standing: defaultdict[Generation, list[Tombstone]] = defaultdict(list)
    for hash_ in told.keys() - revived:
        tombstone = Tombstone.from_bytes(told[hash_])
        standing[tombstone.item_id, tombstone.generation].append(tombstone)
    return dict(standing)


def _joined(words: Collection[SafesWord]) -> list[FoundItem]:
    """What the safes know of one generation as one wallet registered it."""
    joined: dict[tuple[bytes, bytes], FoundItem] = {}
    for word in words:
        for name, item in word.items.items():
            known = joined.setdefault(name, replace(item, certificates={}))
            known.certificates.update(item.certificates)
    return list(joined.values())


def _may_go(item: FoundItem, standing: FoundItem, revoked: AbstractSet[WalletKey]) -> bool:
    """A thief's generation must not have the one before it deleted."""
    is_sure = standing.comes_back and standing.manifest.wallet_key not in revoked
    return is_sure and item.leaf.generation < standing.leaf.generation


def _newest(generations: Iterable[Generation]) -> dict[ItemId, int]:
    newest: dict[ItemId, int] = {}
    for item_id, generation in generations:
        newest[item_id] = max(generation, newest.get(item_id, 0))
    return newest


def _rank(
    item: FoundItem, revoked: AbstractSet[WalletKey], most_liars: int
) -> tuple[bool, bool, int, int, int, bytes]:
    """What stands ranks highest; of two manifests for one generation, the one that more safes keep."""
    holding = len(item.holding)
    believed = item.manifest.wallet_key not in revoked or holding > most_liars
    return (
        item.comes_back,
        believed,
        item.leaf.generation,
        holding,
        item.manifest.created_at,
        item.manifest_bytes,
    )


def _lacking(words: Mapping[SafeId, SafesWord], items: Iterable[FoundItem]) -> dict[SafeId, int]:
    lacking: defaultdict[SafeId, int] = defaultdict(int)
    for item in items:
        for safe_id in ({place.safe_id for place in item.manifest.placement} - item.holding) & words.keys():
            lacking[safe_id] += 1
    return dict(lacking)


def _unheard(
    words: Mapping[SafeId, SafesWord], revoked: Mapping[WalletKey, SignedWord]
) -> dict[SafeId, tuple[SignedWord, ...]]:
    return {
        safe_id: tuple(revoked[wallet] for wallet in sorted(missing))
        for safe_id, word in words.items()
        if (missing := revoked.keys() - word.revoked.keys())
    }
