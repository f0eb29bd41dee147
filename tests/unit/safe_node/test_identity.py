"""Keys are made once, never overwritten, and held against the roster at every start."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from durable.keys import IdentityError
from safe_node.identity import (
    NewSafe,
    check_membership,
    create_safe,
    open_decoy_secret,
    read_identity,
    read_versions,
)
from support.safe_process import make_safes
from support.safe_requests import seeded
from trust.documents import SigningKey
from trust.roster_file import read_safe

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NEW = NewSafe(
    "safe-1",
    "Example Co.",
    "safe1.example.org:7301",
    "0.0.0.0:7301",
    825,
    "safe1.example.org:7302",
    "0.0.0.0:7302",
)


def test_what_is_made_reads_back_as_the_entry_says(tmp_path: Path) -> None:
    """Entry, keys and certificate belong together."""
    entry = create_safe(tmp_path, NEW, seeded("a"), NOW)
    identity = read_identity(tmp_path / "keys")
    operator = SigningKey(bytes.fromhex((tmp_path / "operator.key").read_text()))
    assert read_safe((tmp_path / "entry.json").read_bytes()) == entry
    assert entry.safe_id == identity.safe_id
    assert entry.signing_key == identity.signing_key.public
    assert entry.sealing_key == identity.sealing_key.public
    assert entry.tls_certificate == identity.certificate_der
    assert entry.operator_key == operator.public


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Mode 0600 in folders of mode 0700, whatever the umask."""
    before = os.umask(0)
    try:
        create_safe(tmp_path / "safe", NEW, seeded("a"), NOW)
    finally:
        os.umask(before)
    for path in (tmp_path / "safe").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize(
    "name", ["keys/signing.key", "keys/sealing.key", "operator.key", "safe.toml", "entry.json"]
)
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    """One file in the way stops everything."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("precious")
    with pytest.raises(IdentityError, match="exists; nothing was written"):
        create_safe(tmp_path, NEW, seeded("a"), NOW)
    assert path.read_text() == "precious"
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "Safe 1", "lower-case DNS label"),
        ("endpoint", "nowhere", "host:port"),
        ("peer_endpoint", "nowhere", "host:port"),
        ("peer_endpoint", "safe1.example.org:7301", "the wallets' port too"),
        ("operator", "", "length >= 1"),
    ],
)
def test_an_entry_no_roster_would_take_is_not_made(
    tmp_path: Path, field: str, value: str, words: str
) -> None:
    """Nothing is left behind."""
    new = NewSafe(**{name: getattr(NEW, name) for name in NEW.__slots__} | {field: value})
    with pytest.raises(IdentityError, match=words):
        create_safe(tmp_path, new, seeded("a"), NOW)
    assert not (tmp_path / "keys").exists()


def test_secrets_have_no_repr(tmp_path: Path) -> None:
    """Neither seeds, private keys nor TLS key show."""
    create_safe(tmp_path, NEW, seeded("a"), NOW)
    identity = read_identity(tmp_path / "keys")
    assert repr(identity.signing_key.seed) not in repr(identity)
    assert repr(identity.sealing_key.private) not in repr(identity)
    assert "PRIVATE" not in repr(identity)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("safe.id", "00", "not 32 hexadecimal digits"),
        ("signing.key", "zz", "not 64 hexadecimal digits"),
        ("sealing.key", "00" * 31, "not 64 hexadecimal digits"),
        ("sealing.key", None, "No such file"),
        ("tls.crt", "nothing", "no PEM certificate"),
        ("tls.key", None, "No such file"),
        ("tls.key", "nothing", "not the private key of"),
    ],
)
def test_a_damaged_key_is_named(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    """By its path."""
    create_safe(tmp_path, NEW, seeded("a"), NOW)
    path = tmp_path / "keys" / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(IdentityError, match=f"{name}: {words}"):
        read_identity(tmp_path / "keys")


def test_a_member_passes_and_a_stranger_does_not(tmp_path: Path) -> None:
    """Another safe's keys are not this safe's."""
    first, second = make_safes(tmp_path, 2)
    versions = read_versions(first.folder / "roster.json")
    check_membership(read_identity(first.folder / "keys"), "safe-1", versions[-1])
    outside = tmp_path / "outside"
    create_safe(outside, NEW, seeded("outside"), NOW)
    with pytest.raises(IdentityError, match="has no safe"):
        check_membership(read_identity(outside / "keys"), "safe-1", versions[-1])
    with pytest.raises(IdentityError, match="the name is not"):
        check_membership(read_identity(second.folder / "keys"), "safe-1", versions[-1])


@pytest.mark.parametrize(
    ("file", "what"),
    [("signing.key", "signing key"), ("sealing.key", "sealing key"), ("tls.crt", "TLS certificate")],
    ids=["signing", "sealing", "TLS"],
)
def test_a_key_that_is_not_the_rosters_is_named(tmp_path: Path, file: str, what: str) -> None:
    """A restored backup with one file of another safe is found at the start."""
    first, second = make_safes(tmp_path, 2)
    for name in (file, "tls.key") if file == "tls.crt" else (file,):
        (first.folder / "keys" / name).write_bytes((second.folder / "keys" / name).read_bytes())
    roster = read_versions(first.folder / "roster.json")[-1]
    with pytest.raises(IdentityError, match=f"the {what} is not"):
        check_membership(read_identity(first.folder / "keys"), "safe-1", roster)


def test_all_members_open_one_decoy_secret(tmp_path: Path) -> None:
    """Each with its own key."""
    homes = make_safes(tmp_path, 3)
    secrets = {open_decoy_secret(read_identity(home.folder / "keys"), home.roster) for home in homes}
    assert secrets == {seeded("decoy secret").read(32)}


def test_a_decoy_secret_that_does_not_open_is_named(tmp_path: Path) -> None:
    """The assembler sealed it to somebody else."""
    home = make_safes(tmp_path, 2)[0]
    swapped = msgspec.structs.replace(home.roster, decoys=home.roster.decoys[::-1])
    identity = read_identity(home.folder / "keys")
    check_membership(identity, "safe-1", swapped)
    with pytest.raises(IdentityError, match="the decoy secret that roster version 1 has for this safe"):
        open_decoy_secret(identity, swapped)


def test_a_roster_without_all_signatures_is_refused(tmp_path: Path) -> None:
    """The genesis needs every operator."""
    home = make_safes(tmp_path, 2)[0]
    path = home.folder / "roster.json"
    text = msgspec.json.decode(path.read_bytes())
    text["versions"][0]["signatures"].pop()
    path.write_bytes(msgspec.json.encode(text))
    with pytest.raises(IdentityError, match="has 1 of the 2"):
        read_versions(path)
