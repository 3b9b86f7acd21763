"""From the statements of an OpenQASM program to a circuit.

What is known while the text is read is decided then: `for` loops are unrolled, conditions on numbers choose their
branch. Conditions on measured bits become `If` and `While`. Nothing is dropped: what a circuit cannot say is refused by
name.
"""

from __future__ import annotations

from collections.abc import Callable

from antiphon.domain.circuits import Barrier, Circuit, Delay, Reset
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.openqasm_control import Controlling
from antiphon.frontends.openqasm_declare import Declaring
from antiphon.frontends.openqasm_scope import StopReading
from antiphon.frontends.openqasm_values import Seconds


class Lowering(Declaring, Controlling):
    """Lowers one program; `circuit()` is the result."""

    def circuit(self) -> Circuit:
        """The whole program as a circuit.

        Raises:
            ProgramError: A name is unknown, or operands do not fit.
            UnsupportedProgramError: A statement that a circuit cannot express.
            LimitError: More operations, qubits or bits than are accepted.
        """
        try:
            for statement in self.parsed.statements:
                self.statement(statement)
        except StopReading as stop:
            if stop.word != "end":
                raise
        hidden = [register.name for register in self.registers if register.name not in self.outputs]
        if self.outputs and hidden:
            raise self.evaluator.cannot(
                0, f"a program that outputs only some of its bits ({hidden[0]} is not output)", "Output every register."
            )
        return Circuit(self.num_qubits, tuple(self.registers), tuple(self.parameters), tuple(self.tape.operations))

    def statement(self, statement: syntax.Statement) -> None:
        """Lower one statement."""
        self.step(1)
        _HANDLERS[type(statement)](self, statement)

    def gate(self, statement: syntax.GateCall) -> None:
        """Apply a gate."""
        # `apply` has counted what it made.
        self.tape.operations.extend(self.caller.apply(statement))

    def define_gate(self, statement: syntax.DefineGate) -> None:
        """Take up a gate definition."""
        if len(self.scopes) > 1:
            raise self.evaluator.refuse(statement.at, "A gate is defined inside a block", "Move it to the top.")
        self.caller.define(statement)

    def reset(self, statement: syntax.ResetOf) -> None:
        """Reset qubits."""
        for qubit in self.evaluator.qubits(statement.qubits).indices:
            self.emit(Reset(qubit))

    def barrier(self, statement: syntax.BarrierOn) -> None:
        """A barrier on the named qubits, or on all."""
        operands = [self.evaluator.qubits(operand) for operand in statement.qubits]
        named = dict.fromkeys(index for operand in operands for index in operand.indices)
        self.emit(Barrier(tuple(named) if statement.qubits else tuple(range(self.num_qubits))))

    def delay(self, statement: syntax.DelayOn) -> None:
        """Idle time on each named qubit, or on all."""
        duration = self.evaluator.value(statement.duration)
        if not isinstance(duration, Seconds):
            raise self.evaluator.refuse(statement.at, "A delay takes a duration", "Write it with its unit, as 100ns.")
        if not 0 <= duration.value < 1e6:
            raise self.evaluator.refuse(statement.at, "The delay is not a length of time", "Use 0 s or more.")
        operands = [self.evaluator.qubits(operand) for operand in statement.qubits]
        indices = [i for operand in operands for i in operand.indices] if operands else range(self.num_qubits)
        for qubit in indices:
            self.emit(Delay(qubit, duration.value))

    def unsupported(self, statement: syntax.Unsupported) -> None:
        """Refuse what a circuit cannot say."""
        raise self.evaluator.cannot(statement.at, statement.what, statement.way_out)

    def scoped(self, statement: syntax.Block) -> None:
        """A block with names of its own."""
        self.inline(statement.body)


_HANDLERS: dict[type, Callable[..., None]] = {
    syntax.Include: Lowering.include,
    syntax.DeclareQubits: Lowering.declare_qubits,
    syntax.Declare: Lowering.declare_classical,
    syntax.Alias: Lowering.alias,
    syntax.GateCall: Lowering.gate,
    syntax.DefineGate: Lowering.define_gate,
    syntax.MeasureInto: Lowering.measure,
    syntax.ResetOf: Lowering.reset,
    syntax.BarrierOn: Lowering.barrier,
    syntax.DelayOn: Lowering.delay,
    syntax.Assign: Lowering.assign,
    syntax.Block: Lowering.scoped,
    syntax.Branch: Lowering.branch,
    syntax.Switch: Lowering.switch,
    syntax.ForEach: Lowering.for_each,
    syntax.Repeat: Lowering.repeat,
    syntax.Leave: Lowering.leave,
    syntax.Unsupported: Lowering.unsupported,
}
