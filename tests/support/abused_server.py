"""The server that tests of abuse share, and how they see that it goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from programs import BELL
from real_server import RealServer, real_server

MIB = 2**20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """With small limits; at the end it still runs, and has not failed at anything."""
    options = ("--max-streams", "60", "--max-streams-per-key", "40", "--body-seconds", "3", "--webhooks-allow-private")
    with real_server(tmp_path_factory.mktemp("abused"), *options) as running:
        yield running
        said = running.log()
        assert running.process.poll() is None, said[-3_000:]
        assert "Traceback" not in said, said[said.index("Traceback") - 1_000 :][:4_000]


def works(server: RealServer) -> None:
    """A job goes through."""
    with server.client() as client:
        answer = client.post(
            "/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 5}, headers={"Prefer": "wait=30"}
        )
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] == "Succeeded"
