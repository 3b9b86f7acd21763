"""What QIR's instructions compute, carried out on values that may depend on measurements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from antiphon.domain.decisions import Choice, Decision, Word
from antiphon.frontends.decisions import Lost, TooManyCasesError, leaves
from antiphon.frontends.qir_arithmetic import REAL_OPCODES, function_of, wrapped
from antiphon.frontends.qir_calls import Address, OpaqueError
from antiphon.frontends.qir_flow import Flow
from antiphon.frontends.qir_reader import Function, Global, Instruction, Local, Number, Operand, Pointer, QirModule
from antiphon.frontends.qir_words import computed_in_digits
from antiphon.frontends.unfolding import Unfolding
from antiphon.frontends.words import Words, is_word


@dataclass(frozen=True, slots=True)
class Frame:
    """One call of a function."""

    number: int
    function: Function
    flow: Flow
    depth: int


class Values:
    """The values of one module while it is carried out.

    Attributes:
        computes: A value that depends on measurements was computed.
        real: One of floating point.
    """

    def __init__(self, module: QirModule, unfolding: Unfolding) -> None:
        self.module = module
        self.unfolding = unfolding
        self.words = Words(unfolding)
        self.computes = False
        self.real = False

    def of(self, function: Callable[..., Any], *operands: Decision) -> Decision:
        """A function of values, and a note that something was computed from measurements."""
        found = self.unfolding.decisions.of(function, *operands)
        self.computes |= isinstance(found, Choice)
        return found

    def value(self, frame: Frame, operand: Operand) -> Decision:
        """What an operand is worth."""
        if isinstance(operand, Local):
            place = ("value", frame.number, operand.name)
            return self.unfolding.values.get(place, Lost("it uses a value that another turn of a loop made"))
        return leaf_of(operand)

    def phi(self, frame: Frame, one: Instruction) -> Decision:
        """The value of a phi, by the block that was left last."""
        came = self.unfolding.values["from", frame.number]
        values = dict(zip(one.incoming, one.operands, strict=True))
        total: Decision = None
        for place, source in enumerate(leaves(came)):
            value = self.value(frame, values[source])
            if place == 0:
                total = value
                continue
            chosen = self.unfolding.decisions.of(lambda name, wanted=source: name == wanted, came)
            total = self.unfolding.decisions.choose(chosen, value, total)
        return total

    def instruction(self, frame: Frame, one: Instruction) -> Decision:
        """Carry out an instruction that is not the last of its block; its value, or None."""
        match one.opcode:
            case "ALLOCA":
                return Address(("memory", frame.number, one.name), 0)
            case "LOAD":
                return self.load(self.value(frame, one.operands[0]))
            case "STORE":
                self.store(self.value(frame, one.operands[1]), self.value(frame, one.operands[0]))
                return None
            case "GET_ELEMENT_PTR":
                return self.element(frame, one)
            case "SELECT":
                condition, first, second = (self.value(frame, operand) for operand in one.operands)
                self.computes |= isinstance(condition, Choice)
                return self.unfolding.decisions.choose(condition, first, second)
        widths = tuple(operand.width if isinstance(operand, Local | Number) else 0 for operand in one.operands)
        function = function_of(one, widths)
        if function is None:
            raise OpaqueError(f"it uses the instruction {one.opcode.lower().replace('_', ' ')}")
        operands = [self.value(frame, operand) for operand in one.operands]
        if is_word(*operands):
            return self.in_digits(one, widths, operands)
        value = self.of(function, *operands)
        self.real |= one.opcode in REAL_OPCODES and isinstance(value, Choice)
        return value

    def in_digits(self, one: Instruction, widths: tuple[int, ...], operands: list[Decision]) -> Decision:
        """The value of an instruction on an integer that is kept in bits; lost where it is not computed so."""
        try:
            found = computed_in_digits(self.words, one, widths, operands)
            if found is None:
                function = function_of(one, widths)
                assert function is not None
                found = self.unfolding.decisions.of(function, *operands)
        except TooManyCasesError as error:
            return Lost(str(error))  # it may never be used
        self.computes |= isinstance(found, Choice | Word)
        return found

    def element(self, frame: Frame, one: Instruction) -> Decision:
        """The address of an element."""
        if one.stride < 0 or not 2 <= len(one.operands) <= 3 or (len(one.operands) == 3) != (one.stride > 0):
            raise OpaqueError("it computes an address in a structure")
        base, *indices = (self.value(frame, operand) for operand in one.operands)

        def moved(base: Any, *indices: int) -> Any:
            if not isinstance(base, Address):
                return Lost("it computes an address from a qubit or a result")
            flat = indices[0] if len(indices) == 1 else indices[0] * one.stride + indices[1]
            return Address(base.base, base.index + flat)

        return self.unfolding.decisions.of(moved, base, *indices)

    def load(self, address: Decision) -> Decision:
        """What stands at an address."""
        total: Decision = None
        for place, one in enumerate(leaves(address)):
            value = self._at(one)
            if place == 0:
                total = value
                continue
            chosen = self.unfolding.decisions.of(lambda found, wanted=one: found == wanted, address)
            total = self.unfolding.decisions.choose(chosen, value, total)
        return total

    def _at(self, address: Any) -> Decision:
        if isinstance(address, Lost):
            return address
        if not isinstance(address, Address):
            return Lost("it loads from what is no memory")
        if address.base[0] == "array":
            elements = self.module.arrays.get(str(address.base[1]))
            if elements is None or not 0 <= address.index < len(elements):
                return Lost("it reads beyond an array, or a global that is no array of numbers and qubits")
            return leaf_of(elements[address.index])
        return self.unfolding.values.get((*address.base, address.index), Lost("it reads memory that nothing wrote"))

    def store(self, address: Decision, value: Decision) -> None:
        """Write to an address."""
        for one in leaves(address):
            if not isinstance(one, Address) or one.base[0] != "memory":
                raise OpaqueError("it writes to what is no memory of its own")
            place = (*one.base, one.index)
            before = self.unfolding.values.get(place, Lost("it reads memory that nothing wrote"))
            chosen = self.unfolding.decisions.of(lambda found, wanted=one: found == wanted, address)
            self.unfolding.values[place] = self.unfolding.decisions.choose(chosen, value, before)


def leaf_of(operand: Operand) -> Decision:
    """What an operand is worth that is no local value."""
    match operand:
        case Number(value, width):
            return wrapped(int(value), width) if width else float(value)
        case Pointer():
            return operand
        case Global(name):
            return Address(("array", name), 0)
    return Lost("it uses a value that is undefined, or a constant that is computed")
