"""Jobs of IonQ. The service knows no keys: a job carries ours in its metadata, and is found by listing.

A job there has one number of shots, so a job of ours is as many of them as it has different numbers. Each says in its
metadata which programs of how many it has; what a crash left half sent is completed by sending the same key again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
import requests
from qiskit_ionq import ErrorMitigation
from qiskit_ionq.exceptions import IonQAPIError, IonQError, IonQRetriableError
from qiskit_ionq.helpers import decompress_metadata_string
from qiskit_ionq.ionq_client import IonQClient
from qiskit_ionq.ionq_job import IonQJob, map_output
from vendor_process.groups import SEPARATOR, by_shots, send_each, together
from vendor_process.ionq.device import SIMULATOR
from vendor_process.over_http import BUSY, never_left
from vendor_process.serving import AmbiguousError, Json, RefusedError, Request, TransientError, VendorJob

STATES = {
    "submitted": "queued",
    "ready": "queued",
    "started": "running",
    "running": "running",
    "completed": "succeeded",
    "failed": "failed",
    "canceled": "cancelled",
}
KEY, PART, SEEDS = "antiphon_key", "antiphon_part", "antiphon_seeds"
"""In a job's metadata: our key; "0,2/3", the first and third of three programs; and a seed for each."""
IDEAL = "ideal"


@contextmanager
def classed(*, sending: bool = False) -> Iterator[None]:
    """What qiskit-ionq raises, as what it means for the request."""
    try:
        yield
    except (IonQError, requests.exceptions.RequestException) as raised:
        error: BaseException = raised._cause if isinstance(raised, IonQRetriableError) else raised
        told = f"{type(error).__name__}: {getattr(error, 'message', None) or error}"
        if never_left(error):
            raise TransientError(f"cannot be reached: {told}") from None
        status = error.status_code if isinstance(error, IonQAPIError) else None
        if status in BUSY:
            raise TransientError(f"busy ({status}): {told}", retry_after_s=_retry_after(error)) from None
        if status == 409 and not sending:  # so Cloudflare says that it could not resolve a name
            raise TransientError(f"conflict: {told}") from None
        if status is not None and 400 <= status < 500:
            raise RefusedError(f"refused ({status}): {told}") from None
        raise (AmbiguousError if sending else TransientError)(told) from None


def _retry_after(error: BaseException) -> float | None:
    told = getattr(error, "headers", {}).get("Retry-After")
    return float(told) if told and told.isdigit() else None


class Service:
    """Requests by IonQ's client, each made once.

    The client itself repeats a submit whose answer was lost, which may run it twice, and a question for ever.
    """

    def __init__(self, client: IonQClient) -> None:
        self._client = client

    def get(self, *path: str, params: Mapping[str, Any] | None = None) -> Any:
        client = self._client
        with classed():
            answer = client.get_with_retry(client.make_path(*path), params=params, headers=client.api_headers)
            IonQAPIError.raise_for_status(answer)
            return answer.json()

    def submit(self, backend: Any, circuits: Sequence[Any], arguments: dict[str, Any]) -> str:
        given = list(circuits) if len(circuits) > 1 else circuits[0]
        job = IonQJob(backend=backend, client=self._client, circuit=given, passed_args=arguments)
        with classed(sending=True):
            return str(IonQClient.submit_job.__wrapped__(self._client, job)["id"])

    def job(self, job_id: str) -> Any:
        with classed():
            return IonQClient.retrieve_job.__wrapped__(self._client, job_id)

    def probabilities(self, job: Mapping[str, Any]) -> Any:
        url = ((job.get("results") or {}).get("probabilities") or {}).get("url")
        if not url:
            raise RefusedError("the job has no outcomes")
        with classed():
            return IonQClient.get_results.__wrapped__(self._client, url)

    def cancel(self, job_id: str) -> None:
        with classed():
            IonQClient.cancel_job.__wrapped__(self._client, job_id)

    def listed(self, since: float) -> Iterator[Mapping[str, Any]]:
        """Jobs that were submitted since a time, a page after the other."""
        params: dict[str, Any] = {}
        while True:
            page = self.get("jobs", params=params)
            recent = [job for job in page["jobs"] if _submitted(job) >= since]
            yield from recent
            if not recent or not page.get("next"):
                return
            params = {"next": page["next"]}


