from typing import Any

import cirq
import pytest
import sympy

from antiphon.errors import ProgramError, UnsupportedProgramError
from antiphon.frontends.cirq import program_from_circuit, program_from_json
from reference_simulator import distribution

a, b = sympy.symbols("a b")
digit = sympy.IndexedBase("a")
KEY = cirq.MeasurementKey("a")

CONDITIONS: list[Any] = [
    "a",
    sympy.Eq(a, 3),
    sympy.Ne(a, 3),
    a < 3,
    a <= 3,
    a > 4,
    a >= 4,
    a > 3,
    a > -1,
    sympy.Eq(a, -1),
    sympy.Eq(a, 100),
    sympy.And(a > 1, sympy.Ne(a, 6)),
    sympy.Or(a < 2, a > 5),
    sympy.Not(sympy.And(a > 1, a < 5)),
    sympy.Xor(a > 2, a > 5),
    sympy.Eq(a, b),
    a < b,
    sympy.Eq(a + b, 5),
    a * 2 > b + 6,
    a - 4,
    digit[0],
    sympy.Xor(digit[0], digit[2]),
    sympy.Eq(digit[1], 1),
    cirq.BitMaskKeyCondition("a", bitmask=5),
    cirq.BitMaskKeyCondition("a", bitmask=6, target_value=4),
    cirq.BitMaskKeyCondition("a", bitmask=6, target_value=4, equal_target=True),
    cirq.BitMaskKeyCondition("a", target_value=3, equal_target=True),
    cirq.BitMaskKeyCondition("a", target_value=-1, equal_target=True),
]


def circuit(value: int, conditions: list[Any]) -> cirq.Circuit:
    """Measures `value` as a (3 qubits, first most significant) and 3 as b, then flags each condition."""
    qubits = cirq.LineQubit.range(5)
    flags = cirq.LineQubit.range(5, 5 + len(conditions))
    ops: list[cirq.Operation] = [
        cirq.X(qubit) for position, qubit in enumerate(qubits[:3]) if value >> (2 - position) & 1
    ]
    ops += [cirq.X(qubits[3]), cirq.X(qubits[4])]
    ops += [cirq.measure(*qubits[:3], key="a"), cirq.measure(*qubits[3:], key="b")]
    ops += [cirq.X(flag).with_classical_controls(c) for flag, c in zip(flags, conditions, strict=True)]
    ops.append(cirq.measure(*flags, key="flags"))
    return cirq.Circuit(ops)


@pytest.mark.parametrize("value", range(8))
@pytest.mark.parametrize("start", range(0, len(CONDITIONS), 6))
def test_conditions_hold_exactly_when_cirqs_do(value: int, start: int) -> None:
    program = circuit(value, CONDITIONS[start : start + 6])
    simulated = cirq.Simulator().run(program)
    text = " ".join(
        "".join(str(bit) for bit in reversed(simulated.measurements[key][0])) for key in ("flags", "b", "a")
    )
    submitted = program_from_circuit(program)
    read = submitted.circuit

    assert read is not None
    assert distribution(read) == {text: 1.0}
    assert program_from_json(submitted.source) == submitted


def test_the_first_measured_qubit_is_the_most_significant() -> None:
    read = program_from_circuit(circuit(4, [sympy.Eq(a, 4), sympy.Eq(a, 1)])).circuit

    assert read is not None
    assert distribution(read) == {"01 11 001": 1.0}


def test_several_controls_must_all_hold() -> None:
    q = cirq.LineQubit.range(2)
    program = cirq.Circuit(
        cirq.X(q[0]),
        cirq.measure(q[0], key="a"),
        cirq.measure(q[1], key="b"),
        cirq.X(q[1]).with_classical_controls("a", "b"),
        cirq.X(q[0]).with_classical_controls("a"),
        cirq.measure(*q, key="c"),
    )
    read = program_from_circuit(program).circuit

    assert read is not None
    assert distribution(read) == {"00 1 0": 1.0}


def test_arithmetic_over_many_bits_is_refused() -> None:
    q = cirq.LineQubit.range(12)
    program = cirq.Circuit(
        cirq.measure(*q[:11], key="a"), cirq.X(q[11]).with_classical_controls(sympy.Eq(a + 1, 3)), cirq.measure(q[11])
    )
    with pytest.raises(UnsupportedProgramError, match="11 measured bits"):
        program_from_circuit(program)


def test_a_digit_that_was_not_measured_is_refused() -> None:
    q = cirq.LineQubit(0)
    program = cirq.Circuit(cirq.measure(q, key="a"), cirq.X(q).with_classical_controls(sympy.Eq(digit[3], 1)))
    with pytest.raises(ProgramError, match="digit 3"):
        program_from_circuit(program)
