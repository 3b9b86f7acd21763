"""Queues, prices, quotes, reservations and allotments over HTTP: who may look, who decides, and what strangers see."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from antiphon.domain.identity import Role
from programs import BELL
from served import Served

JOB: dict[str, Any] = {"target": "sim.auto", "program": BELL, "shots": 50}
QUEUE = "/v1/targets/sim.statevector/queue"
PRICES = "/v1/targets/sim.statevector/prices"


def whole(answer: httpx2.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()
    return document


@pytest.fixture
def queued(server: Served) -> Iterator[httpx2.Client]:
    """An operator of the service; sim.statevector has one slot for the test."""
    with server.client(Role.OPERATOR, name="olga") as operator:
        whole(operator.patch(QUEUE, json={"slots": 1}, headers={"If-Match": "*"}))
        yield operator
        whole(operator.patch(QUEUE, json={"slots": None, "access": "shared"}, headers={"If-Match": "*"}))


def test_a_change_of_a_queue_says_which_state_it_is_of(queued: httpx2.Client) -> None:
    before = queued.get(QUEUE)
    change = {"access": "exclusive", "gap_s": 5}
    assert whole(queued.patch(QUEUE, json=change), 428)["code"] == "precondition-required"
    assert whole(queued.patch(QUEUE, json=change, headers={"If-Match": '"v0"'}), 412)["code"] == "precondition-failed"
    after = whole(queued.patch(QUEUE, json=change, headers={"If-Match": before.headers["ETag"]}))
    assert after["policy"]["access"] == "exclusive"
    assert (after["policy"]["gap_s"], after["policy"]["slots"]) == (5, 1)
    assert after["policy"]["version"] == before.json()["policy"]["version"] + 1
    assert after["policy"]["updated_by"] == "olga"
    view = whole(queued.get("/v1/targets/sim.statevector"))
    assert (view["slots"], view["access"]) == (1, "exclusive")
    bad = whole(queued.patch(QUEUE, json={"slots": None}, headers={"If-Match": "*"}), 422)
    assert bad["code"] == "queue-policy-invalid"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUBMITTER])
def test_members_look_and_do_not_decide(server: Served, role: Role) -> None:
    with server.client(role) as member:
        assert whole(member.get(QUEUE))["policy"]["updated_by"] == ""
        assert whole(member.get(PRICES))["target"] == "sim.statevector"
        for answer in (
            member.patch(QUEUE, json={"slots": 1}, headers={"If-Match": "*"}),
            member.put(PRICES, json={"currency": "EUR"}),
            member.put("/v1/allotments/default", json={"weight": 2}),
            member.get("/v1/allotments"),
            member.post("/v1/reservations", json=window()),
            member.delete("/v1/reservations/res_1"),
        ):
            assert whole(answer, 403)["code"] == "not-permitted"


def test_an_operator_of_a_team_does_not_decide_for_all(server: Served) -> None:
    with server.client(Role.ADMIN, workspace="team-q", name="tess") as team:
        for answer in (
            team.patch(QUEUE, json={"slots": 1}, headers={"If-Match": "*"}),
            team.put(PRICES, json={"currency": "EUR"}),
            team.put("/v1/allotments/team-q", json={"weight": 1e9}),
            team.post("/v1/reservations", json=window()),
        ):
            assert whole(answer, 403)["code"] == "operators-of-the-service-only"


def window(**more: Any) -> dict[str, Any]:
    start = time.time() + 86_400
    first, last = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in (start, start + 3_600))
    return {"target": "sim.statevector", "starts_at": first, "ends_at": last, **more}


def test_of_others_reservations_one_sees_when_and_not_whose(server: Served, queued: httpx2.Client) -> None:
    with server.client(workspace="team-q", name="tess") as team:
        booked = whole(queued.post("/v1/reservations", json=window(note="for the paper")), 201)
        overlapping = whole(queued.post("/v1/reservations", json=window(workspace="team-q")), 409)
        assert overlapping["code"] == "reservation-overlap"
        [seen] = whole(team.get("/v1/reservations", params={"target": "sim.statevector"}))["reservations"]
        assert seen["starts_at"] == booked["starts_at"]
        assert [seen[name] for name in ("id", "workspace", "note", "created_by")] == [None, None, "", None]
        assert whole(team.get(QUEUE))["next_reservation"] == seen
        assert whole(queued.get(QUEUE))["next_reservation"]["id"] == booked["id"]
        gone = whole(queued.delete(f"/v1/reservations/{booked['id']}"))
        assert gone["cancelled_at"] is not None
        assert whole(team.get("/v1/reservations"))["reservations"] == []
    assert whole(queued.delete("/v1/reservations/res_nothing"), 404)["code"] == "not-found"


def test_shares_of_others_are_not_told(server: Served, queued: httpx2.Client) -> None:
    with server.client(workspace="team-q", name="tess") as team:
        done = team.post("/v1/jobs", json={**JOB, "target": "sim.statevector"}, headers={"Prefer": "wait=30"})
        assert whole(done, 202)["status"] == "Succeeded"
        assert {each["workspace"] for each in whole(team.get(QUEUE))["shares"]} == {"team-q"}
    with server.client(workspace="team-r", name="rob") as others:
        assert whole(others.get(QUEUE))["shares"] == []
    assert "team-q" in {each["workspace"] for each in whole(queued.get(QUEUE))["shares"]}


def test_prices_quotes_and_bills(server: Served) -> None:
    target = "sim.mps"
    prices = f"/v1/targets/{target}/prices"
    body = {"program": BELL, "shots": 50}
    with server.client(Role.OPERATOR, name="olga") as operator, server.client() as api:
        version = whole(operator.get(prices))["version"]
        stored = whole(operator.put(prices, json={"currency": "EUR", "per_task": 1, "per_shot": 0.01}))
        assert stored["version"] == version + 1
        assert stored["prices"]["per_task"] == 1
        whole(operator.put(prices, json={"currency": "euros"}), 422)
        try:
            quote = whole(api.post(f"/v1/targets/{target}/quotes", json=body))
            assert quote["cost"]["p50"] == quote["cost"]["p95"] == pytest.approx(1.5)
            assert quote["currency"] == "EUR"
            advice = whole(api.post(f"/v1/targets/{target}/advice", json={**body, "jobs": 10, "classical_s": 1}))
            assert advice["cheapest"] == "batch"
            assert {each["way"]: each["bill"]["total"] for each in advice["options"]} == pytest.approx(
                {"batch": 6.0, "jobs": 15.0, "session": 15.0}
            )
            job = whole(api.post("/v1/jobs", json={**body, "target": target}, headers={"Prefer": "wait=30"}), 202)
            assert sum(line["amount"] for line in job["cost"]) == pytest.approx(1.5)
            assert whole(api.get(f"/v1/jobs/{job['id']}/expected"))["cost"]["p50"] == pytest.approx(1.5)
            before = len(whole(api.get("/v1/jobs"))["jobs"])
            whole(api.post(f"/v1/targets/{target}/quotes", json=body))
            assert len(whole(api.get("/v1/jobs"))["jobs"]) == before
            whole(api.post(f"/v1/targets/{target}/quotes", json={**body, "session_id": "ses_1"}), 404)
            whole(api.post("/v1/targets/nothing/quotes", json=body), 404)
            whole(api.post(f"/v1/targets/{target}/quotes", json={"program": "OPENQASM 3.0; nonsense"}), 422)
        finally:
            whole(operator.put(prices, json={"currency": "EUR"}))


def test_a_weight_is_given_to_a_workspace_that_is_there(server: Served) -> None:
    with server.client(Role.OPERATOR, name="olga") as operator:
        server.key(workspace="team-w")
        assert whole(operator.put("/v1/allotments/team-w", json={"weight": 3}))["weight"] == 3
        assert {"workspace": "team-w", "weight": 3} in whole(operator.get("/v1/allotments"))["allotments"]
        assert whole(operator.put("/v1/allotments/team-w", json={"weight": None}))["weight"] is None
        assert "team-w" not in {each["workspace"] for each in whole(operator.get("/v1/allotments"))["allotments"]}
        whole(operator.put("/v1/allotments/nobody-here", json={"weight": 3}), 404)
        whole(operator.put("/v1/allotments/team-w", json={"weight": -1}), 422)


def test_a_job_is_explained_and_shows_its_priority(server: Served) -> None:
    with server.client() as api:
        job = whole(api.post("/v1/jobs", json={**JOB, "priority": "High"}, headers={"Prefer": "wait=30"}), 202)
        assert job["priority"] == "High"
        assert (job["in_doubt"], job["yields"]) == (False, 0)
        told = whole(api.get(job["links"]["explanation"]))
        assert told["job_id"] == job["id"]
        assert told["words"].startswith(f"{job['id']} is Succeeded; it was started")
        assert whole(api.post("/v1/jobs", json={**JOB, "priority": "Urgent"}), 422)["errors"]


def test_only_jobs_in_doubt_are_resolved_and_only_the_service_says_what_a_provider_has(server: Served) -> None:
    with server.client(Role.OPERATOR, name="olga") as operator:
        job = whole(operator.post("/v1/jobs", json=JOB), 202)["id"]
        answer = operator.post(f"/v1/jobs/{job}/resolve", json={"arrived": False})
        assert whole(answer, 409)["code"] == "job-not-in-doubt"
        unnamed = operator.post(f"/v1/jobs/{job}/resolve", json={"arrived": True})
        assert whole(unnamed, 422)["code"] == "provider-id-missing"
    with server.client(Role.OPERATOR, workspace="team-q", name="tess") as team:
        own = whole(team.post("/v1/jobs", json=JOB), 202)["id"]
        answer = team.post(f"/v1/jobs/{own}/resolve", json={"arrived": True, "provider_id": "of-another"})
        assert whole(answer, 403)["code"] == "operators-of-the-service-only"
    with server.client() as submitter:
        assert submitter.post(f"/v1/jobs/{job}/resolve", json={"arrived": False}).status_code == 403


def test_limits_of_a_session_are_told_and_kept(server: Served) -> None:
    with server.client() as api:
        body = {"target": "sim.auto", "max_jobs": 1, "max_seconds": 60.0, "max_cost": 5.0}
        session = whole(api.post("/v1/sessions", json=body), 201)
        assert (session["max_jobs"], session["max_seconds"], session["max_cost"]) == (1, 60.0, 5.0)
        whole(api.post("/v1/jobs", json={**JOB, "session_id": session["id"]}, headers={"Prefer": "wait=30"}), 202)
        refused = whole(api.post("/v1/jobs", json={**JOB, "session_id": session["id"]}), 409)
        assert refused["code"] == "session-limit"
        after = whole(api.get(session["links"]["self"]))
        assert after["used_seconds"] > 0
        assert after["holding_since"] is None
