"""A name and a PIN open the owner's secrets at k honest safes, whatever the others say; and what it costs.

Safes 1 to k are asked first, since answers that come at once are taken in the roster's order.
"""

from dataclasses import dataclass, field, replace

import msgspec
import pytest

from rpc_edge.errors import CertificateUnfit, NothingListens
from support.dealt_owners import (
    GUESSES,
    NEW_PIN,
    PIN,
    SECRETS,
    asked,
    committed,
    counted,
    dealt,
    enrolled,
    guesses_made,
    invented,
    is_refused,
    kinds,
    opens,
    spent,
    staged,
    unlocked,
)
from support.memory_owner_links import MemoryOwnerLink
from support.memory_owner_safes import Faults
from support.memory_safes import MemorySafes
from support.safe_requests import seeded
from support.sample_documents import draw
from trust.ids import Hash, SafeId
from trust.owner_record import OwnerRecord, RecordPlace, sealed_hash
from wallet_client.network.failures import (
    OtherRecord,
)
from wallet_client.operations import unlocking
from wallet_client.operations.owner_errors import OwnerNotUnlocked, OwnerOutOfReach, OwnerRecordBroken
from wallet_client.owners.stretch import StretchedPin


@pytest.fixture(autouse=True)
def _nobody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Safes in memory answer at once or never."""
    monkeypatch.setattr(unlocking, "SETTLE_SECONDS", 0)


@pytest.fixture
async def safes() -> MemorySafes:
    """Five, of which three open the owner's record with the PIN."""
    return await enrolled()


async def test_the_right_pin_opens_the_secrets_and_costs_nothing(safes: MemorySafes) -> None:
    """k safes count a guess and give it back; the others are asked for the record alone."""
    assert await opens(safes) == {}
    assert guesses_made(safes) == [1, 1, 1, 0, 0]
    assert spent(safes) == [0] * 5
    assert asked(safes, "unlock") == [1, 1, 1, 0, 0]


async def test_a_wrong_pin_costs_one_guess_at_exactly_k_safes(safes: MemorySafes) -> None:
    """And nothing at the others."""
    await is_refused(safes)
    assert spent(safes) == guesses_made(safes) == [1, 1, 1, 0, 0]


async def test_every_guess_is_a_guess_of_its_own(safes: MemorySafes) -> None:
    """Two with one PIN have nothing in common that a safe could tell, neither id nor element."""
    for label in ("first", "second"):
        await unlocked(safes, [safes.roster], rng=seeded(label))
    made = safes.owners_at(1).guesses
    assert len(made) == len({guess.element for guess in made.values()}) == 2
    assert len({guess.returned_to for guess in made.values()}) == 2


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (2, 2), (5, 2), (5, 5), (7, 4)])
async def test_any_roster_will_do(n: int, k: int) -> None:
    """From one safe alone to all of them needed."""
    safes = await enrolled(n, k)
    assert await opens(safes) == {}
    await is_refused(safes)
    assert spent(safes) == [1] * k + [0] * (n - k)


class TestSafesThatAreAway:
    """Any k that are left are enough, and fewer cost nothing."""

    @pytest.mark.parametrize("down", [(1, 2), (1, 5), (2, 3), (4, 5)])
    async def test_n_minus_k_may_be_down(self, safes: MemorySafes, down: tuple[int, ...]) -> None:
        """They are named."""
        safes.take_down(*down)
        assert kinds(await opens(safes), safes) == dict.fromkeys(down, NothingListens)

    @pytest.mark.parametrize("down", [(1, 2, 3), (2, 3, 4, 5), (1, 2, 3, 4, 5)], ids=len)
    async def test_with_fewer_than_k_nothing_is_tried(
        self, safes: MemorySafes, down: tuple[int, ...]
    ) -> None:
        """No guess is spent, and only those are named that are down."""
        safes.take_down(*down)
        with pytest.raises(OwnerOutOfReach) as caught:
            await unlocked(safes, [safes.roster])
        assert caught.value.spent is False
        assert (caught.value.good, caught.value.needed) == (5 - len(down), 3)
        assert set(caught.value.failed) == {f"safe-{number}" for number in down}
        assert str(caught.value).endswith("No guess was spent.")
        assert guesses_made(safes) == [0] * 5
        assert asked(safes, "evaluate") == [0] * 5

    async def test_one_that_cannot_even_be_called_counts_as_any_other(self, safes: MemorySafes) -> None:
        """Its certificate in the roster is nonsense."""

        @dataclass
        class OneUnfit:
            inner: MemorySafes

            def to_owners(self, safe_id: SafeId) -> MemoryOwnerLink:
                if safe_id == self.inner.roster.safes[0].safe_id:
                    raise CertificateUnfit("it is no certificate")
                return self.inner.to_owners(safe_id)

        done = await unlocked(OneUnfit(safes), [safes.roster])
        assert done.secrets == SECRETS
        assert kinds(dict(done.failed), safes) == {1: CertificateUnfit}


