"""The server's logs on stderr: one JSON object a line, or text for people, with the request's id if there is one.

Every line has `time` (ISO 8601, UTC), `level`, `logger` and `event`. A request is one line when its answer is sent, a
job one when it ends. No line has a secret in it, whoever wrote it (`redaction`).
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys

import structlog

from antiphon.domain.jobs import Job
from antiphon.errors import AntiphonError
from antiphon.server.telemetry.job_metrics import reason_of
from antiphon.server.telemetry.redaction import redact_fields

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_CHATTY = ("uvicorn.error", "uvicorn", "alembic", "httpx2", "httpcore2", "asyncio", "urllib3", "opentelemetry")
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}

_PARTS_OF_A_RECORD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_encode = json.JSONEncoder().encode

_job_log = logging.getLogger("antiphon.job")


class JobLog:
    """A `JobObserver` that writes one line for each job that this process ends."""

    def submitted(self, job: Job) -> None:
        """Nothing: the request's line tells it."""

    def ended(self, job: Job) -> None:
        """Who asked for what, how it ended, and what took how long."""
        if not _job_log.isEnabledFor(logging.INFO):
            return
        _job_log.info(
            "job ended",
            extra={
                "job_id": job.id,
                "workspace": job.workspace,
                "who": job.created_by,
                "target": job.spec.target,
                "status": job.status.value,
                "code": reason_of(job) or None,
                "session_id": job.session_id,
                "attempts": job.attempts,
                "seconds": job.stages.to_json(),
                "trace_id": None if job.trace is None else job.trace.split("-")[1],
            },
        )


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
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    # Tracebacks become text before secrets are cut out, and never show the values of variables.
    last: list[structlog.typing.Processor] = [_own_errors, structlog.processors.format_exc_info, _without_secrets]
    if log_format == "json":
        last.append(structlog.processors.JSONRenderer())
    else:
        last += [_on_one_line, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), timestamp_key="time")]
    kind = _JsonLines if log_format == "json" else structlog.stdlib.ProcessorFormatter
    formatter = kind(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    # No line tells thread, process or place in the source: finding them out would be a fifth of a line's cost.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # as the standard library's page on logging advises
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[log_level])
    for noisy in _CHATTY:
        logging.getLogger(noisy).setLevel(max(logging.WARNING, _LEVELS[log_level]))


class _JsonLines(structlog.stdlib.ProcessorFormatter):
    """The line of a request or job, which a busy server writes thousands of times a second, in one step.

    It says what the chain of processors would say, at half the cost; the chain is for tracebacks and for what
    was logged with structlog itself.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        parts = record.__dict__
        if record.exc_info or record.stack_info or "_logger" in parts:
            return super().format(record)
        fields = {"event": record.getMessage(), **structlog.contextvars.get_contextvars()}
        fields["level"], fields["logger"] = record.levelname.lower(), record.name
        fields.update({name: value for name, value in parts.items() if name not in _PARTS_OF_A_RECORD})
        fields["time"] = dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z")
        return _encode(redact_fields(fields))


def _own_errors(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """An error of ours is told by its code and message beside the traceback."""
    info = event.get("exc_info")
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, AntiphonError):
        event["code"], event["error"] = error.code, error.message
    return event


def _without_secrets(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return redact_fields(event)


def _on_one_line(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A path with a line break in it must not look like a second line; JSON escapes it by itself."""
    return {
        name: value.translate(_CONTROL) if isinstance(value, str) and name != "exception" else value
        for name, value in event.items()
    }
