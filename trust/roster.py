"""The roster: which safes there are, under which keys, signed by their operators.

The first version is the genesis. All its operators sign it; a wallet pins its fingerprint and from
then on believes only versions that follow from it: each names the hash of the one before, and is
signed by operators of that one: `successors_needed` says how many.
"""

import hashlib
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from msgspec import Meta

from threshold import hpke
from threshold.errors import ThresholdError
from trust.documents import Document, SigningKey, verify
from trust.errors import RosterRefused, SignatureInvalid
from trust.ids import HASH_BYTES, Bytes32, Hash, SafeId, SafeIdField, SignatureField, UnixSeconds

_ENDPOINT = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]{2,45}\]):([1-9][0-9]{0,4})")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_HIGHEST_PORT = 65_535

SealedDecoy = Annotated[bytes, Meta(min_length=hpke.WRAPPED_BYTES, max_length=hpke.WRAPPED_BYTES)]
_UNIQUE = (
    "safe_id",
    "name",
    "endpoint",
    "peer_endpoint",
    "signing_key",
    "sealing_key",
    "operator_key",
    "tls_certificate",
)


def is_label(name: str) -> bool:
    """Whether a name is a lower-case DNS label, as TLS server names are."""
    return _NAME.fullmatch(name) is not None


def is_endpoint(text: str) -> bool:
    """Whether a text is "host:port"; IPv6 in brackets."""
    endpoint = _ENDPOINT.fullmatch(text)
    return endpoint is not None and int(endpoint[1]) <= _HIGHEST_PORT


class SafeEntry(Document, frozen=True):
    """One safe.

    Args:
        safe_id: 16 random bytes, the same through all versions.
        name: For people and for TLS server names: a lower-case DNS label, unique in the roster.
        operator: Who runs it, for people.
        endpoint: "host:port" of its wallet port; IPv6 in brackets.
        peer_endpoint: "host:port" of the port where it serves the other safes of the roster.
        tls_certificate: X.509 certificate in DER; clients trust exactly this one, and so do the other safes,
            to which it shows it as a client.
        signing_key: Ed25519 public key of its certificates and receipts.
        sealing_key: X25519 public key, canonical and not of low order, to which HPKE seals what is for this
            safe alone.
        operator_key: Ed25519 public key that signs rosters; kept away from the safe.
    """

    title = "safe entry"

    safe_id: SafeIdField
    name: str
    operator: Annotated[str, Meta(min_length=1, max_length=200)]
    endpoint: str
    peer_endpoint: str
    tls_certificate: Annotated[bytes, Meta(min_length=1, max_length=8192)]
    signing_key: Bytes32
    sealing_key: Bytes32
    operator_key: Bytes32

    def __post_init__(self) -> None:
        """Refuse names and endpoints that could be mistaken, and a key to which nothing can be sealed."""
        if not is_label(self.name):
            raise self.malformed("name", "must be a lower-case DNS label")
        for field in ("endpoint", "peer_endpoint"):
            if not is_endpoint(getattr(self, field)):
                raise self.malformed(field, "must be host:port")
        if self.endpoint == self.peer_endpoint:
            raise self.malformed("peer_endpoint", "is the wallets' port too")
        try:
            hpke.check_public_key(self.sealing_key)
        except ThresholdError:
            raise self.malformed(
                "sealing_key", "must be an X25519 public key, canonical and not of low order"
            ) from None


