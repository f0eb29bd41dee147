"""`kura authority` at a real authority: an account's life, every example, every refusal with its hint."""

import asyncio
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auth_service.identity import NewAuthority, create_authority, read_identity_key, rotate
from support.authority_process import AuthorityProcess, authority_process
from support.kura import PASSPHRASE, ROOT, KuraInProcess, new_wallet
from support.printed_examples import printed_examples
from support.safe_process import make_safes
from support.sample_authority import LOGIN
from threshold.randomness import SystemRandomness
from trust.assertion import Assertion, SignedAssertion
from trust.roster import Roster
from wallet_client.operations.asserting import asserted_for
from wallet_client.operations.authority_errors import AuthorityFailed, NotLoggedIn
from wallet_client.owners.factors import AuthorityLogin
from wallet_client.owners.names import OwnerName
from wallet_client.owners.stretch import owner_id
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.wallet import Wallet

PASSWORD = "correct horse"
ONCE, TWICE = f"{PASSWORD}\n", f"{PASSWORD}\n" * 2


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthorityProcess]:
    with authority_process(tmp_path_factory.mktemp("authority") / "one", measured=True) as one:
        yield one


@pytest.fixture(scope="module")
def roster(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Roster]:
    """A roster whose safes are not asked."""
    home = make_safes(tmp_path_factory.mktemp("safes"), 3, 2)[0]
    return home.folder / "roster.json", home.roster


@pytest.fixture
def kura(roster: tuple[Path, Roster], tmp_path: Path) -> KuraInProcess:
    return new_wallet(tmp_path / "wallet", roster[0])


def registered(kura: KuraInProcess, authority: AuthorityProcess, name: str, *more: str) -> KuraInProcess:
    kura.ok("authority", "register", name, "--authority", authority.file, *more, typed=TWICE)
    return kura


def said_of(kura: KuraInProcess, roster: Roster, name: str, asked: str = "") -> Assertion:
    """What the authority asserts of the session's account for a guess at the record of that name."""

    async def ask() -> Assertion:
        login = replace(LOGIN, owner_id=owner_id(OwnerName(asked or name), roster.fingerprint))
        async with await Wallet.open(kura.home, NoPassphrase()) as wallet:
            given = await asserted_for(wallet, OwnerName(name), AuthorityLogin(), login)
        return Assertion.from_bytes(SignedAssertion.from_bytes(given.assertion).assertion)

    return asyncio.run(ask())


@pytest.mark.parametrize("seal", ["static", "common"])
def test_an_account_lives_from_its_first_password_to_its_last_device(
    kura: KuraInProcess, authority: AuthorityProcess, roster: tuple[Path, Roster], seal: str
) -> None:
    """By either way, which the wallet remembers; what is asserted it holds to what a safe would."""
    name = f"anna-{seal}"
    registered(kura, authority, name, "--seal", seal)
    kura.ok("authority", "logout")
    assert kura.json("authority", "login", typed=ONCE)["methods"] == ["password"]
    (device,) = kura.json("authority", "devices", "add", "my laptop")["devices"]
    assert (device["label"], device["verifies"]) == ("my laptop", False)
    entered = kura.json("authority", "login", "--device")
    assert entered["methods"] == ["device", "password"]
    kura.ok("authority", "logout")
    assert kura.json("authority", "login", "--device")["methods"] == ["device"]
    said = said_of(kura, roster[1], name)
    assert (said.methods, said.audience) == (
        ("device",),
        tuple(sorted(one.safe_id for one in roster[1].safes)),
    )
    kura.ok("authority", "change-password", typed=f"{PASSWORD}\n" + "battery staple\n" * 2)
    assert "log in" in kura("authority", "devices", "list").messages.lower()
    kura.ok("authority", "login", name, typed="battery staple\n")
    assert kura.json("authority", "devices", "remove", device["id"])["devices"] == []
    assert "no device" in kura("authority", "login", "--device").messages
    happened = [event["what"] for event in kura.json("authority", "events")["events"]]
    assert happened[0] == "device removed"
    assert "asserted to safes" in happened
    assert happened[-1] == "registered"


