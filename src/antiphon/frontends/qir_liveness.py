"""Which values of a QIR function are looked at again after a place: what a loop must carry from turn to turn."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator

from antiphon.frontends.qir_flow import EXIT, Flow, successors
from antiphon.frontends.qir_reader import Block, Function, Instruction, Local, Pointer, QirModule

READS = frozenset({"__quantum__rt__read_result", "__quantum__qis__read_result__body"})
WRITE = "__quantum__rt__write_result"
"""Takes a truth value and the result that becomes it."""
ALL_RESULTS = "results"
"""In the place of a result's number: any of them may be meant."""


class Liveness:
    """What is live in one function: values ("value", name), allocas ("memory", name), results ("result", number)."""

    def __init__(self, module: QirModule, function: Function, flow: Flow, *, is_entry: bool) -> None:
        self._flow = flow
        self._allocas = {one.name for block in function.blocks for one in block.instructions if one.opcode == "ALLOCA"}
        self._readers = readers(module)
        self._escaping = set(_escaping(function, self._allocas))
        # A function may be called from anywhere, and whoever called it may look at every result.
        self._at_exit: frozenset[Hashable] = frozenset() if is_entry else frozenset({("result", ALL_RESULTS)})
        self._at_start: dict[str, set[Hashable]] = {name: set() for name in flow.blocks}
        changed = True
        while changed:
            changed = False
            for name in reversed(flow.blocks):
                found = self._before(flow.blocks[name])
                if found != self._at_start[name]:
                    self._at_start[name], changed = found, True

    def before_leaving(self, name: str) -> Collection[Hashable]:
        """What is live when all of a block ran but its last instruction."""
        block = self._flow.blocks[name]
        found = self._step(block.instructions[-1], self._after(block))
        return found | {("memory", name) for name in self._escaping}

    def _after(self, block: Block) -> set[Hashable]:
        found: set[Hashable] = set()
        for way in successors(block):
            found |= self._at_start[way] if way != EXIT else set()
            for one in self._flow.blocks[way].instructions:
                if one.opcode == "PHI" and block.name in one.incoming:
                    operand = one.operands[one.incoming.index(block.name)]
                    if isinstance(operand, Local):
                        found.add(("value", operand.name))
        return found if successors(block) else set(self._at_exit)

    def _before(self, block: Block) -> set[Hashable]:
        found = self._after(block)
        for one in reversed(block.instructions):
            found = self._step(one, found)
        return found

    def _step(self, one: Instruction, after: set[Hashable]) -> set[Hashable]:
        found = after - {("value", one.name)}
        if one.opcode == "PHI":
            return found
        operands = [operand for operand in one.operands if isinstance(operand, Local)]
        if one.opcode == "STORE" and isinstance(one.operands[1], Local) and one.operands[1].name in self._allocas:
            found.discard(("memory", one.operands[1].name))
            operands = [operand for operand in one.operands[:1] if isinstance(operand, Local)]
        for operand in operands:
            # An alloca's address stands for what is there, whoever gets it.
            found.add(("memory" if operand.name in self._allocas else "value", operand.name))
        return found if one.opcode != "CALL" else self._call(one, found)

    def _call(self, one: Instruction, found: set[Hashable]) -> set[Hashable]:
        if (one.callee == WRITE or one.callee.startswith("__quantum__qis__m")) and len(one.operands) > 1:
            result = one.operands[1]
            if isinstance(result, Pointer):
                found.discard(("result", result.number))
        elif one.callee in READS or _records(one.callee):
            found.update(_results(one))
        if one.callee in self._readers:
            found.add(("result", ALL_RESULTS))
        return found


def readers(module: QirModule) -> set[str]:
    """Functions with a body in which some result is read."""
    calls = {
        name: {one.callee for block in function.blocks for one in block.instructions if one.callee}
        for name, function in module.functions.items()
        if function.blocks
    }
    found = {name for name, called in calls.items() if called & READS or any(map(_records, called))}
    grown = True
    while grown:
        more = {name for name, called in calls.items() if called & found}
        grown = not more <= found
        found |= more
    return found


def _records(callee: str) -> bool:
    return callee.endswith("_record_output")


def _escaping(function: Function, allocas: set[str]) -> Iterator[str]:
    """Allocas whose address is more than the place of a load or a store: they may be read through another name."""
    for block in function.blocks:
        for one in block.instructions:
            for place, operand in enumerate(one.operands):
                plain = one.opcode == "LOAD" or (one.opcode == "STORE" and place == 1)
                if isinstance(operand, Local) and operand.name in allocas and not plain:
                    yield operand.name


def _results(one: Instruction) -> Iterator[Hashable]:
    for operand in one.operands:
        if isinstance(operand, Pointer):
            yield "result", operand.number
        elif isinstance(operand, Local) and not operand.width:
            yield "result", ALL_RESULTS
