import cirq
import numpy as np
import pytest
import sympy

from antiphon.domain import circuits as tape
from antiphon.domain.programs import Profile
from antiphon.errors import LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends.cirq import program_from_circuit
from reference_simulator import distribution, total_variation

q = cirq.LineQubit.range(4)
m = sympy.Symbol("m")


def read(*operations: cirq.OP_TREE) -> tape.Circuit:
    circuit = program_from_circuit(cirq.Circuit(*operations)).circuit
    assert circuit is not None
    return circuit


def agrees_with_cirq(circuit: cirq.Circuit, repetitions: int = 2000) -> None:
    """Same distribution as cirq.Simulator, bits in our order: records of a key are registers key, key[1], …."""
    converted = program_from_circuit(circuit).circuit
    assert converted is not None
    records = cirq.Simulator(seed=11).run(circuit, repetitions=repetitions).records
    counts: dict[str, int] = {}
    for shot in range(repetitions):
        parts = []
        for register in converted.registers:
            key, _, number = register.name.partition("[")
            parts.append("".join(str(bit) for bit in reversed(records[key][shot][int(number[:-1] or 0)])))
        text = " ".join(reversed(parts))
        counts[text] = counts.get(text, 0) + 1
    assert total_variation(counts, distribution(converted)) < 0.06


def test_qubits_are_numbered_in_cirqs_order_and_keep_their_names() -> None:
    b, a, grid = cirq.NamedQubit("b"), cirq.NamedQubit("a10"), cirq.GridQubit(1, 0)
    program = program_from_circuit(cirq.Circuit(cirq.X(b), cirq.Y(grid), cirq.Z(a), cirq.H(cirq.NamedQubit("a9"))))

    expected = sorted([b, a, grid, cirq.NamedQubit("a9")])
    assert program.qubit_names == tuple(str(qubit) for qubit in expected)


def test_bit_i_is_the_ith_qubit_measured() -> None:
    circuit = read(cirq.X(q[0]), cirq.I.on_each(*q), cirq.measure(q[2], q[0], key="a"), cirq.measure(q[1], key="b"))

    assert circuit.registers == (tape.Register("b", 1, 0), tape.Register("a", 2, 1))  # b is measured a moment earlier
    assert distribution(circuit) == {"10 0": 1.0}


def test_registers_stand_in_the_order_of_measurement() -> None:
    circuit = read(cirq.measure(q[3], key="z"), cirq.measure(q[0], key="a"), cirq.X(q[3]), cirq.measure(q[3], key="z"))

    assert [register.name for register in circuit.registers] == ["z", "a", "z[1]"]
    assert distribution(circuit) == {"1 0 0": 1.0}


def test_inverted_measurements() -> None:
    circuit = read(cirq.X(q[0]), cirq.measure(*q[:3], key="a", invert_mask=(True, True)))

    assert distribution(circuit) == {"010": 1.0}
    agrees_with_cirq(cirq.Circuit(cirq.H(q[0]), cirq.measure(*q[:2], key="a", invert_mask=(False, True))))


def test_reset_wait_and_identity() -> None:
    circuit = read(cirq.X(q[0]), cirq.reset(q[0]), cirq.wait(q[0], q[1], nanos=100), cirq.I(q[1]))

    assert circuit.operations == (
        tape.Gate("x", (0,)),
        tape.Reset(0),
        tape.Delay(0, 1e-7),
        tape.Delay(1, 1e-7),
        tape.Gate("id", (1,)),
    )


def test_pauli_measurements() -> None:
    circuit = cirq.Circuit(
        cirq.H(q[0]), cirq.measure_single_paulistring(cirq.X(q[0]), key="x"), cirq.measure(q[0], key="z")
    )

    agrees_with_cirq(circuit)


