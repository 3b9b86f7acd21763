"""Random programs that toss coins and compute with what they see: in every language, and worked out by hand.

A program tosses fair coins into two bits, computes with two numbers of three bits, branches and loops on all of them,
and returns everything. `expected` follows every sequence of tosses; it shares nothing with the front ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

MAX_TOSSES = 9

Expression = tuple[Any, ...]
Statement = tuple[Any, ...]


@st.composite
def _numbers(draw: st.DrawFn, depth: int) -> Expression:
    if depth == 0 or draw(st.booleans()):
        return draw(
            st.one_of(
                st.tuples(st.just("literal"), st.integers(0, 7)),
                st.tuples(st.just("number"), st.integers(0, 1)),
                st.tuples(st.just("bit"), st.integers(0, 1)),
            )
        )
    return (draw(st.sampled_from(["+", "-", "*"])), draw(_numbers(depth - 1)), draw(_numbers(depth - 1)))


@st.composite
def _truths(draw: st.DrawFn, depth: int) -> Expression:
    if depth == 0 or draw(st.booleans()):
        return draw(
            st.one_of(
                st.tuples(st.just("holds"), st.integers(0, 1)),
                st.tuples(st.sampled_from(["<", "==", "!=", ">="]), _numbers(1), _numbers(1)),
            )
        )
    if draw(st.booleans()):
        return ("not", draw(_truths(depth - 1)))
    return (draw(st.sampled_from(["and", "or"])), draw(_truths(depth - 1)), draw(_truths(depth - 1)))


@st.composite
def _blocks(draw: st.DrawFn, depth: int) -> tuple[Statement, ...]:
    kinds: list[st.SearchStrategy[Statement]] = [
        st.tuples(st.just("toss"), st.integers(0, 1)),
        st.tuples(st.just("set"), st.integers(0, 1), _numbers(2)),
        st.tuples(st.just("turn"), st.integers(0, 1), _truths(1)),
    ]
    if depth:
        kinds.append(st.tuples(st.just("if"), _truths(2), _blocks(depth - 1), _blocks(depth - 1)))
        kinds.append(st.tuples(st.just("while"), _truths(1), st.integers(1, 3), _blocks(depth - 1)))
    return tuple(draw(st.lists(st.one_of(kinds), min_size=1, max_size=4)))


def programs() -> st.SearchStrategy[tuple[Statement, ...]]:
    """Random programs; a few toss more coins than `expected` follows."""
    return _blocks(2)


# --- Worked out -------------------------------------------------------------------------------------------------------


class TooManyTossesError(Exception):
    """The program tosses more than `MAX_TOSSES` coins on some way."""


class _NextToss(Exception):  # noqa: N818 - not an error: both of its sides are followed
    pass


@dataclass
class _State:
    bits: list[bool]
    numbers: list[int]
    tosses: tuple[bool, ...]
    used: int = 0


def expected(program: tuple[Statement, ...]) -> dict[tuple[int, ...], float]:
    """Exact probability of (bit 0, bit 1, number 0, number 1) at the end."""
    found: dict[tuple[int, ...], float] = {}
    waiting: list[tuple[bool, ...]] = [()]
    while waiting:
        tosses = waiting.pop()
        state = _State([False, False], [0, 0], tosses)
        try:
            _run(program, state)
        except _NextToss:
            if len(tosses) >= MAX_TOSSES:
                raise TooManyTossesError from None
            waiting += [(*tosses, False), (*tosses, True)]
            continue
        key = (int(state.bits[0]), int(state.bits[1]), state.numbers[0], state.numbers[1])
        found[key] = found.get(key, 0.0) + 0.5 ** len(tosses)
    return found


def _run(block: tuple[Statement, ...], state: _State) -> None:
    for statement in block:
        match statement:
            case ("toss", bit):
                if state.used == len(state.tosses):
                    raise _NextToss
                state.bits[bit] = state.tosses[state.used]
                state.used += 1
            case ("set", number, value):
                state.numbers[number] = _number(value, state) & 7
            case ("turn", bit, truth):
                state.bits[bit] = _truth(truth, state)
            case ("if", truth, then, otherwise):
                _run(then if _truth(truth, state) else otherwise, state)
            case ("while", truth, most, body):
                turns = 0
                while turns < most and _truth(truth, state):
                    turns += 1
                    _run(body, state)


def _number(value: Expression, state: _State) -> int:
    match value:
        case ("literal", number):
            return int(number)
        case ("number", index):
            return state.numbers[index]
        case ("bit", index):
            return int(state.bits[index])
        case (op, left, right):
            a, b = _number(left, state), _number(right, state)
            return {"+": a + b, "-": a - b, "*": a * b}[op] & 7
    raise AssertionError(value)


def _truth(truth: Expression, state: _State) -> bool:
    match truth:
        case ("holds", index):
            return state.bits[index]
        case ("not", operand):
            return not _truth(operand, state)
        case ("and", left, right):
            return _truth(left, state) and _truth(right, state)
        case ("or", left, right):
            return _truth(left, state) or _truth(right, state)
        case (op, left, right):
            a, b = _number(left, state), _number(right, state)
            return {"<": a < b, "==": a == b, "!=": a != b, ">=": a >= b}[op]
    raise AssertionError(truth)


# --- In OpenQASM 3 and Q# ---------------------------------------------------------------------------------------------


@dataclass
class _Writer:
    """Writes statements; loops have a counter each, which is declared at the top."""

    statement: Callable[[_Writer, Statement, str], list[str]]
    counters: int = 0

    def block(self, block: tuple[Statement, ...], indent: str) -> list[str]:
        return [line for statement in block for line in self.statement(self, statement, indent)]

    def counter(self) -> str:
        self.counters += 1
        return f"k{self.counters}"


def to_openqasm(program: tuple[Statement, ...]) -> str:
    """The program as OpenQASM 3, with the registers c (bits), a and b (numbers)."""
    writer = _Writer(_openqasm)
    body = writer.block(program, "")
    counters = [f"int k{number} = 0;" for number in range(1, writer.counters + 1)]
    head = ["OPENQASM 3.0;", 'include "stdgates.inc";', "qubit q;", "bit[2] c;", "bit[3] a;", "bit[3] b;"]
    return "\n".join([*head, "uint[3] n0 = 0;", "uint[3] n1 = 0;", *counters, *body, "a = n0;", "b = n1;"])


def _openqasm(writer: _Writer, statement: Statement, indent: str) -> list[str]:
    match statement:
        case ("toss", bit):
            return [f"{indent}reset q; h q; c[{bit}] = measure q;"]
        case ("set", number, value):
            return [f"{indent}n{number} = {_openqasm_number(value)};"]
        case ("turn", bit, truth):
            return [f"{indent}c[{bit}] = {_openqasm_truth(truth)};"]
        case ("if", truth, then, otherwise):
            inner = writer.block(then, indent + "  "), writer.block(otherwise, indent + "  ")
            return [
                f"{indent}if ({_openqasm_truth(truth)}) {{",
                *inner[0],
                f"{indent}}} else {{",
                *inner[1],
                indent + "}",
            ]
    _, truth, most, body = statement
    counter = writer.counter()
    turn = writer.block(body, indent + "  ")
    test = f"{counter} < {most} && {_openqasm_truth(truth)}"
    return [f"{indent}{counter} = 0;", f"{indent}while ({test}) {{", f"{indent}  {counter} += 1;", *turn, indent + "}"]


def _openqasm_number(value: Expression) -> str:
    match value:
        case ("literal", number):
            return str(number)
        case ("number", index):
            return f"int(n{index})"
        case ("bit", index):
            return f"int(c[{index}])"
        case (op, left, right):
            return f"(({_openqasm_number(left)} {op} {_openqasm_number(right)}) & 7)"
    raise AssertionError(value)


def _openqasm_truth(truth: Expression) -> str:
    match truth:
        case ("holds", index):
            return f"c[{index}]"
        case ("not", operand):
            return f"!({_openqasm_truth(operand)})"
        case (("and" | "or") as word, left, right):
            return f"({_openqasm_truth(left)} {'&&' if word == 'and' else '||'} {_openqasm_truth(right)})"
        case (op, left, right):
            return f"({_openqasm_number(left)} {op} {_openqasm_number(right)})"
    raise AssertionError(truth)


def to_qsharp(program: tuple[Statement, ...]) -> str:
    """The program as the Q# operation Main, which returns (bit 0, bit 1, number 0, number 1) as integers."""
    writer = _Writer(_qsharp)
    body = writer.block(program, "    ")
    names = ["c0 = false", "c1 = false", "n0 = 0", "n1 = 0", *(f"k{n} = 0" for n in range(1, writer.counters + 1))]
    head = ["operation Main() : (Int, Int, Int, Int) {", "    use q = Qubit();"]
    last = ["    Reset(q);", "    return (c0 ? 1 | 0, c1 ? 1 | 0, n0, n1);", "}"]
    return "\n".join([*head, *(f"    mutable {name};" for name in names), *body, *last])


