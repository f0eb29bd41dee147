"""The calls about policies: list, show, explain, add, remove. None of them contacts a safe."""

import asyncio
from typing import Final

from kura.wallet.v1 import wallet_pb2 as pb
from trust.refusals import CallTooLarge, Malformed
from wallet_client.operations.policies import add_policy, forget_policy
from wallet_client.operations.settle import changing
from wallet_client.policies.explain import DEFAULT_SIZE_BYTES, Explanation, explain
from wallet_client.policies.plain_words import sentences
from wallet_client.policies.policy import Policy
from wallet_client.policies.policy_file import read_policy
from wallet_client.policies.policy_print import policy_toml
from wallet_client.policies.presets import DEFAULT_POLICY, policy_names
from wallet_client.policies.shelf import all_summaries
from wallet_client.service.served import Served
from wallet_client.values.value import PAYLOAD_MAX_BYTES

FILE_MAX_BYTES: Final = 65_536
_PATH: Final = "policy.toml"
"""What the wallet's errors call the text; no path crosses the wire."""


async def list_policies(served: Served) -> pb.ListPoliciesResponse:
    """All of them, fitted to the roster, and those that were added."""
    summaries = await asyncio.to_thread(all_summaries, served.wallet.store, served.wallet.roster)
    return pb.ListPoliciesResponse(policies=[_write(*one) for one in summaries.items()])


async def get_policy(served: Served, request: pb.GetPolicyRequest) -> pb.GetPolicyResponse:
    """One, with the text that says it."""
    policy = await asyncio.to_thread(served.wallet.policy, request.name)
    return pb.GetPolicyResponse(
        policy=_write(policy.name, policy.summary),
        file=pb.PolicyFile(toml=policy_toml(policy)),
        drops_values=policy.drop_after_backup,
        deletes_receipts=policy.forget_after_recovery,
    )


async def explain_policy(served: Served, request: pb.ExplainPolicyRequest) -> pb.ExplainPolicyResponse:
    """What one comes to, or would."""
    size = request.size_bytes or DEFAULT_SIZE_BYTES
    if size > PAYLOAD_MAX_BYTES:
        raise Malformed("size_bytes")
    which = request.WhichOneof("policy")
    if which is None:
        raise Malformed("policy")
    text = _text(request.file) if which == "file" else ""

    def count() -> Explanation:
        wallet = served.wallet
        policy = read_policy(text, _PATH, wallet.roster) if text else wallet.policy(request.name)
        return explain(policy, wallet.roster, size)

    return _write_explanation(await asyncio.to_thread(count))


async def add_one(served: Served, request: pb.AddPolicyRequest) -> pb.AddPolicyResponse:
    """Keep one."""
    wallet, text = served.wallet, _text(request.file)

    def keep() -> Policy:
        with wallet.store.transaction():
            return add_policy(wallet.store, text, _PATH, wallet.roster)

    async def add() -> Policy:
        async with changing(wallet):
            return await asyncio.to_thread(keep)

    policy = await served.operations.run(add())
    return pb.AddPolicyResponse(policy=_write(policy.name, policy.summary))


async def remove_one(served: Served, request: pb.RemovePolicyRequest) -> pb.RemovePolicyResponse:
    """Forget one."""
    await served.operations.run(forget_policy(served.wallet, request.name))
    return pb.RemovePolicyResponse()


def _text(file: pb.PolicyFile) -> str:
    if not file.toml:
        raise Malformed("file")
    if len(file.toml.encode()) > FILE_MAX_BYTES:
        raise CallTooLarge("file", FILE_MAX_BYTES)
    return file.toml


def _write(name: str, summary: str) -> pb.Policy:
    return pb.Policy(
        name=name, summary=summary, is_default=name == DEFAULT_POLICY, is_built_in=name in policy_names()
    )


def _write_explanation(one: Explanation) -> pb.ExplainPolicyResponse:
    return pb.ExplainPolicyResponse(
        name=one.policy.name,
        sentences=sentences(one),
        size_bytes=one.size_bytes,
        safes=one.safes,
        read_alone=one.read_alone,
        readers=_group(one.readers),
        part_readers=_group(one.part_readers),
        readers_with_wallet=_group(one.readers_with_wallet),
        may_be_lost=one.may_be_lost,
        quorum=one.arrangement.terms.quorum,
        stored_bytes=one.stored_bytes,
        rough_bytes=one.rough_bytes,
    )


def _group(safes: tuple[str, ...] | None) -> pb.SafeGroup | None:
    return None if safes is None else pb.SafeGroup(safes=safes)
