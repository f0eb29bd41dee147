"""An authority's keys: made once, read at every start, rotated by the identity key.

    DIR/authority.toml         settings
    DIR/authority.json         the signed description; public: give it to owners
    DIR/identity.key           Ed25519 seed, hexadecimal: signs descriptions; to be taken off this machine
    DIR/keys/sealing.key       HPKE key material, hexadecimal: opens owner information
    DIR/keys/signing-N.key     Ed25519 seeds, hexadecimal: assertions and key halves; N from 1 on
    DIR/keys/tls.key, tls.crt  PEM

Files with secrets have mode 0600. Nothing but the description is ever overwritten.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from durable.keys import IdentityError, read_file, read_hex, read_tls, write_all
from threshold.hpke import KeyPair, derive_key_pair
from threshold.randomness import RandomSource
from trust.authority import (
    MAX_SIGNING_KEYS,
    OVERLAP_SECONDS,
    AuthorityDescription,
    SignedAuthority,
    SigningPeriod,
    describe_authority,
    identity_of,
    read_authority,
    read_description,
    write_authority,
)
from trust.documents import DocumentProblem, SigningKey
from trust.errors import AuthorityRefused
from trust.ids import KEY_BYTES, AuthorityKey
from trust.roster_file import from_pem

EARLY_SECONDS = 300
"""A new key holds a little before it is used, for clocks that are behind."""

_SIGNING = re.compile(r"signing-[0-9]{1,9}\.key")
_SETTINGS = """\
# A Kura authority. docs/AUTHORITY.md explains every setting.
name = "{name}"
listen = "{listen}"
data_dir = "data"
keys_dir = "keys"
description = "authority.json"

[accounts]
registration_open = true  # false: nobody new
session_minutes = 60
assertion_minutes = 5

[passwords]
memory_kib = 65536
passes = 3
lanes = 4

[limits]
calls_per_minute = 120  # from one IPv4 address, or one /64 of IPv6; 0: no limit
database_bytes = 0      # 0: until the disk is full

[log]
level = "info"
json = true
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """What an authority has to be itself.

    Args:
        signed: Its description, as it is given out.
        description: The same, read.
        sealing_key: Secret: opens owner information.
        signing_keys: Secret: those on this machine.
        tls_key: Secret: PEM.
        tls_certificate: PEM.
    """

    signed: SignedAuthority
    description: AuthorityDescription
    sealing_key: KeyPair
    signing_keys: tuple[SigningKey, ...]
    tls_key: bytes = field(repr=False)
    tls_certificate: bytes

    def signing_key(self, now: int) -> SigningKey:
        """Secret: the newest key that holds now, by the description.

        Raises:
            IdentityError: None does: it is time to rotate.
        """
        here = {key.public: key for key in self.signing_keys}
        for period in reversed(self.description.signing_keys):
            if period.covers(now) and period.key in here:
                return here[period.key]
        raise IdentityError("no signing key is in use: run `kura-authority rotate`")


@dataclass(frozen=True, slots=True)
class NewAuthority:
    """What the operator decides about an authority to be.

    Args:
        name: Lower-case DNS label.
        endpoint: "host:port" under which wallets reach it.
        listen: "host:port" it listens at.
        tls_days: How long its TLS certificate is valid.
        signing_days: How long its signing key is.
    """

    name: str
    endpoint: str
    listen: str
    tls_days: int
    signing_days: int


def create_authority(
    folder: Path, new: NewAuthority, rng: RandomSource, now: datetime
) -> AuthorityDescription:
    """Make all keys and files of an authority.

    Raises:
        IdentityError: Something is in the way, or a name or endpoint cannot be used. Nothing is overwritten.
    """
    identity, signing = SigningKey(rng.read(KEY_BYTES)), SigningKey(rng.read(KEY_BYTES))
    sealing_seed = rng.read(KEY_BYTES)
    from rpc_edge.tls_identity import make_tls_identity  # a running authority never needs it

    begins, ends = now - timedelta(seconds=EARLY_SECONDS), now + timedelta(days=new.tls_days)
    tls_key, tls_certificate = make_tls_identity(new.name, begins, ends)
    description = _description(new, identity_of(identity), signing, sealing_seed, tls_certificate, now)
    write_all(
        {
            folder / "keys" / "sealing.key": (sealing_seed.hex() + "\n").encode(),
            folder / "keys" / "signing-1.key": (signing.seed.hex() + "\n").encode(),
            folder / "keys" / "tls.key": tls_key,
            folder / "keys" / "tls.crt": tls_certificate,
            folder / "identity.key": (identity.seed.hex() + "\n").encode(),
            folder / "authority.json": write_authority(_signed(description, identity)),
            folder / "authority.toml": _SETTINGS.format(name=new.name, listen=new.listen).encode(),
        }
    )
    return description


