from __future__ import annotations

import uuid
from typing import Any

import httpx2
import pytest

from antiphon.domain.identity import Role
from antiphon.server.azure.routing import AzureRoute
from azure_wire import API_VERSION, SUBSCRIPTION, AzureWire
from served import Served


def _routes(server: Served) -> list[tuple[str, str]]:
    found = [(next(iter(r.methods or ())), r.path) for r in server.app.routes if isinstance(r, AzureRoute)]
    assert len(found) >= 17
    return sorted(found)


def _address(path: str, workspace: str, item: str = "x") -> str:
    names = {"{subscription}": SUBSCRIPTION, "{group}": "rg", "{workspace}": workspace, "{id}": item}
    for name, value in names.items():
        path = path.replace(name, value)
    return path


def _refused(answer: httpx2.Response) -> tuple[int, str]:
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]["message"]
    return answer.status_code, answer.json()["error"]["code"]


def test_no_route_opens_without_a_key(server: Served) -> None:
    with httpx2.Client(base_url=server.url, trust_env=False) as nobody:
        for method, path in _routes(server):
            answer = nobody.request(method, _address(path, "default"), params={"api-version": "1"})
            assert _refused(answer) == (401, "Unauthorized"), path


def test_a_wrong_key_opens_nothing(server: Served) -> None:
    headers = {"x-ms-quantum-api-key": server.key()[:-3] + "abc"}
    with httpx2.Client(base_url=server.url, headers=headers, trust_env=False) as nobody:
        answer = nobody.get(_address("/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Quantum"
                                     "/workspaces/default/jobs", "default"), params={"api-version": "1"})  # fmt: skip
    assert _refused(answer) == (401, "Unauthorized")


def test_the_clients_own_header_carries_the_key(server: Served) -> None:
    headers = {"x-ms-quantum-api-key": server.key(workspace="headers")}
    with (
        httpx2.Client(base_url=server.url, headers=headers, trust_env=False) as http,
        AzureWire(http, "headers") as wire,
    ):
        assert wire.items("/jobs") == []


def test_a_stranger_gets_through_no_route(server: Served, wire: AzureWire) -> None:
    job, session = wire.run(), wire.open_session()
    with server.client(Role.ADMIN, workspace="strangers", name="eve") as eve:
        for method, path in _routes(server):
            if "{workspace}" not in path:
                continue
            # Under the name of the workspace that is not theirs, nothing; under their own, nothing of it.
            for item in (job["id"], session["id"]):
                asked: dict[str, Any] = {
                    "params": {"api-version": "1"},
                    "json": {"target": "sim.auto", "containerName": "abc"},
                }
                theirs = eve.request(method, _address(path, wire.workspace, item), **asked)
                assert _refused(theirs) == (403, "AuthorizationFailed"), (method, path)
                own = eve.request(method, _address(path, "strangers", item), **asked)
                if "{id}" in path and method != "PUT":
                    assert own.status_code == 404, (method, path)
                elif method == "GET":
                    assert job["id"] not in own.text
                    assert session["id"] not in own.text
    assert wire.job(job["id"]) | {"containerUri": "", "inputDataUri": "", "outputDataUri": ""} == job | {
        "containerUri": "", "inputDataUri": "", "outputDataUri": "",
    }  # fmt: skip
    assert wire.session(session["id"]) == session


def test_a_stranger_cannot_take_input_from_anothers_container(server: Served, wire: AzureWire) -> None:
    job = wire.run()
    with (
        server.client(Role.ADMIN, workspace="strangers", name="eve") as client,
        AzureWire(client, "strangers") as eve,
    ):
        body = eve.job_body(job["containerUri"], inputDataUri=job["inputDataUri"])
        assert _refused(eve.call("PUT", f"/jobs/{uuid.uuid4()}", body)) == (400, "InvalidJobDefinition")


def test_two_workspaces_may_use_one_id(server: Served, wire: AzureWire) -> None:
    session_id = str(uuid.uuid4())
    wire.call("PUT", f"/sessions/{session_id}", {"name": "mine", "target": "sim.auto"})
    with server.client(workspace="strangers", name="eve") as client, AzureWire(client, "strangers") as eve:
        answer = eve.call("PUT", f"/sessions/{session_id}", {"name": "hers", "target": "sim.auto"})
        assert (answer.status_code, answer.json()["name"]) == (201, "hers")
    assert wire.session(session_id)["name"] == "mine"


def test_who_only_reads_changes_nothing(server: Served, wire: AzureWire) -> None:
    job = wire.run()
    with server.client(Role.VIEWER, workspace=wire.workspace) as client, AzureWire(client, wire.workspace) as viewer:
        assert viewer.job(job["id"])["status"] == "Succeeded"
        for method, path in (
            ("PUT", "/jobs/new"),
            ("PATCH", f"/jobs/{job['id']}"),
            ("DELETE", f"/jobs/{job['id']}"),
            ("POST", f"/jobs/{job['id']}:cancel"),
            ("PUT", "/sessions/new"),
            ("POST", "/sessions/new:close"),
        ):
            assert _refused(viewer.call(method, path, {"target": "sim.auto"})) == (403, "AuthorizationFailed")


