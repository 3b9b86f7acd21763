"""Run in IQM's environment: mode "live" against a server on loopback that speaks IQM's REST API in its own models.

It has what mode "live" asks of one, and no more: the quantum computer, its architecture, jobs and their measurements.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from iqm.qiskit_iqm import IQMFakeAdonis
from iqm.station_control.interface.models import CircuitJobDefinition
from vendor_process.iqm.job import classed
from vendor_process.iqm.provider import connect
from vendor_process.serving import AmbiguousError, CannotTellError, RefusedError, Request, TransientError, VendorError

ARCHITECTURE = IQMFakeAdonis().architecture.model_dump_json()
TOKEN = "a-token-of-nobody"
JOBS: dict[str, dict[str, Any]] = {}
FAULTS: list[int] = []
TEXT = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nbit[1] b;\nqubit[1] q;\nx q[0];\nb[0] = measure q[0];\n'


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0].removeprefix("/api/v1/").split("/")
        status, told = self._answer(path, body)
        text = told if isinstance(told, str) else json.dumps(told)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def _answer(self, path: list[str], body: bytes) -> tuple[int, Any]:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "no", "source": "iqm-server"}
        match self.command, path:
            case "GET", ["quantum-computers"]:
                one = {"id": str(uuid.UUID(int=1)), "alias": "garnet", "display_name": "IQM Garnet", "proxy_path": None}
                return 200, {"quantum_computers": [one]}
            case "GET", ["calibration-sets", "garnet", _, "dynamic-quantum-architecture"]:
                return 200, ARCHITECTURE
            case "POST", ["jobs", "garnet", "circuit"]:
                status = FAULTS.pop(0) if FAULTS else 200
                if status != 200:
                    return status, {"message": "not so", "source": "iqm-server"}
                definition = CircuitJobDefinition.model_validate_json(body)
                job = {"id": str(uuid.uuid4()), "type": "circuit", "status": "waiting"}
                JOBS[job["id"]] = {"job": job, "body": body, "definition": definition}
                return 200, job
            case "GET", ["jobs", number] if number in JOBS:
                return 200, JOBS[number]["job"]
            case "GET", ["jobs", number, "payload"]:
                return 200, JOBS[number]["body"].decode()
            case "GET", ["jobs", number, "artifacts", "measurements"]:
                definition = JOBS[number]["definition"]
                keys = [
                    [op.args["key"] for op in circuit.instructions if op.name == "measure"]
                    for circuit in definition.circuits
                ]
                return 200, [{key: [[1]] * definition.shots for key in each} for each in keys]
            case "POST", ["jobs", number, "cancel"]:
                JOBS[number]["job"]["status"] = "cancelled"
                return 200, {}
        return 404, {"message": "there is none", "source": "iqm-server"}

    do_GET = do_POST = _do  # noqa: N815 - the server's names

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}"


def program(shots: int) -> Mapping[str, Any]:
    return {"format": "openqasm3", "text": TEXT, "bits": [0], "shots": shots, "seed": 1}


def request(*shots: int) -> Request:
    return Request(key="job_1-0", device="garnet", programs=[program(each) for each in shots])


def kind(*faults: int, shots: tuple[int, ...] = (5,)) -> type[VendorError] | None:
    FAULTS[:] = faults
    try:
        vendor.send(request(*shots))
    except VendorError as error:
        return type(error)
    return None


try:
    connect({"mode": "live", "url": url}, {"token": "another-token"})
except RefusedError:
    pass
else:
    raise AssertionError("it let anybody in")

vendor = connect({"mode": "live", "url": url, "quantum_computer": "garnet", "metrics": False}, {"token": TOKEN})
[device] = vendor.hello()["devices"]
assert (device["name"], device["kind"], device["qubits"], device["knows_keys"]) == ("garnet", "qpu", 5, False)

# Three programs, two of them with the same shots: two jobs there, one here.
sent = vendor.send(request(10, 20, 10))
assert sent.state == "queued"
assert len(JOBS) == 2
first, second = [part.partition(":")[0] for part in sent.id.split("+")]
assert [len(JOBS[each]["definition"].circuits) for each in (first, second)] == [2, 1]
JOBS[first]["job"]["status"] = "processing"
assert vendor.look(sent.id).state == "running"
JOBS[first]["job"]["status"] = JOBS[second]["job"]["status"] = "completed"
assert vendor.look(sent.id).state == "succeeded"
told = vendor.fetch(sent.id)
assert [each["bits"] for each in told["results"]] == [{"1": 10}, {"1": 20}, {"1": 10}]
assert told["calibration"] is None
JOBS[second]["job"] |= {"status": "failed", "errors": [{"message": "it fell over", "source": "iqm-server"}]}
failed = vendor.look(sent.id)
assert (failed.state, "it fell over" in failed.error) == ("failed", True)

waiting = vendor.send(request(3))
vendor.cancel(waiting.id)
assert vendor.look(waiting.id).state == "cancelled"
try:
    vendor.find("job_1-0", 0.0)
except CannotTellError:
    pass
else:
    raise AssertionError("it found what nobody lists")

assert kind(429) is TransientError
assert kind(503) is TransientError
assert kind(422) is RefusedError
assert kind(403) is RefusedError
assert kind(500) is AmbiguousError
assert kind(504) is AmbiguousError
FAULTS.clear()

# The second part of two is not taken: the first is cancelled, so that nothing was.
for status, means in ((422, RefusedError), (429, TransientError)):
    before = set(JOBS)
    assert kind(200, status, shots=(4, 5)) is means
    [left] = set(JOBS) - before
    assert JOBS[left]["job"]["status"] == "cancelled"

server.shutdown()
try:
    with classed(sending=True):
        vendor = connect({"mode": "live", "url": "http://127.0.0.1:1", "quantum_computer": "x"}, {"token": TOKEN})
except TransientError:
    print("ok")
