"""One guess at k safes, of which some lie or die: who is asked, who is named, and what it costs.

Safes 1 to k are asked first, since answers that come at once are taken in the roster's order.
"""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from rpc_edge.errors import ConnectionLost, NothingListens
from safe_node.owners import KeptPart
from support.dealt_owners import (
    WRONG_PIN,
    asked,
    enrolled,
    guesses_made,
    invented,
    is_refused,
    kinds,
    opens,
    spent,
    unlocked,
)
from support.memory_owner_safes import Faults
from support.memory_safes import MemorySafes
from support.sample_documents import draw, sealing_pair
from threshold.ristretto import Scalar
from trust.ids import RecordId
from trust.owner_refusals import UnlockRefused
from trust.refusals import Busy, StorageFull
from wallet_client.network.failures import (
    OtherRecord,
    SafeFailure,
    TooSlow,
    WrongEvaluation,
    WrongOwnerPart,
)
from wallet_client.operations import unlocking
from wallet_client.operations.owner_errors import OwnerNotUnlocked, OwnerOutOfReach


@pytest.fixture(autouse=True)
def _nobody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Safes in memory answer at once or never."""
    monkeypatch.setattr(unlocking, "SETTLE_SECONDS", 0)


@pytest.fixture
async def safes() -> MemorySafes:
    """Five, of which three open the owner's record with the PIN."""
    return await enrolled()


def another_oprf_share(part: KeptPart) -> KeptPart:
    return replace(part, oprf_share=(Scalar.from_bytes(part.oprf_share) + ONE).to_bytes())


def another_unlock_share(part: KeptPart) -> KeptPart:
    return replace(part, unlock_share=(Scalar.from_bytes(part.unlock_share) + ONE).to_bytes())


def no_scalar(part: KeptPart) -> KeptPart:
    return replace(part, unlock_share=b"\xff" * 32)


def other_secrets(part: KeptPart) -> KeptPart:
    return replace(part, sealed=draw("other sealed secrets", 119))


def cut_secrets(part: KeptPart) -> KeptPart:
    return replace(part, sealed=part.sealed[:-1])


ONE = Scalar.from_index(1)


@dataclass(frozen=True)
class Misdeed:
    """What safe 2 does, and what comes of it.

    Args:
        faults: Set at it.
        named: What it is named for.
        spent: Guesses that it has counted in the end, of the one.
        asks_another: Safe 4 is asked in its place for an evaluation.
    """

    faults: dict[str, Any]
    named: type[SafeFailure]
    spent: int = 0
    asks_another: bool = True


MISDEEDS = {
    "it names another record": Misdeed({"shows": lambda body: invented(body, 1)}, OtherRecord),
    "it refuses to name the record": Misdeed({"refuses": {"begin_unlock": Busy()}}, Busy),
    "it claims a wrong PIN before any was tried": Misdeed(
        {"refuses": {"begin_unlock": UnlockRefused()}}, UnlockRefused
    ),
    "it dies after it named the record": Misdeed({"dies_after": ["begin_unlock"]}, NothingListens),
    "it refuses to evaluate": Misdeed({"refuses": {"evaluate": StorageFull()}}, StorageFull),
    "it claims a wrong PIN instead of evaluating": Misdeed(
        {"refuses": {"evaluate": UnlockRefused()}}, UnlockRefused
    ),
    "it evaluates with another share": Misdeed({"evaluates": another_oprf_share}, WrongEvaluation, spent=1),
    "it changes the evaluated element": Misdeed(
        {"answers": lambda share: replace(share, element=share.element + share.element)},
        WrongEvaluation,
        spent=1,
    ),
    "it evaluates for another record": Misdeed(
        {"answers": lambda share: replace(share, record_id=RecordId(bytes(16)))}, OtherRecord, spent=1
    ),
    "its evaluation is lost": Misdeed({"loses_reply_of": ["evaluate"]}, ConnectionLost, spent=1),
    "it dies after it evaluated": Misdeed({"dies_after": ["evaluate"]}, NothingListens, spent=1),
    "it refuses the right PIN": Misdeed({"refuses": {"unlock": UnlockRefused()}}, UnlockRefused, spent=1),
    "it refuses to release": Misdeed({"refuses": {"unlock": Busy()}}, Busy, spent=1),
    "its release is lost": Misdeed({"loses_reply_of": ["unlock"]}, ConnectionLost),
    "it releases another share": Misdeed({"releases": another_unlock_share}, WrongOwnerPart),
    "it releases what is no share": Misdeed({"releases": no_scalar}, WrongOwnerPart),
    "it releases other secrets": Misdeed({"releases": other_secrets}, WrongOwnerPart),
    "it releases half of the secrets": Misdeed({"releases": cut_secrets}, WrongOwnerPart),
    "it seals its part to somebody else": Misdeed(
        {"seals_to": sealing_pair("somebody else").public}, WrongOwnerPart
    ),
}


