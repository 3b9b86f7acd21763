"""What answers as IonQ's REST API, version 0.4, on this machine: it takes jobs, simulates them and tells what came.

Written after IonQ's public documentation of that version and what `qiskit-ionq` sends and reads, with a stated part of
it: QIS circuits, alone or several in a job, listing, cancelling, results, characterizations and costs. Circuits really
run: ideal ones as state vectors of Qiskit's, noisy ones on Aer, so that a wrong gate or bit order shows.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from qiskit import QuantumCircuit
from qiskit.circuit import Gate
from qiskit.circuit import library as gates
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

KEY = "an-api-key-of-nobody"
PAGE = 5
PLAIN: Mapping[str, Gate] = {
    "x": gates.XGate(), "not": gates.XGate(), "y": gates.YGate(), "z": gates.ZGate(), "h": gates.HGate(),
    "s": gates.SGate(), "si": gates.SdgGate(), "t": gates.TGate(), "ti": gates.TdgGate(),
    "v": gates.SXGate(), "vi": gates.SXdgGate(), "swap": gates.SwapGate(),
}  # fmt: skip
ROTATIONS: Mapping[str, type[Gate]] = {
    "rx": gates.RXGate, "ry": gates.RYGate, "rz": gates.RZGate,
    "xx": gates.RXXGate, "yy": gates.RYYGate, "zz": gates.RZZGate,
}  # fmt: skip
BACKENDS = [
    {"backend": "simulator", "status": "available", "qubits": 29, "degraded": False},
    {"backend": "qpu.forte-1", "status": "available", "qubits": 36, "degraded": False, "average_queue_time": 0},
    {"backend": "qpu.aria-1", "status": "unavailable", "qubits": 25, "degraded": True, "average_queue_time": 0},
]
CHARACTERIZATION = {
    "id": "617a1f8b-59d4-435d-aa33-695433d7155e",
    "date": "2026-06-16T00:00:00Z",
    "backend": "qpu.forte-1",
    "qubits": 36,
    "connectivity": [[a, b] for a in range(36) for b in range(a + 1, 36)],
    "fidelity": {
        "spam": {"median": 0.995, "stderr": None},
        "1q": {"median": 0.9998, "stderr": None},
        "2q": {"median": 0.993, "stderr": None},
    },
    "timing": {"readout": 1.5e-4, "reset": 5e-5, "1q": 1.3e-4, "2q": 9.7e-4, "t1": 100.0, "t2": 1.0},
}
COST = {"dry_run": False, "estimated_cost": {"value": 1.5, "unit": "usd"}, "cost": {"value": 1.25, "unit": "usd"}}
UP_TO = 16
"""Qubits of what this machine is asked to simulate."""


class RefusalError(Exception):
    """An answer that is none."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}


