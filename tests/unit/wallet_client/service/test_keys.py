"""Keys over the wire: made, listed, backed up, forgotten, brought back; never sent."""

from collections.abc import Callable
from typing import Any

import pytest

from kura.wallet.v1 import wallet_pb2 as pb
from support.memory_safes import MemorySafes
from support.vendor import Vendor, refused, same, ticket
from trust.refusals import Malformed
from wallet_client.service import errors

SAFE, NOT_BACKED_UP = pb.BACKUP_STATE_SAFE, pb.BACKUP_STATE_NOT_BACKED_UP
SHARED, PAIR, ROOT = pb.KEY_KIND_SHARED, pb.KEY_KIND_PAIR, pb.KEY_KIND_ROOT


async def new(vendor: Vendor, name: str, kind: pb.KeyKind.ValueType, algorithm: str = "") -> pb.Key:
    """Make one."""
    request = pb.NewKeyRequest(name=name, kind=kind, algorithm=algorithm)
    return (await vendor.stub.NewKey(request)).key


async def backed_up(vendor: Vendor, key: pb.Key, policy: str = "") -> pb.BackupKeyResponse:
    """Register one."""
    return await vendor.stub.BackupKey(pb.BackupKeyRequest(key_id=key.key_id, policy=policy))


async def forgotten(vendor: Vendor, key: pb.Key, *, lose: bool = False) -> pb.ForgetKeyResponse:
    """Erase one."""
    return await vendor.stub.ForgetKey(pb.ForgetKeyRequest(key_id=key.key_id, lose=lose))


async def back(vendor: Vendor, key: pb.Key) -> pb.RecoverKeyResponse:
    """Bring one back."""
    return await vendor.stub.RecoverKey(pb.RecoverKeyRequest(key_id=key.key_id))


async def keys(vendor: Vendor) -> dict[str, pb.Key]:
    """All, by name."""
    return {one.name: one for one in (await vendor.stub.ListKeys(pb.ListKeysRequest())).keys}


async def test_a_pair_seals_while_it_is_away_and_opens_when_it_is_back(
    vendor: Vendor, safes: MemorySafes
) -> None:
    """The whole way of a key, and of a value under it, with two safes gone at the end."""
    made = await new(vendor, "main-pair", PAIR)
    assert (made.kind, made.is_here, made.state, len(made.public_key)) == (PAIR, True, NOT_BACKED_UP, 32)
    first = await backed_up(vendor, made)
    assert (first.key.state, first.may_still_be_lost, first.already) == (SAFE, 2, False)
    assert (await backed_up(vendor, made)).already
    away = (await forgotten(vendor, made)).key
    assert (away.is_here, away.public_key, away.receipt_id) == (False, made.public_key, first.key.receipt_id)
    assert await keys(vendor) == {"main-pair": away}
    (value_id,) = await vendor.add(ticket("A"))
    done = (await vendor.back_up(value_id, policy="sealed-pair", drop_values=True))[-1].result.values[0]
    refusal = await refused(vendor.stub.Recover(pb.RecoverRequest(receipt_ids=[done.receipt_id])))
    assert same(refusal, errors.KeyElsewhere("main-pair"))
    safes.take_down(4, 5)
    returned = await back(vendor, made)
    assert (returned.key.is_here, returned.already) == (True, False)
    assert [one.safe for one in returned.failed_safes] == ["safe-4", "safe-5"]
    assert (await back(vendor, made)).already
    assert (await vendor.recover(done.receipt_id))[-1].result.recovered_value_ids == [value_id]


async def test_a_root_leaves_when_it_is_safe_and_gives_keys_all_the_same(vendor: Vendor) -> None:
    """A derived key is kept where it was asked for, under the name that it got first."""
    root = await new(vendor, "root", ROOT)
    assert not (await backed_up(vendor, root)).key.is_here
    derived = await new(vendor, "office", SHARED, "kura-hkdf/1")
    assert (derived.algorithm, derived.is_here, derived.receipt_id) == ("kura-hkdf/1", True, "")
    assert (await new(vendor, "again", SHARED, "kura-hkdf/1")).name == "office"
    assert (await forgotten(vendor, derived)).key.is_here is False
    assert (await back(vendor, derived)).key.is_here
    assert {name: one.is_here for name, one in (await keys(vendor)).items()} == {
        "root": False,
        "office": True,
    }


async def test_a_key_that_is_to_be_lost_leaves_nothing(vendor: Vendor) -> None:
    """No entry, and no state of it."""
    key = await new(vendor, "spare", SHARED)
    assert same(await refused(forgotten(vendor, key)), errors.KeyStays("spare", "it is backed up nowhere"))
    assert not (await forgotten(vendor, key, lose=True)).HasField("key")
    assert await keys(vendor) == {}


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        pytest.param(lambda one: new(one, "x", pb.KEY_KIND_UNSPECIFIED), Malformed("kind"), id="no kind"),
        pytest.param(
            lambda one: new(one, "x", ROOT, "kura-hkdf/1"), Malformed("algorithm"), id="a root from the root"
        ),
        pytest.param(
            lambda one: new(one, "k-x", SHARED), errors.NameUnfit("key", "k-x"), id="a name like an id"
        ),
        pytest.param(lambda one: new(one, "main", PAIR), errors.NameTaken("key", "main"), id="a name twice"),
        pytest.param(
            lambda one: new(one, "x", SHARED, "kura-hkdf/1"),
            errors.UnknownName("key", "root"),
            id="a key from no root",
        ),
        pytest.param(
            lambda one: backed_up(one, pb.Key(key_id="k-x")), errors.UnknownName("key", "k-x"), id="backup"
        ),
        pytest.param(
            lambda one: back(one, pb.Key(key_id="k-x")), errors.UnknownName("key", "k-x"), id="recovery"
        ),
        pytest.param(lambda one: forgotten(one, pb.Key()), errors.UnknownName("key", ""), id="forgetting"),
    ],
)
async def test_what_cannot_be_is_refused(
    vendor: Vendor, call: Callable[[Vendor], Any], refusal: Exception
) -> None:
    """Each with its reason, and nothing changed."""
    await new(vendor, "main", SHARED)
    before = await keys(vendor)
    assert same(await refused(call(vendor)), refusal)
    assert await keys(vendor) == before


async def test_a_key_is_not_sealed_under_itself(vendor: Vendor) -> None:
    """Nor under a policy that nobody has."""
    key = await new(vendor, "main", SHARED)
    assert same(await refused(backed_up(vendor, key, "sealed")), errors.KeyCircle("main", "sealed"))
    assert same(await refused(backed_up(vendor, key, "none")), errors.UnknownName("policy", "none"))


async def test_no_message_carries_a_secret(vendor: Vendor) -> None:
    """What a wallet keeps of a key is in no answer."""
    key = await new(vendor, "main", SHARED)
    secret = vendor.served.wallet.store.keyring.secret(key.key_id).reveal()  # type: ignore[arg-type]
    answers = [await backed_up(vendor, key), await vendor.stub.ListKeys(pb.ListKeysRequest())]
    assert all(secret not in answer.SerializeToString() for answer in (key, *answers))