class TestAnInventedRecord:
    """A record that liars alone could open never gets a PIN to try."""

    @pytest.mark.parametrize("alone", [False, True], ids=["among honest safes", "alone"])
    @pytest.mark.parametrize("k", [1, 2])
    async def test_one_safe_cannot_lower_the_threshold(self, safes: MemorySafes, k: int, alone: bool) -> None:
        """It would learn the PIN from the proof, at its leisure."""
        liar = safes.owners_at(1)
        liar.faults = Faults(shows=lambda body: invented(body, k))
        if alone:
            safes.take_down(2, 3, 4, 5)
            with pytest.raises(OwnerOutOfReach) as caught:
                await unlocked(safes, [safes.roster])
            assert isinstance(caught.value.failed["safe-1"], OtherRecord)
            assert caught.value.spent is False
        else:
            assert kinds(await opens(safes), safes) == {1: OtherRecord}
        assert (asked(safes, "evaluate")[0], asked(safes, "unlock")[0]) == (0, 0)

    @pytest.mark.parametrize("k", [1, 2, 3])
    @pytest.mark.parametrize("down", [(), (5,), (3, 4, 5)], ids=["nobody", "one honest", "all honest"])
    async def test_k_minus_1_that_agree_are_not_believed(
        self, safes: MemorySafes, k: int, down: tuple[int, ...]
    ) -> None:
        """Whatever threshold they make up, and however few honest ones are left."""
        for number in (1, 2):
            safes.owners_at(number).faults = Faults(shows=lambda body: invented(body, k))
        safes.take_down(*down)
        if down:
            with pytest.raises(OwnerOutOfReach) as caught:
                await unlocked(safes, [safes.roster])
            assert caught.value.spent is False
        else:
            assert kinds(await opens(safes), safes) == {1: OtherRecord, 2: OtherRecord}
        assert asked(safes, "evaluate")[:2] == [0, 0]
        assert asked(safes, "unlock")[:2] == [0, 0]

    async def test_a_record_that_gives_the_safe_no_part_counts_against_it(self, safes: MemorySafes) -> None:
        """Three that name one from which they left open nothing."""

        def elsewhere(body: bytes) -> bytes:
            record = OwnerRecord.from_bytes(body)
            places = tuple(RecordPlace(x, SafeId(draw(f"elsewhere {x}", 16))) for x in range(1, 6))
            return msgspec.structs.replace(record, places=places).to_bytes()

        for number in (1, 2, 3):
            safes.owners_at(number).faults = Faults(shows=elsewhere)
        with pytest.raises(OwnerOutOfReach) as caught:
            await unlocked(safes, [safes.roster])
        assert all(isinstance(caught.value.failed[f"safe-{one}"], OtherRecord) for one in (1, 2, 3))
        assert asked(safes, "evaluate") == [0] * 5

    async def test_a_record_of_an_earlier_roster_with_a_lower_threshold_still_opens(self) -> None:
        """What was enrolled under it has that threshold for good."""
        safes = await enrolled(5, 2)
        newest = msgspec.structs.replace(safes.roster, threshold=3)
        assert (await unlocked(safes, [safes.roster, newest])).record.k == 2
        with pytest.raises(OwnerOutOfReach):
            await unlocked(safes, [newest])

    @pytest.mark.parametrize("field", ["unlock_commitments", "oprf_commitments"])
    async def test_k_that_agree_on_nonsense_are_not_asked_further(
        self, safes: MemorySafes, field: str
    ) -> None:
        """Commitments that are no points."""

        def nonsense(body: bytes) -> bytes:
            record = OwnerRecord.from_bytes(body)
            return msgspec.structs.replace(record, **{field: (b"\xff" * 32,) * record.k}).to_bytes()

        for number in range(1, 6):
            safes.owners_at(number).faults = Faults(shows=nonsense)
        with pytest.raises(OwnerRecordBroken):
            await unlocked(safes, [safes.roster])
        assert asked(safes, "evaluate") == [0] * 5

    async def test_a_record_whose_secrets_do_not_open_is_broken(self, safes: MemorySafes) -> None:
        """Every part was right, and what they open is nothing: whoever dealt it dealt it wrongly."""
        good = dealt(safes.roster, seed="broken")
        sealed = draw("what nobody sealed", 119)
        record = msgspec.structs.replace(good.record, sealed_hash=Hash(sealed_hash(sealed)))
        broken = replace(good, ways=(replace(good.ways[0], record=record, sealed=sealed),))
        await staged(safes, broken)
        with pytest.raises(OwnerRecordBroken):
            await unlocked(safes, [safes.roster], record_id=record.record_id)


