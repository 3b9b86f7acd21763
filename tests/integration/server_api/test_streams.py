"""Logs as arrays and as server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from antiphon.domain.identity import Role
from antiphon.engine.access.keys import list_keys
from antiphon.server.api import job_events, workspace_events
from antiphon.server.api.resources import EventView
from programs import BELL
from served import Served

STREAM = {"Accept": "text/event-stream"}


def post(api: httpx2.Client, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.post(
        "/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 1, **body}
    ).json()
    return found


def events(answer: httpx2.Response) -> Iterator[dict[str, Any]]:
    """The events of a stream; comments are left out."""
    event: dict[str, Any] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if not line:
            if "data" in event:
                yield event
            event = {}
        elif name in {"id", "event"}:
            event[name] = value
        elif name == "data":
            event["data"] = json.loads(value)


def test_a_log_is_an_array(api: httpx2.Client) -> None:
    job = post(api)
    log = api.get(job["links"]["events"]).json()
    assert [line["event"] for line in log] == ["submitted", "claimed", "succeeded"]
    assert [line["version"] for line in log] == [1, 2, 3]
    for line in log:
        EventView.model_validate(line)
    after = api.get(job["links"]["events"], headers={"Last-Event-ID": str(log[1]["seq"])}).json()
    assert after == log[2:]
    for wrong in ("x", "-1", "1.5", "9" * 30):
        answer = api.get(job["links"]["events"], headers={"Last-Event-ID": wrong})
        assert answer.status_code == 422


def test_a_stream_ends_with_the_job_and_is_taken_up_again(api: httpx2.Client) -> None:
    job = post(api)
    log = api.get(job["links"]["events"]).json()
    with api.stream("GET", job["links"]["events"], headers=STREAM) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        seen = list(events(answer))
    assert [event["id"] for event in seen] == [str(line["seq"]) for line in log]
    assert [event["event"] for event in seen] == ["submitted", "claimed", "succeeded"]
    assert seen[0]["data"] == {**log[0], "subject": job["id"]}
    with api.stream("GET", job["links"]["events"], headers={**STREAM, "Last-Event-ID": seen[0]["id"]}) as answer:
        assert list(events(answer)) == seen[1:]


def test_a_stream_tells_what_happens_while_it_is_open(idle: httpx2.Client) -> None:
    job = post(idle)
    with idle.stream("GET", job["links"]["events"], headers=STREAM) as answer:
        stream = events(answer)
        assert next(stream)["event"] == "submitted"
        idle.post(job["links"]["cancel"])
        assert next(stream)["data"]["status"] == "Cancelled"
        with pytest.raises(StopIteration):
            next(stream)


def test_a_stream_of_a_session_ends_with_it(idle: httpx2.Client) -> None:
    session = idle.post("/v1/sessions", json={"target": "sim.auto"}).json()
    with idle.stream("GET", session["links"]["events"], headers=STREAM) as answer:
        stream = events(answer)
        assert next(stream)["event"] == "opened"
        idle.post(session["links"]["cancel"])
        assert list(stream)[-1]["data"]["status"] == "Succeeded"


def test_what_is_not_there_has_no_stream(idle: httpx2.Client) -> None:
    answer = idle.get("/v1/jobs/job_none/events", headers=STREAM)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_a_workspace_has_one_stream(idle_server: Served, idle: httpx2.Client) -> None:
    with idle_server.client(workspace="elsewhere") as stranger, idle.stream("GET", "/v1/events") as answer:
        stream = events(answer)
        post(stranger)
        job = post(idle)
        first = next(stream)
        assert (first["data"]["subject"], first["event"]) == (job["id"], "submitted")
        post(stranger)
        idle.post(job["links"]["cancel"])
        second = next(stream)
        assert (second["data"]["subject"], second["data"]["status"]) == (job["id"], "Cancelled")
    session = idle.post("/v1/sessions", json={"target": "sim.auto"}).json()
    with idle.stream("GET", "/v1/events", headers={"Last-Event-ID": first["id"]}) as answer:
        seen: dict[str, dict[str, Any]] = {}
        for event in events(answer):
            seen[event["id"]] = event
            if event["data"]["subject"] == session["id"]:
                break
    assert second["id"] in seen
    subjects = {event["data"]["subject"] for event in seen.values()}
    own = {each["id"] for each in idle.get("/v1/jobs", params={"limit": 500}).json()["jobs"]}
    own |= {each["id"] for each in idle.get("/v1/sessions", params={"limit": 500}).json()["sessions"]}
    assert subjects <= own


def test_a_stream_too_far_back_is_refused(
    idle_server: Served, idle: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace_events, "MOST_MISSED", 1)
    for _ in range(3):
        post(idle)
    answer = idle.get("/v1/events", headers={"Last-Event-ID": "1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "event-id-too-old")


@pytest.mark.parametrize("path", ["/v1/events", "{job}"])
def test_a_stream_ends_when_its_key_is_revoked(
    idle_server: Served, idle: httpx2.Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(job_events, "KEEP_ALIVE_S", 0.01)
    monkeypatch.setattr(workspace_events, "KEEP_ALIVE_S", 0.01)
    monkeypatch.setattr(job_events, "STILL_KNOWN_S", 0.05)
    job = post(idle)
    name = f"leaver-{job['id']}"
    with idle_server.client(name=name) as leaver, idle_server.client(Role.ADMIN, name="boss") as boss:
        [key] = [each for each in list_keys(idle_server.ctx, "default") if each.name == name]
        with leaver.stream("GET", path.format(job=job["links"]["events"]), headers=STREAM) as answer:
            assert answer.status_code == 200
            lines = answer.iter_lines()
            for _ in range(20):
                next(lines)
            assert boss.delete(f"/v1/keys/{key.id}").status_code == 200
            # What is not ended sends comments for ever.
            assert sum(1 for _, _ in zip(range(10_000), lines, strict=False)) < 10_000
