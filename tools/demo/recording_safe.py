"""A safe that writes down all that passes through it between a wallet and other safes.

    python -m tools.demo.recording_safe --record FILE --config FILE

It is the real program, with the keys and the database of the safe in whose place it serves. What it writes is
what it sees once TLS is off: the frames of Carry, both ways, and those that it gathers, end to end.
"""

import argparse
import asyncio
from pathlib import Path

from safe_node.config import load_settings
from safe_node.server import serve
from trust.roster import SafeEntry


def main() -> None:
    """Serve, and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True)
    words = parser.parse_args()
    with words.record.open("ab", buffering=0) as record:

        async def witness(safe: SafeEntry, direction: str, frame: bytes) -> None:
            record.write(frame)

        asyncio.run(serve(load_settings(words.config), witness=witness))


if __name__ == "__main__":
    main()
