"""Sampling: wide, Clifford and noisy circuits, one job end to end beside Aer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measure import DisagreementError, Pass, Row, Side, Timer, compare
from bench.ours import fresh_lab
from bench.problems import ghz, hardware_efficient, random_clifford_layers
from bench.registry import Settings, case

NOISE = {"depolarizing_1q": 0.001, "depolarizing_2q": 0.01, "readout_p01": 0.02, "readout_p10": 0.02}


def bit_means(counts: Mapping[str, int]) -> NDArray[np.float64]:
    """How often each bit reads 1, the leftmost character first."""
    bits = np.array([[character == "1" for character in key] for key in counts], dtype=float)
    weights = np.array(list(counts.values()), dtype=float)
    return np.asarray(weights @ bits / weights.sum())


def check_marginals(peer: str, ours: Mapping[str, int], theirs: Mapping[str, int]) -> None:
    """Both have the same shots, and each bit is 1 equally often up to six standard errors: no bit moved, none lost."""
    shots = sum(ours.values())
    if shots != sum(theirs.values()):
        message = f"Antiphon returned {shots} shots, {peer} {sum(theirs.values())}"
        raise DisagreementError(message)
    away = np.abs(bit_means(ours) - bit_means(theirs))
    tolerance = 6 * (0.5 / shots) ** 0.5
    if away.max() > tolerance:
        message = f"bit {int(away.argmax())} from the left differs from {peer} by {away.max():.3f} in {shots} shots"
        raise DisagreementError(message)


def aer_counts(circuit: Any, shots: int, *, method: str, noise: Any = None) -> Callable[[Any, int], Mapping[str, int]]:
    """Counts by `AerSimulator.run`, parameters bound for each call; the circuit holds only gates that Aer takes."""
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(method=method, noise_model=noise, max_parallel_threads=1)

    def run(parameters: Any, seed: int) -> Mapping[str, int]:
        bound = circuit if parameters is None else circuit.assign_parameters(parameters)
        counts: Mapping[str, int] = simulator.run(bound, shots=shots, seed_simulator=seed).result().get_counts()
        return counts

    return run


def repeated(run: Callable[[Any, int], Mapping[str, int]], num_parameters: int, repeats: int) -> Side:
    """`repeats` calls a pass, each with its own parameters and seed, the same for every side; the last is compared."""
    inputs = np.random.default_rng(5).uniform(-np.pi, np.pi, num_parameters)

    def side(number: int) -> Pass:
        rng = np.random.default_rng(number)
        sets = [rng.uniform(-np.pi, np.pi, num_parameters) if num_parameters else None for _ in range(repeats)]
        with Timer() as timer:
            for index, parameters in enumerate(sets):
                counts = run(parameters, 1_000 * number + index)
        return Pass(timer.seconds, repeats, counts)

    run(inputs if num_parameters else None, 0)  # warm: compiled, converted and cached on every side alike
    return side


def _compare(
    name: str,
    circuit: Any,
    settings: Settings,
    peers: Mapping[str, tuple[str, Any]],
    *,
    shots: int,
    repeats: int,
    aims: Mapping[str, float],
    note: str,
    options: Mapping[str, Any] | None = None,
) -> list[Row]:
    count = circuit.num_parameters
    with fresh_lab() as lab:
        target = lab.target

        def ours(parameters: Any, seed: int) -> Mapping[str, int]:
            job = target.submit(circuit, parameters=parameters, shots=shots, seed=seed, **(options or {}))
            counts: Mapping[str, int] = job.result().counts
            return counts

        return compare(
            name,
            "job",
            repeated(ours, count, repeats),
            {
                peer: repeated(aer_counts(circuit, shots, method=method, noise=noise), count, repeats)
                for peer, (method, noise) in peers.items()
            },
            rounds=settings.rounds,
            check=check_marginals,
            aims=aims,
            note=note,
        )


@case("sampling_20q")
def sampling_20q(settings: Settings) -> list[Row]:
    """A hardware-efficient circuit of depth 10 on 20 qubits, 1000 shots."""
    peers = {"Aer automatic": ("automatic", None), "Aer statevector": ("statevector", None)}
    return _compare(
        "sampling_20q",
        hardware_efficient(16 if settings.quick else 20, 10),
        settings,
        peers,
        shots=1000,
        repeats=1,
        aims=dict.fromkeys(peers, 0.15),
        note="efficient SU(2), 10 repetitions, 1000 shots; parameters bound for each job",
    )


@case("clifford_100q")
def clifford_100q(settings: Settings) -> list[Row]:
    """GHZ, and 20 random Clifford layers, on 100 qubits, 1000 shots; submitted again and again."""
    rows: list[Row] = []
    for name, circuit in (("ghz", ghz(100)), ("random", random_clifford_layers(100, 20, seed=3))):
        rows += _compare(
            f"clifford_100q {name}",
            circuit,
            settings,
            {"Aer stabilizer": ("stabilizer", None), "Aer automatic": ("automatic", None)},
            shots=1000,
            repeats=2 if settings.quick else 5,
            aims={"Aer stabilizer": 0.1},
            note="1000 shots; the circuit was submitted before, so it is converted already",
        )
    return rows


@case("noisy_10q")
def noisy_10q(settings: Settings) -> list[Row]:
    """Depolarising and readout noise on 10 qubits, 4000 shots."""
    from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(NOISE["depolarizing_1q"], 1), ["ry", "rz"])
    model.add_all_qubit_quantum_error(depolarizing_error(NOISE["depolarizing_2q"], 2), ["cx"])
    p = NOISE["readout_p01"]
    model.add_all_qubit_readout_error(ReadoutError([[1 - p, p], [p, 1 - p]]))
    return _compare(
        "noisy_10q",
        hardware_efficient(10, 2 if settings.quick else 4),
        settings,
        {"Aer automatic": ("automatic", model), "Aer density_matrix": ("density_matrix", model)},
        shots=4000,
        repeats=1,
        aims=dict.fromkeys(("Aer automatic", "Aer density_matrix"), 0.2),
        note="efficient SU(2), 4 repetitions, 4000 shots; depolarising 0.1 % and 1 %, readout 2 %",
        options={"noise": NOISE},
    )
