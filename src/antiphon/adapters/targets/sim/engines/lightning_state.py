"""Lightning's raw state vector, wrapped in one class: the only place that touches its semi-private bindings.

They are the same on a GPU, for which `lightning_gpu` has a subclass; the other engines take either kind.

The bindings count wires from the most significant bit; here qubit q is bit q of a basis state's index throughout.
Measurements hold a bare reference to the state, so the two are kept together: measuring a freed state gives plausible
nonsense, not an error. A self-test against plain NumPy at first use guards against a changed binding.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.lowering import PRIMITIVES, Primitive
from antiphon.adapters.targets.sim.matrices import Matrix, apply, gate_matrix
from antiphon.adapters.targets.sim.readout import draw
from antiphon.domain.gates import GATES
from antiphon.errors import MissingExtraError

_NAMES: dict[str, tuple[str, bool]] = {
    # Each primitive with its binding, and whether that is to be inverted.
    "x": ("PauliX", False),
    "y": ("PauliY", False),
    "z": ("PauliZ", False),
    "h": ("Hadamard", False),
    "s": ("S", False),
    "sdg": ("S", True),
    "sx": ("SX", False),
    "sxdg": ("SX", True),
    "t": ("T", False),
    "tdg": ("T", True),
    "rx": ("RX", False),
    "ry": ("RY", False),
    "rz": ("RZ", False),
    "p": ("PhaseShift", False),
    "cx": ("CNOT", False),
    "cy": ("CY", False),
    "cz": ("CZ", False),
    "swap": ("SWAP", False),
    "iswap": ("IsingXY", False),  # at angle π
    "cp": ("ControlledPhaseShift", False),
    "crx": ("CRX", False),
    "cry": ("CRY", False),
    "crz": ("CRZ", False),
    "rxx": ("IsingXX", False),
    "ryy": ("IsingYY", False),
    "rzz": ("IsingZZ", False),
    "ccx": ("Toffoli", False),
    "cswap": ("CSWAP", False),
}

KEPT_BYTES = 64 * 2**20

Call: TypeAlias = "tuple[Any, Any, bool, int]"
"""(unbound method, wires, inverse, place of its parameters): `method(state, wires, inverse, parameters[place])`."""


@cache
def _bindings() -> Any:
    try:
        from pennylane_lightning import lightning_qubit_ops
    except ImportError as error:
        raise MissingExtraError.of("pennylane-lightning", "sims", "The state-vector engine lightning") from error
    return lightning_qubit_ops


class LightningState:
    """A state vector of `num_qubits` qubits (at least one) in single or double precision. For one thread at a time."""

    sums_paulis: ClassVar[bool] = False
    """Whether `pauli_sum` computes an observable where the state lies, so that nobody builds a matrix of it."""

    def __init__(self, num_qubits: int, *, single: bool = False) -> None:
        self.num_qubits = num_qubits
        self.single = single
        bindings = self.bindings()
        self.raw = self.raw_class(single=single)(num_qubits)
        self._measurements = (bindings.MeasurementsC64 if single else bindings.MeasurementsC128)(self.raw)
        self.dtype = np.complex64 if single else np.complex128

    @classmethod
    def bindings(cls) -> Any:
        """The module of the bindings.

        Raises:
            MissingExtraError: It is not installed.
        """
        return _bindings()

    @classmethod
    def raw_class(cls, *, single: bool) -> Any:
        """The bindings' own class of states, whose unbound methods a `Call` has."""
        return cls.bindings().StateVectorC64 if single else cls.bindings().StateVectorC128

    def reset(self) -> None:
        """Back to |0…0⟩."""
        self.raw.resetStateVector()

    def run(self, calls: Sequence[Call], parameters: Sequence[Sequence[float]]) -> None:
        """Apply `calls` in order."""
        raw = self.raw
        for method, wires, inverse, place in calls:
            method(raw, wires, inverse, parameters[place])

    def apply(self, name: str, *qubits: int) -> None:
        """Apply one primitive without an angle."""
        kind, primitive = type(self), (name, qubits, None)
        method, wires, inverse, _ = call_of(primitive, self.num_qubits, 0, single=self.single, kind=kind)
        method(self.raw, wires, inverse, [])

    def probabilities(self) -> NDArray[Any]:
        """|amplitude|² of every basis state, of shape (2^n,)."""
        found: NDArray[Any] = self._measurements.probs()
        return found

    def probability_of_one(self, qubit: int) -> float:
        """Probability of measuring 1 on `qubit`."""
        return float(self._measurements.probs([self.num_qubits - 1 - qubit])[1])

    def collapse(self, qubit: int, outcome: int) -> None:
        """Project `qubit` on `outcome` and normalise."""
        self.raw.collapse(self.num_qubits - 1 - qubit, bool(outcome))

    def expectation(self, indptr: NDArray[Any], indices: NDArray[Any], data: NDArray[Any]) -> float:
        """⟨H⟩ of a Hermitian matrix in compressed rows, in the state's own precision."""
        return float(self._measurements.expval(indptr, indices, data))

    def amplitudes(self) -> NDArray[Any]:
        """A copy of the amplitudes, of shape (2^n,)."""
        out = np.empty(2**self.num_qubits, dtype=self.dtype)
        self.raw.getState(out)
        return out

    def load(self, amplitudes: NDArray[Any]) -> None:
        """Set the amplitudes, of shape (2^n,)."""
        self.raw.updateData(amplitudes)

    def copy_from(self, other: Self) -> None:
        """Take over the amplitudes of a state of the same width and precision."""
        self.load(other.amplitudes())

    def draw(self, shots: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Measure all qubits `shots` times: the distinct outcomes in rising order, and how often each came."""
        return draw(self.probabilities(), shots, rng)

    def pauli_sum(self, words: Sequence[str], qubits: Sequence[Sequence[int]], weights: Sequence[float]) -> float:
        """⟨Σ weight · word⟩, each word's letters on its qubits in order; only where `sums_paulis`."""
        raise NotImplementedError


def call_of(
    primitive: Primitive, num_qubits: int, place: int, *, single: bool, kind: type[LightningState] = LightningState
) -> Call:
    """The binding that applies `primitive`; a wire is counted from the other end than a qubit."""
    name, inverse = _NAMES[primitive[0]]
    method = getattr(kind.raw_class(single=single), name)
    return method, [num_qubits - 1 - qubit for qubit in primitive[1]], inverse, place


def matrix_call(
    matrix: Matrix,
    qubits: Sequence[int],
    num_qubits: int,
    place: int,
    *,
    single: bool,
    kind: type[LightningState] = LightningState,
) -> Call:
    """The call that applies an explicit matrix; its method takes no parameters and ignores `place`."""
    data = np.ascontiguousarray(matrix, dtype=np.complex64 if single else np.complex128)
    wires = [num_qubits - 1 - qubit for qubit in reversed(qubits)]
    method = kind.raw_class(single=single).applyMatrix

    def applied(raw: Any, _: object, inverse: bool, __: object) -> None:
        method(raw, data, wires, inverse)

    return applied, wires, False, place


_kept = threading.local()


def borrowed_state(num_qubits: int, *, single: bool, kind: type[LightningState] = LightningState) -> LightningState:
    """This thread's state of that width, reset to |0…0⟩; wide ones are made anew so that memory is given back."""
    if 2**num_qubits * 16 > KEPT_BYTES:
        return kind(num_qubits, single=single)
    states: dict[tuple[int, bool, type[LightningState]], LightningState] | None = getattr(_kept, "states", None)
    if states is None:
        states = _kept.states = {}
    state = states.get((num_qubits, single, kind))
    if state is None:
        state = states[num_qubits, single, kind] = kind(num_qubits, single=single)
    else:
        state.raw.resetStateVector()
    return state


@cache
def unusable_because() -> str:
    """Why Lightning cannot be used here, or "" when it is installed and agrees with NumPy."""
    try:
        _bindings()
    except MissingExtraError as error:
        return error.message
    if not agrees_with_numpy(LightningState):
        return "pennylane-lightning failed its self-test against NumPy, so another engine is used"
    return ""


def agrees_with_numpy(kind: type[LightningState]) -> bool:
    """The self-test: every primitive, a matrix, probabilities, a fork, an observable and a collapse, on four qubits."""
    return all(_deviation(kind, single=single) <= tolerance for single, tolerance in ((False, 1e-12), (True, 1e-5)))


def _deviation(kind: type[LightningState], *, single: bool) -> float:
    width = 4
    state = kind(width, single=single)
    state.reset()
    expected = np.zeros(2**width, dtype=np.complex128)
    expected[0] = 1.0
    orders = ((2, 0, 3), (1, 3, 0), (3, 2, 1))
    for turn, order in enumerate(orders):
        for position, name in enumerate(sorted(PRIMITIVES)):
            gate = GATES[name]
            qubits = tuple((order[i] + position) % width for i in range(gate.num_qubits))
            angles = [0.1 + 0.37 * position + turn] * gate.num_params
            method, wires, inverse, _ = call_of((name, qubits, None), width, 0, single=single, kind=kind)
            method(state.raw, wires, inverse, fixed_parameters(name, angles))
            expected = apply(expected, gate_matrix(name, angles), qubits)
        matrix = gate_matrix("cu", (0.3, 0.5, 0.7, 0.9))
        call, wires, inverse, _ = matrix_call(matrix, order[:2], width, 0, single=single, kind=kind)
        call(state.raw, wires, inverse, [])
        expected = apply(expected, matrix, order[:2])
    amplitudes = state.amplitudes()
    phase = np.vdot(amplitudes, expected)
    off = np.abs(amplitudes * (phase / abs(phase)) - expected).max()
    probabilities = np.abs(expected) ** 2
    off = max(off, np.abs(state.probabilities() - probabilities).max())
    ones = float(probabilities[np.arange(2**width) >> 2 & 1 == 1].sum())
    off = max(off, abs(state.probability_of_one(2) - ones))
    off = max(off, _observable_deviation(state, expected))
    forked = kind(width, single=single)
    forked.copy_from(state)
    off = max(off, np.abs(forked.amplitudes() - amplitudes).max())
    state.collapse(2, 1)
    collapsed = np.where(np.arange(2**width) >> 2 & 1 == 1, probabilities, 0.0) / ones
    return float(max(off, np.abs(state.probabilities() - collapsed).max()))


def _observable_deviation(state: LightningState, expected: NDArray[np.complex128]) -> float:
    """How far ⟨X₀Y₂⟩ is off, from a sparse matrix or from the word itself."""
    moved = apply(apply(expected, gate_matrix("x"), [0]), gate_matrix("y"), [2])
    exact = float(np.vdot(expected, moved).real)
    if state.sums_paulis:
        return abs(state.pauli_sum(["XY"], [[0, 2]], [1.0]) - exact)
    basis = np.arange(len(expected))
    entries = np.where(basis >> 2 & 1, 1j, -1j).astype(state.dtype)  # ⟨b|Y|b'⟩ is i where b has the 1
    indptr = np.arange(len(expected) + 1, dtype=np.uint64)
    return abs(state.expectation(indptr, (basis ^ 0b101).astype(np.uint64), entries) - exact)


def fixed_parameters(name: str, angles: list[float]) -> list[float]:
    """The parameters a binding takes for a primitive; iSWAP is the XY rotation by π."""
    return [np.pi] if name == "iswap" else angles
