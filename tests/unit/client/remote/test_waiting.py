from __future__ import annotations

from dataclasses import replace

import httpx2
import pytest

from antiphon.client.remote import waiting
from antiphon.client.remote.http import HttpSession
from antiphon.client.remote.waiting import wait_for
from antiphon.client.wire.facts import job_to_json
from antiphon.domain.jobs import Job, JobSpec, JobStatus, PubSpec
from antiphon.domain.work import JobKind
from antiphon.errors import RateLimitedError, WaitTimeoutError
from antiphon.server.problems import problem_of

WAITING = Job(
    id="job_1",
    workspace="default",
    spec=JobSpec(JobKind.SAMPLE, "sim.auto", (PubSpec("sha256:0", (), "", 10, 1),), 1),
    name="bell",
    created_by="me",
    created_at=0.0,
)
RUNNING = replace(WAITING, status=JobStatus.EXECUTING, version=2, fence=1, started_at=1.0)
DONE = replace(RUNNING, status=JobStatus.SUCCEEDED, version=3, ended_at=2.0)


class Server(httpx2.BaseTransport):
    """Says where the job stands, one state after the other; the last one for ever. It holds no poll."""

    def __init__(self, *states: Job, takes_polls: bool = True) -> None:
        self.states = list(states)
        self.takes_polls = takes_polls
        self.asked: list[dict[str, str]] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(dict(request.url.params))
        if "wait" in request.url.params and not self.takes_polls:
            refusal = RateLimitedError("Too many polls.", code="streams-exceeded", details={"retry_after_s": 5})
            return httpx2.Response(429, json=problem_of(refusal), headers={"Retry-After": "5"})
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return httpx2.Response(200, json=job_to_json(state))

    def wait(self, timeout: float | None, seen: list[JobStatus] | None = None) -> Job:
        http = HttpSession("http://server.invalid", None, transport=self)
        watch = None if seen is None else lambda job: seen.append(job.status)
        return wait_for(http, "/v1/jobs/job_1", timeout, watch)


def test_one_request_waits_at_the_server() -> None:
    server = Server(DONE)
    assert server.wait(None).status is JobStatus.SUCCEEDED
    assert server.asked == [{"wait": "20.0"}]


def test_a_watcher_sees_at_once_and_then_every_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "EARLY_S", 0.01)
    seen: list[JobStatus] = []
    server = Server(WAITING, WAITING, RUNNING, DONE)
    server.wait(60, seen)
    assert seen == [JobStatus.WAITING, JobStatus.WAITING, JobStatus.EXECUTING, JobStatus.SUCCEEDED]
    assert server.asked[0] == {}
    assert [asked["known_version"] for asked in server.asked[1:]] == ["1", "1", "2"]


def test_a_server_that_holds_no_polls_is_not_asked_without_a_pause() -> None:
    server = Server(WAITING)
    with pytest.raises(WaitTimeoutError) as caught:
        server.wait(0.6)
    assert len(server.asked) <= 6
    assert caught.value.details == {"job": "job_1", "status": "Waiting"}


def test_a_server_that_has_too_many_polls_is_looked_at_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "EARLY_S", 0.01)
    server = Server(WAITING, RUNNING, DONE, takes_polls=False)
    assert server.wait(60).status is JobStatus.SUCCEEDED
    assert ["wait" in asked for asked in server.asked] == [True, False] * 3


def test_no_poll_is_longer_than_the_time_that_is_left() -> None:
    server = Server(RUNNING)
    with pytest.raises(WaitTimeoutError, match=r"after 0\.05 s"):
        server.wait(0.05)
    assert all(float(asked.get("wait", 0)) <= 0.05 for asked in server.asked)


def test_no_time_is_one_look() -> None:
    server = Server(RUNNING)
    with pytest.raises(WaitTimeoutError):
        server.wait(0)
    assert server.asked == [{}]
