"""Conditions over the wire: kept, tried, and what they select; what is refused names the place."""

from typing import Any

import pytest

from kura.wallet.v1 import wallet_pb2 as pb
from support.vendor import Vendor, refused, same, ticket
from trust.refusals import Malformed
from wallet_client.conditions.condition import condition_name
from wallet_client.conditions.default import DEFAULT_NAME
from wallet_client.service import errors


async def add(vendor: Vendor, name: str, expression: str, note: str = "") -> pb.Condition:
    """Add one."""
    given = pb.Condition(name=name, expression=expression, note=note)
    return (await vendor.stub.AddCondition(pb.AddConditionRequest(condition=given))).condition


async def listed(vendor: Vendor) -> dict[str, pb.Condition]:
    """All there are, by name."""
    answer = await vendor.stub.ListConditions(pb.ListConditionsRequest())
    return {one.name: one for one in answer.conditions}


async def judged(vendor: Vendor, **by: str) -> dict[str, pb.JudgedValue]:
    """What is said of every value, by its name."""
    parts = vendor.stub.SelectValues(pb.SelectValuesRequest(**by))
    return {one.value.fields.name: one async for part in parts for one in part.values}


async def test_a_new_wallet_has_one_condition(vendor: Vendor) -> None:
    """The default, as a list shows it."""
    (only,) = (await listed(vendor)).values()
    assert only.name == DEFAULT_NAME
    assert only.expression


async def test_a_condition_is_kept_changed_and_removed(vendor: Vendor) -> None:
    """Its note stays unless another is given, were it an empty one."""
    assert await add(vendor, "big", "size > 1 KiB", "a note") == (await listed(vendor))["big"]
    request = pb.EditConditionRequest(name="big", expression="size > 2 KiB")
    changed = (await vendor.stub.EditCondition(request)).condition
    assert changed == pb.Condition(name="big", expression="size > 2 KiB", note="a note")
    request.note = ""
    assert (await vendor.stub.EditCondition(request)).condition.note == ""
    await vendor.stub.RemoveCondition(pb.RemoveConditionRequest(name="big"))
    assert list(await listed(vendor)) == [DEFAULT_NAME]


async def test_every_value_is_told_of_with_what_decided(vendor: Vendor) -> None:
    """The first condition that selects it is named; where none does, the clauses of all are."""
    await vendor.add(ticket("A"), ticket("B", item_class="card"), ticket("C", item_class="gift"))
    await vendor.stub.RemoveCondition(pb.RemoveConditionRequest(name=DEFAULT_NAME))
    await add(vendor, "cards", "class is card")
    await add(vendor, "tickets", "class is movie-ticket")
    said = await judged(vendor)
    assert {name: (one.selected, one.condition) for name, one in said.items()} == {
        "A": (True, "tickets"),
        "B": (True, "cards"),
        "C": (False, ""),
    }
    assert said["B"].clause.startswith("class is card")
    assert "cards: class is card" in said["C"].clause
    assert "tickets: class is movie-ticket" in said["C"].clause
    assert said["A"].value == (await vendor.values())["A"]


async def test_one_condition_or_an_expression_judges_alone(vendor: Vendor) -> None:
    """The expression is not kept."""
    await vendor.add(ticket("A"), ticket("B", item_class="card"))
    await add(vendor, "cards", "class is card")
    by_name = await judged(vendor, condition="cards")
    assert [name for name, one in by_name.items() if one.selected] == ["B"]
    tried = await judged(vendor, expression="class is movie-ticket")
    assert [(name, one.condition) for name, one in tried.items() if one.selected] == [("A", "")]
    assert list(await listed(vendor)) == [DEFAULT_NAME, "cards"]


async def test_values_are_judged_as_if_it_were_another_day(vendor: Vendor) -> None:
    """The ticket ends with 2026."""
    await vendor.add(ticket("A"))
    for today, selected in (("2026-12-01", False), ("2026-12-30", True)):
        said = await judged(vendor, expression="valid-until < today + 7 days", today=today)
        assert said["A"].selected is selected


async def test_without_conditions_nothing_is_selected(vendor: Vendor) -> None:
    """Also where there are values."""
    await vendor.add(ticket("A"))
    await vendor.stub.RemoveCondition(pb.RemoveConditionRequest(name=DEFAULT_NAME))
    assert not (await judged(vendor))["A"].selected


def new(name: str, expression: str) -> pb.AddConditionRequest:
    """A request."""
    return pb.AddConditionRequest(condition=pb.Condition(name=name, expression=expression))


REFUSED: dict[str, tuple[str, Any, Exception]] = {
    "a name that is none": (
        "AddCondition",
        new("Old tickets", "size > 1 KiB"),
        errors.NameUnfit("condition", "Old tickets"),
    ),
    "a name that is taken": (
        "AddCondition",
        new(DEFAULT_NAME, "size > 1 KiB"),
        errors.NameTaken("condition", DEFAULT_NAME),
    ),
    "no condition at all": ("AddCondition", pb.AddConditionRequest(), errors.NameUnfit("condition", "")),
    "an unknown condition to edit": (
        "EditCondition",
        pb.EditConditionRequest(name="no", expression="size > 1 KiB"),
        errors.UnknownName("condition", "no"),
    ),
    "an unknown condition to remove": (
        "RemoveCondition",
        pb.RemoveConditionRequest(name="no"),
        errors.UnknownName("condition", "no"),
    ),
    "an unknown condition to judge by": (
        "SelectValues",
        pb.SelectValuesRequest(condition="no"),
        errors.UnknownName("condition", "no"),
    ),
    "a day that is none": ("SelectValues", pb.SelectValuesRequest(today="soon"), Malformed("today")),
}


@pytest.mark.parametrize(("method", "request_message", "expected"), REFUSED.values(), ids=REFUSED)
async def test_a_bad_request_about_conditions_is_refused_with_its_reason(
    vendor: Vendor, method: str, request_message: Any, expected: Exception
) -> None:
    """And changes nothing."""
    before = await listed(vendor)
    refusal = await refused(getattr(vendor.stub, method)(request_message))
    assert same(refusal, expected), vars(refusal)
    assert await listed(vendor) == before


@pytest.mark.parametrize("method", ["AddCondition", "EditCondition", "SelectValues"])
async def test_a_text_that_is_no_condition_is_refused_at_its_place(vendor: Vendor, method: str) -> None:
    """Line, column, and what may stand there."""
    text = "size > 1 KiB\nand colour is red"
    message: Any = {
        "AddCondition": new("new", text),
        "EditCondition": pb.EditConditionRequest(name=DEFAULT_NAME, expression=text),
        "SelectValues": pb.SelectValuesRequest(expression=text),
    }[method]
    refusal = await refused(getattr(vendor.stub, method)(message))
    assert isinstance(refusal, errors.ConditionRefused)
    assert (refusal.line, refusal.column) == (2, 5)
    assert "class" in refusal.allowed


async def test_a_kept_condition_that_is_none_to_this_program_stops_the_selection(vendor: Vendor) -> None:
    """As after a newer program wrote it; the wallet judges by all or not at all."""
    kept: Any = vendor.served.wallet.store.conditions
    kept.add(condition_name("newer"), "colour is red")
    await vendor.add(ticket("A"))
    for call in (
        vendor.stub.SelectValues(pb.SelectValuesRequest()),
        vendor.stub.Backup(pb.BackupRequest(by_conditions=True)),
    ):
        assert isinstance(await refused(call), errors.ConditionRefused)