class TestASafeThatLiesOrFails:
    """It is named, another is asked, and no safe counts two guesses for one."""

    @pytest.mark.parametrize("misdeed", MISDEEDS.values(), ids=MISDEEDS.keys())
    async def test_the_right_pin_opens_all_the_same(self, safes: MemorySafes, misdeed: Misdeed) -> None:
        """With the help of safe 4; safe 5 is not troubled."""
        safes.owners_at(2).faults = Faults(**misdeed.faults)
        assert kinds(await opens(safes), safes) == {2: misdeed.named}
        assert spent(safes) == [0, misdeed.spent, 0, 0, 0]
        assert asked(safes, "evaluate")[3:] == [1, 0]

    @pytest.mark.parametrize("misdeed", MISDEEDS.values(), ids=MISDEEDS.keys())
    async def test_a_wrong_pin_is_refused_all_the_same(self, safes: MemorySafes, misdeed: Misdeed) -> None:
        """No safe counts two guesses, and at least one is not asked."""
        safes.owners_at(2).faults = Faults(**misdeed.faults)
        await is_refused(safes)
        assert max(guesses_made(safes)) == 1
        assert guesses_made(safes)[4] == 0

    @pytest.mark.parametrize("misdeed", MISDEEDS.values(), ids=MISDEEDS.keys())
    async def test_two_of_five_may_do_it_together(self, safes: MemorySafes, misdeed: Misdeed) -> None:
        """n - k of them; both are named."""
        for number in (1, 3):
            safes.owners_at(number).faults = Faults(**misdeed.faults)
        assert kinds(await opens(safes), safes) == dict.fromkeys((1, 3), misdeed.named)

    @pytest.mark.parametrize("misdeed", MISDEEDS.values(), ids=MISDEEDS.keys())
    async def test_three_of_five_prevent_it_and_are_named(self, safes: MemorySafes, misdeed: Misdeed) -> None:
        """More than n - k: the owner hears which."""
        for number in (1, 3, 5):
            safes.owners_at(number).faults = Faults(**misdeed.faults)
        with pytest.raises((OwnerOutOfReach, OwnerNotUnlocked)) as caught:
            await unlocked(safes, [safes.roster])
        assert max(guesses_made(safes)) <= 1
        if isinstance(caught.value, OwnerOutOfReach):
            assert {"safe-1", "safe-3", "safe-5"} <= set(caught.value.failed)
        else:
            assert misdeed.named is UnlockRefused


class TestWhatASafeSaysOfThePin:
    """Fewer than k of them are believed in nothing."""

    async def test_that_two_refuse_the_right_one_does_not_make_it_wrong(self, safes: MemorySafes) -> None:
        """Nor does it when the third dies, as long as others are left."""
        for number in (1, 2):
            safes.owners_at(number).faults = Faults(refuses={"unlock": UnlockRefused()})
        assert kinds(await opens(safes), safes) == {1: UnlockRefused, 2: UnlockRefused}

    async def test_that_one_refuses_and_one_dies_does_not_make_it_wrong(self) -> None:
        """Of two safes that were asked none released, and three honest ones are left."""
        safes = await enrolled(5, 2)
        safes.owners_at(1).faults = Faults(refuses={"unlock": UnlockRefused()})
        safes.owners_at(2).faults = Faults(dies_after=["evaluate"])
        assert kinds(await opens(safes), safes) == {1: UnlockRefused, 2: NothingListens}

    @pytest.mark.parametrize("believing", [(1,), (2, 3)], ids=len)
    async def test_that_some_release_for_a_wrong_one_does_not_make_it_right(
        self, safes: MemorySafes, believing: tuple[int, ...]
    ) -> None:
        """Nobody is named a liar for it, and no more is spent than until k safes have refused."""
        for number in believing:
            safes.owners_at(number).faults = Faults(believes=True)
        await is_refused(safes)
        refusing = [number for number in range(1, 6) if number not in believing][:3]
        assert [number for number, calls in enumerate(asked(safes, "unlock"), 1) if calls] == sorted(
            {*believing, *refusing}
        )
        assert max(guesses_made(safes)) == 1

    async def test_where_all_that_are_left_refuse_it_counts_as_wrong(self, safes: MemorySafes) -> None:
        """One died meanwhile, and there is nobody else to ask."""
        safes.take_down(4, 5)
        safes.owners_at(3).faults = Faults(dies_after=["evaluate"])
        await is_refused(safes)

    async def test_where_one_releases_and_nobody_is_left_the_others_are_named(
        self, safes: MemorySafes
    ) -> None:
        """It cannot be told who lies."""
        safes.take_down(4, 5)
        safes.owners_at(1).faults = Faults(believes=True)
        with pytest.raises(OwnerOutOfReach) as caught:
            await unlocked(safes, [safes.roster], WRONG_PIN)
        assert set(caught.value.failed) == {"safe-2", "safe-3", "safe-4", "safe-5"}


class TestOthersInTheirPlace:
    """As long as there are any, each once."""

    async def test_those_that_die_after_a_guess_leave_it_spent_and_say_so(self, safes: MemorySafes) -> None:
        """Where no others are left to ask."""
        safes.take_down(4, 5)
        safes.owners_at(2).faults = Faults(dies_after=["evaluate"])
        with pytest.raises(OwnerOutOfReach) as caught:
            await unlocked(safes, [safes.roster])
        assert caught.value.spent is True
        assert (caught.value.good, caught.value.needed) == (2, 3)
        assert set(caught.value.failed) == {"safe-2", "safe-4", "safe-5"}
        assert str(caught.value).endswith("A guess may have been spent.")
        assert spent(safes) == [0, 1, 0, 0, 0]

    async def test_slow_ones_are_asked_when_fast_ones_lie(
        self, safes: MemorySafes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else one safe that is fast and lies could spend the guesses of the others for nothing."""
        for number in (4, 5):
            safes.owners_at(number).faults = Faults(hangs_at=["begin_unlock"])
        safes.owners_at(2).faults = Faults(evaluates=another_oprf_share)
        assert kinds(await opens(safes), safes) == {2: WrongEvaluation, 5: TooSlow}
        assert guesses_made(safes) == [1, 1, 1, 1, 0]