class LiveJobs:
    """Jobs of the service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def send(self, request: Request, circuits: Sequence[Any], backend: Any) -> VendorJob:
        parts = by_shots(request.programs)
        there = self._parts(request.key, 0.0) if len(parts) > 1 else {}
        number = len(request.programs)

        def take(places: list[int]) -> VendorJob:
            part = f"{','.join(map(str, places))}/{number}"
            job_id = there.get(part) or self._submit(request, part, places, circuits, backend)
            return VendorJob(id=job_id, state="queued")

        taken = send_each(parts, take, self._service.cancel, repeatable=True)
        return together(SEPARATOR.join(job.id for job in taken), request.key, taken)

    def find(self, key: str, since: float) -> VendorJob | None:
        """The jobs of a key, when all of them are there."""
        found = self._parts(key, since)
        number = int(next(iter(found), "/0").partition("/")[2])
        places = sorted(place for part in found for place in _places(part))
        if not found or places != list(range(number)):
            return None
        return self.look(SEPARATOR.join(found[part] for part in sorted(found, key=_places)))

    def look(self, job_id: str) -> VendorJob:
        jobs = [self._service.job(each) for each in job_id.split(SEPARATOR)]
        key = (jobs[0].get("metadata") or {}).get(KEY)
        return together(job_id, key, [self._told(job) for job in jobs])

    def fetch(self, job_id: str) -> Json:
        """The outcomes, and the `backend` that they are of."""
        results: dict[int, Json] = {}
        backend = ""
        for each in job_id.split(SEPARATOR):
            job = self._service.job(each)
            backend = job["backend"]
            places = _places(job["metadata"][PART])
            told = self._service.probabilities(job)
            children = job.get("child_job_ids")
            for index, place in enumerate(places):
                results[place] = _outcomes(job, index, told[children[index]] if children else told)
        return {"results": [results[place] for place in sorted(results)], "backend": backend}

    def cancel(self, job_id: str) -> None:
        for each in job_id.split(SEPARATOR):
            if STATES.get(self._service.job(each).get("status"), "running") in ("queued", "running"):
                self._service.cancel(each)

    def _submit(self, request: Request, part: str, places: Sequence[int], circuits: Sequence[Any], backend: Any) -> str:
        seeds = [int(request.programs[place]["seed"]) % 2**31 for place in places]
        debiasing = request.options.get("debiasing")
        noise = {"model": request.options.get("noise_model", IDEAL), "seed": seeds[0]}
        return self._service.submit(
            backend,
            [circuits[place] for place in places],
            {
                "shots": request.programs[places[0]]["shots"],
                "name": request.key,
                "sampler_seed": seeds[0],
                "error_mitigation": None
                if debiasing is None
                else (ErrorMitigation.DEBIASING if debiasing else ErrorMitigation.NO_DEBIASING),
                "extra_query_params": {"noise": noise} if request.device == SIMULATOR else {},
                "extra_metadata": {KEY: request.key, PART: part, SEEDS: ",".join(map(str, seeds))},
            },
        )

    def _parts(self, key: str, since: float) -> dict[str, str]:
        """Ids of the jobs of a key, by which programs they have; of two with the same, the first."""
        found: dict[str, str] = {}
        for job in self._service.listed(since):
            metadata = job.get("metadata") or {}
            if metadata.get(KEY) == key and not job.get("parent_job_id"):
                found[metadata[PART]] = job["id"]  # the newest come first, so that the oldest stays
        return found

    def _told(self, job: Mapping[str, Any]) -> VendorJob:
        state = STATES.get(str(job.get("status")), "running")
        failure = job.get("failure") or {}
        duration = job.get("execution_duration_ms")
        return VendorJob(
            id=job["id"],
            state=state,
            error=f"{failure.get('code', '')}: {failure.get('error', '')}" if failure else "",
            cost=list(self._cost(job)) if state == "succeeded" and job.get("backend") != SIMULATOR else (),
            seconds=None if duration is None else float(duration) / 1000.0,
        )

    def _cost(self, job: Mapping[str, Any]) -> Iterator[Json]:
        try:
            cost = self._service.get("jobs", job["id"], "cost").get("cost")
        except RefusedError:
            return  # not told to everybody
        if cost:
            usd = {"currency": "USD"} if cost["unit"] == "usd" else {}
            value = float(cost["value"])
            yield {"dimension": "compute", "unit": cost["unit"], "consumed": value, "quantity": value, "price": 1.0} | (
                {"amount": value, **usd} if usd else {}
            )


def _outcomes(job: Mapping[str, Any], index: int, probabilities: Mapping[str, float]) -> Json:
    """Counts of one circuit: of an ideal simulation drawn with its seed, else what the probabilities were made of."""
    metadata = job["metadata"]
    told = decompress_metadata_string(metadata["qiskit_header"])
    header = told[index] if isinstance(told, list) else told
    qubits = header["meas_mapped"]
    mapped = map_output(probabilities, qubits, header["n_qubits"])
    shots, chances = int(job["shots"]), np.array(list(mapped.values()), dtype=float)
    chances = chances / chances.sum()
    if job["backend"] == SIMULATOR and (job.get("noise") or {}).get("model", IDEAL) == IDEAL:
        seed = int(metadata[SEEDS].split(",")[index])
        numbers = np.random.default_rng(seed).multinomial(shots, chances)
    else:
        numbers = _shared(chances, shots)
    return {
        "bits": {
            format(outcome, f"0{len(qubits)}b"): int(number)
            for outcome, number in zip(mapped, numbers, strict=True)
            if number
        }
    }


def _shared(chances: Any, shots: int) -> Any:
    """Whole numbers in these proportions that sum to `shots`: mitigation may leave none that fit exactly."""
    numbers = np.floor(chances * shots + 1e-9).astype(int)
    left = chances * shots - numbers
    numbers[np.argsort(-left, kind="stable")[: shots - int(numbers.sum())]] += 1
    return numbers


def _places(part: str) -> list[int]:
    return [int(place) for place in part.partition("/")[0].split(",")]


def _submitted(job: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(job["submitted_at"]).timestamp()
