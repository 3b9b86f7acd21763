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
from vendor_process.serving import (
    AmbiguousError,
    Json,
    LocalJobs,
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
BUSY = frozenset({408, 425, 429, 503})
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
    except requests.exceptions.ConnectTimeout as error:
        raise TransientError(f"cannot be reached: {error}") from None
    except (IBMError, requests.exceptions.RequestException) as error:
        status = _status(error)
        if status in BUSY:
            raise TransientError(f"busy ({status}): {error}") from None
        if status is not None and 400 <= status < 500:
            raise RefusedError(f"refused ({status}): {error}") from None
        kind = AmbiguousError if sending else TransientError
        raise kind(f"{type(error).__name__}: {error}") from None


def _status(error: BaseException) -> int | None:
    """The HTTP status under an error, where there was an answer."""
    seen: BaseException | None = error
    while seen is not None:
        status = getattr(seen, "status_code", None) or getattr(getattr(seen, "response", None), "status_code", None)
        if isinstance(status, int) and status > 0:
            return status
        seen = seen.__cause__ or seen.__context__
    return None


def _counts(result: Any) -> list[Json]:
    return [{"bits": dict(one.join_data().get_counts())} for one in result]


class LocalFakes:
    """Jobs of the local mode, which run in this process and are gone with it."""

    def __init__(self) -> None:
        self._jobs = LocalJobs()
        self._backends: dict[str, Any] = {}

    def send(self, request: Request, circuits: Sequence[Any], backend: Any) -> VendorJob:
        self._backends[request.key] = backend
        programs = list(zip(circuits, request.programs, strict=True))

        def run() -> Json:
            results = []
            for circuit, program in programs:
                sampler = SamplerV2(mode=backend)
                sampler.options.simulator.seed_simulator = program["seed"] % 2**31
                results += _counts(sampler.run([(circuit, None, program["shots"])]).result())
            return {"results": results}

        return self._jobs.start(request.key, run)

    def find(self, key: str, since: float) -> VendorJob | None:
        del since
        return self._jobs.find(key)

    def look(self, job_id: str) -> VendorJob:
        return self._jobs.look(job_id)

    def fetch(self, job_id: str) -> tuple[list[Json], Any]:
        return self._jobs.fetch(job_id)["results"], self._backends[job_id]

    def cancel(self, job_id: str) -> None:
        self._jobs.cancel(job_id)


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

    def fetch(self, job_id: str) -> tuple[list[Json], Any]:
        with classed():
            job = self._service.job(job_id)
            return _counts(job.result()), job.backend()

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
