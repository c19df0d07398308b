"""Logs: JSON lines on stderr. Values are escaped by JSON, so request text cannot forge a line."""

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from config import Settings

_SECRETIVE = ("authlib", "urllib3", "smtplib")
"""Libraries that write tokens, codes or addresses at DEBUG."""


def init(settings: "Settings") -> None:
    """Set up structlog and the standard library's logging for this process."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger("seuil")
    root.handlers[:] = [handler]
    root.propagate = True
    root.setLevel(settings.log_level)
    for name in _SECRETIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
