"""The genuine front ends and decoders without a server: what they would send is kept, and results are given to them.

As a program it writes the payloads of `FRONT_ENDS` to the file that it is given: the stored data of the suites that run
without these packages.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any
from unittest import mock

os.environ["QDK_PYTHON_TELEMETRY"] = "none"

import cirq
from azure.core.credentials import AzureKeyCredential
from azure.quantum import Job, Workspace
from azure.quantum._client.models import ProviderStatus
from azure.quantum.cirq import AzureQuantumService
from azure.quantum.qiskit import AzureQuantumProvider
from azure.quantum.target import IonQ
from azure.quantum.target.params import InputParams
from azure.quantum.target.target import Target
from qdk import qsharp
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

RESOURCE = (
    "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Quantum/Workspaces/lab"
)
PROFILES = {"sim.auto": ("antiphon", "Adaptive_RIF", 100), "rigetti.sim.qvm": ("rigetti", "Base", 20)}
SHOTS = 200


class Offline:
    """A workspace whose submits are kept instead of sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.jobs: dict[str, Job] = {}
        self.workspace = Workspace(
            resource_id=RESOURCE,
            location="eastus",
            credential=AzureKeyCredential("none"),
            _quantum_endpoint="http://127.0.0.1:9/",
            _workspace_kind="V2",
        )

    def keep(self, _: Any, job: Job) -> Job:
        """Instead of Workspace.submit_job."""
        details = job.details
        self.jobs[job.id] = job
        self.sent[-1] |= {
            "target": details.target,
            "provider": details.provider_id,
            "input_format": details.input_data_format,
            "output_format": details.output_data_format,
            "input_params": json.loads(json.dumps(details.input_params)),
            "metadata": {key: str(value) for key, value in (details.metadata or {}).items()},
        }
        return job

    def upload(self, **sent: Any) -> str:
        """Instead of the upload of the input blob."""
        data, kind = sent["input_data"], sent["content_type"]
        text = data if isinstance(data, str) else data.decode()
        self.sent.append({"input": text, "content_type": str(getattr(kind, "value", kind))})
        return "http://127.0.0.1:9/container/container/inputData"

    def targets(self, *_: Any, **__: Any) -> list[ProviderStatus]:
        """Instead of the listing of targets."""
        names = {
            "ionq.simulator": ("ionq", "Base", 29),
            "quantinuum.sim.h2-1sc": ("quantinuum", "Adaptive_RI", 56),
            "qci.simulator": ("qci", "Adaptive_RI", 29),
            **PROFILES,
        }
        return [
            ProviderStatus(
                {
                    "id": provider,
                    "currentAvailability": "Available",
                    "targets": [
                        {
                            "id": name,
                            "currentAvailability": "Available",
                            "averageQueueTime": 0,
                            "numQubits": qubits,
                            "targetProfile": profile,
                        }
                    ],
                }
            )
            for name, (provider, profile, qubits) in names.items()
        ]

    @contextmanager
    def answered(self, job: Any, body: str) -> Iterator[Any]:
        """The front end's job, with its result there to be fetched."""
        found = self.jobs[job.id if isinstance(job, Job) else job.job_id()]
        found.details.status = "Succeeded"
        found.details.output_data_uri = "http://127.0.0.1:9/container/container/rawOutputData"
        with (
            mock.patch.object(Job, "download_data", return_value=body.encode()),
            mock.patch.object(Job, "refresh"),
            mock.patch.object(Workspace, "get_job", return_value=found),
        ):
            yield job


@contextmanager
def offline() -> Iterator[Offline]:
    """A workspace that reaches nothing; its front ends are the genuine ones."""
    found = Offline()
    with (
        mock.patch.object(Workspace, "get_container_uri", return_value="http://127.0.0.1:9/container/container"),
        mock.patch.object(Job, "upload_input_data", found.upload),
        mock.patch.object(Workspace, "submit_job", lambda workspace, job: found.keep(workspace, job)),
        mock.patch.object(type(found.workspace._client.services.providers), "list", found.targets),
    ):
        yield found


# --- The front ends ---------------------------------------------------------------------------------------------------


def qsharp_on(target: str, expression: str, profile: str = "Base") -> Callable[[Offline], Any]:
    def submit(client: Offline) -> Any:
        qsharp.init(target_profile=getattr(qsharp.TargetProfile, profile))
        qsharp.eval(QSHARP if profile == "Base" else ADAPTIVE)
        chosen = client.workspace.get_targets(target)
        return chosen.submit(qsharp.compile(expression), "job", shots=SHOTS)

    return submit


