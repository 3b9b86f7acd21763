"""A Cirq circuit as a tape: operations moment by moment, sub-circuits unrolled, keys turned into registers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cirq
import numpy as np
import sympy

from antiphon.domain import circuits as tape
from antiphon.errors import LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends import comparisons
from antiphon.frontends.cirq_conditions import read_condition
from antiphon.frontends.cirq_gates import GateReader
from antiphon.frontends.unrolling import MAX_OPERATIONS

"""Most operations after unrolling; checked before a sub-circuit is repeated."""

MAX_MATRIX_QUBITS = 5
"""Most qubits of an explicit unitary; wider ones must have a decomposition."""


class CircuitReader:
    """Reads one circuit.

    Attributes:
        qubits: The circuit's qubits in Cirq's own order; qubit i of the tape is the i-th.
        parameters: Symbol names, sorted.
        starts: For each operation of the circuit, moment by moment, how many were on the tape before it.
    """

    def __init__(self, circuit: cirq.Circuit) -> None:
        self._circuit = circuit
        self.starts: list[int] = []
        self.qubits = tuple(sorted(circuit.all_qubits()))
        for qubit in self.qubits:
            if qubit.dimension != 2:
                raise UnsupportedProgramError(
                    f"{qubit} has {qubit.dimension} levels; targets have qubits, which have 2.",
                    next_step="Encode it in several qubits.",
                    details={"qubit": str(qubit)},
                )
        self._qubit_index = {qubit: position for position, qubit in enumerate(self.qubits)}
        self.parameters = tuple(sorted(cirq.parameter_names(circuit)))
        self._gates = GateReader({name: position for position, name in enumerate(self.parameters)})
        self._registers: list[tape.Register] = []
        self._num_clbits = 0
        self._records: dict[str, list[tape.Register]] = {}
        self._next_record: dict[str, int] = {}
        self._latest: dict[str, tape.Register] = {}
        self._expanded = 0

    def read(self) -> tape.Circuit:
        """The tape.

        The i-th bit of a register is the i-th qubit of the measurement. A key measured again has further registers
        key[1], key[2], …; inside a `repeat_until` every turn writes the same ones. Registers stand in the order in
        which the circuit measures them.

        Raises:
            UnsupportedProgramError: Noise, qudits, confusion maps, or an operation without unitary or decomposition.
            ProgramError: A control looks at a key that was not measured, or an angle is not finite and real.
            LimitError: More than `MAX_OPERATIONS` operations.
        """
        _check_size(_unrolled_size(self._circuit, {}))
        out: list[tape.Operation] = []
        for operation in self._circuit.all_operations():
            self.starts.append(len(out))
            self._operation(operation.untagged, out)
        return tape.Circuit(len(self.qubits), tuple(self._registers), self.parameters, tuple(out))

    def _operations(self, operations: Iterable[cirq.Operation], out: list[tape.Operation]) -> None:
        for operation in operations:
            self._operation(operation.untagged, out)

    def _operation(self, operation: cirq.Operation, out: list[tape.Operation]) -> None:
        self._count(1)
        if isinstance(operation, cirq.ClassicallyControlledOperation):
            self._controlled(operation, out)
            return
        if isinstance(operation, cirq.CircuitOperation):
            self._sub_circuit(operation, out)
            return
        targets = self._targets(operation)
        match operation.gate:
            case cirq.MeasurementGate() as gate:
                self._measure(gate, targets, out)
            case cirq.ResetChannel():
                out.append(tape.Reset(targets[0]))
            case cirq.WaitGate() as gate:
                out.extend(tape.Delay(target, _seconds(gate)) for target in targets)
            case cirq.MatrixGate() if len(targets) <= MAX_MATRIX_QUBITS:
                out.append(_unitary(operation, targets))
            case gate:
                words = self._gates.words(gate)
                if words is None:
                    self._decompose(operation, targets, out)
                    return
                for name, positions, params in words:
                    out.append(tape.Gate(name, tuple(targets[position] for position in positions), params))

    def _targets(self, operation: cirq.Operation) -> tuple[int, ...]:
        try:
            return tuple(self._qubit_index[qubit] for qubit in operation.qubits)
        except KeyError as missing:
            raise UnsupportedProgramError(
                f"The decomposition of an operation needs the further qubit {missing.args[0]}.",
                next_step="Decompose the circuit with cirq.decompose, with the ancillas that you choose.",
            ) from None

    def _decompose(self, operation: cirq.Operation, targets: tuple[int, ...], out: list[tape.Operation]) -> None:
        simpler: Any = cirq.decompose_once(operation, default=None)
        if simpler is not None:
            self._operations(simpler, out)
            return
        if _is_noise(operation):
            raise UnsupportedProgramError(
                f"{operation} is a noise channel; a program holds only what the user wants to happen.",
                next_step="Remove it, and give the target a noise model (the option noise).",
                details={"instruction": str(operation.gate)},
            )
        if len(targets) <= MAX_MATRIX_QUBITS and cirq.has_unitary(operation):
            out.append(_unitary(operation, targets))
            return
        raise UnsupportedProgramError(
            f"{operation} has neither a decomposition nor a unitary of at most {MAX_MATRIX_QUBITS} qubits.",
            cause=f"its gate is of the class {type(operation.gate).__name__}",
            next_step="Write it in gates of cirq, or give its class a _decompose_ method.",
            details={"instruction": str(operation.gate)},
        )

    # --- measurements and controls

    def _measure(self, gate: cirq.MeasurementGate, targets: tuple[int, ...], out: list[tape.Operation]) -> None:
        if gate.confusion_map:
            raise UnsupportedProgramError(
                f"The measurement {gate.key!r} has a confusion map, which is a model of noise.",
                next_step="Remove it, and give the target a noise model (the option noise).",
                details={"instruction": "measure", "key": gate.key},
            )
        register = self._record(gate.key, len(targets))
        for position, target in enumerate(targets):
            clbit = register.offset + position
            out.append(tape.Measure(target, clbit))
            if position < len(gate.invert_mask) and gate.invert_mask[position]:
                out.append(tape.AssignBit(clbit, tape.Not(tape.Bit(clbit))))

    def _record(self, key: str, size: int) -> tape.Register:
        """The register that the next measurement of `key` writes."""
        records = self._records.setdefault(key, [])
        number = self._next_record.get(key, 0)
        self._next_record[key] = number + 1
        if number == len(records):
            name = key if number == 0 else f"{key}[{number}]"
            if any(register.name == name for register in self._registers):
                raise ProgramError(
                    f"Two measurements would both be reported as {name!r}.",
                    cause=f"{key!r} is measured several times, and its further records are numbered.",
                    next_step="Rename one of the keys.",
                )
            records.append(tape.Register(name, size, self._num_clbits))
            self._registers.append(records[-1])
            self._num_clbits += size
        register = records[number]
        if register.size != size:
            raise ProgramError(
                f"The key {key!r} is measured with {register.size} and with {size} qubits.",
                next_step="Give measurements of different width different keys.",
            )
        self._latest[key] = register
        return register

    def _digits(self, key: cirq.MeasurementKey, index: int) -> tuple[int, ...]:
        name = str(key)
        if name not in self._latest:
            raise ProgramError(
                f"A classical control looks at the key {name!r} before it is measured.",
                next_step="Measure the key in an earlier moment.",
                details={"key": name},
            )
        register = self._latest[name]
        if index != -1:
            records = self._records[name][: self._next_record[name]]
            if not -len(records) <= index < len(records):
                raise ProgramError(
                    f"A classical control looks at measurement {index} of the key {name!r}, measured {len(records)} "
                    "times so far.",
                    next_step="Count measurements from 0, or use -1 for the last.",
                )
            register = records[index]
        return tuple(range(register.offset, register.offset + register.size))

    def _controlled(self, operation: cirq.ClassicallyControlledOperation, out: list[tape.Operation]) -> None:
        condition = comparisons.all_of(
            read_condition(control, self._digits)
            for control in sorted(operation.classical_controls, key=str)  # a set: its order must not leak
        )
        body: list[tape.Operation] = []
        self._operation(operation.without_classical_controls().untagged, body)
        out.append(tape.If(condition, tuple(body)))

    # --- sub-circuits

    def _sub_circuit(self, operation: cirq.CircuitOperation, out: list[tape.Operation]) -> None:
        _refuse_lost_masks(operation)
        if operation.repeat_until is not None:
            self._repeat_until(operation, out)
            return
        if isinstance(operation.repetitions, sympy.Basic):
            raise UnsupportedProgramError(
                f"A sub-circuit is repeated {operation.repetitions} times, which is not a number.",
                next_step="Resolve the number of repetitions before you submit (cirq.resolve_parameters).",
            )
        self._operations(operation.mapped_circuit().all_operations(), out)

    def _repeat_until(self, operation: cirq.CircuitOperation, out: list[tape.Operation]) -> None:
        """The body once, then again as long as the condition fails; every turn writes the same registers."""
        turn = list(_single_turn(operation).all_operations())
        before = dict(self._next_record)
        self._operations(turn, out)
        until = read_condition(_mapped_until(operation), self._digits)
        after = dict(self._next_record)
        self._next_record = {key: before.get(key, 0) for key in after}
        body: list[tape.Operation] = []
        self._operations(turn, body)
        self._next_record = after
        out.append(tape.While(comparisons.negate(until), tuple(body)))

    def _count(self, operations: int) -> None:
        self._expanded += operations
        _check_size(self._expanded)


def _unrolled_size(circuit: cirq.AbstractCircuit, known: dict[int, int]) -> int:
    """Operations of `circuit` once its sub-circuits are unrolled; each of them is looked at once."""
    size = 0
    for operation in circuit.all_operations():
        inner = operation.untagged
        if isinstance(inner, cirq.ClassicallyControlledOperation):
            inner = inner.without_classical_controls().untagged
        if not isinstance(inner, cirq.CircuitOperation):
            size += 1
            continue
        body = inner.circuit  # frozen, and kept alive by the operation, so its address is its name
        if id(body) not in known:
            known[id(body)] = max(1, _unrolled_size(body, known))
        turns = 2 if inner.repeat_until is not None else inner.repetitions
        size += known[id(body)] * (1 if isinstance(turns, sympy.Basic) else abs(int(turns)))
    return size


def _check_size(operations: int) -> None:
    if operations > MAX_OPERATIONS:
        raise LimitError(
            f"The circuit has more than {MAX_OPERATIONS:,} operations once it is unrolled.",
            cause=f"repeated sub-circuits and decompositions bring it to at least {operations:,}",
            next_step="Use fewer repetitions, or repeat_until with a condition that a measurement sets.",
            details={"max_operations": MAX_OPERATIONS, "at_least": operations},
        )


def _single_turn(operation: cirq.CircuitOperation) -> cirq.Circuit:
    # The same circuit that Cirq's own simulators run for each turn; the public mapped_circuit forgets the condition.
    return operation._mapped_single_loop()


def _mapped_until(operation: cirq.CircuitOperation) -> cirq.Condition:
    condition = operation._mapped_repeat_until
    assert condition is not None
    return condition


def _refuse_lost_masks(operation: cirq.CircuitOperation) -> None:
    """Cirq forgets masks and indices when it renames the keys of a sub-circuit, and so runs what was not meant."""
    for inner in operation.circuit.all_operations():
        for control in getattr(inner.untagged, "classical_controls", ()):
            plain: Any = None
            if isinstance(control, cirq.BitMaskKeyCondition):
                plain = cirq.BitMaskKeyCondition(control.key)
            elif isinstance(control, cirq.KeyCondition):
                plain = cirq.KeyCondition(control.key)
            if plain is not None and plain != control:
                raise UnsupportedProgramError(
                    f"The control {control} is inside a sub-circuit, where Cirq forgets its mask, value and index.",
                    next_step="Use cirq.SympyCondition there, or take the operation out of the sub-circuit.",
                    details={"condition": str(control)},
                )


def _is_noise(operation: cirq.Operation) -> bool:
    return not cirq.has_unitary(operation) and (cirq.has_kraus(operation) or cirq.has_mixture(operation))


def _unitary(operation: cirq.Operation, targets: tuple[int, ...]) -> tape.Unitary:
    # Cirq's first qubit is the most significant, ours the least.
    entries = np.asarray(cirq.unitary(operation), dtype=complex).ravel().tolist()
    return tape.Unitary(tuple(entries), tuple(reversed(targets)))


def _seconds(gate: cirq.WaitGate) -> float:
    picoseconds = gate.duration.total_picos()
    if isinstance(picoseconds, sympy.Basic):
        raise UnsupportedProgramError(
            f"A wait of {picoseconds} picoseconds is not a number.",
            next_step="Resolve the duration before you submit (cirq.resolve_parameters).",
            details={"instruction": "wait"},
        )
    return float(picoseconds) / 1e12
