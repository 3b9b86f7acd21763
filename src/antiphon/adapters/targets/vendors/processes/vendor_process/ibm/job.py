"""Jobs of IBM's sampler. The live service knows no keys: a job carries its key as a tag, and is found by listing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import requests
from qiskit_ibm_runtime import SamplerV2
from qiskit_ibm_runtime.exceptions import (
    IBMError,
    IBMInputValueError,
    IBMNotAuthorizedError,
    RuntimeJobNotFound,
)
from vendor_process.ibm.device import calibration_of
from vendor_process.over_http import BUSY, never_left, status_of
from vendor_process.serving import (
    AmbiguousError,
    Json,
    RefusedError,
    Request,
    TransientError,
    VendorError,
    VendorJob,
)

STATES = {
    "INITIALIZING": "queued",
    "QUEUED": "queued",
    "VALIDATING": "queued",
    "RUNNING": "running",
    "CANCELLED": "cancelled",
    "DONE": "succeeded",
    "ERROR": "failed",
}
LISTED = 200


@contextmanager
def classed(*, sending: bool = False) -> Iterator[None]:
    """What qiskit-ibm-runtime raises, as what it means for the request."""
    try:
        yield
    except VendorError:
        raise
    except (IBMNotAuthorizedError, RuntimeJobNotFound, IBMInputValueError) as error:
        raise RefusedError(f"{type(error).__name__}: {error}") from None
    except (IBMError, requests.exceptions.RequestException) as error:
        if never_left(error):
            raise TransientError(f"cannot be reached: {error}") from None
        status = status_of(error)
        if status in BUSY:
            raise TransientError(f"busy ({status}): {error}") from None
        if status is not None and 400 <= status < 500:
            raise RefusedError(f"refused ({status}): {error}") from None
        kind = AmbiguousError if sending else TransientError
        raise kind(f"{type(error).__name__}: {error}") from None


def _counts(result: Any) -> list[Json]:
    return [{"bits": dict(one.join_data().get_counts())} for one in result]


def run_on_fake(request: Request, circuits: Sequence[Any], backend: Any) -> Json:
    """The outcomes of circuits in the local mode, each with its own seed."""
    results = []
    for circuit, program in zip(circuits, request.programs, strict=True):
        sampler = SamplerV2(mode=backend)
        sampler.options.simulator.seed_simulator = program["seed"] % 2**31
        results += _counts(sampler.run([(circuit, None, program["shots"])]).result())
    return {"results": results, "calibration": calibration_of(backend)}


class LiveJobs:
    """Jobs of the service."""

    def __init__(self, service: Any) -> None:
        self._service = service

    def send(self, request: Request, circuits: Sequence[Any], backend: Any) -> VendorJob:
        pubs = [(circuit, None, program["shots"]) for circuit, program in zip(circuits, request.programs, strict=True)]
        with classed(sending=True):
            sampler = SamplerV2(mode=backend)
            sampler.options.environment.job_tags = [_tag(request.key)]
            return self._told(sampler.run(pubs), request.key)

    def find(self, key: str, since: float) -> VendorJob | None:
        with classed():
            found = self._service.jobs(
                limit=LISTED, job_tags=[_tag(key)], created_after=datetime.fromtimestamp(since, UTC), descending=False
            )
        return self._told(found[0], key) if found else None

    def look(self, job_id: str) -> VendorJob:
        with classed():
            return self._told(self._service.job(job_id), None)

    def fetch(self, job_id: str) -> Json:
        with classed():
            job = self._service.job(job_id)
            results, backend = _counts(job.result()), job.backend()
        return {"results": results, "calibration": None if backend is None else calibration_of(backend)}

    def cancel(self, job_id: str) -> None:
        with classed():
            self._service.job(job_id).cancel()

    def _told(self, job: Any, key: str | None) -> VendorJob:
        with classed():
            status = str(job.status())
            state = STATES.get(status, "running")
            seconds = float(job.usage()) if state == "succeeded" else None
            error = str(job.error_message() or "") if state == "failed" else ""
        cost = (
            ()
            if seconds is None
            else ({"dimension": "qpu-seconds", "unit": "s", "consumed": seconds, "quantity": seconds},)
        )
        return VendorJob(id=job.job_id(), key=key, state=state, error=error, cost=cost, seconds=seconds)


def _tag(key: str) -> str:
    return f"antiphon:{key}"
