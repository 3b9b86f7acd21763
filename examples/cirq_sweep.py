"""A Rabi experiment with Cirq: a sweep of 41 points is one job, read as a table."""

import cirq
import sympy

from antiphon.cirq import Service

SHOTS = 500


def main() -> None:
    qubit = cirq.GridQubit(2, 3)
    turn = sympy.Symbol("turn")
    circuit = cirq.Circuit(cirq.X(qubit) ** turn, cirq.measure(qubit, key="excited"))

    sampler = Service().sampler(seed=5)
    table = sampler.sample(circuit, repetitions=SHOTS, params=cirq.Linspace("turn", 0, 2, 41))
    for turned, share in table.groupby("turn")["excited"].mean().items():
        print(f"{turned:5.2f} {'█' * round(40 * share)}")


if __name__ == "__main__":
    main()
