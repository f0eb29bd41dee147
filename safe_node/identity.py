"""A safe's keys: made once at the key ceremony, read at every start, held against the roster.

    DIR/safe.toml         settings
    DIR/entry.json        what the roster will say about this safe; public
    DIR/operator.key      signs rosters; to be taken off this machine
    DIR/keys/safe.id      16 random bytes, hexadecimal
    DIR/keys/signing.key  Ed25519 seed, hexadecimal: certificates and receipts
    DIR/keys/sealing.key  HPKE key material, hexadecimal: opens what was sealed to this safe alone
    DIR/keys/tls.key      PEM
    DIR/keys/tls.crt      PEM

Files with secrets have mode 0600. Nothing that exists is ever overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from durable.keys import IdentityError, read_file, read_hex, read_tls, write_all
from threshold.errors import SealBroken
from threshold.hpke import KeyPair, derive_key_pair
from threshold.randomness import RandomSource
from trust.decoys import open_decoy
from trust.documents import SigningKey
from trust.errors import DocumentMalformed, RosterRefused
from trust.ids import ID_BYTES, KEY_BYTES, SafeId
from trust.roster import Roster, SafeEntry, verify_chain
from trust.roster_file import from_pem, read_roster, write_safe

_SETTINGS = """\
# A Kura safe. docs/OPERATING.md explains every setting.
name = "{name}"
listen = "{listen}"
peer_listen = "{peer_listen}"
data_dir = "data"
keys_dir = "keys"
roster = "roster.json"

[owners]
invitation_needed = false  # true: owners enrol by `kura-safe invite`

[limits]
bytes_per_wallet = 0  # 0: no limit
database_bytes = 0    # 0: until the disk is full

[repair]
every_seconds = 300  # how often to look for what was lost; 0: only when somebody asks

[log]
level = "info"
json = true
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a safe is.

    Args:
        signing_key: Secret: signs certificates and receipts.
        sealing_key: Secret: opens what was sealed to this safe alone.
        tls_key: Secret: PEM.
        tls_certificate: PEM.
    """

    safe_id: SafeId
    signing_key: SigningKey
    sealing_key: KeyPair
    tls_key: bytes = field(repr=False)
    tls_certificate: bytes

    @property
    def certificate_der(self) -> bytes:
        """The certificate as the roster holds it."""
        return from_pem(self.tls_certificate.decode())


@dataclass(frozen=True, slots=True)
class NewSafe:
    """What the operator decides about a safe to be.

    Args:
        name: Lower-case DNS label, unique in the roster.
        operator: Who runs it, for people.
        endpoint: "host:port" under which wallets reach it.
        listen: "host:port" it listens at.
        tls_days: How long its TLS certificate is valid.
        peer_endpoint: "host:port" under which the other safes reach it.
        peer_listen: "host:port" it listens at for them.
    """

    name: str
    operator: str
    endpoint: str
    listen: str
    tls_days: int
    peer_endpoint: str
    peer_listen: str


def create_safe(folder: Path, new: NewSafe, rng: RandomSource, now: datetime) -> SafeEntry:
    """Make all keys and files of a safe.

    Raises:
        IdentityError: Something is in the way, or a name or endpoint cannot be used. Nothing is overwritten.
    """
    signing = SigningKey(rng.read(KEY_BYTES))
    operator = SigningKey(rng.read(KEY_BYTES))
    sealing_seed = rng.read(KEY_BYTES)
    begins, ends = now - timedelta(minutes=5), now + timedelta(days=new.tls_days)
    from rpc_edge.tls_identity import make_tls_identity  # a running safe never needs it: 9 MB

    tls_key, tls_certificate = make_tls_identity(new.name, begins, ends)
    safe_id = SafeId(rng.read(ID_BYTES))
    sealing_key = derive_key_pair(sealing_seed).public
    entry = _entry(new, safe_id, tls_certificate, signing.public, sealing_key, operator.public)
    settings = _SETTINGS.format(name=new.name, listen=new.listen, peer_listen=new.peer_listen)
    write_all(
        {
            folder / "keys" / "safe.id": (safe_id.hex() + "\n").encode(),
            folder / "keys" / "signing.key": (signing.seed.hex() + "\n").encode(),
            folder / "keys" / "sealing.key": (sealing_seed.hex() + "\n").encode(),
            folder / "keys" / "tls.key": tls_key,
            folder / "keys" / "tls.crt": tls_certificate,
            folder / "operator.key": (operator.seed.hex() + "\n").encode(),
            folder / "entry.json": write_safe(entry),
            folder / "safe.toml": settings.encode(),
        }
    )
    return entry


def _entry(
    new: NewSafe, safe_id: SafeId, tls_certificate: bytes, signing: bytes, sealing: bytes, operator: bytes
) -> SafeEntry:
    try:
        entry = SafeEntry(
            safe_id=safe_id,
            name=new.name,
            operator=new.operator,
            endpoint=new.endpoint,
            peer_endpoint=new.peer_endpoint,
            tls_certificate=from_pem(tls_certificate.decode()),
            signing_key=signing,
            sealing_key=sealing,
            operator_key=operator,
        )
        return SafeEntry.from_bytes(entry.to_bytes())
    except (DocumentMalformed, ValueError) as error:
        raise IdentityError(str(error)) from None


def read_identity(keys_dir: Path) -> Identity:
    """Read a safe's keys.

    Raises:
        IdentityError: A file is missing, unreadable or damaged.
    """
    tls_key, certificate = read_tls(keys_dir)
    return Identity(
        safe_id=SafeId(read_hex(keys_dir / "safe.id", ID_BYTES)),
        signing_key=SigningKey(read_hex(keys_dir / "signing.key", KEY_BYTES)),
        sealing_key=derive_key_pair(read_hex(keys_dir / "sealing.key", KEY_BYTES)),
        tls_key=tls_key,
        tls_certificate=certificate,
    )


def read_versions(path: Path) -> tuple[Roster, ...]:
    """Read the roster file and verify its whole chain.

    Raises:
        IdentityError: It cannot be read or must not be used.
    """
    try:
        chain = read_roster(read_file(path))
        verify_chain(chain)
    except RosterRefused as error:
        raise IdentityError(f"{path}: {error}") from None
    return tuple(signed.roster for signed in chain)


def check_membership(identity: Identity, name: str, roster: Roster) -> None:
    """Hold the keys on this machine against what the newest roster says of this safe.

    Raises:
        IdentityError: Names what differs.
    """
    try:
        entry = roster.safe(identity.safe_id)
    except RosterRefused:
        raise IdentityError(f"roster version {roster.version} has no safe {identity.safe_id.hex()}") from None
    same = {
        "name": entry.name == name,
        "signing key": entry.signing_key == identity.signing_key.public,
        "sealing key": entry.sealing_key == identity.sealing_key.public,
        "TLS certificate": entry.tls_certificate == identity.certificate_der,
    }
    for what, holds in same.items():
        if not holds:
            raise IdentityError(
                f"the {what} is not the one roster version {roster.version} states for this safe"
            )


def open_decoy_secret(identity: Identity, roster: Roster) -> bytes:
    """What this safe answers from about owners whom it does not know (32 bytes, Secret): trust/decoys.py.

    Args:
        identity: A member of the roster, as `check_membership` found.
        roster: The newest version.

    Raises:
        IdentityError: What the roster holds for this safe does not open.
    """
    try:
        return open_decoy(roster, identity.safe_id, identity.sealing_key)
    except SealBroken:
        raise IdentityError(
            f"the decoy secret that roster version {roster.version} has for this safe does not open with its "
            "sealing key: that version was not assembled as it should be"
        ) from None
