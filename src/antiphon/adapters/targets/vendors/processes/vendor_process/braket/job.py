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
from vendor_process.groups import SEPARATOR, send_each, together
from vendor_process.serving import (
    AmbiguousError,
    Json,
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
BITS = "antiphon-bits"
PART = "antiphon-part"
"""Which program of how many."""


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


def simulate(request: Request, programs: Sequence[str], arn: str) -> Json:
    """The outcomes of programs on the SDK's simulator."""
    simulator = LocalSimulator(arn.removeprefix(LOCAL))
    return {
        "results": [
            _outcomes(simulator.run(Program(source=text), shots=program["shots"]).result(), program["bits"])
            for text, program in zip(programs, request.programs, strict=True)
        ]
    }


class LiveTasks:
    """Tasks of the service: one for each program, all with the key of their job in a tag."""

    def __init__(self, session: AwsSession, bucket: str, prefix: str) -> None:
        self._session, self._bucket, self._prefix = session, bucket, prefix

    def send(self, request: Request, programs: Sequence[str], arn: str) -> VendorJob:
        number = len(programs)

        def take(index: int) -> VendorJob:
            program = request.programs[index]
            with classed(sending=True):
                task = self._session.create_quantum_task(
                    clientToken=_token(request.key if number == 1 else f"{request.key}.{index}"),
                    deviceArn=arn,
                    shots=program["shots"],
                    action=Program(source=programs[index]).json(),
                    deviceParameters="{}",
                    outputS3Bucket=self._bucket,
                    outputS3KeyPrefix=f"{self._prefix}/{request.key}",
                    tags={TAG: request.key, BITS: " ".join(map(str, program["bits"])), PART: f"{index}/{number}"},
                )
            return VendorJob(id=task, key=request.key, state="queued")

        return _joined(request.key, send_each(range(number), take, self._cancel, repeatable=True))

    def find(self, key: str, since: float) -> VendorJob | None:
        """The tasks of a key, when all of them are there."""
        filters = [{"name": "createdAt", "operator": "GT", "values": [datetime.fromtimestamp(since, UTC).isoformat()]}]
        client = self._session.braket_client
        found: dict[str, str] = {}
        with classed():
            for page in client.get_paginator("search_quantum_tasks").paginate(filters=filters):
                for task in page["quantumTasks"]:
                    tags = task.get("tags", {})
                    if tags.get(TAG) == key:
                        found[tags.get(PART, "0/1")] = task["quantumTaskArn"]
        number = int(next(iter(found), "0/1").partition("/")[2])
        parts = [found.get(f"{index}/{number}") for index in range(number)]
        arns = [part for part in parts if part is not None]
        return self.look(SEPARATOR.join(arns)) if len(arns) == number else None

    def look(self, job_id: str) -> VendorJob:
        tasks = [self._look(arn) for arn in job_id.split(SEPARATOR)]
        return _joined(tasks[0].key, tasks)

    def fetch(self, job_id: str) -> Json:
        return {"results": [self._fetch(arn) for arn in job_id.split(SEPARATOR)]}

    def cancel(self, job_id: str) -> None:
        arns = job_id.split(SEPARATOR)
        for arn in arns:
            if len(arns) == 1 or self._look(arn).state in ("queued", "running"):
                self._cancel(arn)

    def _look(self, arn: str) -> VendorJob:
        with classed():
            told = self._session.get_quantum_task(arn)
        shots = told.get("numSuccessfulShots", told.get("shots"))
        return VendorJob(
            id=arn,
            key=told.get("tags", {}).get(TAG),
            state=STATES.get(told["status"], "running"),
            error=told.get("failureReason", ""),
            cost=({"dimension": "shots", "unit": "shot", "consumed": shots, "quantity": shots},)
            if told.get("endedAt")
            else (),
        )

    def _fetch(self, arn: str) -> Json:
        with classed():
            told = self._session.get_quantum_task(arn)
            result = AwsQuantumTask(arn, aws_session=self._session).result()
        if result is None:
            raise RefusedError("the task has no outcomes")
        return _outcomes(result, [int(qubit) for qubit in told["tags"][BITS].split()])

    def _cancel(self, arn: str) -> None:
        with classed():
            self._session.cancel_quantum_task(arn)


def _joined(key: str | None, tasks: Sequence[VendorJob]) -> VendorJob:
    return together(SEPARATOR.join(task.id for task in tasks), key, tasks)


def _token(key: str) -> str:
    """The key, or what follows from it where it is longer than a token may be."""
    return key if len(key) <= 64 else str(uuid.uuid5(uuid.NAMESPACE_OID, key))


def _outcomes(result: Any, bits: Sequence[int]) -> Json:
    """Counts with one bit for each of `bits`, the qubits in the order of the bits they were measured into."""
    column = {qubit: place for place, qubit in enumerate(result.measured_qubits)}
    return {"bits": bit_counts([[shot[column[qubit]] for qubit in bits] for shot in result.measurements.tolist()])}
