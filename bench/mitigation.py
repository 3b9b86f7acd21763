"""The mitigation table: the energy of H2 on emulated devices, before and after, every method with the same shots.

`python -m bench.mitigation` prints root-mean-square errors against the exact value of the same state without noise, in
millihartree, and what each method took. The budget of 100,000 shots holds everything that a method needs: its circuits,
its calibration, and the sentinel that its verdict rests on.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize_scalar

from antiphon import Mitigation, Workspace
from antiphon.client.target import Target
from antiphon.molecules import hydrogen

SHOTS = 100_000
DEVICES = ("emu.manila", "emu.heron")
METHODS: dict[str, Mitigation | None] = {
    "raw": None,
    "readout": Mitigation(readout=True),
    "ZNE 1, 3": Mitigation(zne=(1, 3)),
    "readout + ZNE 1, 3": Mitigation(readout=True, zne=(1, 3)),
    "readout + ZNE 1, 3, 5 exponential": Mitigation(
        readout=True, zne={"factors": (1, 3, 5), "extrapolation": "exponential"}
    ),
    "readout + ZNE 1, 3 + twirling": Mitigation(readout=True, zne=(1, 3), twirling=8),
    "readout + decoupling": Mitigation(readout=True, dynamical_decoupling="XX"),
    "readout + PEC": Mitigation(readout=True, pec=40),
}


@dataclass(frozen=True)
class Row:
    """One method on one device; energies in millihartree.

    Attributes:
        rms: Root mean square of the errors.
        bias: Their mean.
        scatter: Their standard deviation.
        stated: The standard error that results state, on average.
        variance: Shots that the method takes for each without it, for the same standard error.
        seconds: One estimate from submit to result.
        verdicts: How often each.
    """

    device: str
    method: str
    rms: float
    bias: float
    scatter: float
    stated: float
    circuits: int
    variance: float
    seconds: float
    verdicts: dict[str, int]


def ansatz(angle: float) -> QuantumCircuit:
    """cos(angle/2)|0011⟩ + sin(angle/2)|1100⟩, which holds the ground state: one double excitation as one string."""
    circuit = QuantumCircuit(4, name="h2")
    circuit.x([0, 1])
    for qubit in range(3):
        circuit.h(qubit)
    circuit.sdg(3)
    circuit.h(3)
    for qubit in range(3):
        circuit.cx(qubit, qubit + 1)
    circuit.rz(angle, 3)
    for qubit in reversed(range(3)):
        circuit.cx(qubit, qubit + 1)
    for qubit in range(3):
        circuit.h(qubit)
    circuit.h(3)
    circuit.s(3)
    return circuit


def ground_state(workspace: Workspace) -> tuple[QuantumCircuit, float]:
    """The circuit at its best angle, and its exact energy in hartree."""
    target, observable = workspace.target("sim.auto"), dict(hydrogen().observable.terms)

    def energy(angle: float) -> float:
        return float(target.estimate(ansatz(angle), observable).result().values)

    found = minimize_scalar(energy, bounds=(-1.0, 1.0), method="bounded")
    return ansatz(float(found.x)), float(found.fun)


def measured(target: Target, method: str, circuit: QuantumCircuit, exact: float, *, repeats: int, shots: int) -> Row:
    """One row: the same estimate under so many seeds."""
    observable = dict(hydrogen().observable.terms)
    options: dict[str, Any] = {} if METHODS[method] is None else {"mitigation": METHODS[method]}
    errors, stated, circuits, variances = [], [], 5, []
    verdicts: Counter[str] = Counter()
    began = time.perf_counter()
    for seed in range(repeats):
        result = target.estimate(circuit, observable, shots=shots, seed=seed, **options).result()
        errors.append(1e3 * (float(result.values) - exact))
        stated.append(1e3 * float(result.stderr))
        told = result.mitigation
        if told is not None:
            circuits = told["overhead"]["circuits"]
            variances.append(told["overhead"]["variance"][0])
            verdicts[told["verdict"]] += 1
    return Row(
        target.name,
        method,
        float(np.sqrt(np.mean(np.square(errors)))),
        float(np.mean(errors)),
        float(np.std(errors, ddof=1)),
        float(np.mean(stated)),
        circuits,
        float(np.median(variances)) if variances else 1.0,
        (time.perf_counter() - began) / repeats,
        dict(verdicts),
    )


def as_table(rows: list[Row]) -> Table:
    """The rows for people."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("device", "method"):
        table.add_column(heading, no_wrap=True)
    for heading in ("rms, mHa", "bias", "scatter", "stated", "circuits", "variance", "s each"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdicts", no_wrap=True)
    for row in rows:
        table.add_row(
            row.device,
            row.method,
            f"{row.rms:.1f}",
            f"{row.bias:+.1f}",
            f"{row.scatter:.1f}",
            f"{row.stated:.1f}",
            f"{row.circuits}",
            f"{row.variance:.1f}",
            f"{row.seconds:.2f}",
            ", ".join(f"{verdict} {count}" for verdict, count in sorted(row.verdicts.items())),
        )
    return table


def main() -> None:
    """Measure, print, and write as JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=20, help="estimates of each method (default 20)")
    parser.add_argument("--shots", type=int, default=SHOTS, help="of each estimate in all (default 100,000)")
    parser.add_argument("--device", action="append", help=f"default {', '.join(DEVICES)}")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    asked = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, Workspace(folder) as workspace:
        circuit, exact = ground_state(workspace)
        for device in asked.device or DEVICES:
            target = workspace.target(device)
            for method in METHODS:
                rows.append(measured(target, method, circuit, exact, repeats=asked.repeats, shots=asked.shots))
                Console(stderr=True).print(f"{device}: {method}: {rows[-1].rms:.1f} mHa")
    Console(width=160).print(as_table(rows))
    if asked.json:
        asked.json.write_text(json.dumps({"shots": asked.shots, "rows": [asdict(row) for row in rows]}, indent=1))


if __name__ == "__main__":
    main()
