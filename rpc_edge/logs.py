"""A server's log: one line on stderr for each thing that happened.

Methods, outcomes, sizes and times; identifiers cut to eight digits; never bodies, metadata or keys.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["FilteringBoundLogger", "configure_logs", "short"]


@contextmanager
def _as_if_missing(name: str) -> Iterator[None]:
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # import then raises ImportError
    try:
        yield
    finally:
        del sys.modules[name]


# structlog imports rich where it is installed, for tracebacks that no log of ours has: a seventh of a safe's
# start, and 4 MB of its memory.
with _as_if_missing("rich"):
    import structlog
    from structlog.typing import FilteringBoundLogger, Processor


def configure_logs(level: str, *, json: bool = True) -> FilteringBoundLogger:
    """Set up structlog for this process and give its logger.

    Args:
        level: "debug", "info", "warning" or "error".
        json: Lines as JSON, for programs; else as key=value.
    """
    renderer: Processor = (
        structlog.processors.JSONRenderer() if json else structlog.processors.KeyValueRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def short(identifier: bytes) -> str:
    """Enough of an identifier to follow it through a log."""
    return identifier.hex()[:8]
