"""Noise in Aer's terms: superoperators for the density matrix, errors that are drawn for the methods that run shots.

Aer's own `from_backend` is not used: it makes an asymmetric readout symmetric. Nor are errors attached to gates by
name: a channel stands in the circuit by itself, after its operation, so that it follows into branches and loops.
"""

from __future__ import annotations

from typing import Any, Protocol

from antiphon.adapters.targets.sim.channels import pauli_channels, relaxing_operators, superoperators
from antiphon.adapters.targets.sim.engines.aer_circuit import NATIVE
from antiphon.domain.circuits import Operation
from antiphon.domain.gates import GATES
from antiphon.domain.noise import Noise, NoiseModel, PauliChannel, Relaxation


class Writing(Protocol):
    """Writes the channels after an operation into a Qiskit circuit."""

    def after(self, circuit: Any, operation: Operation) -> None:
        """Append them to `circuit`."""
        ...

    def model(self, num_qubits: int) -> Any:
        """The noise model to run with: what was written and cannot stand in the circuit, and errors of readout."""
        ...


def writing(noise: Noise, method: str) -> Writing:
    """How `noise` is written for a method of Aer: exactly, or twirled for the stabilizer."""
    if method == "density_matrix":
        return _Exact(noise)
    return _Drawn(noise, twirl=method == "stabilizer")


class _Exact:
    def __init__(self, noise: Noise) -> None:
        self.noise = noise

    def after(self, circuit: Any, operation: Operation) -> None:
        from qiskit.circuit import Instruction

        for matrix, qubits in superoperators(self.noise, operation):
            circuit.append(Instruction("superop", len(qubits), 0, [matrix]), qubits)

    def model(self, num_qubits: int) -> Any:
        return _with_readout(_empty(), self.noise, num_qubits)


class _Drawn:
    """A Pauli channel is an identity whose label names its error; relaxation stands there as Kraus operators.

    In a noise model the latter would turn all errors into Kraus operators, which is slower, and which fails on weak
    errors in Aer 0.18 ("Kraus is empty").
    """

    def __init__(self, noise: Noise, *, twirl: bool) -> None:
        self.noise = noise
        self.twirl = twirl
        self.labels: dict[tuple[tuple[str, float], ...], tuple[str, PauliChannel]] = {}

    def after(self, circuit: Any, operation: Operation) -> None:
        from qiskit.circuit import Gate, Instruction

        channels = pauli_channels(self.noise, operation) if self.twirl else self.noise.after(operation)
        for channel in channels:
            if isinstance(channel, Relaxation):
                circuit.append(Instruction("kraus", 1, 0, relaxing_operators(channel)), [channel.qubit])
                continue
            label, _ = self.labels.setdefault(channel.errors, (f"channel{len(self.labels)}", channel))
            circuit.append(Gate("id", len(channel.qubits), [], label=label), channel.qubits)

    def model(self, num_qubits: int) -> Any:
        model = _empty()
        for label, channel in self.labels.values():
            model.add_all_qubit_quantum_error(_error(channel), label)
        return _with_readout(model, self.noise, num_qubits)


def _error(channel: PauliChannel) -> Any:
    from qiskit_aer.noise import pauli_error

    identity = "I" * len(channel.qubits)
    rest = max(0.0, 1.0 - sum(chance for _, chance in channel.errors))
    # Aer's strings have the first qubit rightmost.
    return pauli_error([(identity, rest)] + [(string[::-1], chance) for string, chance in channel.errors])


def _empty() -> Any:
    from qiskit_aer.noise import NoiseModel as AerNoise

    return AerNoise(basis_gates=sorted({*NATIVE, "id", "unitary"}))


def _with_readout(model: Any, noise: Noise, num_qubits: int) -> Any:
    from qiskit_aer.noise import ReadoutError

    # Qubit by qubit, so that the spare one of bit assignments reads true.
    for qubit in range(num_qubits):
        p01, p10 = noise.readout(qubit)
        if p01 or p10:
            model.add_readout_error(ReadoutError([[1 - p01, p01], [p10, 1 - p10]]), [qubit])
    return model


def model_by_name(noise: NoiseModel, num_qubits: int) -> Any:
    """The uniform model attached to gates by name, for Qiskit's own circuits, into which nothing is written."""
    from qiskit_aer.noise import depolarizing_error

    single = depolarizing_error(noise.depolarizing_1q, 1)
    pair = depolarizing_error(noise.depolarizing_2q, 2)
    apart = depolarizing_error(noise.depolarizing_2q, 1)
    triple = apart.tensor(apart).tensor(apart)
    model = _empty()
    for error, width in ((single, 1), (pair, 2), (triple, 3)):
        names = [kind.name for kind in GATES.values() if kind.num_qubits == width and kind.name != "id"]
        model.add_all_qubit_quantum_error(error, [*names, f"unitary{width}"])
    return _with_readout(model, noise, num_qubits)
