"""Sampling: wide, entangled, Clifford and noisy circuits, one job end to end beside the SDKs' own simulators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import cirq
import numpy as np
from numpy.typing import NDArray

from bench.cirq_sides import cirq_counts
from bench.measure import DisagreementError, Pass, Refused, Row, Side, Timer, at_most_memory, compare, tried
from bench.ours import fresh_lab
from bench.problems import ghz, hardware_efficient, ising_quench, qaoa_sampling, random_clifford_layers
from bench.registry import Settings, case

NOISE = {"depolarizing_1q": 0.001, "depolarizing_2q": 0.01, "readout_p01": 0.02, "readout_p10": 0.02}
AER, AER_DENSITY = "Aer, its default", "Aer density_matrix"
SAMPLER = "StatevectorSampler"
CIRQ, CIRQ_DENSITY, CIRQ_CLIFFORD = "cirq.Simulator", "cirq DensityMatrixSimulator", "cirq CliffordSimulator"

Counts: TypeAlias = Callable[[Any, int], Mapping[str, int]]
"""Counts at bound parameters (None without any) with a seed."""


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


def aer_counts(circuit: Any, shots: int, *, method: str = "automatic", noise: Any = None) -> Counts:
    """Counts by `AerSimulator.run`, parameters bound for each call; the circuit holds only gates that Aer takes."""
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(method=method, noise_model=noise, max_parallel_threads=1)

    def run(parameters: Any, seed: int) -> Mapping[str, int]:
        bound = circuit if parameters is None else circuit.assign_parameters(parameters)
        counts: Mapping[str, int] = simulator.run(bound, shots=shots, seed_simulator=seed).result().get_counts()
        return counts

    return run


def sampler_counts(circuit: Any, shots: int) -> Counts:
    """Counts by `qiskit.primitives.StatevectorSampler`, Qiskit's reference."""
    from qiskit.primitives import StatevectorSampler

    def run(parameters: Any, seed: int) -> Mapping[str, int]:
        pub = (circuit,) if parameters is None else (circuit, parameters)
        (found,) = StatevectorSampler(seed=seed).run([pub], shots=shots).result()
        counts: Mapping[str, int] = found.data.meas.get_counts()
        return counts

    return run


def repeated(run: Counts, num_parameters: int, repeats: int) -> Side:
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


def unwarmed(run: Counts, num_parameters: int) -> Side:
    """One call a pass of a peer so slow that nothing it does once can show in its time."""

    def side(number: int) -> Pass:
        parameters = np.random.default_rng(number).uniform(-np.pi, np.pi, num_parameters) if num_parameters else None
        with Timer() as timer:
            counts = run(parameters, 1_000 * number)
        return Pass(timer.seconds, 1, counts)

    return side


def _compare(
    name: str,
    circuit: Any,
    settings: Settings,
    peers: Mapping[str, Side | Refused],
    *,
    shots: int,
    repeats: int,
    aims: Mapping[str, float],
    note: str,
    slow: Mapping[str, Side] | None = None,
    options: Mapping[str, Any] | None = None,
) -> list[Row]:
    with fresh_lab() as lab:
        target = lab.target

        def ours(parameters: Any, seed: int) -> Mapping[str, int]:
            job = target.submit(circuit, parameters=parameters, shots=shots, seed=seed, **(options or {}))
            counts: Mapping[str, int] = job.result().counts
            return counts

        return compare(
            name,
            "job",
            repeated(ours, circuit.num_parameters, repeats),
            {**peers, **(slow or {})},
            rounds=settings.rounds,
            check=check_marginals,
            aims=aims,
            at_most=dict.fromkeys(slow or {}, 1),
            note=note,
        )


@case("sampling_20q")
def sampling_20q(settings: Settings) -> list[Row]:
    """A hardware-efficient circuit of depth 10 on 20 qubits, 1000 shots."""
    circuit = hardware_efficient(14 if settings.quick else 20, 10)
    count, once = circuit.num_parameters, partial(repeated, num_parameters=circuit.num_parameters, repeats=1)
    return _compare(
        "sampling_20q",
        circuit,
        settings,
        {AER: once(aer_counts(circuit, 1000)), CIRQ: once(cirq_counts(circuit, cirq.Simulator, 1000))},
        slow={SAMPLER: unwarmed(sampler_counts(circuit, 1000), count)},
        shots=1000,
        repeats=1,
        aims={AER: 0.15, CIRQ: 0.15, SAMPLER: 0.15},
        note="efficient SU(2), 10 repetitions, 1000 shots; parameters bound for each job",
    )


