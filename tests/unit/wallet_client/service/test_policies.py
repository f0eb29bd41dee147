"""Policies over the wire: listed, shown, explained, added and removed; what is refused names the line."""

from typing import Any

import pytest

from kura.wallet.v1 import wallet_pb2 as pb
from support.vendor import Vendor, refused, same, ticket
from trust.refusals import CallTooLarge, Malformed
from wallet_client.operations.settle import changing
from wallet_client.policies.presets import policy_names
from wallet_client.service import errors

OFFICE = 'name = "office"\nsummary = "For the office."\n[after]\nbackup = "delete"\n'


def file(toml: str) -> pb.PolicyFile:
    """A policy as its text."""
    return pb.PolicyFile(toml=toml)


async def add(vendor: Vendor, toml: str) -> pb.Policy:
    """Add one."""
    return (await vendor.stub.AddPolicy(pb.AddPolicyRequest(file=file(toml)))).policy


async def names(vendor: Vendor) -> list[str]:
    """All there are."""
    return [one.name for one in (await vendor.stub.ListPolicies(pb.ListPoliciesRequest())).policies]


async def test_a_policy_that_is_added_is_listed_after_the_built_in_ones(vendor: Vendor) -> None:
    """It is told apart from them."""
    added = await add(vendor, OFFICE)
    assert added == pb.Policy(name="office", summary="For the office.")
    listed = (await vendor.stub.ListPolicies(pb.ListPoliciesRequest())).policies
    assert [one.name for one in listed] == [*policy_names(), "office"]
    assert [one.is_built_in for one in listed] == [True] * len(policy_names()) + [False]
    assert listed[-1] == added


async def test_the_text_of_any_policy_is_another_policy_under_another_name(vendor: Vendor) -> None:
    """Show, change the name, add: what is shown again differs by the name alone."""
    for name in policy_names():
        shown = await vendor.stub.GetPolicy(pb.GetPolicyRequest(name=name))
        changed = shown.file.toml.replace(f'name = "{name}"', f'name = "my-{name}"', 1)
        await add(vendor, changed)
        again = await vendor.stub.GetPolicy(pb.GetPolicyRequest(name=f"my-{name}"))
        assert again.file.toml == changed


async def test_what_a_policy_does_afterwards_is_told(vendor: Vendor) -> None:
    """Without reading its text."""
    await add(vendor, OFFICE)
    office = await vendor.stub.GetPolicy(pb.GetPolicyRequest(name="office"))
    assert (office.drops_values, office.deletes_receipts) == (True, False)
    default = await vendor.stub.GetPolicy(pb.GetPolicyRequest(name="threshold"))
    assert (default.policy.is_default, default.drops_values, default.deletes_receipts) == (True, False, False)


async def test_a_policy_is_explained_in_sentences_and_figures(vendor: Vendor) -> None:
    """Three of five read it, and two may be lost."""
    said = await vendor.stub.ExplainPolicy(pb.ExplainPolicyRequest(name="threshold"))
    assert "No safe reads the value alone." in said.sentences
    assert (len(said.readers.safes), said.may_be_lost, said.quorum, said.size_bytes) == (3, 2, 4, 1024)
    assert list(said.safes) == [f"safe-{number}" for number in range(1, 6)]
    assert (list(said.read_alone), said.HasField("readers_with_wallet")) == ([], False)
    assert 5 * 1024 < said.stored_bytes < said.rough_bytes


async def test_a_group_of_nobody_is_told_from_no_group(vendor: Vendor) -> None:
    """Under `sealed` no safes read it; with the wallet's key one does."""
    said = await vendor.stub.ExplainPolicy(pb.ExplainPolicyRequest(name="sealed"))
    assert not said.HasField("readers")
    assert len(said.readers_with_wallet.safes) == 1


async def test_a_policy_is_explained_before_it_is_added(vendor: Vendor) -> None:
    """Nothing is kept by that; the size is the one that was asked for."""
    request = pb.ExplainPolicyRequest(file=file(OFFICE), size_bytes=100_000)
    said = await vendor.stub.ExplainPolicy(request)
    assert (said.name, said.size_bytes) == ("office", 100_000)
    assert "office" not in await names(vendor)


