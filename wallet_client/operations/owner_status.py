"""How every safe sees the owner: record, guesses, wallets, items; and where they differ."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from trust.access_policy import AccessPolicy, Factor, SignedAccessPolicy, read_policy
from trust.documents import SigningKey
from trust.errors import TrustError
from trust.ids import OwnerKey, RecordId, SafeId, Signature
from wallet_client.network.failures import SafeFailure
from wallet_client.network.fan_out import fan_out
from wallet_client.network.owner_messages import way_of
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.owner_errors import WalletWithoutOwner
from wallet_client.owners.access import Access
from wallet_client.storage.settings import OwnerOfWallet
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class WayView:
    """The guesses of one way at one safe.

    Args:
        way: Its factors.
        guesses_spent: Spent there.
        next_guess_at_ms: When it takes the next, milliseconds since 1970-01-01 UTC; 0: at once.
    """

    way: tuple[Factor, ...]
    guesses_spent: int
    next_guess_at_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A recovery that waits at one safe.

    Args:
        recipient_key: X25519 public key for which it waits, 32 bytes.
        way: By which factors.
        asked_at_ms: When it began, milliseconds since 1970-01-01 UTC.
        release_at_ms: When its part is given.
    """

    recipient_key: bytes
    way: tuple[Factor, ...]
    asked_at_ms: int
    release_at_ms: int


