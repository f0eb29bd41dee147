"""A roster that must not be believed: the command ends with 1, changes nothing and contacts nobody.

Every endpoint of the rosters here leads to a listening socket, which knows afterwards who connected.
"""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec import structs

from support.kura import Finished, KuraInProcess
from support.sample_documents import GENESIS, NOW, SAFE_IDS, SAFE_KEYS, SEALING_PAIRS, SUCCESSOR, key
from support.tls_identities import identity
from support.wallet_samples import small_value
from trust.documents import SigningKey
from trust.roster import Roster, SafeEntry, SignedRoster, sign_roster
from trust.roster_file import read_roster, write_roster
from wallet_client.operations.backup import back_up
from wallet_client.operations.errors import TooFewSafes
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore
from wallet_client.wallet import Wallet, create_wallet

OPERATORS = tuple(key(f"fault operator {number}") for number in range(1, 6))
STRANGERS = tuple(key(f"stranger {number}") for number in range(1, 6))
THRESHOLD = 3


@dataclass(frozen=True)
class Listeners:
    """Five addresses at which somebody listens and nobody answers."""

    sockets: tuple[socket.socket, ...]

    @property
    def ports(self) -> list[int]:
        """Where."""
        return [one.getsockname()[1] for one in self.sockets]

    def connections(self) -> int:
        """How many connected since this was last asked; one that hung up counts too."""
        return sum(_accepted(one) for one in self.sockets)


def _accepted(listener: socket.socket) -> int:
    number = 0
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            number += 1
    return number


@pytest.fixture(scope="module")
def listeners() -> Iterator[Listeners]:
    """Listening on ports that the kernel chose."""
    with ExitStack() as stack:
        sockets = tuple(stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(5))
        for one in sockets:
            one.setblocking(False)
        yield Listeners(sockets)


def signed(roster: Roster, keys: Sequence[SigningKey]) -> SignedRoster:
    """A version with these signatures."""
    return SignedRoster(roster, tuple(sign_roster(roster, one) for one in keys))


@pytest.fixture(scope="module")
def chain(listeners: Listeners) -> tuple[SignedRoster, SignedRoster]:
    """Two versions as they should be."""
    safes = tuple(
        SafeEntry(
            SAFE_IDS[number],
            f"safe-{number + 1}",
            "somebody",
            f"127.0.0.1:{port}",
            f"peers.example:{port}",
            identity(f"safe-{number + 1}").der,
            SAFE_KEYS[number].public,
            SEALING_PAIRS[number].public,
            OPERATORS[number].public,
        )
        for number, port in enumerate(listeners.ports)
    )
    first = Roster(1, b"", NOW, THRESHOLD, safes, GENESIS.decoys)
    second = Roster(2, first.fingerprint, NOW + 1, THRESHOLD, safes, SUCCESSOR.decoys)
    return signed(first, OPERATORS), signed(second, OPERATORS[:THRESHOLD])


Chain = tuple[SignedRoster, SignedRoster]


def other_genesis(chain: Chain) -> list[SignedRoster]:
    """A chain that holds in itself, from another beginning."""
    first = structs.replace(chain[0].roster, created_at=NOW - 1)
    second = structs.replace(chain[1].roster, previous=first.fingerprint)
    return [signed(first, OPERATORS), signed(second, OPERATORS[:THRESHOLD])]


def follower(chain: Chain, keys: Sequence[SigningKey]) -> list[SignedRoster]:
    """A third version with these signatures."""
    third = structs.replace(chain[1].roster, version=3, previous=chain[1].roster.fingerprint)
    return [*chain, signed(third, keys)]


def redirected(chain: Chain) -> list[SignedRoster]:
    """One endpoint changed after the operators signed."""
    safes = (structs.replace(chain[1].roster.safes[0], endpoint="127.0.0.1:1"), *chain[1].roster.safes[1:])
    return [chain[0], structs.replace(chain[1], roster=structs.replace(chain[1].roster, safes=safes))]


