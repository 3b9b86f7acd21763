"""The outbox: what endpoints are to be told, written in the transaction of the event itself.

So an event that is stored will be delivered, and one that was rolled back never is. Bodies are CloudEvents 1.0, and
thin: they say what happened to what, and where to read the rest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from antiphon.domain.jobs import Job, JobStatus
from antiphon.domain.sessions import Session
from antiphon.domain.webhooks import TEST_EVENT, Delivery, Endpoint
from antiphon.engine.ids import new_id
from antiphon.ports.job_store import Transaction
from antiphon.ports.webhook_store import WebhookTransaction

_JOB_TYPES = {
    JobStatus.SUCCEEDED: "job.succeeded",
    JobStatus.FAILED: "job.failed",
    JobStatus.CANCELLED: "job.cancelled",
}


def note_job_end(tx: Transaction, job: Job) -> None:
    """Tell the endpoints of its workspace that a job has ended; the caller saves the job in this transaction."""
    tx.add_deliveries(deliveries_for(tx, job))


def note_session_end(tx: Transaction, before: Session, after: Session) -> None:
    """Tell the endpoints of its workspace if `after` is the end of a session that `before` was not."""
    if after.status.is_final and not before.status.is_final:
        tx.add_deliveries(deliveries_for(tx, after))


def deliveries_for(tx: WebhookTransaction, subject: Job | Session) -> list[Delivery]:
    """One delivery for each endpoint of the workspace that wants to know of the end of a job or session.

    With no endpoint in the workspace it costs one look at an index.
    """
    endpoints = tx.endpoints(subject.workspace)
    if not endpoints:
        return []
    event = _job_event(subject) if isinstance(subject, Job) else _session_event(subject)
    at = subject.created_at if subject.ended_at is None else subject.ended_at
    return [delivery_of(endpoint, event, at) for endpoint in endpoints if endpoint.wants(event["type"])]


def delivery_of(endpoint: Endpoint, event: Mapping[str, Any], at: float) -> Delivery:
    """An event for one endpoint, due at once."""
    return Delivery(
        id=new_id("msg"),
        workspace=endpoint.workspace,
        endpoint=endpoint.id,
        type=event["type"],
        subject=event["subject"],
        body=event,
        created_at=at,
        next_at=at,
    )


def probe_event(endpoint: Endpoint, at: float, who: str) -> dict[str, Any]:
    """The event that an endpoint's owner asks for to see whether deliveries arrive."""
    data = {"id": endpoint.id, "asked_by": who, "links": {"self": f"/v1/webhooks/{endpoint.id}"}}
    return _event(endpoint.workspace, TEST_EVENT, endpoint.id, at, data)


def _job_event(job: Job) -> dict[str, Any]:
    own = f"/v1/jobs/{job.id}"
    data = {
        "id": job.id,
        "name": job.name,
        "status": job.status.value,
        "target": job.spec.target,
        "session_id": job.session_id,
        "links": {"self": own, "result": f"{own}/result", "record": f"{own}/record"},
    }
    return _event(job.workspace, _JOB_TYPES[job.status], job.id, job.ended_at or job.created_at, data)


def _session_event(session: Session) -> dict[str, Any]:
    own = f"/v1/sessions/{session.id}"
    data = {
        "id": session.id,
        "name": session.name,
        "status": session.status.value,
        "target": session.target,
        "session_id": session.id,
        "links": {"self": own, "jobs": f"{own}/jobs"},
    }
    return _event(session.workspace, "session.ended", session.id, session.ended_at or session.created_at, data)


def _event(workspace: str, event_type: str, subject: str, at: float, data: Mapping[str, Any]) -> dict[str, Any]:
    # The event is the same for every endpoint, so its id is not the delivery's, which names one message to one of them.
    return {
        "specversion": "1.0",
        "id": new_id("evt"),
        "source": f"urn:antiphon:workspace:{quote(workspace, safe='')}",
        "type": event_type,
        "subject": subject,
        "time": dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": dict(data),
    }
