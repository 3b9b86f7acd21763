import numpy as np
import pytest

import reference_simulator as reference
from antiphon.adapters.targets.sim.matrices import apply, gate_matrix
from antiphon.domain.gates import GATES


@pytest.mark.parametrize("name", GATES)
def test_every_gate_has_the_matrix_of_the_reference(name: str) -> None:
    params = [0.3, 1.1, -0.7, 2.9][: GATES[name].num_params]
    np.testing.assert_allclose(gate_matrix(name, params), reference.gate_matrix(name, params), atol=1e-14)


def test_apply_puts_the_first_qubit_least_significant() -> None:
    rng = np.random.default_rng(0)
    state = rng.normal(size=8) + 1j * rng.normal(size=8)
    matrix = gate_matrix("cu", (0.3, 1.1, -0.7, 2.9))
    np.testing.assert_allclose(apply(state, matrix, (2, 0)), reference.apply(state, matrix, (2, 0)), atol=1e-14)
