"""Expectation values through Cirq's own tools, all in one session."""

import cirq
import numpy as np
import sympy

from antiphon.cirq import Service


def main() -> None:
    a, b = cirq.LineQubit.range(2)
    angle = sympy.Symbol("angle")
    circuit = cirq.Circuit(cirq.ry(angle)(a), cirq.CNOT(a, b))
    hamiltonian = cirq.Z(a) * cirq.Z(b) + 0.5 * cirq.X(a) * cirq.X(b)

    service = Service()
    sampler = service.sampler(seed=1)
    with service.open_session(name="energies") as session:
        angles = np.linspace(0, np.pi, 5)
        values = sampler.sample_expectation_values(
            circuit, hamiltonian, num_samples=4000, params=cirq.Points("angle", list(angles))
        )
        collector = cirq.PauliSumCollector(
            cirq.resolve_parameters(circuit, {"angle": np.pi / 2}), hamiltonian, samples_per_term=4000
        )
        collector.collect(sampler, concurrency=2)

    for at, (value,) in zip(angles, values, strict=True):
        print(f"angle {at:.3f}: {value:+.3f} (exact {1 + 0.5 * np.sin(at):+.3f})")
    print(f"collected at π/2: {collector.estimated_energy():+.3f}")
    print(f"{len(session.jobs())} jobs in session {session.id}")


if __name__ == "__main__":
    main()