def test_paths_are_found_whatever_their_case(wire: AzureWire) -> None:
    session = wire.open_session()
    path = f"{wire.root}/sessions/".upper() + session["id"]
    answer = wire.http.get(path, params={"api-version": API_VERSION})
    assert answer.status_code == 200
    assert answer.json() == session


def test_a_workspace_is_found_whatever_its_case(server: Served) -> None:
    with server.client(workspace="my-team", name="ada") as client, AzureWire(client, "My-Team") as wire:
        assert wire.items("/jobs") == []


def test_any_version_will_do_but_none_will_not(wire: AzureWire) -> None:
    assert wire.http.get(f"{wire.root}/jobs", params={"api-version": "1999-01-01"}).status_code == 200
    assert _refused(wire.http.get(f"{wire.root}/jobs")) == (400, "MissingApiVersionParameter")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("POST", "/jobs"), ("PUT", "/quotas"), ("GET", "/jobs/a/b/c")]
)
def test_what_the_protocol_does_not_have_is_told_in_its_own_shape(wire: AzureWire, method: str, path: str) -> None:
    assert _refused(wire.call(method, path)) == (404, "InvalidResourcePath")


def test_the_native_api_stands_beside_it(wire: AzureWire) -> None:
    job = wire.run(name="both")
    found = wire.http.get("/v1/jobs", params={"name": "both"}).json()
    assert [each["metadata"]["azure.job"] for each in found["jobs"]] == [job["id"]]
    assert wire.http.get("/v1/nothing").json()["code"] == "route-unknown"


def test_the_resource_manager_tells_where_the_workspace_is(wire: AzureWire, server: Served) -> None:
    answer = wire.call("GET", "")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["location"], found["name"]) == ("eastus", wire.workspace)
    assert found["id"] == wire.root.replace("/workspaces/", "/Workspaces/")
    assert found["properties"]["endpointUri"] == f"{server.url}/"
    assert found["properties"]["workspaceKind"] == "V2"


@pytest.mark.parametrize(("name", "count"), [(None, 1), ("another", 0)])
def test_the_resource_graph_finds_the_callers_workspace_alone(
    wire: AzureWire, server: Served, name: str | None, count: int
) -> None:
    query = (
        "Resources | where type =~ 'microsoft.quantum/workspaces' | where name =~ "
        f"'{name or wire.workspace}' | project name, subscriptionId, resourceGroup, location"
    )
    answer = wire.http.post(
        "/providers/Microsoft.ResourceGraph/resources", params={"api-version": "2021-03-01"}, json={"query": query}
    )
    assert answer.status_code == 200
    rows = answer.json()["data"]
    assert len(rows) == count
    if rows:
        assert set(rows[0]) == {
            "name", "subscriptionId", "resourceGroup", "location", "endpointUri", "workspaceKind",
        }  # fmt: skip
        assert rows[0]["endpointUri"] == f"{server.url}/"
    refused = wire.http.post(
        "/providers/Microsoft.ResourceGraph/resources", params={"api-version": "1"}, json={"query": "Resources"}
    )
    assert refused.status_code == 400


def test_a_managed_identity_is_the_key_that_was_brought(server: Served) -> None:
    key = server.key(workspace="identity")
    asked = {"api-version": "2019-08-01", "resource": "https://quantum.microsoft.com"}
    with httpx2.Client(base_url=server.url, trust_env=False) as http:
        given = http.get("/msi/token", params=asked, headers={"X-IDENTITY-HEADER": key})
        assert given.status_code == 200
        assert given.headers["cache-control"] == "no-store"
        token = given.json()
        assert (token["token_type"], token["resource"]) == ("Bearer", asked["resource"])
        assert int(token["expires_on"]) > server.ctx.clock.now() + 600
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        with (
            httpx2.Client(base_url=server.url, trust_env=False, headers=headers) as bearer,
            AzureWire(bearer, "identity") as wire,
        ):
            assert wire.items("/jobs") == []
        for wrong in ("", key[:-2], "nonsense"):
            answer = http.get("/msi/token", params=asked, headers={"X-IDENTITY-HEADER": wrong})
            assert _refused(answer) == (401, "Unauthorized")


def test_a_server_that_is_being_stopped_says_so_in_azures_words(server: Served, wire: AzureWire) -> None:
    server.services.draining = True
    try:
        answer = wire.call("PUT", "/sessions/late", {"target": "sim.auto"})
    finally:
        server.services.draining = False
    assert _refused(answer) == (503, "ServiceUnavailable")
    assert answer.headers["retry-after"]


def test_a_body_that_is_too_large_is_refused_in_azures_words(wire: AzureWire, server: Served) -> None:
    body = b"x" * (server.services.settings.max_body_bytes + 1)
    answer = wire.http.put(f"{wire.root}/jobs/x", content=body, params={"api-version": "1"})
    assert _refused(answer)[0] == 413