def _qsharp(writer: _Writer, statement: Statement, indent: str) -> list[str]:
    match statement:
        case ("toss", bit):
            return [f"{indent}H(q); c{bit} = MResetZ(q) == One;"]
        case ("set", number, value):
            return [f"{indent}n{number} = {_qsharp_number(value)} &&& 7;"]
        case ("turn", bit, truth):
            return [f"{indent}c{bit} = {_qsharp_truth(truth)};"]
        case ("if", truth, then, otherwise):
            inner = writer.block(then, indent + "    "), writer.block(otherwise, indent + "    ")
            return [f"{indent}if {_qsharp_truth(truth)} {{", *inner[0], f"{indent}}} else {{", *inner[1], indent + "}"]
    _, truth, most, body = statement
    counter = writer.counter()
    turn = writer.block(body, indent + "    ")
    test = f"{counter} < {most} and {_qsharp_truth(truth)}"
    return [f"{indent}{counter} = 0;", f"{indent}while {test} {{", f"{indent}    {counter} += 1;", *turn, indent + "}"]


def _qsharp_number(value: Expression) -> str:
    match value:
        case ("literal", number):
            return str(number)
        case ("number", index):
            return f"n{index}"
        case ("bit", index):
            return f"(c{index} ? 1 | 0)"
        case (op, left, right):
            return f"(({_qsharp_number(left)} {op} {_qsharp_number(right)}) &&& 7)"
    raise AssertionError(value)


