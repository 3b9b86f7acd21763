"""What only a workspace behind a server can meet: keys, other tenants, lost servers, forks, many threads."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from antiphon import JobStatus, Workspace
from antiphon.domain.identity import Role
from antiphon.errors import (
    AuthenticationError,
    ConnectionFailedError,
    NotFoundError,
    PermissionDeniedError,
)
from programs import BELL, ENDLESS
from real_server import real_server
from workspaces import SharedServer


@pytest.fixture
def url(shared_server: SharedServer) -> str:
    return shared_server.server.url


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_key_may_come_from_the_environment(
    shared_server: SharedServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTIPHON_API_KEY", shared_server.new_key())
    with Workspace(url + "/") as ws:
        assert ws.location == url
        assert repr(ws) == f"<Workspace at {url}>"
        assert ws.target("sim.auto").submit(BELL, 10).result(60).counts


@pytest.mark.parametrize("key", [None, "nonsense", "ant_01abc_nonsense"])
def test_without_a_good_key_nothing_opens(url: str, key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTIPHON_API_KEY", raising=False)
    with pytest.raises(AuthenticationError) as caught:
        Workspace(url, api_key=key)
    assert caught.value.next_step
    assert "nonsense" not in str(caught.value.to_dict())


def test_a_viewer_looks_and_does_not_submit(shared_server: SharedServer, url: str) -> None:
    with Workspace(url, api_key=shared_server.new_key(Role.VIEWER)) as ws:
        assert ws.jobs() == []
        with pytest.raises(PermissionDeniedError, match=r"jobs\.write|jobs:write"):
            ws.target("sim.auto").submit(BELL, 10)


def test_a_folder_takes_no_key(tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError) as caught:
        Workspace(tmp_path, api_key="ant_x")
    assert caught.value.code == "key-unused"
    assert list(tmp_path.iterdir()) == []


def test_another_tenant_finds_nothing(shared_server: SharedServer, url: str) -> None:
    with (
        Workspace(url, api_key=shared_server.new_key()) as ours,
        Workspace(url, api_key=shared_server.new_key()) as theirs,
    ):
        target = ours.target("sim.auto")
        with target.open_session(key="run") as session:
            job = target.submit_batch([BELL, BELL], 10, key="once")
            job.wait(60)
        stranger = theirs._connection
        asked: list[Callable[[], Any]] = [
            lambda: stranger.job(job.id),
            lambda: stranger.wait(job.id, 1, None),
            lambda: stranger.cancel(job.id),
            lambda: stranger.outcomes(job.facts),
            lambda: stranger.items(job.facts),
            lambda: stranger.record(job.facts),
            lambda: stranger.events(job.id),
            lambda: stranger.replay(job.facts, 1),
            lambda: stranger.session(session.id),
            lambda: stranger.close_session(session.id),
            lambda: stranger.cancel_session(session.id),
            lambda: stranger.events(session.id),
            lambda: theirs.jobs(before=job),
        ]
        for ask in asked:
            with pytest.raises(NotFoundError):
                ask()
        assert theirs.jobs() == []
        assert theirs.sessions() == []
        # The same keys are free there.
        assert theirs.target("sim.auto").submit(BELL, 5, key="once").id != job.id
        assert theirs.target("sim.auto").open_session(key="run").id != session.id
        assert [each.id for each in ours.jobs()] == [job.id]


def test_every_submit_has_a_key_and_equal_ones_stay_two(shared_server: SharedServer, url: str) -> None:
    with Workspace(url, api_key=shared_server.new_key()) as ws:
        target = ws.target("sim.auto")
        first, second = (target.submit(BELL, 10, seed=1) for _ in range(2))
        assert first.id != second.id
        assert str(first.facts.key).startswith("auto-")
        assert first.facts.key != second.facts.key


def test_many_threads_share_one_workspace(shared_server: SharedServer, url: str) -> None:
    with Workspace(url, api_key=shared_server.new_key()) as ws, ThreadPoolExecutor(16) as pool:
        target = ws.target("sim.auto")
        counts = list(pool.map(lambda seed: target.submit(BELL, 50, seed=seed % 4).result(60).counts, range(64)))
        assert [counts[index] for index in range(4)] * 16 == counts
        assert len(ws.jobs()) == 64


def test_a_forked_child_speaks_for_itself(shared_server: SharedServer, url: str) -> None:
    with Workspace(url, api_key=shared_server.new_key()) as ws:
        target = ws.target("sim.auto")
        job = target.submit(BELL, 10, seed=1)
        child = os.fork()
        if child == 0:
            try:
                same = all(ws.job(job.id).result(60).counts == job.result().counts for _ in range(50))
                os._exit(0 if same else 1)
            except BaseException:  # noqa: BLE001 - the child must not go on as a test
                os._exit(2)
        # Both at once: on one socket they would read each other's answers.
        assert all(ws.job(job.id).id == job.id for _ in range(50))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_nobody_listens() -> None:
    with pytest.raises(ConnectionFailedError) as caught:
        Workspace(f"http://127.0.0.1:{free_port()}", api_key="ant_x")
    assert caught.value.code == "server-unreachable"


def test_a_server_that_is_killed_and_comes_back_is_waited_for(tmp_path: Path) -> None:
    port = str(free_port())
    with real_server(tmp_path, "--port", port) as first:
        ws = Workspace(first.url, api_key=first.key)
        job = ws.target("sim.auto").submit(ENDLESS, 10, max_seconds=2.0)
        while job.status is JobStatus.WAITING:
            pass
        ended: list[JobStatus] = []
        waiting = threading.Thread(target=lambda: ended.append(job.wait(100).status))
        waiting.start()
        first.stop(signal.SIGKILL)
    with real_server(tmp_path, "--port", port), ws:
        waiting.join()
        assert ended == [JobStatus.FAILED]
        assert str(job.error).count("worker-timeout") == 1
        assert job.facts.attempts == 2


def test_the_facades_take_a_url(shared_server: SharedServer, url: str) -> None:
    from antiphon.cirq import Service
    from antiphon.qiskit import AntiphonProvider

    key = shared_server.new_key()
    provider = AntiphonProvider(url, api_key=key)
    service = Service(url, api_key=key)
    with provider.workspace, service.workspace:
        assert {backend.name for backend in provider.backends()} == {each.name for each in service.targets()}
