"""A ticketing program with the stubs of WalletService alone, and a wallet served to it on a Unix socket."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog

import rpc_edge  # noqa: F401  # isort: split
from kura.wallet.v1 import wallet_pb2 as pb
from kura.wallet.v1 import wallet_pb2_grpc
from wallet_client.operations.backup_desk import BackupDesk
from wallet_client.service.entrance import socket_entrance
from wallet_client.service.errors import WALLET_ERRORS
from wallet_client.service.served import Operations, Served
from wallet_client.service.server import build_runner
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.wallet import Wallet, create_wallet

MIB = 1024 * 1024
CAPACITY_BYTES = 160 * MIB


def ticket(name: str = "A", payload: bytes = b"", **fields: Any) -> pb.NewValue:
    """A movie ticket that is valid until the end of 2026."""
    fields = {"item_class": "movie-ticket", "valid_until": "2026-12-31"} | fields
    return pb.NewValue(fields=pb.ValueFields(name=name, **fields), payload=payload)


class Vendor:
    """A program with the stubs; steps of a stream come as lists."""

    def __init__(self, channel: grpc.aio.Channel, served: Served) -> None:
        self.stub: Any = wallet_pb2_grpc.WalletServiceStub(channel)
        self.served = served

    async def add(self, *values: pb.NewValue) -> list[str]:
        answer = await self.stub.AddValues(pb.AddValuesRequest(values=values))
        return [value.value_id for value in answer.values]

    async def values(self, **conditions: str) -> dict[str, pb.StoredValue]:
        parts = self.stub.ListValues(pb.ListValuesRequest(**conditions))
        return {value.fields.name: value async for part in parts for value in part.values}

    async def receipts(self, **conditions: str) -> dict[str, pb.Receipt]:
        parts = self.stub.ListReceipts(pb.ListReceiptsRequest(**conditions))
        return {receipt.receipt_id: receipt async for part in parts for receipt in part.receipts}

    async def back_up(self, *value_ids: str, **options: Any) -> list[pb.BackupResponse]:
        return [step async for step in self.back_up_steps(*value_ids, **options)]

    def back_up_steps(self, *value_ids: str, **options: Any) -> Any:
        return self.stub.Backup(pb.BackupRequest(value_ids=value_ids, **options))

    async def recover(self, *receipt_ids: str, **options: Any) -> list[pb.RecoverResponse]:
        request = pb.RecoverRequest(receipt_ids=receipt_ids, **options)
        return [step async for step in self.stub.Recover(request)]


@asynccontextmanager
async def served_wallet(home: Path, roster: bytes) -> AsyncIterator[Vendor]:
    """A fresh wallet that believes a roster file of these bytes, served until the end of the block."""
    await create_wallet(home, NoPassphrase(), roster, CAPACITY_BYTES)
    async with await Wallet.open(home, NoPassphrase()) as wallet, vendor_of(wallet) as vendor:
        yield vendor


@asynccontextmanager
async def vendor_of(wallet: Wallet) -> AsyncIterator[Vendor]:
    """A program with the stubs, to which an open wallet is served until the end of the block."""
    async with AsyncExitStack() as clean_up:
        served = Served(wallet, BackupDesk(wallet), Operations())
        clean_up.push_async_callback(served.desk.close)
        clean_up.push_async_callback(served.operations.finish, 30)
        entrance = clean_up.enter_context(socket_entrance(wallet.home))
        runner = build_runner(served, entrance, structlog.get_logger())
        await runner.start()
        clean_up.push_async_callback(runner.stop, 0)
        channel = await clean_up.enter_async_context(grpc.aio.insecure_channel(entrance.address))
        yield Vendor(channel, served)


async def collect(steps: list[Any], stream: Any) -> None:
    """Keep the messages of a stream that may end in an error."""
    async for step in stream:
        steps.append(step)


async def refused(call: Any) -> Exception:
    """What a call was refused with, read by the table that wrote it."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        _ = await call if not hasattr(call, "read") else [step async for step in call]
    return WALLET_ERRORS.from_status(caught.value)


def same(one: Exception, other: Exception) -> bool:
    """Whether two refusals are alike; exceptions compare by identity."""
    return type(one) is type(other) and vars(one) == vars(other)