def _description(
    new: NewAuthority,
    identity: AuthorityKey,
    signing: SigningKey,
    sealing_seed: bytes,
    tls_certificate: bytes,
    now: datetime,
) -> AuthorityDescription:
    try:
        return AuthorityDescription(
            identity_key=identity,
            version=1,
            issued_at=int(now.timestamp()),
            name=new.name,
            endpoint=new.endpoint,
            tls_certificate=from_pem(tls_certificate.decode()),
            sealing_key=derive_key_pair(sealing_seed).public,
            signing_keys=(_period(signing, now, new.signing_days),),
        )
    except DocumentProblem as error:
        raise IdentityError(str(error)) from None


def rotate(
    keys_dir: Path, description_file: Path, identity: SigningKey, days: int, rng: RandomSource, now: datetime
) -> AuthorityDescription:
    """Put a new signing key in use at once; the one before holds for 15 minutes more, older ones are dropped.

    The key is in its file before the description names it. Where a rotation was interrupted between the two,
    the next one takes the key it finds.

    Raises:
        IdentityError: The description cannot be read, the identity is another, or a file cannot be written.
    """
    before = read_description(_read_authority(description_file))
    key_file = keys_dir / f"signing-{before.version + 1}.key"
    found = key_file.exists()
    at, signing = (
        int(now.timestamp()),
        SigningKey(read_hex(key_file, KEY_BYTES) if found else rng.read(KEY_BYTES)),
    )
    standing = [_ended(period, at) for period in before.signing_keys if period.ends_at > at]
    after = msgspec.structs.replace(
        before,
        version=before.version + 1,
        issued_at=at,
        signing_keys=(*standing[1 - MAX_SIGNING_KEYS :], _period(signing, now, days)),
    )
    file = write_authority(_signed(after, identity))
    if not found:
        _put(key_file, (signing.seed.hex() + "\n").encode())
    _put(description_file, file)
    return after


def _put(path: Path, content: bytes) -> None:
    """Write a file beside its place, then put it there: whoever finds it finds all of it."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    write_all({beside: content})
    beside.replace(path)


def read_identity(keys_dir: Path, description_file: Path) -> Identity:
    """Read an authority's keys and hold them against its description.

    Raises:
        IdentityError: A file is missing, unreadable or damaged, or a key is not the one that is described.
    """
    signed = _read_authority(description_file)
    description = read_description(signed)
    tls_key, tls_certificate = read_tls(keys_dir)
    sealing_key = derive_key_pair(read_hex(keys_dir / "sealing.key", KEY_BYTES))
    same = {
        "sealing key": description.sealing_key == sealing_key.public,
        "TLS certificate": description.tls_certificate == from_pem(tls_certificate.decode()),
    }
    for what, holds in same.items():
        if not holds:
            raise IdentityError(f"the {what} is not the one that {description_file} describes")
    files = sorted(path for path in keys_dir.iterdir() if _SIGNING.fullmatch(path.name))
    signing_keys = tuple(SigningKey(read_hex(path, KEY_BYTES)) for path in files)
    return Identity(signed, description, sealing_key, signing_keys, tls_key, tls_certificate)


def read_identity_key(path: Path) -> SigningKey:
    """Secret: the key that signs descriptions.

    Raises:
        IdentityError: It is missing or damaged.
    """
    return SigningKey(read_hex(path, KEY_BYTES))


def _period(key: SigningKey, now: datetime, days: int) -> SigningPeriod:
    at = int(now.timestamp())
    return SigningPeriod(key.public, at - EARLY_SECONDS, at + days * 86_400)


def _ended(period: SigningPeriod, at: int) -> SigningPeriod:
    return msgspec.structs.replace(period, ends_at=min(period.ends_at, at + OVERLAP_SECONDS))


def _signed(description: AuthorityDescription, identity: SigningKey) -> SignedAuthority:
    try:
        return describe_authority(description, identity)
    except AuthorityRefused as error:
        raise IdentityError(error.problem) from None


def _read_authority(path: Path) -> SignedAuthority:
    try:
        return read_authority(read_file(path))
    except AuthorityRefused as error:
        raise IdentityError(f"{path}: {error.problem}") from None