@dataclass(frozen=True)
class HalfWay:
    """A change of the PIN that stopped.

    Args:
        changed: Safes that have the new record in force; the others have it staged.
        down: Safes that are down since.
        opens: With which PINs.
    """

    changed: tuple[int, ...]
    opens: tuple[StretchedPin, ...]
    down: tuple[int, ...] = field(default=())


HALF_WAYS = {
    "new at none, staged at all": HalfWay((), (PIN,)),
    "new at 2, staged at 3": HalfWay((1, 2), (PIN,)),
    "new at 3, staged at 2": HalfWay((1, 2, 3), (NEW_PIN,)),
    "new at all, old not dropped": HalfWay((1, 2, 3, 4, 5), (NEW_PIN,)),
    "new at 2, staged at 2, one down that had it staged": HalfWay((1, 2), (PIN, NEW_PIN), down=(5,)),
    "new at 2, staged at 2, one down that had it in force": HalfWay((1, 2, 3), (PIN, NEW_PIN), down=(1,)),
    "new at 1, staged at 2, two down": HalfWay((1, 2), (PIN, NEW_PIN), down=(2, 5)),
}


class TestAChangeThatStoppedHalfWay:
    """The PIN that fits what the safes have opens it."""

    @pytest.mark.parametrize("pin", [PIN, NEW_PIN], ids=["old PIN", "new PIN"])
    @pytest.mark.parametrize("half_way", HALF_WAYS.values(), ids=HALF_WAYS.keys())
    async def test_the_pin_that_fits_opens(
        self, safes: MemorySafes, half_way: HalfWay, pin: StretchedPin
    ) -> None:
        """Where k safes have neither in force, either does."""
        made = dealt(safes.roster, NEW_PIN, "new record")
        await staged(safes, made)
        await committed(safes, made, half_way.changed)
        safes.take_down(*half_way.down)
        if pin in half_way.opens:
            done = await unlocked(safes, [safes.roster], pin)
            assert done.secrets == SECRETS
            assert (done.record == made.record) == (pin is NEW_PIN)
        else:
            await is_refused(safes, pin)

    @pytest.mark.parametrize("half_way", HALF_WAYS.values(), ids=HALF_WAYS.keys())
    async def test_a_wrong_pin_costs_one_guess_for_each_record_that_is_tried(
        self, safes: MemorySafes, half_way: HalfWay
    ) -> None:
        """They are counted together."""
        made = dealt(safes.roster, NEW_PIN, "new record")
        await staged(safes, made)
        await committed(safes, made, half_way.changed)
        safes.take_down(*half_way.down)
        await is_refused(safes)
        assert max(spent(safes)) == len(half_way.opens)
        assert sum(spent(safes)) == 3 * len(half_way.opens)

    @pytest.mark.parametrize("pin", [PIN, NEW_PIN], ids=["old PIN", "new PIN"])
    async def test_liars_cannot_add_a_record_to_those_that_are_tried(
        self, safes: MemorySafes, pin: StretchedPin
    ) -> None:
        """Two that make one up: nobody confirms it, and the honest three open either of theirs."""
        made = dealt(safes.roster, NEW_PIN, "new record")
        await staged(safes, made)
        await committed(safes, made, (3, 4))
        for number in (1, 2):
            safes.owners_at(number).faults = Faults(shows=lambda body: invented(body, 3))
        done = await unlocked(safes, [safes.roster], pin)
        assert kinds(dict(done.failed), safes) == {1: OtherRecord, 2: OtherRecord}
        assert asked(safes, "evaluate")[:2] == [0, 0]


