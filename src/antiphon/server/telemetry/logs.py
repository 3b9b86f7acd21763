"""The server's logs on stderr: one JSON object a line, or text for people, with the request's id if there is one."""

from __future__ import annotations

import logging
import sys

import structlog

from antiphon.errors import AntiphonError

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(log_format: str, log_level: str) -> None:
    """Send what all loggers of this process say to stderr, in one form.

    Args:
        log_format: "json" or "text".
        log_level: "debug", "info", "warning" or "error".
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [_own_errors, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[log_level])
    for noisy in ("uvicorn.error", "uvicorn", "alembic", "httpx2", "httpcore2", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, _LEVELS[log_level]))


def _own_errors(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """An error of ours is told by its code and message beside the traceback."""
    info = event.get("exc_info")
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, AntiphonError):
        event["code"], event["error"] = error.code, error.message
    return event
