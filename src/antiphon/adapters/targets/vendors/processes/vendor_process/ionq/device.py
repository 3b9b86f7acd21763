"""IonQ's backends as devices, characterizations as calibrations, and programs as circuits that IonQ's client writes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from qiskit import QuantumCircuit, qasm3, transpile
from qiskit_ionq.helpers import native_2q_gate
from vendor_process.serving import Json, RefusedError

SIMULATOR = "simulator"
SIMULATOR_QUBITS = 29
QPU_SHOTS = 10_000
SIMULATOR_SHOTS = 100_000
"""A bound of ours; of an ideal simulation the shots are drawn here."""
BASIS = ["id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "rx", "ry", "rz", "cx", "swap"]
"""Of the gates that IonQ takes, those of which every tool means the same."""

_compiling = threading.Lock()


def describe(told: Mapping[str, Any], settle_s: float) -> Json:
    """A backend as the service tells it, as a device."""
    name = told["backend"]
    is_simulator = name == SIMULATOR
    status = str(told.get("status", "available"))
    up = status in ("available", "running")
    options = {"noise_model": "Whose noise to simulate: ideal (default), aria-1, forte-1 and others that IonQ has."}
    own = {"debiasing": "Whether IonQ mitigates errors by symmetrisation: true or false; IonQ's default without it."}
    return {
        "name": name,
        "kind": "simulator" if is_simulator else "qpu",
        "family": "ion-trap",
        "qubits": int(told.get("qubits") or SIMULATOR_QUBITS),
        "profile": "Base",
        "max_shots": SIMULATOR_SHOTS if is_simulator else QPU_SHOTS,
        "max_programs": 50,
        "formats": ["openqasm3"],
        "status": ("Degraded" if told.get("degraded") else "Available") if up else "Unavailable",
        "description": f"{name} of IonQ, through qiskit-ionq.",
        "version": str(told.get("characterization_id") or ""),
        "poll_s": 1.0 if is_simulator else 5.0,
        "settle_s": settle_s,
        "options": options if is_simulator else own,
        "seeded": is_simulator,
        "knows_keys": False,
        **({} if is_simulator else {"native_gates": ["gpi", "gpi2", native_2q_gate(name) or "ms"], "coupling": []}),
    }


def to_circuit(program: Mapping[str, Any]) -> QuantumCircuit:
    """The program in gates that IonQ's client writes, on its own qubits: IonQ places and compiles it.

    Raises:
        RefusedError: It cannot be read.
    """
    if program["format"] != "openqasm3":
        raise RefusedError(f"IonQ's backends take no {program['format']}")
    try:
        with _compiling:
            circuit = qasm3.loads(program["text"])
            return transpile(circuit, basis_gates=BASIS, optimization_level=1, seed_transpiler=7)
    except Exception as error:
        raise RefusedError(f"the program cannot be written for IonQ: {type(error).__name__}: {error}") from None


def calibration_of(told: Mapping[str, Any] | None) -> Json | None:
    """A characterization as a calibration: IonQ publishes one figure for all qubits, and one for all pairs."""
    if told is None:
        return None
    fidelity, timing = told.get("fidelity") or {}, told.get("timing") or {}
    number = int(told["qubits"])
    spam = 1.0 - (_figure(fidelity, "spam") or 1.0)
    t1, t2 = timing.get("t1"), timing.get("t2")
    gates: dict[str, dict[str, list[float]]] = {}
    one, two = _figure(fidelity, "1q"), _figure(fidelity, "2q")
    if one is not None:
        figures = [1.0 - one, float(timing.get("1q") or 0.0)]
        gates["gpi2"] = {str(qubit): figures for qubit in range(number)}
    if two is not None:
        figures = [1.0 - two, float(timing.get("2q") or 0.0)]
        pairs = told.get("connectivity") or [(a, b) for a in range(number) for b in range(a)]
        gates[native_2q_gate(told["backend"]) or "ms"] = {
            f"{a},{b}": figures for x, y in pairs for a, b in ((x, y), (y, x))
        }
    return {
        "target": f"ionq.{told['backend']}",
        "taken_at": datetime.fromisoformat(told["date"]).timestamp(),
        "qubits": [[t1, t2 if t1 is None or t2 is None else min(t2, 2 * t1), spam, spam]] * number,
        "gates": gates,
        "measure_s": float(timing.get("readout") or 0.0),
        "reset_s": float(timing.get("reset") or 0.0),
        "feedforward_s": 0.0,
        "source": f"characterization {told['id']} of {told['backend']}, by IonQ",
        "notes": ["medians or means over the device, the same for each qubit and pair"],
    }


def _figure(fidelity: Mapping[str, Any], of: str) -> float | None:
    told = fidelity.get(of) or {}
    figure = told.get("median", told.get("mean"))
    return None if figure is None else float(figure)