class Roster(Document, frozen=True):
    """One version.

    Args:
        version: 1 for the genesis.
        previous: Hash of the version before; empty for the genesis.
        created_at: When it was assembled.
        threshold: k: how many safes bring a value back unless a policy says otherwise.
        safes: All safes; ids, names, endpoints and keys are unique.
        decoys: For each safe, in the order of `safes`, this version's decoy secret sealed to it
            (trust/decoys.py); 80 bytes each.
    """

    title = "roster"

    version: Annotated[int, Meta(ge=1, le=2**31)]
    previous: Annotated[bytes, Meta(max_length=32)]
    created_at: UnixSeconds
    threshold: Annotated[int, Meta(ge=1, le=255)]
    safes: Annotated[tuple[SafeEntry, ...], Meta(min_length=1, max_length=255)]
    decoys: Annotated[tuple[SealedDecoy, ...], Meta(min_length=1, max_length=255)]

    def __post_init__(self) -> None:
        """Refuse rosters in which something stands for two safes, or is missing for one."""
        if len(self.previous) != (0 if self.version == 1 else HASH_BYTES):
            raise self.malformed("previous", "only the genesis follows nothing")
        if self.threshold > len(self.safes):
            raise self.malformed("threshold", "more than there are safes")
        if len(self.decoys) != len(self.safes):
            raise self.malformed("decoys", "must be one for each safe")
        for field in _UNIQUE:
            if len({getattr(safe, field) for safe in self.safes}) != len(self.safes):
                raise self.malformed(field, "stands for two safes")
        if {safe.operator_key for safe in self.safes} & {safe.signing_key for safe in self.safes}:
            raise self.malformed("operator_key", "is a safe's signing key too")

    @property
    def fingerprint(self) -> Hash:
        """SHA-256 of the signed bytes."""
        return Hash(hashlib.sha256(self.to_bytes()).digest())

    @property
    def successors_needed(self) -> int:
        """How many of this version's operators must sign the next one: n - k + 1, and never fewer than k.

        With k, no k - 1 colluding operators can hand the safes to strangers. With n - k + 1, no group
        that signs can leave out every holder of some k shares.
        """
        return max(self.threshold, len(self.safes) - self.threshold + 1)

    def safe(self, safe_id: SafeId) -> SafeEntry:
        """The entry of one safe.

        Raises:
            RosterRefused: There is no such safe.
        """
        for entry in self.safes:
            if entry.safe_id == safe_id:
                return entry
        raise RosterRefused(self.title, f"it has no safe {safe_id.hex()}")


class RosterSignature(Document, frozen=True):
    """One operator's signature of a version."""

    title = "roster signature"

    operator_key: Bytes32
    signature: SignatureField


class SignedRoster(Document, frozen=True):
    """A version with the signatures it has so far."""

    title = "signed roster"

    roster: Roster
    signatures: Annotated[tuple[RosterSignature, ...], Meta(max_length=255)] = ()


def sign_roster(roster: Roster, key: SigningKey) -> RosterSignature:
    """An operator's signature."""
    return RosterSignature(key.public, key.sign(Roster.title, roster.to_bytes()))


def verify_chain(
    chain: Sequence[SignedRoster], pinned_genesis: Hash | None = None, at_least: int = 1
) -> Roster:
    """Check all versions from the genesis on, and give the newest.

    Args:
        chain: Every version in order, from the genesis.
        pinned_genesis: The fingerprint pinned at `init`; None only while pinning.
        at_least: The newest version seen before; an older newest one is a roll-back.

    Raises:
        RosterRefused: Says which version fails and why.
    """
    if not chain:
        raise RosterRefused(Roster.title, "it is empty")
    genesis = chain[0].roster
    if genesis.version != 1:
        raise RosterRefused(Roster.title, "it does not start with version 1")
    if pinned_genesis is not None and genesis.fingerprint != pinned_genesis:
        raise RosterRefused(Roster.title, "its fingerprint is not the one pinned when this wallet was made")
    _require_signatures(chain[0], genesis, len(genesis.safes))
    for before, after in pairwise(chain):
        _check_succession(before.roster, after)
    if chain[-1].roster.version < at_least:
        raise RosterRefused(
            Roster.title, f"it ends at version {chain[-1].roster.version}, but {at_least} was seen"
        )
    return chain[-1].roster


def _check_succession(before: Roster, after: SignedRoster) -> None:
    if after.roster.version != before.version + 1 or after.roster.previous != before.fingerprint:
        raise RosterRefused(
            Roster.title, f"version {after.roster.version} does not follow version {before.version}"
        )
    _require_signatures(after, before, before.successors_needed)


def _require_signatures(signed: SignedRoster, signers: Roster, needed: int) -> None:
    body = signed.roster.to_bytes()
    allowed = {safe.operator_key for safe in signers.safes}
    good = set()
    for item in signed.signatures:
        try:
            verify(Roster.title, item.operator_key, body, item.signature)
        except SignatureInvalid:
            raise RosterRefused(
                Roster.title, f"a signature of version {signed.roster.version} does not hold"
            ) from None
        good.add(item.operator_key)
    have = len(good & allowed)
    if have < needed:
        raise RosterRefused(
            Roster.title, f"version {signed.roster.version} has {have} of the {needed} signatures it needs"
        )
