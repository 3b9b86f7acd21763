"""Run in Braket's environment: what mode "live" sends, held against AWS's own model of its service.

botocore's stubber checks each request by the service's model, and gives the answers written here. Nothing is sent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.stub import ANY, Stubber
from braket.aws import AwsSession
from vendor_process.braket.device import to_braket
from vendor_process.braket.job import BITS, PART, TAG, LiveTasks, classed
from vendor_process.serving import AmbiguousError, RefusedError, Request, TransientError

ARN = "arn:aws:braket:us-east-1:123456789012:quantum-task/11111111-2222-3333-4444-555555555555"
DEVICE = "arn:aws:braket:::device/quantum-simulator/amazon/sv1"
PROGRAM = {
    "format": "openqasm3",
    "text": 'OPENQASM 3.0;\ninclude "stdgates.inc";\nbit[1] b;\nqubit[1] q;\nsx q[0];\nb[0] = measure q[0];\n',
    "bits": [0],
    "shots": 100,
    "seed": 1,
}
REQUEST = Request(key="job_1-0", device="sv1", programs=[PROGRAM])
SENT: dict[str, Any] = {
    "clientToken": "job_1-0",
    "deviceArn": DEVICE,
    "shots": 100,
    "action": ANY,
    "deviceParameters": "{}",
    "outputS3Bucket": "mine",
    "outputS3KeyPrefix": "antiphon/job_1-0",
    "tags": {TAG: "job_1-0", BITS: "0", PART: "0/1"},
}


def task(status: str, **more: Any) -> dict[str, Any]:
    return {
        "quantumTaskArn": ARN,
        "status": status,
        "deviceArn": DEVICE,
        "deviceParameters": "{}",
        "shots": 100,
        "outputS3Bucket": "mine",
        "outputS3Directory": "antiphon/x",
        "createdAt": datetime.now(UTC),
        "tags": SENT["tags"],
        **more,
    }


def failing(code: str, status: int, *, sending: bool) -> type[Exception] | None:
    tasks, stub = live()
    call = "create_quantum_task" if sending else "get_quantum_task"
    for _ in range(3):  # the SDK asks so often after a task that is not there
        stub.add_client_error(call, service_error_code=code, http_status_code=status)
    try:
        with stub:
            if sending:
                tasks.send(REQUEST, [to_braket(PROGRAM)], DEVICE)
            else:
                tasks.look(ARN)
    except (RefusedError, TransientError, AmbiguousError) as error:
        return type(error)
    return None


def live() -> tuple[LiveTasks, Stubber]:
    session = boto3.Session(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
    client = session.client("braket")
    return LiveTasks(AwsSession(boto_session=session, braket_client=client), "mine", "antiphon"), Stubber(client)


tasks, stub = live()
stub.add_response("create_quantum_task", {"quantumTaskArn": ARN}, SENT)
stub.add_response(
    "search_quantum_tasks",
    {
        "quantumTasks": [
            {**{key: value for key, value in task("QUEUED").items() if key != "deviceParameters"}, "tags": {}},
            {key: value for key, value in task("QUEUED").items() if key != "deviceParameters"},
        ]
    },
    {"filters": [{"name": "createdAt", "operator": "GT", "values": [ANY]}]},
)
stub.add_response("get_quantum_task", task("QUEUED"))
stub.add_response("search_quantum_tasks", {"quantumTasks": []})
stub.add_response("get_quantum_task", task("FAILED", failureReason="broken", endedAt=datetime.now(UTC)))
stub.add_response("cancel_quantum_task", {"quantumTaskArn": ARN, "cancellationStatus": "CANCELLING"})
with stub:
    sent = tasks.send(REQUEST, [to_braket(PROGRAM)], DEVICE)
    assert (sent.id, sent.key, sent.state) == (ARN, "job_1-0", "queued")
    found = tasks.find("job_1-0", 0.0)
    assert found is not None
    assert (found.id, found.key) == (ARN, "job_1-0")
    assert tasks.find("job_2-0", 0.0) is None
    failed = tasks.look(ARN)
    assert (failed.state, failed.error, failed.cost[0]["consumed"]) == ("failed", "broken", 100)
    tasks.cancel(ARN)
    stub.assert_no_pending_responses()

# Two programs are two tasks, of which the second is refused: then neither is to run.
tasks, stub = live()
two = Request(key="job_2-0", device="sv1", programs=[PROGRAM, {**PROGRAM, "shots": 7}])
first = {
    **SENT,
    "clientToken": "job_2-0.0",
    "outputS3KeyPrefix": ANY,
    "tags": {**SENT["tags"], TAG: "job_2-0", PART: "0/2"},
}
second = {**first, "clientToken": "job_2-0.1", "shots": 7, "tags": {**first["tags"], PART: "1/2"}}
other = ARN.replace("1111-", "9999-")
listed = [
    {
        **{key: value for key, value in task("QUEUED").items() if key != "deviceParameters"},
        "quantumTaskArn": arn,
        "tags": sent["tags"],
    }
    for arn, sent in ((other, second), (ARN, first))
]
stub.add_response("create_quantum_task", {"quantumTaskArn": ARN}, first)
stub.add_response("create_quantum_task", {"quantumTaskArn": other}, second)
stub.add_response("search_quantum_tasks", {"quantumTasks": listed})
stub.add_response("get_quantum_task", {**task("COMPLETED"), "tags": first["tags"]})
stub.add_response("get_quantum_task", {**task("RUNNING"), "tags": second["tags"]})
stub.add_response("search_quantum_tasks", {"quantumTasks": listed[:1]})
stub.add_response("create_quantum_task", {"quantumTaskArn": ARN}, first)
stub.add_client_error("create_quantum_task", service_error_code="ValidationException", http_status_code=400)
stub.add_response("cancel_quantum_task", {"quantumTaskArn": ARN, "cancellationStatus": "CANCELLING"})
with stub:
    texts = [to_braket(program) for program in two.programs]
    both = tasks.send(two, texts, DEVICE)
    assert (both.id, both.key, both.state) == (f"{ARN}+{other}", "job_2-0", "queued")
    found = tasks.find("job_2-0", 0.0)
    assert found is not None
    assert (found.id, found.key, found.state) == (both.id, "job_2-0", "running")
    assert tasks.find("job_2-0", 0.0) is None
    try:
        tasks.send(two, texts, DEVICE)
    except RefusedError:
        stub.assert_no_pending_responses()
    else:
        raise AssertionError("it went through")

assert failing("ThrottlingException", 429, sending=True) is TransientError
assert failing("DeviceOfflineException", 424, sending=True) is TransientError
assert failing("ValidationException", 400, sending=True) is RefusedError
assert failing("AccessDeniedException", 403, sending=True) is RefusedError
assert failing("InternalServiceException", 500, sending=True) is AmbiguousError
assert failing("InternalServiceException", 500, sending=False) is TransientError
assert failing("ResourceNotFoundException", 404, sending=False) is RefusedError

nowhere = boto3.Session(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y").client(
    "braket", endpoint_url="http://127.0.0.1:1"
)
try:
    with classed(sending=True):
        nowhere.get_quantum_task(quantumTaskArn=ARN)
except TransientError as error:
    print("ok", error.kind)
