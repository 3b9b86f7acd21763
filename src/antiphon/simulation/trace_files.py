"""Traces as files: JSON lines or CSV, plain or gzipped, by the name of the file; see docs/reference/trace.md."""

from __future__ import annotations

import contextlib
import csv
import gzip
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from antiphon.domain.jobs import FINAL_STATUSES
from antiphon.domain.queues import Priority
from antiphon.domain.traces import TraceJob
from antiphon.domain.work import JobKind
from antiphon.errors import InvalidRequestError

FIELDS = tuple(field.name for field in fields(TraceJob))
REQUIRED = ("submitted_at", "workspace", "user", "target", "planned_s")
_SUFFIXES = (".jsonl", ".csv")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line; lines count from 1."""

    line: int
    what: str


def read_trace(path: Path) -> Iterator[TraceJob]:
    """The jobs of a file, in its order.

    Raises:
        InvalidRequestError: It cannot be read, or a line is wrong (code "trace-invalid"; it names the line).
    """
    for read in look_through(path):
        if isinstance(read, Problem):
            raise _refused(path, f"line {read.line}: {read.what}", line=read.line)
        yield read


def look_through(path: Path) -> Iterator[TraceJob | Problem]:
    """Each line of a file as a job, or what is wrong with it.

    Raises:
        InvalidRequestError: It cannot be read at all.
    """
    kind = _kind_of(path)
    try:
        with _opened(path, "rt") as file:
            yield from _csv_lines(file) if kind == ".csv" else _json_lines(file)
    except (OSError, EOFError) as error:
        raise _refused(path, getattr(error, "strerror", None) or str(error)) from None
    except UnicodeDecodeError:
        raise _refused(path, "it is not UTF-8") from None


def write_trace(path: Path, jobs: Iterable[TraceJob]) -> int:
    """Write a trace; the file is there when it is whole. Returns how many jobs are in it.

    Raises:
        InvalidRequestError: It cannot be written there (code "trace-invalid").
    """
    kind = _kind_of(path)
    unfinished = path.with_name(f".unfinished-{os.getpid()}-{path.name}")
    count = 0
    try:
        with _opened(unfinished, "wt") as file:
            if kind == ".csv":
                rows = csv.writer(file)
                rows.writerow(FIELDS)
                for count, job in enumerate(jobs, 1):  # noqa: B007 - it is returned
                    rows.writerow(["" if value is None else value for value in _values(job).values()])
            else:
                for count, job in enumerate(jobs, 1):  # noqa: B007 - it is returned
                    kept = {name: value for name, value in _values(job).items() if value is not None}
                    file.write(json.dumps(kept, ensure_ascii=False) + "\n")
        unfinished.replace(path)
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _values(job: TraceJob) -> dict[str, Any]:
    values = {name: getattr(job, name) for name in FIELDS}
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in values.items()}


def _kind_of(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    kind = next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), None)
    if kind is None:
        raise _refused(path, "a trace is called *.jsonl, *.csv, *.jsonl.gz or *.csv.gz")
    return kind


def _opened(path: Path, mode: str) -> IO[str]:
    if ".gz" in path.suffixes:
        return cast("IO[str]", gzip.open(path, mode, encoding="utf-8", newline=""))
    return path.open(mode, encoding="utf-8", newline="")


def _json_lines(file: IO[str]) -> Iterator[TraceJob | Problem]:
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            values = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            yield Problem(line, f"it is no JSON ({error})")
            continue
        yield _job(values, line) if isinstance(values, dict) else Problem(line, "it is no JSON object")


def _csv_lines(file: IO[str]) -> Iterator[TraceJob | Problem]:
    rows = csv.reader(file, strict=True)
    try:
        header = next(rows, [])
        missing = [name for name in REQUIRED if name not in header]
        if missing:
            yield Problem(1, f"the first line names the columns, and {', '.join(missing)} is not among them")
            return
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                yield Problem(rows.line_num, f"it has {len(row)} values, and there are {len(header)} columns")
                continue
            given = {name: value for name, value in zip(header, row, strict=True) if value != ""}
            yield _job(given, rows.line_num)
    except csv.Error as error:
        yield Problem(rows.line_num, f"it is no CSV ({error})")


def _job(values: Mapping[str, object], line: int) -> TraceJob | Problem:
    try:
        unknown = [name for name in values if name not in FIELDS]
        if unknown:
            return Problem(line, f"there is no field {unknown[0][:80]!r}; the fields are {', '.join(FIELDS)}")
        given = {name: value for name, value in values.items() if value is not None}
        missing = [name for name in REQUIRED if name not in given]
        if missing:
            return Problem(line, f"{', '.join(missing)} is missing")
        return TraceJob(
            submitted_at=_moment(given["submitted_at"]),
            workspace=_name(given, "workspace"),
            user=_name(given, "user"),
            target=_name(given, "target"),
            priority=Priority(_one_of(given, "priority", [each.value for each in Priority], Priority.STANDARD)),
            session=_name(given, "session") if "session" in given else None,
            kind=_one_of(given, "kind", [each.value for each in JobKind], JobKind.SAMPLE.value),
            planned_s=_seconds(given, "planned_s"),
            run_s=_seconds(given, "run_s") if "run_s" in given else None,
            wait_s=_seconds(given, "wait_s") if "wait_s" in given else None,
            outcome=_one_of(given, "outcome", sorted(each.value for each in FINAL_STATUSES), "Succeeded"),
        )
    except ValueError as error:
        return Problem(line, str(error))


def _moment(value: object) -> float:
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            at = datetime.fromisoformat(value)
            return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
    return _number(value, "submitted_at")


def _seconds(values: Mapping[str, object], name: str) -> float:
    value = values[name]
    number = _number(value, name)
    if number < 0.0:
        raise ValueError(f"{name} is negative: {number:g}")
    return number


def _number(value: object, name: str) -> float:
    number = math.nan
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        with contextlib.suppress(ValueError, OverflowError):
            number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is no number: {str(value)[:80]!r}")
    return number


def _name(values: Mapping[str, object], name: str) -> str:
    value = values[name]
    if not isinstance(value, str) or not value or len(value) > _LONGEST_NAME:
        raise ValueError(f"{name} is no name of 1 to {_LONGEST_NAME} characters: {value!r:.80}")
    return value


def _one_of(values: Mapping[str, object], name: str, allowed: list[str], default: str) -> str:
    value = values.get(name, default)
    if value not in allowed:
        raise ValueError(f"{name} is {value!r:.80}, and not one of {', '.join(allowed)}")
    return str(value)


def _refused(path: Path, cause: str, **details: Any) -> InvalidRequestError:
    return InvalidRequestError(
        f"{path} is no trace that can be used.",
        code="trace-invalid",
        cause=cause,
        next_step="docs/reference/trace.md says what is in a trace; look through one with `antiphon trace check FILE`.",
        details={"file": str(path), **details},
    )
