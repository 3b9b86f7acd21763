"""A variational loop in a session: every evaluation is a job with a durable record.

The transverse-field Ising chain of six spins; the exact energy comes from diagonalising the same Hamiltonian.
"""

import numpy as np
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp
from scipy.optimize import minimize

from antiphon.qiskit import AntiphonProvider, EstimatorV2, Session

SPINS = 6


def ising_chain(field: float) -> SparsePauliOp:
    bonds = [("ZZ", [spin, spin + 1], -1.0) for spin in range(SPINS - 1)]
    fields = [("X", [spin], -field) for spin in range(SPINS)]
    return SparsePauliOp.from_sparse_list([*bonds, *fields], num_qubits=SPINS)


def main() -> None:
    backend = AntiphonProvider().backend("sim.auto")
    hamiltonian = ising_chain(field=1.0)
    ansatz = efficient_su2(SPINS, su2_gates=["ry"], reps=2)

    with Session(backend, max_time="10m", name="ising") as session:
        estimator = EstimatorV2()

        def energy(parameters: np.ndarray) -> float:
            return float(estimator.run([(ansatz, hamiltonian, parameters)]).result()[0].data.evs)

        def gradient(parameters: np.ndarray) -> np.ndarray:
            # The parameter-shift rule: all the shifted circuits are one job.
            shifts = np.pi / 2 * np.vstack([np.eye(len(parameters)), -np.eye(len(parameters))])
            values = estimator.run([(ansatz, hamiltonian, parameters + shifts)]).result()[0].data.evs
            plus, minus = np.split(values, 2)
            slopes: np.ndarray = (plus - minus) / 2
            return slopes

        start = np.random.default_rng(3).uniform(-0.3, 0.3, ansatz.num_parameters)
        found = minimize(energy, start, jac=gradient, method="BFGS", options={"maxiter": 60})

    exact = np.linalg.eigvalsh(hamiltonian.to_matrix())[0]
    print(f"energy {found.fun:.6f}, exact {exact:.6f}, difference {found.fun - exact:.1e}")
    print(f"{len(session.jobs())} jobs in session {session.session_id} ({session.status()})")


if __name__ == "__main__":
    main()
