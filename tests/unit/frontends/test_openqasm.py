from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.domain.circuits import (
    AssignBit,
    Barrier,
    Break,
    Call,
    Circuit,
    Delay,
    For,
    Gate,
    If,
    Operation,
    Register,
    Reset,
    While,
)
from antiphon.domain.programs import Profile, ProgramFormat, digest_of
from antiphon.errors import AntiphonError, LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends import openqasm_scope
from antiphon.frontends.openqasm import program_from_openqasm
from reference_simulator import distribution, evaluate_angle


def read(body: str) -> Circuit:
    circuit = program_from_openqasm(f'OPENQASM 3.0;\ninclude "stdgates.inc";\n{body}').circuit
    assert circuit is not None
    return circuit


def outcome(body: str, params: tuple[float, ...] = ()) -> dict[str, float]:
    return {key: round(value, 9) for key, value in distribution(read(body), params).items()}


def gates(body: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(o.name, o.qubits) for o in read(body).operations if isinstance(o, Gate)]


# --- The program ------------------------------------------------------------------------------------------------------


def test_the_artefact_is_kept_as_submitted() -> None:
    text = (
        'OPENQASM 3.0; include "stdgates.inc"; input float theta; qubit[2] q; bit[2] c; rx(theta) q[0]; c = measure q;'
    )
    program = program_from_openqasm(text, name="probe")
    assert program.format is ProgramFormat.OPENQASM3
    assert program.source == text.encode()
    assert program.digest == digest_of(ProgramFormat.OPENQASM3, text.encode())
    assert (program.name, program.num_qubits, program.parameters) == ("probe", 2, ("theta",))
    assert program.registers == (Register("c", 2, 0),)
    assert program.profile is Profile.BASE
    assert program.made_with["qdk"]


def test_version_2_is_told_by_its_header() -> None:
    program = program_from_openqasm('OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q; measure q -> c;')
    assert program.format is ProgramFormat.OPENQASM2
    assert program.circuit is not None
    assert distribution(program.circuit) == pytest.approx({"00": 0.25, "01": 0.25, "10": 0.25, "11": 0.25})


def test_bit_0_is_rightmost_and_the_last_register_leftmost() -> None:
    assert outcome("qubit[3] q; bit[2] a; bit[1] b; x q[0]; a[0] = measure q[0]; b[0] = measure q[1];") == {"0 01": 1}


def test_both_measure_statements_and_scalars() -> None:
    body = "qubit[2] q; qubit r; bit[2] c; bit d; x q[1]; x r; measure q -> c; d = measure r;"
    assert outcome(body) == {"1 10": 1}
    assert outcome("qubit[2] q; x q[0]; bit[2] c = measure q;") == {"01": 1}


# --- Parameters and angles --------------------------------------------------------------------------------------------


def test_inputs_keep_their_order_and_stay_affine() -> None:
    circuit = read("input angle b; input float a; qubit q; bit c; rx(2*a - b/4 + pi) q; c = measure q;")
    assert circuit.parameters == ("b", "a")
    gate = circuit.operations[0]
    assert isinstance(gate, Gate)
    assert not isinstance(gate.params[0], Call)
    assert evaluate_angle(gate.params[0], (0.8, 0.3)) == pytest.approx(0.6 - 0.2 + math.pi)


def test_what_is_not_affine_becomes_a_call() -> None:
    circuit = read("input float a; qubit q; rx(sin(a)**2 / (1 + a)) q;")
    gate = circuit.operations[0]
    assert isinstance(gate, Gate)
    assert evaluate_angle(gate.params[0], (0.7,)) == pytest.approx(math.sin(0.7) ** 2 / 1.7)


@given(st.floats(-1e6, 1e6, allow_nan=False), st.floats(-1e3, 1e3, allow_nan=False))
@settings(max_examples=60, deadline=None)
def test_angles_are_kept_to_the_bit(first: float, second: float) -> None:
    circuit = read(f"qubit q; rx({first!r}) q; rz({second!r}) q;")
    assert [o.params for o in circuit.operations if isinstance(o, Gate)] == [(first,), (second,)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("pi/4", math.pi / 4),
        ("-pi**2", -(math.pi**2)),
        ("2**3**2", 512.0),
        ("1/2", 0.5),
        ("cos(0.3)*sqrt(2)", math.cos(0.3) * math.sqrt(2)),
        ("arctan(1)", math.pi / 4),
        ("tau - euler", math.tau - math.e),
        ("mod(7, 4) + floor(2.7)", 5.0),
        ("0x10 + 0b11", 19.0),
        ("float(3) / 2", 1.5),
        ("1e-3 * int(3.9)", 3e-3),
    ],
)
def test_constant_expressions(expression: str, value: float) -> None:
    gate = read(f"qubit q; rx({expression}) q;").operations[0]
    assert isinstance(gate, Gate)
    assert gate.params[0] == pytest.approx(value, rel=1e-15)


