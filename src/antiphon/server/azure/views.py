"""Jobs, sessions and quotas as Azure's clients read them: every name and word of the wire is spelled here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.client.wire.times import to_iso
from antiphon.domain.jobs import Job, JobStatus, as_told
from antiphon.domain.quotas import Period, Quota, QuotaUse
from antiphon.domain.sessions import Session, SessionStatus
from antiphon.ports.azure_store import AzureItem
from antiphon.server.azure.addresses import blob_url, container_url, signed
from antiphon.server.azure.filters import JOB_TYPE
from antiphon.server.azure.outputs_stored import output_name
from antiphon.server.azure.refusals import told
from antiphon.server.azure.sas import Grant, SasSigner
from antiphon.server.azure.storage import RESULT_TO_BE

SIGNED_FOR_S = 4 * 3_600.0
"""How long a signed URL opens what it names. The clients ask for a new one when five minutes are left."""
DEFAULT_PRIORITY = "Standard"
_PERIODS = {Period.NONE: "None", Period.DAY: "Daily", Period.MONTH: "Monthly"}


@dataclass(frozen=True, slots=True)
class Links:
    """Where the blobs of a job are, as its client reaches them.

    Attributes:
        signer: None leaves the URLs unsigned.
    """

    base: str
    now: float
    signer: SasSigner | None

    def container(self, name: str) -> str:
        """URL of a container, to read and list."""
        if self.signer is None:
            return container_url(self.base, name)
        return signed(self.base, Grant(name, None, "rl", self.now + SIGNED_FOR_S), self.signer)

    def blob(self, container: str, name: str) -> str:
        """URL of a blob, to read."""
        if self.signer is None:
            return blob_url(self.base, container, name)
        return signed(self.base, Grant(container, name, "r", self.now + SIGNED_FOR_S), self.signer)


def job_view(item: AzureItem, job: Job, links: Links, *, just_sent: bool = False) -> dict[str, Any]:
    """A job.

    Args:
        just_sent: Show it as it was the moment it was taken, even if it has ended by now: some clients fetch the
            results at once when the answer to their submit looks complete.
    """
    details = item.details
    status = JobStatus.WAITING if just_sent else as_told(job).status
    started, ended = (None, None) if just_sent else (job.started_at, job.ended_at)
    modified = max(job.created_at, details.get("modified_at") or 0.0, started or 0.0, ended or 0.0)
    container = item.container or ""
    return {
        "id": item.id,
        "name": item.name,
        "itemType": "Job",
        "jobType": JOB_TYPE,
        "providerId": item.provider,
        "target": item.target,
        "sessionId": item.session,
        "status": status.value,
        "isCancelling": status is JobStatus.CANCELLATION_REQUESTED,
        "containerUri": links.container(container),
        "inputDataUri": links.blob(container, details["input_blob"]),
        "inputDataFormat": details["inputDataFormat"],
        "inputParams": details["inputParams"],
        "outputDataUri": links.blob(container, RESULT_TO_BE if just_sent else output_name(item, job)),
        "outputDataFormat": details["outputDataFormat"],
        "metadata": details["metadata"],
        "creationTime": to_iso(job.created_at),
        "beginExecutionTime": to_iso(started),
        "endExecutionTime": to_iso(ended),
        "cancellationTime": to_iso(ended) if status is JobStatus.CANCELLED else None,
        "lastModifiedTime": to_iso(modified),
        "lastUpdatedTime": to_iso(modified),
        "errorData": None if just_sent or status is not JobStatus.FAILED else _error(job.error),
        "costEstimate": None if just_sent else _cost(job),
        "quantumComputingData": None if just_sent else {"count": len(job.spec.pubs)},
        "usage": {} if just_sent else _usage(job),
        **_common(item, job.created_by),
    }


def session_view(item: AzureItem, session: Session) -> dict[str, Any]:
    """A session."""
    modified = max(session.created_at, session.last_activity_at or 0.0, session.ended_at or 0.0)
    return {
        "id": item.id,
        "name": item.name,
        "itemType": "Session",
        "providerId": item.provider,
        "target": item.target,
        "status": session.status.value,
        "jobFailurePolicy": session.failure_policy.value.capitalize(),
        "creationTime": to_iso(session.created_at),
        "beginExecutionTime": to_iso(session.first_job_at),
        "endExecutionTime": to_iso(session.ended_at),
        "lastModifiedTime": to_iso(modified),
        "lastUpdatedTime": to_iso(modified),
        "costEstimate": None,
        "errorData": _why_ended(session),
        "usage": {},
        **_common(item, session.created_by),
    }


def _why_ended(session: Session) -> dict[str, Any] | None:
    if not session.status.is_final or session.status is SessionStatus.SUCCEEDED:
        return None
    failed = f"{session.failed} of {session.jobs} jobs failed; " if session.failed else ""
    return {"code": f"Session{session.status.value}", "message": failed + session.end_reason}


def quota_view(quota: Quota, use: QuotaUse, provider: str) -> dict[str, Any]:
    """A quota. A day is no period of Azure's; it is named all the same."""
    return {
        "dimension": quota.dimension.value,
        "scope": "Workspace",
        "providerId": provider,
        "utilization": float(use.used),
        "holds": float(use.held),
        "limit": float(quota.limit),
        "period": _PERIODS[quota.period],
    }


def strings(metadata: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Labels as the service gives them back: every value is text, as its JSON would be."""
    if metadata is None:
        return None
    return {key: _string(value) for key, value in metadata.items() if value is not None}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _common(item: AzureItem, who: str) -> dict[str, Any]:
    by = {"createdBy": who, "createdByType": item.details["by"]}
    changed = {
        "lastModifiedBy": item.details.get("modified_by", who),
        "lastModifiedByType": item.details.get("modified_by_type", item.details["by"]),
    }
    priority = item.details.get("priority") or DEFAULT_PRIORITY
    return {**by, **changed, "priority": priority, "jobPriority": priority, "tags": item.details.get("tags") or []}


def _error(error: Mapping[str, Any] | None) -> dict[str, Any]:
    found = error or {"code": "job-failed", "message": "The job failed; no reason was stored."}
    return {"code": found["code"], "message": told(found), "target": None, "details": [], "innererror": None}


def _usage(job: Job) -> dict[str, float]:
    found = {"shots": float(job.shots)}
    if job.stages.execute is not None:
        found["executionSeconds"] = job.stages.execute
    return found


def _cost(job: Job) -> dict[str, Any] | None:
    if not job.status.is_final:
        return _expected_cost(job)
    if not job.cost:
        return None
    return {
        "currencyCode": str(job.cost[0].get("currency", "USD")),
        "estimatedTotal": sum(float(line.get("amount", 0.0)) for line in job.cost),
        "events": [
            {
                "dimensionId": str(line.get("dimension", "job")),
                "dimensionName": str(line.get("name", line.get("dimension", "job"))),
                "measureUnit": str(line.get("unit", "")),
                "amountBilled": float(line.get("quantity", 0.0)),
                "amountConsumed": float(line.get("consumed", line.get("quantity", 0.0))),
                "unitPrice": float(line.get("price", 0.0)),
            }
            for line in job.cost
        ],
    }


def _expected_cost(job: Job) -> dict[str, Any] | None:
    """What a job that waits or runs is expected to cost, at the median; its events come with its end."""
    expected = job.estimate or {}
    if expected.get("cost") is None:
        return None
    return {
        "currencyCode": str(expected.get("currency") or "USD"),
        "estimatedTotal": float(expected["cost"]["p50"]),
        "events": [],
    }
