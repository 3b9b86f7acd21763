from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from antiphon.domain.jobs import JobEvent, JobTrigger, advance
from antiphon.errors import StoreError
from antiphon.server.telemetry.logs import JobLog, configure_logs
from stored_facts import T0, make_job

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], io.StringIO]]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def start(log_format: str) -> io.StringIO:
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        configure_logs(log_format, "info")
        return stream

    yield start
    root.handlers[:], root.level = handlers, level
    structlog.contextvars.clear_contextvars()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_logger_writes_json_lines(logged: Callable[[str], io.StringIO]) -> None:
    stream = logged("json")
    with structlog.contextvars.bound_contextvars(request_id="req-1"):
        logging.getLogger("antiphon.engine").warning("slow: %s", "disk", extra={"job_id": "job-1"})
    logging.getLogger("uvicorn.error").error("bad")
    logging.getLogger("antiphon.engine").debug("not told")
    first, second = lines(stream)
    assert first["event"] == "slow: disk"
    assert (first["level"], first["logger"]) == ("warning", "antiphon.engine")
    assert (first["request_id"], first["job_id"]) == ("req-1", "job-1")
    assert first["time"].endswith("Z")
    assert (second["event"], "request_id" in second) == ("bad", False)


def _fail(hidden: str) -> None:
    raise StoreError(f"cannot reach postgresql://ada:{hidden}@db/x", code="store-away")


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_secret_and_no_variable_of_a_traceback(logged: Callable[[str], io.StringIO], log_format: str) -> None:
    stream = logged(log_format)
    hidden = "hush" * 5
    try:
        _fail(hidden)
    except StoreError:
        logging.getLogger("antiphon.server").exception("failed for %s", f"https://h/?sig={hidden}")
    text = stream.getvalue()
    assert hidden not in text
    assert "store-away" in text
    assert "Traceback" in text


def test_a_line_break_makes_no_second_line(logged: Callable[[str], io.StringIO]) -> None:
    for log_format in ("json", "text"):
        stream = logged(log_format)
        forged = "/v1\n2030-01-01 [info] all is well\x1b[2J"
        logging.getLogger("antiphon.request").info("request", extra={"path": forged})
        assert len(stream.getvalue().splitlines()) == 1
        assert "\x1b[2J" not in stream.getvalue()


def test_one_line_for_the_end_of_a_job(logged: Callable[[str], io.StringIO]) -> None:
    stream = logged("json")
    job = make_job(trace=TRACE)
    error = {"code": "program-invalid", "message": "no", "details": {}}
    JobLog().submitted(job)
    JobLog().ended(advance(job, JobEvent(trigger=JobTrigger.FAILED, at=T0 + 99, who="eng-1", error=error)))
    (line,) = lines(stream)
    assert line["event"] == "job ended"
    assert (line["job_id"], line["workspace"], line["who"]) == (job.id, "default", "ada")
    assert (line["status"], line["code"], line["target"]) == ("Failed", "program-invalid", "sim.auto")
    assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


def test_the_short_way_says_what_the_chain_says(
    logged: Callable[[str], io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = logged("json")
    extra = {
        "path": "/v1?sig=hushhush",
        "a": {1},
        "of": {"secret": "x", "n": [1, None, 2.5]},
        "level": "mine",
        "o": int,
    }

    def write() -> None:
        with structlog.contextvars.bound_contextvars(request_id="req-1", path="/"):
            logging.getLogger("antiphon.request").info("%s \u2028 \x1b", "é", extra=extra)

    write()
    monkeypatch.setattr(logging.getLogger().handlers[0].formatter, "format", _by_the_chain)
    write()
    # Whoever has imported Ray in this process gets its own time in each record.
    short, long = ([pair for pair in line.items() if not pair[0].startswith("_ray")] for line in lines(stream))
    assert [pair for pair in short if pair[0] != "time"] == [pair for pair in long if pair[0] != "time"]
    assert [name for name, _ in short] == [name for name, _ in long]
    assert "hushhush" not in stream.getvalue()


def _by_the_chain(record: logging.LogRecord) -> str:
    formatter = logging.getLogger().handlers[0].formatter
    assert isinstance(formatter, structlog.stdlib.ProcessorFormatter)
    return structlog.stdlib.ProcessorFormatter.format(formatter, record)
