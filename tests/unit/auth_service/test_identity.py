"""An authority's keys are made once, held against its description, and rotated with an overlap."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from auth_service.__main__ import main
from auth_service.check import check_authority
from auth_service.config import load_settings
from auth_service.identity import (
    Identity,
    NewAuthority,
    create_authority,
    read_identity,
    read_identity_key,
    rotate,
)
from auth_service.store.sqlite_store import DATABASE_NAME, open_store
from durable.keys import IdentityError
from durable.settings import ConfigError
from support.safe_requests import seeded
from support.sample_documents import key
from trust.authority import OVERLAP_SECONDS, follow_authority, read_authority, read_description

NOW = datetime(2026, 11, 27, tzinfo=UTC)
AT = int(NOW.timestamp())
NEW = NewAuthority("authority", "auth.example.org:7401", "0.0.0.0:7401", 825, 400)


def made(folder: Path) -> Path:
    create_authority(folder, NEW, seeded("authority"), NOW)
    return folder


def read(folder: Path) -> Identity:
    return read_identity(folder / "keys", folder / "authority.json")


def rotated(folder: Path, seconds: int, label: str = "next") -> None:
    identity, now = read_identity_key(folder / "identity.key"), NOW + timedelta(seconds=seconds)
    rotate(folder / "keys", folder / "authority.json", identity, 400, seeded(label), now)


def test_what_is_made_reads_back_as_the_description_says(tmp_path: Path) -> None:
    identity = read(made(tmp_path))
    assert identity.description.identity_key == read_identity_key(tmp_path / "identity.key").public
    assert identity.signing_key(AT).public == identity.description.signing_keys[0].key
    assert load_settings(tmp_path / "authority.toml").data_dir == str(tmp_path / "data")


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Mode 0600 in folders of mode 0700, whatever the umask."""
    before = os.umask(0)
    try:
        made(tmp_path / "authority")
        rotated(tmp_path / "authority", 60)
    finally:
        os.umask(before)
    for path in (tmp_path / "authority").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(IdentityError, match="exists; nothing was written"):
        made(tmp_path)


def test_a_name_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="host:port"):
        create_authority(tmp_path, NewAuthority("a", "nowhere", "0.0.0.0:1", 1, 1), seeded("a"), NOW)
    assert list(tmp_path.iterdir()) == []


def test_after_a_rotation_the_new_key_signs_and_the_old_one_holds_a_while(tmp_path: Path) -> None:
    """Owners follow the new description from the one they pinned."""
    before = read(made(tmp_path))
    rotated(tmp_path, 86_400)
    after, at = read(tmp_path), AT + 86_400
    assert follow_authority(after.signed, before.description) == after.description
    assert after.signing_key(at).public != before.signing_key(at).public
    old = before.signing_key(AT).public
    after.description.check_signing(old, (at, at + OVERLAP_SECONDS - 1))
    assert after.description.signing_keys[0].ends_at == at + OVERLAP_SECONDS


@pytest.mark.parametrize("left", ["keys/signing-2.new", "keys/signing-2.key", "authority.new"])
def test_a_rotation_that_was_interrupted_goes_on_with_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """Wherever it stopped; a key that was written whole is the one that comes into use."""
    before = read(made(tmp_path))

    def stopped(beside: Path, place: Path) -> Path:
        if beside == tmp_path / left:
            raise InterruptedError
        os.replace(beside, place)
        if place == tmp_path / left:
            raise InterruptedError
        return place

    with monkeypatch.context() as interrupted:
        interrupted.setattr(Path, "replace", stopped)
        with pytest.raises(InterruptedError):
            rotated(tmp_path, 86_400, "first")
    assert read(tmp_path).description == before.description
    rotated(tmp_path, 86_400, "second")
    label = "second" if left == "keys/signing-2.new" else "first"
    after = read(tmp_path)
    assert after.description.version == 2
    assert after.signing_key(AT + 86_400).seed == seeded(label).read(32)
    assert list(tmp_path.rglob("*.new")) == []


def test_a_key_file_that_is_damaged_comes_into_no_use(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "keys" / "signing-2.key").write_bytes(b"half")
    with pytest.raises(IdentityError, match=r"signing-2\.key: not 64 hexadecimal digits"):
        rotated(tmp_path, 60)
    assert read_description(read_authority((tmp_path / "authority.json").read_bytes())).version == 1


def test_keys_that_are_over_leave_the_description(tmp_path: Path) -> None:
    made(tmp_path)
    rotated(tmp_path, 86_400, "first")
    rotated(tmp_path, 2 * 86_400, "second")
    assert len(read(tmp_path).description.signing_keys) == 2


def test_a_key_that_is_over_signs_nothing(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="kura-authority rotate"):
        read(made(tmp_path)).signing_key(AT + 401 * 86_400)


