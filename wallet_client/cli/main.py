"""`kura`: what the console script runs."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    with _ended_quietly():
        from wallet_client.cli.edge import exit_code_of
        from wallet_client.cli.root import PROGRAM, root
    return exit_code_of(lambda: root.main(arguments, prog_name=PROGRAM, standalone_mode=False))


@contextmanager
def _ended_quietly() -> Iterator[None]:
    """While the program loads nothing is open yet: Ctrl-C just ends it, without a traceback."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