REFUSED: dict[str, tuple[str, Any, Exception]] = {
    "an unknown policy": (
        "GetPolicy",
        pb.GetPolicyRequest(name="no"),
        errors.UnknownName("policy", "no"),
    ),
    "an unknown policy to explain": (
        "ExplainPolicy",
        pb.ExplainPolicyRequest(name="no"),
        errors.UnknownName("policy", "no"),
    ),
    "nothing to explain": ("ExplainPolicy", pb.ExplainPolicyRequest(), Malformed("policy")),
    "a text that is empty": ("ExplainPolicy", pb.ExplainPolicyRequest(file=file("")), Malformed("file")),
    "a value larger than any": (
        "ExplainPolicy",
        pb.ExplainPolicyRequest(name="plain", size_bytes=2**26 + 1),
        Malformed("size_bytes"),
    ),
    "no text to add": ("AddPolicy", pb.AddPolicyRequest(), Malformed("file")),
    "a text that is too long": (
        "AddPolicy",
        pb.AddPolicyRequest(file=file("#" * 65_537)),
        CallTooLarge("file", 65_536),
    ),
    "a word that is none, by its line": (
        "AddPolicy",
        pb.AddPolicyRequest(file=file('name = "office"\n\nsealing = "wax"\n')),
        errors.PolicyRefused(3, "sealing is 'wax'", '"none", "shared-key", "key-pair"'),
    ),
    "the name of a built-in policy": (
        "AddPolicy",
        pb.AddPolicyRequest(file=file('name = "plain"\n')),
        errors.PolicyRefused(1, "the policy 'plain' is built in", "another name"),
    ),
    "a built-in policy to remove": (
        "RemovePolicy",
        pb.RemovePolicyRequest(name="plain"),
        errors.PolicyStays("plain"),
    ),
    "an unknown policy to remove": (
        "RemovePolicy",
        pb.RemovePolicyRequest(name="\x1b"),
        errors.UnknownName("policy", "\\x1b"),
    ),
}


@pytest.mark.parametrize(("method", "request_message", "expected"), REFUSED.values(), ids=REFUSED)
async def test_a_bad_request_about_policies_is_refused_with_its_reason(
    vendor: Vendor, method: str, request_message: Any, expected: Exception
) -> None:
    """And changes nothing."""
    refusal = await refused(getattr(vendor.stub, method)(request_message))
    assert same(refusal, expected), vars(refusal)
    assert await names(vendor) == list(policy_names())


async def test_a_name_means_one_policy(vendor: Vendor) -> None:
    """The first stays."""
    await add(vendor, OFFICE)
    refusal = await refused(
        vendor.stub.AddPolicy(pb.AddPolicyRequest(file=file('name = "office"\nsummary = "Other."\n')))
    )
    assert same(refusal, errors.NameTaken("policy", "office"))
    assert "For the office." in (await vendor.stub.GetPolicy(pb.GetPolicyRequest(name="office"))).file.toml


async def test_a_policy_in_use_stays_and_one_that_is_not_goes(vendor: Vendor) -> None:
    """A receipt that names it holds it."""
    await add(vendor, OFFICE)
    await add(vendor, OFFICE.replace("office", "other"))
    (value_id,) = await vendor.add(ticket("A"))
    await vendor.back_up(value_id, policy="office")
    refusal = await refused(vendor.stub.RemovePolicy(pb.RemovePolicyRequest(name="office")))
    assert same(refusal, errors.PolicyNeeded("office", 1))
    await vendor.stub.RemovePolicy(pb.RemovePolicyRequest(name="other"))
    assert (await names(vendor))[-1] == "office"


async def test_a_policy_stays_while_another_call_changes_the_wallet(vendor: Vendor) -> None:
    """It may have looked the policy up, which no receipt tells yet."""
    await add(vendor, OFFICE)
    async with changing(vendor.served.wallet):
        refusal = await refused(vendor.stub.RemovePolicy(pb.RemovePolicyRequest(name="office")))
    assert same(refusal, errors.ChangedElsewhere())
    await vendor.stub.RemovePolicy(pb.RemovePolicyRequest(name="office"))
