"""What `kura resume` says of recoveries that are suspended: what each of them really waits for."""

import pytest

from wallet_client.cli.resume import suspended_lines
from wallet_client.operations.recover_in_room import Waiting


@pytest.mark.parametrize(
    ("waiting", "lines"),
    [
        (Waiting(), []),
        (Waiting(for_room=2), ["2 recoveries wait for room: `kura recover --suspended` goes on"]),
        (
            Waiting(for_key=1, for_nothing=1),
            [
                "1 suspended recovery fits now: `kura recover --suspended` goes on, or says why not",
                "1 recovery waits for a key that is not in the wallet: `kura recover --suspended` names it",
            ],
        ),
    ],
    ids=["nothing", "room", "a key, and nothing"],
)
def test_a_line_for_each_reason(waiting: Waiting, lines: list[str]) -> None:
    assert list(suspended_lines(waiting)) == lines
