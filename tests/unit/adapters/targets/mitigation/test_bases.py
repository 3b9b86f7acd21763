import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.adapters.targets.mitigation.bases import measured_for
from antiphon.adapters.targets.mitigation.readout import AsRead
from antiphon.adapters.targets.sim.matrices import apply, gate_matrix
from antiphon.domain.circuits import Gate
from antiphon.domain.observables import Observable

PAULIS = {"I": np.eye(2), "X": gate_matrix("x"), "Y": gate_matrix("y"), "Z": gate_matrix("z")}


def exact(observable: Observable, state: np.ndarray) -> float:
    value = 0.0
    for pauli, coefficient in observable.terms:
        moved = state
        for qubit, letter in enumerate(reversed(pauli)):
            moved = apply(moved, np.asarray(PAULIS[letter], dtype=np.complex128), (qubit,))
        value += coefficient * float(np.vdot(state, moved).real)
    return value


@st.composite
def observables(draw: st.DrawFn) -> list[Observable]:
    strings = st.text("IXYZ", min_size=3, max_size=3)
    terms = st.dictionaries(strings, st.floats(-2, 2).filter(lambda value: abs(value) > 1e-3), min_size=1, max_size=6)
    return [Observable(3, tuple(sorted(draw(terms).items()))) for _ in range(draw(st.integers(1, 3)))]


@settings(max_examples=40, deadline=None)
@given(observables(), st.integers(0, 1000))
def test_what_the_bases_read_is_the_observable(wanted: list[Observable], seed: int) -> None:
    rng = np.random.default_rng(seed)
    state = rng.normal(size=8) + 1j * rng.normal(size=8)
    state /= np.linalg.norm(state)
    measured = measured_for(wanted)
    values = measured.constants.copy()
    bits = np.array([[index >> qubit & 1 for qubit in measured.qubits] for index in range(8)], dtype=np.uint8)
    for basis in measured.bases:
        turned = state
        for gate in basis.rotations(measured.qubits):
            turned = apply(turned, gate_matrix(gate.name), gate.qubits)
        columns = AsRead().columns(bits, (False,) * len(measured.qubits))
        values += np.abs(turned) ** 2 @ basis.energies(columns)
    np.testing.assert_allclose(values, [exact(each, state) for each in wanted], atol=1e-9)
    assert (np.abs(values - measured.constants) <= measured.reach + 1e-9).all()


def test_observables_share_bases_and_only_their_qubits_are_measured() -> None:
    measured = measured_for([Observable(5, (("IZIII", 1.0), ("IZIIZ", 2.0))), Observable(5, (("IIIIX", 1.0),))])
    assert measured.qubits == (0, 3)
    assert sorted(basis.letters for basis in measured.bases) == ["XZ", "ZZ"]


def test_rotations_measure_each_letter() -> None:
    (basis,) = measured_for([Observable(2, (("YX", 1.0),))]).bases
    assert basis.rotations((7, 4)) == (Gate("h", (7,)), Gate("sdg", (4,)), Gate("h", (4,)))
    assert basis.norm == pytest.approx(1.0)
