"""An exact density-matrix interpreter with noise for tests: dense, slow, written apart from every engine it judges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np

from antiphon.domain.calibrations import Calibration, GateFigures, QubitFigures
from antiphon.domain.circuits import (
    AssignBit,
    Barrier,
    Circuit,
    Delay,
    Gate,
    If,
    Measure,
    Operation,
    Reset,
    Unitary,
    While,
)
from antiphon.domain.noise import Channel, Noise, PauliChannel
from antiphon.domain.observables import Observable
from reference_simulator import PAULIS, Matrix, bitstring, evaluate_angle, gate_matrix, holds

MICRO, NANO = 1e-6, 1e-9
MAX_TURNS = 60

Branches = dict[tuple[int, ...], Matrix]


def made_up_calibration() -> Calibration:
    """Four qubits on a line, no two figures alike, errors far larger than any device's so that few shots show them."""
    qubits = (
        QubitFigures(11 * MICRO, 9 * MICRO, 0.03, 0.12),
        QubitFigures(7 * MICRO, 13 * MICRO, 0.08, 0.02),  # T2 beyond T1
        QubitFigures(19 * MICRO, 5 * MICRO, 0.01, 0.21),
        QubitFigures(5 * MICRO, 6 * MICRO, 0.05, 0.15),
    )
    single: dict[str, dict[tuple[int, ...], GateFigures]] = {
        name: {(q,): GateFigures(0.012 + 0.004 * q + extra, (60 + 30 * q) * NANO) for q in range(4)}
        for name, extra in (("x", 0.0), ("sx", 0.003), ("h", 0.01))
    }
    virtual: dict[tuple[int, ...], GateFigures] = {(q,): GateFigures(0.0, 0.0) for q in range(4)}
    pairs = [(0, 1), (1, 2), (2, 3)]
    double: dict[str, dict[tuple[int, ...], GateFigures]] = {
        name: {
            pair: GateFigures(0.08 + 0.013 * index + extra, (300 + 70 * index) * NANO)
            for index, pair in enumerate([*pairs, *(pair[::-1] for pair in pairs)])
        }
        for name, extra in (("cx", 0.01), ("cz", 0.0))
    }
    gates: dict[str, dict[tuple[int, ...], GateFigures]] = {
        **single,
        "rz": virtual,
        "s": virtual,
        "z": virtual,
        **double,
    }
    times = (900 * NANO, 400 * NANO, 250 * NANO)
    return Calibration("made.up", 0.0, qubits, gates, *times, "made up", resets_by_measuring=True, crosstalk=0.02)


def on(matrix: Matrix, qubits: Sequence[int], width: int) -> Matrix:
    """`matrix` on all `width` qubits; qubits[0] is its least significant bit. Element by element."""
    size = 2**width
    rest = [qubit for qubit in range(width) if qubit not in qubits]
    whole: Matrix = np.zeros((size, size), dtype=complex)
    for row in range(size):
        for column in range(size):
            if all((row ^ column) >> qubit & 1 == 0 for qubit in rest):
                inner = [
                    sum((index >> qubit & 1) << place for place, qubit in enumerate(qubits)) for index in (row, column)
                ]
                whole[row, column] = matrix[inner[0], inner[1]]
    return whole


def kraus(channel: Channel, *, twirl: bool) -> Iterator[tuple[Matrix, tuple[int, ...]]]:
    """Kraus operators of a channel with their qubits; `twirl` averages relaxation over conjugation by Paulis."""
    if isinstance(channel, PauliChannel):
        width = len(channel.qubits)
        rest = 1.0 - sum(chance for _, chance in channel.errors)
        for string, chance in [("I" * width, rest), *channel.errors]:
            matrix: Matrix = np.eye(1, dtype=complex)
            for letter in string:
                matrix = np.kron(PAULIS[letter], matrix).astype(complex)
            yield math.sqrt(max(chance, 0.0)) * matrix, channel.qubits
        return
    stays, coherent = math.exp(-channel.seconds / channel.t1), math.exp(-channel.seconds / channel.t2)
    # The Choi matrix of relaxation, and Kraus operators from its eigenvectors.
    choi = np.zeros((4, 4), dtype=complex)
    choi[0, 0], choi[3, 3], choi[2, 2] = 1.0, stays, 1.0 - stays  # index = 2·input + output
    choi[0, 3] = choi[3, 0] = coherent
    weights, vectors = np.linalg.eigh(choi)
    for weight, vector in zip(weights, vectors.T, strict=True):
        operator = math.sqrt(max(weight, 0.0)) * vector.reshape(2, 2).T
        turns = "IXYZ" if twirl else "I"
        for letter in turns:
            yield PAULIS[letter] @ operator @ PAULIS[letter] / math.sqrt(len(turns)), (channel.qubit,)


def channel_qubits(channel: Channel) -> tuple[int, ...]:
    return channel.qubits if isinstance(channel, PauliChannel) else (channel.qubit,)


def conjugated(rho: Matrix, matrix: Matrix, qubits: Sequence[int]) -> Matrix:
    whole = on(matrix, qubits, int(math.log2(len(rho))))
    result: Matrix = whole @ rho @ whole.conj().T
    return result


class _ReadoutOnly:
    """Noise whose operations are perfect."""

    def __init__(self, noise: Noise) -> None:
        self.readout = noise.readout

    def after(self, operation: Operation) -> tuple[Channel, ...]:  # noqa: ARG002
        return ()


