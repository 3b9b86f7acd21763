from __future__ import annotations

import gzip
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from antiphon.domain.identity import Role
from antiphon.domain.jobs import Job, JobStatus
from antiphon.engine.prices import set_prices
from azure_wire import BELL, AzureWire
from qir_divisions import DIVISIONS
from served import Served

FIELDS = {
    "id", "name", "itemType", "jobType", "providerId", "target", "sessionId", "status", "isCancelling", "containerUri",
    "inputDataUri", "inputDataFormat", "inputParams", "outputDataUri", "outputDataFormat", "metadata", "creationTime",
    "beginExecutionTime", "endExecutionTime", "cancellationTime", "lastModifiedTime", "lastUpdatedTime", "errorData",
    "costEstimate", "quantumComputingData", "usage", "createdBy", "createdByType", "lastModifiedBy",
    "lastModifiedByType", "priority", "jobPriority", "tags",
}  # fmt: skip


def test_a_job_from_upload_to_result(wire: AzureWire, server: Served) -> None:
    answer = wire.submit(
        inputParams={"shots": 40, "own": {"a": [1, None]}}, metadata={"qubits": 2, "b": True, "c": "x"}
    )
    assert answer.status_code == 201
    sent = answer.json()
    assert set(sent) == FIELDS
    assert sent["status"] == "Waiting"
    assert sent["quantumComputingData"] is sent["beginExecutionTime"] is sent["endExecutionTime"] is None
    assert not any("sig=" in sent[uri] for uri in ("containerUri", "inputDataUri", "outputDataUri"))

    job = wire.ended(sent["id"])
    assert set(job) == FIELDS
    assert job["status"] == "Succeeded"
    assert job["inputParams"] == {"shots": 40, "own": {"a": [1, None]}}
    assert job["metadata"] == {"qubits": "2", "b": "true", "c": "x"}
    assert (job["inputDataFormat"], job["outputDataFormat"]) == (
        "honeywell.openqasm.v1",
        "honeywell.quantum-results.v1",
    )
    assert (job["providerId"], job["jobType"], job["priority"], job["tags"]) == (
        "antiphon",
        "QuantumComputing",
        "Standard",
        [],
    )
    assert (job["createdBy"], job["createdByType"]) == ("ada", "Key")
    assert job["quantumComputingData"] == {"count": 1}
    assert job["creationTime"].endswith("Z")
    assert "T" in job["creationTime"]
    assert job["outputDataUri"].partition("?")[0].endswith("/rawOutputData")

    result = wire.blobs.get(job["outputDataUri"])
    assert result.status_code == 200
    shots = result.json()["c"]
    assert len(shots) == 40
    assert set(shots) <= {"00", "11"}
    assert wire.blobs.get(job["inputDataUri"]).content == BELL

    with server.ctx.store.read() as tx:
        item = tx.azure_item(wire.workspace, "Job", job["id"])
        assert item is not None
        ours = tx.job(item.subject, workspace=wire.workspace)
    assert ours is not None
    assert (ours.name, ours.created_by, ours.spec.metadata["azure.job"]) == ("bell", "ada", job["id"])