class TestARecordThatIsNamed:
    """That one is tried and no other, so that a new PIN is proven before it counts."""

    async def test_a_staged_record_opens_with_its_pin(self, safes: MemorySafes) -> None:
        """While the one in force opens with the old."""
        made = dealt(safes.roster, NEW_PIN, "new record")
        await staged(safes, made)
        assert await opens(safes, NEW_PIN, made.record.record_id) == {}
        with pytest.raises(OwnerNotUnlocked):
            await unlocked(safes, [safes.roster], PIN, made.record.record_id, seeded("second"))

    async def test_k_safes_that_keep_it_are_enough(self, safes: MemorySafes) -> None:
        """The others are named."""
        made = dealt(safes.roster, NEW_PIN, "new record")
        await staged(safes, made, at=(1, 3, 5))
        failed = await opens(safes, NEW_PIN, made.record.record_id)
        assert kinds(failed, safes) == {2: OtherRecord, 4: OtherRecord}

    @pytest.mark.parametrize("at", [(), (2, 4)], ids=["nowhere", "at fewer than k"])
    async def test_where_fewer_keep_it_no_other_is_tried_in_its_place(
        self, safes: MemorySafes, at: tuple[int, ...]
    ) -> None:
        """Neither the one in force nor a decoy: the caller would take the new PIN for proven."""
        made = dealt(safes.roster, PIN, "new record")
        await staged(safes, made, at)
        with pytest.raises(OwnerOutOfReach) as caught:
            await unlocked(safes, [safes.roster], PIN, made.record.record_id)
        assert caught.value.spent is False
        assert guesses_made(safes) == [0] * 5


class TestARecordThatTakesNoGuess:
    """It looks like a wrong PIN."""

    async def test_the_right_pin_does_as_the_last_guess(self, safes: MemorySafes) -> None:
        """One is left at each safe."""
        counted(safes, GUESSES - 1, range(1, 6))
        assert await opens(safes) == {}

    async def test_a_locked_one_takes_none(self, safes: MemorySafes) -> None:
        """Not even the right PIN; and nothing is counted."""
        counted(safes, GUESSES, range(1, 6))
        await is_refused(safes, PIN)
        assert guesses_made(safes) == [0] * 5

    async def test_where_k_are_not_locked_it_opens(self, safes: MemorySafes) -> None:
        """The locked ones show what everybody sees who asks for an unknown name."""
        counted(safes, GUESSES, (1, 2))
        assert kinds(await opens(safes), safes) == {1: OtherRecord, 2: OtherRecord}

    async def test_an_unknown_name_looks_the_same(self) -> None:
        """All safes agree on what they show, and refuse."""
        await is_refused(MemorySafes.of(5, 3), PIN)


def test_errors_tell_the_cost_and_hide_the_rest() -> None:
    """The sentence of a wrong PIN does not say which it was."""
    assert "name or the PIN" in str(OwnerNotUnlocked())
    assert "Do not try again" in OwnerRecordBroken.hint
