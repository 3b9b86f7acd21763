"""Readiness of a real server whose database goes away, hangs, and comes back; of one whose disk is full."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx2
import pytest

from antiphon.server import health
from antiphon.server.health import ANSWER_S
from programs import BELL
from real_postgres import RealPostgres
from real_server import real_server
from served import served


class Line:
    """A way to a database that can be cut, and that can go dead without a word."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener: socket.socket | None = None
        self._ends: list[socket.socket] = []
        self._flows = threading.Event()
        self._flows.set()
        self.port = 0
        self.connect()

    def connect(self) -> None:
        """Take connections, from now on or again."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """End every connection and take no new one."""
        assert self._listener is not None
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def hang(self) -> None:
        """Carry nothing more, and say nothing of it."""
        self._flows.clear()

    def flow(self) -> None:
        """Carry again."""
        self._flows.set()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(self._path)
                self._ends += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._flows.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def line_to(postgres: RealPostgres) -> Iterator[tuple[Line, str]]:
    """A line to an empty database, and the database's URL over it."""
    parts = urlsplit(postgres.database())
    folder = next(each for each in parts.query.split("&") if each.startswith("host=")).removeprefix("host=")
    line = Line(f"{httpx2.URL('http://x/?a=' + folder).params['a']}/.s.PGSQL.5432")
    user = quote(parts.username or "postgres")
    try:
        yield line, f"postgresql://{user}@127.0.0.1:{line.port}{parts.path}"
    finally:
        line.flow()
        line.cut()


def wait_for(url: str, status: int) -> httpx2.Response:
    deadline = time.monotonic() + 60
    while (answer := httpx2.get(f"{url}/readyz", timeout=30, trust_env=False)).status_code != status:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)
    return answer


def test_the_database_goes_away_hangs_and_comes_back(tmp_path: Path, postgres_server: RealPostgres) -> None:
    with (
        line_to(postgres_server) as (line, database),
        real_server(tmp_path, "--drain-seconds", "0", env={"ANTIPHON_DATABASE": database}) as server,
    ):
        assert wait_for(server.url, 200).json() == {"status": "ok"}
        line.cut()
        gone = wait_for(server.url, 503).json()
        assert gone["status"] == "unready"
        assert gone["code"].startswith("store-")
        assert httpx2.get(f"{server.url}/livez", trust_env=False).status_code == 200
        with server.client() as client:
            refused = client.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 5})
            assert refused.status_code == 503
            assert "antiphon_store_up 0.0" in client.get("/metrics").text
        line.connect()
        wait_for(server.url, 200)
        with server.client() as client:
            again = client.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 5})
            assert again.status_code == 202, again.text
        line.hang()
        # Asked by many at once: all are told, and the process lives.
        with httpx2.Client(trust_env=False, timeout=ANSWER_S + 20) as client:
            slow = client.get(f"{server.url}/readyz")
            assert (slow.status_code, slow.json()["status"]) == (503, "unready")
            assert client.get(f"{server.url}/livez").status_code == 200
        line.flow()
        wait_for(server.url, 200)


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path, workers=0) as server:
        assert httpx2.get(f"{server.url}/readyz", trust_env=False).status_code == 200
        monkeypatch.setattr(health, "LEAST_FREE_BYTES", shutil.disk_usage(tmp_path).total + 1)
        answer = httpx2.get(f"{server.url}/readyz", trust_env=False)
        assert (answer.status_code, answer.json()["code"]) == (503, "disk-nearly-full")
        server.services.draining = True
        assert httpx2.get(f"{server.url}/readyz", trust_env=False).json() == {"status": "draining"}
        assert httpx2.get(f"{server.url}/livez", trust_env=False).json() == {"status": "ok"}
