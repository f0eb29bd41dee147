"""Loggers whose entries a test looks at, whatever some program that ran in this process configured."""

import structlog
from structlog.testing import LogCapture
from structlog.typing import FilteringBoundLogger


def log_into(logged: LogCapture) -> FilteringBoundLogger:
    """A logger of every level into `logged`."""
    every_level = structlog.make_filtering_bound_logger(0)
    log: FilteringBoundLogger = structlog.wrap_logger(None, processors=[logged], wrapper_class=every_level)
    return log
