"""The key ceremony and its aftermath on the command line, and receipts that do not hold."""

import json
from pathlib import Path

import pytest

from support.cluster import LocalCluster
from support.kura import KuraInProcess, new_wallet, without_wallet
from support.safe_requests import seeded
from trust.decoys import assemble_roster
from trust.documents import SigningKey
from trust.roster import Roster, SignedRoster, sign_roster
from trust.roster_file import read_roster, write_roster
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt, read_summary
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.storage.store import WalletStore


@pytest.fixture
def operator(tmp_path: Path) -> KuraInProcess:
    """`kura` of somebody who has no wallet."""
    return without_wallet(tmp_path / "none")


def entries(cluster: LocalCluster) -> list[Path]:
    return [cluster.folder(name) / "entry.json" for name in cluster.names]


def keys(cluster: LocalCluster) -> list[Path]:
    return [cluster.folder(name) / "operator.key" for name in cluster.names]


def test_a_ceremony_ends_in_a_roster_that_wallets_take(
    operator: KuraInProcess, cluster_of_worker: LocalCluster, tmp_path: Path
) -> None:
    """Assembled from entries, signed by every operator, verified, pinned."""
    roster = tmp_path / "roster.json"
    operator.ok("roster", "assemble", *entries(cluster_of_worker), "--threshold", "3", "--out", roster)
    for number, key in enumerate(keys(cluster_of_worker)):
        refused = operator("roster", "verify", roster)
        assert (refused.code, refused.output) == (1, "")
        assert f"waiting for safe-{number + 1}" in refused.messages
        operator.ok("roster", "sign", roster, "--key", key)
    verified = operator.json("roster", "verify", roster)
    assert verified["signed_by"] == list(cluster_of_worker.names)
    published = verified["fingerprint"].upper()
    operator.ok("roster", "verify", roster, "--fingerprint", f"{published[:4]} {published[4:]}")
    another = operator("roster", "verify", roster, "--fingerprint", published[::-1])
    assert (another.code, another.output) == (1, "")
    made = operator.json("wallet", "init", "--roster", roster, "--no-passphrase")
    assert made["fingerprint"] == verified["fingerprint"]
    assert operator.json("roster", "show")["safes"] == operator.json("roster", "show", roster)["safes"]


def test_a_roster_file_is_never_assembled_over_another(
    operator: KuraInProcess, cluster_of_worker: LocalCluster
) -> None:
    """The roster in use stays as it is."""
    before = cluster_of_worker.roster_file.read_bytes()
    done = operator(
        "roster",
        "assemble",
        *entries(cluster_of_worker),
        "--threshold",
        "3",
        "--out",
        cluster_of_worker.roster_file,
    )
    assert (done.code, cluster_of_worker.roster_file.read_bytes()) == (1, before)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        pytest.param("00" * 32, 1, "none of the operators", id="a stranger's key"),
        pytest.param("00", 1, "32 bytes", id="a short key"),
        pytest.param("not hexadecimal", 2, "64 hexadecimal digits", id="no key"),
    ],
)
def test_nobody_else_signs(
    operator: KuraInProcess,
    cluster_of_worker: LocalCluster,
    tmp_path: Path,
    content: str,
    code: int,
    said: str,
) -> None:
    """The file stays as it is."""
    roster, key = tmp_path / "roster.json", tmp_path / "key"
    roster.write_bytes(cluster_of_worker.roster_file.read_bytes())
    key.write_text(content)
    done = operator("roster", "sign", roster, "--key", key)
    assert (done.code, done.output) == (code, "")
    assert said in done.messages
    assert roster.read_bytes() == cluster_of_worker.roster_file.read_bytes()


def next_version(cluster: LocalCluster, signers: int) -> bytes:
    """The cluster's chain with a version 2, signed by some operators of version 1."""
    (genesis,) = read_roster(cluster.roster_file.read_bytes())
    old = genesis.roster
    new = assemble_roster(old.safes, old.threshold, old.created_at + 1, seeded("decoy secret"), old)
    operators = [SigningKey(bytes.fromhex(path.read_text().strip())) for path in keys(cluster)[:signers]]
    return write_roster([genesis, SignedRoster(new, tuple(sign_roster(new, key) for key in operators))])


def test_a_wallet_follows_a_newer_roster_and_never_goes_back(
    cluster_of_worker: LocalCluster, tmp_path: Path
) -> None:
    """Too few signatures, a cut file and a roll-back end with 1."""
    kura = new_wallet(tmp_path / "wallet", cluster_of_worker.roster_file)
    file = tmp_path / "newer.json"
    for content, said in (
        (next_version(cluster_of_worker, signers=2), "2 of the 3 signatures"),
        (next_version(cluster_of_worker, signers=3)[:-100], "no complete JSON"),
    ):
        file.write_bytes(content)
        refused = kura("roster", "update", file)
        assert (refused.code, refused.output) == (1, "")
        assert said in refused.messages
    file.write_bytes(next_version(cluster_of_worker, signers=3))
    assert kura.json("roster", "update", file)["version"] == 2
    back = kura("roster", "update", cluster_of_worker.roster_file)
    assert (back.code, back.output) == (1, "")
    assert "2 was seen" in back.messages
    assert kura.json("roster", "show")["version"] == 2


