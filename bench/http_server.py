"""A server on loopback: accepted jobs, status polls, and from submit to result, beside a bare route and the engine."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.http_load import BELL
from bench.http_servers import Server, antiphon_server, bare_server, load, postgres
from bench.measure import Row, Spread
from bench.ours import fresh_lab
from bench.registry import Settings, case

ACCEPTED_AIM_S = 1 / 500
POLL_AIM_S = 1 / 2_000
MEDIAN_AIM_S = 0.015
P99_AIM_S = 0.030

BARE = "a bare FastAPI route"
EMBEDDED = "the engine embedded"

Load = Callable[[Sequence[Server]], dict[str, Any]]


def _jobs(settings: Settings, execution: str = "auto") -> Load:
    seconds = "1" if settings.quick else "5"
    return lambda servers: load("submit", servers, "--seconds", seconds, "--execution", execution)


def _polls(settings: Settings, execution: str = "auto") -> Load:
    seconds = "1" if settings.quick else "5"
    return lambda servers: load("poll", servers, "--seconds", seconds, "--execution", execution)


def _trips(settings: Settings, execution: str = "auto") -> Load:
    count = "20" if settings.quick else "200"
    return lambda servers: load("cycle", servers, "--jobs", count, "--execution", execution)


def _each(found: dict[str, Any]) -> float:
    expected = {"200", "202", "303"}
    if set(found["statuses"]) - expected:
        raise AssertionError(f"not all was answered well: {found['statuses']}")
    return 1 / float(found["a_second"])


def _note(runs: Sequence[dict[str, Any]], ours: Sequence[Server], cpu: float) -> str:
    """Rates and percentiles of all rounds, the processor time of a request, and the memory at the end."""
    answers = sum(run["answers"] for run in runs)
    rates = Spread.of([run["a_second"] for run in runs])
    p50, p99 = (Spread.of([1e3 * run[name] for run in runs]).median for name in ("median_s", "p99_s"))
    rss = ", ".join(f"{server.rss_mib:.0f}" for server in ours)
    return (
        f"{rates.median:,.0f} a second ({rates.low:,.0f}..{rates.high:,.0f}), median {p50:.1f} ms, p99 {p99:.1f} ms, "
        f"{1e6 * cpu / answers:.0f} µs of processor an answer; {rss} MiB resident"
    )


def _rates(
    name: str, unit: str, work: Load, ours: Sequence[Server], bare: Server | None, settings: Settings, aim: float | None
) -> Row:
    """One row: seconds between answers under a flood of 16 connections, ours beside the bare route."""
    mine, theirs, cpu = [], [], 0.0
    for _ in range(settings.rounds):
        before = sum(server.cpu_seconds for server in ours)
        mine.append(work(ours))
        cpu += sum(server.cpu_seconds for server in ours) - before
        if bare is not None:
            theirs.append(work([bare]))
    seconds = [_each(run) for run in mine]
    notes = (_note(mine, ours, cpu),)
    if bare is None:
        return Row(name, unit, Spread.of(seconds), aim=aim, notes=notes)
    peer = [_each(run) for run in theirs]
    ratio = Spread.of([a / b for a, b in zip(seconds, peer, strict=True)])
    return Row(name, unit, Spread.of(seconds), BARE, Spread.of(peer), ratio, notes=notes)


def _aimed(row: Row, aim: float) -> Row:
    """The absolute figure of a row, held against its aim."""
    return Row(row.case, row.unit, row.ours, aim=aim, notes=row.notes)


def _latencies(name: str, unit: str, work: Load, servers: Sequence[Server], settings: Settings) -> list[Row]:
    runs = [work(servers) for _ in range(settings.rounds)]
    for run in runs:
        _each(run)
    return [
        Row(name, f"{unit}, median", Spread.of([run["median_s"] for run in runs]), aim=MEDIAN_AIM_S),
        Row(name, f"{unit}, p99", Spread.of([run["p99_s"] for run in runs]), aim=P99_AIM_S),
    ]


def _embedded_seconds(jobs: int) -> float:
    with fresh_lab() as lab:
        for _ in range(20):
            lab.target.submit(BELL, shots=100).result()
        began = time.perf_counter()
        for _ in range(jobs):
            lab.target.submit(BELL, shots=100)
        return (time.perf_counter() - began) / jobs


@case("http")
def http(settings: Settings) -> list[Row]:
    """One server process on SQLite, one worker; the client is a process of its own on 16 connections."""
    with tempfile.TemporaryDirectory(prefix="antiphon-http-") as folder:
        home = Path(folder)
        with antiphon_server(home / "lab") as server, bare_server(home / "bare.db") as bare:
            load("submit", [server], "--seconds", "1")
            load("submit", [bare], "--seconds", "1")
            inline = _rates("http", "job accepted and run", _jobs(settings), [server], bare, settings, None)
            polls = _rates("http", "status poll", _polls(settings), [server], bare, settings, None)
            rows = [_aimed(inline, ACCEPTED_AIM_S), inline, _aimed(polls, POLL_AIM_S), polls]
            rows += _latencies("http", "submit to result", _trips(settings), [server], settings)
            rows += _latencies("http", "the same in a worker", _trips(settings, "process"), [server], settings)
            embedded = [_embedded_seconds(50 if settings.quick else 300) for _ in range(settings.rounds)]
            ratio = Spread.of([a / b for a in [inline.ours.median] for b in embedded])
            rows.append(
                Row(
                    "http",
                    "job accepted and run",
                    inline.ours,
                    EMBEDDED,
                    Spread.of(embedded),
                    ratio,
                    notes=inline.notes,
                )
            )
        # Without a worker what is submitted waits: nothing but accepting and looking is measured.
        with antiphon_server(home / "queue", workers=0, options=("--inline-seconds", "0")) as server:
            queued = _rates("http", "job queued", _jobs(settings), [server], None, settings, ACCEPTED_AIM_S)
        with antiphon_server(home / "waiting", workers=0, options=("--inline-seconds", "0")) as server:
            waiting = _rates("http", "poll of a waiting job", _polls(settings), [server], None, settings, POLL_AIM_S)
    return [*rows, queued, waiting]


@contextlib.contextmanager
def _two_on_postgres(folder: Path) -> Iterator[list[Server]]:
    with (
        postgres(folder / "postgres") as url,
        antiphon_server(folder / "lab", database=url) as first,
        antiphon_server(folder / "lab", database=url, key=first.key) as second,
    ):
        yield [first, second]


@case("http_postgres")
def http_postgres(settings: Settings) -> list[Row]:
    """Two server processes on one PostgreSQL database, which writes each commit to the disk; connections alternate."""
    with tempfile.TemporaryDirectory(prefix="antiphon-http-") as folder, _two_on_postgres(Path(folder)) as servers:
        load("submit", servers, "--seconds", "1")
        name = "http_postgres"
        return [
            _rates(name, "job accepted and run", _jobs(settings), servers, None, settings, ACCEPTED_AIM_S),
            _rates(name, "status poll", _polls(settings), servers, None, settings, POLL_AIM_S),
            *_latencies(name, "submit to result", _trips(settings), servers, settings),
        ]