def test_teleportation() -> None:
    circuit = cirq.Circuit(
        cirq.ry(1.1)(q[0]),
        cirq.H(q[1]),
        cirq.CX(q[1], q[2]),
        cirq.CX(q[0], q[1]),
        cirq.H(q[0]),
        cirq.measure(q[0], key="z"),
        cirq.measure(q[1], key="x"),
        cirq.X(q[2]).with_classical_controls("x"),
        cirq.Z(q[2]).with_classical_controls("z"),
        cirq.ry(-1.1)(q[2]),
        cirq.measure(q[2], key="out"),
    )
    program = program_from_circuit(circuit)
    assert program.circuit is not None

    assert all(text.startswith("0 ") for text in distribution(program.circuit))
    assert program.profile is Profile.ADAPTIVE_RI


def test_conditions_look_at_the_last_measurement_of_a_repeated_key() -> None:
    agrees_with_cirq(
        cirq.Circuit(
            cirq.X(q[0]),
            cirq.measure(q[0], key="m"),
            cirq.X(q[1]).with_classical_controls("m"),
            cirq.X(q[0]),
            cirq.measure(q[0], key="m"),
            cirq.X(q[2]).with_classical_controls("m"),
            cirq.X(q[3]).with_classical_controls(cirq.BitMaskKeyCondition("m", index=0)),
            cirq.measure(*q[1:], key="out"),
        ),
        repetitions=20,
    )


def test_repeated_sub_circuits() -> None:
    body = cirq.FrozenCircuit(
        cirq.ry(0.7)(q[0]), cirq.measure(q[0], key="m"), cirq.X(q[1]).with_classical_controls("m")
    )
    for operation in (
        cirq.CircuitOperation(body, repetitions=3, use_repetition_ids=False),
        cirq.CircuitOperation(body).with_qubit_mapping({q[0]: q[2]}).with_measurement_key_mapping({"m": "k"}),
    ):
        agrees_with_cirq(cirq.Circuit(cirq.I.on_each(q[:3]), operation, cirq.measure(q[1], key="out")))


def test_repetition_ids_make_keys_of_their_own() -> None:
    body = cirq.FrozenCircuit(cirq.X(q[0]), cirq.measure(q[0], key="m"))
    circuit = read(cirq.CircuitOperation(body, repetitions=2, use_repetition_ids=True))

    assert [register.name for register in circuit.registers] == ["0:m", "1:m"]
    assert distribution(circuit) == {"0 1": 1.0}


def test_inverse_and_parametrised_sub_circuits() -> None:
    body = cirq.FrozenCircuit(cirq.ry(m)(q[0]), cirq.T(q[0]))
    program = program_from_circuit(
        cirq.Circuit(
            cirq.CircuitOperation(body, repetitions=-1),
            cirq.CircuitOperation(body, param_resolver={"m": 0.5}),
        )
    )

    assert program.parameters == ("m",)
    assert program.circuit is not None
    assert program.circuit.operations == (
        tape.Gate("tdg", (0,)),
        tape.Gate("ry", (0,), (tape.Affine(0.0, ((0, -1.0),)),)),
        tape.Gate("ry", (0,), (0.5,)),
        tape.Gate("t", (0,)),
    )


def test_repeat_until() -> None:
    body = cirq.FrozenCircuit(cirq.ry(1.2)(q[0]), cirq.measure(q[0], key="m"), cirq.CX(q[0], q[1]))
    circuit = cirq.Circuit(
        cirq.CircuitOperation(body, use_repetition_ids=False, repeat_until=cirq.SympyCondition(sympy.Eq(m, 1))),
        cirq.measure(q[1], key="out"),
    )
    program = program_from_circuit(circuit)
    assert program.circuit is not None

    assert [register.name for register in program.circuit.registers] == ["m", "out"]
    assert distribution(program.circuit) == pytest.approx({"1 1": 1.0}, abs=1e-9)
    assert program.profile is Profile.ADAPTIVE


