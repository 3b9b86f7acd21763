"""The table of statuses that a session of Azure's goes through."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from antiphon.domain.identity import Role
from antiphon.server.azure.refusals import SESSION_IS_OVER
from azure_wire import AzureWire
from served import Served

FIELDS = {
    "id", "name", "itemType", "providerId", "target", "status", "jobFailurePolicy", "creationTime",
    "beginExecutionTime", "endExecutionTime", "lastModifiedTime", "lastUpdatedTime", "costEstimate", "errorData",
    "usage", "createdBy", "createdByType", "lastModifiedBy", "lastModifiedByType", "priority", "jobPriority", "tags",
}  # fmt: skip
BAD: dict[str, Any] = {"inputDataFormat": "qir.v1", "outputDataFormat": None}


def test_a_session_that_went_well(wire: AzureWire) -> None:
    session = wire.open_session()
    assert set(session) == FIELDS
    assert (session["status"], session["jobFailurePolicy"], session["endExecutionTime"]) == ("Waiting", "Abort", None)
    job = wire.run(sessionId=session["id"])
    assert (job["status"], job["sessionId"]) == ("Succeeded", session["id"])
    during = wire.session(session["id"])
    assert during["status"] == "Executing"
    assert during["beginExecutionTime"]
    closed = wire.close_session(session["id"])
    assert (closed["status"], closed["errorData"]) == ("Succeeded", None)
    assert closed["endExecutionTime"]
    assert wire.close_session(session["id"]) == closed


def test_an_empty_session_succeeds_when_closed(wire: AzureWire) -> None:
    assert wire.close_session(wire.open_session()["id"])["status"] == "Succeeded"


def test_a_session_without_a_name_is_named_by_its_id(wire: AzureWire) -> None:
    session = wire.open_session(name="")
    assert session["name"] == f"session-{session['id']}"


def test_the_same_id_again_gives_the_first_session(wire: AzureWire) -> None:
    session_id = str(uuid.uuid4())
    body = {"name": "first", "target": "sim.auto"}
    first = wire.call("PUT", f"/sessions/{session_id}", body)
    wire.close_session(session_id)
    again = wire.call("PUT", f"/sessions/{session_id}", {**body, "name": "second"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["name"], again.json()["status"]) == ("first", "Succeeded")


@pytest.mark.parametrize("policy", [None, "Abort"])
def test_a_failed_job_ends_its_session(wire: AzureWire, policy: str | None) -> None:
    session = wire.open_session(jobFailurePolicy=policy)
    assert wire.run(sessionId=session["id"], **BAD)["status"] == "Failed"
    after = wire.session(session["id"])
    assert after["status"] == "Failed"
    assert after["endExecutionTime"]
    assert after["errorData"]["message"]
    refused = wire.submit(sessionId=session["id"])
    assert refused.status_code == 400
    assert refused.json() == {"error": {"code": "InvalidJobDefinition", "message": SESSION_IS_OVER}}


def test_a_program_refused_by_a_session_that_is_over_is_no_failed_job(wire: AzureWire) -> None:
    session = wire.open_session()
    wire.close_session(session["id"])
    refused = wire.submit(sessionId=session["id"], **BAD)
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, SESSION_IS_OVER)
    assert wire.names("/jobs") == []


def test_a_session_goes_on_after_a_failed_job_if_asked(wire: AzureWire) -> None:
    session = wire.open_session(jobFailurePolicy="Continue")
    wire.run(sessionId=session["id"], **BAD)
    assert wire.session(session["id"])["status"] == "Failure(s)"
    assert wire.run(sessionId=session["id"])["status"] == "Succeeded"
    assert wire.session(session["id"])["status"] == "Failure(s)"
    closed = wire.close_session(session["id"])
    assert closed["status"] == "Failed"
    assert closed["errorData"]["message"].startswith("1 of 2 jobs failed")


def test_what_is_pending_finishes_after_close_and_nothing_new_comes(waiting: AzureWire) -> None:
    session = waiting.open_session()
    job_id = waiting.submit(sessionId=session["id"]).json()["id"]
    assert waiting.close_session(session["id"])["status"] == "Executing"
    assert waiting.submit(sessionId=session["id"]).json()["error"]["message"] == SESSION_IS_OVER
    waiting.call("POST", f"/jobs/{job_id}:cancel")
    assert waiting.session(session["id"])["status"] == "Succeeded"


def test_a_failure_cancels_what_waits(waiting: AzureWire) -> None:
    session = waiting.open_session()
    pending = [waiting.submit(sessionId=session["id"]).json()["id"] for _ in range(3)]
    waiting.submit(sessionId=session["id"], **BAD)
    assert {waiting.job(job_id)["status"] for job_id in pending} == {"Cancelled"}
    assert waiting.session(session["id"])["status"] == "Failed"


def test_a_cancelled_job_changes_no_session(waiting: AzureWire) -> None:
    session = waiting.open_session()
    job_id = waiting.submit(sessionId=session["id"]).json()["id"]
    waiting.call("POST", f"/jobs/{job_id}:cancel")
    assert waiting.session(session["id"])["status"] == "Executing"


def test_a_session_has_a_single_target(wire: AzureWire) -> None:
    session = wire.open_session(target="ionq.simulator", providerId="ionq")
    refused = wire.submit(sessionId=session["id"], target="rigetti.sim.qvm", providerId="rigetti")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidJobDefinition")
    assert "ionq.simulator" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("changes", "status"), [({"target": "no.such"}, 404), ({"jobFailurePolicy": "Retry"}, 400), ({"target": 7}, 400)]
)
def test_a_session_that_makes_no_sense_is_refused(wire: AzureWire, changes: dict[str, object], status: int) -> None:
    answer = wire.call("PUT", "/sessions/x", {"target": "sim.auto", **changes})
    assert answer.status_code == status
    assert wire.names("/sessions") == []


def test_a_session_of_another_takes_an_operator_to_close(wire: AzureWire, server: Served) -> None:
    session = wire.open_session()
    for role, status in ((Role.VIEWER, 403), (Role.SUBMITTER, 403), (Role.OPERATOR, 200)):
        with (
            server.client(role, workspace=wire.workspace, name="bob") as client,
            AzureWire(client, wire.workspace) as bob,
        ):
            assert bob.call("POST", f"/sessions/{session['id']}:close").status_code == status