def test_powers_in_version_2_are_spelled_with_a_caret_and_bind_tighter_than_products() -> None:
    text = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; rx(3*2^2) q[0]; rx(1/2) q[0]; rx(ln(2)) q[0];'
    circuit = program_from_openqasm(text).circuit
    assert circuit is not None
    angles = [o.params[0] for o in circuit.operations if isinstance(o, Gate)]
    assert angles == pytest.approx([12.0, 0.5, math.log(2)])


def test_integer_variables_divide_as_integers() -> None:
    assert gates("int k = 7 / 2; qubit[4] q; x q[k];") == [("x", (3,))]
    assert gates("const int n = -7 / 2; qubit[4] q; x q[n];") == [("x", (1,))]


# --- Gates ------------------------------------------------------------------------------------------------------------


def test_gate_definitions_are_inlined_with_their_angles() -> None:
    circuit = read(
        "gate inner(t) a { rx(t/2) a; } gate outer(t, u) a, b { inner(t + u) b; barrier a, b; cx a, b; }"
        "qubit[2] q; outer(0.5, 0.25) q[1], q[0];"
    )
    assert circuit.operations == (Gate("rx", (0,), (0.375,)), Barrier((1, 0)), Gate("cx", (1, 0)))


def test_registers_are_broadcast() -> None:
    assert gates("qubit[2] a; qubit[2] b; qubit c; cx a, b; cx c, a;") == [
        ("cx", (0, 2)),
        ("cx", (1, 3)),
        ("cx", (4, 0)),
        ("cx", (4, 1)),
    ]
    with pytest.raises(ProgramError, match="different lengths"):
        read("qubit[2] a; qubit[3] b; cx a, b;")


def test_aliases_ranges_sets_and_negative_indices() -> None:
    body = "qubit[4] q; let a = q[1:2] ++ q[0]; x a[2]; y a[0:1]; z q[{0, 3}]; h q[-1]; s q[3:-2:0];"
    assert gates(body) == [
        ("x", (0,)),
        ("y", (1,)),
        ("y", (2,)),
        ("z", (0,)),
        ("z", (3,)),
        ("h", (3,)),
        ("s", (3,)),
        ("s", (1,)),
    ]


def test_a_controlled_global_phase_is_not_lost() -> None:
    assert read("qubit[2] q; gphase(1.0); ctrl @ gphase(0.5) q[0];").operations == (Gate("p", (0,), (0.5,)),)
    body = "qubit[2] q; bit c; gate g a { gphase(pi); } h q[0]; ctrl @ g q[0], q[1]; h q[0]; c = measure q[0];"
    assert outcome(body) == {"1": 1}


def test_u_has_the_phase_of_the_specification() -> None:
    # ctrl @ U(θ, φ, λ) puts θ/2 onto the control; stdgates.inc takes it away again in cu.
    body = "qubit[2] q; ctrl @ U(0.4, 0.2, 0.1) q[0], q[1];"
    assert read(body).operations == (Gate("p", (0,), (0.2,)), Gate("cu", (0, 1), (0.4, 0.2, 0.1, 0.0)))


def test_negative_controls_inverses_and_powers() -> None:
    assert gates("qubit[2] q; negctrl @ x q[0], q[1];") == [("x", (0,)), ("cx", (0, 1)), ("x", (0,))]
    assert gates("qubit q; inv @ s q; pow(2) @ t q; pow(-1) @ sx q; pow(0) @ x q;") == [
        ("sdg", (0,)),
        ("t", (0,)),
        ("t", (0,)),
        ("sxdg", (0,)),
    ]
    assert gates("gate g a, b { s a; cx a, b; } qubit[2] q; inv @ g q[0], q[1];") == [("cx", (0, 1)), ("sdg", (0,))]
    body = (
        "qubit[2] q; bit c; x q[0]; ctrl @ pow(1/2) @ x q[0], q[1]; ctrl @ pow(0.5) @ x q[0], q[1]; c = measure q[1];"
    )
    assert outcome(body) == {"1": 1}


