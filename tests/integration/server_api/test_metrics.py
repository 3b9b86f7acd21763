from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from antiphon.domain.identity import Role
from antiphon.server.settings import ServerSettings
from antiphon.server.telemetry.routes import are_open
from antiphon.server.telemetry.store_metrics import READ_EVERY_S
from programs import BELL
from served import Served, served

Sample = tuple[str, frozenset[tuple[str, str]]]


def scrape(url: str, key: str | None = None) -> dict[Sample, float]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = httpx2.get(f"{url}/metrics", headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def named(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


def ended(client: httpx2.Client, **body: object) -> str:
    answer = client.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, **body})
    assert answer.status_code == 202, answer.text
    path = answer.headers["Content-Location"]
    while not (job := client.get(f"{path}/status?wait=10", follow_redirects=False)).is_redirect:
        if job.json()["status"] in {"Failed", "Cancelled"}:
            break
    return path.rpartition("/")[2]


def test_jobs_are_counted_where_they_end(tmp_path: Path) -> None:
    with served(tmp_path, inline_seconds=0.1) as server, server.client() as client:
        ended(client, shots=100)
        ended(client, shots=11, execution="process")
        again = {"target": "sim.auto", "program": BELL, "shots": 5}
        for _ in range(3):
            client.post("/v1/jobs", json=again, headers={"Idempotency-Key": '"one"'})
        found = scrape(server.url)
        assert found[named("antiphon_jobs_submitted_total", target="sim.auto", kind="sample")] == 3
        outcome = named("antiphon_jobs_finished_total", target="sim.auto", outcome="succeeded", reason_code="")
        assert found[outcome] == 3
        assert found[named("antiphon_shots_total", target="sim.auto")] == 116
        assert found[named("antiphon_qpu_seconds_total", target="sim.auto")] > 0
        for stage in ("compile", "queue", "execute", "reconcile"):
            count = found[named("antiphon_job_stage_duration_seconds_count", stage=stage, target="sim.auto")]
            assert count == 3, stage
        assert not any(name == "workspace" for _, labels in found for name, _ in labels)


def test_a_cancelled_job_has_its_reason(tmp_path: Path) -> None:
    with served(tmp_path, workers=0, inline_seconds=0) as server, server.client() as client:
        job = client.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 9})
        client.post(f"{job.headers['Content-Location']}/cancel")
        found = scrape(server.url)
        reason = {"target": "sim.auto", "outcome": "cancelled", "reason_code": "job-cancelled"}
        assert found[named("antiphon_jobs_finished_total", **reason)] == 1
        # It never ran.
        assert found.get(named("antiphon_shots_total", target="sim.auto"), 0) == 0
        assert named("antiphon_job_stage_duration_seconds_count", stage="execute", target="sim.auto") not in found


def test_gauges_are_of_the_store_and_of_every_workspace(tmp_path: Path) -> None:
    with (
        served(tmp_path, workers=0, inline_seconds=0, metrics_by_workspace=True) as server,
        server.client() as client,
        server.client(Role.ADMIN, workspace="other", name="root") as other,
    ):
        for each in (client, other):
            each.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 10})
        other.post("/v1/sessions", json={"target": "sim.mps"})
        other.post("/v1/quotas", json={"dimension": "shots", "limit": 40, "period": "day"})
        other.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 10})
        deadline = time.monotonic() + 20 * READ_EVERY_S
        while (found := scrape(server.url))[named("antiphon_queue_depth", target="sim.auto")] != 3:
            assert time.monotonic() < deadline
        assert found[named("antiphon_store_up")] == 1
        assert found[named("antiphon_queue_depth", target="sim.mps")] == 0
        assert found[named("antiphon_jobs_running", target="sim.auto")] == 0
        assert found[named("antiphon_queue_oldest_age_seconds", target="sim.auto")] > 0
        assert found[named("antiphon_session_active", target="sim.mps")] == 1
        assert found[named("antiphon_target_up", target="sim.auto")] == 1
        quota = {"dimension": "shots", "target": "", "workspace": "other"}
        assert found[named("antiphon_quota_used_ratio", **quota)] == 0.25
        mine = {"target": "sim.auto", "kind": "sample", "workspace": "other"}
        assert found[named("antiphon_jobs_submitted_total", **mine)] == 2
        worker = named("antiphon_worker_last_heartbeat_timestamp_seconds", worker=server.ctx.engine_id)
        assert found[worker] == pytest.approx(time.time(), abs=60)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("closed"), metrics_open=False) as server:
        yield server


def test_metrics_that_are_not_open_need_an_operators_key(closed: Served) -> None:
    answer = httpx2.get(f"{closed.url}/metrics", trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (401, "credential-missing")
    assert "antiphon_" not in answer.text
    assert scrape(closed.url, closed.key(Role.OPERATOR))[named("antiphon_store_up")] == 1
    for role, workspace in [(Role.SUBMITTER, "default"), (Role.ADMIN, "other")]:
        with closed.client(role, workspace=workspace) as client:
            answer = client.get("/metrics")
            assert (answer.status_code, answer.json()["code"]) == (403, "not-permitted")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, True),
        ({"host": "::1"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"behind_proxy": True}, False),
        ({"host": "0.0.0.0", "metrics_open": True}, True),
        ({"metrics_open": False}, False),
    ],
)
def test_who_may_read_metrics(settings: dict[str, object], expected: bool) -> None:
    assert are_open(ServerSettings.model_validate(settings)) is expected


def test_queues_are_told_by_priority_with_holds_waits_and_what_was_paid(tmp_path: Path) -> None:
    target = "sim.statevector"
    body = {"target": target, "program": BELL, "shots": 50}
    with served(tmp_path, workers=0, inline_seconds=0) as server, server.client(Role.OPERATOR) as client:
        price = {"currency": "EUR", "per_task": 0.25}
        assert client.put(f"/v1/targets/{target}/prices", json=price).status_code == 200
        assert client.patch(f"/v1/targets/{target}/queue", json={"slots": 1}, headers={"If-Match": "*"}).is_success
        for priority in ("High", "Standard", "Standard"):
            assert client.post("/v1/jobs", json={**body, "priority": priority}).is_success
        session = client.post("/v1/sessions", json={"target": target}).json()["id"]
        assert client.post("/v1/jobs", json={**body, "session_id": session}).is_success
        time.sleep(1.1 * READ_EVERY_S)
        found = scrape(server.url)
        for priority, in_session, jobs in (("High", "false", 1), ("Standard", "false", 2), ("Standard", "true", 1)):
            labels = {"target": target, "priority": priority, "in_session": in_session}
            assert found[named("antiphon_queue_waiting", **labels)] == jobs
        assert found[named("antiphon_queue_held", target=target)] == 0
    with served(tmp_path) as server, server.client(Role.OPERATOR) as client:
        jobs = client.get("/v1/jobs").json()["jobs"]
        for job in jobs:
            assert client.get(f"/v1/jobs/{job['id']}", params={"wait": 30}).json()["status"] == "Succeeded"
        found = scrape(server.url)
        assert found[named("antiphon_cost_total", target=target, currency="EUR")] == 1.0
        assert found[named("antiphon_queue_wait_seconds_count", target=target, priority="High")] == 1
        assert found[named("antiphon_queue_wait_seconds_count", target=target, priority="Standard")] == 3