class NoisyReference:
    """Runs circuits on at most four qubits under `noise`, keeping every history of recorded bits apart."""

    def __init__(self, noise: Noise, *, twirl: bool = False) -> None:
        self.noise = noise
        self.twirl = twirl

    def branches(self, circuit: Circuit, params: Sequence[float] = ()) -> Branches:
        rho: Matrix = np.zeros((2**circuit.num_qubits,) * 2, dtype=complex)
        rho[0, 0] = 1.0
        body = list(circuit.operations)
        ending: list[Operation] = []
        while body and isinstance(body[-1], Measure):
            ending.insert(0, body.pop())
        before = self._block(body, {(0,) * circuit.num_clbits: rho}, params)
        # The measurements that end a program are made at once: nothing that one does to a qubit is seen.
        return NoisyReference(cast("Noise", _ReadoutOnly(self.noise)))._block(ending, before, params)

    def distribution(self, circuit: Circuit, params: Sequence[float] = ()) -> dict[str, float]:
        """Probability of every result string."""
        found: dict[str, float] = {}
        for bits, rho in self.branches(circuit, params).items():
            key = bitstring(bits, circuit.registers)
            found[key] = found.get(key, 0.0) + float(np.trace(rho).real)
        return found

    def value(self, circuit: Circuit, observable: Observable, params: Sequence[float] = ()) -> float:
        """Mean of what measuring each Pauli string reports, errors of readout included."""
        (rho,) = self.branches(circuit, params).values()
        total = 0.0
        for pauli, coefficient in observable.terms:
            whole: Matrix = np.eye(1, dtype=complex)
            for qubit, letter in enumerate(reversed(pauli)):
                p01, p10 = self.noise.readout(qubit)
                seen = PAULIS["I"] if letter == "I" else (1 - p01 - p10) * PAULIS[letter] + (p10 - p01) * PAULIS["I"]
                whole = np.kron(seen, whole).astype(complex)
            total += coefficient * float(np.trace(rho @ whole).real)
        return total

    def _block(self, operations: Sequence[Operation], branches: Branches, params: Sequence[float]) -> Branches:
        for operation in operations:
            following: Branches = {}
            for bits, rho in branches.items():
                for after, state in self._step(operation, bits, rho, params):
                    following[after] = following[after] + state if after in following else state
            branches = {bits: rho for bits, rho in following.items() if np.trace(rho).real > 1e-12}
        return branches

    def _step(
        self, operation: Operation, bits: tuple[int, ...], rho: Matrix, params: Sequence[float]
    ) -> Iterator[tuple[tuple[int, ...], Matrix]]:
        match operation:
            case Gate(name, qubits, angles):
                matrix = gate_matrix(name, [evaluate_angle(angle, params) for angle in angles])
                yield bits, self._noisy(conjugated(rho, matrix, qubits), operation)
            case Unitary(entries, qubits):
                matrix = np.array(entries, dtype=complex).reshape(2 ** len(qubits), -1)
                yield bits, self._noisy(conjugated(rho, matrix, qubits), operation)
            case Measure(qubit, clbit):
                wrong = self.noise.readout(qubit)
                for truth in (0, 1):
                    projected = conjugated(rho, np.diag([1 - truth, truth]).astype(complex), (qubit,))
                    for read in (0, 1):
                        chance = wrong[truth] if read != truth else 1 - wrong[truth]
                        yield (*bits[:clbit], read, *bits[clbit + 1 :]), chance * self._noisy(projected, operation)
            case Reset(qubit):
                kept = conjugated(rho, np.diag([1, 0]).astype(complex), (qubit,))
                lowered = conjugated(rho, np.array([[0, 1], [0, 0]], dtype=complex), (qubit,))
                yield bits, self._noisy(kept + lowered, operation)
            case Delay():
                yield bits, self._noisy(rho, operation)
            case Barrier():
                yield bits, rho
            case AssignBit(clbit, value):
                yield (*bits[:clbit], int(holds(value, bits)), *bits[clbit + 1 :]), rho
            case If(condition, then, otherwise):
                yield from self._block(then if holds(condition, bits) else otherwise, {bits: rho}, params).items()
            case While(condition, body):
                yield from self._loop(condition, body, {bits: rho}, params)
            case _:
                raise AssertionError(f"the noisy reference runs no {type(operation).__name__}")

    def _loop(
        self, condition: object, body: tuple[Operation, ...], branches: Branches, params: Sequence[float]
    ) -> Iterator[tuple[tuple[int, ...], Matrix]]:
        for _ in range(MAX_TURNS):
            yield from ((bits, rho) for bits, rho in branches.items() if not holds(condition, bits))  # type: ignore[arg-type]
            going = {bits: rho for bits, rho in branches.items() if holds(condition, bits)}  # type: ignore[arg-type]
            branches = self._block(body, going, params)
        assert sum(np.trace(rho).real for rho in branches.values()) < 1e-9, "a loop goes on"

    def _noisy(self, rho: Matrix, operation: Operation) -> Matrix:
        for channel in self.noise.after(operation):
            if any(2**qubit >= len(rho) for qubit in channel_qubits(channel)):
                continue  # crosstalk on a qubit of the device that the circuit has not
            total = np.zeros_like(rho)
            for matrix, qubits in kraus(channel, twirl=self.twirl):
                total += conjugated(rho, matrix, qubits)
            rho = total
        return rho
