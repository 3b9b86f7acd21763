from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from programs import BELL

GOOD = {"target": "sim.auto", "program": BELL, "shots": 10}
ROTATION = "OPENQASM 3.0;\ninput float a;\nqubit[1] q;\nbit[1] c;\nU(a,0,0) q[0];\nc[0] = measure q[0];\n"


def _assert_refused(answer: httpx2.Response, *statuses: int) -> dict[str, Any]:
    assert answer.status_code in (statuses or (422,)), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["code"]
    assert problem["title"]
    assert problem["request_id"]
    return problem


@pytest.mark.parametrize(
    "change",
    [
        {"target": ""},
        {"target": 5},
        {"target": None},
        {"shots": 0},
        {"shots": "10"},
        {"shots": 1.5},
        {"shots": True},
        {"shots": 10**400},
        {"shots": 10**12},
        {"seed": -1},
        {"seed": 2**63},
        {"seed": 1e300},
        {"kind": "magic"},
        {"kind": "estimate"},
        {"kind": "sample", "observables": {"ZZ": 1}},
        {"program": 5},
        {"program": ""},
        {"program": "\ud800"},
        {"program": "not a program"},
        {"program": "job.qasm"},
        {"program": {"source": "x", "format": "pickle"}},
        {"program": {"source": "!!!", "encoding": "base64"}},
        {"program": {"source": BELL, "format": "qir-text"}},
        {"program": {"source": BELL, "format": "qpy"}},
        {"program": {"source": BELL, "format": "cirq-json"}},
        {"program": {"source": '{"cirq_type": "Circuit"}', "format": "cirq-json"}},
        {"program": {"source": "QlDA3gAA", "encoding": "base64", "format": "qir-bitcode"}},
        {"program": None},
        {"programs": []},
        {"programs": [BELL]},
        {"parameters": {"a": 1}},
        {"parameters": [1]},
        {"parameters": "1"},
        {"program": ROTATION},
        {"program": ROTATION, "parameters": {"b": 1}},
        {"program": ROTATION, "parameters": {"a": "x"}},
        {"program": ROTATION, "parameters": {"a": [[1], 2]}},
        {"program": ROTATION, "parameters": [[1, 2]]},
        {"program": ROTATION, "parameters": {"a": 10**400}},
        {"program": ROTATION, "parameters": {"a": [1, 2]}, "kind": "sample"},
        {"program": ROTATION, "parameters": []},
        {"observables": {"ZZZ": 1}},
        {"observables": {"AB": 1}},
        {"observables": {"ZZ": "much"}},
        {"observables": {}},
        {"observables": 5},
        {"observables": [["ZZ"], "ZZ"]},
        {"options": {"no_such_option": 1}},
        {"options": {"noise": "loud"}},
        {"options": {"noise": {"depolarizing_1q": 2}}},
        {"options": []},
        {"execution": "soon"},
        {"max_seconds": -1},
        {"max_seconds": 1e9},
        {"metadata": {"a": 1}},
        {"metadata": {str(n): "" for n in range(101)}},
        {"metadata": {"a": "\0"}},
        {"name": "x" * 1001},
        {"name": "\0"},
        {"name": "\ud800"},
        {"cache": "sometimes"},
        {"cache": -1},
        {"pubs": [{"program": 0}]},
        {"unknown": 1},
        {"workspace": "other"},
    ],
    ids=lambda change: json.dumps(change)[:60],
)
def test_a_wrong_value_is_refused(api: httpx2.Client, change: dict[str, Any]) -> None:
    before = len(api.get("/v1/jobs", params={"limit": 500}).json()["jobs"])
    body = {key: value for key, value in {**GOOD, **change}.items() if value is not None or key == "target"}
    _assert_refused(
        api.post("/v1/jobs", content=json.dumps(body), headers={"Content-Type": "application/json"}), 400, 422
    )
    assert len(api.get("/v1/jobs", params={"limit": 500}).json()["jobs"]) == before


@pytest.mark.parametrize(
    "pub",
    [
        {"program": 1},
        {"program": -1},
        {"parameters": {"names": ["b"], "shape": [], "data": "AAAAAAAA8D8="}},
        {"parameters": {"names": ["a"], "shape": [], "data": "AAAA"}},
        {"parameters": {"names": ["a"], "shape": [], "data": "???"}},
        {"parameters": {"names": ["a"], "shape": [2**31, 2**31], "data": ""}},
        {"parameters": {"names": ["a"], "shape": [0], "data": ""}},
        {"parameters": {"names": ["a"], "shape": [1] * 17, "data": "AAAAAAAA8D8="}},
        {"parameters": {"names": ["a"], "shape": [], "data": "AAAAAAAA+H8="}},
        {"parameters": [1], "observables": [{"num_qubits": 1, "terms": [["Z", 1]]}], "observables_shape": [2]},
        {"parameters": [1], "observables": [{"num_qubits": 2, "terms": [["ZZ", 1]]}]},
        {"parameters": [1], "observables": [{"num_qubits": 1, "terms": []}]},
        {"parameters": [1], "shots": 0},
    ],
    ids=lambda pub: json.dumps(pub)[:60],
)
def test_a_wrong_pub_is_refused(api: httpx2.Client, pub: dict[str, Any]) -> None:
    _assert_refused(api.post("/v1/jobs", json={"target": "sim.auto", "programs": [ROTATION], "pubs": [pub]}))


