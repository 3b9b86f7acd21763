"""Applies gate calls: modifiers, broadcasting, and the bodies of gates that the program defines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from antiphon.domain.circuits import Affine, Angle, Barrier, Call, Gate, Operation
from antiphon.domain.decisions import Decision
from antiphon.errors import LimitError, ProgramError
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.openqasm_expressions import Evaluator
from antiphon.frontends.openqasm_gates import Element, Maker, fractional_power, gates_of, inverse
from antiphon.frontends.openqasm_parser import located
from antiphon.frontends.openqasm_values import Qubits, Value

MAX_CONTROLS = 12
MAX_GATE_DEPTH = 60
"""Gate definitions that call one another; deeper would recurse out of the interpreter's stack."""


@dataclass(frozen=True, slots=True)
class Defined:
    """A gate that the program defines; `depth` is how many definitions it stands on."""

    definition: syntax.DefineGate
    depth: int


@dataclass(frozen=True, slots=True)
class Modified:
    """What the modifiers of a call amount to: controls (with the value each must have), and a power."""

    controls: tuple[tuple[int, bool], ...] = ()
    exponent: float = 1.0


class GateCaller:
    """Knows every gate of one program and turns calls into operations.

    Args:
        evaluator: Evaluates arguments in the scope of the statement at hand.
        spend: Called with the number of operations about to be made; raises when the program is too long.
        step: The same for the steps of expanding calls, which take time even when they make nothing.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        gates: Mapping[str, tuple[int, int, Maker]],
        spend: Callable[[int], None],
        step: Callable[[int], None],
    ) -> None:
        self.evaluator = evaluator
        self.spend = spend
        self.step = step
        self.gates: dict[str, tuple[int, int, Maker] | Defined] = dict(gates)
        self._local: list[dict[str, Value]] = []

    def define(self, definition: syntax.DefineGate) -> None:
        """Take up a definition. A gate of the libraries may be defined again by the program's own."""
        for name in (*definition.parameters, *definition.qubits):
            if (*definition.parameters, *definition.qubits).count(name) > 1:
                raise self.evaluator.refuse(definition.at, f"The name {name} is used twice", "Rename one of them.")
        depth = 0
        for statement in definition.body:
            if isinstance(statement, syntax.BarrierOn):
                continue
            if not isinstance(statement, syntax.GateCall):
                what = "a statement other than gates and barriers in a gate"
                raise self.evaluator.cannot(statement.at, what, "Write its gates one by one.")
            called = self._find(statement)
            depth = max(depth, called.depth if isinstance(called, Defined) else 0)
        if depth >= MAX_GATE_DEPTH:
            raise LimitError(
                f"Gate definitions stand on one another more than {MAX_GATE_DEPTH} deep, "
                f"at {located(self.evaluator.text, definition.at)}",
                next_step="Write the inner gates out.",
            )
        self.gates[definition.name] = Defined(definition, depth + 1)

    def local(self, name: str) -> Value | None:
        """The value of a name inside the gate that is being expanded, or None."""
        return self._local[-1].get(name) if self._local else None

    @property
    def is_inside_gate(self) -> bool:
        """True while the body of a defined gate is expanded."""
        return bool(self._local)

    def apply(self, call: syntax.GateCall, angles: Sequence[Decision]) -> Iterator[Operation]:
        """The operations of a call with these angles, broadcast over registers."""
        operands = [self.evaluator.qubits(operand) for operand in call.qubits]
        found = [self.evaluator.as_angle(v, e) for v, e in zip(angles, call.arguments, strict=True)]
        yield from self._applied(call, found, operands, Modified())

    def _applied(
        self, call: syntax.GateCall, params: list[Angle], operands: list[Qubits], outer: Modified
    ) -> Iterator[Operation]:
        modifiers = self._modifiers(call)
        gate = self._find(call)
        num_params, num_qubits = (
            (len(gate.definition.parameters), len(gate.definition.qubits)) if isinstance(gate, Defined) else gate[:2]
        )
        num_controls = sum(1 for kind, _ in modifiers if kind in {"ctrl", "negctrl"})
        if len(params) != num_params or len(operands) != num_qubits + num_controls:
            raise self.evaluator.refuse(
                call.at,
                f"{call.name} takes {num_params} angles and {num_qubits + num_controls} qubits, "
                f"not {len(params)} and {len(operands)}",
                "Match the gate's definition.",
            )
        for qubits in self._broadcast(call, operands):
            modified = self._modified(call, modifiers, qubits[:num_controls])
            yield from self._one(call, gate, params, qubits[num_controls:], modified, outer)

    def _find(self, call: syntax.GateCall) -> tuple[int, int, Maker] | Defined:
        gate = self.gates.get(call.name)
        if gate is None:
            library = 'include "qelib1.inc";' if self.evaluator.version == 2 else 'include "stdgates.inc";'
            raise self.evaluator.refuse(
                call.at,
                f"There is no gate {call.name}",
                f"Define it before, or add {library} if it is a standard gate.",
            )
        return gate

    def _broadcast(self, call: syntax.GateCall, operands: list[Qubits]) -> Iterator[tuple[int, ...]]:
        lengths = {len(operand.indices) for operand in operands if not operand.is_scalar}
        if len(lengths) > 1:
            raise self.evaluator.refuse(call.at, "The registers have different lengths", "Use registers of one length.")
        for i in range(lengths.pop() if lengths else 1):
            self.step(1)
            qubits = tuple(o.indices[0] if o.is_scalar else o.indices[i] for o in operands)
            if len(set(qubits)) != len(qubits):
                raise self.evaluator.refuse(call.at, f"{call.name} is given one qubit twice", "Use distinct qubits.")
            yield qubits

    # --- Modifiers ----------------------------------------------------------------------------------------------------

    def _modifiers(self, call: syntax.GateCall) -> list[tuple[str, float]]:
        """Each modifier with its number, every control on its own."""
        result: list[tuple[str, float]] = []
        for modifier in call.modifiers:
            if modifier.kind in {"ctrl", "negctrl"}:
                count = 1
                if modifier.argument is not None:
                    count = self.evaluator.integer(modifier.argument, "a number of controls")
                if count < 1:
                    raise self.evaluator.refuse(call.at, "A control needs at least one qubit", "Write ctrl(1) or more.")
                if count + len(result) > MAX_CONTROLS:
                    raise self._too_controlled(call)
                result += [(modifier.kind, 1.0)] * count
            elif modifier.kind == "inv":
                result.append(("pow", -1.0))
            else:
                assert modifier.argument is not None
                exponent = self.evaluator.angle(modifier.argument)
                if isinstance(exponent, Affine | Call):
                    raise self.evaluator.cannot(
                        call.at, "a power that is an input", "Put the input into the gate's angle."
                    )
                result.append(("pow", exponent))
        return result

    def _too_controlled(self, call: syntax.GateCall) -> LimitError:
        return LimitError(
            f"{call.name} has more than {MAX_CONTROLS} controls, at {located(self.evaluator.text, call.at)}",
            next_step="Use ancilla qubits and smaller gates.",
        )

    def _modified(
        self, call: syntax.GateCall, modifiers: list[tuple[str, float]], controls: tuple[int, ...]
    ) -> Modified:
        exponent = 1.0
        for kind, number in reversed(modifiers):  # the innermost modifier stands last
            if kind != "pow":
                continue
            if not number.is_integer() and exponent not in {1.0, -1.0}:
                raise self.evaluator.cannot(call.at, "a fractional power of a power", "Write the gate's angle instead.")
            exponent *= number
        values = [kind == "ctrl" for kind, _ in modifiers if kind != "pow"]
        return Modified(tuple(zip(controls, values, strict=True)), exponent)

    # --- One call -----------------------------------------------------------------------------------------------------

    def _one(
        self,
        call: syntax.GateCall,
        gate: tuple[int, int, Maker] | Defined,
        params: list[Angle],
        qubits: tuple[int, ...],
        modified: Modified,
        outer: Modified,
    ) -> Iterator[Operation]:
        controls = outer.controls + modified.controls
        if len(controls) > MAX_CONTROLS:
            raise self._too_controlled(call)
        exponent = outer.exponent * modified.exponent
        inner = Modified(controls, -1.0 if exponent < 0 else 1.0)
        if isinstance(gate, Defined):
            if not exponent.is_integer():
                raise self.evaluator.cannot(
                    call.at, f"a fractional power of {call.name}", "Define the gate for that power."
                )
            for _ in self._turns(exponent):
                yield from self._expand(gate.definition, params, qubits, inner)
            return
        elements = gate[2](params, qubits)
        if exponent.is_integer():
            for _ in self._turns(exponent):
                yield from self._emit(elements, inner)
            return
        powers = fractional_power(elements[0], exponent) if len(elements) == 1 else None
        if powers is None:
            raise self.evaluator.cannot(
                call.at, f"a fractional power of {call.name}", "Write the gate's angle instead."
            )
        yield from self._emit(powers, Modified(controls))

    def _turns(self, exponent: float) -> Iterator[int]:
        turns = int(abs(exponent))
        self.step(turns)
        yield from range(turns)

    def _expand(
        self, definition: syntax.DefineGate, params: list[Angle], qubits: tuple[int, ...], modified: Modified
    ) -> Iterator[Operation]:
        names: dict[str, Value] = dict(zip(definition.parameters, params, strict=True))
        names |= {name: Qubits((qubit,), is_scalar=True) for name, qubit in zip(definition.qubits, qubits, strict=True)}
        body = definition.body if modified.exponent > 0 else tuple(reversed(definition.body))
        self.step(1 + 2 * len(body))
        for statement in body:
            self._local.append(names)
            try:
                if isinstance(statement, syntax.BarrierOn):
                    operands = [self.evaluator.qubits(operand) for operand in statement.qubits]
                    call, arguments = None, list[Angle]()
                else:
                    assert isinstance(statement, syntax.GateCall)
                    call = statement
                    operands = [self.evaluator.qubits(operand) for operand in call.qubits]
                    arguments = [self.evaluator.angle(argument) for argument in call.arguments]
                operations: Iterator[Operation]
                if call is None:
                    indices = tuple(i for operand in operands for i in operand.indices)
                    operations = iter([Barrier(indices or qubits)])
                else:
                    operations = self._applied(call, arguments, operands, modified)
                # All at once: the names of this gate are only there until the next line.
                made = list(operations)
            finally:
                self._local.pop()
            yield from made

    def _emit(self, elements: list[Element], modified: Modified) -> Iterator[Operation]:
        controls = tuple(qubit for qubit, _ in modified.controls)
        negative = [qubit for qubit, value in modified.controls if not value]
        ordered = elements if modified.exponent > 0 else [inverse(element) for element in reversed(elements)]
        for element in ordered:
            if len({*controls, *element.controls, *element.targets}) != (
                len(controls) + len(element.controls) + len(element.targets)
            ):
                raise ProgramError("A gate is given one qubit twice.", next_step="Use distinct qubits.")
            gates = gates_of(replace(element, controls=controls + element.controls))
            made: list[Operation] = []
            for name, qubits, params in gates:
                self.spend(1)
                made.append(Gate(name, qubits, params))
            if made:
                flips: list[Operation] = [Gate("x", (qubit,)) for qubit in negative]
                yield from (*flips, *made, *flips)
