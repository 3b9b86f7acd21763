"""The documents of the API built by hand, since building them through models costs more than the rest of a request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from antiphon.client.wire.facts import job_to_json, session_to_json
from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.sessions import Session
from antiphon.domain.work import PROGRAMS, JobKind
from antiphon.engine.replay import REPLAY_OF

MAY_STILL_SUCCEED = "Cancelling is a request: what is already running may still end as Succeeded."
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_id(text: str) -> bool:
    """Whether it may be an id at all; anything else need not reach the database."""
    return _ID.fullmatch(text) is not None


def job_path(job_id: str) -> str:
    """Path of a job."""
    return f"/v1/jobs/{job_id}"


def session_path(session_id: str) -> str:
    """Path of a session."""
    return f"/v1/sessions/{session_id}"


def job_links(job: Job) -> dict[str, str]:
    """Where a client can go from a job."""
    own = job_path(job.id)
    links = {"self": own}
    links |= {
        name: f"{own}/{name}" for name in ("status", "result", "record", "events", "explanation", "cancel", "replay")
    }
    if job.spec.kind is JobKind.BATCH:
        links["items"] = f"{own}/items"
    if job.session_id is not None:
        links["session"] = session_path(job.session_id)
    original = job.spec.metadata.get(REPLAY_OF, "")
    if is_id(original):
        links["comparison"] = f"{job_path(original)}/replays/{job.id}"
    return links


def job_document(job: Job, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """A job as `JobView` says."""
    told = [*warnings, MAY_STILL_SUCCEED] if job.status is JobStatus.CANCELLATION_REQUESTED else list(warnings)
    return {
        **job_to_json(job),
        "cached": job.provenance.get("cached"),
        "links": job_links(job),
        "warnings": told,
    }


def job_in_list(job: Job) -> dict[str, Any]:
    """A job as one of many: of several programs, its provenance leaves out what is told of each."""
    document = job_document(job)
    if len(job.spec.pubs) > 1:
        document["provenance"] = _without_programs(document["provenance"])
    return document


def _without_programs(provenance: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in provenance.items() if name not in ("compiled", "pubs", "tasks")}
    plan = found.get("plan")
    if plan is not None:
        found["plan"] = {name: value for name, value in plan.items() if name != "reason"}
        if PROGRAMS in plan.get("details", {}):
            details = {name: value for name, value in plan["details"].items() if name != PROGRAMS}
            found["plan"]["details"] = details
    return found


def session_document(session: Session) -> dict[str, Any]:
    """A session as `SessionView` says."""
    own = session_path(session.id)
    links = {"self": own} | {name: f"{own}/{name}" for name in ("jobs", "events", "close", "cancel")}
    return {**session_to_json(session), "links": links}


def result_body(job: Job, outcomes: str) -> bytes:
    """A result as `ResultView` says, around the JSON text of its outcomes as stored."""
    cached = json.dumps(job.provenance.get("cached"), separators=(",", ":"))
    return f'{{"id":"{job.id}","outcomes":{outcomes},"cached":{cached}}}'.encode()


def encode(document: Any) -> bytes:
    """JSON without spaces."""
    return json.dumps(document, separators=(",", ":")).encode()


def answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer whose body is encoded already."""
    return Response(body, status, headers, "application/json")
