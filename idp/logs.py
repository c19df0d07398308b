"""Logs: JSON lines on stderr. Values are escaped by JSON, so request text cannot forge a line."""

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from config import Settings

_SECRETIVE = ("authlib", "requests", "sqlalchemy", "smtplib", "asyncio", "smpplib")
"""Libraries that write tokens, codes, addresses or parameters below WARNING."""

_INDISCREET = ("apprise", "urllib3")
"""Libraries that write numbers, or addresses with what they carry, at any level."""


class _JsonLines(logging.Handler):
    """Writes to whatever stderr is at that moment, a line in one call, so that processes do not mix."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record. A log that cannot be written must not end what it tells of."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            self.handleError(record)


def init(settings: "Settings") -> None:
    """Set up structlog and the standard library's logging for this process; again is harmless."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_values,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for former in [handler for handler in root.handlers if isinstance(handler, _JsonLines)]:
        root.removeHandler(former)
    root.addHandler(_handler(shared))
    logging.getLogger("seuil").setLevel(settings.log_level)
    for name in _SECRETIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _INDISCREET:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _without_values(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A database quotes rows in its errors: of those only the kind and the place are written."""
    info = event.get("exc_info")
    error = info if isinstance(info, BaseException) else sys.exc_info()[1] if info else None
    kinds = list(_kinds(error))
    if error is not None and any(issubclass(kind, DBAPIError) for kind in kinds):
        event.pop("exc_info")
        place = "".join(traceback.format_tb(error.__traceback__))
        event["exception"] = place + " from ".join(kind.__name__ for kind in kinds)
    return event


def _kinds(error: BaseException | None) -> Iterator[type[BaseException]]:
    """What happened, and what that was raised from."""
    while error is not None:
        yield type(error)
        error = error.__cause__ or error.__context__


def _handler(shared: list[structlog.typing.Processor]) -> logging.Handler:
    handler = _JsonLines()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    return handler
