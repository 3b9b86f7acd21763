"""Jobs of a workspace. Each program is a job of its own, whose id follows from the key: sent twice, it is one job.

A group of jobs is named "KEY:NUMBER". It counts as found once all its jobs are there; what a crash left half sent is
completed by sending the same key again.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.quantum import Job, Workspace
from vendor_process.groups import together
from vendor_process.serving import (
    AmbiguousError,
    Json,
    RefusedError,
    Request,
    TransientError,
    VendorJob,
)

RESULTS = "microsoft.quantum-results.v2"
NAMESPACE = uuid.UUID("6f1cf7e0-0e0b-5d0e-9c1a-5a4e0c7f3b11")

STATES = {
    "Queued": "queued",
    "Waiting": "queued",
    "Executing": "running",
    "Finishing": "running",
    "CancellationRequested": "running",
    "Cancelling": "running",
    "Completed": "succeeded",
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Cancelled": "cancelled",
}
BUSY = frozenset({408, 429, 503})
"""Of these nothing was taken; of any other 5xx it may have been."""


@contextmanager
def classed(*, sending: bool = False) -> Iterator[None]:
    """What Azure's client raises, as what it means for the request."""
    try:
        yield
    except ResourceNotFoundError as error:
        raise RefusedError(f"not found: {error.message}") from None
    except ClientAuthenticationError as error:
        raise RefusedError(f"not admitted: {error.message}") from None
    except ServiceRequestError as error:  # no connection was made
        raise TransientError(f"cannot be reached: {error.message}") from None
    except HttpResponseError as error:
        status = error.status_code or 0
        if status in BUSY:
            raise TransientError(f"busy ({status}): {error.message}", retry_after_s=_retry_after(error)) from None
        if 400 <= status < 500:
            raise RefusedError(f"refused ({status}): {error.message}") from None
        kind = AmbiguousError if sending else TransientError
        raise kind(f"failed ({status}): {error.message}") from None


def _retry_after(error: HttpResponseError) -> float | None:
    told = error.response.headers.get("Retry-After") if error.response is not None else None
    return float(told) if told and told.isdigit() else None


class AzureJobs:
    """The calls about jobs, over one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def send(self, request: Request, programs: Sequence[tuple[bytes, str]], provider: str) -> VendorJob:
        """Upload and submit each program. A PUT of the same id is the same job, so the client may repeat it."""
        number = len(programs)
        jobs = []
        for index, ((source, entry_point), program) in enumerate(zip(programs, request.programs, strict=True)):
            given = {
                "name": f"{request.key}.{index}",
                "target": request.device,
                "provider_id": provider,
                "input_data": source,
                "blob_name": f"inputData-{uuid.uuid4().hex}",  # a blob that an earlier try left cannot be written again
                "content_type": "qir.v1",
                "input_data_format": "qir.v1",
                "output_data_format": RESULTS,
                "input_params": {
                    **request.options,
                    "entryPoint": entry_point,
                    "shots": program["shots"],
                    "arguments": [],
                },
                "metadata": {"antiphon_programs": str(number)},
            }
            with classed(sending=True):
                jobs.append(self._put(_job_id(request.key, index), given))
        return _together(request.key, jobs)

    def _put(self, job_id: str, given: Mapping[str, Any]) -> Job:
        try:
            return Job.from_input_data(workspace=self._workspace, job_id=job_id, **given)
        except ResourceExistsError:  # an earlier try arrived
            return self._workspace.get_job(job_id)

    def find(self, key: str, since: float) -> VendorJob | None:
        """The group of a key, when all of it is there."""
        del since  # its ids are made of the key
        with classed():
            try:
                first = self._workspace.get_job(_job_id(key, 0))
            except ResourceNotFoundError:
                return None
            number = int((first.details.metadata or {}).get("antiphon_programs", 1))
            try:
                rest = [self._workspace.get_job(_job_id(key, index)) for index in range(1, number)]
            except ResourceNotFoundError:
                return None
        return _together(key, [first, *rest])

    def look(self, job_id: str) -> VendorJob:
        key, _ = _parts(job_id)
        return _together(key, self._jobs(job_id))

    def fetch(self, job_id: str) -> Json:
        """The outcomes of each job, from its blob."""
        results = []
        for job in self._jobs(job_id):
            with classed():
                body = job.download_data(job.details.output_data_uri)
            results.append(_outcomes(body))
        return {"results": results}

    def cancel(self, job_id: str) -> None:
        """Cancel whatever of the group has not ended."""
        for job in self._jobs(job_id):
            if not job.has_completed():
                with classed():
                    self._workspace.cancel_job(job)

    def _jobs(self, job_id: str) -> list[Job]:
        key, number = _parts(job_id)
        with classed():
            return [self._workspace.get_job(_job_id(key, index)) for index in range(number)]


def _job_id(key: str, index: int) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{key}/{index}"))


def _parts(job_id: str) -> tuple[str, int]:
    key, colon, number = job_id.rpartition(":")
    if not colon or not number.isdigit():
        raise RefusedError(f"{job_id!r} is no job of this workspace")
    return key, int(number)


def _together(key: str, jobs: Sequence[Job]) -> VendorJob:
    return together(f"{key}:{len(jobs)}", key, [_told(job) for job in jobs])


def _told(job: Job) -> VendorJob:
    error = job.details.error_data
    return VendorJob(
        id=job.id,
        state=_state(job),
        error=f"{error.code}: {error.message}" if error else "",
        cost=list(_cost(job)),
        seconds=_seconds(job),
    )


def _state(job: Job) -> str:
    status = job.details.status  # a member of an enumeration, or the text of one that the client does not know
    return STATES.get(str(getattr(status, "value", status)), "running")


def _cost(job: Job) -> Iterator[Json]:
    estimate = job.details.cost_estimate
    for event in (estimate.events or ()) if estimate is not None else ():
        yield {
            "dimension": event.dimension_id,
            "name": event.dimension_name,
            "unit": event.measure_unit,
            "consumed": event.amount_consumed,
            "quantity": event.amount_billed,
            "price": event.unit_price,
            "amount": event.amount_billed * event.unit_price,
            "currency": estimate.currency_code,
        }


def _seconds(job: Job) -> float:
    begin, end = job.details.begin_execution_time, job.details.end_execution_time
    both = isinstance(begin, datetime) and isinstance(end, datetime)
    return max(0.0, (end - begin).total_seconds()) if both else 0.0


def _outcomes(body: bytes) -> Json:
    """The histogram of a result blob: the display of each outcome, and bit strings where all are lists of results."""
    try:
        histogram = json.loads(body)["Results"][0]["Histogram"]
        bits: dict[str, int] = {}
        values: dict[str, int] = {}
        for each in histogram:
            values[each["Display"]] = values.get(each["Display"], 0) + each["Count"]
            key = _bits(each["Outcome"])
            if key is not None:
                bits[key] = bits.get(key, 0) + each["Count"]
    except (ValueError, LookupError, TypeError) as error:
        raise RefusedError(f"the result is not in the format {RESULTS}: {error!r}") from None
    return {"values": values, **({"bits": bits} if len(bits) == len(values) else {})}


def _bits(outcome: Any) -> str | None:
    row = outcome if isinstance(outcome, list) else [outcome]
    if not all(isinstance(bit, int) and bit in (0, 1) for bit in row):
        return None
    return "".join(str(bit) for bit in reversed(row))
