"""qsim's compiled modules without the package around them."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from antiphon.adapters.targets.sim import build_drivers
from antiphon.adapters.targets.sim.engines import qsim
from antiphon.domain.circuits import Gate, Measure, Unitary
from sim_work import circuit_of, sampling

IMPORTS = """
import sys
from antiphon.adapters.targets.sim.engines import qsim
assert qsim.unusable_because() == "", qsim.unusable_because()
assert "cirq" not in sys.modules and "qsimcirq" not in sys.modules
import cirq, qsimcirq
assert qsimcirq.qsim is qsim._bindings()
pair = cirq.LineQubit.range(2)
state = qsimcirq.QSimSimulator().simulate(cirq.Circuit(cirq.H(pair[0]), cirq.CNOT(*pair))).final_state_vector
assert abs(abs(state[3]) ** 2 - 0.5) < 1e-6
"""


def test_it_needs_no_cirq_and_leaves_the_package_to_who_imports_it_later() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def forgetting() -> Iterator[None]:
    qsim.unusable_because.cache_clear()
    yield
    qsim.unusable_because.cache_clear()


@pytest.mark.usefixtures("forgetting")
def test_a_binding_that_computes_otherwise_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qsim, "_deviation", lambda: 1e-3)
    gates = [Gate("ry", (qubit,), (0.3,)) for qubit in range(22)]
    plan = build_drivers()["sim.auto"].plan(sampling(circuit_of(22, 1, *gates, Measure(0, 0))))
    assert plan.engine == ("lightning",)


def test_a_matrix_has_its_first_qubit_as_the_rest_of_the_simulators_do() -> None:
    # X on qubit 2 when qubit 0 is 1, as a matrix: a wrong order shows in the counts.
    entries = tuple(complex(entry) for row in ((1, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 0), (0, 1, 0, 0)) for entry in row)
    gates: list[Gate | Unitary] = [Gate("x", (0,)), Unitary(entries, (0, 2))]
    circuit = circuit_of(3, 3, *gates, *(Measure(qubit, qubit) for qubit in range(3)))
    driver = build_drivers()["sim.auto"]
    found = []
    for engine in ("lightning", "qsim"):
        work = sampling(circuit, engine=engine)
        found.append(driver.execute(work, driver.plan(work)).outcomes[0])
    assert found[0] == found[1]
