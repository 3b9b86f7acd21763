"""Carries out a QIR module: its functions, branches and loops, turn by turn where that is known while it is read."""

from __future__ import annotations

import math
from typing import Any

from antiphon.domain.decisions import Decision
from antiphon.errors import LimitError
from antiphon.frontends.decisions import Lost, TooManyCasesError, leaves
from antiphon.frontends.qir_calls import Calls, OpaqueError
from antiphon.frontends.qir_flow import EXIT, Flow, successors
from antiphon.frontends.qir_liveness import ALL_RESULTS, Liveness
from antiphon.frontends.qir_reader import Function, Instruction, QirModule
from antiphon.frontends.qir_values import Frame, Values, leaf_of
from antiphon.frontends.unfolding import Unfolding
from antiphon.frontends.unfolding_loops import EndlessError, loop_on_bits
from antiphon.frontends.unrolling import MAX_OPERATIONS
from antiphon.frontends.words import is_word

MAX_CALLS = 40
"""Functions that call one another; deeper, or recursive ones, stay opaque."""
MAX_TURNS = 24
"""Turns of a loop that measurements may leave before it is written as one that they end."""
MAX_MADE_IN_TURNS = 40_000
"""Choices that the turns of such a loop may make before."""
MAX_REPEATED = 400_000
"""Instructions that are carried out again, in loops and functions; a longer program stays opaque."""


class TooManyTurns(Exception):  # noqa: N818 - not an error: the loop is written another way
    """A loop that is followed turn by turn has too many of them."""

    def __init__(self, key: tuple[int, str]) -> None:
        super().__init__(key)
        self.key = key


class _Live:
    """The locations that are read again after a place in one frame."""

    def __init__(self, frame: Frame, found: Any) -> None:
        self.number, self.found = frame.number, found

    def __contains__(self, place: object) -> bool:
        match place:
            case ("result", number):
                return ("result", number) in self.found or ("result", ALL_RESULTS) in self.found
            case ("memory", frame, name, _):
                return frame != self.number or ("memory", name) in self.found
            case ("value", frame, name):
                return frame != self.number or ("value", name) in self.found
            case ("from", frame):
                return frame != self.number
        return True