def test_the_same_id_again_gives_the_first_job(wire: AzureWire) -> None:
    job_id = str(uuid.uuid4())
    container = wire.upload(job_id, BELL)
    first = wire.call("PUT", f"/jobs/{job_id}", wire.job_body(container))
    wire.ended(job_id)
    again = wire.call("PUT", f"/jobs/{job_id}", wire.job_body(container, name="another"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert wire.names("/jobs") == ["bell"]


def test_twenty_at_once_under_one_id_make_one_job(wire: AzureWire) -> None:
    job_id = str(uuid.uuid4())
    body = wire.job_body(wire.upload(job_id, BELL))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: wire.call("PUT", f"/jobs/{job_id}", body), range(20)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert [answer.status_code for answer in answers].count(201) == 1
    assert len({answer.json()["creationTime"] for answer in answers}) == 1
    assert wire.names("/jobs") == ["bell"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"inputDataFormat": "qir.v1"}, "qir-invalid"),
        ({"inputDataFormat": "rigetti.quil.v1"}, "input-format-unknown"),
        ({"inputDataFormat": ""}, "input-format-unknown"),
        ({"inputParams": {"shots": -1}}, None),
        ({"inputParams": {"shots": 10**30}}, None),
        ({"inputParams": [1, 2]}, "input-params-invalid"),
        ({"outputDataFormat": "poetry.v1"}, "output-format-unknown"),
    ],
)
def test_a_program_that_cannot_run_is_a_failed_job_that_says_why(
    wire: AzureWire, changes: dict[str, Any], code: str | None
) -> None:
    job = wire.run(**changes)
    assert job["status"] == "Failed"
    assert job["errorData"]["message"]
    assert code is None or job["errorData"]["code"] == code
    assert job["outputDataUri"].partition("?")[0].endswith("/outputData")
    assert wire.blobs.get(job["outputDataUri"]).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"target": "no.such"}, 404, "ResourceNotFound"),
        ({"providerId": "ionq"}, 404, "ResourceNotFound"),
        ({"sessionId": "none"}, 400, "InvalidJobDefinition"),
        ({"containerUri": "http://x/other/other", "inputDataUri": ""}, 400, "InvalidJobDefinition"),
        ({"inputDataUri": "http://169.254.169.254/latest/meta-data"}, 400, "InvalidJobDefinition"),
        ({"inputDataUri": "file:///etc/passwd", "containerUri": ""}, 400, "InvalidJobDefinition"),
        ({"target": None}, 400, "InvalidRequestBody"),
        ({"name": "a\0b"}, 400, "InvalidRequestBody"),
        ({"priority": "Urgent"}, 400, "InvalidRequestBody"),
        ({"tags": "a"}, 400, "InvalidRequestBody"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused(
    wire: AzureWire, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = wire.submit(**changes)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]
    assert wire.names("/jobs") == []


@pytest.mark.parametrize("body", [b"", b"[]", b"no json", b"{" * 10_000, b'{"target": NaN}', b'"\xff"', b"[" * 100_000])
def test_a_body_that_is_no_job_is_refused(wire: AzureWire, body: bytes) -> None:
    answer = wire.http.put(f"{wire.root}/jobs/x", content=body, params={"api-version": "1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequestBody")


def test_not_a_number_is_refused_wherever_it_stands(wire: AzureWire) -> None:
    body = json.dumps(wire.job_body(wire.upload("nan", BELL), inputParams={"a": [float("nan")]}))
    answer = wire.http.put(f"{wire.root}/jobs/nan", content=body.encode(), params={"api-version": "1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequestBody")


def test_input_that_was_never_uploaded_is_refused(wire: AzureWire) -> None:
    body = wire.job_body(wire.sas("job-empty"))
    answer = wire.call("PUT", "/jobs/empty", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidJobDefinition")


@pytest.mark.parametrize("job_id", ["a b", "a:b", "x" * 129, "-a", "é"])
def test_what_is_no_id_is_refused(wire: AzureWire, job_id: str) -> None:
    answer = wire.call("PUT", f"/jobs/{job_id}", wire.job_body("http://x/a/a"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidResourceName")


def test_name_priority_and_tags_change_and_nothing_else(wire: AzureWire) -> None:
    job = wire.run()
    answer = wire.call("PATCH", f"/jobs/{job['id']}", {"name": "other", "priority": "High", "tags": ["a", "b"]})
    assert answer.status_code == 200
    assert answer.json() == {"id": job["id"], "name": "other", "priority": "High", "tags": ["a", "b"]}
    after = wire.job(job["id"])
    assert (after["name"], after["priority"], after["tags"]) == ("other", "High", ["a", "b"])
    assert after["lastModifiedTime"] > job["lastModifiedTime"]

    assert wire.call("PATCH", f"/jobs/{job['id']}", {"tags": None, "status": "Failed"}).json() == {
        "id": job["id"], "name": "other", "priority": "High", "tags": [],
    }  # fmt: skip
    assert wire.job(job["id"])["status"] == "Succeeded"
    assert wire.call("PATCH", f"/jobs/{job['id']}", {"name": None}).status_code == 400
    assert wire.call("PATCH", "/jobs/none", {"name": "x"}).status_code == 404


def test_a_waiting_job_is_cancelled_at_once_and_an_ended_one_not_at_all(waiting: AzureWire) -> None:
    job_id = waiting.submit().json()["id"]
    answer = waiting.call("POST", f"/jobs/{job_id}:cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "Cancelled")
    assert answer.json()["cancellationTime"]
    again = waiting.call("POST", f"/jobs/{job_id}:cancel")
    assert again.status_code == 409


def test_a_deleted_job_is_gone_with_its_blobs_and_stays_in_the_record(waiting: AzureWire, queue_only: Served) -> None:
    job = waiting.job(waiting.submit().json()["id"])
    with queue_only.ctx.store.read() as tx:
        item = tx.azure_item(waiting.workspace, "Job", job["id"])
    assert item is not None

    assert waiting.call("DELETE", f"/jobs/{job['id']}").status_code == 204
    assert waiting.call("DELETE", f"/jobs/{job['id']}").status_code == 404
    assert waiting.call("GET", f"/jobs/{job['id']}").status_code == 404
    assert waiting.blobs.get(job["inputDataUri"]).status_code == 404
    with queue_only.ctx.store.read() as tx:
        ours = tx.job(item.subject)
    assert ours is not None
    assert ours.status is JobStatus.CANCELLED


def test_jobs_that_share_a_container_have_results_of_their_own(wire: AzureWire) -> None:
    other = BELL.replace(b"h q[0];", b"x q[0];")
    shared, _, query = wire.sas("shared").partition("?")
    for name, source in (("one", BELL), ("two", other)):
        wire.blobs.put(f"{shared}/{name}?{query}", content=source, headers={"x-ms-blob-type": "BlockBlob"})
    body = {"containerUri": shared}
    for name in ("one", "two"):
        assert wire.call(
            "PUT", f"/jobs/{name}", wire.job_body(shared, **body, inputDataUri=f"{shared}/{name}")
        ).is_success
    first, second = (set(wire.blobs.get(wire.ended(name)["outputDataUri"]).json()["c"]) for name in ("one", "two"))
    assert second == {"11"}
    assert first == {"00", "11"}


def test_packed_input_is_unpacked(wire: AzureWire) -> None:
    address, _, query = wire.sas("job-packed").partition("?")
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-blob-content-encoding": "gzip"}
    wire.blobs.put(f"{address}/inputData?{query}", content=gzip.compress(BELL), headers=headers)
    assert wire.call("PUT", "/jobs/packed", wire.job_body(address)).status_code == 201
    assert wire.ended("packed")["status"] == "Succeeded"


def test_what_another_submitted_takes_an_operator_to_change(waiting: AzureWire, queue_only: Served) -> None:
    job_id = waiting.submit().json()["id"]
    for role, allowed in ((Role.VIEWER, False), (Role.SUBMITTER, False), (Role.OPERATOR, True)):
        with (
            queue_only.client(role, workspace=waiting.workspace, name="bob") as client,
            AzureWire(client, waiting.workspace) as bob,
        ):
            assert bob.job(job_id)["name"]
            assert (bob.call("PATCH", f"/jobs/{job_id}", {"name": "x"}).status_code == 200) is allowed
            assert (bob.call("POST", f"/jobs/{job_id}:cancel").status_code == 200) is allowed
            assert (bob.call("DELETE", f"/jobs/{job_id}").status_code == 204) is allowed


def test_a_batch_that_failed_in_part_has_the_results_of_the_rest(wire: AzureWire) -> None:
    items = [{"entryPoint": "by_one"}, {"entryPoint": "by_zero"}]
    job = wire.run(
        source=DIVISIONS.encode(),
        inputDataFormat="qir.v1",
        outputDataFormat="microsoft.quantum-results.v2",
        inputParams={"shots": 4, "items": items},
    )
    assert (job["status"], job["errorData"]["code"]) == ("Failed", "batch-partial")
    assert "divide by zero" in json.dumps(wire.blobs.get(job["outputDataUri"]).json())
    good, bad = wire.blobs.get(job["outputDataUri"]).json()["Results"]
    assert good["Shots"] == [5] * 4
    assert [entry["Count"] for entry in bad["Histogram"]] == [4]
    assert bad["Histogram"][0]["Outcome"]["Error"]["Code"] == "execution-failed"


def stored(server: Served, wire: AzureWire, job_id: str) -> Job:
    with server.ctx.store.read() as tx:
        item = tx.azure_item(wire.workspace, "Job", job_id)
        assert item is not None
        job = tx.job(item.subject, workspace=wire.workspace)
    assert job is not None
    return job


def test_a_job_waits_with_the_priority_that_it_asked_for(waiting: AzureWire, queue_only: Served) -> None:
    for asked, kept in ((None, "Standard"), ("Standard", "Standard"), ("High", "High")):
        job = waiting.submit(priority=asked).json()
        assert (job["priority"], job["jobPriority"]) == (kept, kept)
        assert stored(queue_only, waiting, job["id"]).priority.value == kept


def test_a_job_of_a_session_has_its_priority_unless_it_asks_for_another(waiting: AzureWire, queue_only: Served) -> None:
    session = waiting.open_session(priority="High")["id"]
    for asked, kept in ((None, "High"), ("Standard", "Standard")):
        job = waiting.submit(sessionId=session, priority=asked).json()
        assert (job["priority"], stored(queue_only, waiting, job["id"]).priority.value) == (kept, kept)


def test_a_job_that_waits_says_what_it_is_expected_to_cost(waiting: AzureWire, queue_only: Served) -> None:
    set_prices(queue_only.ctx, target="sim.mps", prices={"currency": "EUR", "per_task": 2}, by="the test")
    try:
        job = waiting.submit(target="sim.mps").json()
        assert job["costEstimate"] is None  # as it was the moment it was taken
        expected = waiting.call("GET", f"/jobs/{job['id']}").json()["costEstimate"]
        assert expected == {"currencyCode": "EUR", "estimatedTotal": 2.0, "events": []}
    finally:
        set_prices(queue_only.ctx, target="sim.mps", prices={"currency": "EUR"}, by="the test")
