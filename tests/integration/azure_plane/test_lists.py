from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import pytest

from antiphon.domain.identity import Role
from azure_wire import API_VERSION, AzureWire
from served import Served


@pytest.fixture
def filled(waiting: AzureWire) -> AzureWire:
    """A session with two jobs, one of which failed, a cancelled job and a waiting one outside."""
    session = waiting.open_session(name="vqe", target="ionq.simulator", providerId="ionq", jobFailurePolicy="Continue")
    inside = {"sessionId": session["id"], "target": "ionq.simulator", "providerId": "ionq"}
    waiting.submit(name="Job 1", **inside)
    waiting.submit(name="Job 2", **inside, inputDataFormat="qir.v1", outputDataFormat=None)
    cancelled = waiting.submit(name="alone").json()["id"]
    waiting.call("POST", f"/jobs/{cancelled}:cancel")
    waiting.submit(name="it's and it isn't", target="rigetti.sim.qvm", providerId="rigetti")
    return waiting


TODAY = dt.datetime.now(dt.UTC).date()
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", ["vqe", "alone", "it's and it isn't"]),
        ("ItemType eq 'Job'", ["alone", "it's and it isn't"]),
        ("(ItemType eq 'ItemType.SESSION')", ["vqe"]),
        ("(ItemType eq 'Job' or ItemType eq 'Session')", ["vqe", "alone", "it's and it isn't"]),
        ("(JobType eq 'QuantumComputing')", ["alone", "it's and it isn't"]),
        ("(JobType eq 'JobType.OPTIMIZATION')", []),
        ("startswith(Name, 'al')", ["alone"]),
        ("startswith(Name, 'it's and ')", ["it's and it isn't"]),
        ("(ProviderId eq 'IonQ')", ["vqe"]),
        ("(Target eq 'rigetti.sim.qvm' or Target eq 'nothing')", ["it's and it isn't"]),
        ("(State eq 'Cancelled' or State eq 'Failure(s)')", ["vqe", "alone"]),
        ("(State eq 'JobStatus.WAITING')", ["it's and it isn't"]),
        ("(State eq 'SessionStatus.FAILURE_S_')", ["vqe"]),
        ("(State eq 'Completed')", []),
        ("startswith(Name, 'a') and (ItemType eq 'Job') and (State eq 'Cancelled')", ["alone"]),
        ("startswith(Name, 'a') and (ItemType eq 'Session')", []),
        (f"CreationTime ge {TODAY - DAY} and CreationTime le {TODAY + DAY}", ["vqe", "alone", "it's and it isn't"]),
        (f"CreationTime ge {TODAY + 2 * DAY}", []),
        (f"CreationTime le {TODAY - 2 * DAY}", []),
    ],
)
def test_top_level_items_are_found_by_filters(filled: AzureWire, asked: str, expected: list[str]) -> None:
    assert filled.names("/topLevelItems", filter=asked) == expected


def test_the_last_day_of_a_filter_is_included_whole(filled: AzureWire) -> None:
    day = filled.items("/jobs")[0]["creationTime"][:10]
    found = len(filled.names("/jobs", filter=f"CreationTime ge {day} and CreationTime le {day}"))
    assert found == 4


