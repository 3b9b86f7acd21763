"""Jobs of IQM's backends. A server knows no keys and tells no list of jobs: of what was not answered nothing is known.

A job there has one number of shots, so a job of ours is as many of them as it has different numbers; its id has theirs,
each with the places of its programs: "UUID:0,2+UUID:1".
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from exa.common.errors.iqm_error import (
    AuthenticationError,
    ConflictError,
    DataSizeError,
    ForbiddenError,
    InvalidOperationError,
    IQMError,
    NotFoundError,
    RateLimitError,
    SystemUnavailableError,
    ValidationError,
)
from vendor_process.groups import SEPARATOR, by_shots, send_each, together
from vendor_process.iqm.device import calibration_of, calibration_of_fake
from vendor_process.over_http import never_left
from vendor_process.serving import (
    AmbiguousError,
    CannotTellError,
    Json,
    RefusedError,
    Request,
    TransientError,
    VendorError,
    VendorJob,
)

STATES = {
    "waiting": "queued",
    "processing": "running",
    "completed": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}
NO = (
    AuthenticationError,
    ConflictError,
    DataSizeError,
    ForbiddenError,
    InvalidOperationError,
    NotFoundError,
    ValidationError,
    ValueError,
)
"""For a reason that stays; the last is what the client itself finds wrong, before it sends."""
BUSY = (RateLimitError, SystemUnavailableError)


@contextmanager
def classed(*, sending: bool = False) -> Iterator[None]:
    """What iqm-client raises, as what it means for the request."""
    try:
        yield
    except VendorError:
        raise
    except (IQMError, requests.exceptions.RequestException, ValueError) as error:
        told = f"{type(error).__name__}: {error}"
        if never_left(error):
            raise TransientError(f"cannot be reached: {told}") from None
        if isinstance(error, BUSY):
            raise TransientError(f"busy: {told}") from None
        if isinstance(error, NO) and not isinstance(error, requests.exceptions.RequestException):
            raise RefusedError(told) from None
        raise (AmbiguousError if sending else TransientError)(told) from None


def run_on_fake(request: Request, circuits: Sequence[Any], backend: Any) -> Json:
    """The outcomes of circuits on a fake backend; its simulator takes no seed."""
    results = [
        {"bits": _plain(backend.run(circuit, shots=program["shots"]).result().get_counts())}
        for circuit, program in zip(circuits, request.programs, strict=True)
    ]
    return {"results": results, "calibration": calibration_of_fake(request.device)}


class LiveJobs:
    """Jobs of a server."""

    def __init__(self, name: str, backend: Any) -> None:
        self._name, self._backend = name, backend

    def renew(self, backend: Any) -> None:
        """Go on with a backend of a newer calibration set."""
        self._backend = backend

    def send(self, request: Request, circuits: Sequence[Any], backend: Any) -> VendorJob:
        def take(places: list[int]) -> VendorJob:
            with classed(sending=True):
                job = backend.run([circuits[place] for place in places], shots=request.programs[places[0]]["shots"])
            return VendorJob(id=f"{job.job_id()}:{','.join(map(str, places))}", state="queued")

        taken = send_each(by_shots(request.programs), take, self._cancel, repeatable=False)
        return together(SEPARATOR.join(job.id for job in taken), request.key, taken)

    def find(self, key: str, since: float) -> VendorJob | None:
        raise CannotTellError(f"IQM's servers tell no list of jobs, in which {key} since {since:.0f} could be found")

    def look(self, job_id: str) -> VendorJob:
        return together(job_id, None, [self._look(part) for part in job_id.split(SEPARATOR)])

    def fetch(self, job_id: str) -> Json:
        results: dict[int, Json] = {}
        for part in job_id.split(SEPARATOR):
            number, places = _parts(part)
            with classed():
                job = self._backend.retrieve_job(str(number))
                told = job.result()
                for place, index in enumerate(places):
                    results[index] = {"bits": _plain(told.get_counts(place))}
        with classed():
            calibration = calibration_of(self._name, self._backend)
        return {"results": [results[index] for index in sorted(results)], "calibration": calibration}

    def cancel(self, job_id: str) -> None:
        for part in job_id.split(SEPARATOR):
            if self._look(part).state in ("queued", "running"):
                self._cancel(part)

    def _look(self, part: str) -> VendorJob:
        number, _ = _parts(part)
        with classed():
            told = self._backend.client._executor.get_job(number)  # `get_job` of the client only warns of errors
        state = STATES.get(str(told.status), "running")
        error = "; ".join(str(each) for each in told.errors) if state == "failed" else ""
        return VendorJob(id=part, state=state, error=error)

    def _cancel(self, part: str) -> None:
        number, _ = _parts(part)
        with classed():
            self._backend.client.cancel_job(number)


def _parts(part: str) -> tuple[uuid.UUID, list[int]]:
    number, _, places = part.partition(":")
    try:
        return uuid.UUID(number), [int(place) for place in places.split(",")]
    except ValueError:
        raise RefusedError(f"{part!r} is no job of this server") from None


def _plain(counts: Any) -> dict[str, int]:
    return {str(key).replace(" ", ""): int(number) for key, number in counts.items()}
