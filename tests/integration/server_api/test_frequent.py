"""The short way of a submit and of a look at the status answers as the usual way does."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from served import Served

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
JOB = {"target": "sim.auto", "program": BELL, "shots": 10, "seed": 7}
OWN = {"id", "created_at", "started_at", "ended_at", "stages", "links", "version", "provenance", "result"}
PLAIN, USUAL = "application/json", "application/json; charset=utf-8"


def both(client: httpx2.Client, body: str, **headers: str) -> tuple[httpx2.Response, httpx2.Response]:
    short, usual = (
        client.post("/v1/jobs", content=body, headers={"Content-Type": kind, **headers}) for kind in (PLAIN, USUAL)
    )
    assert short.status_code == usual.status_code
    # The usual way refuses what is no JSON before it asks who sends it, so without a count; this one after.
    counts = {"ratelimit", "ratelimit-policy"}
    assert set(short.headers) - counts == set(usual.headers) - counts
    return short, usual


def route_of(server: Served, method: str, route: str) -> float:
    value = server.services.metrics.registry.get_sample_value(
        "antiphon_http_request_duration_seconds_count", {"method": method, "route": route}
    )
    return value or 0.0


def test_a_submit(api: httpx2.Client) -> None:
    short, usual = both(api, httpx2.Request("POST", "http://x", json=JOB).content.decode())
    assert short.status_code == 202
    assert {name: value for name, value in short.json().items() if name not in OWN} == {
        name: value for name, value in usual.json().items() if name not in OWN
    }
    assert short.json()["result"]["outcomes"] == usual.json()["result"]["outcomes"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '{"target": "sim.auto"}',
        '{"target": "sim.auto", "program": "x", "shots": NaN}',
        '{"target": "sim.auto", "program": "x", "surprise": 1}',
        '{"target": "sim.auto", "program": "\\ud800"}',
        '{"target": "sim.none", "program": "OPENQASM 3.0; qubit q;"}',
        '{"target": "sim.auto", "program": "no program"}',
        "[" * 100_000,
    ],
)
def test_a_refusal(api: httpx2.Client, body: str) -> None:
    short, usual = both(api, body)
    assert short.status_code in {400, 404, 422}
    told: list[dict[str, Any]] = [
        {name: value for name, value in answer.json().items() if name not in {"instance", "request_id"}}
        for answer in (short, usual)
    ]
    assert told[0] == told[1]


def test_a_request_that_is_passed_on_counts_once(server: Served) -> None:
    with server.client(name="counted") as client:
        left = [
            int(client.post("/v1/jobs", json={"target": "sim.auto"}).headers["RateLimit"].split(";")[1][2:])
            for _ in range(3)
        ]
    assert left == [left[0], left[0] - 1, left[0] - 2]


def test_a_key_names_one_job_whichever_way_it_comes(api: httpx2.Client) -> None:
    body = httpx2.Request("POST", "http://x", json=JOB).content.decode()
    short, usual = (
        api.post("/v1/jobs", content=body, headers={"Content-Type": kind, "Idempotency-Key": '"same way"'})
        for kind in (PLAIN, USUAL)
    )
    assert short.json()["id"] == usual.json()["id"]
    assert usual.headers["Idempotent-Replayed"] == "true"
    refused, too = both(api, body, **{"Idempotency-Key": '""'})
    assert refused.json()["code"] == too.json()["code"] == "idempotency-key-invalid"


def test_a_look_at_the_status(server: Served, api: httpx2.Client, idle: httpx2.Client) -> None:
    for client in (api, idle):
        job = client.post("/v1/jobs", json=JOB).json()["id"]
        short, usual = client.get(f"/v1/jobs/{job}/status"), client.get(f"/v1/jobs/{job}/status?wait=0")
        assert (short.status_code, short.json()) == (usual.status_code, usual.json())
        assert set(short.headers) == set(usual.headers)
    assert client.get("/v1/jobs/job_none/status").status_code == 404
    assert client.get("/v1/jobs/a%2Fb/status").status_code == 404
    assert client.get("/v1/jobs/job_none/status", headers={"Authorization": ""}).status_code == 401


def test_both_ways_are_one_route_in_the_metrics(server: Served, api: httpx2.Client) -> None:
    job = api.post("/v1/jobs", json=JOB).json()["id"]
    before = route_of(server, "GET", "/v1/jobs/{job_id}/status")
    api.get(f"/v1/jobs/{job}/status")
    api.get(f"/v1/jobs/{job}/status?wait=0")
    # The metric is counted once the answer has gone out.
    api.get("/livez")
    assert route_of(server, "GET", "/v1/jobs/{job_id}/status") == before + 2
