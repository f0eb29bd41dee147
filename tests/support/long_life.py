"""A wallet's long life at real safes: what a day may bring, and the model of what must then be there.

    add, back up, drop, recover, edit, remove, forget, make room;  safes go away and come back
    after every step `check`; now and then `check_books`; at rest everything

At most n - k safes are away at a time: killed, cut off, or so that every answer is lost. The same seed gives
the same life.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from support.cluster import LocalCluster
from support.faults import reached, receipts_of
from support.life_books import check_books, check_rested
from support.memory_safes import use
from support.odd_policies import ODD
from support.wires import CUT, DEAF, Wires
from trust.ids import SafeId
from wallet_client.operations.add_in_room import add_in_room
from wallet_client.operations.backup import back_up, drop_backed_up, find_root
from wallet_client.operations.edit import edit
from wallet_client.operations.errors import NotSafeYet, TooFewSafes
from wallet_client.operations.forget import forget_members
from wallet_client.operations.policies import add_policy
from wallet_client.operations.recover import RecoveryReport, recover
from wallet_client.operations.recover_in_room import recover_in_room, recover_suspended
from wallet_client.operations.resume import resume
from wallet_client.operations.room import MakeRoom, by_conditions, by_moving
from wallet_client.operations.select import select
from wallet_client.operations.settle import changing
from wallet_client.operations.triggers import TriggerRunner
from wallet_client.policies.policy_print import policy_toml
from wallet_client.policies.presets import policy_named, policy_names
from wallet_client.receipts.receipt import Receipt, ReceiptId, state_of
from wallet_client.receipts.shelf import ReceiptSummary, get_receipt, read_summary
from wallet_client.storage.errors import WalletFull
from wallet_client.triggers.trigger import new_trigger
from wallet_client.values.value import Value, ValueId, stored_size
from wallet_client.wallet import Wallet

_Thing = TypeVar("_Thing")

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
FIRST_DAY = date(2026, 1, 1)
PAYLOADS_BYTES = (0, 10, 700, 2_000, 5_000)
MAY_BE_AWAY = 2
MOST_VALUES = 30
"""With more, some are forgotten instead of another being added."""


class Life:
    """One wallet's life.

    Args:
        wallet: The wallet, open, empty and with a limit.
        cluster: Its safes; five, of which three do.
        seed: Of all that happens.
    """

    def __init__(self, wallet: Wallet, cluster: LocalCluster, seed: int) -> None:
        self.wallet, self.cluster = wallet, cluster
        self.random = random.Random(seed)
        self.wires = Wires(wallet.links)
        use(wallet, self.wires)
        wallet.clock = NOW.timestamp
        wallet.store.triggers.add(
            new_trigger("full", ["on shortage"], "backup and delete", policy="", now=wallet.now())
        )
        self.killed: set[SafeId] = set()
        self.expected: dict[ValueId, Value] = {}
        self.seen: set[ValueId] = set()
        """What was in the wallet after the last step, and was looked at."""
        self.policies = [*policy_names(), *self._more_policies()]
        self.days: dict[Callable[[], Awaitable[object]], int] = {
            self.add: 32,
            self.back_up: 11,
            self.back_up_by_conditions: 2,
            self.drop: 14,
            self.recover: 10,
            self.recover_what_fits: 6,
            self.go_on_with_recoveries: 2,
            self.edit: 5,
            self.remove: 6,
            self.forget: 3,
            self.lose_sight_of_safes: 4,
            self.resume: 2,
        }

    def _more_policies(self) -> list[str]:
        """Take in the odd ones, as files say them."""
        store, roster = self.wallet.store, self.wallet.roster
        forgetful = replace(policy_named("threshold", roster), name="forgetful", forget_after_recovery=True)
        odd = [*(one for one in ODD if not one.key_name), forgetful]
        return [add_policy(store, policy_toml(one), one.name, roster).name for one in odd]

    async def live_a_day(self) -> str:
        """Something happens; what. All is as it must be after it."""
        (day,) = self.random.choices(list(self.days), list(self.days.values()))
        try:
            await day()
            self.check()
        except BaseException as error:
            error.add_note(day.__name__)
            raise
        return day.__name__

    # What a day may bring.

    async def add(self) -> None:
        """One more value; where it does not fit, room is made in some way, or none."""
        if len(self.expected) == MOST_VALUES:
            return await self.forget()
        value = self._some_value()
        try:
            (value_id,), _ = await add_in_room(self.wallet, [value], ways=self._some_way(), zone=UTC)
        except WalletFull:
            assert stored_size(value) > self.free
        except TooFewSafes:
            assert self.away
        else:
            self.expected[value_id] = value

    async def back_up(self) -> None:
        """A few values under some policy, whether they are backed up or not."""
        await self.register(self._some(self.here, 2), self.random.choice(self.policies))

    async def back_up_by_conditions(self) -> None:
        """All that the conditions select."""
        chosen = select(self.wallet.store, now=NOW)
        await self.register([one.summary.id for one in chosen if one.selected], "threshold")

    async def register(self, ids: Sequence[ValueId], policy: str) -> None:
        """All of them, or with safes away none."""
        try:
            report = await back_up(self.wallet, ids, policy)
        except TooFewSafes:
            assert self.away
        else:
            assert [entry.value_id for entry in report.entries] == list(ids)

    async def drop(self) -> None:
        """Values leave, some while not all their safes have them."""
        ids = [one for one in self._some(self.here, 4) if self._is_backed_up(one)]
        try:
            await drop_backed_up(self.wallet, ids, accept_fewer=self.random.random() < 0.3)
        except NotSafeYet:
            assert set(ids) <= set(self.here)

    async def recover(self) -> None:
        """Whole items, or single values of them; all fit or none comes."""
        receipts, wanted, alone = self._some_receipts()
        needed = sum(stored_size(self.expected[one]) for one in wanted if one not in self.here)
        names, only = [one.receipt_id for one in receipts], wanted if alone else None
        try:
            await recover(self.wallet, names, only=only, delete_receipts=self._some_end())
        except WalletFull:
            assert needed > self.free
        except TooFewSafes:
            assert not all(self._comes_back(one) for one in receipts)
        else:
            assert set(wanted) <= set(self.here)

    async def recover_what_fits(self) -> None:
        """The rest is suspended; or room is made first."""
        _, wanted, _ = self._some_receipts()
        end = self._some_end()
        try:
            outcome = await recover_in_room(
                self.wallet, wanted, delete_receipts=end, ways=self._some_way(), zone=UTC
            )
        except TooFewSafes:
            assert self.away
        else:
            self._expect(outcome.report, outcome.suspended)
            assert set(wanted) == {*outcome.report.recovered, *outcome.report.already, *outcome.suspended}

    async def go_on_with_recoveries(self) -> None:
        """Those that were suspended."""
        try:
            outcome = await recover_suspended(self.wallet, zone=UTC)
        except TooFewSafes:
            assert self.away
        else:
            self._expect(outcome.report, outcome.suspended)

    async def edit(self) -> None:
        """A value says something else from now on, here and at its safes."""
        for value_id in self._some(self.here, 1):
            value = self._some_value()
            leaving = stored_size(self.expected[value_id])
            try:
                await edit(self.wallet, value_id, value)
            except WalletFull:
                assert stored_size(value) > self.free + leaving
            except TooFewSafes:
                assert self.away
            else:
                self.expected[value_id] = value
                self.seen.discard(value_id)

    async def remove(self) -> None:
        """The owner takes a value out of the wallet; without a receipt, for good."""
        for value_id in self._some(self.here, 1):
            if not self._is_backed_up(value_id):
                del self.expected[value_id]
            self.wallet.store.values.remove(value_id)

    async def forget(self) -> None:
        """The owner wants some of an item's values at no safe any more, wherever else they are."""
        for receipt_id in self._some(list(self.summaries), 1):
            leaving = self._some(self.summaries[receipt_id].value_ids, 2)
            for value_id in set(leaving) - set(self.here):
                del self.expected[value_id]
            async with changing(self.wallet):
                await forget_members(self.wallet, {receipt_id: leaving})

    async def lose_sight_of_safes(self) -> None:
        """Of as many as may be; those that were away for another reason than death are back."""
        living = [safe.safe_id for safe in self.wallet.roster.safes if safe.safe_id not in self.killed]
        gone = self.random.sample(living, self.random.randint(0, MAY_BE_AWAY - len(self.killed)))
        self.wires.broken = {safe_id: self.random.choice([CUT, DEAF]) for safe_id in gone}

    async def resume(self) -> None:
        """What is owed is delivered as far as safes answer."""
        await resume(self.wallet)

    # What its safes go through.

    def kill(self, name: str) -> None:
        """One more safe is dead; of those that are merely away, so many come back."""
        self.killed.add(next(safe.safe_id for safe in self.wallet.roster.safes if safe.name == name))
        may_be_away = MAY_BE_AWAY - len(self.killed)
        others = [one for one in self.wires.broken.items() if one[0] not in self.killed]
        self.wires.broken = dict(others[:may_be_away])
        self.cluster.kill(name)

    async def rest(self) -> None:
        """Every safe is back and gets what it is owed; then it stores exactly what receipts name."""
        self.wires.broken.clear()
        if self.killed:
            self.cluster.heal()
        for safe_id in self.killed:
            await reached(self.wallet, safe_id)
        self.killed.clear()
        await check_rested(self.cluster, self.wallet)

    async def bring_everything_back(self) -> None:
        """Alone, one after the other, since all together would not fit."""
        await self.register(self.here, "threshold")
        for receipt_id, summary in self.summaries.items():
            for value_id in summary.value_ids:
                if value_id not in self.here:
                    for other in self.here:
                        self.wallet.store.values.remove(other)
                    await recover(self.wallet, [receipt_id], only={value_id})
                assert self.wallet.store.values.get(value_id) == self.expected[value_id]

    # What must be so.

    def check(self) -> None:
        """Every value is here as it was, or a receipt stands for it; and no more is here than fits."""
        values, here = self.wallet.store.values, set(self.here)
        backed_up = {value_id for one in self.summaries.values() for value_id in one.value_ids}
        assert set(self.expected) == here | backed_up
        for value_id in here - self.seen:
            assert values.get(value_id) == self.expected[value_id]
        self.seen = here
        usage = values.usage()
        assert usage.used == sum(stored_size(self.expected[one]) for one in here)
        assert usage.capacity is not None
        assert usage.used <= usage.capacity

    def check_books(self) -> None:
        """Of what a safe stores, or certified, nothing is forgotten."""
        check_books(self.cluster, self.wallet, receipts_of(self.wallet))

    def _expect(self, report: RecoveryReport, suspended: Sequence[ValueId]) -> None:
        here = set(self.here)
        assert {*report.recovered, *report.already} <= here
        assert here.isdisjoint(suspended)

    # What there is.

    @property
    def here(self) -> list[ValueId]:
        """The values in the wallet."""
        return [one.id for one in self.wallet.store.values.summaries()]

    @property
    def free(self) -> int:
        """Bytes."""
        free = self.wallet.store.values.usage().free
        assert free is not None
        return free

    @property
    def summaries(self) -> dict[ReceiptId, ReceiptSummary]:
        """Of the receipts of values."""
        read = {ReceiptId(one.id): read_summary(one) for one in self.wallet.store.receipts.entries()}
        return {receipt_id: one for receipt_id, one in read.items() if one.kind == "value"}

    @property
    def away(self) -> set[SafeId]:
        """The safes that give no answer."""
        return self.killed | set(self.wires.broken)

    def _is_backed_up(self, value_id: ValueId) -> bool:
        return self.wallet.store.values.summary(value_id).receipt_id is not None

    def _comes_back(self, receipt: Receipt) -> bool:
        """Whether the safes that answer are enough, by the receipt, and the root's where it needs that."""
        needed, root = [receipt], find_root(self.wallet)
        if receipt.read_manifest().terms.key.mode == "root" and root is not None and root.receipt_id:
            needed.append(get_receipt(self.wallet.store, ReceiptId(root.receipt_id)))
        answering = [(one, set(state_of(one).holding) - self.away) for one in needed]
        return all(one.arrangement.may_still_be_lost(safes) >= 0 for one, safes in answering)

    # What chance gives.

    def _some(self, among: Sequence[_Thing], most: int) -> list[_Thing]:
        return self.random.sample(among, min(len(among), self.random.randint(1, most)))

    def _some_receipts(self) -> tuple[list[Receipt], list[ValueId], bool]:
        """Receipts, values of them, and whether these are not all."""
        receipts = [get_receipt(self.wallet.store, one) for one in self._some(list(self.summaries), 3)]
        wanted = [value_id for one in receipts for value_id in one.value_ids]
        alone = self.random.random() < 0.5
        return receipts, self._some(wanted, 2) if alone else wanted, alone

    def _some_way(self) -> list[MakeRoom]:
        ways = [
            by_conditions(self.wallet, UTC),
            by_moving(self.wallet, self._some(self.here, 2)),
            TriggerRunner(self.wallet, zone=UTC).on_shortage,
        ]
        return self.random.sample(ways, self.random.randint(0, 1))

    def _some_end(self) -> bool | None:
        return self.random.choice([False, False, True, None])

    def _some_value(self) -> Value:
        """Of some size, class and validity; the default condition selects about half of them."""
        first = FIRST_DAY + timedelta(days=self.random.randint(0, 200))
        return Value(
            item_class=self.random.choice(["movie-ticket", "prepaid-card", "file"]),
            name=f"value {self.random.randint(0, 999)}",
            valid_from=first,
            valid_until=first + timedelta(days=self.random.randint(0, 60)),
            held_since=int(NOW.timestamp()),
            payload=self.random.randbytes(self.random.choice(PAYLOADS_BYTES)),
        )
