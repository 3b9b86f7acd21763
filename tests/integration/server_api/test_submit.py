from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import numpy as np
import pytest

from antiphon.client.wire.facts import job_from_json
from antiphon.client.wire.requests import submit_to_json
from antiphon.domain.work import JobKind
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.frontends.observables import to_observables
from antiphon.frontends.parameters import bind
from antiphon.frontends.recognise import to_program
from antiphon.server.api.resources import JobView
from programs import BELL
from served import Served

ROTATION = """OPENQASM 3.0;
include "stdgates.inc";
input float theta;
input float phi;
qubit[1] q;
bit[1] c;
rx(theta) q[0];
rz(phi) q[0];
c = measure q;
"""
QIR = """
%Qubit = type opaque
%Result = type opaque
define void @main() #0 {
  call void @__quantum__qis__x__body(%Qubit* null)
  call void @__quantum__qis__mz__body(%Qubit* null, %Result* null)
  call void @__quantum__rt__result_record_output(%Result* null, i8* null)
  ret void
}
declare void @__quantum__qis__x__body(%Qubit*)
declare void @__quantum__qis__mz__body(%Qubit*, %Result*)
declare void @__quantum__rt__result_record_output(%Result*, i8*)
attributes #0 = { "entry_point" "required_num_qubits"="1" "required_num_results"="1" }
"""


def submitted(api: httpx2.Client, **body: Any) -> dict[str, Any]:
    answer = api.post("/v1/jobs", json={"target": "sim.auto", **body})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    JobView.model_validate(found)
    return found


def outcomes(job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = job["result"]["outcomes"]
    return found


def test_an_accepted_job_says_where_to_go(api: httpx2.Client) -> None:
    answer = api.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 100, "seed": 7, "name": "bell"})
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}/status" == job["links"]["status"]
    assert answer.headers["Content-Location"] == f"/v1/jobs/{job['id']}" == job["links"]["self"]
    assert answer.headers["Retry-After"] == "0"
    assert "Idempotent-Replayed" not in answer.headers
    assert (job["name"], job["shots"], job["seed"], job["created_by"]) == ("bell", 100, 7, "ada")
    assert sum(outcomes(job)[0]["counts"][0].values()) == 100
    assert api.get(job["links"]["result"]).json() == job["result"]
    assert job["warnings"] == []


def test_the_full_form_is_what_a_client_writes(api: httpx2.Client) -> None:
    program = to_program(ROTATION)
    observables, shape = to_observables([{"Z": 0.1}, {"X": 0.25, "Y": 1 / 3}], program)
    values = np.array([[0.1, 1 / 3], [2.0, -1e-300]])
    request = SubmitRequest(
        workspace="of somebody else",
        who="somebody else",
        kind=JobKind.ESTIMATE,
        target="sim.auto",
        pubs=(PubRequest(program, bind(program, values[:, None]), None, observables, shape),),
        name="full",
        seed=3,
        metadata={"paper": "fig 2"},
    )
    job = submitted(api, **submit_to_json(request))
    facts = job_from_json(job)
    assert (facts.workspace, facts.created_by, facts.name) == ("default", "ada", "full")
    assert facts.spec.pubs[0].program == program.digest
    assert facts.spec.pubs[0].parameters_shape == (2, 1)
    assert base64.b64decode(facts.spec.pubs[0].parameters) == values.astype("<f8").tobytes()
    assert facts.spec.pubs[0].observables == tuple(each.digest for each in observables)
    assert outcomes(job)[0]["shape"] == [2, 2]


def test_short_forms_are_understood(api: httpx2.Client) -> None:
    assert submitted(api, program=BELL)["shots"] == 1000
    assert submitted(api, program={"source": BELL})["kind"] == "sample"
    assert submitted(api, program={"format": "openqasm3", "source": BELL, "name": "mine"})["name"] == "mine"
    assert submitted(api, program=ROTATION, parameters={"theta": 0.5, "phi": 0})["kind"] == "sample"
    assert submitted(api, program=ROTATION, parameters=[0.5, 0])["kind"] == "sample"
    swept = submitted(api, program=ROTATION, parameters=[{"theta": 0.5, "phi": 0}, {"theta": 1, "phi": 0}], shots=10)
    assert (swept["kind"], swept["shots"]) == ("sweep", 20)
    assert submitted(api, program=ROTATION, parameters=[[0.5, 0]], shots=10)["kind"] == "sweep"
    estimated = submitted(api, program=BELL, observables={"ZZ": 0.5, "XX": 0.25})
    assert (estimated["kind"], outcomes(estimated)[0]["values"]) == ("estimate", [pytest.approx(0.75)])
    assert outcomes(submitted(api, program=BELL, observables=["ZZ", {"XX": 2}]))[0]["shape"] == [2]


