"""A safe that serves as it should, and keeps what wallets have it gather: each request, and what came of it.

    python -m support.rogues.gateway_process --heard FILE --config FILE

Every line of FILE is a message in hexadecimal: a request, then its answers.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from kura.safe.v1 import safe_pb2 as pb
from safe_node.config import load_settings
from safe_node.handlers import servicer
from safe_node.handlers.gather import gather
from safe_node.server import serve


def main() -> None:
    """Serve, and listen."""
    parser: Any = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--heard", type=Path, required=True)
    words = parser.parse_args()

    async def overheard(
        gatherings: Any, caller: Any, request: pb.GatherRequest
    ) -> AsyncIterator[pb.GatherResponse]:
        with words.heard.open("a") as lines:
            lines.write(f"{request.SerializeToString().hex()}\n")
            async for answer in gather(gatherings, caller, request):
                lines.write(f"{answer.SerializeToString().hex()}\n")
                yield answer

    vars(servicer)["gather"] = overheard
    asyncio.run(serve(load_settings(words.config)))


if __name__ == "__main__":
    main()
