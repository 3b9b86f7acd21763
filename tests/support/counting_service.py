"""A provider in a process of its own: takes programs over HTTP, runs each on a simulator, and counts what it ran.

`python counting_service.py FOLDER PORT MODE` keeps all it knows in an SQLite file and may be killed at any moment. MODE
says what it can tell of a key: "key" (a repeated one is answered with the first job), "listing" (jobs are listed with
theirs) or "neither". What goes wrong with a request is drawn from a recorded seed; `POST /control` sets how often.
"""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from antiphon.adapters.targets.sim import build_drivers
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import ProgramFormat
from antiphon.domain.results import outcome_to_json
from antiphon.domain.work import JobKind, Pub, Work
from antiphon.errors import AntiphonError
from antiphon.frontends.recognise import load_program

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  id INTEGER PRIMARY KEY, key TEXT, created_at REAL, state TEXT, body TEXT, result TEXT, error TEXT, seconds REAL
);
CREATE INDEX IF NOT EXISTS jobs_by_key ON jobs (key);
CREATE TABLE IF NOT EXISTS executions (seq INTEGER PRIMARY KEY, job INTEGER, key TEXT);
CREATE TABLE IF NOT EXISTS faults (fault TEXT PRIMARY KEY, times INTEGER);
"""
PRICE = 0.01


class Service:
    """The provider's books and its one machine."""

    def __init__(self, folder: Path, mode: str) -> None:
        self.mode = mode
        self.lock = threading.RLock()
        self.db = sqlite3.connect(folder / "provider.db", check_same_thread=False, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.executescript(SCHEMA)
        self.work = threading.Event()
        self.driver = build_drivers()["sim.auto"]
        self.control: dict[str, Any] = {"paused": False, "faults": {}, "seed": 0}
        self.rng = random.Random(0)
        self.last_reply: dict[str, tuple[int, dict[str, Any]]] = {}
        saved = folder / "control.json"
        self._saved = saved
        if saved.exists():
            self._apply(json.loads(saved.read_text()))

    def set_control(self, control: Mapping[str, Any]) -> None:
        merged = {**self.control, **control}
        partial = self._saved.with_suffix(".part")
        partial.write_text(json.dumps(merged))
        partial.replace(self._saved)
        self._apply(merged)

    def _apply(self, control: dict[str, Any]) -> None:
        self.control = control
        # A process that starts again must not draw again what killed the one before.
        started = self.db.execute("SELECT count(*) + (SELECT count(*) FROM executions) FROM jobs").fetchone()[0]
        self.rng = random.Random(f"{control['seed']}/{started}")
        self.work.set()

    def draw(self, route: str) -> str | None:
        """What goes wrong with this request, if anything."""
        faults: Mapping[str, float] = self.control["faults"].get(route, {})
        with self.lock:
            point = self.rng.random()
            for fault, chance in faults.items():
                point -= chance
                if point < 0:
                    self.db.execute(
                        "INSERT INTO faults VALUES (?, 1) ON CONFLICT (fault) DO UPDATE SET times = times + 1",
                        (f"{route}: {fault}",),
                    )
                    return fault
        return None

    def accept(self, body: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            if self.mode == "key":
                found = self.by_key(body["key"])
                if found:
                    return found[0]
            cursor = self.db.execute(
                "INSERT INTO jobs (key, created_at, state, body) VALUES (?, ?, 'queued', ?)",
                (body["key"], time.time(), json.dumps(body)),
            )
            job = self.job(int(cursor.lastrowid or 0))
        self.work.set()
        assert job is not None
        return job

    def job(self, number: int) -> dict[str, Any] | None:
        with self.lock:
            row = self.db.execute(
                "SELECT id, key, state, result, error, seconds FROM jobs WHERE id = ?", (number,)
            ).fetchone()
        return None if row is None else _shown(row)

    def by_key(self, key: str) -> list[dict[str, Any]]:
        with self.lock:
            rows = self.db.execute(
                "SELECT id, key, state, result, error, seconds FROM jobs WHERE key = ?", (key,)
            ).fetchall()
        return [_shown(row) for row in rows]

    def since(self, at: float) -> list[dict[str, Any]]:
        with self.lock:
            rows = self.db.execute(
                "SELECT id, key, state, NULL, NULL, seconds FROM jobs WHERE created_at >= ?", (at,)
            ).fetchall()
        return [_shown(row) for row in rows]

    def cancel(self, number: int) -> None:
        with self.lock:
            self.db.execute("UPDATE jobs SET state = 'cancelled' WHERE id = ? AND state = 'queued'", (number,))

    def sums(self) -> dict[str, Any]:
        with self.lock:
            states = dict(self.db.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
            (keys,) = self.db.execute("SELECT count(DISTINCT key) FROM executions").fetchone()
            (executions,) = self.db.execute("SELECT count(*) FROM executions").fetchone()
            faults = dict(self.db.execute("SELECT fault, times FROM faults ORDER BY fault").fetchall())
        return {"executions": executions, "keys executed": keys, "states": states, "faults": faults}

    def run(self) -> None:
        """The machine: one job after the other, each counted in the transaction that stores its outcome."""
        while True:
            with self.lock:
                row = None
                if not self.control["paused"]:
                    row = self.db.execute(
                        "SELECT id, key, body FROM jobs WHERE state IN ('queued', 'running') ORDER BY id LIMIT 1"
                    ).fetchone()
                if row is not None:
                    self.db.execute("UPDATE jobs SET state = 'running' WHERE id = ?", (row[0],))
                else:
                    self.work.clear()
            if row is None:
                self.work.wait(1.0)
                continue
            self._run_one(*row)

    def _run_one(self, number: int, key: str, body: str) -> None:
        began = time.perf_counter()
        time.sleep(float(self.control.get("run_s", 0.0)))
        state, result, error = "succeeded", None, None
        try:
            work = read_work(json.loads(body))
            execution = self.driver.execute(work, self.driver.plan(work))
            result = json.dumps(
                {
                    "outcomes": [outcome_to_json(outcome) for outcome in execution.outcomes],
                    "provenance": dict(execution.provenance),
                }
            )
        except AntiphonError as reason:
            state, error = "failed", json.dumps(reason.to_dict())
        if key in self.control.get("fail", ()):
            state, result, error = "failed", None, json.dumps({"message": "The dilution refrigerator is warm."})
        with self.lock:
            self.db.execute("BEGIN")
            self.db.execute(
                "UPDATE jobs SET state = ?, result = ?, error = ?, seconds = ? WHERE id = ?",
                (state, result, error, time.perf_counter() - began, number),
            )
            self.db.execute("INSERT INTO executions (job, key) VALUES (?, ?)", (number, key))
            self.db.execute("COMMIT")


def read_work(body: Mapping[str, Any]) -> Work:
    """The inverse of what the adapter writes."""
    pubs = []
    for each in body["pubs"]:
        program = load_program(
            ProgramFormat(each["format"]),
            base64.b64decode(each["source"]),
            name=each["name"],
            entry_point=each["entry_point"],
        )
        sets = ParameterSets(tuple(each["names"]), tuple(each["shape"]), base64.b64decode(each["data"]))
        pubs.append(Pub(program, sets, each["shots"], each["seed"]))
    return Work(JobKind(body["kind"]), tuple(pubs), body["options"])


def _shown(row: tuple[Any, ...]) -> dict[str, Any]:
    number, key, state, result, error, seconds = row
    shown: dict[str, Any] = {"id": f"cp-{number}", "key": key, "state": state}
    if result is not None:
        shown |= {"result": json.loads(result), "seconds": seconds, "cost": PRICE}
    if error is not None:
        shown["error"] = json.loads(error)
    return shown


class Handler(BaseHTTPRequestHandler):
    """One connection; `service` is set before the server starts."""

    service: Service
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        text = self.rfile.read(length)
        if len(text) < length:
            # Whoever sent it was killed in the middle.
            self.close_connection = True
            return
        body = json.loads(text or b"{}")
        path = urlsplit(self.path).path
        if path == "/control":
            self.service.set_control(body)
            self._answer(200, {})
        elif path == "/jobs":
            self._send_job(body)
        else:
            self._guarded("cancel", lambda: self._cancel(path))

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/sums":
            self._answer(200, self.service.sums())
        elif parts.path == "/jobs" and "key" in query:
            self._guarded("find", lambda: (200, {"asked": query, "jobs": self.service.by_key(query["key"])}))
        elif parts.path == "/jobs":
            self._guarded("find", lambda: (200, {"asked": query, "jobs": self.service.since(float(query["since"]))}))
        else:
            self._guarded("look", lambda: self._look(parts.path))

    def _send_job(self, body: dict[str, Any]) -> None:
        service = self.service
        match service.draw("send"):
            case "arrives late":
                # Something on the way keeps the request back, and tells the sender that the connection is gone.
                threading.Timer(service.rng.uniform(0.05, 0.5), service.accept, (body,)).start()
                self._cut()
            case "crashes after":
                service.accept(body)
                os.kill(os.getpid(), signal.SIGKILL)
            case "arrives twice" if service.mode == "key":
                service.accept(body)
                self._answer(201, service.accept(body))
            case fault:
                self._with(fault, "send", lambda: (201, service.accept(body)))

    def _guarded(self, route: str, do: Any) -> None:
        self._with(self.service.draw(route), route, do)

    def _with(self, fault: str | None, route: str, do: Any) -> None:
        service = self.service
        match fault:
            case "cut before":
                self._cut()
            case "cut after":
                do()
                self._cut()
            case "busy":
                self._answer(429, {"error": "too many"}, retry_after=1)
            case "unavailable":
                self._answer(503, {"error": "calibrating"})
            case "broken":
                do()
                self._answer(500, {"error": "internal"})
            case "about another" if route in service.last_reply:
                do()
                self._answer(*service.last_reply[route])
            case "slow":
                time.sleep(service.rng.uniform(0.1, 1.0))
                self._answer(*do())
            case _:
                reply = do()
                service.last_reply[route] = reply
                self._answer(*reply)

    def _look(self, path: str) -> tuple[int, dict[str, Any]]:
        found = self.service.job(int(path.removeprefix("/jobs/cp-")))
        return (404, {"error": "no such job"}) if found is None else (200, found)

    def _cancel(self, path: str) -> tuple[int, dict[str, Any]]:
        self.service.cancel(int(path.removeprefix("/jobs/cp-").removesuffix("/cancel")))
        return 202, {}

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: int, body: dict[str, Any], retry_after: int | None = None) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Answers that nobody waits for any more are nothing to speak of."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def main() -> None:
    folder, port, mode = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    Handler.service = Service(folder, mode)
    server = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=Handler.service.run, daemon=True).start()
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
