"""Quantum computers as devices, their figures as a calibration, and programs as circuits in a backend's own gates."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from typing import Any

from iqm.qiskit_iqm import IQMFakeAdonis, IQMFakeAphrodite, IQMFakeApollo, IQMFakeDeneb
from iqm.qiskit_iqm.fake_backends.fake_garnet import IQMFakeGarnet
from iqm.qiskit_iqm.fake_backends.iqm_fake_backend import IQMErrorProfile
from qiskit import QuantumCircuit, qasm3, transpile
from qiskit.quantum_info import SuperOp, average_gate_fidelity
from vendor_process.serving import Json, RefusedError

FAKES = {
    "fake_adonis": IQMFakeAdonis,
    "fake_apollo": IQMFakeApollo,
    "fake_aphrodite": IQMFakeAphrodite,
    "fake_deneb": IQMFakeDeneb,
    "fake_garnet": IQMFakeGarnet,
}
MEASURE_S = 1e-6
"""Not published with the fakes' figures; of the order of a readout of superconducting qubits."""
FEEDFORWARD_S = 1e-6
OWN = {"r": "prx", "cz": "cz"}
"""IQM's name of each of the gates that a circuit is compiled to."""
LIVE_SHOTS = 20_000
"""A bound of ours: the server says itself what it does not take."""

_compiling = threading.Lock()


def describe(name: str, backend: Any, *, local: bool) -> Json:
    """A backend as a device."""
    coupling = backend.coupling_map.get_edges() if backend.coupling_map is not None else []
    return {
        "name": name,
        "kind": "emulator" if local else "qpu",
        "family": "superconducting",
        "qubits": len(backend.architecture.qubits),
        # Where a backend branches, its branches hold one gate alone: less than any adaptive profile.
        "profile": "Base",
        "max_shots": 100_000 if local else LIVE_SHOTS,
        "max_programs": 100,
        "formats": ["openqasm3"],
        "native_gates": ["prx", "cz", "id"],
        "coupling": [list(pair) for pair in coupling],
        "mid_circuit": False,
        "status": "Available",
        "description": f"{backend.name} of IQM, "
        + ("simulated by IQM's own fake backend with its noise." if local else "through iqm-client."),
        "version": "" if local else str(backend.architecture.calibration_set_id),
        "poll_s": 0.3 if local else 2.0,
        "settle_s": 1.0 if local else 60.0,
        "options": {"optimization_level": "How much the transpiler may do: 0, 1 (default), 2 or 3."},
        "knows_keys": local,
        # Qubits that meet in a resonator have no place in a table of gates on qubits.
        "assesses": not backend.has_resonators(),
    }


def to_native(program: Mapping[str, Any], backend: Any, level: int) -> QuantumCircuit:
    """The program on the backend's qubits, in its gates.

    Raises:
        RefusedError: It cannot be read or compiled.
    """
    if program["format"] != "openqasm3":
        raise RefusedError(f"IQM's backends take no {program['format']}")
    try:
        with _compiling:
            circuit = qasm3.loads(program["text"])
            return transpile(circuit, backend, optimization_level=level, seed_transpiler=7)
    except Exception as error:
        raise RefusedError(
            f"the program cannot be compiled for {backend.name}: {type(error).__name__}: {error}"
        ) from None


@functools.cache
def fake(name: str) -> Any:
    """A fake backend by its name here."""
    return FAKES[name]()


@functools.cache
def calibration_of_fake(name: str) -> Json | None:
    """The figures of a fake backend as a calibration; None where qubits meet in resonators.

    An error of a gate is that of the whole channel that the fake simulates, depolarisation and relaxation together.
    """
    backend = fake(name)
    if backend.has_resonators():
        return None
    profile: IQMErrorProfile = backend.error_profile
    seconds = {**profile.single_qubit_gate_durations, **profile.two_qubit_gate_durations}
    channels = backend.noise_model._local_quantum_errors  # the only place where the composed channel is
    gates = {
        gate: {
            ",".join(map(str, qubits)): [
                max(0.0, 1.0 - float(average_gate_fidelity(SuperOp(channel)))),
                seconds[OWN[gate]] * 1e-9,
            ]
            for qubits, channel in channels.get(gate, {}).items()
        }
        for gate in OWN
    }
    qubits = [
        [profile.t1s[qubit] * 1e-9, min(profile.t2s[qubit], 2 * profile.t1s[qubit]) * 1e-9, errors["0"], errors["1"]]
        for qubit, errors in ((each, profile.readout_errors[each]) for each in backend.architecture.qubits)
    ]
    return _calibration(
        name,
        0.0,
        qubits,
        gates,
        f"error profile of {backend.name}, {profile.name}, in iqm-client",
        ["the package gives no date of the figures: they stand as of the beginning of 1970"],
    )


def calibration_of(name: str, backend: Any) -> Json | None:
    """The quality metrics of a server's calibration set, as the backend's target has them; None without them."""
    target = backend.target
    if backend.metrics is None or backend.has_resonators() or target.qubit_properties is None:
        return None
    gates: dict[str, dict[str, list[float]]] = {}
    for gate in OWN:
        for qubits, told in (target[gate] or {}).items():
            if told is not None and told.error is not None:
                gates.setdefault(gate, {})[",".join(map(str, qubits))] = [min(told.error, 1.0), told.duration or 0.0]
    for pair, figures in list(gates.get("cz", {}).items()):
        gates["cz"].setdefault(",".join(reversed(pair.split(","))), figures)
    taken_at = backend.client.get_calibration_set(backend.architecture.calibration_set_id).created_timestamp.timestamp()
    qubits = []
    for place, told in enumerate(target.qubit_properties):
        measured = target["measure"].get((place,))
        error = 0.5 if measured is None or measured.error is None else measured.error
        t2 = told.t2 if told.t1 is None or told.t2 is None else min(told.t2, 2 * told.t1)
        qubits.append([told.t1, t2, error, error])
    return _calibration(
        name,
        taken_at,
        qubits,
        gates,
        f"calibration set {backend.architecture.calibration_set_id} of {backend.name}",
        [],
    )


def _calibration(
    name: str,
    taken_at: float,
    qubits: list[Any],
    gates: Mapping[str, Mapping[str, list[float]]],
    source: str,
    notes: list[str],
) -> Json:
    return {
        "target": f"iqm.{name}",
        "taken_at": taken_at,
        "qubits": qubits,
        "gates": gates,
        "measure_s": MEASURE_S,
        "reset_s": MEASURE_S,
        "feedforward_s": FEEDFORWARD_S,
        "source": source,
        "notes": [*notes, "measure_s, reset_s and feedforward_s are not published; they are round numbers"],
    }
