"""A target of somebody else's in one module: five qubits, a few gates, measurements at the end.

It is a small simulator, so that it can be run anywhere; in its place stands whatever your lab calls its machine with.
"""

from __future__ import annotations

import cmath
import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from antiphon.domain.circuits import Affine, Angle, Barrier, Circuit, Gate, Measure
from antiphon.domain.programs import Profile
from antiphon.domain.results import Execution, Sampled
from antiphon.domain.targets import Limits, TargetInfo
from antiphon.domain.work import Plan, Pub, Work
from antiphon.errors import LimitError, UnsupportedProgramError
from antiphon.ports.provider import TargetPlugin

Matrix = NDArray[np.complex128]

FIXED: dict[str, list[list[complex]]] = {
    "id": [[1, 0], [0, 1]],
    "x": [[0, 1], [1, 0]],
    "h": [[math.sqrt(0.5), math.sqrt(0.5)], [math.sqrt(0.5), -math.sqrt(0.5)]],
    "s": [[1, 0], [0, 1j]],
    "t": [[1, 0], [0, cmath.exp(0.25j * math.pi)]],
}
TURNS: dict[str, Callable[[float], list[list[complex]]]] = {
    "rx": lambda a: [[math.cos(a / 2), -1j * math.sin(a / 2)], [-1j * math.sin(a / 2), math.cos(a / 2)]],
    "ry": lambda a: [[math.cos(a / 2), -math.sin(a / 2)], [math.sin(a / 2), math.cos(a / 2)]],
    "rz": lambda a: [[cmath.exp(-0.5j * a), 0], [0, cmath.exp(0.5j * a)]],
}
GATES = {*FIXED, *TURNS, "cx"}


class TinyLab:
    """Implements `antiphon.ports.target_driver.TargetDriver`."""

    @property
    def info(self) -> TargetInfo:
        """What it declares; the engine refuses what is beyond the limits."""
        return TargetInfo(
            name="tinylab.five",
            provider="tinylab",
            kind="simulator",
            version="1.0",
            profile=Profile.BASE,
            limits=Limits(max_qubits=5, max_shots=10_000, max_programs=50),
            estimates=False,
            description="Five qubits of a tiny lab.",
        )

    def plan(self, work: Work) -> Plan:
        """Refuse what cannot run, by name and with a way out; quick, since a user waits for it."""
        if work.options:
            given = f"{min(work.options)!r} was given."
            raise UnsupportedProgramError(f"tinylab.five has no options; {given}", next_step="Leave it out.")
        for pub in work.pubs:
            _check(pub)
        runs = sum(pub.parameters.num_sets for pub in work.pubs)
        number = len(work.pubs)
        return Plan(
            engine=("tinylab",) * number,
            reason=("the only one",) * number,
            cost=1e-3 * runs,
            memory_bytes=1_024,
            safe_inline=True,
            num_calls=runs,
        )

    def execute(self, work: Work, plan: Plan) -> Execution:
        """Run it; the same seed gives the same counts."""
        return Execution(tuple(_run(pub) for pub in work.pubs), {"engine": plan.engine[0], "engine_version": "1.0"})


def _check(pub: Pub) -> None:
    circuit = pub.program.circuit
    if circuit is None or pub.observables is not None:
        raise UnsupportedProgramError("tinylab.five takes circuits, and gives counts.", next_step="Use sim.auto.")
    if circuit.num_qubits > 5:
        raise LimitError(f"The program has {circuit.num_qubits} qubits; tinylab.five has 5.", next_step="Use sim.auto.")
    measured: set[int] = set()
    for operation in circuit.operations:
        match operation:
            case Measure(qubit, _):
                measured.add(qubit)
            case Gate(name, qubits, params) if name in GATES and not measured & set(qubits):
                for angle in params:
                    _value(angle, [0.0] * len(circuit.parameters))
            case Barrier():
                pass
            case _:
                word = operation.name if isinstance(operation, Gate) else type(operation).__name__.lower()
                raise UnsupportedProgramError(
                    f"tinylab.five cannot run {word!r} there.",
                    next_step=f"Transpile to {', '.join(sorted(GATES))}, with measurements at the end.",
                )
    if not measured:
        raise UnsupportedProgramError(
            "The program measures nothing.", code="no-measurement", next_step="Measure a qubit."
        )


def _run(pub: Pub) -> Sampled:
    circuit, shots = pub.program.circuit, pub.shots
    assert circuit is not None
    assert shots is not None
    random = np.random.default_rng(pub.seed)
    rows = np.frombuffer(pub.parameters.data, dtype="<f8").reshape(pub.parameters.num_sets, len(circuit.parameters))
    counts = tuple(_sample(circuit, row.tolist(), shots, random) for row in rows)
    return Sampled(pub.parameters.shape, counts, shots)


def _sample(circuit: Circuit, parameters: Sequence[float], shots: int, random: np.random.Generator) -> dict[str, int]:
    state = np.zeros(2**circuit.num_qubits, dtype=np.complex128)
    state[0] = 1.0
    readout: dict[int, int] = {}
    for operation in circuit.operations:
        match operation:
            case Gate("cx", (control, target)):
                state = _cx(state, control, target)
            case Gate(name, (qubit,), params):
                rows = TURNS[name](_value(params[0], parameters)) if name in TURNS else FIXED[name]
                state = _turn(state, np.array(rows, dtype=np.complex128), qubit)
            case Measure(qubit, clbit):
                readout[clbit] = qubit
    chances = np.abs(state) ** 2
    found = random.choice(len(state), size=shots, p=chances / chances.sum())
    return dict(Counter(_key(circuit, readout, int(outcome)) for outcome in found))


def _turn(state: Matrix, matrix: Matrix, qubit: int) -> Matrix:
    """A gate on one qubit; qubit 0 is the last bit of a state's number."""
    turned: Matrix = np.einsum("ij,ajb->aib", matrix, state.reshape(-1, 2, 2**qubit))
    return turned.reshape(-1)


def _cx(state: Matrix, control: int, target: int) -> Matrix:
    places = np.arange(len(state))
    return state[np.where(places >> control & 1, places ^ (1 << target), places)]


def _key(circuit: Circuit, readout: dict[int, int], outcome: int) -> str:
    """Bit 0 of a register is rightmost, and the register declared last stands leftmost, after a space."""
    bits = [str(outcome >> readout[clbit] & 1) if clbit in readout else "0" for clbit in range(circuit.num_clbits)]
    parts = ["".join(reversed(bits[each.offset : each.offset + each.size])) for each in circuit.registers]
    return " ".join(reversed(parts))


def _value(angle: Angle, parameters: Sequence[float]) -> float:
    if isinstance(angle, int | float):
        return float(angle)
    if isinstance(angle, Affine):
        return angle.constant + sum(factor * parameters[index] for index, factor in angle.terms)
    raise UnsupportedProgramError("tinylab.five takes sums of parameters as angles.", next_step="Bind it first.")


def targets() -> TargetPlugin:
    """The entry point."""
    return TargetPlugin({"tinylab.five": TinyLab()})
