"""What operators do with a roster file: put entries together, sign, look who has signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from threshold.randomness import RandomSource
from trust.decoys import assemble_roster
from trust.documents import SigningKey, verify
from trust.errors import RosterRefused, SignatureInvalid
from trust.roster import Roster, SafeEntry, SignedRoster, sign_roster, verify_chain
from wallet_client.errors import WalletError


@dataclass(eq=False)
class EntryRefused(WalletError):
    """A file is no safe's entry.

    Args:
        path: The file.
        reason: Why not.
    """

    path: Path
    reason: str
    sentence = "{path} is no safe's entry: {reason}."
    hint = "Get that safe's entry.json from its operator again, as `kura-safe init` wrote it."


@dataclass(eq=False)
class RosterNotMade(WalletError):
    """Entries and threshold make no roster.

    Args:
        reason: Why not.
    """

    reason: str
    sentence = "No roster was made: {reason}."
    hint = "Mend the entries, the threshold or the previous roster, and say the same command again."


def assembled(
    entries: Sequence[SafeEntry],
    threshold: int,
    now: int,
    rng: RandomSource,
    previous: Sequence[SignedRoster] = (),
) -> tuple[SignedRoster, ...]:
    """A chain that ends in a new, unsigned version with these safes.

    Args:
        entries: Its safes.
        threshold: How many of them bring a value back.
        now: Seconds since 1970.
        rng: Gives the version's decoy secret.
        previous: The chain before; empty for a genesis.

    Raises:
        RosterRefused: The entries make no roster, or the chain before does not hold.
    """
    before = verify_chain(previous) if previous else None
    return (*previous, SignedRoster(assemble_roster(entries, threshold, now, rng, before)))


def with_signature(chain: Sequence[SignedRoster], key: SigningKey) -> tuple[SignedRoster, ...]:
    """The chain with an operator's signature of its newest version; the same where it is there already.

    Args:
        chain: At least one version.
        key: Secret: the operator's.

    Raises:
        RosterRefused: The key is no operator's of the roster that must sign.
    """
    *older, newest = chain
    if key.public not in {safe.operator_key for safe in _signers(chain).safes}:
        raise RosterRefused(Roster.title, "this key is none of the operators' who sign this version")
    if key.public in {item.operator_key for item in newest.signatures}:
        return tuple(chain)
    signed = SignedRoster(newest.roster, (*newest.signatures, sign_roster(newest.roster, key)))
    return (*older, signed)


@dataclass(frozen=True, slots=True)
class Signatures:
    """How far the signing of the newest version is.

    Args:
        signed: Names of the safes whose operators have signed.
        waiting: Names of those whose operators have not.
        needed: How many must.
    """

    signed: tuple[str, ...]
    waiting: tuple[str, ...]
    needed: int

    @property
    def complete(self) -> bool:
        """Whether enough have."""
        return len(self.signed) >= self.needed


def signatures_of(chain: Sequence[SignedRoster]) -> Signatures:
    """Who has signed the newest version, by good signatures alone."""
    newest, signers = chain[-1], _signers(chain)
    good = {
        item.operator_key
        for item in newest.signatures
        if _holds(newest.roster, item.operator_key, item.signature)
    }
    needed = len(signers.safes) if len(chain) == 1 else signers.successors_needed
    return Signatures(
        tuple(safe.name for safe in signers.safes if safe.operator_key in good),
        tuple(safe.name for safe in signers.safes if safe.operator_key not in good),
        needed,
    )


def _signers(chain: Sequence[SignedRoster]) -> Roster:
    """The version whose operators sign the newest: the one before, or the genesis itself."""
    return chain[-2].roster if len(chain) > 1 else chain[-1].roster


def _holds(roster: Roster, operator_key: bytes, signature: bytes) -> bool:
    try:
        verify(Roster.title, operator_key, roster.to_bytes(), signature)
    except SignatureInvalid:
        return False
    return True
