"""The groups of figures, each an async function from a Workbench to its figures."""

from collections.abc import Awaitable, Callable

from benchmarks.cases import command_line, large_values, many_pieces, owners, repair, shamir, small_values
from benchmarks.figure import Figure
from benchmarks.workbench import Workbench

CASES: dict[str, Callable[[Workbench], Awaitable[list[Figure]]]] = {
    "single": small_values.one_at_a_time,
    "callers": small_values.many_callers,
    "batch": small_values.whole_wallet,
    "recovery": small_values.by_receipt,
    "large": large_values.large_values,
    "shamir": shamir.divide_and_combine,
    "pieces": many_pieces.many_pieces,
    "owners": owners.owners,
    "repair": repair.repair,
    "command": command_line.command_line,
}