@case("sampling_qaoa")
def sampling_qaoa_16(settings: Settings) -> list[Row]:
    """MaxCut by QAOA, p = 3, on 16 nodes, 1000 shots."""
    circuit = qaoa_sampling()
    few = 2 if settings.quick else 10
    each = partial(repeated, num_parameters=circuit.num_parameters)
    return _compare(
        "sampling_qaoa",
        circuit,
        settings,
        {
            AER: each(aer_counts(circuit, 1000), repeats=few),
            CIRQ: each(cirq_counts(circuit, cirq.Simulator, 1000), repeats=few),
            SAMPLER: each(sampler_counts(circuit, 1000), repeats=1),
        },
        shots=1000,
        repeats=few,
        aims={AER: 0.2, CIRQ: 0.2, SAMPLER: 0.2},
        note="QAOA, p = 3, a 3-regular graph of 16 nodes, 1000 shots; parameters bound for each job",
    )


@case("clifford_100q")
def clifford_100q(settings: Settings) -> list[Row]:
    """GHZ, and 20 random Clifford layers, on 100 qubits, 1000 shots; submitted again and again."""
    rows: list[Row] = []
    repeats = 2 if settings.quick else 5
    for name, circuit in (("ghz", ghz(100)), ("random", random_clifford_layers(100, 20, seed=3))):
        slow = {CIRQ_CLIFFORD: unwarmed(cirq_counts(circuit, cirq.CliffordSimulator, 1000), 0)}
        rows += _compare(
            f"clifford_100q {name}",
            circuit,
            settings,
            {AER: repeated(aer_counts(circuit, 1000), 0, repeats)},
            slow={} if settings.quick else slow,
            shots=1000,
            repeats=repeats,
            aims={AER: 0.1, CIRQ_CLIFFORD: 0.1},
            note="1000 shots; the circuit was submitted before, so it is converted already",
        )
    return rows


@case("entangled_little_50q")
def entangled_little_50q(settings: Settings) -> list[Row]:
    """A quench of an Ising chain of 50 spins: far too wide for a state vector, and entangled little."""
    circuit = ising_quench(50, 5)
    with at_most_memory(2**31):  # Cirq takes gigabyte after gigabyte for two minutes before it finds that it cannot
        in_cirq = tried(lambda: repeated(cirq_counts(circuit, cirq.Simulator, 1000), 0, 1))
    return _compare(
        "entangled_little_50q",
        circuit,
        settings,
        {
            AER: tried(lambda: repeated(aer_counts(circuit, 1000), 0, 1)),
            "Aer matrix_product_state": repeated(aer_counts(circuit, 1000, method="matrix_product_state"), 0, 1),
            SAMPLER: tried(lambda: repeated(sampler_counts(circuit, 1000), 0, 1)),
            CIRQ: in_cirq,
        },
        shots=1000,
        repeats=1,
        aims={"Aer matrix_product_state": 1.0},
        note="five Trotter steps of an Ising chain of 50 spins, bond dimension at most 32, 1000 shots; Cirq has 2 GiB",
    )


@case("noisy_10q")
def noisy_10q(settings: Settings) -> list[Row]:
    """Depolarising and readout noise on 10 qubits, 4000 shots."""
    from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(NOISE["depolarizing_1q"], 1), ["ry", "rz"])
    model.add_all_qubit_quantum_error(depolarizing_error(NOISE["depolarizing_2q"], 2), ["cx"])
    p = NOISE["readout_p01"]
    model.add_all_qubit_readout_error(ReadoutError([[1 - p, p], [p, 1 - p]]))
    circuit = hardware_efficient(10, 2 if settings.quick else 4)
    once = partial(repeated, num_parameters=circuit.num_parameters, repeats=1)
    density = cirq_counts(circuit, cirq.DensityMatrixSimulator, 4000, NOISE)
    slow = {CIRQ_DENSITY: unwarmed(density, circuit.num_parameters)}
    return _compare(
        "noisy_10q",
        circuit,
        settings,
        {
            AER: once(aer_counts(circuit, 4000, noise=model)),
            AER_DENSITY: once(aer_counts(circuit, 4000, method="density_matrix", noise=model)),
        },
        slow={} if settings.quick else slow,
        shots=4000,
        repeats=1,
        aims=dict.fromkeys((AER, AER_DENSITY, CIRQ_DENSITY), 0.2),
        note="efficient SU(2), 4 repetitions, 4000 shots; depolarising 0.1 % and 1 %, readout 2 %",
        options={"noise": NOISE},
    )
