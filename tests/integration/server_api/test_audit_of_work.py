from __future__ import annotations

from typing import Any

import httpx2

from antiphon.domain.identity import Role
from antiphon.ports.access_store import AuditQuery
from served import Served

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
JOB = {"target": "sim.auto", "program": BELL, "shots": 10}
WORKSPACE = "audited"


def lines(server: Served, **filters: Any) -> list[tuple[str, str, str]]:
    with server.client(Role.ADMIN, workspace=WORKSPACE, name="auditor") as admin:
        answer = admin.get("/v1/audit", params={"who": "ada", **filters})
    assert answer.status_code == 200, answer.text
    entries = answer.json()["entries"]
    assert all(entry["where"] == "127.0.0.1" and entry["via"].startswith("key:") for entry in entries)
    return [(entry["action"], entry["subject"], entry["outcome"]) for entry in entries]


def ask(client: httpx2.Client, method: str, path: str, **more: Any) -> dict[str, Any]:
    answer = client.request(method, path, **more)
    assert answer.is_success, answer.text
    return dict(answer.json())


def test_who_does_what_with_jobs_and_sessions(idle_server: Served) -> None:
    with idle_server.client(workspace=WORKSPACE) as ada:
        job = ask(ada, "POST", "/v1/jobs", json=JOB, headers={"Idempotency-Key": '"once"'})["id"]
        assert ask(ada, "POST", "/v1/jobs", json=JOB, headers={"Idempotency-Key": '"once"'})["id"] == job
        ask(ada, "POST", f"/v1/jobs/{job}/cancel")
        ask(ada, "POST", f"/v1/jobs/{job}/cancel")
        closed = ask(ada, "POST", "/v1/sessions", json={"target": "sim.auto", "key": "s"})["id"]
        assert ask(ada, "POST", "/v1/sessions", json={"target": "sim.auto", "key": "s"})["id"] == closed
        ask(ada, "POST", f"/v1/sessions/{closed}/close")
        cancelled = ask(ada, "POST", "/v1/sessions", json={"target": "sim.auto"})["id"]
        ask(ada, "POST", f"/v1/sessions/{cancelled}/cancel")
        refused = ada.post("/v1/jobs", json={**JOB, "target": "sim.none"})
        assert refused.status_code == 404

    # Once each: a repeated request did nothing the second time, and a refused one nothing at all.
    assert lines(idle_server) == [
        ("session.cancel", cancelled, "ok"),
        ("session.open", cancelled, "ok"),
        ("session.close", closed, "ok"),
        ("session.open", closed, "ok"),
        ("job.cancel", job, "ok"),
        ("job.submit", job, "ok"),
    ]
    assert lines(idle_server, action="job.") == [("job.cancel", job, "ok"), ("job.submit", job, "ok")]
    assert lines(idle_server, action="session.close") == [("session.close", closed, "ok")]
    assert lines(idle_server, subject=job, action="job.submit") == [("job.submit", job, "ok")]


def test_a_replay_is_a_submit(server: Served) -> None:
    with server.client(workspace=WORKSPACE) as ada:
        first = ask(ada, "POST", "/v1/jobs", json={**JOB, "seed": 1})
        second = ask(ada, "POST", f"/v1/jobs/{first['id']}/replay")["id"]
    assert lines(server, action="job.submit") == [("job.submit", second, "ok"), ("job.submit", first["id"], "ok")]


def test_the_line_goes_with_what_it_is_about(server: Served) -> None:
    with server.client(workspace=WORKSPACE, name="grace") as grace:
        ask(grace, "POST", "/v1/jobs", json=JOB)
    with server.ctx.store.read() as tx:
        [line] = tx.audit(AuditQuery(WORKSPACE, who="grace"))
        [logged] = [event for event in tx.events(line.subject) if event.event == "submitted"]
    assert line.details == {"target": "sim.auto"}
    assert line.at >= logged.at