def test_every_example_works_as_it_is_printed(
    kura: KuraInProcess, authority: AuthorityProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of a life; the id of a device is one's own."""
    shutil.copy(authority.file, tmp_path / "authority.json")
    monkeypatch.chdir(tmp_path)
    told = []

    def tell(line: str, typed: str = "", device: str = "") -> None:
        told.append(line)
        words = shlex.split(line)[1:]
        kura.ok(*(device if device and word.startswith("5f3a") else word for word in words), typed=typed)

    tell("kura authority register anna --authority authority.json", TWICE)
    common = "kura authority register anna --authority authority.json --seal common"
    told.append(common)
    kura.ok(*shlex.split(common.replace("anna", "anna-again"))[1:], typed=TWICE)
    tell("kura authority login anna --authority authority.json", ONCE)
    tell('kura authority devices add "my laptop"')
    tell("kura authority login --device")
    tell("kura authority devices list --json")
    tell("kura authority events --json")
    device = kura.json("authority", "devices", "list")["devices"][0]["id"]
    tell("kura authority devices remove 5f3a0c4be19d2277a86e1f90c4d2b3a1", device=device)
    tell("kura authority change-password", ONCE + TWICE)
    tell("kura authority login", ONCE)
    tell("kura authority logout")
    printed = {line for line in printed_examples() if line.startswith("kura authority")}
    assert printed == set(told)
    page = (ROOT / "docs" / "AUTHORITY.md").read_text()
    assert set(re.findall(r"^    (kura authority .*)$", page, re.MULTILINE)) <= printed


def test_what_goes_wrong_is_told_with_what_to_do_next(
    kura: KuraInProcess, authority: AuthorityProcess
) -> None:
    """One sentence, one hint, exit code 1, and nothing on standard output."""
    cases = [
        (("login", "boris"), ONCE, "knows no authority", "--authority FILE"),
        (("events",), "", "knows no authority", "--authority FILE"),
        (("register", "an na", "--authority", authority.file), TWICE, "holds a space", "without spaces"),
        (("register", "boris", "--authority", authority.file), "short\n" * 2, "is too short", "8 to 1,000"),
        (
            ("register", "boris", "--authority", authority.file),
            "a long one\nanother\n",
            "not the same",
            "twice",
        ),
        (("register", "boris", "--authority", authority.file), "", "No password was given", "standard input"),
        (("login", "boris", "--authority", authority.file), ONCE, "lets nobody in", "Try again"),
    ]
    for arguments, typed, sentence, hint in cases:
        done = kura("authority", *arguments, typed=typed)
        assert (done.code, done.output) == (1, ""), arguments
        assert sentence in done.messages
        assert hint in done.messages
    registered(kura, authority, "boris")
    again = kura("authority", "register", "BORIS", typed=TWICE)
    assert "choose another name" in again.messages
    assert kura("authority", "devices", "remove", "x").code == 2
    assert kura("authority", "devices", "add", "x" * 65).code == 2


def test_a_wallet_with_a_passphrase_says_of_its_device_that_it_verifies_its_owner(
    roster: tuple[Path, Roster], authority: AuthorityProcess, tmp_path: Path
) -> None:
    kura = KuraInProcess(tmp_path / "locked", {"KURA_PASSPHRASE": PASSPHRASE})
    kura.ok("wallet", "init", "--roster", roster[0])
    registered(kura, authority, "clara")
    assert kura.json("authority", "devices", "add", "phone")["devices"][0]["verifies"]
    assert kura.json("authority", "login", "--device")["methods"] == [
        "device",
        "device-verified",
        "password",
    ]
    twice = kura("authority", "devices", "add", "phone")
    assert (twice.code, twice.output) == (1, "")
    assert "has a device phone already" in twice.messages
    assert "shows its id" in twice.messages


def test_the_pinned_identity_is_followed_and_no_other(
    kura: KuraInProcess, authority: AuthorityProcess, roster: tuple[Path, Roster], tmp_path: Path
) -> None:
    """A rotation goes by unnoticed, also with the file of the first day; a stranger's file is refused."""
    registered(kura, authority, "dora")
    first = tmp_path / "first.json"
    shutil.copy(authority.file, first)
    identity = read_identity_key(authority.folder / "identity.key")
    keys, rng = authority.folder / "keys", SystemRandomness()
    rotate(keys, authority.file, identity, 30, rng, datetime.now(UTC))
    authority.restart()
    kura.ok("authority", "login", typed=ONCE)
    kura.ok("authority", "login", "--authority", first, typed=ONCE)
    said_of(kura, roster[1], "dora")
    with pytest.raises(AuthorityFailed, match="another owner"):
        said_of(kura, roster[1], "dora", asked="another")
    with pytest.raises(NotLoggedIn):
        said_of(kura, roster[1], "another")
    new = NewAuthority("authority", "127.0.0.1:1", "127.0.0.1:1", 30, 30)
    create_authority(tmp_path / "stranger", new, rng, datetime.now(UTC))
    done = kura("authority", "login", "--authority", tmp_path / "stranger" / "authority.json", typed=ONCE)
    assert "its identity is not the one that was pinned" in done.messages
    assert "Do not type your password there" in done.messages
    done = kura("authority", "login", "--authority", authority.config, typed=ONCE)
    assert "no signed description" in done.messages


def test_an_authority_that_is_down_is_named(
    roster: tuple[Path, Roster], authority: AuthorityProcess, tmp_path: Path
) -> None:
    kura = new_wallet(tmp_path / "wallet", roster[0])
    new = NewAuthority("authority", "127.0.0.1:9", "127.0.0.1:9", 30, 30)
    create_authority(tmp_path / "down", new, SystemRandomness(), datetime.now(UTC))
    done = kura("authority", "login", "eva", "--authority", tmp_path / "down" / "authority.json", typed=ONCE)
    assert (done.code, "nothing listens there" in done.messages) == (1, True)
    assert "knows no authority" in kura("authority", "events").messages