def _qsharp_truth(truth: Expression) -> str:
    match truth:
        case ("holds", index):
            return f"c{index}"
        case ("not", operand):
            return f"not ({_qsharp_truth(operand)})"
        case (("and" | "or") as word, left, right):
            return f"({_qsharp_truth(left)} {word} {_qsharp_truth(right)})"
        case (op, left, right):
            return f"({_qsharp_number(left)} {op} {_qsharp_number(right)})"
    raise AssertionError(truth)


def to_qiskit(program: tuple[Statement, ...]) -> Any:
    """The program as a Qiskit circuit, with the registers c (bits), a and b (numbers)."""
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    circuit = QuantumCircuit(
        QuantumRegister(1, "q"), ClassicalRegister(2, "c"), ClassicalRegister(3, "a"), ClassicalRegister(3, "b")
    )
    writer = _QiskitWriter(circuit)
    writer.block(program)
    circuit.store(circuit.cregs[1], writer.numbers[0])
    circuit.store(circuit.cregs[2], writer.numbers[1])
    return circuit


class _QiskitWriter:
    def __init__(self, circuit: Any) -> None:
        from qiskit.circuit.classical import expr, types

        self.expr, self.circuit = expr, circuit
        self.word, self.counts = types.Uint(3), types.Uint(8)
        self.numbers = [circuit.add_var(f"n{index}", expr.lift(0, self.word)) for index in range(2)]
        self.counters = 0

    def block(self, block: tuple[Statement, ...]) -> None:
        for statement in block:
            self.statement(statement)

    def statement(self, statement: Statement) -> None:
        circuit, expr = self.circuit, self.expr
        match statement:
            case ("toss", bit):
                circuit.reset(0)
                circuit.h(0)
                circuit.measure(0, bit)
            case ("set", number, value):
                circuit.store(self.numbers[number], self.number(value))
            case ("turn", bit, truth):
                circuit.store(circuit.clbits[bit], self.truth(truth))
            case ("if", truth, then, otherwise):
                with circuit.if_test(self.truth(truth)) as else_:
                    self.block(then)
                with else_:
                    self.block(otherwise)
            case ("while", truth, most, body):
                self.counters += 1
                turns = circuit.add_var(f"k{self.counters}", expr.lift(0, self.counts))
                test = expr.logic_and(expr.less(turns, expr.lift(most, self.counts)), self.truth(truth))
                with circuit.while_loop(test):
                    circuit.store(turns, expr.add(turns, expr.lift(1, self.counts)))
                    self.block(body)

    def number(self, value: Expression) -> Any:
        expr = self.expr
        match value:
            case ("literal", number):
                return expr.lift(number, self.word)
            case ("number", index):
                return self.numbers[index]
            case ("bit", index):
                return expr.cast(self.circuit.clbits[index], self.word)
            case (op, left, right):
                return {"+": expr.add, "-": expr.sub, "*": expr.mul}[op](self.number(left), self.number(right))
        raise AssertionError(value)

    def truth(self, truth: Expression) -> Any:
        expr = self.expr
        match truth:
            case ("holds", index):
                return expr.lift(self.circuit.clbits[index])
            case ("not", operand):
                return expr.logic_not(self.truth(operand))
            case (("and" | "or") as word, left, right):
                return (expr.logic_and if word == "and" else expr.logic_or)(self.truth(left), self.truth(right))
            case (op, left, right):
                compare = {"<": expr.less, "==": expr.equal, "!=": expr.not_equal, ">=": expr.greater_equal}[op]
                return compare(self.number(left), self.number(right))
        raise AssertionError(truth)
