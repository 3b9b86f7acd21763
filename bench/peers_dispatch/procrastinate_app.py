"""The Procrastinate app. It stores no results, so its task does: into a table, with a NOTIFY."""

from __future__ import annotations

import functools
import json
import os
from typing import Any

import procrastinate
import psycopg

from bench.peers_dispatch.circuit import run

DATABASE = os.environ["BENCH_DATABASE"]
CHANNEL = "bench_results"
TABLE = "CREATE TABLE bench_results (job bigint PRIMARY KEY, counts text NOT NULL)"

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=DATABASE))


@functools.cache
def connection() -> psycopg.Connection[Any]:
    """One for each process."""
    return psycopg.connect(DATABASE)


def _run_circuit(context: Any, program: str, shots: int) -> None:
    counts = json.dumps(run(program, shots))
    with connection().transaction():
        connection().execute("INSERT INTO bench_results VALUES (%s, %s)", (context.job.id, counts))
        connection().execute("SELECT pg_notify(%s, %s)", (CHANNEL, str(context.job.id)))


run_circuit = app.task(name="run_circuit", pass_context=True)(_run_circuit)
