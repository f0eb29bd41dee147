"""The layers every Kura server has: refusals become statuses, calls are logged, stopping servers refuse.

Logs hold methods, codes, reasons, sizes and times; never bodies, metadata or keys.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from rpc_edge.edge import Call, Layer, RawRequest
from rpc_edge.error_table import ErrorTable
from rpc_edge.logs import FilteringBoundLogger
from trust.refusals import InternalError, Refusal, ShuttingDown, TlsTooOld


def refusals_as_statuses(errors: ErrorTable, log: FilteringBoundLogger) -> Layer:
    """The one place where an exception becomes a status.

    A Refusal of the table goes out with its reason. Anything else is a defect: it is logged with its
    traceback under a random incident id, and the id is all that goes out. Aborts of gRPC and
    cancellations pass.
    """

    @asynccontextmanager
    async def layer(call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
        try:
            yield request
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: nothing unexpected may leave the process
            refusal = _covered(error, errors) or _incident(call, error, log)
            await call.context.abort_with_status(errors.to_status(refusal))

    return layer


def _covered(error: BaseException, errors: ErrorTable) -> Refusal | None:
    return error if isinstance(error, Refusal) and errors.covers(error) else None


def _incident(call: Call, error: Exception, log: FilteringBoundLogger) -> InternalError:
    incident = secrets.token_hex(8)
    log.error("rpc.incident", method=call.path, incident=incident, exc_info=error)
    return InternalError(incident)


def call_log(errors: ErrorTable, log: FilteringBoundLogger) -> Layer:
    """One line a call, at its end: method, outcome, milliseconds, bytes in and out."""

    @asynccontextmanager
    async def layer(call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
        started = time.perf_counter()
        outcome = "OK"
        try:
            yield request
        except BaseException as error:
            outcome = _outcome(error, errors)
            raise
        finally:
            log.info(
                "rpc",
                method=call.path,
                outcome=outcome,
                ms=round((time.perf_counter() - started) * 1000, 2),
                received_bytes=call.received_bytes,
                sent_bytes=call.sent_bytes,
            )

    return layer


def _outcome(error: BaseException, errors: ErrorTable) -> str:
    if refusal := _covered(error, errors):
        return errors.reason_name(refusal)
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "CANCELLED"
    return "ABORTED" if isinstance(error, grpc.aio.AbortError) else "INTERNAL"


@asynccontextmanager
async def tls13_only(call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
    """Refuses calls over anything less than TLS 1.3, whatever the library negotiated."""
    if call.context.auth_context().get("ssl_tls_version") != [b"TLSv1.3"]:
        raise TlsTooOld
    yield request


class Draining:
    """Counts running calls, and once told to stop refuses new ones with ShuttingDown."""

    def __init__(self) -> None:
        self._running = 0
        self._stopping = False
        self._patience: asyncio.Timeout | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def layer(self, call: Call, request: RawRequest) -> AsyncIterator[RawRequest]:
        """The layer; one Draining serves one server."""
        if self._stopping:
            raise ShuttingDown
        self._running += 1
        self._idle.clear()
        try:
            yield request
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    async def drain(self, grace_seconds: float) -> bool:
        """Refuse new calls and wait for the running ones; whether all ended within `grace_seconds`."""
        self._stopping = True
        try:
            async with asyncio.timeout(grace_seconds) as self._patience:
                await self._idle.wait()
        except TimeoutError:
            return False
        finally:
            self._patience = None
        return True

    def cut_short(self) -> None:
        """End the waiting of `drain`, if it waits, at once."""
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())