@dataclass(frozen=True, slots=True)
class SafesView:
    """What one safe says.

    Args:
        record_id: The record in force there; empty for none.
        staged: A record that is staged there; empty for none.
        old: How many records were in force and are not dropped yet.
        guesses_allowed: Wrong guesses until it locks the record; 0 without a record.
        guesses_spent: Of them spent.
        next_guess_at_ms: When it takes the next, milliseconds since 1970-01-01 UTC; 0: at once.
        items: Items of the owner's that it keeps.
        size_bytes: What they take.
        policy: Who opens the record in force, by the owner's signed word; None where that does not hold.
        ways: The guesses of each way with a PIN.
        waiting: Recoveries that wait.
        next_veto_at_ms: When it takes the next veto, milliseconds since 1970-01-01 UTC; 0: now.
        copied: SHA-256 of the credential ids of devices of which a copy is about.
    """

    record_id: RecordId
    staged: RecordId
    old: int
    guesses_allowed: int
    guesses_spent: int
    next_guess_at_ms: int
    items: int
    size_bytes: int
    policy: AccessPolicy | None = None
    ways: tuple[WayView, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    next_veto_at_ms: int = 0
    copied: tuple[bytes, ...] = ()

    @property
    def guesses_left(self) -> int:
        """Until it is locked."""
        return max(0, self.guesses_allowed - self.guesses_spent)


@dataclass(frozen=True, slots=True)
class OwnerView:
    """What all safes say.

    Args:
        name: The owner's.
        safes: By safe, in the roster's order; a failure where there is no answer.
        threshold: How many of them open the record.
        now_ms: When they were asked, milliseconds since 1970-01-01 UTC, by the wallet's clock.
    """

    name: str
    safes: Mapping[str, SafesView | SafeFailure]
    threshold: int
    now_ms: int

    @property
    def answered(self) -> list[SafesView]:
        """What the safes that answered say."""
        return [view for view in self.safes.values() if isinstance(view, SafesView)]

    @property
    def record_id(self) -> RecordId:
        """The record that most safes have in force; empty where none has any."""
        counted = Counter(view.record_id for view in self.answered)
        return counted.most_common(1)[0][0] if counted else RecordId(b"")

    @property
    def policy(self) -> AccessPolicy | None:
        """The latest that the owner signed; None for a record that knows no other way than the PIN."""
        told = [view.policy for view in self.answered if view.policy is not None]
        return max(told, key=lambda policy: policy.made_at, default=None)

    @property
    def access(self) -> Access:
        """The terms of the record in force."""
        return Access() if self.policy is None else Access.of(self.policy)

    @property
    def waiting(self) -> dict[bytes, Waiting]:
        """Recoveries that wait at any safe, by recipient key; of each the one that is released last."""
        told = [one for view in self.answered for one in view.waiting]
        return {one.recipient_key: one for one in sorted(told, key=lambda one: one.release_at_ms)}

    @property
    def copied(self) -> frozenset[bytes]:
        """SHA-256 of the credential ids of devices of which some safe saw a copy."""
        return frozenset(one for view in self.answered for one in view.copied)

    def may_go_on(self, one: Waiting) -> bool:
        """Whether the wait is over: the safes give their parts to who waited, once more if need be."""
        return one.release_at_ms <= self.now_ms

    def differs(self, view: SafesView) -> bool:
        """Whether a safe has another record than most, or a change stopped half-way there."""
        return view.record_id != self.record_id or not view.record_id or bool(view.staged or view.old)


async def owner_status(wallet: Wallet) -> OwnerView:
    """Ask all safes; nothing is changed.

    Raises:
        WalletWithoutOwner: The wallet acts for none.
    """
    owner = require_owner(wallet)
    calls = {safe.safe_id: partial(_view, wallet, safe.safe_id) for safe in wallet.roster.safes}
    answers = await fan_out(calls)
    views: dict[SafeId, SafesView | SafeFailure] = {**answers.good, **answers.failed}
    by_name = {safe.name: views[safe.safe_id] for safe in wallet.roster.safes}
    return OwnerView(owner.name, by_name, wallet.roster.threshold, wallet.now() * 1_000)


async def _view(wallet: Wallet, safe_id: SafeId) -> SafesView:
    owner_key = OwnerKey(require_owner(wallet).owner_key)
    answer = await wallet.links.to_owners(safe_id).status()
    return SafesView(
        record_id=RecordId(answer.record_id),
        staged=RecordId(answer.staged_record_id),
        old=len(answer.old_record_ids),
        guesses_allowed=answer.guesses_allowed,
        guesses_spent=answer.guesses_spent,
        next_guess_at_ms=answer.next_guess_at_ms,
        items=answer.items,
        size_bytes=answer.bytes,
        policy=_policy(answer.policy, answer.policy_signature, owner_key),
        ways=tuple(
            WayView(way_of(one.factors), one.guesses_spent, one.next_guess_at_ms) for one in answer.ways
        ),
        waiting=tuple(
            Waiting(one.recipient_key, way_of(one.factors), one.asked_at_ms, one.release_at_ms)
            for one in answer.waiting
        ),
        next_veto_at_ms=answer.next_veto_at_ms,
        copied=tuple(answer.copied_devices),
    )


def _policy(body: bytes, signature: bytes, owner_key: OwnerKey) -> AccessPolicy | None:
    """What a safe says that the owner signed; nothing where it does not hold, or there is none yet."""
    if not body:
        return None
    try:
        return read_policy(SignedAccessPolicy(body, Signature(signature)), owner_key)
    except TrustError:
        return None


async def rearm(wallet: Wallet) -> dict[str, SafeFailure]:
    """Have every safe give all guesses back; what went wrong, by the safe's name.

    Raises:
        WalletWithoutOwner: The wallet acts for none.
        TooFewSafes: None did.
    """
    require_owner(wallet)
    failed = await give_guesses_back(wallet)
    told = {wallet.safe_name(safe_id): failure for safe_id, failure in failed.items()}
    if len(told) == len(wallet.roster.safes):
        raise TooFewSafes("given back", 0, 1, told)
    return told


async def give_guesses_back(wallet: Wallet, owner: SigningKey | None = None) -> dict[SafeId, SafeFailure]:
    """The same as the wallet, which may do so once a day, or as the owner.

    Args:
        owner: Secret: the owner's key.
    """

    async def rearm_at(safe_id: SafeId) -> None:
        await wallet.links.to_owners(safe_id, owner).rearm()

    calls = {safe.safe_id: partial(rearm_at, safe.safe_id) for safe in wallet.roster.safes}
    return (await fan_out(calls)).failed


def require_owner(wallet: Wallet) -> OwnerOfWallet:
    """For whom the wallet acts.

    Raises:
        WalletWithoutOwner: For nobody.
    """
    owner = wallet.store.settings.get().owner
    if owner is None:
        raise WalletWithoutOwner
    return owner
