"""A Clifford circuit of the same shape, whose exact values are known: does mitigation bring them nearer?

Angles are rounded to the nearest ones at which the gate is Clifford, some of them the other way, until the observables
are not all zero. The gates, their places and so their noise stay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.mitigation.ground import Operations
from antiphon.adapters.targets.sim.clifford import CliffordStep, clifford_steps
from antiphon.domain.circuits import Barrier, Delay, Gate, Operation, Unitary
from antiphon.domain.gates import GATES
from antiphon.domain.observables import Observable
from antiphon.errors import MissingExtraError

Floats = NDArray[np.float64]

TRIES = 24
_NEAR = {"t": "s", "tdg": "sdg", "ch": "cz", "csx": "cx", "crx": "cx", "cry": "cy", "crz": "cz", "cu": "cz"}
"""Gates that are Clifford at no angle, or are not known as such, and what stands for them."""


@dataclass(frozen=True)
class Sentinel:
    """The circuit, and the exact value of each observable without its constant."""

    operations: Operations
    exact: Floats


def make_sentinel(
    operations: Operations,
    observables: Sequence[Observable],
    place_of: dict[int, int],
    rng: np.random.Generator,
) -> Sentinel | str:
    """The sentinel of a static circuit without free parameters, or why there is none.

    Args:
        place_of: Qubit of the circuit where each qubit of the observables is.

    Raises:
        MissingExtraError: stim is not installed.
    """
    best: Sentinel | None = None
    for trial in range(TRIES):
        rounded: list[Operation] = []
        steps: list[CliffordStep] = []
        for operation in operations:
            if isinstance(operation, Barrier | Delay):
                rounded.append(operation)
                continue
            near = _near(operation, rng if trial else None) if isinstance(operation, Gate) else None
            if near is None:
                name = "an explicit unitary" if isinstance(operation, Unitary) else getattr(operation, "name", "?")
                return f"{name} is near no Clifford gate"
            rounded.append(near[0])
            steps += near[1]
        exact = _values(steps, observables, place_of)
        if best is None or np.abs(exact).sum() > np.abs(best.exact).sum() + 1e-12:
            best = Sentinel(tuple(rounded), exact)
    assert best is not None
    if not np.abs(best.exact).any():
        return "the observables are zero in every Clifford circuit that was tried"
    return best


def _near(gate: Gate, rng: np.random.Generator | None) -> tuple[Gate, list[CliffordStep]] | None:
    angles = tuple(angle for angle in gate.params if isinstance(angle, int | float))
    assert len(angles) == len(gate.params), "parameters are bound"
    steps = clifford_steps(gate, angles)
    if steps is not None:
        return gate, steps
    if gate.name in _NEAR:
        other = Gate(_NEAR[gate.name], gate.qubits)
        return other, clifford_steps(other, ()) or []
    if not gate.params or GATES[gate.name].num_qubits > 2:
        return None
    for unit in (math.pi / 2, math.pi, 2 * math.pi):
        turned = tuple(unit * _rounded(angle / unit, rng) for angle in angles)
        steps = clifford_steps(gate, turned)
        if steps is not None:
            return Gate(gate.name, gate.qubits, turned), steps
    return None


def _rounded(value: float, rng: np.random.Generator | None) -> int:
    if rng is None:
        return round(value)
    below = math.floor(value)
    return below + int(rng.random() < value - below)


def _values(steps: list[CliffordStep], observables: Sequence[Observable], place_of: dict[int, int]) -> Floats:
    try:
        import stim
    except ImportError as error:
        raise MissingExtraError.of("stim", "sims", "the verdict on a mitigation") from error
    circuit = stim.Circuit()
    for name, qubits in steps:
        circuit.append(_STIM.get(name, name.upper()), qubits)
    simulator = stim.TableauSimulator()
    width = max([*place_of.values(), *(qubit for _, qubits in steps for qubit in qubits), 0]) + 1
    simulator.set_num_qubits(width)
    simulator.do(circuit)
    known: dict[str, float] = {}
    found = []
    for observable in observables:
        value = 0.0
        for pauli, coefficient in observable.terms:
            if set(pauli) <= {"I"}:
                continue
            if pauli not in known:
                letters = ["I"] * width
                for qubit, letter in enumerate(reversed(pauli)):
                    if letter != "I":
                        letters[place_of[qubit]] = letter
                known[pauli] = float(simulator.peek_observable_expectation(stim.PauliString("".join(letters))))
            value += coefficient * known[pauli]
        found.append(value)
    return np.array(found)


_STIM = {"sdg": "S_DAG", "sx": "SQRT_X", "sxdg": "SQRT_X_DAG"}