QSHARP = """
operation Bell() : (Result, Result) {
    use (a, b) = (Qubit(), Qubit());
    H(a); CNOT(a, b);
    (MResetZ(a), MResetZ(b))
}
operation Flipped() : (Result[], Result[]) {
    use qs = Qubit[3];
    X(qs[0]); X(qs[2]);
    ([MResetZ(qs[0]), MResetZ(qs[1])], [MResetZ(qs[2])])
}
operation Flip() : Result {
    use q = Qubit();
    X(q);
    MResetZ(q)
}
"""
ADAPTIVE = """
operation Teleported() : (Bool, (Int, Double), Result[]) {
    use qs = Qubit[3];
    X(qs[0]);
    H(qs[1]); CNOT(qs[1], qs[2]);
    CNOT(qs[0], qs[1]); H(qs[0]);
    let z = MResetZ(qs[0]);
    let x = MResetZ(qs[1]);
    if x == One { X(qs[2]); }
    if z == One { Z(qs[2]); }
    let r = MResetZ(qs[2]);
    mutable n = 0;
    for bit in [r, One] { if bit == One { set n += 1; } }
    (r == One, (n, 0.5), [z, r])
}
"""


def two_registers() -> QuantumCircuit:
    low, high = ClassicalRegister(1, "low"), ClassicalRegister(2, "high")
    qubits = QuantumRegister(3, "q")
    circuit = QuantumCircuit(qubits, low, high, name="registers")
    circuit.x(1)
    circuit.measure(0, low[0])
    circuit.measure([1, 2], high)
    return circuit


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def asymmetric() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3, name="asymmetric")
    circuit.x(0)
    circuit.cx(0, 1)
    circuit.rz(0.3, 2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


def qiskit_on(target: str, circuit: Callable[[], QuantumCircuit], **chosen: Any) -> Callable[[Offline], Any]:
    def submit(client: Offline) -> Any:
        backend = AzureQuantumProvider(workspace=client.workspace).get_backend(target, **chosen)
        return backend.run(circuit(), shots=SHOTS)

    return submit


def cirq_circuit() -> cirq.Circuit:
    a, b, c = cirq.LineQubit.range(3)
    return cirq.Circuit(cirq.X(a), cirq.CNOT(a, b), cirq.measure(a, c, key="left"), cirq.measure(b, key="right"))


def cirq_on(target: str) -> Callable[[Offline], Any]:
    def submit(client: Offline) -> Any:
        found = AzureQuantumService(client.workspace).get_target(target)
        return found.submit(cirq_circuit(), name="job", repetitions=SHOTS)

    return submit


def ionq_dictionary(client: Offline) -> Any:
    circuit = {"qubits": 3, "circuit": [{"gate": "x", "target": 0}, {"gate": "cnot", "control": 0, "target": 2}]}
    return IonQ(client.workspace, "ionq.simulator").submit(circuit, "job", shots=SHOTS)


def three_items(client: Offline) -> Any:
    qsharp.init(target_profile=qsharp.TargetProfile.Base)
    qsharp.eval(QSHARP)
    target: Target = client.workspace.get_targets("sim.auto")
    params = InputParams(num_items=3)
    for item in params.items:
        item.entry_point = "ENTRYPOINT__main"
    return target.submit(qsharp.compile("Flipped()"), "batch", input_params=params, shots=SHOTS)


FRONT_ENDS: dict[str, Callable[[Offline], Any]] = {
    "qsharp-own": qsharp_on("sim.auto", "Flipped()"),
    "qsharp-ionq": qsharp_on("ionq.simulator", "Bell()"),
    "qsharp-one": qsharp_on("sim.auto", "Flip()"),
    "qsharp-adaptive": qsharp_on("sim.auto", "Teleported()", "Adaptive_RIF"),
    "qsharp-items": three_items,
    "qiskit-own": qiskit_on("sim.auto", two_registers),
    "qiskit-ionq-qir": qiskit_on("ionq.simulator", asymmetric),
    "qiskit-ionq-json": qiskit_on("ionq.simulator", asymmetric, input_data_format="ionq.circuit.v1", gateset="qis"),
    "qiskit-quantinuum-qir": qiskit_on("quantinuum.sim.h2-1sc", two_registers),
    "qiskit-quantinuum-qasm": qiskit_on(
        "quantinuum.sim.h2-1sc", two_registers, input_data_format="honeywell.openqasm.v1"
    ),
    "qiskit-rigetti": qiskit_on("rigetti.sim.qvm", two_registers),
    "qiskit-qci": qiskit_on("qci.simulator", asymmetric),
    "cirq-ionq": cirq_on("ionq.simulator"),
    "cirq-quantinuum": cirq_on("quantinuum.sim.h2-1sc"),
    "cirq-own": cirq_on("sim.auto"),
    "cirq-rigetti": cirq_on("rigetti.sim.qvm"),
    "dictionary-ionq": ionq_dictionary,
}


def main(path: Path) -> None:
    """Write what every front end sends."""
    found: dict[str, Any] = {}
    with offline() as client:
        for name, submit in FRONT_ENDS.items():
            submit(client)
            found[name] = client.sent[-1]
    versions = {name: metadata.version(name) for name in ("azure-quantum", "qdk", "qiskit", "cirq-core", "cirq-ionq")}
    path.write_text(json.dumps({"made_with": versions, "payloads": found}, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
