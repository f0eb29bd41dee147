"""k safes that put their pieces together open nothing that is bound to an owner's root."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from support.batches import KEYS, batch_of, brought_back, delivered, plans_of, prepared, receipt_of, secret_of
from support.sample_documents import FIELDS, NOW, draw, key
from threshold.errors import InvalidLength, SealBroken
from threshold.sealing import derive_binding_secret
from trust.authorisation import authorise_wallet
from trust.documents import SigningKey
from trust.ids import WalletKey
from trust.manifest import Ownership, read_manifest
from wallet_client.pipeline.batch import PreparedBatch, WalletKeys
from wallet_client.pipeline.binding import Binding
from wallet_client.pipeline.errors import BindingUnknown
from wallet_client.pipeline.seal import item_name, read_digest
from wallet_client.policies.presets import policy_names

OWNER = key("owner")
BOUND = Binding.of_root(draw("root", 32))
LEAVING = Binding.of_root(draw("leaving root", 32))
OTHERS = Binding.of_root(draw("another owner's root", 32))
VALUE = b"content that k safes would like to read"
SEALING = [name for name in policy_names() if name != "plain"]


def keys_of(wallet: SigningKey, *bindings: Binding, in_force: Binding | None = None) -> WalletKeys:
    """A wallet with these bindings; of the owner, where one of them is in force."""
    ownership = None
    if in_force is not None:
        signed = authorise_wallet(WalletKey(wallet.public), NOW, OWNER)
        ownership = Ownership(in_force.id, signed)
    return WalletKeys(wallet, draw("digest secret", 32), {one.id: one for one in bindings}, ownership)


OWNED = keys_of(KEYS.signing, BOUND, in_force=BOUND)


def bound_batch(policy: str, keys: WalletKeys = OWNED) -> PreparedBatch:
    """One value, backed up for the owner."""
    (plan,) = plans_of([len(VALUE)], policy, ownership=keys.ownership)
    return prepared(plan, [VALUE], keys)


def blobs_of(batch: PreparedBatch) -> Mapping[int, bytes]:
    """k value pieces of its only item, by x."""
    found = {x: blob for x, (_, (blob,)) in delivered(batch).items() if blob is not None}
    return dict(list(found.items())[: batch.plan.terms.value.k])


def opened(batch: PreparedBatch, binding_secret: bytes) -> bytes:
    """The value, from k pieces, the batch secret and this binding."""
    (leaf,) = batch.leaves
    secret = replace(batch.secret, binding_secret=binding_secret)
    return brought_back(batch, leaf, blobs_of(batch), secret)


class TestABinding:
    """It is what a wallet keeps of a root."""

    def test_it_comes_from_the_root_and_is_named_by_an_id(self) -> None:
        """Of 16 bytes, which are no part of the secret; another root has another of each."""
        assert Binding(derive_binding_secret(draw("root", 32))) == BOUND
        assert (len(BOUND.id), BOUND.id in BOUND.secret) == (16, False)
        names = [name for one in (BOUND, LEAVING) for name in (one.id, one.secret, one.digest_secret)]
        assert len(set(names)) == 6

    @pytest.mark.parametrize("length", [0, 16, 31, 33])
    def test_a_secret_of_another_length_is_none(self, length: int) -> None:
        """An empty one would leave the items unbound, under a manifest that says they are bound."""
        with pytest.raises(InvalidLength) as refusal:
            Binding(bytes(length))
        assert vars(refusal.value) == {"what": "binding secret", "have": length, "need": 32}

    def test_a_root_is_32_bytes(self) -> None:
        """As above."""
        with pytest.raises(InvalidLength):
            Binding.of_root(b"")

    def test_it_shows_its_id_alone(self) -> None:
        """Neither it nor the keys that hold it print the secret."""
        assert repr(BOUND) == f"Binding(id={BOUND.id!r})"
        assert repr(BOUND.secret) not in repr(OWNED)


class TestABoundBatch:
    """The batch secret alone, which k safes have, does not open it."""

    @pytest.mark.parametrize("policy", SEALING)
    def test_it_opens_with_its_binding_only(self, policy: str) -> None:
        """Not with another root's, and not with none, in whatever way it is sealed and divided."""
        batch = bound_batch(policy)
        assert opened(batch, BOUND.secret) == VALUE
        for other in (OTHERS.secret, LEAVING.secret, BOUND.digest_secret, b""):
            with pytest.raises(SealBroken):
                opened(batch, other)

    def test_k_safes_have_the_batch_secret_and_read_nothing(self) -> None:
        """What they combine is right, and is not enough."""
        batch = bound_batch("threshold")
        shares = [share for parcel, _ in delivered(batch).values() for share in parcel.key_shares]
        secret = secret_of(batch.manifest, dict(shares[:3]))
        assert secret.scalar == batch.secret.scalar
        with pytest.raises(SealBroken):
            brought_back(batch, batch.leaves[0], blobs_of(batch), secret)
        bound = secret_of(batch.manifest, dict(shares[:3]), BOUND.secret)
        assert brought_back(batch, batch.leaves[0], blobs_of(batch), bound) == VALUE

    @pytest.mark.parametrize("policy", policy_names())
    def test_its_manifest_names_owner_and_binding_and_is_believed(self, policy: str) -> None:
        """Also where nothing is sealed: it is the owner's all the same."""
        batch = bound_batch(policy)
        assert read_manifest(batch.manifest_bytes, batch.signature).ownership == OWNED.ownership

    def test_one_batch_binds_each_item_by_itself(self) -> None:
        """Equal values of one batch are sealed under keys that have nothing in common."""
        (plan,) = plans_of([len(VALUE)] * 2, "sealed", ownership=OWNED.ownership)
        batch = prepared(plan, [VALUE, VALUE], OWNED)
        (_, blobs) = delivered(batch)[1]
        first, second = [
            brought_back(batch, leaf, {1: blob or b""})
            for leaf, blob in zip(batch.leaves, blobs, strict=True)
        ]
        assert first == second == VALUE
        with pytest.raises(SealBroken):
            brought_back(batch, batch.leaves[0], {1: blobs[1] or b""})

    def test_while_a_root_is_replaced_what_is_bound_to_either_opens(self) -> None:
        """The manifest says to which."""
        before = keys_of(KEYS.signing, LEAVING, in_force=LEAVING)
        changing = keys_of(KEYS.signing, LEAVING, BOUND, in_force=BOUND)
        for keys, binding in ((before, LEAVING), (changing, BOUND)):
            manifest = bound_batch("threshold", keys).manifest
            assert changing.binding_secret_for(manifest.ownership) == binding.secret

    def test_the_same_plan_makes_the_same_batch(self) -> None:
        """After a crash, also once another root is in force: the plan says what it is bound to."""
        first = bound_batch("threshold")
        plan = type(first.plan).from_bytes(first.plan.to_bytes())
        second = prepared(plan, [VALUE], keys_of(KEYS.signing, BOUND, OTHERS, in_force=OTHERS))
        assert (first.manifest_bytes, first.signature) == (second.manifest_bytes, second.signature)
        assert blobs_of(first) == blobs_of(second)