def test_many_controls() -> None:
    body = "qubit[5] q; bit c; {} x q[4]; ctrl(3) @ negctrl @ y q[0], q[1], q[2], q[3], q[4]; c = measure q[4];"
    for bits in range(16):
        flips = " ".join(f"x q[{i}];" for i in range(4) if bits >> i & 1)
        assert outcome(body.format(flips)) == {"0" if bits == 0b0111 else "1": 1}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("qubit q; foo q;", "no gate foo"),
        ("qubit[2] q; cx q[0], q[0];", "one qubit twice"),
        ("qubit[2] q; rx q[0];", "takes 1 angles and 1 qubits, not 0 and 1"),
        ("qubit q; x q[0];", "single qubit"),
        ("qubit[2] q; x q[2];", "outside the register of 2"),
        ("qubit[2] q; x r;", "nothing of the name r"),
        ("qubit q; qubit q;", "declared twice"),
        ("qubit q; bit c; x c;", "qubit is expected"),
        ("gate g a { h b; } qubit q; g q;", "nothing of the name b"),
        ("qubit[0] q;", "empty"),
        ("qubit q; rx(1/0) q;", "cannot be computed"),
        ("qubit q; rx(1e308*10) q;", "not a finite number"),
        ("qubit q; rx(sqrt(-1)) q;", "cannot be computed"),
        ("qubit[2] q; bit c; c = measure q;", "2 qubits are measured into 1 bits"),
        ("break;", "outside a loop"),
    ],
)
def test_what_makes_no_sense_is_refused_where_it_stands(body: str, message: str) -> None:
    with pytest.raises(ProgramError, match=message) as caught:
        read(body)
    assert "line 3" in str(caught.value)


def test_a_syntax_error_shows_line_and_column() -> None:
    with pytest.raises(ProgramError, match=r"line 4, column 10: h q\[0\] x q\[0\];") as caught:
        read("qubit[2] q;\n  h q[0] x q[0];")
    assert caught.value.code == "openqasm-syntax"
    assert caught.value.cause


# --- Classical values and control flow --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("c == 2", {2}),
        ("2 == c", {2}),
        ("c != 2", {0, 1, 3}),
        ("c > 1", {2, 3}),
        ("c >= 1", {1, 2, 3}),
        ("c < 2", {0, 1}),
        ("1 >= c", {0, 1}),
        ("c > -1", {0, 1, 2, 3}),
        ("c == 7", set()),
        ('c == "10"', {2}),
        ("c", {1, 2, 3}),
        ("!c", {0}),
        ("c[0]", {1, 3}),
        ("c[1] == 1 && !c[0]", {2}),
        ("c[0] || c[1]", {1, 2, 3}),
        ("c[0] ^ c[1]", {1, 2}),
        ("c[0] != c[1]", {1, 2}),
        ("c[0] < c[1]", {2}),
        ("(c & 2) == 2", {2, 3}),
        ("(c | 1) == 3", {2, 3}),
        ("~c == 1", {2}),
        ("(c << 1) == 2", {1, 3}),
        ("(c >> 1) == 1", {2, 3}),
        ("uint[2](c) > 2", {3}),
        ("int(c) == 3", {3}),
        ("bool(c[1])", {2, 3}),
        ("c[{1, 0}] == 2", {1}),
        ("true", {0, 1, 2, 3}),
        ("false && c[0]", set()),
    ],
)
def test_conditions_on_a_register_take_bit_0_as_the_least_significant(condition: str, values: set[int]) -> None:
    for value in range(4):
        flips = " ".join(f"x q[{i}];" for i in range(2) if value >> i & 1)
        body = f"qubit[3] q; bit[2] c; bit r; {flips} c = measure q[0:1]; if ({condition}) x q[2]; r = measure q[2];"
        assert outcome(body) == {f"{int(value in values)} {value:02b}": 1}, value


def test_version_2_conditions_take_bit_0_as_the_least_significant() -> None:
    text = (
        'OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; creg c[2]; creg d[1];'
        "x q[0]; measure q[0] -> c[0]; if (c == 1) x q[2]; if (c == 2) x q[1]; measure q[2] -> d[0];"
    )
    circuit = program_from_openqasm(text).circuit
    assert circuit is not None
    assert distribution(circuit) == pytest.approx({"1 01": 1.0})


def test_if_else_and_switch() -> None:
    body = "qubit[3] q; bit[2] c; bit[2] r; h q[0]; h q[1]; c = measure q[0:1]; {} r[0] = measure q[2];"
    branch = "if (c == 1) { x q[2]; } else if (c == 2) { } else { x q[2]; }"
    switch = "switch (c) { case 1 { x q[2]; } case 2 { } default { x q[2]; } }"
    expected = {"00 10": 0.25, "01 00": 0.25, "01 01": 0.25, "01 11": 0.25}
    assert outcome(body.format(branch)) == outcome(body.format(switch)) == expected
    assert gates("qubit q; const int k = 2; switch (k) { case 1, 2 { x q; } default { y q; } }") == [("x", (0,))]


