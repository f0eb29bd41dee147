"""Safes whose TLS is not as the roster says: each of them fails by name, and the others go on."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from rpc_edge.errors import CertificateExpired, NotTls13, OtherCertificate
from safe_node.identity import NewSafe, create_safe
from support.cluster import LocalCluster
from support.empty_database import put_empty_database
from support.faults import blamed, fresh_wallet, kinds, receipt_ids_of
from support.safe_process import SafeHome, make_safes, running
from support.safe_requests import seeded
from support.tls_identities import identity, python_tls_server
from tools.local_cluster.ceremony import free_ports, in_pairs, make_roster
from trust.roster import SafeEntry
from trust.roster_file import read_roster
from wallet_client.network.failures import explain
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.values.value import Value
from wallet_client.wallet import Wallet, create_wallet

NOW = datetime.now(UTC)
VALUE = Value(item_class="coupon", name="one coffee", payload=b"0001")
GOOD = ("safe-1", "safe-2", "safe-3", "safe-4")
BAD = {"expired": CertificateExpired, "impostor": OtherCertificate, "old-tls": NotTls13}


@pytest.fixture(scope="module")
def roster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """The roster of seven safes, any one of which brings back; three are not what it says, all answer."""
    folder = tmp_path_factory.mktemp("seven")
    old = identity("old-tls")
    with ExitStack() as stack:
        old_port = stack.enter_context(python_tls_server(old, folder, ssl.TLSVersion.TLSv1_2, ["h2"]))
        ports = stack.enter_context(free_ports(12))
        names = (*GOOD, "expired", "impostor")
        entries = [_made(folder, name, *pair) for name, pair in zip(names, in_pairs(ports), strict=True)]
        entries.append(structs.replace(_made(folder, "old-tls", old_port, ports[0]), tls_certificate=old.der))
        content = make_roster(folder, entries, 1, int(NOW.timestamp()), seeded("decoy secret"))
        newest = read_roster(content)[-1].roster
        for entry in entries[:5]:
            (folder / entry.name / "roster.json").write_bytes(content)
            home = SafeHome(folder / entry.name, entry, newest)
            put_empty_database(home.database.parent)
            stack.enter_context(running(home))
        stack.enter_context(running(_of_another_roster(folder / "others", entries[5].endpoint)))
        yield content


def _made(folder: Path, name: str, port: int, peer_port: int) -> SafeEntry:
    """A safe's keys; those of `expired` were made two months ago for one."""
    at, peers_at = f"127.0.0.1:{port}", f"127.0.0.1:{peer_port}"
    new = NewSafe(name, f"Operator of {name}", at, at, 30, peers_at, peers_at)
    made_at = NOW - timedelta(days=60) if name == "expired" else NOW
    return create_safe(folder / name, new, seeded(f"TLS {name}"), made_at)


def _of_another_roster(folder: Path, endpoint: str) -> SafeHome:
    """A real safe with keys of its own that listens where another one should."""
    home = make_safes(folder, 1)[0]
    home.config.write_text(home.config.read_text().replace("127.0.0.1:0", endpoint, 1))
    return home


async def test_safes_with_wrong_tls_fail_by_name_and_the_others_go_on(roster: bytes, tmp_path: Path) -> None:
    """Expired, somebody else's, TLS 1.2: the backup is registered at the four good safes and comes back."""
    await create_wallet(tmp_path / "wallet", NoPassphrase(), roster, None)
    async with await Wallet.open(tmp_path / "wallet", NoPassphrase()) as wallet:
        value_id = wallet.store.values.add(VALUE)

        report = await back_up(wallet, [value_id], "threshold")

        (entry,) = report.entries
        assert kinds(report.failed) == BAD
        assert {wallet.roster.safe(one).name for one in entry.state.holding} == set(GOOD)
        day = (NOW - timedelta(days=30)).date().isoformat()
        assert explain(report.failed["expired"]).startswith(f"its certificate expired on {day}")
        assert kinds((await resume(wallet)).failed) == BAD
        wallet.store.values.remove(value_id)
        await recover(wallet, [entry.receipt_id])
        assert wallet.store.values.get(value_id) == VALUE


async def test_a_stranger_at_a_safes_address_gets_no_request(cluster: LocalCluster, tmp_path: Path) -> None:
    """After the backup another safe answers there: it is named, hears nothing, and the value comes back."""
    async with fresh_wallet(cluster, tmp_path / "wallet") as wallet:
        value_id = wallet.store.values.add(VALUE)
        await back_up(wallet, [value_id], "threshold")
        await drop_backed_up(wallet, [value_id], accept_fewer=False)
        cluster.stop("safe-2")
        stranger = _of_another_roster(tmp_path / "others", wallet.roster.safes[1].endpoint)
        with running(stranger) as process:
            report = await recover(wallet, receipt_ids_of(wallet))
        assert blamed(report.failed) == {"safe-2"}
        assert type(report.failed["safe-2"]) is OtherCertificate
        assert wallet.store.values.get(value_id) == VALUE
        assert not [line for line in process.log if line["event"] == "rpc"]