def test_another_identity_rotates_nothing(tmp_path: Path) -> None:
    made(tmp_path)
    before = (tmp_path / "authority.json").read_bytes()
    with pytest.raises(IdentityError, match="names another identity key"):
        rotate(tmp_path / "keys", tmp_path / "authority.json", key("x"), 1, seeded("n"), NOW)
    assert (tmp_path / "authority.json").read_bytes() == before
    assert not (tmp_path / "keys" / "signing-2.key").exists()


DAMAGE = {
    "the sealing key is another": ("keys/sealing.key", b"00" * 32, "the sealing key is not the one"),
    "a signing key is cut": ("keys/signing-1.key", b"00", "not 64 hexadecimal digits"),
    "the description is none": ("authority.json", b"{}", "no signed description"),
    "the certificate is none": ("keys/tls.crt", b"x", "no PEM certificate"),
}


@pytest.mark.parametrize(("name", "content", "words"), DAMAGE.values(), ids=DAMAGE)
def test_keys_that_are_not_those_described_are_named(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (made(tmp_path) / name).write_bytes(content)
    with pytest.raises(IdentityError, match=words):
        read(tmp_path)


def test_the_certificate_of_another_authority_is_named(tmp_path: Path) -> None:
    made(tmp_path / "a")
    made(tmp_path / "b")
    for name in ("tls.key", "tls.crt"):
        (tmp_path / "a" / "keys" / name).write_bytes((tmp_path / "b" / "keys" / name).read_bytes())
    with pytest.raises(IdentityError, match="the TLS certificate is not the one"):
        read(tmp_path / "a")


SETTINGS = {
    "an unknown field": ("colour = 1\n", "unknown field `colour`"),
    "too long an assertion": ("[accounts]\nassertion_minutes = 11\n", "assertion_minutes"),
    "no port": ("listen = 'x'\n", "listen"),
}
GOOD = 'name = "a"\nlisten = "127.0.0.1:1"\ndata_dir = "d"\nkeys_dir = "k"\ndescription = "a.json"\n'


@pytest.mark.parametrize(("text", "words"), SETTINGS.values(), ids=SETTINGS)
def test_mistakes_in_the_settings_are_named(tmp_path: Path, text: str, words: str) -> None:
    good = GOOD if "listen" not in text else GOOD.replace('listen = "127.0.0.1:1"\n', "")
    (tmp_path / "a.toml").write_text(good + text)
    with pytest.raises(ConfigError, match=words):
        load_settings(tmp_path / "a.toml")


def test_the_operators_command_makes_checks_and_rotates(tmp_path: Path) -> None:
    """As docs/AUTHORITY.md tells it, in the order of a life."""
    runner, folder = CliRunner(), tmp_path / "authority"
    config = ("--config", str(folder / "authority.toml"))
    init = ("init", "--dir", str(folder), "--name", "authority", "--endpoint", "127.0.0.1:7401")
    first = runner.invoke(main, init)
    assert first.exit_code == 0
    signed = read_authority((folder / "authority.json").read_bytes())
    assert read_description(signed).identity_key.hex() in first.output
    assert runner.invoke(main, init).exit_code == 1
    checked = runner.invoke(main, ["check", *config])
    assert "version 1" in checked.output
    assert "none yet" in checked.output
    done = runner.invoke(main, ["rotate", *config, "--identity", str(folder / "identity.key")])
    assert "Version 2" in done.output
    wrong = runner.invoke(main, ["rotate", *config, "--identity", str(folder / "authority.toml")])
    assert (wrong.exit_code, "hexadecimal" in wrong.output) == (1, True)
    assert runner.invoke(main, ["check"]).exit_code == 2
    assert runner.invoke(main, ["run", "--config", str(tmp_path / "none.toml")]).exit_code == 1
    assert runner.invoke(main, []).exit_code == 2


def test_check_tells_when_it_is_time_to_rotate(tmp_path: Path) -> None:
    settings = load_settings(made(tmp_path) / "authority.toml")
    assert check_authority(settings, AT).sound
    late = check_authority(settings, AT + 402 * 86_400)
    assert (late.sound, late.signing_days) == (False, -2)


async def test_check_looks_into_the_database(tmp_path: Path) -> None:
    """Also beside a running authority; and what is damaged is said."""
    settings = load_settings(made(tmp_path) / "authority.toml")
    key_ = read(tmp_path).description.identity_key
    store = await open_store(Path(settings.data_dir), key_, seeded("slots"))
    try:
        report = check_authority(settings, AT)
        assert (report.database, report.accounts, report.sound) == ("ok", 0, True)
    finally:
        await store.close()
    (Path(settings.data_dir) / DATABASE_NAME).write_bytes(b"no database" * 1_000)
    done = CliRunner().invoke(main, ["check", "--config", str(tmp_path / "authority.toml")])
    assert (done.exit_code, "cannot be read" in done.output) == (1, True)


def test_check_refuses_settings_of_another_name(tmp_path: Path) -> None:
    config = made(tmp_path) / "authority.toml"
    config.write_text(config.read_text().replace('name = "authority"', 'name = "another"'))
    with pytest.raises(IdentityError, match="the name is not the one"):
        check_authority(load_settings(config), AT)