def test_repeat_until_looks_at_the_previous_turn_before_it_measures() -> None:
    # The flip looks at m before m is measured again: in the first turn at the measurement outside the loop.
    body = cirq.FrozenCircuit(
        cirq.X(q[1]).with_classical_controls("m"),
        cirq.X(q[0]),
        cirq.measure(q[0], key="m"),
        cirq.measure(q[1], key="n"),
    )
    circuit = cirq.Circuit(
        cirq.X(q[0]),
        cirq.measure(q[0], key="m"),
        cirq.CircuitOperation(
            body, use_repetition_ids=False, repeat_until=cirq.SympyCondition(sympy.Eq(sympy.Symbol("n"), 0))
        ),
    )
    program = program_from_circuit(circuit)
    assert program.circuit is not None
    simulated = cirq.Simulator().run(circuit).records

    (text,) = distribution(program.circuit)
    assert text == f"{simulated['n'][0][-1][0]} {simulated['m'][0][-1][0]} 1"


def test_parameters_are_symbols_sorted_by_name() -> None:
    c, a, b10, b9 = sympy.symbols("c a b10 b9")
    circuit = read(cirq.rx(c)(q[0]), cirq.rx(a)(q[0]), cirq.rx(b10)(q[0]), cirq.rx(b9)(q[0]))

    assert circuit.parameters == ("a", "b10", "b9", "c")


def test_measurement_keys_in_conditions_are_no_parameters() -> None:
    assert read(cirq.measure(q[0], key="m"), cirq.X(q[0]).with_classical_controls(m > 0)).parameters == ()


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (cirq.depolarize(0.1)(q[0]), "noise"),
        (cirq.amplitude_damp(0.1)(q[0]), "noise"),
        (cirq.X(q[0]).with_probability(0.3), "noise"),
        (cirq.KrausChannel([np.eye(2)], key="k")(q[0]), "noise"),
        (cirq.measure(q[0], key="m", confusion_map={(0,): np.array([[0.9, 0.1], [0.2, 0.8]])}), "confusion map"),
        (cirq.IdentityGate(1, (3,))(cirq.LineQid(0, 3)), "3 levels"),
        (cirq.WaitGate(cirq.Duration(nanos=m))(q[0]), "not a number"),
        (cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(q[0])), repetitions=m), "not a number"),
        (cirq.MatrixGate(cirq.testing.random_unitary(64, random_state=1))(*cirq.LineQubit.range(6)), "at most 5"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_no_target_runs_is_refused_by_name(operation: cirq.Operation, message: str) -> None:
    with pytest.raises(UnsupportedProgramError, match=message) as caught:
        program_from_circuit(cirq.Circuit(operation))
    assert caught.value.next_step


def test_controls_before_their_measurement_are_refused() -> None:
    with pytest.raises(ProgramError, match="before it is measured"):
        read(cirq.X(q[0]).with_classical_controls("m"), cirq.measure(q[0], key="m"))


def test_masks_that_cirq_would_forget_are_refused() -> None:
    body = cirq.FrozenCircuit(
        cirq.measure(q[0], q[1], key="m"),
        cirq.X(q[2]).with_classical_controls(cirq.BitMaskKeyCondition("m", bitmask=2)),
    )
    with pytest.raises(UnsupportedProgramError, match="forgets its mask"):
        read(cirq.CircuitOperation(body))


@pytest.mark.parametrize("ids", [True, False])
def test_sub_circuits_repeated_too_often_are_refused_before_they_are_unrolled(ids: bool) -> None:
    inner = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(q[0])), repetitions=2000, use_repetition_ids=ids)
    outer = cirq.CircuitOperation(cirq.FrozenCircuit(inner, inner), repetitions=1000, use_repetition_ids=ids)
    most = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(q[0])), repetitions=10**9, use_repetition_ids=False)
    for operation in (outer, most):
        with pytest.raises(LimitError, match="1,000,000"):
            read(operation)
