"""The safe's log: one JSON line on stderr for each thing that happened.

Methods, outcomes, sizes and times; identifiers cut to eight digits; never bodies, metadata or keys.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from safe_node.config import LogSettings


def configure_logs(settings: LogSettings) -> FilteringBoundLogger:
    """Set up structlog for this process and give the safe's logger."""
    renderer: Processor = (
        structlog.processors.JSONRenderer() if settings.json else structlog.processors.KeyValueRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logger: FilteringBoundLogger = structlog.get_logger("safe")
    return logger


def short(identifier: bytes) -> str:
    """Enough of an identifier to follow it through a log."""
    return identifier.hex()[:8]
