from __future__ import annotations

import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from antiphon.client.wire.facts import session_from_json, target_from_json
from antiphon.domain.jobs import JobStatus
from antiphon.server.api.resources import JobList, RootView, SessionList, SessionView
from antiphon.server.api.target_resources import TargetList, TargetView
from programs import BELL, ENDLESS
from served import Served, served


def walk(api: httpx2.Client, address: str, what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = api.get(address)
        page = answer.json()
        found += page[what]
        if page["next"] is None:
            assert "Link" not in answer.headers
            return found
        assert answer.headers["Link"] == f'<{page["next"]}>; rel="next"'
        assert answer.links["next"]["url"] == page["next"]
        address = page["next"]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with served(tmp_path_factory.mktemp("many"), inline_seconds=0, workers=0) as running, running.client() as api:
        ids = [
            api.post(
                "/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 1, "name": f"n{index % 2}"}
            ).json()["id"]
            for index in range(250)
        ]
        yield running, api, ids


@pytest.mark.parametrize(("order", "limit"), [("asc", 100), ("desc", 100), ("desc", 7), ("asc", 250), ("asc", 249)])
def test_a_walk_sees_every_job_once(many: tuple[Served, httpx2.Client, list[str]], order: str, limit: int) -> None:
    _, api, ids = many
    found = walk(api, f"/v1/jobs?order={order}&limit={limit}", "jobs")
    assert [job["id"] for job in found] == (ids if order == "asc" else ids[::-1])


def test_a_list_leaves_out_what_is_told_of_each_program(tmp_path: Path) -> None:
    with served(tmp_path / "lab", inline_seconds=10.0) as running, running.client() as api:

        def submitted(count: int) -> dict[str, Any]:
            body = {"target": "emu.manila", "programs": [BELL] * count, "shots": 5}
            return api.post("/v1/jobs", json=body).raise_for_status().json()  # type: ignore[no-any-return]

        few, many = submitted(2), submitted(200)
        whole = api.get(f"/v1/jobs/{many['id']}").json()
        listed, short = api.get("/v1/jobs").json()["jobs"]
        JobList.model_validate({"jobs": [listed, short], "next": None})
        assert len(whole["provenance"]["compiled"]) == len(whole["provenance"]["plan"]["details"]["programs"]) == 200
        assert {name for name in whole if whole[name] != listed[name]} == {"provenance"}
        assert "compiled" not in listed["provenance"]
        assert listed["provenance"]["plan"]["details"].keys() == whole["provenance"]["plan"]["details"].keys() - {
            "programs"
        }
        # What is left grows by the pubs alone, which clients need to read results.
        grown = len(json.dumps(listed)) - len(json.dumps(short))
        assert grown < 1.15 * (len(json.dumps(listed["pubs"])) - len(json.dumps(short["pubs"])))
        assert few["id"] == short["id"]


def test_a_walk_keeps_its_filters(many: tuple[Served, httpx2.Client, list[str]]) -> None:
    _, api, ids = many
    assert [job["id"] for job in walk(api, "/v1/jobs?name=n1&order=asc&limit=40&status=waiting", "jobs")] == ids[1::2]


def test_new_jobs_do_not_disturb_a_walk(many: tuple[Served, httpx2.Client, list[str]]) -> None:
    _, api, ids = many
    first = api.get("/v1/jobs", params={"limit": 5, "name": "n0"}).json()
    late = api.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 1, "name": "late"}).json()
    rest = walk(api, first["next"], "jobs")
    assert [job["id"] for job in first["jobs"] + rest] == ids[:250:2][::-1]
    assert late["id"] not in {job["id"] for job in rest}
    ids.append(late["id"])


def test_jobs_are_found_by_what_they_are(many: tuple[Served, httpx2.Client, list[str]]) -> None:
    _, api, ids = many
    JobList.model_validate(api.get("/v1/jobs", params={"limit": 3}).json())
    assert [job["id"] for job in api.get("/v1/jobs", params={"id_prefix": ids[3]}).json()["jobs"]] == [ids[3]]
    assert api.get("/v1/jobs", params={"target": "sim.mps"}).json() == {"jobs": [], "next": None}
    third = api.get(f"/v1/jobs/{ids[2]}").json()["created_at"]
    before = walk(api, f"/v1/jobs?created_before={third}&order=asc", "jobs")
    assert [job["id"] for job in before] == [each for each in ids[:3] if each in {job["id"] for job in before}]
    assert {ids[0], ids[1]} <= {job["id"] for job in before}
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    assert api.get("/v1/jobs", params={"created_after": tomorrow.isoformat()}).json()["jobs"] == []


def test_every_status_is_findable(api: httpx2.Client, idle: httpx2.Client) -> None:
    body = {"target": "sim.auto", "program": BELL, "shots": 1}
    for client in (api, idle):
        client.post("/v1/jobs", json=body)
    running = api.post("/v1/jobs", json={**body, "program": ENDLESS}).json()
    while api.get(running["links"]["status"], params={"wait": 5, "known_version": 1}).json()["status"] == "Waiting":
        pass
    found = {
        status
        for client in (api, idle)
        for status in JobStatus
        for job in client.get("/v1/jobs", params={"status": status.value}).json()["jobs"]
        if job["status"] == status.value
    }
    assert {JobStatus.WAITING, JobStatus.EXECUTING, JobStatus.SUCCEEDED} <= found
    for status in JobStatus:
        for client in (api, idle):
            answer = client.get("/v1/jobs", params={"status": status.value.upper()})
            assert answer.status_code == 200
            assert {job["status"] for job in answer.json()["jobs"]} <= {status.value}
    api.post(running["links"]["cancel"])
    assert api.get(running["links"]["status"], params={"wait": 30}).status_code == 303
    assert api.get("/v1/jobs", params={"status": "Cancelled"}).json()["jobs"][0]["id"] == running["id"]


