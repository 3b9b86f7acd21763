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
from antiphon.client.remote.http import HttpSession
from antiphon.client.remote.keys import idempotency, new_key
from antiphon.client.remote.pages import find_jobs, find_sessions, is_id
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
from antiphon.engine.validate import check_request
from antiphon.ports.job_store import JobQuery, SessionQuery


class RemoteConnection:
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
            root = _root(self._http)
        except BaseException:
            self._http.close()
            raise
        self.workspace: str = root["workspace"]
        self.who: str = root["who"]
        self._views: dict[str, TargetView] = {}

    @property
    def location(self) -> str:
        """The URL of the server."""
        return self._http.url

    def targets(self) -> list[TargetView]:
        """Every target with its queue."""
        views = [target_from_json(each) for each in self._http.get("/v1/targets").body["targets"]]
        self._views = {view.info.name: view for view in views}
        return views

    def submit(self, request: SubmitRequest) -> Finished:
        """See `engine.submit`. What no server would take is refused here, before anything is sent."""
        view = self._views.get(request.target)
        if view is not None:
            check_request(request, view.info)
        key = new_key() if request.key is None else request.key
        answer = self._http.post("/v1/jobs", submit_to_json(request), idempotency(key)).body
        return _finished(answer)

    def job(self, job_id: str) -> Job:
        """The job as it stands."""
        return job_from_json(self._http.get(_path("jobs", job_id)).body)

    def jobs(self, query: JobQuery) -> list[Job]:
        """Jobs that match, page by page."""
        return find_jobs(self._http, query)

    def wait(self, job_id: str, timeout: float | None, watch: Callable[[Job], None] | None) -> Job:
        """See `engine.wait`."""
        return wait_for(self._http, _path("jobs", job_id), timeout, watch)

    def cancel(self, job_id: str) -> Job:
        """See `engine.cancel`."""
        return job_from_json(self._http.post(_path("jobs", job_id, "cancel")).body)

    def outcomes(self, job: Job) -> tuple[Outcome, ...]:
        """See `engine.results`."""
        raise_if_unsuccessful(job)
        return _outcomes(self._http.get(_path("jobs", job.id, "result")).body)

    def items(self, job: Job) -> list[BatchItem]:
        """Items of a batch."""
        return [item_from_json(each) for each in self._http.get(_path("jobs", job.id, "items")).body["items"]]

    def record(self, job: Job) -> dict[str, Any]:
        """See `engine.job_record`."""
        record: dict[str, Any] = self._http.get(_path("jobs", job.id, "record")).body
        return record

    def events(self, subject: str) -> list[dict[str, Any]]:
        """The log of a job or session."""
        kind = "sessions" if subject.startswith("ses_") else "jobs"
        events: list[dict[str, Any]] = self._http.get(_path(kind, subject, "events")).body
        return events

    def replay(self, job: Job, timeout: float | None) -> ReplayView:
        """See `engine.replay`."""
        # Each is a job of its own: one whose answer was lost is not asked for again.
        started = job_from_json(self._http.post(_path("jobs", job.id, "replay"), once=True).body)
        raise_if_unsuccessful(self.wait(started.id, timeout, None))
        answer = self._http.get(_path("jobs", job.id, f"replays/{started.id}")).body
        agreement = answer["agreement"]
        return ReplayView(
            job_from_json(answer["job"]),
            job_from_json(answer["original"]),
            Agreement(agreement["agrees"], agreement["test"], agreement["detail"], agreement["figures"]),
            tuple(answer["changed"]),
        )

    def open_session(self, request: OpenSessionRequest) -> Session:
        """See `engine.sessions`."""
        request = checked_request(request)
        body = session_request_to_json(request if request.key is not None else replace(request, key=new_key()))
        return session_from_json(self._http.post("/v1/sessions", body).body)

    def session(self, session_id: str) -> Session:
        """The session as it stands."""
        return session_from_json(self._http.get(_path("sessions", session_id)).body)

    def sessions(self, query: SessionQuery) -> list[Session]:
        """Sessions that match, page by page."""
        return find_sessions(self._http, query)

    def close_session(self, session_id: str) -> Session:
        """No new jobs; the queued finish."""
        return session_from_json(self._http.post(_path("sessions", session_id, "close")).body)

    def cancel_session(self, session_id: str) -> Session:
        """No new jobs; the queued are cancelled."""
        return session_from_json(self._http.post(_path("sessions", session_id, "cancel")).body)

    def close(self) -> None:
        """Let go of the server; it goes on with what it has."""
        self._http.close()


def _root(http: HttpSession) -> Mapping[str, Any]:
    root = http.get("/v1").body
    if not isinstance(root, Mapping) or root.get("name") != "antiphon":
        raise http.not_a_server("its root does not say so")
    return root


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