SPOILT: dict[str, tuple[Callable[[Chain], bytes], str]] = {
    "truncated": (lambda chain: write_roster(chain)[:-100], "no complete JSON"),
    "empty": (lambda _: b"", "no complete JSON"),
    "changed after signing": (lambda chain: write_roster(redirected(chain)), "does not hold"),
    "signed by others": (lambda chain: write_roster(follower(chain, STRANGERS)), "has 0 of the 3 signatures"),
    "signed by too few": (
        lambda chain: write_roster(follower(chain, [*OPERATORS[:2], *STRANGERS])),
        "has 2 of the 3 signatures",
    ),
    "of another genesis": (lambda chain: write_roster(other_genesis(chain)), "not the one pinned"),
    "rolled back": (lambda chain: write_roster(chain[:1]), "ends at version 1, but 2 was seen"),
}
"""How the roster is spoilt, and what the command says of it."""


@pytest.fixture
async def home(chain: Chain, tmp_path: Path) -> Path:
    """A wallet that follows both versions and holds a value."""
    home = tmp_path / "wallet"
    await create_wallet(home, NoPassphrase(), write_roster(chain), None)
    with WalletStore.open(home, NoPassphrase()) as store:
        store.values.add(small_value())
    return home


@pytest.fixture
def kura(home: Path, listeners: Listeners) -> KuraInProcess:
    """For the wallet of the test."""
    listeners.connections()
    return KuraInProcess(home)


@pytest.mark.parametrize("command", ["backup --all", "recover --all", "resume"])
@pytest.mark.parametrize("how", SPOILT)
def test_a_wallet_whose_roster_was_replaced_contacts_nobody(
    how: str, command: str, kura: KuraInProcess, chain: Chain, listeners: Listeners
) -> None:
    """Somebody wrote it into the unlocked wallet; the pin, the signatures or the version give it away."""
    spoil, sentence = SPOILT[how]
    with WalletStore.open(kura.home, NoPassphrase()) as store:
        store.settings.set_roster(spoil(chain), 2)
    code, output, said = kura(*command.split())
    assert (code, output) == (1, "")
    assert sentence in said
    assert "Nothing was contacted" in said
    assert listeners.connections() == 0


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_newer_roster_is_not_taken(
    how: str, kura: KuraInProcess, chain: Chain, listeners: Listeners, tmp_path: Path
) -> None:
    """`kura roster update` ends with 1, the wallet follows the version it followed, nobody is contacted."""
    spoil, sentence = SPOILT[how]
    (tmp_path / "newer.json").write_bytes(spoil(chain))
    code, output, said = kura("roster", "update", tmp_path / "newer.json")
    assert (code, output) == (1, "")
    assert sentence in said
    with WalletStore.open(kura.home, NoPassphrase()) as store:
        assert read_roster(store.settings.get().roster) == chain
    assert listeners.connections() == 0


def init(folder: Path) -> Finished:
    """Make a wallet in `new` that believes roster.json."""
    words = ("wallet", "init", "--no-passphrase", "--roster", folder / "roster.json")
    return KuraInProcess(folder / "new")(*words)


@pytest.mark.parametrize("how", [how for how in SPOILT if how not in {"of another genesis", "rolled back"}])
def test_no_wallet_is_made_of_a_spoilt_roster(
    how: str,
    chain: Chain,
    listeners: Listeners,
    tmp_path: Path,
) -> None:
    """`kura wallet init` ends with 1 and leaves no wallet; what it has not pinned yet it cannot compare."""
    spoil, sentence = SPOILT[how]
    (tmp_path / "roster.json").write_bytes(spoil(chain))
    listeners.connections()
    code, output, said = init(tmp_path)
    assert (code, output) == (1, "")
    assert sentence in said
    assert not (tmp_path / "new" / "wallet.db").exists()
    assert listeners.connections() == 0


def test_a_genesis_with_a_strangers_signature_in_place_of_an_operators_is_refused(
    chain: Chain, tmp_path: Path
) -> None:
    """All five operators sign the first version, and nobody stands in for one."""
    genesis = signed(chain[0].roster, [*OPERATORS[:4], STRANGERS[0]])
    (tmp_path / "roster.json").write_bytes(write_roster([genesis]))
    code, output, said = init(tmp_path)
    assert (code, output) == (1, "")
    assert "has 4 of the 5 signatures" in said
    assert not (tmp_path / "new").exists()


async def test_the_sockets_do_notice_a_wallet(home: Path, listeners: Listeners) -> None:
    """The twin of the tests above: with the right roster, everybody is contacted."""
    listeners.connections()
    async with await Wallet.open(home, NoPassphrase(), patience_seconds=0.5) as wallet:
        with pytest.raises(TooFewSafes):
            await back_up(wallet, [wallet.store.values.summaries()[0].id], "threshold")
    assert listeners.connections() >= 5
