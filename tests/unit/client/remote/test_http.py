from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from antiphon.client.remote import http
from antiphon.client.remote.connection import RemoteConnection
from antiphon.client.remote.http import HttpSession
from antiphon.client.wire.facts import job_from_json
from antiphon.domain.work import JobKind
from antiphon.engine.requests import SubmitRequest
from antiphon.errors import (
    AntiphonError,
    AuthenticationError,
    ConnectionFailedError,
    LimitError,
    RateLimitedError,
    StoreError,
)
from antiphon.server.problems import problem_response

URL = "http://server.invalid:8000"
KEY = "ant_hunter2"
Answer = httpx2.Response | type[httpx2.RequestError]


class Script(httpx2.BaseTransport):
    """Gives the answers in turn, the last one for ever, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers: Iterator[Answer] = iter(answers)
        self.last: Answer = answers[-1]
        self.seen: list[httpx2.Request] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        answer = next(self.answers, self.last)
        if isinstance(answer, httpx2.Response):
            return answer
        raise answer("it did not work", request=request)

    def session(self) -> HttpSession:
        return HttpSession(URL, KEY, transport=self)


def refusal(error: AntiphonError) -> httpx2.Response:
    sent = problem_response(error)
    return httpx2.Response(sent.status_code, headers=dict(sent.headers), content=bytes(sent.body))


def ok(body: Any = None) -> httpx2.Response:
    return httpx2.Response(200, json={} if body is None else body)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "FIRST_PATIENCE_S", 0.2)


@pytest.mark.parametrize(
    "first",
    [
        httpx2.ConnectError,
        httpx2.ReadError,
        httpx2.ReadTimeout,
        httpx2.RemoteProtocolError,
        httpx2.DecodingError,
        httpx2.Response(502, html="<h1>Bad gateway</h1>"),
        httpx2.Response(503, json={"code": "store-busy", "category": "store-unusable", "title": "Busy."}),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_may_pass_is_asked_again_unchanged(first: Answer, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "FIRST_PATIENCE_S", 5.0)
    script = Script(first, ok({"n": 1}))
    session = script.session()
    if method == "get":
        assert session.get("/v1/x", dict) == {"n": 1}
    else:
        assert session.post("/v1/x", dict, {"a": 1}, {"Idempotency-Key": '"k"'}) == {"n": 1}
    one, two = script.seen
    assert (one.method, one.url, one.headers, one.content) == (two.method, two.url, two.headers, two.content)


@pytest.mark.parametrize("first", [httpx2.ConnectError, httpx2.Response(503, text="starting")])
@pytest.mark.parametrize("second", [httpx2.ReadError, httpx2.ReadTimeout, httpx2.Response(504, text="lost it")])
def test_what_must_not_happen_twice_is_sent_again_only_if_nothing_was_done(first: Answer, second: Answer) -> None:
    script = Script(first, second, ok())
    with pytest.raises(ConnectionFailedError):
        script.session().post("/v1/x", dict, once=True)
    assert len(script.seen) == 2


def test_a_server_that_is_not_there_says_what_to_check() -> None:
    with pytest.raises(ConnectionFailedError) as caught:
        Script(httpx2.ConnectError).session().get("/v1", dict)
    assert caught.value.code == "server-unreachable"
    assert URL in caught.value.message
    assert "ConnectError" in caught.value.cause
    assert "antiphon serve" in caught.value.next_step


def test_a_server_that_was_there_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "FIRST_PATIENCE_S", 0.0)
    script = Script(ok(), *[httpx2.ConnectError] * 3, ok({"back": True}))
    session = script.session()
    session.get("/v1", dict)
    assert session.get("/v1", dict, patience=20) == {"back": True}


def test_a_limit_that_lasts_longer_than_ones_patience_is_told_at_once() -> None:
    script = Script(refusal(RateLimitedError("Too fast.", details={"retry_after_s": 3600, "limit": "keys"})))
    with pytest.raises(RateLimitedError) as caught:
        script.session().get("/v1", dict)
    assert caught.value.details["limit"] == "keys"
    assert len(script.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500])
def test_what_will_not_pass_is_not_asked_again(status: int) -> None:
    script = Script(httpx2.Response(status, json={"code": "x", "title": "No."}))
    with pytest.raises(AntiphonError, match=r"No\."):
        script.session().get("/v1", dict)
    assert len(script.seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, html="<h1>It works!</h1>"),
        httpx2.Response(404, text="nothing here"),
        httpx2.Response(301, headers={"Location": "https://elsewhere.invalid/"}),
        httpx2.Response(200, json={"name": "another service"}),
        httpx2.Response(200, json=[1]),
        httpx2.Response(403, json={"message": "Forbidden"}),
        httpx2.Response(301, json={}, headers={"Location": "https://elsewhere.invalid/"}),
        httpx2.Response(200, content=b'{"name": "antip', headers={"Content-Type": "application/json"}),
    ],
)
def test_what_answers_and_is_no_antiphon_server(answer: httpx2.Response) -> None:
    script = Script(answer)
    with pytest.raises(ConnectionFailedError) as caught:
        RemoteConnection(URL, KEY, transport=script)
    assert caught.value.code == "server-unknown"
    assert caught.value.next_step
    assert len(script.seen) == 1  # a redirection is not followed: the key must not go elsewhere


def test_the_key_is_sent_and_shown_nowhere() -> None:
    script = Script(refusal(AuthenticationError("No.")))
    session = script.session()
    with pytest.raises(AuthenticationError) as caught:
        session.get("/v1", dict)
    assert script.seen[0].headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in f"{caught.value}{session!r}{caught.value.to_dict()}{vars(session)['url']}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"bytes"])
def test_what_is_no_json_is_refused_before_anything_is_sent(value: object) -> None:
    script = Script(ok())
    with pytest.raises(LimitError) as caught:
        script.session().post("/v1/x", dict, {"options": {"depth": value}})
    assert caught.value.code == "value-invalid"
    assert script.seen == []


def test_numpys_numbers_and_half_surrogates_arrive() -> None:
    script = Script(ok())
    script.session().post("/v1/x", dict, {"a": np.int64(3), "b": np.float32(0.5), "c": np.arange(2), "d": "\ud800"})
    assert json.loads(script.seen[0].content) == {"a": 3, "b": 0.5, "c": [0, 1], "d": "\ud800"}


def test_a_closed_session_refuses(tmp_path: Path) -> None:
    session = Script(ok()).session()
    session.close()
    with pytest.raises(StoreError) as caught:
        session.get("/v1", dict)
    assert caught.value.code == "store-closed"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConnectionFailedError) as caught:
        HttpSession("https://server.invalid", KEY, ca=path)
    assert caught.value.code == "ca-unusable"
    assert str(path) in caught.value.message


def test_the_span_of_the_caller_goes_along() -> None:
    from opentelemetry.sdk.trace import TracerProvider

    script = Script(ok())
    with TracerProvider().get_tracer("test").start_as_current_span("loop") as span:
        script.session().get("/v1", dict)
    assert format(span.get_span_context().trace_id, "032x") in script.seen[0].headers["traceparent"]


def test_an_answer_of_another_version_is_told_from_a_fault_of_ours() -> None:
    with pytest.raises(ConnectionFailedError) as caught:
        Script(ok({"id": 1})).session().get("/v1/jobs/x", job_from_json)
    assert caught.value.code == "answer-unknown"
    assert "KeyError" in caught.value.cause


def test_a_submit_whose_answer_is_lost_says_how_to_send_it_again() -> None:
    root = ok({"name": "antiphon", "workspace": "default", "who": "me"})
    connection = RemoteConnection(URL, KEY, workspace="team", transport=Script(root, httpx2.ReadError))
    with pytest.MonkeyPatch.context() as patched, pytest.raises(ConnectionFailedError) as caught:
        patched.setattr(http, "PATIENCE_S", 0.1)
        connection.submit(SubmitRequest(workspace="", who="", kind=JobKind.SAMPLE, target="sim.auto", pubs=()))
    key = caught.value.details["key"]
    assert key.startswith("auto-")
    assert f"key={key!r}" in caught.value.next_step


def test_a_token_may_say_which_workspace_it_means() -> None:
    script = Script(ok({"name": "antiphon", "workspace": "team", "who": "me"}))
    assert RemoteConnection(URL, "token", workspace="team", transport=script).workspace == "team"
    assert script.seen[0].headers["X-Antiphon-Workspace"] == "team"