def test_a_program_of_a_batch_is_named_by_its_index(api: httpx2.Client) -> None:
    problem = _assert_refused(api.post("/v1/jobs", json={"target": "sim.auto", "programs": [BELL, "nonsense"]}))
    assert problem["title"].startswith("Program 1 of the batch (2 programs)")
    assert problem["details"]["item"] == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"target": "sim.auto", "program": "x", "seed": NaN}',
        b'{"target": "sim.auto", "program": "x", "options": {"a": Infinity}}',
        b'{"target": "sim.auto", "program": "x", "max_seconds": NaN}',
        b'{"target": "sim.auto", "program": "x", "parameters": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"target": "sim.auto", "program": "x", "parameters": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"target": "sim.auto", "program": "x", "options": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b'{"target": "sim.auto", "program": "x", "shots": ' + b"9" * 5_000 + b"}",
    ],
    ids=lambda content: repr(content[:50]),
)
def test_a_body_that_is_no_submission_is_refused(api: httpx2.Client, content: bytes) -> None:
    _assert_refused(api.post("/v1/jobs", content=content, headers={"Content-Type": "application/json"}), 400, 422)


def test_a_target_or_session_that_is_not_there_is_not_found(api: httpx2.Client) -> None:
    problem = _assert_refused(api.post("/v1/jobs", json={**GOOD, "target": "sim.autoo"}), 404)
    assert problem["solution"] == "Did you mean 'sim.auto'?"
    _assert_refused(api.post("/v1/jobs", json={**GOOD, "session_id": "ses_none"}), 404)


@pytest.mark.parametrize(
    "query",
    [
        {"status": "Sleeping"},
        {"limit": 0},
        {"limit": 501},
        {"limit": "many"},
        {"cursor": "%%%"},
        {"cursor": "WzEsMl0"},
        {"cursor": "W05hTiwgImEiXQ"},
        {"order": "up"},
        {"created_after": "yesterday"},
        {"name": "\0"},
    ],
    ids=str,
)
def test_a_wrong_question_is_refused(api: httpx2.Client, query: dict[str, Any]) -> None:
    problem = _assert_refused(api.get("/v1/jobs", params=query))
    if "status" in query:
        assert "'Waiting'" in problem["detail"]
        assert "'Cancelled'" in problem["detail"]


def test_a_method_that_a_path_has_not_is_told_which_it_has(api: httpx2.Client) -> None:
    for path, allowed in (
        ("/v1/jobs", "GET, POST"),
        ("/v1/jobs/x/status", "DELETE, GET"),
        ("/v1/jobs/x/cancel", "POST"),
    ):
        answer = api.request("OPTIONS", path)
        _assert_refused(answer, 405)
        assert answer.headers["Allow"] == allowed
        assert allowed in answer.json()["solution"]


@pytest.mark.parametrize("path", ["/", "/v1/nothing"])
def test_a_path_that_is_none_is_told_where_the_api_is(api: httpx2.Client, path: str) -> None:
    problem = _assert_refused(api.get(path), 404)
    assert problem["code"] == "route-unknown"
    assert path in problem["title"]
    assert "/v1/openapi.json" in problem["solution"]


def test_a_body_that_does_not_say_that_it_is_json_is_told_to_say_so(api: httpx2.Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # what curl says unless it is told otherwise
    problem = _assert_refused(api.post("/v1/jobs", content=json.dumps(GOOD), headers=form))
    assert "Content-Type: application/json" in problem["solution"]
    assert "openapi.json" in _assert_refused(api.post("/v1/jobs", json={}))["solution"]


def test_a_body_that_is_no_json_is_told_where_it_ends_to_be(api: httpx2.Client) -> None:
    answer = api.post("/v1/jobs", content='{"target": "sim.auto", ', headers={"Content-Type": "application/json"})
    problem = _assert_refused(answer)
    assert problem["errors"] == problem["details"]["errors"]
    assert problem["errors"][0]["pointer"] == "/body"
    assert "from character 23 on" in problem["detail"]


@pytest.mark.parametrize("job_id", ["none", "%00", "a%2Fb", "..%2Fjobs", "x" * 300, "%F0%9F%98%80"])
def test_an_id_that_names_nothing_is_not_found(api: httpx2.Client, job_id: str) -> None:
    for path in ("", "/status", "/result", "/items", "/record", "/events"):
        _assert_refused(api.get(f"/v1/jobs/{job_id}{path}"), 404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"target": "sim.none"},
        {"target": 1},
        {"target": "sim.auto", "idle_limit_s": 0},
        {"target": "sim.auto", "total_limit_s": 1e145},
        {"target": "sim.auto", "failure_policy": "pray"},
    ],
)
def test_a_wrong_session_is_refused(api: httpx2.Client, body: dict[str, Any]) -> None:
    _assert_refused(api.post("/v1/sessions", json=body), 404, 422)
