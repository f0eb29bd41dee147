"""A wallet's methods, called by who has not its token; see test_who_may_call.py."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
import structlog

from support.calls import Metadata, answers
from support.rpc_rows import Token
from support.rpc_table import ROWS
from support.safe_process import make_safes
from support.two_owners import content_of
from trust.refusals import Refusal
from wallet_client.operations.backup_desk import BackupDesk
from wallet_client.service.entrance import SERVER_NAME, loopback_entrance
from wallet_client.service.errors import WALLET_ERRORS, TokenInvalid
from wallet_client.service.served import Operations, Served
from wallet_client.service.server import build_runner
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.wallet import Wallet, create_wallet

pytestmark = pytest.mark.asyncio(loop_scope="module")

WALLETS = [path for path, row in ROWS.items() if isinstance(row, Token)]


def name_of(path: str) -> str:
    return path.rpartition(".")[2]


@dataclass(frozen=True)
class ServedWallet:
    """A wallet on a loopback address.

    Args:
        token: Secret: what lets in.
    """

    home: Path
    channel: grpc.aio.Channel
    token: str = field(repr=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wallet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServedWallet]:
    """Nothing here changes it."""
    home = tmp_path_factory.mktemp("wallet") / "wallet"
    safe = make_safes(tmp_path_factory.mktemp("safes"), 1)[0]
    await create_wallet(home, NoPassphrase(), (safe.folder / "roster.json").read_bytes(), 1_000_000)
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(await Wallet.open(home, NoPassphrase()))
        served = Served(opened, BackupDesk(opened), Operations())
        stack.push_async_callback(served.desk.close)
        entrance = stack.enter_context(loopback_entrance(home, "127.0.0.1:0"))
        runner = build_runner(served, entrance, structlog.get_logger())
        port = await runner.start()
        stack.push_async_callback(runner.stop, 0)
        trusted = grpc.ssl_channel_credentials(entrance.files["certificate"].read_bytes())
        channel = grpc.aio.secure_channel(
            f"127.0.0.1:{port}", trusted, (("grpc.ssl_target_name_override", SERVER_NAME),)
        )
        await stack.enter_async_context(channel)
        yield ServedWallet(home, channel, entrance.files["token"].read_text())


TOKENS: dict[str, Callable[[str], Metadata]] = {
    "nobody, without a token": lambda token: (),
    "who made a token up": lambda token: (("authorization", "Bearer " + "A" * len(token)),),
    "who has all of it but the last letter": lambda token: (("authorization", f"Bearer {token[:-1]}"),),
    "who does not say what it is": lambda token: (("authorization", token),),
    "who shows it twice": lambda token: (("authorization", f"Bearer {token}"),) * 2,
}


@pytest.mark.parametrize("path", WALLETS, ids=name_of)
async def test_a_wallets_method_called_by_who_has_not_the_token(wallet: ServedWallet, path: str) -> None:
    """One reason for all of it, and not a row is changed."""
    before = content_of(wallet.home / "wallet.db")
    for caller, metadata in TOKENS.items():
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await answers(wallet.channel, path, [b""], metadata(wallet.token))
        assert isinstance(WALLET_ERRORS.from_status(refused.value), TokenInvalid), caller
    assert content_of(wallet.home / "wallet.db") == before


@pytest.mark.parametrize("path", WALLETS, ids=name_of)
async def test_with_the_token_the_same_call_gets_through(wallet: ServedWallet, path: str) -> None:
    """To an answer, or to what a request that says nothing is refused for."""
    try:
        await answers(wallet.channel, path, [b""], (("authorization", f"Bearer {wallet.token}"),))
    except grpc.aio.AioRpcError as error:
        refusal = WALLET_ERRORS.from_status(error)
        assert isinstance(refusal, Refusal)
        assert not isinstance(refusal, TokenInvalid)