class IonqService:
    """The service, on a port of its own.

    Attributes:
        stage: Jobs get no further than this status while it is set ("ready" or "started").
        faults: Taken one for each submit: a status to answer with, and whether the job is taken all the same.
        submitted: How many submits were taken.
    """

    def __init__(self) -> None:
        self.stage: str | None = None
        self.faults: list[tuple[int, bool]] = []
        self.submitted = 0
        self._jobs: dict[str, dict[str, Any]] = {}
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.host, self.port = "127.0.0.1", self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/v0.4"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, query: Mapping[str, str], key: str, body: Any) -> Any:
        parts = path.removeprefix("/v0.4/").strip("/").split("/")
        if parts[0] != "backends" and key != f"apiKey {KEY}":
            raise RefusalError(401, "Unauthorized")
        with self._lock:
            match method, parts:
                case "GET", ["whoami"]:
                    return {"key_id": str(uuid.UUID(int=1)), "key_name": "a key", "project_id": str(uuid.UUID(int=2))}
                case "GET", ["backends"]:
                    return BACKENDS
                case "GET", ["backends", name, "characterizations"]:
                    found = [CHARACTERIZATION] if name == CHARACTERIZATION["backend"] else []
                    return {"characterizations": found, "pages": 1}
                case "POST", ["jobs"]:
                    return self._submit(body)
                case "GET", ["jobs"]:
                    return self._list(query.get("next"))
                case "GET", ["jobs", number]:
                    return self._shown(self._job(number))
                case "PUT", ["jobs", number, "status", "cancel"]:
                    return self._cancel(self._job(number))
                case "GET", ["jobs", number, "cost"]:
                    return COST
                case "GET", ["jobs", number, "results", "probabilities"]:
                    return self._results(self._job(number))
        raise RefusalError(404, f"Cannot {method} {path}")

    def _submit(self, body: Mapping[str, Any]) -> Any:
        status, taken = self.faults.pop(0) if self.faults else (0, True)
        if not taken:
            raise RefusalError(status, "not now", {"Retry-After": "1"})
        circuits = self._check(body)
        job = self._add(body, None)
        if body["type"] == "ionq.multi-circuit.v1":
            own = {**body, "metadata": None}
            job["children"] = [self._add(own, str(job["id"]))["id"] for _ in circuits]
        job["circuits"] = circuits
        self.submitted += 1
        if status:
            raise RefusalError(status, "it broke on the way back")
        return {"id": job["id"], "status": "submitted", "session_id": None}

    def _add(self, body: Mapping[str, Any], parent: str | None) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        job: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "body": body,
            "at": now,
            "status": "submitted",
            "parent": parent,
        }
        self._jobs[job["id"]] = job
        return job

    @staticmethod
    def _check(body: Mapping[str, Any]) -> list[QuantumCircuit]:
        known = {each["backend"]: each for each in BACKENDS}
        told = body.get("input") or {}
        if body.get("backend") not in known or body.get("type") not in ("ionq.circuit.v1", "ionq.multi-circuit.v1"):
            raise RefusalError(400, "no such backend or type")
        if not isinstance(body.get("shots"), int) or body["shots"] < 1:
            raise RefusalError(400, "shots must be a whole number from 1")
        if told.get("gateset") != "qis" or not 1 <= told.get("qubits", 0) <= UP_TO:
            raise RefusalError(400, "a gate set or a number of qubits that cannot be")
        metadata = body.get("metadata") or {}
        if len(metadata) > 10 or not all(isinstance(each, str) and len(each) <= 40_000 for each in metadata.values()):
            raise RefusalError(400, "too much metadata")
        if body["backend"] == "simulator" and body["noise"]["model"] not in ("ideal", "aria-1", "forte-1"):
            raise RefusalError(400, f"there is no noise model {body['noise']['model']!r}")
        several = [each["circuit"] for each in told["circuits"]] if "circuits" in told else [told["circuit"]]
        return [_circuit(told["qubits"], each) for each in several]

    def _list(self, after: str | None) -> Any:
        numbers = list(self._jobs)[::-1]
        start = 0 if after is None else numbers.index(after)
        page, rest = numbers[start : start + PAGE], numbers[start + PAGE :]
        return {"jobs": [self._shown(self._jobs[number]) for number in page], "next": rest[0] if rest else None}

    def _job(self, number: str) -> dict[str, Any]:
        if number not in self._jobs:
            raise RefusalError(404, "there is no such job")
        return self._jobs[number]

    def _shown(self, job: dict[str, Any]) -> Any:
        if job["parent"] is None and job["status"] in ("submitted", "ready", "started"):
            job["status"] = self.stage or "completed"
            if job["status"] == "completed":
                self._run(job)
        done, body = job["status"] == "completed", job["body"]
        url = f"/v0.4/jobs/{job['id']}/results/probabilities"
        return {
            "id": job["id"],
            "status": job["status"] if job["parent"] is None else self._jobs[job["parent"]]["status"],
            "type": body["type"],
            "backend": body["backend"],
            "dry_run": False,
            "name": body.get("name"),
            "parent_job_id": job["parent"],
            "child_job_ids": job.get("children"),
            "session_id": None,
            "metadata": body.get("metadata"),
            "submitted_at": job["at"],
            "execution_duration_ms": 20 if done else None,
            "shots": body["shots"],
            "noise": body.get("noise"),
            "failure": {"code": "quota_exhausted", "error": "no credit"} if job["status"] == "failed" else None,
            "settings": body.get("settings") or {},
            "stats": {"qubits": body["input"]["qubits"], "circuits": len(job.get("children") or [1])},
            "results": {"probabilities": {"url": url}} if done else None,
            "output": {},
        }

    def fail(self) -> None:
        """Every job that has not ended has failed."""
        for job in self._jobs.values():
            if job["status"] not in ("completed", "canceled"):
                job["status"] = "failed"

    def _run(self, job: dict[str, Any]) -> None:
        body = job["body"]
        noise = body.get("noise") or {"model": "forte-1", "seed": None}
        run = _ideal if noise["model"] == "ideal" else _noisy
        found = [run(circuit, body["shots"], noise.get("seed")) for circuit in job["circuits"]]
        job["found"] = dict(zip(job["children"], found, strict=True)) if job.get("children") else found[0]

    def _results(self, job: Mapping[str, Any]) -> Any:
        if "found" not in job:
            raise RefusalError(404, "the job has no results")
        return job["found"]

    def _cancel(self, job: dict[str, Any]) -> Any:
        if job["status"] in ("submitted", "ready", "started"):
            job["status"] = "canceled"
        return {"id": job["id"], "status": job["status"]}


def _circuit(qubits: int, told: Sequence[Mapping[str, Any]]) -> QuantumCircuit:
    """A circuit of the service's own JSON; angles in radians."""
    circuit = QuantumCircuit(qubits)
    for each in told:
        name = each["gate"]
        targets = each.get("targets") or [each["target"]]
        controls = each.get("controls") or ([each["control"]] if "control" in each else [])
        if name == "cnot":
            name = "x"
        if name in PLAIN:
            gate: Gate = PLAIN[name]
        elif name in ROTATIONS:
            gate = ROTATIONS[name](each["rotation"])
        else:
            raise RefusalError(400, f"there is no gate {name!r}")
        circuit.append(gate.control(len(controls)) if controls else gate, [*controls, *targets])
    return circuit


def _ideal(circuit: QuantumCircuit, shots: int, seed: int | None) -> dict[str, float]:
    del shots, seed  # an ideal simulation tells chances, not counts
    chances = Statevector(circuit).probabilities()
    return {str(state): float(chance) for state, chance in enumerate(chances) if chance > 1e-9}


def _noisy(circuit: QuantumCircuit, shots: int, seed: int | None) -> dict[str, float]:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.0005, 1), ["x", "y", "h", "sx", "rx", "ry"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.02, 2), ["cx", "swap"])
    measured = circuit.copy()
    measured.measure_all()
    told = AerSimulator(noise_model=model, seed_simulator=seed).run(measured, shots=shots).result().get_counts()
    return {str(int(key, 2)): number / shots for key, number in told.items()}


def _handler(service: IonqService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            at = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(at.query).items()}
            headers: Mapping[str, str] = {}
            try:
                status = 200
                told = service.answer(self.command, at.path, query, self.headers.get("Authorization", ""), body)
            except RefusalError as refusal:
                status, headers = refusal.status, refusal.headers
                told = {"statusCode": status, "error": "Refused", "message": str(refusal)}
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = _do  # noqa: N815 - the server's names

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    return Handler
