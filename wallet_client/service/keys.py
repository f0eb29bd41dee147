"""The calls about keys: list, make, back up, bring back, forget."""

import asyncio
from typing import Final

from kura.wallet.v1 import wallet_pb2 as pb
from trust.refusals import Malformed
from wallet_client.operations.key_backup import back_up_key
from wallet_client.operations.keys import forget_key, make_key, recover_from_root, recover_key
from wallet_client.policies.presets import DEFAULT_POLICY
from wallet_client.service.converters import receipt_states, write_failures, write_key
from wallet_client.service.served import Served
from wallet_client.storage.keyring import KeyEntry, KeyringKind
from wallet_client.values.value import ValueId

_KINDS: Final[dict[int, KeyringKind]] = {
    pb.KEY_KIND_SHARED: "shared",
    pb.KEY_KIND_PAIR: "pair",
    pb.KEY_KIND_ROOT: "root",
}


async def list_keys(served: Served) -> pb.ListKeysResponse:
    """All of them, as they stand now."""

    def read() -> pb.ListKeysResponse:
        store = served.wallet.store
        states = receipt_states(store)
        return pb.ListKeysResponse(keys=[write_key(entry, states) for entry in store.keyring.entries()])

    return await asyncio.to_thread(read)


async def new_key(served: Served, request: pb.NewKeyRequest) -> pb.NewKeyResponse:
    """A fresh one, or one from the root."""
    kind = _KINDS.get(request.kind)
    if kind is None:
        raise Malformed("kind")
    if not request.algorithm:
        entry = await served.operations.run(make_key(served.wallet, kind, request.name))
    elif kind == "root":
        raise Malformed("algorithm")
    else:
        deriving = recover_from_root(served.wallet, kind, request.name, request.algorithm)
        entry = await served.operations.run(deriving)
    return pb.NewKeyResponse(key=await _write(served, entry.id))


async def back_up_one_key(served: Served, request: pb.BackupKeyRequest) -> pb.BackupKeyResponse:
    """Register one."""
    key_id = ValueId(request.key_id)
    report = await served.operations.run(back_up_key(served.wallet, key_id, request.policy or DEFAULT_POLICY))
    outcome = report.entries[0]
    return pb.BackupKeyResponse(
        key=await _write(served, key_id),
        may_still_be_lost=outcome.state.may_still_be_lost,
        already=outcome.already,
        failed_safes=write_failures(report.failed),
    )


async def recover_one_key(served: Served, request: pb.RecoverKeyRequest) -> pb.RecoverKeyResponse:
    """Bring one back."""
    key_id = ValueId(request.key_id)
    report = await served.operations.run(recover_key(served.wallet, key_id))
    return pb.RecoverKeyResponse(
        key=await _write(served, key_id),
        already=bool(report.already),
        failed_safes=write_failures(report.failed),
    )


async def forget_one_key(served: Served, request: pb.ForgetKeyRequest) -> pb.ForgetKeyResponse:
    """Erase one."""
    key_id = ValueId(request.key_id)
    forgotten = await served.operations.run(forget_key(served.wallet, key_id, lose=request.lose))
    return pb.ForgetKeyResponse(key=await _write(served, key_id) if forgotten.entry_stays else None)


async def _write(served: Served, key_id: ValueId) -> pb.Key:
    def read() -> tuple[KeyEntry, dict[str, str]]:
        return served.wallet.store.keyring.entry(key_id), receipt_states(served.wallet.store)

    return write_key(*await asyncio.to_thread(read))
