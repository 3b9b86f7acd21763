"""A program as the OpenQASM text that the qdk estimator counts.

Whatever SDK a program came from, it goes this one way, from the tape, so that the same circuit has the same estimate.
The text is ours, so no `include` of a stranger is ever opened.

Branches: the estimator traces one run with measurements that it draws, so a branch may or may not be counted. Here
both sides are written out, which makes the estimate an upper bound that is the same each time. Loops on measurements
have no bound, and are refused.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import replace

from antiphon.domain.circuits import (
    Circuit,
    For,
    Gate,
    If,
    Measure,
    Operation,
    Reset,
    Unitary,
    While,
)
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import Program
from antiphon.errors import UnsupportedProgramError
from antiphon.frontends.openqasm_writer import to_openqasm3

_DEFINED = {
    # What the estimator's own library lacks, made of what it has.
    "u": "gate u(a, b, c) q { U(a, b, c) q; }",
    "r": "gate r(a, b) q { rz(-b) q; rx(a) q; rz(b) q; }",
    "iswap": "gate iswap a, b { s a; s b; h a; cx a, b; cx b, a; h b; }",
    "ecr": "gate ecr a, b { s a; sx b; cx a, b; x a; }",
    "dcx": "gate dcx a, b { cx a, b; cx b, a; }",
    "csx": "gate csx a, b { h b; cp(pi / 2) a, b; h b; }",
    "rzx": "gate rzx(t) a, b { h b; cx a, b; rz(t) b; cx a, b; h b; }",
    "ccz": "gate ccz a, b, c { h c; ccx a, b, c; h c; }",
}
_INPUT = re.compile(r"^input float (\w+);.*$", re.MULTILINE)
_LIBRARY = 'include "stdgates.inc";\n'


def estimator_text(program: Program, parameters: ParameterSets) -> tuple[str, tuple[str, ...]]:
    """The text, and what to know about it. Of many parameter sets the first counts.

    Raises:
        UnsupportedProgramError: It loops on measurements, holds an explicit unitary, or is a program that only an
            engine of its own format reads.
    """
    if program.circuit is None:
        raise UnsupportedProgramError(
            "The estimator cannot read this program.",
            code="resources-unreadable",
            cause="it computes with numbers while it runs, so how often each gate is applied is not in its text",
            next_step="Estimate Q# source with qdk.qre, which follows one run of it.",
        )
    notes: list[str] = []
    if any(isinstance(operation, If) for operation in program.circuit.walk()):
        notes.append("Both sides of every branch are counted: an upper bound.")
    if parameters.num_sets > 1:
        notes.append(f"Counted with the first of {parameters.num_sets:,} parameter sets.")
    flat = replace(program.circuit, operations=tuple(_flat(program.circuit.operations)))
    # Inputs become constants, in the order in which they are declared.
    values = _values(program.circuit, parameters)
    text = _INPUT.sub(lambda found: f"const float {found[1]} = {next(values)!r};", to_openqasm3(flat))
    used = {operation.name for operation in flat.operations if isinstance(operation, Gate)}
    definitions = "".join(f"{_DEFINED[name]}\n" for name in sorted(used & set(_DEFINED)))
    return text.replace(_LIBRARY, _LIBRARY + definitions, 1), tuple(notes)


def _values(circuit: Circuit, parameters: ParameterSets) -> Iterator[float]:
    width = len(circuit.parameters)
    return iter(struct.unpack(f"<{width}d", parameters.data[: 8 * width]))


def _flat(operations: tuple[Operation, ...]) -> Iterator[Operation]:
    for operation in operations:
        match operation:
            case Gate() | Measure() | Reset():
                yield operation
            case If(_, then, otherwise):
                yield from _flat(then)
                yield from _flat(otherwise)
            case For(bodies):
                for body in bodies:
                    yield from _flat(body)
            case While():
                raise UnsupportedProgramError(
                    "The estimator cannot count a loop that ends on a measurement.",
                    code="resources-unbounded",
                    cause="how often its body runs is not in the program",
                    next_step="Write the loop out for as many turns as you want counted.",
                )
            case Unitary(_, qubits):
                raise UnsupportedProgramError(
                    f"The estimator cannot count an explicit unitary on {len(qubits)} qubits.",
                    code="resources-unitary",
                    cause="it is a matrix, and what gates it is made of is not in the program",
                    next_step="Decompose it into gates first, in Qiskit with transpile(circuit, basis_gates=[…]).",
                )
            case _:
                # Classical bits, barriers and idle time take no gates.
                pass