class TestAnUnboundBatch:
    """Before an owner is enrolled everything is as it was."""

    @pytest.mark.parametrize("policy", SEALING)
    def test_it_needs_no_binding(self, policy: str) -> None:
        """And opens with none but the empty one."""
        batch = batch_of([VALUE], policy)
        assert batch.manifest.ownership is None
        assert opened(batch, b"") == VALUE
        with pytest.raises(SealBroken):
            opened(batch, BOUND.secret)

    @pytest.mark.parametrize("policy", policy_names())
    def test_a_plan_from_before_the_enrolment_is_finished_as_it_was_begun(self, policy: str) -> None:
        """Safes may have half of its pieces already."""
        (plan,) = plans_of([len(VALUE)], policy)
        before, after = prepared(plan, [VALUE]), prepared(plan, [VALUE], OWNED)
        assert (before.manifest_bytes, before.signature) == (after.manifest_bytes, after.signature)
        assert delivered(before) == delivered(after)


class TestADigest:
    """A sealed one is read by every wallet of the owner, and by nobody else."""

    async def test_of_a_bound_item_is_read_by_any_wallet_of_the_owner(self) -> None:
        """Another signing key and another secret of its own make no difference."""
        receipt = await receipt_of(bound_batch("threshold"))
        second = keys_of(key("second wallet"), LEAVING, BOUND, in_force=LEAVING)
        second = replace(second, digest_secret=draw("second digest secret", 32))
        for keys in (OWNED, second):
            assert receipt.read_digests(keys) == (FIELDS,)

    async def test_of_an_unbound_item_is_read_by_its_wallet_alone(self) -> None:
        """Also after that wallet became the owner's."""
        receipt = await receipt_of(batch_of([VALUE], "threshold"))
        assert receipt.read_digests(OWNED) == receipt.read_digests(KEYS) == (FIELDS,)
        with pytest.raises(SealBroken):
            receipt.read_digests(replace(OWNED, digest_secret=draw("second digest secret", 32)))

    def test_is_not_under_the_secret_that_k_safes_have(self) -> None:
        """Nor under the binding, nor under a secret of the wallet's: it has a key of its own."""
        batch = bound_batch("threshold")
        (leaf,), salt = batch.leaves, batch.manifest.salt
        assert read_digest(leaf.digest, BOUND.digest_secret, salt, item_name(leaf)) == (FIELDS,)
        for secret in (batch.secret.scalar.to_bytes(), BOUND.secret, OWNED.digest_secret):
            with pytest.raises(SealBroken):
                read_digest(leaf.digest, secret, salt, item_name(leaf))


@pytest.mark.parametrize("bindings", [(), (OTHERS,)], ids=["without an owner", "of another owner"])
async def test_a_wallet_without_the_root_says_whose_the_items_are(bindings: tuple[Binding, ...]) -> None:
    """By the id in the manifest; it neither opens them, reads their digests, nor goes on with the plan."""
    batch = bound_batch("threshold")
    receipt, keys = await receipt_of(batch), keys_of(KEYS.signing, *bindings)
    for attempt in (
        lambda: keys.binding_secret_for(batch.manifest.ownership),
        lambda: keys.digest_secret_for(batch.manifest.ownership),
        lambda: receipt.read_digests(keys),
        lambda: prepared(batch.plan, [VALUE], keys),
    ):
        with pytest.raises(BindingUnknown) as refusal:
            attempt()
        assert refusal.value.binding_id == BOUND.id
        assert "does not have" in str(refusal.value)
        assert refusal.value.__cause__ is None
