from typing import Any

import cirq
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit import Parameter
from qiskit.quantum_info import Pauli, PauliList, SparseObservable, SparsePauliOp

from antiphon.domain.observables import Observable
from antiphon.domain.programs import Profile, Program, ProgramFormat, digest_of
from antiphon.errors import ObservableError
from antiphon.frontends.observables import to_observables


def program(num_qubits: int, qubit_names: tuple[str, ...] = ()) -> Program:
    return Program(
        ProgramFormat.OPENQASM3,
        b"",
        digest_of(ProgramFormat.OPENQASM3, b""),
        "",
        None,
        num_qubits,
        (),
        (),
        Profile.BASE,
        qubit_names=qubit_names,
    )


TWO = program(2)
LINE = program(2, ("q(0)", "q(1)"))
EXPECTED = Observable(2, (("XI", 0.25), ("ZZ", 0.5)))


def one(obj: object, of: Program = TWO) -> Observable:
    observables, shape = to_observables(obj, of)
    assert shape == ()
    return observables[0]


q0, q1 = cirq.LineQubit.range(2)


@pytest.mark.parametrize(
    "obj",
    [
        {"ZZ": 0.5, "XI": 0.25},
        {"ZZ": 0.5 + 1e-12j, "XI": np.float64(0.25)},
        Observable(2, (("ZZ", 0.5), ("XI", 0.25))),
        Observable(2, (("ZZ", 0.25), ("XI", 0.25), ("ZZ", 0.25), ("YY", 0.0))),
        SparsePauliOp(["ZZ", "XI"], [0.5, 0.25]),
        SparsePauliOp(["ZZ", "XI", "ZZ", "YY"], [0.25, 0.25, 0.25, 0.0]),
        SparseObservable.from_list([("ZZ", 0.5), ("XI", 0.25)]),
        0.5 * cirq.Z(q0) * cirq.Z(q1) + 0.25 * cirq.X(q1),
    ],
    ids=lambda obj: type(obj).__name__,
)
def test_every_form_of_the_same_observable_is_the_same(obj: object) -> None:
    assert one(obj, LINE) == EXPECTED


@pytest.mark.parametrize(
    ("obj", "pauli", "coefficient"),
    [
        ("ZX", "ZX", 1.0),
        (Pauli("ZX"), "ZX", 1.0),
        (Pauli("-ZY"), "ZY", -1.0),
        (Pauli("YY"), "YY", 1.0),
        (SparsePauliOp("IY", -2.0), "IY", -2.0),
        (-2.0 * cirq.X(q0), "IX", -2.0),
        (cirq.Y(q1), "YI", 1.0),
        (cirq.PauliString(), "II", 1.0),
    ],
)
def test_single_strings(obj: object, pauli: str, coefficient: float) -> None:
    assert one(obj, LINE).terms == ((pauli, coefficient),)


def test_projectors_are_written_out_as_paulis() -> None:
    assert dict(one(SparseObservable("0+")).terms) == {"II": 0.25, "IX": 0.25, "ZI": 0.25, "ZX": 0.25}


def test_cirq_qubits_are_found_by_name() -> None:
    grid = program(3, ("q(0, 0)", "a", "q(1, 0)"))

    assert one(cirq.Z(cirq.GridQubit(1, 0)) * cirq.X(cirq.NamedQubit("a")), grid).terms == (("ZXI", 1.0),)


@given(st.lists(st.text("IXYZ", min_size=3, max_size=3), min_size=1, max_size=8))
def test_qiskit_and_dict_agree_on_every_string(labels: list[str]) -> None:
    coefficients = [0.5 + index for index in range(len(labels))]
    summed: dict[str, float] = {}
    for label, value in zip(labels, coefficients, strict=True):
        summed[label] = summed.get(label, 0.0) + value

    assert one(SparsePauliOp(labels, coefficients), program(3)) == one(summed, program(3))


def test_arrays_keep_their_shape() -> None:
    flat, shape = to_observables([["ZZ", {"XX": 1.0}], [Pauli("YY"), "II"], ["IZ", "ZI"]], TWO)
    assert shape == (3, 2)
    assert [o.terms[0][0] for o in flat] == ["ZZ", "XX", "YY", "II", "IZ", "ZI"]

    flat, shape = to_observables(np.array(["ZZ", "XX"], dtype=object), TWO)
    assert shape == (2,)
    assert to_observables(PauliList(["ZZ", "XI"]), TWO)[1] == (2,)
    assert to_observables(np.array(["ZZ", "XX"]), TWO)[0][0].terms == (("ZZ", 1.0),)
    assert to_observables([], TWO) == ((), (0,))


def test_an_observable_changed_in_place_is_read_again() -> None:
    operator = SparsePauliOp(["ZZ", "XI"], [0.5, 0.25])
    assert one(operator) == EXPECTED
    operator.coeffs[0] = 0.5 + 1e-13
    assert one(operator).terms[1] == ("ZZ", 0.5 + 1e-13)
    total = 1.0 * cirq.Z(q0) + cirq.X(q1)
    assert len(one(total, LINE).terms) == 2
    total += cirq.Y(q1)
    assert len(one(total, LINE).terms) == 3


def test_one_pauli_sum_under_two_qubit_orders() -> None:
    total = 1.0 * cirq.Z(q0) + 2.0 * cirq.X(q1)

    assert dict(one(total, program(2, ("q(0)", "q(1)"))).terms) == {"IZ": 1.0, "XI": 2.0}
    assert dict(one(total, program(2, ("q(1)", "q(0)"))).terms) == {"ZI": 1.0, "IX": 2.0}


def test_a_sum_that_cancels_is_zero_not_empty() -> None:
    assert one(SparsePauliOp(["ZZ", "ZZ"], [1.0, -1.0])).terms == (("ZZ", 0.0),)


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ({}, "no term"),
        ({"ZZ": 1j}, "Hermitian"),
        (SparsePauliOp("ZZ", 1j), "Hermitian"),
        (1j * cirq.X(q0), "Hermitian"),
        (Pauli("iZZ"), "Hermitian"),
        ("ZZZ", "3 qubits, the program has 2"),
        (SparsePauliOp("Z"), "1 qubits"),
        (Observable(1, (("Z", 1.0),)), "1 qubits"),
        (cirq.X(cirq.LineQubit(7)), r"q\(7\)"),
        ("ZA", "not a Pauli string"),
        ("-ZZ", "not a Pauli string"),
        ("", "not a Pauli string"),
        ({1: 1.0}, "not a Pauli string"),
        ({"ZZ": float("nan")}, "not finite"),
        ({"ZZ": "much"}, "not a number"),
        ({"ZZ": [1.0]}, "not a number"),
        (SparsePauliOp("ZZ", np.array([Parameter("a")])), "not a number"),
        (3.0, "not an observable"),
        (None, "not an observable"),
        ([["ZZ"], ["ZZ", "XX"]], "ragged"),
        ([("ZZ", 0.5)], "not an observable"),
        (cirq.H(q0), "not an observable"),
    ],
)
def test_bad_observables_say_why(obj: Any, message: str) -> None:
    with pytest.raises(ObservableError, match=message):
        to_observables(obj, LINE)