def test_assemble_continues_a_chain(
    operator: KuraInProcess, cluster_of_worker: LocalCluster, tmp_path: Path
) -> None:
    """--previous makes version 2, which three of the five operators sign."""
    roster = tmp_path / "two.json"
    assembled = operator.ok(
        "roster",
        "assemble",
        *entries(cluster_of_worker),
        "--threshold",
        "3",
        "--previous",
        cluster_of_worker.roster_file,
        "--out",
        roster,
    )
    assert "3 operators must sign" in assembled.output
    for key in keys(cluster_of_worker)[2:]:
        operator.ok("roster", "sign", roster, "--key", key)
    assert operator.json("roster", "verify", roster)["version"] == 2


def test_what_makes_no_roster_is_said_of_its_file(
    operator: KuraInProcess, cluster_of_worker: LocalCluster, tmp_path: Path
) -> None:
    """A file that is no entry, one that cannot be read, a threshold that does not fit; nothing is written."""
    entry, roster = entries(cluster_of_worker)[0], cluster_of_worker.roster_file
    for files, said in (
        ([entry, roster], f"{roster} is no safe's entry"),
        ([entry, "/dev/null"], "/dev/null cannot be read"),
        ([entry], "No roster was made: threshold"),
    ):
        done = operator("roster", "assemble", *files, "--threshold", "2", "--out", tmp_path / "new.json")
        assert (done.code, done.output) == (1, "")
        assert said in done.messages
        assert not (tmp_path / "new.json").exists()


def test_receipts_outlive_a_safe_that_left_the_roster(
    kura: KuraInProcess, cluster: LocalCluster, operator: KuraInProcess, tmp_path: Path
) -> None:
    """They are shown, by id or by the value's name; `verify` says which piece no longer counts."""
    kura.ok("wallet", "add", "--class", "card", "--name", "old")
    kura.ok("backup", "old")
    newer = tmp_path / "newer.json"
    previous = ("--previous", cluster.roster_file, "--out", newer)
    operator.ok("roster", "assemble", *entries(cluster)[:4], "--threshold", "2", *previous)
    for key in keys(cluster)[:3]:
        operator.ok("roster", "sign", newer, "--key", key)
    kura.ok("roster", "update", newer)

    left = f"former safe {cluster.roster.safes[4].safe_id.hex()}"
    assert left in kura.ok("receipts", "show", "old").output
    assert kura.json("receipts", "show", "old")["certificates"][-1]["safe"] == left
    done = kura("receipts", "verify", "old")
    assert done.code == 1
    assert f"{left}: it is not in the roster any more" in done.messages


def test_a_receipt_that_does_not_hold_is_named_with_its_safe(
    kura: KuraInProcess, cluster: LocalCluster
) -> None:
    """`receipts verify` ends with 1; the other receipt is not accused."""
    kura.ok("wallet", "add", "--class", "card", "--name", "good")
    kura.ok("wallet", "add", "--class", "card", "--name", "bad")
    rows = {one["name"]: one["id"] for one in kura.json("backup", "--all")["receipts"]}
    exchange_signature(kura.home, rows["bad"], cluster.roster)

    done = kura("receipts", "verify", "--json")

    assert (done.code, done.output) == (1, "")
    assert f"{rows['bad']}, safe-2: The signature" in done.messages
    assert rows["good"] not in done.messages
    kura.ok("receipts", "verify", rows["good"])


def exchange_signature(home: Path, receipt_id: str, roster: Roster) -> None:
    """Put another safe's signature under the certificate of safe-2."""
    with WalletStore.open(home, NoPassphrase()) as store:
        receipt, entry = get_receipt(store, ReceiptId(receipt_id)), store.receipts.entry(receipt_id)
        by_safe = {signed.read().safe_id: signed for signed in receipt.certificates}
        first, second = (by_safe[safe.safe_id] for safe in roster.safes[:2])
        forged = type(second)(
            second.certificate, second.position, second.count, second.path, second.root, first.signature
        )
        by_safe[roster.safes[1].safe_id] = forged
        changed = Receipt(
            **{name: getattr(receipt, name) for name in Receipt.__struct_fields__}
            | {"certificates": tuple(by_safe.values())}
        )
        assert read_summary(entry).state.word == "safe"
        store.receipts.put(
            receipt_id,
            changed.to_bytes(),
            state=entry.state,
            value_ids=entry.value_ids,
            summary=entry.summary,
        )


def test_an_exported_receipt_holds_no_key(kura: KuraInProcess, tmp_path: Path) -> None:
    """Where a policy keeps the key in the wallet, it is in the keyring, and the export leaves it there."""
    kura.ok("wallet", "add", "--class", "card", "--name", "n")
    (row,) = kura.json("backup", "--all", "--policy", "sealed")["receipts"]
    kura.ok("receipts", "export", row["id"], "--out", tmp_path / "receipt.json")
    with WalletStore.open(kura.home, NoPassphrase()) as store:
        (entry,) = store.keyring.entries()
        kept = store.keyring.secret(entry.id).reveal()
    content = (tmp_path / "receipt.json").read_text()
    assert len(kept) == 32
    assert not [field for field in json.loads(content) if field.startswith("kept")]
    assert kept.hex() not in content
