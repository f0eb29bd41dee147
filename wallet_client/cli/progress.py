"""Progress bars: at a terminal, and only for work that takes long enough to be watched."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

WORTH_WATCHING_BYTES = 1 << 20
_WORDS = {"register": "Registering", "fetch": "Fetching", "reseal": "Sealing anew"}


class Bars:
    """A Progress for operations: one bar on standard error for each stage.

    Several batches report under one stage; their totals are added up as they appear.

    Args:
        expected_bytes: What the work comes to, about; below 1 MiB nothing is shown.
    """

    def __init__(self, expected_bytes: int) -> None:
        self._shown = expected_bytes >= WORTH_WATCHING_BYTES and sys.stderr.isatty()
        self._rich: RichProgress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take one report."""
        if not self._shown or total <= 0:
            return
        if self._rich is None:
            self._rich = _make_bars()
            self._rich.start()
        if stage not in self._tasks:
            self._tasks[stage] = self._rich.add_task(_WORDS.get(stage, stage), total=total)
        self._rich.update(self._tasks[stage], completed=done, total=total)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        if self._rich is not None:
            self._rich.stop()


def _make_bars() -> "RichProgress":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    size = DownloadColumn(binary_units=True)
    parts = (TextColumn("{task.description}"), BarColumn(), size, TimeRemainingColumn())
    return Progress(*parts, console=Console(stderr=True), transient=True)
