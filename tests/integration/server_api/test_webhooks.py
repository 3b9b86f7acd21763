"""Webhooks over HTTP: made, listened to, rotated, replayed and removed, beside a server that sends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from typing import Any, get_args

import httpx2
import pytest

from antiphon.domain.identity import Role
from antiphon.domain.webhooks import EVENT_TYPES
from antiphon.server.api.webhook_resources import EventType
from programs import BELL
from receiver import Receiver, receiver
from served import Served

ANY = {"If-Match": "*"}
JOB = {"target": "sim.auto", "program": BELL, "shots": 10}
NUMBERS = count()


@pytest.fixture
def workspace() -> str:
    return f"hooked-{next(NUMBERS)}"


@pytest.fixture
def operator(server: Served, workspace: str) -> Iterator[httpx2.Client]:
    with server.client(Role.OPERATOR, workspace=workspace, name="olga") as client:
        yield client


@pytest.fixture
def receiving() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def make(api: httpx2.Client, url: str, **more: Any) -> dict[str, Any]:
    made = api.post("/v1/webhooks", json={"url": url, **more})
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"/v1/webhooks/{made.json()['id']}"
    assert made.headers["cache-control"] == "private, no-store"
    found: dict[str, Any] = made.json()
    return found


def ended(api: httpx2.Client, delivery: str) -> dict[str, Any]:
    """The delivery once it is not pending any more."""
    deadline = time.monotonic() + 20
    while True:
        found: dict[str, Any] = api.get(f"/v1/webhooks/deliveries/{delivery}").json()
        if found["status"] != "pending":
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def test_the_end_of_a_job_arrives_signed(operator: httpx2.Client, receiving: Receiver) -> None:
    hook = make(operator, receiving.url)
    job = operator.post("/v1/jobs", json=JOB).json()
    [came] = receiving.wait_for(1)
    came.verify(hook["secret"])
    assert (came.event["type"], came.event["subject"]) == ("job.succeeded", job["id"])
    for link in came.event["data"]["links"].values():
        assert operator.get(link).status_code == 200
    found = ended(operator, came.id)
    assert (found["status"], found["attempts"], found["last_status"]) == ("delivered", 1, 204)
    assert found["event"] == came.event


def test_a_job_of_another_workspace_is_never_told(
    server: Served, operator: httpx2.Client, receiving: Receiver, workspace: str
) -> None:
    hook = make(operator, receiving.url, events=["job.succeeded"])
    with server.client(workspace="others") as other:
        foreign = other.post("/v1/jobs", json=JOB).json()["id"]
    own = operator.post("/v1/jobs", json=JOB).json()["id"]
    operator.post(f"/v1/webhooks/{hook['id']}/test")
    came = receiving.wait_for(2)
    assert {each.event["subject"] for each in came} == {own, hook["id"]}
    listed = operator.get(f"/v1/webhooks/{hook['id']}/deliveries").text
    assert foreign not in listed
    assert own in listed
    assert {each.event["source"] for each in came} == {f"urn:antiphon:workspace:{workspace}"}


def test_the_secret_can_be_read_again_and_rotated(operator: httpx2.Client, receiving: Receiver) -> None:
    hook = make(operator, receiving.url)
    path = f"/v1/webhooks/{hook['id']}"
    assert operator.get(f"{path}/secret").json()["secret"] == hook["secret"]
    assert "secret" not in operator.get(path).json()
    assert hook["secret"] not in operator.get("/v1/webhooks").text
    rotated = operator.post(f"{path}/rotate").json()
    assert rotated["secret"] != hook["secret"]
    assert rotated["secret_version"] == 2
    operator.post(f"{path}/test")
    [came] = receiving.wait_for(1)
    came.verify(hook["secret"])
    came.verify(rotated["secret"])


def test_deliveries_are_read_page_by_page_and_replayed(operator: httpx2.Client, receiving: Receiver) -> None:
    hook = make(operator, receiving.url)
    path = f"/v1/webhooks/{hook['id']}"
    ids = [operator.post(f"{path}/test").json()["id"] for _ in range(5)]
    receiving.wait_for(5)
    for each in ids:
        ended(operator, each)
    first = operator.get(f"{path}/deliveries", params={"limit": 3}).json()
    second = operator.get(first["next"]).json()
    assert [each["id"] for each in first["deliveries"] + second["deliveries"]] == ids[::-1]
    assert second["next"] is None
    assert operator.get(f"{path}/deliveries", params={"status": "failed"}).json()["deliveries"] == []
    replayed = operator.post(f"/v1/webhooks/deliveries/{ids[0]}/replay")
    assert (replayed.status_code, replayed.headers["location"]) == (202, f"/v1/webhooks/deliveries/{ids[0]}")
    came = receiving.wait_for(6)
    assert came[-1].id == ids[0]
    assert sorted(receiving.handled()) == sorted(ids)
    bodies = {each.body for each in came if each.id == ids[0]}
    assert len(bodies) == 1


def test_a_disabled_webhook_is_told_nothing(operator: httpx2.Client, receiving: Receiver) -> None:
    hook = make(operator, receiving.url)
    path = f"/v1/webhooks/{hook['id']}"
    off = operator.patch(path, json={"enabled": False}, headers=ANY).json()
    assert (off["enabled"], off["disabled_because"]) == (False, "its owner disabled it")
    assert operator.post(f"{path}/test").json()["code"] == "webhook-disabled"
    operator.post("/v1/jobs", json=JOB)
    assert operator.get(f"{path}/deliveries").json()["deliveries"] == []
    on = operator.patch(path, json={"enabled": True, "events": ["session.ended", "job.failed"]}, headers=ANY).json()
    assert (on["enabled"], on["disabled_at"], on["events"]) == (True, None, ["job.failed", "session.ended"])
    assert operator.delete(path).status_code == 204
    assert operator.delete(path).status_code == 404
    assert operator.get(path).status_code == 404
    assert receiving.came == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:8000/", "webhook-address-refused"),
        ("http://[::1]/", "webhook-address-refused"),
        ("http://169.254.169.254/", "webhook-address-refused"),
        ("http://0x7f000001/", "webhook-address-refused"),
        ("http://[::ffff:127.0.0.1]/", "webhook-address-refused"),
        ("http://localhost/", "webhook-address-refused"),
        ("https://user:pass@8.8.8.8/", "webhook-url-invalid"),
        ("ftp://8.8.8.8/", "webhook-url-invalid"),
        ("http://nowhere.invalid/", "webhook-host-unknown"),
    ],
)
def test_a_private_address_is_refused(idle_server: Served, url: str, code: str) -> None:
    with idle_server.client(Role.OPERATOR) as api:
        refused = api.post("/v1/webhooks", json={"url": url})
        assert (refused.status_code, refused.json()["code"]) == (422, code)
        assert api.get("/v1/webhooks").json() == {"webhooks": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": ""},
        {"url": 5},
        {"url": "http://127.0.0.1:9/", "events": ["job.exploded"]},
        {"url": "http://127.0.0.1:9/", "secret": "mine"},
        {"url": "http://127.0.0.1:9/" + "a" * 3000},
        {"url": "http://127.0.0.1:9/\u0000"},
    ],
)
def test_a_body_of_no_webhook_is_refused(operator: httpx2.Client, body: dict[str, Any]) -> None:
    assert operator.post("/v1/webhooks", json=body).status_code == 422


def test_who_has_not_the_scope_may_not(server: Served, operator: httpx2.Client, workspace: str) -> None:
    hook = make(operator, "http://127.0.0.1:9/")
    path = f"/v1/webhooks/{hook['id']}"
    assert operator.patch(path, json={}, headers=ANY).status_code == 422
    with server.client(Role.SUBMITTER, workspace=workspace) as submitter:
        for method, route in (
            ("GET", "/v1/webhooks"),
            ("GET", path),
            ("GET", f"{path}/secret"),
            ("GET", f"{path}/deliveries"),
            ("POST", f"{path}/rotate"),
            ("POST", f"{path}/test"),
            ("DELETE", path),
        ):
            refused = submitter.request(method, route)
            assert (refused.status_code, refused.json()["code"]) == (403, "not-permitted"), route
        assert submitter.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/"}).status_code == 403
    for bad in ("deliveries", "whk_none", "a%00b"):
        assert operator.get(f"/v1/webhooks/{bad}").status_code == 404


def test_the_audit_log_tells_what_was_done_and_no_secret(operator: httpx2.Client) -> None:
    hook = make(operator, "http://127.0.0.1:9/services/T000/secret-path")
    path = f"/v1/webhooks/{hook['id']}"
    operator.get(f"{path}/secret")
    operator.post(f"{path}/rotate")
    operator.patch(path, json={"enabled": False}, headers=ANY)
    operator.delete(path)
    log = operator.get("/v1/audit", params={"action": "webhook."})
    assert [line["action"] for line in log.json()["entries"]] == [
        "webhook.remove",
        "webhook.change",
        "webhook.rotate",
        "webhook.show-secret",
        "webhook.create",
    ]
    assert {line["who"] for line in log.json()["entries"]} == {"olga"}
    assert "secret-path" not in log.text
    assert hook["secret"] not in log.text


def test_the_document_says_what_a_receiver_gets(server: Served) -> None:
    document = server.app.openapi()
    assert tuple(document["webhooks"]) == EVENT_TYPES == get_args(EventType)
    told = document["webhooks"]["job.failed"]["post"]
    assert {parameter["name"] for parameter in told["parameters"]} == {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
    schema = told["requestBody"]["content"]["application/cloudevents+json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/CloudEventView"}
    assert set(document["components"]["schemas"]["CloudEventView"]["required"]) >= {
        "id",
        "source",
        "type",
        "specversion",
    }


def test_deliveries_are_counted(server: Served, operator: httpx2.Client, receiving: Receiver) -> None:
    hook = make(operator, receiving.url)
    ended(operator, operator.post(f"/v1/webhooks/{hook['id']}/test").json()["id"])
    metrics = operator.get("/metrics").text
    assert 'antiphon_webhook_deliveries_total{outcome="delivered"}' in metrics
    assert hook["id"] not in metrics


def test_a_change_is_of_the_state_that_was_read(operator: httpx2.Client, receiving: Receiver) -> None:
    path = f"/v1/webhooks/{make(operator, receiving.url)['id']}"
    blind = operator.patch(path, json={"enabled": False})
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition-required")
    read = operator.get(path)
    changed = operator.patch(path, json={"enabled": False}, headers={"If-Match": read.headers["etag"]})
    assert (changed.status_code, changed.json()["enabled"]) == (200, False)
    late = operator.patch(path, json={"enabled": True}, headers={"If-Match": read.headers["etag"]})
    assert (late.status_code, late.json()["code"]) == (412, "precondition-failed")
    assert operator.get(path).json() == changed.json()
    both = {"If-Match": f'"other", {changed.headers["etag"]}'}
    assert operator.patch(path, json={"enabled": True}, headers=both).json()["enabled"]
