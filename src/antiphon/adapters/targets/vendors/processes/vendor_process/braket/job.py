"""Quantum tasks. On the service a task's client token is the job's key: sent twice, it is one task."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)
from braket.aws import AwsQuantumTask, AwsSession
from braket.devices import LocalSimulator
from braket.ir.openqasm import Program
from vendor_process.braket.device import LOCAL
from vendor_process.serving import (
    AmbiguousError,
    Json,
    LocalJobs,
    RefusedError,
    Request,
    TransientError,
    VendorJob,
    bit_counts,
)

STATES = {
    "CREATED": "queued",
    "QUEUED": "queued",
    "RUNNING": "running",
    "CANCELLING": "running",
    "COMPLETED": "succeeded",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
BUSY = frozenset({"ThrottlingException", "DeviceOfflineException", "ServiceQuotaExceededException"})
TAG = "antiphon-key"


@contextmanager
def classed(*, sending: bool = False) -> Iterator[None]:
    """What the AWS SDK raises, as what it means for the request."""
    try:
        yield
    except (NoCredentialsError, ParamValidationError) as error:
        raise RefusedError(f"{type(error).__name__}: {error}") from None
    except (EndpointConnectionError, ConnectTimeoutError) as error:
        raise TransientError(f"cannot be reached: {error}") from None
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in BUSY or status in (408, 429, 503):
            raise TransientError(f"{code}: {error}") from None
        if 400 <= status < 500:
            raise RefusedError(f"{code}: {error}") from None
        raise (AmbiguousError if sending else TransientError)(f"{code} ({status}): {error}") from None
    except BotoCoreError as error:
        raise (AmbiguousError if sending else TransientError)(f"{type(error).__name__}: {error}") from None


def open_session(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> AwsSession:
    """A session with AWS: with the keys given, or else as AWS's own chain finds them."""
    given = {
        name: secrets[name]
        for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        if name in secrets
    }
    session = boto3.Session(region_name=settings.get("region"), **given)
    config = Config(connect_timeout=10, read_timeout=30, retries={"max_attempts": 2})
    client = session.client("braket", config=config, endpoint_url=settings.get("endpoint"))
    return AwsSession(boto_session=session, braket_client=client, default_bucket=settings.get("bucket"))


class LocalTasks:
    """Tasks on the SDK's simulator, which run in this process and are gone with it."""

    def __init__(self) -> None:
        self._jobs = LocalJobs()

    def send(self, request: Request, programs: Sequence[str], arn: str) -> VendorJob:
        simulator = LocalSimulator(arn.removeprefix(LOCAL))
        bits = [program["bits"] for program in request.programs]
        shots = [program["shots"] for program in request.programs]

        def run() -> Json:
            results = [
                _outcomes(simulator.run(Program(source=text), shots=number).result(), order)
                for text, number, order in zip(programs, shots, bits, strict=True)
            ]
            return {"results": results}

        return self._jobs.start(request.key, run)

    def find(self, key: str, since: float) -> VendorJob | None:
        del since
        return self._jobs.find(key)

    def look(self, job_id: str) -> VendorJob:
        return self._jobs.look(job_id)

    def fetch(self, job_id: str) -> list[Json]:
        results: list[Json] = self._jobs.fetch(job_id)["results"]
        return results

    def cancel(self, job_id: str) -> None:
        self._jobs.cancel(job_id)


class LiveTasks:
    """Tasks of the service; one program each."""

    def __init__(self, session: AwsSession, bucket: str, prefix: str) -> None:
        self._session, self._bucket, self._prefix = session, bucket, prefix

    def send(self, request: Request, programs: Sequence[str], arn: str) -> VendorJob:
        if len(programs) != 1:
            raise RefusedError("a task of Amazon Braket holds one program")
        bits = ",".join(map(str, request.programs[0]["bits"]))
        with classed(sending=True):
            task = self._session.create_quantum_task(
                clientToken=_token(request.key),
                deviceArn=arn,
                shots=request.programs[0]["shots"],
                action=Program(source=programs[0]).json(),
                deviceParameters="{}",
                outputS3Bucket=self._bucket,
                outputS3KeyPrefix=f"{self._prefix}/{request.key}",
                tags={TAG: request.key, "antiphon-bits": bits.replace(",", " ")},
            )
        return VendorJob(id=task, key=request.key, state="queued")

    def find(self, key: str, since: float) -> VendorJob | None:
        filters = [{"name": "createdAt", "operator": "GT", "values": [datetime.fromtimestamp(since, UTC).isoformat()]}]
        client = self._session.braket_client
        with classed():
            for page in client.get_paginator("search_quantum_tasks").paginate(filters=filters):
                for task in page["quantumTasks"]:
                    if task.get("tags", {}).get(TAG) == key:
                        return self.look(task["quantumTaskArn"])
        return None

    def look(self, job_id: str) -> VendorJob:
        with classed():
            told = self._session.get_quantum_task(job_id)
        shots = told.get("numSuccessfulShots", told.get("shots"))
        return VendorJob(
            id=job_id,
            key=told.get("tags", {}).get(TAG),
            state=STATES.get(told["status"], "running"),
            error=told.get("failureReason", ""),
            cost=({"dimension": "shots", "unit": "shot", "consumed": shots, "quantity": shots},)
            if told.get("endedAt")
            else (),
        )

    def fetch(self, job_id: str) -> list[Json]:
        with classed():
            told = self._session.get_quantum_task(job_id)
            result = AwsQuantumTask(job_id, aws_session=self._session).result()
        if result is None:
            raise RefusedError("the task has no outcomes")
        bits = [int(qubit) for qubit in told["tags"]["antiphon-bits"].split()]
        return [_outcomes(result, bits)]

    def cancel(self, job_id: str) -> None:
        with classed():
            self._session.cancel_quantum_task(job_id)


def _token(key: str) -> str:
    """The key, or what follows from it where it is longer than a token may be."""
    return key if len(key) <= 64 else str(uuid.uuid5(uuid.NAMESPACE_OID, key))


def _outcomes(result: Any, bits: Sequence[int]) -> Json:
    """Counts with one bit for each of `bits`, the qubits in the order of the bits they were measured into."""
    column = {qubit: place for place, qubit in enumerate(result.measured_qubits)}
    return {"bits": bit_counts([[shot[column[qubit]] for qubit in bits] for shot in result.measurements.tolist()])}