def test_each_kind_has_its_list(filled: AzureWire) -> None:
    assert filled.names("/jobs") == ["Job 1", "Job 2", "alone", "it's and it isn't"]
    assert filled.names("/jobs", filter="(State eq 'JobStatus.FAILED')") == ["Job 2"]
    [session] = filled.items("/sessions")
    assert (session["name"], session["status"], session["itemType"]) == ("vqe", "Failure(s)", "Session")
    assert filled.names(f"/sessions/{session['id']}/jobs") == ["Job 1", "Job 2"]
    assert filled.call("GET", "/sessions/none/jobs").status_code == 404


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("Name asc", ["Job 1", "Job 2", "alone", "it's and it isn't"]),
        ("Name desc", ["it's and it isn't", "alone", "Job 2", "Job 1"]),
        ("CreationTime desc", ["it's and it isn't", "alone", "Job 2", "Job 1"]),
        ("Target asc", ["Job 1", "Job 2", "it's and it isn't", "alone"]),
        ("ProviderId desc", ["it's and it isn't", "Job 2", "Job 1", "alone"]),
        ("State asc", ["alone", "Job 2", "Job 1", "it's and it isn't"]),
        ("JobType desc", ["Job 1", "Job 2", "alone", "it's and it isn't"]),
    ],
)
def test_lists_are_ordered_as_asked(filled: AzureWire, order: str, expected: list[str]) -> None:
    assert filled.names("/jobs", orderby=order) == expected


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"filter": "Name eq 'x'"}, "InvalidFilter"),
        ({"filter": "State eq 'Lost'"}, "InvalidFilter"),
        ({"filter": "CreationTime ge yesterday"}, "InvalidFilter"),
        ({"filter": "CreationTime ge 2026-13-45"}, "InvalidFilter"),
        ({"filter": "Target eq 'a' or Target eq 'b' and"}, "InvalidFilter"),
        ({"filter": "1 eq 1; drop table jobs"}, "InvalidFilter"),
        ({"filter": "(Target eq 'a'" + " or Target eq 'a'" * 2_000 + ")"}, "InvalidFilter"),
        ({"orderby": "Secret asc"}, "InvalidOrderBy"),
        ({"orderby": "Name sideways"}, "InvalidOrderBy"),
        ({"top": "0"}, "InvalidQueryParameter"),
        ({"top": "many"}, "InvalidQueryParameter"),
        ({"skip": "-1"}, "InvalidQueryParameter"),
        ({"skip": "9" * 40}, "InvalidQueryParameter"),
    ],
)
def test_what_cannot_be_listed_is_refused(wire: AzureWire, params: dict[str, str], code: str) -> None:
    answer = wire.call("GET", "/jobs", **params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_pages_lead_through_the_whole_list(waiting: AzureWire) -> None:
    container = waiting.upload("paged", b"no program")
    for number in range(45):
        body = waiting.job_body(container, name=f"{number:03}", inputDataFormat="nothing")
        assert waiting.call("PUT", f"/jobs/paged-{number}", body).status_code == 201
    first = waiting.call("GET", "/jobs", top=20, filter="startswith(Name, '0')", orderby="Name desc").json()
    assert [item["name"] for item in first["value"]] == [f"{n:03}" for n in range(44, 24, -1)]
    link = urlsplit(first["nextLink"])
    assert f"{link.scheme}://{link.netloc}" == str(waiting.http.base_url).rstrip("/")
    assert parse_qs(link.query) == {
        "filter": ["startswith(Name, '0')"], "orderby": ["Name desc"], "top": ["20"], "skip": ["20"],
        "api-version": [API_VERSION],
    }  # fmt: skip
    assert waiting.names("/jobs", top=20) == [f"{n:03}" for n in range(45)]
    assert waiting.call("GET", "/jobs", top=45).json()["nextLink"] is None
    assert waiting.call("GET", "/jobs", skip=45).json() == {"value": [], "nextLink": None}


def test_targets_are_listed_by_provider(wire: AzureWire) -> None:
    providers = {each["id"]: each for each in wire.items("/providerStatus")}
    assert {"antiphon", "ionq", "quantinuum", "rigetti"} <= set(providers)
    assert all(each == each.lower() for each in providers)
    own = {target["id"]: target for target in providers["antiphon"]["targets"]}["sim.auto"]
    assert own["currentAvailability"] == "Available"
    assert isinstance(own["averageQueueTime"], int)
    assert own["numQubits"] > 20
    alias = providers["ionq"]["targets"][0]
    assert alias["metadata"]["emulation"] is True


def test_the_queue_shows_in_the_target(waiting: AzureWire) -> None:
    def depth() -> int:
        targets = [target for each in waiting.items("/providerStatus") for target in each["targets"]]
        return int(next(target for target in targets if target["id"] == "sim.auto")["metadata"]["queueDepth"])

    before = depth()
    waiting.submit()
    assert depth() == before + 1


def test_quotas_are_shown_with_what_is_held(waiting: AzureWire, queue_only: Served) -> None:
    assert waiting.items("/quotas") == []
    with queue_only.client(Role.ADMIN, workspace=waiting.workspace) as admin:
        answer = admin.post("/v1/quotas", json={"dimension": "jobs-in-flight", "limit": 2})
        assert answer.is_success, answer.text
        answer = admin.post("/v1/quotas", json={"dimension": "shots", "limit": 1000, "period": "month"})
        assert answer.is_success, answer.text
    waiting.submit(inputParams={"shots": 40})
    quotas = {each["dimension"]: each for each in waiting.items("/quotas")}
    assert quotas["jobs-in-flight"] == {
        "dimension": "jobs-in-flight", "scope": "Workspace", "providerId": "antiphon", "utilization": 0.0, "holds": 1.0,
        "limit": 2.0, "period": "None",
    }  # fmt: skip
    assert (quotas["shots"]["holds"], quotas["shots"]["period"]) == (40.0, "Monthly")
    waiting.submit(inputParams={"shots": 40})
    refused = waiting.submit(inputParams={"shots": 40})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "QuotaExceeded")
    assert len(waiting.names("/jobs")) == 2