def test_the_entrance_says_who_is_there(api: httpx2.Client) -> None:
    root = api.get("/v1").json()
    RootView.model_validate(root)
    assert (root["workspace"], root["who"], root["role"]) == ("default", "ada", "submitter")
    for name, link in root["links"].items():
        if name != "events":
            assert api.get(link).status_code == 200, name


def test_targets_tell_their_queue(tmp_path: Path) -> None:
    with served(tmp_path, inline_seconds=0, workers=0) as running, running.client() as api:
        for _ in range(3):
            api.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 1})
        listed = api.get("/v1/targets").json()
        TargetList.model_validate(listed)
        target = api.get("/v1/targets/sim.auto").json()
        TargetView.model_validate(target)
        assert target in listed["targets"]
        assert (target["queue_depth"], target["running"]) == (3, 0)
        assert 0.0 < target["expected_wait"] < 1.0  # three jobs planned to take next to nothing
        assert target_from_json(target).info == running.ctx.drivers["sim.auto"].info
        other = next(each for each in listed["targets"] if each["name"] != "sim.auto")
        assert (other["queue_depth"], other["expected_wait"]) == (0, 0.02)  # nothing waits there, and it is idle
        assert {each["name"] for each in listed["targets"]} == set(running.ctx.drivers)
        missing = api.get("/v1/targets/sim.autoo")
        assert (missing.status_code, missing.json()["solution"]) == (404, "Did you mean 'sim.auto'?")


def test_a_session_is_opened_joined_and_closed(idle: httpx2.Client) -> None:
    body = {"target": "sim.auto", "name": "vqe", "failure_policy": "continue", "idle_limit_s": 60}
    opened = idle.post("/v1/sessions", json=body, headers={"Idempotency-Key": '"loop"'})
    assert opened.status_code == 201
    session = opened.json()
    SessionView.model_validate(session)
    assert opened.headers["Location"] == session["links"]["self"] == f"/v1/sessions/{session['id']}"
    joined = idle.post("/v1/sessions", json={**body, "key": "loop"})
    assert (joined.status_code, joined.json()["id"]) == (200, session["id"])
    assert session_from_json(session).idle_limit_s == 60

    jobs = [
        idle.post(
            "/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 1, "session_id": session["id"]}
        ).json()
        for _ in range(3)
    ]
    assert jobs[0]["links"]["session"] == session["links"]["self"]
    listed = walk(idle, f"{session['links']['jobs']}?limit=2", "jobs")
    assert [job["id"] for job in listed] == [job["id"] for job in jobs[::-1]]
    assert idle.get("/v1/jobs", params={"session_id": session["id"]}).json()["jobs"] == listed
    shown = idle.get(session["links"]["self"])
    assert (shown.json()["pending"], shown.json()["jobs"]) == (3, 3)
    assert idle.get(session["links"]["self"], headers={"If-None-Match": shown.headers["ETag"]}).status_code == 304

    closed = idle.post(session["links"]["close"])
    assert (closed.status_code, closed.json()["accepting_jobs"]) == (200, False)
    refused = idle.post(
        "/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 1, "session_id": session["id"]}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "session-ended")
    cancelled = idle.post(session["links"]["cancel"])
    assert cancelled.json()["pending"] == 0
    events = idle.get(session["links"]["events"]).json()
    assert [events[0]["event"], events[-1]["status"]] == ["opened", cancelled.json()["status"]]
    anew = idle.post("/v1/sessions", json={**body, "key": "loop"})
    assert (anew.status_code, anew.json()["id"] == session["id"]) == (201, False)
    other = idle.post("/v1/sessions", json={"target": "sim.mps", "key": "loop"})
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")


def test_sessions_come_in_pages(tmp_path: Path) -> None:
    with served(tmp_path, workers=0) as running, running.client() as api:
        ids = [api.post("/v1/sessions", json={"target": "sim.auto"}).json()["id"] for _ in range(7)]
        SessionList.model_validate(api.get("/v1/sessions").json())
        assert [each["id"] for each in walk(api, "/v1/sessions?limit=3&status=waiting", "sessions")] == ids[::-1]
        assert api.get("/v1/sessions", params={"status": "Failure(s)"}).json()["sessions"] == []
        assert api.get("/v1/sessions", params={"status": "x"}).status_code == 422
        assert [s["id"] for s in api.get("/v1/sessions", params={"id_prefix": ids[2]}).json()["sessions"]] == [ids[2]]


def test_a_session_of_another_is_closed_by_an_operator_alone(idle_server: Served, idle: httpx2.Client) -> None:
    session = idle.post("/v1/sessions", json={"target": "sim.auto"}).json()
    with idle_server.client(name="bob") as bob:
        for action in ("close", "cancel"):
            assert bob.post(session["links"][action]).status_code == 403
    assert idle.get(session["links"]["self"]).json()["accepting_jobs"] is True


def test_twenty_sessions_at_once_with_one_key_are_one(idle: httpx2.Client) -> None:
    answers: list[httpx2.Response] = []
    body = {"target": "sim.auto", "key": "crowd"}
    threads = [threading.Thread(target=lambda: answers.append(idle.post("/v1/sessions", json=body))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
