import math

import pytest

from antiphon.domain.observables import Observable
from antiphon.errors import LimitError
from antiphon.molecules import exact_ground_energy


def ising_chain(n: int, field: float) -> Observable:
    """Transverse-field Ising chain with open ends: -Σ ZZ - field Σ X."""
    bonds = [("I" * i + "ZZ" + "I" * (n - 2 - i), -1.0) for i in range(n - 1)]
    fields = [("I" * i + "X" + "I" * (n - 1 - i), -field) for i in range(n)]
    return Observable(n, tuple(sorted(bonds + fields)))


def critical_chain_energy(n: int) -> float:
    """Pfeuty (1970): an open chain at field 1 has the ground energy 1 - 1/sin(π/(4n + 2))."""
    return 1 - 1 / math.sin(math.pi / (4 * n + 2))


@pytest.mark.parametrize("n", [2, 5, 8, 9, 12])  # dense to 8 qubits, Lanczos above
def test_the_critical_ising_chain_has_its_closed_form_energy(n: int) -> None:
    assert exact_ground_energy(ising_chain(n, 1.0)) == pytest.approx(critical_chain_energy(n), abs=1e-9)


def test_letters_y_carry_their_phase() -> None:
    # XX + YY + ZZ on a pair: the singlet has energy -3.
    assert exact_ground_energy(Observable(2, (("XX", 1.0), ("YY", 1.0), ("ZZ", 1.0)))) == pytest.approx(-3)
    # A single Y next to X makes complex entries: the pair anticommutes, so the energies are ±√2.
    assert exact_ground_energy(Observable(1, (("X", 1.0), ("Y", 1.0)))) == pytest.approx(-math.sqrt(2))


def test_an_energy_is_the_same_to_the_bit_each_time() -> None:
    assert exact_ground_energy(ising_chain(10, 0.7)) == exact_ground_energy(ising_chain(10, 0.7))


def test_a_wide_observable_is_refused_with_the_limit() -> None:
    with pytest.raises(LimitError, match="at most 16 qubits; this observable has 20"):
        exact_ground_energy(ising_chain(20, 1.0))
