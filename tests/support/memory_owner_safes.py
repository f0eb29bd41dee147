"""The owners' half of safes in memory, behind the wallet's OwnerLink: records, guesses, wallets of owners.

An honest safe decides as the real one does; only the store, the wire and the clock are feigned. A test makes
one fail by its `faults`: lie, refuse, hang, die or lose a reply at a call that it chooses.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from safe_node.accounts import AdmittedAuthorisation, AdmittedRevocation, Standing
from safe_node.decisions.admission import Membership
from safe_node.decisions.decoy import Decoy, make_decoy
from safe_node.decisions.deletion import DeletionRules
from safe_node.decisions.enrolment import admit_record
from safe_node.deletions import Forgetting
from safe_node.guesses import GuessState, KnownGuess
from safe_node.owners import AdmittedRecord, CandidatePart, CandidateRecord, Invitation, KeptOwner, KeptPart
from support.sample_documents import NOW, draw
from trust.documents import SigningKey
from trust.ids import GuessId, OwnerId, OwnerKey, RecordId, SafeId, WalletKey
from trust.owner_refusals import NotAnOwnersWallet, WalletRevoked
from trust.roster import Roster
from wallet_client.network.owner_catalogue import SafesCatalogue
from wallet_client.network.owner_messages import EvaluatedShare, VersionToKeep

DECOY_SECRET = draw("decoy secret of memory safes", 32)


class Host(Protocol):
    """The safe whose half this is."""

    @property
    def step(self) -> Callable[[str], None]:
        """Called with the name of what takes effect."""

    is_down: bool
    signing_key: SigningKey

    def begin(self, call: str) -> None:
        """Count a call, or fail as a safe does that is down."""

    def kept_by(self, theirs: Callable[[WalletKey], bool]) -> Sequence[Any]:
        """Every piece of these wallets."""

    def tombstones_by(self, theirs: Callable[[WalletKey], bool]) -> list[tuple[bytes, bytes]]:
        """Every tombstone of these wallets, with its signature."""


@dataclass
class Faults:
    """What a safe does wrong, each by itself; an honest one does nothing of it.

    Args:
        shows: Changes the record that it shows, exact bytes.
        evaluates: Changes the part whose share it evaluates with.
        answers: Changes what it answers to Evaluate.
        releases: Changes the part that it releases.
        seals_to: Another recipient key than the one that asked, where one is set.
        believes: It takes every proof.
        refuses: By call, what is raised before it takes effect.
        hangs_at: Calls that never end.
        dies_after: Calls after whose answer nothing listens any more.
        loses_reply_of: Calls that take effect, and whose answer never comes.
        tells: Changes the catalogue that it tells.
    """

    shows: Callable[[bytes], bytes] = lambda body: body
    evaluates: Callable[[KeptPart], KeptPart] = lambda part: part
    answers: Callable[[EvaluatedShare], EvaluatedShare] = lambda share: share
    releases: Callable[[KeptPart], KeptPart] = lambda part: part
    seals_to: bytes | None = None
    believes: bool = False
    refuses: dict[str, Exception] = field(default_factory=dict)
    hangs_at: Collection[str] = ()
    dies_after: Collection[str] = ()
    loses_reply_of: Collection[str] = ()
    tells: Callable[[SafesCatalogue], SafesCatalogue] = lambda catalogue: catalogue


@dataclass
class MemoryOwnerSafe:
    """One safe's owners; the attributes from `faults` on are for tests to set.

    Args:
        now_ms: Its clock.
        invitation: What it asks for, good once; None: nothing.
    """

    safe_id: SafeId
    roster: Roster
    host: Host
    owners: dict[OwnerId, KeptOwner] = field(default_factory=dict)
    guesses: dict[tuple[OwnerId, GuessId], KnownGuess] = field(default_factory=dict)
    authorised: dict[WalletKey, AdmittedAuthorisation] = field(default_factory=dict)
    revoked: dict[WalletKey, AdmittedRevocation] = field(default_factory=dict)
    used_invitations: set[str] = field(default_factory=set)
    forgotten: dict[OwnerKey, Forgetting] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    now_ms: int = NOW * 1_000
    invitation: str | None = None

    @property
    def membership(self) -> Membership:
        """As the real one has it."""
        return Membership.of(self.safe_id, [self.roster], DECOY_SECRET)

    def decoy(self, owner_id: OwnerId, *, waiting: bool = False) -> Decoy:
        """What it shows where it has nothing to show."""
        return make_decoy(DECOY_SECRET, owner_id, self.roster, waiting=waiting)

    def guesses_at(self, owner_id: OwnerId, guess_id: GuessId | None = None) -> GuessState:
        """What it knows; guesses at nobody are not counted here."""
        known = None if guess_id is None else self.guesses.get((owner_id, guess_id))
        return GuessState(self.owners.get(owner_id), known)

    def spent(self, owner_id: OwnerId) -> int:
        """Guesses of an owner that are spent and not given back."""
        return self.owners[owner_id].ledger.spent if owner_id in self.owners else 0

    def in_force(self, owner_id: OwnerId) -> RecordId | None:
        """The id of an owner's record."""
        return self.owners[owner_id].current.record_id if owner_id in self.owners else None

    def standing(self, key: WalletKey) -> Standing:
        """For whom a caller acts."""
        if any(bytes(owner.owner_key) == key for owner in self.owners.values()):
            return Standing(key, OwnerKey(key))
        word, against = self.authorised.get(key), self.revoked.get(key)
        owner_key = word.owner_key if word else None
        return Standing(key, owner_key, against is not None and against.owner_key == owner_key)

    def theirs(self, key: WalletKey) -> Callable[[WalletKey], bool]:
        """Which wallets' pieces a caller may fetch and delete: its own, and those of its owner's wallets."""
        account = self.standing(key).owner_key

        def is_theirs(registrar: WalletKey) -> bool:
            return registrar == key or (account is not None and self.standing(registrar).owner_key == account)

        return is_theirs

    def account(self, key: WalletKey) -> Standing:
        """For whom a caller acts that must act for somebody."""
        standing = self.standing(key)
        if standing.revoked:
            raise WalletRevoked
        if standing.owner_key is None:
            raise NotAnOwnersWallet
        return standing

    def rules(self) -> DeletionRules:
        """How it decides on an owner's end; its clock goes by milliseconds."""
        return DeletionRules(self.safe_id, self.host.signing_key, self.now_ms // 1_000, 0, 0)

    def owner_of(self, standing: Standing) -> KeptOwner | None:
        """That somebody's record."""
        return next((one for one in self.owners.values() if one.owner_key == standing.owner_key), None)

    def admitted(self, version: VersionToKeep, caller: WalletKey) -> AdmittedRecord:
        """A version, checked as a safe checks it."""
        parts = tuple(
            CandidatePart(one.record, one.unlock_share, one.oprf_share, one.unlock_tag, one.sealed)
            for one in version.parts
        )
        signed = version.policy
        candidate = CandidateRecord(signed.policy, signed.signature, parts, version.guesses)
        return admit_record(candidate, caller, self.membership)

    def shown_invitation(self, code: str) -> Invitation:
        """What is to be thought of a code."""
        if not code:
            return "none"
        if code != self.invitation:
            return "unknown"
        return "used" if code in self.used_invitations else "fresh"