def test_counted_loops_are_unrolled() -> None:
    body = "qubit[5] q; for int i in [0:2:4] { rx(pi / 2**i) q[i]; } for uint j in {3, 1} x q[j];"
    assert [(o.name, o.qubits) for o in read(body).operations if isinstance(o, Gate)] == [
        ("rx", (0,)),
        ("rx", (2,)),
        ("rx", (4,)),
        ("x", (3,)),
        ("x", (1,)),
    ]
    assert not any(isinstance(o, For) for o in read(body).operations)


def test_a_loop_with_a_certain_break_or_continue_is_cut_short() -> None:
    body = "qubit[5] q; for int i in [0:9] { if (i == 1) continue; if (i == 3) break; x q[i]; }"
    assert gates(body) == [("x", (0,)), ("x", (2,))]


def test_a_loop_that_measured_bits_may_leave_stays_a_loop() -> None:
    body = "qubit q; bit[1] c; bit[3] n; for int i in [0:2] { h q; c[0] = measure q; if (c[0]) break; n[i] = 1; }"
    circuit = read(body)
    assert any(isinstance(o, For) for o in circuit.operations)
    assert Break() in list(circuit.walk())
    assert outcome(body) == {"000 1": 0.5, "001 1": 0.25, "011 1": 0.125, "111 0": 0.125}


def test_repeat_until_success() -> None:
    body = "qubit q; bit c; c = true; while (c) { reset q; h q; c = measure q; }"
    circuit = read(body)
    assert any(isinstance(o, While) for o in circuit.operations)
    assert distribution(circuit) == pytest.approx({"0": 1.0})
    endless = read("qubit q; bit c; while (true) { h q; c = measure q; if (c) break; }")
    assert distribution(endless) == pytest.approx({"1": 1.0})


def test_variable_numbers_are_folded() -> None:
    body = "qubit[4] q; int k = 0; while (k < 3) { x q[k]; k += 1; } float t = 0.5; t *= 2; rx(t) q[k];"
    operations = read(body).operations
    assert operations == (Gate("x", (0,)), Gate("x", (1,)), Gate("x", (2,)), Gate("rx", (3,), (1.0,)))
    assert gates("qubit[4] q; uint[2] k = 3; k += 1; x q[k];") == [("x", (0,))]


def test_bits_are_assigned_computed_and_joined() -> None:
    body = 'qubit q; bit[3] c = "011"; bit d; c[2] = c[0] ^ c[1]; d = c == 3; c[0] &= c[2];'
    assert outcome(body) == {"1 010": 1}
    assert outcome('bit[2] a = "01"; bit[2] b; b = ~a; a = b << 1; qubit q;') == {"10 00": 1}
    circuit = read("bit[3] c; qubit q; c[0] = true; c = c << 1;")
    assert [o.clbit for o in circuit.operations if isinstance(o, AssignBit)] == [0, 2, 1, 0]
    assert distribution(circuit) == pytest.approx({"010": 1.0})


def test_reset_barrier_delay_and_box() -> None:
    operations: tuple[Operation, ...] = read(
        "qubit[2] q; reset q[1]; barrier; barrier q[1]; delay[2*50ns] q; box { delay[1.5us] q[0]; x q[0]; }"
    ).operations
    assert operations[:3] == (Reset(1), Barrier((0, 1)), Barrier((1,)))
    delays = [o for o in operations if isinstance(o, Delay)]
    assert [o.qubit for o in delays] == [0, 1, 0]
    assert [o.seconds for o in delays] == pytest.approx([1e-7, 1e-7, 1.5e-6])
    assert operations[-1] == Gate("x", (0,))


def test_hardware_qubits_keep_their_numbers() -> None:
    circuit = read("bit c; x $2; c = measure $2;")
    assert circuit.num_qubits == 3
    assert distribution(circuit) == pytest.approx({"1": 1.0})


def test_end_stops_the_program() -> None:
    assert gates("qubit q; x q; end; y q;") == [("x", (0,))]


def test_annotations_have_no_effect() -> None:
    assert gates('qubit q;\n@note "anything (goes\nx q;') == [("x", (0,))]


