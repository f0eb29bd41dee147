"""The service's log: one JSON line on stderr for each call; methods, outcomes, sizes, times, no content."""

import logging
import sys

import structlog
from structlog.typing import FilteringBoundLogger


def configure_logs(level: str) -> FilteringBoundLogger:
    """Set up structlog for this process and give the service's logger.

    Args:
        level: "debug", "info", "warning" or "error".
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logger: FilteringBoundLogger = structlog.get_logger("wallet")
    return logger
