"""Wide static circuits on qsim, which fuses gates before it applies them; single precision.

Its compiled modules are loaded by themselves: the package around them imports Cirq, which takes seconds in a fresh
worker and does nothing here. A self-test against plain NumPy at first use guards against a changed binding.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.angles import AngleTable, Floats
from antiphon.adapters.targets.sim.lowering import PRIMITIVES, Primitive, lower
from antiphon.adapters.targets.sim.matrices import Matrix, apply, gate_matrix, unitary_matrix
from antiphon.adapters.targets.sim.readout import Readout, draw
from antiphon.adapters.targets.sim.task import Ran, Task
from antiphon.domain.circuits import Gate, Unitary
from antiphon.domain.gates import GATES
from antiphon.errors import MissingExtraError

_PACKAGE = "qsimcirq"
_BY_INSTRUCTIONS = {0: "qsim_avx512", 1: "qsim_avx2", 2: "qsim_sse"}
_FUSED_QUBITS = 3
# What qsimcirq's own simulator hands over: fusion, threads, repetitions, no GPU (and its figures), no words, denormals.
_OPTIONS = {"f": _FUSED_QUBITS, "t": 1, "r": 1, "g": False, "gmode": 0, "gsst": 512, "gdb": 16, "v": 0, "z": False}
_TOLERANCE = 1e-5


def sample(task: Task) -> Ran:
    """Counts of every parameter set."""
    features = task.features
    readout = Readout(features.circuit.registers, features.readout)
    rng = task.generator()
    steps: list[Primitive | Unitary] = []
    for gate in features.gates:
        steps.extend(lower(gate) if isinstance(gate, Gate) else [gate])
    table = AngleTable([step[2] for step in steps if not isinstance(step, Unitary) and step[2] is not None])
    counts = []
    for parameters in task.parameters:
        state = _state(max(features.num_qubits, 1), _matrices(steps, table, parameters))
        probabilities = state[::2] ** 2
        probabilities += state[1::2] ** 2
        del state
        counts.append(readout.counts_of_outcomes(*draw(probabilities, task.shots, rng)))
    return Ran("state vector with fused gates", "single", len(counts), counts=tuple(counts))


def _matrices(
    steps: Iterable[Primitive | Unitary], table: AngleTable, parameters: Floats
) -> Iterator[tuple[Matrix, Sequence[int]]]:
    values = iter(table.evaluate(parameters).tolist())
    for step in steps:
        if isinstance(step, Unitary):
            yield unitary_matrix(step), step.qubits
        else:
            name, qubits, angle = step
            yield gate_matrix(name, () if angle is None else (next(values),)), qubits


def _state(num_qubits: int, steps: Iterable[tuple[Matrix, Sequence[int]]]) -> NDArray[np.float32]:
    """The amplitudes as real and imaginary parts in turn, of shape (2 · 2^n,); qubit q is bit q of the index."""
    qsim = _bindings()
    circuit = qsim.Circuit()
    circuit.num_qubits = num_qubits
    free = [0] * num_qubits  # the first moment in which each qubit has no gate yet
    placed = []
    for matrix, qubits in steps:
        moment = max(free[qubit] for qubit in qubits)
        for qubit in qubits:
            free[qubit] = moment + 1
        placed.append((moment, matrix, qubits))
    for moment, matrix, qubits in sorted(placed, key=itemgetter(0)):  # it wants them moment after moment
        entries = np.ascontiguousarray(matrix, dtype=np.complex128).view(np.float64).ravel().tolist()
        # The first qubit of a matrix is its most significant one.
        qsim.add_matrix_gate(moment, list(reversed(qubits)), entries, circuit)
    state: NDArray[np.float32] = qsim.qsim_simulate_fullstate({**_OPTIONS, "c": circuit, "s": 1}, 0)
    return state


@cache
def _bindings() -> Any:
    """The module for this processor's instructions."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError.of("qsimcirq", "sims", "The state-vector engine qsim")
    folder = Path(next(iter(found.submodule_search_locations)))
    try:
        instructions = _load(folder, "qsim_decide").detect_instructions()
        return _load(folder, _BY_INSTRUCTIONS.get(instructions, "qsim_basic"))
    except (ImportError, ValueError, AttributeError) as error:
        raise MissingExtraError.of("qsimcirq", "sims", "The state-vector engine qsim") from error


def _load(folder: Path, name: str) -> Any:
    full = f"{_PACKAGE}.{name}"
    loaded = sys.modules.get(full)
    if loaded is not None:
        return loaded
    (path,) = (path for path in folder.glob(f"{name}.*") if path.suffix in (".so", ".pyd"))
    spec = importlib.util.spec_from_file_location(full, path)
    if spec is None or spec.loader is None:
        raise ImportError(full)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Under its own name, since its types can be registered once: who imports the package later gets this one.
    return sys.modules.setdefault(full, module)


@cache
def unusable_because() -> str:
    """Why qsim cannot be used here, or "" when it is installed and agrees with NumPy."""
    try:
        _bindings()
    except MissingExtraError as error:
        return error.message
    return "" if _deviation() <= _TOLERANCE else "qsimcirq failed its self-test against NumPy"


def _deviation() -> float:
    """Largest difference to plain NumPy after every primitive on five qubits."""
    width = 5
    steps = []
    for turn in range(3):
        for position, name in enumerate(sorted(PRIMITIVES)):
            kind = GATES[name]
            qubits = tuple((turn + position + 2 * place) % width for place in range(kind.num_qubits))
            steps.append((gate_matrix(name, [0.1 + 0.37 * position + turn] * kind.num_params), qubits))
    expected = np.zeros(2**width, dtype=np.complex128)
    expected[0] = 1.0
    for matrix, qubits in steps:
        expected = apply(expected, matrix, qubits)
    state = _state(width, steps)
    return float(np.abs(state[::2] + 1j * state[1::2] - expected).max())