# --- What cannot be expressed, and limits -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "def f(qubit a) -> int { bit c; c = measure a; if (c) { return 1; } return 0; } qubit q; int k = f(q);",
        "def f(qubit a) -> bit { return measure a; } qubit q; while (f(q)) x q;",
        "qubit q; 1 + 1;",
        "extern f(int) -> int; qubit q;",
        "input int n; qubit q;",
        "bit c; qubit q; int k = 0; while (c) { k += 1; c = measure q; } rx(0.1 * k) q;",
        "bit c; qubit q; float k = 0; while (c) { k += 0.1; c = measure q; } if (k > 1.0) x q;",
        "bit c; qubit q; int k = 0; for int i in [0:3] { c = measure q; if (c) break; k += 1; }",
        "bit[2] c; qubit[4] q; x q[c];",
        "bit[20] c; qubit q; rx(c * 0.1) q;",
        "bit c; qubit q; int n = 1; while (!c) { if (n > 5) break; n += 1; c = measure q; }",
        "bit c; const int k = c; qubit q;",
        "qubit q; delay[100dt] q;",
        "qubit q; measure q;",
        "qubit q; array[int[8], 2] a;",
        "bit c; qubit q; if (c) end;",
        "input float p; qubit q; pow(p) @ x q;",
        "gate g a { x a; h a; } qubit q; pow(0.5) @ g q;",
        "qubit q; duration d = durationof({ x q; });",
        "stretch s; qubit q;",
        "gate g a { for int i in [0:2] { x a; } } qubit q; g q;",
    ],
)
def test_what_a_circuit_cannot_say_is_refused_with_its_place_and_a_way_out(body: str) -> None:
    with pytest.raises(UnsupportedProgramError, match="line ") as caught:
        read(body)
    assert caught.value.next_step


DOUBLING = "".join(f"gate a{i} a {{ a{i - 1} a; a{i - 1} a; }} " for i in range(1, 40)) + "qubit q; a39 q;"
CHAIN = "".join(f"gate a{i} a {{ a{i - 1} a; }} " for i in range(1, 200)) + "qubit q; a199 q;"
SIXTEEN = ", ".join(f"q[{i}]" for i in range(16))


@pytest.mark.parametrize(
    "body",
    [
        "qubit q; for int i in [0:1000000000] { x q; }",
        "qubit q; pow(1000000000) @ x q;",
        "gate a0 a { } " + CHAIN,
        "qubit[1000000000] q;",
        "bit[1000000000] c; qubit q;",
        f"qubit[16] q; ctrl(15) @ x {SIXTEEN};",
        "x $999999999999;",
    ],
)
def test_programs_that_would_grow_without_bound_are_refused_at_once(body: str) -> None:
    with pytest.raises(LimitError):
        read(body)


@pytest.mark.parametrize(
    "body",
    [
        "qubit q; for int i in [0:2000] { for int j in [0:2000] { x q; } }",
        "gate a0 a { x a; } " + DOUBLING,
        "gate a0 a { } " + DOUBLING,
        "qubit q; int k = 0; while (k < 1) { x q; }",
        "qubit q; int k = 0; while (k < 1) { }",
        "gate g a { x a; } qubit[1000] q; pow(1000) @ g q;",
    ],
)
def test_programs_are_refused_once_they_have_grown_to_the_limit(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openqasm_scope, "MAX_OPERATIONS", 20_000)
    monkeypatch.setattr(openqasm_scope, "MAX_STEPS", 50_000)
    with pytest.raises(LimitError, match="20,000"):
        read(body)


def test_powers_that_fill_the_memory_are_refused() -> None:
    with pytest.raises(ProgramError, match="64 bits"):
        read("const int k = 10 ** 10 ** 10; qubit q;")


@given(st.text(alphabet=' \n;{}()[]"@$=<>!+-*/^,.:qcxhUifbt0129πé', max_size=80))
@settings(max_examples=150, deadline=None)
def test_no_text_crashes_the_front_end(text: str) -> None:
    with contextlib.suppress(AntiphonError):
        program_from_openqasm("OPENQASM 3.0;\nqubit[2] q; bit[2] c;" + text)


def test_a_panic_of_the_parser_becomes_a_program_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        pass

    def panics(*_: object, **__: object) -> None:
        raise Panic("index out of bounds")

    monkeypatch.setattr("qdk.openqasm.parse", panics)
    with pytest.raises(ProgramError, match="parser failed"):
        read("qubit q;")


def test_branches_keep_their_conditions() -> None:
    circuit = read("qubit q; bit c; c = measure q; if (c) { x q; } else { z q; }")
    branch = circuit.operations[-1]
    assert isinstance(branch, If)
    assert branch.then == (Gate("x", (0,)),)
    assert branch.otherwise == (Gate("z", (0,)),)
