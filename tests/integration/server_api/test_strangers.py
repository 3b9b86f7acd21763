"""A key of another workspace, or of none: walked over every route there is, so that a new one is caught."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from antiphon.domain.identity import Role
from programs import BELL
from served import Served

OPEN = {"/livez", "/readyz", "/healthz", "/metrics", "/v1/openapi.json"}


def routes(server: Served) -> Iterator[tuple[str, str]]:
    document = server.app.openapi()
    for path, operations in document["paths"].items():
        for method in operations:
            yield method.upper(), path


def test_every_route_is_in_the_document(server: Served) -> None:
    known = {(method, path) for method, path in routes(server)}
    served_routes = {
        (method, str(route.path_format))
        for route in iter_route_contexts(server.app.routes)
        for method in route.methods or ()
    }
    assert {(method, path) for method, path in served_routes if path not in OPEN and method != "HEAD"} == {
        (method, path) for method, path in known if path not in OPEN
    }
    assert len(known) >= 40


@pytest.fixture(scope="module")
def theirs(server: Served) -> dict[str, str]:
    """Ids of things in the workspace "default", by the names that paths have for them."""
    with server.client(Role.ADMIN, name="root") as admin:
        session = admin.post("/v1/sessions", json={"target": "sim.auto"}).json()
        job = admin.post(
            "/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 5, "session_id": session["id"]}
        ).json()
        replay = admin.post(job["links"]["replay"]).json()
        key = admin.get("/v1/keys").json()["keys"][0]["id"]
        quota = admin.post("/v1/quotas", json={"dimension": "shots", "limit": 10**9, "period": "day"}).json()
        member = admin.put("/v1/members/eve@example.com", json={"name": "Eve", "role": "viewer"})
        assert member.status_code < 300, member.text
        webhook = admin.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/", "events": ["session.ended"]}).json()
        delivery = admin.post(f"/v1/webhooks/{webhook['id']}/test").json()
    return {
        "job_id": job["id"],
        "replay_id": replay["id"],
        "session_id": session["id"],
        "key_id": key,
        "quota_id": quota["id"],
        "webhook_id": webhook["id"],
        "delivery_id": delivery["id"],
        "subject": "eve@example.com",
        "name": "sim.auto",
        "reservation_id": "res_of-others",
        "workspace": "default",
    }


FOR_OPERATORS = {
    ("PATCH", "/v1/targets/{name}/queue"): {"slots": 1},
    ("PUT", "/v1/targets/{name}/prices"): {"currency": "EUR"},
    ("PUT", "/v1/targets/{name}/badge"): {
        "version": "1",
        "antiphon": "1",
        "passed": 1,
        "not_applicable": 0,
        "failed": [],
    },
    ("PUT", "/v1/allotments/{workspace}"): {"weight": 1e9},
    ("DELETE", "/v1/reservations/{reservation_id}"): None,
}
"""What all workspaces share: only who runs the service decides about it, whatever the role in another workspace."""


def test_a_stranger_decides_nothing_that_all_share(server: Served, theirs: dict[str, str]) -> None:
    assert set(FOR_OPERATORS) <= set(routes(server))
    with server.client(Role.ADMIN, workspace="strangers", name="mallory") as stranger:
        for (method, path), body in FOR_OPERATORS.items():
            answer = stranger.request(method, _filled(path, theirs), json=body, headers={"If-Match": "*"})
            assert answer.status_code == 403, (method, path, answer.text)
            assert answer.json()["code"] == "operators-of-the-service-only", (method, path)
        assert stranger.get("/v1/allotments").status_code == 403


def _filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace("{" + name + "}", value)
    assert "{" not in path, f"this test does not know what fills {path}"
    return path


def test_a_stranger_finds_nothing(server: Served, theirs: dict[str, str]) -> None:
    with server.client(Role.ADMIN, workspace="strangers", name="mallory") as stranger:
        tried = 0
        for method, path in routes(server):
            if "{" not in path or path.startswith("/v1/targets/{name}") or (method, path) in FOR_OPERATORS:
                continue
            bodies: dict[str, Any] = {"PUT": {"name": "Eve", "role": "viewer"}, "PATCH": {"enabled": False}}
            if path.endswith("/resolve"):
                bodies["POST"] = {"arrived": False}
            if method == "PUT" and "{subject}" in path:
                continue  # it makes a member of the caller's own workspace
            answer = stranger.request(method, _filled(path, theirs), json=bodies.get(method))
            assert answer.status_code == 404, (method, path, answer.text)
            assert answer.json()["code"] == "not-found", (method, path)
            tried += 1
        assert tried >= 15
        assert stranger.get("/v1/jobs").json()["jobs"] == []
        assert stranger.get("/v1/sessions").json()["sessions"] == []
        for query in ({"id_prefix": theirs["job_id"]}, {"session_id": theirs["session_id"]}):
            assert stranger.get("/v1/jobs", params=query).json()["jobs"] == []
        joined = stranger.post(
            "/v1/jobs", json={"target": "sim.auto", "program": BELL, "session_id": theirs["session_id"]}
        )
        assert joined.status_code == 404
    with server.client(Role.ADMIN, name="root") as admin:
        assert admin.get(f"/v1/sessions/{theirs['session_id']}").json()["accepting_jobs"] is True
        assert admin.get(f"/v1/keys/{theirs['key_id']}").status_code == 200


def test_nobody_gets_in_without_a_key(server: Served, theirs: dict[str, str]) -> None:
    with httpx2.Client(base_url=server.url, trust_env=False) as nobody:
        for method, path in routes(server):
            if path in OPEN:
                continue
            answer = nobody.request(method, _filled(path, theirs))
            # A body that is missing may be told before the key is asked for; nothing else is.
            assert answer.status_code in {401, 429} or (answer.status_code == 422 and method in {"POST", "PUT"}), (
                method,
                path,
                answer.status_code,
            )
            if answer.status_code == 401:
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_cursor_of_another_workspace_shows_nothing_of_it(server: Served, theirs: dict[str, str]) -> None:
    with server.client() as api:
        for _ in range(2):
            api.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 1})
        more = api.get("/v1/jobs", params={"limit": 1}).json()["next"]
    with server.client(workspace="strangers") as stranger:
        assert stranger.get(more).json()["jobs"] == []


def test_what_a_stranger_calls_the_same_program_stays_theirs(server: Served) -> None:
    """Programs are stored by content, once for everybody; what somebody calls one is not content."""
    for workspace, name in (("first-with-it", "merger with initech"), ("second-with-it", "homework")):
        with server.client(workspace=workspace) as client:
            body = {"target": "sim.auto", "program": {"source": BELL + "// shared", "name": name}, "shots": 1}
            job = client.post("/v1/jobs", json=body).json()
            [program] = client.get(job["links"]["record"]).json()["programs"].values()
            assert program["name"] == job["name"] == name
