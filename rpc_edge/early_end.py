"""The status of a server that ends a client's stream before the client is done with it.

grpc.aio lets a write that fails after the server's status arrived overwrite that status with an internal
error of its own (https://github.com/grpc/grpc/issues/36066, open as of 1.85), so that a refusal in the
middle of an upload would look like a defect. Statuses are set one after the other and every one of them is
announced; this keeps the first that is the server's. To be removed when the issue is closed.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar

import grpc

_GRPCS_OWN = "Internal error from Core"
_Result = TypeVar("_Result")


class ServersStatus:
    """Listens to one call from its start.

    Args:
        call: A call that was just made.
    """

    def __init__(self, call: Any) -> None:
        self._first: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._note)

    def instead_of(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """What the server said, where `error` only says that grpc.aio could not write; else `error`."""
        own = error.details() == _GRPCS_OWN
        return self._first if own and self._first is not None else error

    def _note(self, call: Any) -> None:
        details = _at_once(call.details())
        if self._first is None and details != _GRPCS_OWN:
            self._first = grpc.aio.AioRpcError(
                _at_once(call.code()),
                trailing_metadata=_at_once(call.trailing_metadata()),
                details=details,
            )


def _at_once(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """The result of a coroutine that has nothing to wait for: the status it asks for is set.

    A task would run only after the next write may have overwritten it.
    """
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: _Result = finished.value
        return result
    coroutine.close()
    raise RuntimeError("gRPC announced a status that is not set")