class Running:
    """Carries out one module.

    Attributes:
        unfolding: The circuit as it grows.
        values: What was computed.
        calls: What was recorded.
    """

    def __init__(self, module: QirModule, num_qubits: int) -> None:
        self.module = module
        self.unfolding = Unfolding(0, self.spend)
        self.values = Values(module, self.unfolding)
        self.calls = Calls(self.unfolding, num_qubits)
        self.made = 0
        self.repeated = 0
        self.num_frames = 0
        self.seen: set[int] = set()
        self.flows: dict[str, Flow] = {}
        self.liveness: dict[str, Liveness] = {}
        self.turns: dict[tuple[int, str], int] = {}
        self.most_made: float = math.inf

    def spend(self, count: int) -> None:
        """Count operations."""
        self.made += count
        if self.made > MAX_OPERATIONS:
            raise self.too_long()

    def too_long(self) -> Exception:
        """The error for a program of too many operations; loops may still be run as loops."""
        if any(flow.has_loop for flow in self.flows.values()):
            return OpaqueError("its loops are too long to be written out")
        return LimitError(
            f"The QIR module has more than {MAX_OPERATIONS:,} operations.", next_step="Split the program."
        )

    # --- Functions and ways -------------------------------------------------------------------------------------------

    def function(self, function: Function, arguments: tuple[Decision, ...], depth: int) -> Decision:
        """Carry out a call; what it hands back."""
        if depth > MAX_CALLS:
            raise OpaqueError("its functions call one another too deeply")
        flow = self.flows.get(function.name)
        if flow is None:
            flow = self.flows[function.name] = Flow(function)
        self.num_frames += 1
        frame = Frame(self.num_frames, function, flow, depth)
        values = self.unfolding.values
        for name, argument in zip(function.parameters, arguments, strict=True):
            values["value", frame.number, name] = argument
        self.path(frame, flow.first, EXIT)
        values = self.unfolding.values
        handed = values.pop(("return", frame.number), Lost("a function that hands back nothing"))
        for place in [("value", frame.number, name) for name in function.parameters]:
            values.pop(place, None)
        for block in function.blocks:
            for one in block.instructions:
                values.pop(("value", frame.number, one.name), None)
        return handed

    def path(self, frame: Frame, start: str, stop: str) -> None:
        """Carry out blocks from `start` until `stop` is reached."""
        name = start
        while name != stop:
            if name == EXIT:
                raise OpaqueError("a loop is left in more than one place")
            self.block(frame, name)
            name = self.leave(frame, name)

    def block(self, frame: Frame, name: str) -> None:
        """Carry out a block but for its last instruction."""
        block = frame.flow.blocks[name]
        key = id(block)
        if key in self.seen:
            self.repeated += len(block.instructions)
            if self.repeated > MAX_REPEATED:
                raise self.too_long()
        self.seen.add(key)
        phis = [one for one in block.instructions if one.opcode == "PHI"]
        if phis:
            found = [(("value", frame.number, one.name), self.values.phi(frame, one)) for one in phis]
            self.unfolding.values.update(found)
        for one in block.instructions[len(phis) : -1]:
            value = self.call(frame, one) if one.opcode == "CALL" else self.values.instruction(frame, one)
            if value is not None:
                self.unfolding.values["value", frame.number, one.name] = value

    def leave(self, frame: Frame, name: str) -> str:
        """Carry out the last instruction of a block; where it goes on."""
        last = frame.flow.blocks[name].instructions[-1]
        if last.opcode == "RET":
            if last.operands:
                self.unfolding.values["return", frame.number] = self.values.value(frame, last.operands[0])
            return EXIT
        if last.opcode not in {"BR", "SWITCH"}:
            raise OpaqueError(f"it uses the instruction {last.opcode.lower().replace('_', ' ')}")
        which = self.unfolding.known(self.which(frame, last))
        self.unfolding.values["from", frame.number] = name
        if isinstance(which, str):
            return which
        if isinstance(which, Lost):
            raise TooManyCasesError(which.why)
        if name not in frame.flow.meets:
            raise OpaqueError("it has a loop that nothing ends")
        if any(frame.flow.leads_back(way, name) for way in leaves(which) if isinstance(way, str)):
            self.loop(frame, name, which)
        else:
            self.ways(frame, name, which)
        return frame.flow.meets[name]

    def which(self, frame: Frame, last: Instruction) -> Decision:
        """The block that follows, by a block's last instruction."""
        if len(last.successors) == 1:
            return last.successors[0]
        tested = self.values.value(frame, last.operands[0])
        if last.opcode == "BR":
            first, second = last.successors
            return self.values.of(lambda holds: first if holds else second, tested)
        if is_word(tested):
            which: Decision = last.successors[0]
            for case, way in zip(last.operands[1:], last.successors[1:], strict=True):
                holds = self.values.words.compared("==", tested, leaf_of(case))
                which = self.unfolding.decisions.choose(holds, way, which)
            return which
        cases = {leaf_of(case): way for case, way in zip(last.operands[1:], last.successors[1:], strict=True)}
        return self.values.of(lambda number: cases.get(number, last.successors[0]), tested)

    def ways(self, frame: Frame, name: str, which: Decision) -> None:
        """Carry out each way that may follow a block, until all of them meet."""
        meet = frame.flow.meets[name]
        open_ways = leaves(which)
        following = [way for way in dict.fromkeys(successors(frame.flow.blocks[name])) if way in open_ways]
        self._ways(frame, which, following, meet)

    def _ways(self, frame: Frame, which: Decision, following: list[str], meet: str) -> None:
        first, rest = following[0], following[1:]
        if not rest:
            self.path(frame, first, meet)
            return
        chosen = self.unfolding.decisions.of(lambda way: way == first, which)
        self.unfolding.branch(
            chosen, lambda: self.path(frame, first, meet), lambda: self._ways(frame, which, rest, meet)
        )

    # --- Loops --------------------------------------------------------------------------------------------------------

    def loop(self, frame: Frame, name: str, which: Decision) -> None:
        """A branch that leads back to itself and that measurements decide: turn by turn, or as one loop."""
        key = (frame.number, name)
        if key in self.turns:
            if self.turns[key] >= MAX_TURNS or self.unfolding.decisions.num_made > self.most_made:
                raise TooManyTurns(key)
            self.turns[key] += 1
            try:
                self.ways(frame, name, which)
            finally:
                self.turns[key] -= 1
            return
        mark, records = self.unfolding.mark(), self.calls.mark()
        try:
            self.loop_on_bits(frame, name, only_truths=True)
            return
        except (TooManyCasesError, OpaqueError, EndlessError):
            self.unfolding.back_to(mark)
            self.calls.back_to(records)
        self.turns[key] = 1
        most_made, self.most_made = self.most_made, self.unfolding.decisions.num_made + MAX_MADE_IN_TURNS
        try:
            self.ways(frame, name, which)
            return
        except TooManyTurns as reason:
            if reason.key != key:
                raise
        except (TooManyCasesError, OpaqueError):
            pass
        finally:
            del self.turns[key]
            self.most_made = most_made
        self.unfolding.back_to(mark)
        self.calls.back_to(records)
        self.loop_on_bits(frame, name)

    def loop_on_bits(self, frame: Frame, name: str, *, only_truths: bool = False) -> None:
        """The loop from a block back to it, ended by what is measured in it."""
        last = frame.flow.blocks[name].instructions[-1]
        back = [way for way in dict.fromkeys(last.successors) if frame.flow.leads_back(way, name)]
        if len(back) != 1:
            raise OpaqueError("it has a loop with more than one way back")
        live = _Live(frame, self.live(frame, name))

        def goes_on() -> Decision:
            return self.unfolding.decisions.of(lambda way: way == back[0], self.which(frame, last))

        def turn() -> None:
            self.unfolding.values["from", frame.number] = name
            self.path(frame, back[0], name)
            self.block(frame, name)

        loop_on_bits(self.unfolding, goes_on, turn, live, only_truths=only_truths)
        self.unfolding.values["from", frame.number] = name
        out = [way for way in dict.fromkeys(last.successors) if way != back[0]]
        which = self.unfolding.known(self.which(frame, last))
        self._ways(frame, which, out, frame.flow.meets[name])

    def live(self, frame: Frame, name: str) -> Any:
        """What is live at the end of a block."""
        function = frame.function
        if function.name not in self.liveness:
            self.liveness[function.name] = Liveness(self.module, function, frame.flow, is_entry=frame.depth == 0)
        return self.liveness[function.name].before_leaving(name)

    def call(self, frame: Frame, one: Instruction) -> Decision:
        """Carry out a call."""
        operands = [self.values.value(frame, operand) for operand in one.operands]
        callee = self.module.functions.get(one.callee)
        if callee is not None and callee.blocks:
            return self.function(callee, tuple(operands), frame.depth + 1)
        return self.calls.call(one, operands)