def test_several_programs_are_a_batch(api: httpx2.Client) -> None:
    job = submitted(api, programs=[BELL, ROTATION], parameters=[None, [0.1, 0.2]], shots=50)
    assert (job["kind"], job["shots"], job["name"]) == ("batch", 100, "openqasm")
    items = api.get(job["links"]["items"], params={}).json()
    assert [item["index"] for item in items["items"]] == [0, 1]
    estimated = submitted(api, programs=[BELL, BELL], observables=["ZZ", "XX"], kind="estimate")
    assert [each["values"] for each in outcomes(estimated)] == [[pytest.approx(1)], [pytest.approx(1)]]


def test_a_format_is_recognised_without_a_name(api: httpx2.Client) -> None:
    job = submitted(api, program=QIR, shots=10)
    ended = api.get(job["links"]["status"], params={"wait": 30})
    assert ended.status_code == 303
    assert api.get(job["links"]["result"]).json()["outcomes"][0]["counts"] == [{"1": 10}]
    coded = base64.b64encode(BELL.encode()).decode()
    assert (
        submitted(api, program={"source": coded, "encoding": "base64"})["pubs"][0]["program"]
        == (submitted(api, program=BELL)["pubs"][0]["program"])
    )


def test_a_key_makes_one_job(api: httpx2.Client) -> None:
    body = {"target": "sim.auto", "program": BELL, "shots": 10}
    first = api.post("/v1/jobs", json=body, headers={"Idempotency-Key": '"once"'})
    again = api.post("/v1/jobs", json=body, headers={"Idempotency-Key": "once"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Location"] == first.headers["Location"]
    for change in ({"shots": 11}, {"name": "other"}, {"metadata": {"a": "b"}}, {"max_seconds": 5}, {"seed": 1}):
        other = api.post("/v1/jobs", json={**body, **change}, headers={"Idempotency-Key": "once"})
        assert (other.status_code, other.json()["code"]) == (422, "key-reused")
        assert other.json()["details"]["id"] == first.json()["id"]


@pytest.mark.parametrize("key", ["", '""', '"open', '"a" b', "x" * 251])
def test_a_key_that_is_none_is_refused(api: httpx2.Client, key: str) -> None:
    answer = api.post("/v1/jobs", json={"target": "sim.auto", "program": BELL}, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["code"] in {"idempotency-key-invalid", "text-invalid"}


def test_twenty_posts_at_once_with_one_key_make_one_job(server: Served, api: httpx2.Client) -> None:
    body = {"target": "sim.auto", "program": BELL, "shots": 10, "name": "twenty"}

    def post(_: int) -> httpx2.Response:
        return api.post("/v1/jobs", json=body, headers={"Idempotency-Key": "twenty"})

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(post, range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert len(api.get("/v1/jobs", params={"name": "twenty"}).json()["jobs"]) == 1


def test_a_trace_is_kept_when_it_is_one(server: Served, api: httpx2.Client) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    body = {"target": "sim.auto", "program": BELL, "shots": 1}
    for given, kept in ((trace, trace), ("00-" + "0" * 32 + "-b7ad6b7169203331-01", None), ("nonsense", None)):
        job_id = api.post("/v1/jobs", json=body, headers={"traceparent": given}).json()["id"]
        with server.ctx.store.read() as tx:
            stored = tx.job(job_id)
        assert stored is not None
        assert stored.trace == kept


def test_a_submit_can_wait_for_the_end(api: httpx2.Client) -> None:
    body = {"target": "sim.auto", "program": BELL, "shots": 10, "execution": "process"}
    answer = api.post("/v1/jobs", json=body, headers={"Prefer": "wait=30"})
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert answer.json()["status"] == "Succeeded"
    assert answer.headers["Retry-After"] == "0"


def test_a_viewer_submits_nothing(server: Served) -> None:
    from antiphon.domain.identity import Role

    with server.client(Role.VIEWER, name="eve") as viewer:
        answer = viewer.post("/v1/jobs", json={"target": "sim.auto", "program": BELL})
        assert (answer.status_code, answer.json()["code"]) == (403, "not-permitted")
        assert viewer.get("/v1/jobs").status_code == 200
