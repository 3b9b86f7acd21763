"""Backends as devices, their properties as a calibration, and programs as circuits in a backend's own gates."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import Any

from qiskit import QuantumCircuit, qasm3
from qiskit.transpiler import generate_preset_pass_manager
from vendor_process.serving import Json, RefusedError

_compiling = threading.Lock()
FEEDFORWARD_S = 1e-6
"""Not published with the properties; of the order that IBM's papers on dynamic circuits give."""


def describe(backend: Any, *, local: bool) -> Json:
    """A backend as a device."""
    names = set(backend.operation_names)
    dynamic = "if_else" in names
    status = backend.status() if hasattr(backend, "status") and not local else None
    coupling = backend.coupling_map.get_edges() if backend.coupling_map is not None else []
    return {
        "name": backend.name,
        "kind": "emulator" if local else "qpu",
        "family": "superconducting",
        "qubits": backend.num_qubits,
        # Their loops are counted ones, whatever the language has.
        "profile": "Adaptive_RI" if dynamic else "Base",
        "max_shots": 100_000,
        "max_programs": 300,
        "formats": ["openqasm3"],
        "delays": True,
        "native_gates": sorted(
            names - {"measure", "reset", "delay", "if_else", "for_loop", "switch_case", "while_loop"}
        ),
        "coupling": [list(pair) for pair in coupling],
        "mid_circuit": dynamic,
        "dt_s": backend.dt,
        "status": "Available" if status is None or status.operational else f"Unavailable: {status.status_msg}",
        "queue": None if status is None else status.pending_jobs,
        "description": f"{backend.name} of IBM, "
        + ("simulated by IBM's local mode with its published noise." if local else "through qiskit-ibm-runtime."),
        "version": str(getattr(backend, "backend_version", "")),
        "poll_s": 0.3 if local else 5.0,
        "settle_s": 1.0 if local else 120.0,
        "options": {"optimization_level": "How much the transpiler may do: 0, 1 (default), 2 or 3."},
        "as_sent": {"optimization_level": 0},
        "seeded": local,
        "knows_keys": local,
        "assesses": True,
    }


def to_isa(program: Mapping[str, Any], backend: Any, level: int) -> QuantumCircuit:
    """The program on the backend's qubits, in its gates.

    Raises:
        RefusedError: It cannot be read or compiled.
    """
    if program["format"] != "openqasm3":
        raise RefusedError(f"IBM's backends take no {program['format']}")
    try:
        with _compiling:  # the importer keeps state of its own
            circuit = qasm3.loads(program["text"])
            return generate_preset_pass_manager(optimization_level=level, backend=backend, seed_transpiler=7).run(
                circuit
            )
    except Exception as error:
        raise RefusedError(
            f"the program cannot be compiled for {backend.name}: {type(error).__name__}: {error}"
        ) from None


def calibration_of(backend: Any, *, refresh: bool = False) -> Json | None:
    """A backend's properties in the shape of Antiphon's calibrations (`docs/reference/vendor-protocol.md`).

    Args:
        refresh: Ask for them anew; the client keeps those that it has seen.
    """
    properties = backend.properties(refresh=refresh)
    if properties is None:
        return None
    qubits = []
    for qubit in range(backend.num_qubits):
        error = _known(properties.readout_error, qubit, default=0.5)
        t1 = _known(properties.t1, qubit)
        qubits.append(
            [
                t1,
                _shorter(_known(properties.t2, qubit), t1),
                _property(properties, qubit, "prob_meas1_prep0", error),
                _property(properties, qubit, "prob_meas0_prep1", error),
            ]
        )
    gates: dict[str, dict[str, list[float]]] = {}
    for gate in properties.gates:
        told = {parameter.name: _si(parameter) for parameter in gate.parameters}
        if "gate_error" in told:
            where = ",".join(map(str, gate.qubits))
            gates.setdefault(gate.gate, {})[where] = [min(told["gate_error"], 1.0), told.get("gate_length", 0.0)]
    measure = max((_known(properties.readout_length, qubit, default=0.0) or 0.0) for qubit in range(backend.num_qubits))
    reset = max((seconds for _, seconds in gates.get("reset", {}).values()), default=measure)
    return {
        "target": f"ibm.{backend.name}",
        "taken_at": properties.last_update_date.timestamp(),
        "qubits": qubits,
        "gates": {name: found for name, found in gates.items() if name not in ("reset", "measure")},
        "measure_s": measure,
        "reset_s": reset,
        "feedforward_s": FEEDFORWARD_S,
        "source": f"properties of {backend.name}, version {properties.backend_version}, by qiskit-ibm-runtime",
        "notes": [
            "feedforward_s is not published; it is a round number",
            "a gate error above 1, which IBM publishes for a gate that does not work, is told as 1",
        ],
    }


def _known(ask: Any, qubit: int, default: float | None = None) -> float | None:
    """What is published of a qubit; the default where it is not (a qubit that does not work)."""
    try:
        value = float(ask(qubit))
    except Exception:  # each kind of property raises an error of its own
        return default
    return value if math.isfinite(value) else default


def _shorter(t2: float | None, t1: float | None) -> float | None:
    return t2 if t2 is None or t1 is None else min(t2, 2 * t1)


def _property(properties: Any, qubit: int, name: str, default: float | None) -> float | None:
    try:
        value, _ = properties.qubit_property(qubit, name)
    except Exception:
        return default
    return float(value)


_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def _si(parameter: Any) -> float:
    return float(parameter.value) * _UNITS.get(parameter.unit, 1.0)
