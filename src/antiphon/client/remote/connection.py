"""The remote connection: an engine behind HTTP, with the same calls and the same errors as the embedded one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx2

from antiphon.client.connection import ReplayView, TargetView
from antiphon.client.remote.address import api_key_or_default, checked_url
from antiphon.client.remote.answers import not_a_server
from antiphon.client.remote.devices import RemoteDevices
from antiphon.client.remote.http import HttpSession
from antiphon.client.remote.keys import idempotency, new_key
from antiphon.client.remote.pages import find_jobs, find_sessions, is_id
from antiphon.client.remote.queues import RemoteQueues
from antiphon.client.remote.waiting import wait_for
from antiphon.client.wire.facts import item_from_json, job_from_json, session_from_json, target_from_json
from antiphon.client.wire.requests import session_request_to_json, submit_to_json
from antiphon.domain.batches import BatchItem
from antiphon.domain.jobs import Job
from antiphon.domain.results import Outcome, outcome_from_json
from antiphon.domain.sessions import Session
from antiphon.engine.agreement import Agreement
from antiphon.engine.cancel import job_not_found
from antiphon.engine.context import Finished
from antiphon.engine.requests import OpenSessionRequest, SubmitRequest
from antiphon.engine.results import raise_if_unsuccessful
from antiphon.engine.sessions import checked_request, session_not_found
from antiphon.errors import ConnectionFailedError
from antiphon.ports.job_store import JobQuery, SessionQuery


class RemoteConnection(RemoteQueues, RemoteDevices):
    """Implements `Connection` on a server. Thread-safe; may be used in a forked child.

    Every submit carries an idempotency key, one made here where the caller gave none, so that it can be repeated when
    an answer is lost; the job shows it as its key.

    Args:
        url: "http://host:8000"; with a path when a proxy adds one.
        api_key: An API key or a bearer token; None takes that of ANTIPHON_API_KEY.
        workspace: For a token that opens several workspaces: which.
        ca: A file with the certificate authorities to trust, for a server with a private one.
        transport: For tests.

    Raises:
        ConnectionFailedError: The server cannot be reached, or what answers is no Antiphon server.
        AuthenticationError: The server does not take the key.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        workspace: str | None = None,
        ca: str | os.PathLike[str] | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        headers = {} if workspace is None else {"X-Antiphon-Workspace": quote(workspace)}
        self._http = HttpSession(
            checked_url(url), api_key_or_default(api_key), ca=ca, headers=headers, transport=transport
        )
        try:
            self.workspace, self.who = _root(self._http)
        except BaseException:
            self._http.close()
            raise
        self._views: dict[str, TargetView] = {}

    @property
    def location(self) -> str:
        """The URL of the server."""
        return self._http.url

    def targets(self) -> list[TargetView]:
        """Every target with its queue."""
        views = self._http.get("/v1/targets", lambda body: [target_from_json(each) for each in body["targets"]])
        self._views = {view.info.name: view for view in views}
        return views

    def submit(self, request: SubmitRequest) -> Finished:
        """See `engine.submit`. What no server would take is refused here, before anything is sent."""
        self._check(request)
        key = new_key() if request.key is None else request.key
        try:
            return self._http.post("/v1/jobs", _finished, submit_to_json(request), idempotency(key))
        except ConnectionFailedError as error:
            error.details = {**error.details, "key": key}
            error.next_step += f" The job may have been stored: submit it again with key={key!r} and it stays one."
            raise

    def job(self, job_id: str) -> Job:
        """The job as it stands."""
        return self._http.get(_path("jobs", job_id), job_from_json)

    def jobs(self, query: JobQuery) -> list[Job]:
        """Jobs that match, page by page."""
        return find_jobs(self._http, query)

    def wait(self, job_id: str, timeout: float | None, watch: Callable[[Job], None] | None) -> Job:
        """See `engine.wait`."""
        return wait_for(self._http, _path("jobs", job_id), timeout, watch)

    def cancel(self, job_id: str) -> Job:
        """See `engine.cancel`."""
        return self._http.post(_path("jobs", job_id, "cancel"), job_from_json)

    def outcomes(self, job: Job) -> tuple[Outcome, ...]:
        """See `engine.results`."""
        raise_if_unsuccessful(job)
        return self._http.get(_path("jobs", job.id, "result"), _outcomes)

    def items(self, job: Job) -> list[BatchItem]:
        """Items of a batch."""
        path = _path("jobs", job.id, "items")
        return self._http.get(path, lambda body: [item_from_json(each) for each in body["items"]])

    def record(self, job: Job) -> dict[str, Any]:
        """See `engine.job_record`."""
        return self._http.get(_path("jobs", job.id, "record"), dict)

    def events(self, subject: str) -> list[dict[str, Any]]:
        """The log of a job or session."""
        kind = "sessions" if subject.startswith("ses_") else "jobs"
        return self._http.get(_path(kind, subject, "events"), list)

    def replay(self, job: Job, timeout: float | None) -> ReplayView:
        """See `engine.replay`."""
        # Each is a job of its own: one whose answer was lost is not asked for again.
        started = self._http.post(_path("jobs", job.id, "replay"), job_from_json, once=True)
        raise_if_unsuccessful(self.wait(started.id, timeout, None))
        return self._http.get(_path("jobs", job.id, f"replays/{started.id}"), _replay)

    def open_session(self, request: OpenSessionRequest) -> Session:
        """See `engine.sessions`."""
        request = checked_request(request)
        body = session_request_to_json(request if request.key is not None else replace(request, key=new_key()))
        return self._http.post("/v1/sessions", session_from_json, body)

    def session(self, session_id: str) -> Session:
        """The session as it stands."""
        return self._http.get(_path("sessions", session_id), session_from_json)

    def sessions(self, query: SessionQuery) -> list[Session]:
        """Sessions that match, page by page."""
        return find_sessions(self._http, query)

    def close_session(self, session_id: str) -> Session:
        """No new jobs; the queued finish."""
        return self._http.post(_path("sessions", session_id, "close"), session_from_json)

    def cancel_session(self, session_id: str) -> Session:
        """No new jobs; the queued are cancelled."""
        return self._http.post(_path("sessions", session_id, "cancel"), session_from_json)

    def close(self) -> None:
        """Let go of the server; it goes on with what it has."""
        self._http.close()


def _root(http: HttpSession) -> tuple[str, str]:
    """The workspace and the name of the caller."""
    root = http.get("/v1", lambda body: body)
    if not isinstance(root, Mapping) or root.get("name") != "antiphon":
        raise not_a_server(http.url, "its root does not say so")
    return str(root["workspace"]), str(root["who"])


def _path(kind: str, subject: str, part: str = "") -> str:
    # What is typed by hand may hold anything; it must not become another path.
    if not is_id(subject):
        raise job_not_found(subject) if kind == "jobs" else session_not_found(subject)
    return f"/v1/{kind}/{subject}{'/' if part else ''}{part}"


def _finished(answer: Mapping[str, Any]) -> Finished:
    result = answer.get("result")
    return Finished(job_from_json(answer), None if result is None else _outcomes(result))


def _outcomes(result: Mapping[str, Any]) -> tuple[Outcome, ...]:
    return tuple(outcome_from_json(each) for each in result["outcomes"])


def _replay(answer: Mapping[str, Any]) -> ReplayView:
    agreement = answer["agreement"]
    return ReplayView(
        job_from_json(answer["job"]),
        job_from_json(answer["original"]),
        Agreement(agreement["agrees"], agreement["test"], agreement["detail"], agreement["figures"]),
        tuple(answer["changed"]),
    )
