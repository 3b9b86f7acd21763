"""Device noise on every engine that applies it, against a density matrix written apart from them."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.adapters.targets.sim.noisy import plan_noisy, run_noisy
from antiphon.adapters.targets.sim.reading import features_of
from antiphon.adapters.targets.sim.task import Ran
from antiphon.domain.circuits import Affine, Bit, Circuit, Delay, Gate, If, Measure, Operation, Register, Reset, While
from antiphon.domain.device_noise import DeviceNoise
from antiphon.domain.noise import Channel, Noise, NoiseModel, PauliChannel, Relaxation
from antiphon.domain.observables import Observable
from antiphon.domain.results import Estimated, Outcome, Sampled
from antiphon.errors import LimitError, UnsupportedProgramError
from noisy_reference import MICRO, NANO, NoisyReference, conjugated, kraus, made_up_calibration
from reference_simulator import distribution, gate_matrix
from sim_work import circuit_of, dynamic_circuits, estimating, p_value, parameter_values, sampling

NOISE = DeviceNoise(made_up_calibration())
SURE = 1e-6
"""Of a chi-square test: five standard deviations leave less."""

MEASURED = tuple(Measure(qubit, qubit) for qubit in range(3))
GENERAL = circuit_of(
    4,
    3,
    Gate("h", (1,)),
    Gate("rz", (1,), (0.7,)),
    Gate("sx", (1,)),
    Gate("cx", (1, 2)),
    Delay(1, 800 * NANO),
    Gate("rz", (2,), (1.9,)),
    Gate("sx", (2,)),
    Delay(3, 2 * MICRO),
    Gate("cz", (2, 3)),
    Gate("sx", (3,)),
    Delay(2, 1.5 * MICRO),
    Gate("cx", (2, 1)),
    Measure(3, 0),
    Measure(1, 1),
    Measure(2, 2),
)
CLIFFORD = circuit_of(
    4,
    4,
    Gate("h", (0,)),
    Gate("cx", (0, 1)),
    Delay(0, 1.1 * MICRO),
    Gate("s", (1,)),
    Gate("sx", (1,)),
    Gate("cx", (1, 2)),
    Gate("cz", (2, 3)),
    Gate("h", (0,)),
    Measure(2, 0),
    Measure(1, 1),
    Measure(0, 2),
    Measure(3, 3),
)
OBSERVABLE = Observable(4, (("IIII", 0.3), ("IIXZ", 0.7), ("IYIY", -0.4), ("ZZZI", 1.1), ("XIIZ", 0.2), ("ZIII", 0.6)))
_keys = iter(range(10**6))


SHOTS = {"aer-statevector": 4_000, "aer-density-matrix": 40_000}
"""Aer's trajectories, and its density matrices of programs that measure and go on, run shot by shot."""


def run(circuit: Circuit, engine: str, noise: Noise = NOISE, *, shots: int = 0, seed: int = 5) -> dict[str, int]:
    outcome, _ = ran(circuit, engine, noise, shots=shots or SHOTS.get(engine, 40_000), seed=seed)
    assert isinstance(outcome, Sampled)
    return dict(outcome.counts[0])


def ran(circuit: Circuit, engine: str, noise: Noise = NOISE, *, shots: int, seed: int = 5) -> tuple[Outcome, Ran]:
    # The program's own circuit is another: what runs is the compiled one.
    pub = sampling(circuit_of(1, circuit.num_clbits, Measure(0, 0)), shots=shots, seed=seed).pubs[0]
    return run_noisy(pub, circuit, noise, engine, f"test {next(_keys)}")


def estimate(circuit: Circuit, engine: str, *, shots: int | None, noise: Noise = NOISE) -> tuple[float, float]:
    gates = circuit_of(circuit.num_qubits, 0, *(op for op in circuit.operations if not isinstance(op, Measure)))
    pub = estimating(gates, OBSERVABLE, shots=shots).pubs[0]
    outcome, _ = run_noisy(pub, gates, noise, engine, f"test {next(_keys)}")
    assert isinstance(outcome, Estimated)
    return outcome.values[0], outcome.stderr[0]


def expected_value(circuit: Circuit, *, twirl: bool = False) -> float:
    gates = circuit_of(circuit.num_qubits, 0, *(op for op in circuit.operations if not isinstance(op, Measure)))
    return NoisyReference(NOISE, twirl=twirl).value(gates, OBSERVABLE)


ENGINES = [
    (GENERAL, "aer-density-matrix", False),
    (GENERAL, "aer-statevector", False),
    (GENERAL, "trajectories", True),
    (CLIFFORD, "aer-density-matrix", False),
    (CLIFFORD, "trajectories", True),
    (CLIFFORD, "stim", True),
]


@pytest.mark.parametrize(("circuit", "engine", "twirl"), ENGINES)
def test_counts_are_those_of_the_calibration(circuit: Circuit, engine: str, twirl: bool) -> None:
    counts = run(circuit, engine)
    assert p_value(counts, NoisyReference(NOISE, twirl=twirl).distribution(circuit)) > SURE


@pytest.mark.parametrize("circuit", [GENERAL, CLIFFORD])
def test_the_shots_suffice_to_see_a_wrong_model(circuit: Circuit) -> None:
    counts = run(circuit, "aer-density-matrix")
    assert p_value(counts, NoisyReference(NOISE, twirl=True).distribution(circuit)) < SURE
    untimed = circuit_of(4, circuit.num_clbits, *(op for op in circuit.operations if not isinstance(op, Delay)))
    assert p_value(counts, NoisyReference(NOISE).distribution(untimed)) < SURE


@pytest.mark.parametrize("circuit", [GENERAL, CLIFFORD])
def test_the_density_matrix_is_exact(circuit: Circuit) -> None:
    value, stderr = estimate(circuit, "aer-density-matrix", shots=None)
    assert stderr == 0.0
    assert value == pytest.approx(expected_value(circuit), abs=1e-9)


@pytest.mark.parametrize(
    ("circuit", "engine", "twirl"),
    [
        (GENERAL, "aer-density-matrix", False),
        (GENERAL, "trajectories", True),
        (CLIFFORD, "trajectories", True),
        (CLIFFORD, "stim", True),
    ],
)
def test_values_from_shots(circuit: Circuit, engine: str, twirl: bool) -> None:
    value, stderr = estimate(circuit, engine, shots=60_000)
    assert 0.0 < stderr < 0.02
    assert abs(value - expected_value(circuit, twirl=twirl)) < 5 * stderr


@pytest.mark.parametrize("engine", ["aer-density-matrix", "aer-statevector", "trajectories", "stim"])
def test_idle_qubits_that_are_measured_are_misread_as_their_own_readout_says(engine: str) -> None:
    circuit = circuit_of(4, 3, Gate("x", (2,)), Measure(3, 0), Measure(2, 1), Measure(1, 2))
    twirl = engine in ("trajectories", "stim")
    assert p_value(run(circuit, engine), NoisyReference(NOISE, twirl=twirl).distribution(circuit)) > SURE


@pytest.mark.parametrize("seconds", [0.0, 1 * MICRO, 8 * MICRO])
@pytest.mark.parametrize("engine", ["aer-density-matrix", "aer-statevector"])
def test_an_excited_qubit_decays_while_it_waits(engine: str, seconds: float) -> None:
    quiet = made_up_calibration()
    circuit = circuit_of(4, 1, Gate("x", (3,)), Delay(3, seconds), Measure(3, 0))
    counts = run(circuit, engine)
    before = NoisyReference(NOISE).branches(circuit_of(4, 0, Gate("x", (3,))))[()]
    excited = sum(before[index, index].real for index in range(16) if index >> 3 & 1)
    excited *= math.exp(-seconds / quiet.qubits[3].t1)
    p01, p10 = NOISE.readout(3)
    ones = excited * (1 - p10) + (1 - excited) * p01
    shots = sum(counts.values())
    assert abs(counts.get("1", 0) / shots - ones) < 5 * math.sqrt(ones * (1 - ones) / shots)


def test_a_qubit_in_its_ground_state_and_one_already_read_do_not_relax() -> None:
    waiting = (Delay(0, 50 * MICRO), Gate("x", (0,)), Measure(0, 0), Delay(0, 50 * MICRO))
    for engine in ("trajectories", "stim"):
        counts = run(circuit_of(1, 1, *waiting), engine)
        expected = NoisyReference(NOISE, twirl=True).distribution(circuit_of(1, 1, *waiting[1:3]))
        assert p_value(counts, expected) > SURE


def test_a_qubit_that_waits_between_two_measurements_relaxes_between_them() -> None:
    circuit = circuit_of(1, 2, Gate("x", (0,)), Measure(0, 0), Delay(0, 6 * MICRO), Measure(0, 1))
    engines = (("noisy-branching", False), ("aer-statevector", False), ("aer-density-matrix", False), ("stim", True))
    for engine, twirl in engines:
        assert p_value(run(circuit, engine), NoisyReference(NOISE, twirl=twirl).distribution(circuit)) > SURE


def teleported() -> Circuit:
    operations: tuple[Operation, ...] = (
        Gate("h", (0,)),
        Gate("rz", (0,), (0.8,)),
        Gate("sx", (0,)),
        Gate("h", (1,)),
        Gate("cx", (1, 2)),
        Gate("cx", (0, 1)),
        Gate("h", (0,)),
        Measure(0, 0),
        Measure(1, 1),
        Delay(2, 1.15 * MICRO),
        If(Bit(1), (Gate("x", (2,)),), (Delay(2, 100 * NANO),)),
        If(Bit(0), (Gate("z", (2,)),)),
        Gate("h", (2,)),
        Measure(2, 2),
    )
    return Circuit(4, (Register("m", 2, 0), Register("out", 1, 2)), (), operations)


def reset_and_reused() -> Circuit:
    return circuit_of(
        4,
        3,
        Gate("h", (1,)),
        Gate("cx", (1, 2)),
        Measure(1, 0),
        Delay(2, 900 * NANO),
        Reset(1),
        Delay(2, 400 * NANO),
        Gate("sx", (1,)),
        Gate("cx", (2, 1)),
        Measure(1, 1),
        Measure(2, 2),
    )


def repeated() -> Circuit:
    body = (Reset(0), Gate("h", (0,)), Gate("cx", (0, 1)), Measure(0, 0), Delay(1, 900 * NANO))
    return circuit_of(2, 2, Gate("x", (0,)), Measure(0, 0), While(Bit(0), body), Measure(1, 1))


@pytest.mark.parametrize("make", [teleported, reset_and_reused, repeated])
@pytest.mark.parametrize("engine", ["noisy-branching", "aer-statevector", "aer-density-matrix"])
def test_programs_that_measure_and_go_on(make: Callable[[], Circuit], engine: str) -> None:
    circuit = make()
    counts = run(circuit, engine, shots=100_000 if engine == "noisy-branching" else 4_000)
    expected = NoisyReference(NOISE).distribution(circuit)
    assert p_value(counts, expected) > SURE
    if engine == "noisy-branching":  # whose shots suffice to tell
        assert p_value(counts, NoisyReference(NoiseModel()).distribution(circuit)) < SURE


@pytest.mark.parametrize(
    ("engine", "twirl"), [("noisy-branching", False), ("aer-density-matrix", False), ("stim", True)]
)
def test_what_measuring_and_resetting_does_to_qubits(engine: str, twirl: bool) -> None:
    ones = (Gate("x", (0,)), Gate("x", (1,)), Gate("x", (2,)))
    last = (Measure(0, 1), Measure(1, 2), Measure(2, 3))
    circuit = circuit_of(3, 4, *ones, Measure(0, 0), Gate("x", (0,)), Reset(1), *last)
    noise = DeviceNoise(replace(NOISE.calibration, crosstalk=0.06))
    counts = run(circuit, engine, noise, shots=10_000)
    assert p_value(counts, NoisyReference(noise, twirl=twirl).distribution(circuit)) > SURE
    for left_out in ({"crosstalk": 0.0}, {"measure_s": 0.0}, {"resets_by_measuring": False}):
        without = DeviceNoise(replace(noise.calibration, **left_out))
        assert p_value(counts, NoisyReference(without, twirl=twirl).distribution(circuit)) < SURE, left_out


def test_wide_clifford_programs_that_branch() -> None:
    chain: list[Operation] = [Gate("x", (2,)), *(Gate("cx", (q, q + 1)) for q in range(2, 24))]
    chain += [Measure(24, 0), If(Bit(0), (Gate("x", (23,)),)), Measure(23, 1)]
    circuit = circuit_of(25, 2, *chain)
    noise = NoiseModel(depolarizing_2q=0.004, readout_p01=0.02, readout_p10=0.1)
    pub = sampling(circuit, shots=4_000).pubs[0]
    assert plan_noisy(pub, circuit, noise).engine == "aer-stabilizer"
    outcome, _ = run_noisy(pub, circuit, noise, "aer-stabilizer", f"test {next(_keys)}")
    assert isinstance(outcome, Sampled)
    ones = outcome.counts[0].get("01", 0) / 4_000
    # All ones along the chain, read right (0.9), flipped back and read right (0.98), if no error came between.
    assert 0.9 * 0.98 * (1 - 22 * 0.004) < ones < 0.9 * 0.98


def test_a_branch_follows_the_misread_bit() -> None:
    misread = NoiseModel(readout_p10=0.25)
    circuit = circuit_of(2, 2, Gate("x", (0,)), Measure(0, 0), If(Bit(0), (Gate("x", (1,)),)), Measure(1, 1))
    for engine in ("noisy-branching", "aer-statevector", "aer-density-matrix"):
        assert (
            p_value(run(circuit, engine, misread, shots=4_000), {"00": 0.25, "01": 0.75 * 0.25, "11": 0.75**2}) > SURE
        )


def test_parameters_are_bound_in_the_compiled_circuit() -> None:
    gates = (Gate("sx", (1,)), Gate("rz", (1,), (Affine(0.1, ((0, 2.0),)),)), Gate("sx", (1,)), Gate("cx", (1, 2)))
    circuit = circuit_of(4, 3, *gates, *(Measure(qubit, qubit) for qubit in (1, 2)), parameters=("a",))
    program = circuit_of(1, 3, Measure(0, 0), parameters=("a",))
    pub = sampling(program, [[0.3], [1.1]], shots=5_000).pubs[0]
    for engine, twirl in (("aer-density-matrix", False), ("trajectories", True), ("aer-statevector", False)):
        outcome, _ = run_noisy(pub, circuit, NOISE, engine, "parametrised")
        assert isinstance(outcome, Sampled)
        for counts, value in zip(outcome.counts, (0.3, 1.1), strict=True):
            assert p_value(counts, NoisyReference(NOISE, twirl=twirl).distribution(circuit, [value])) > SURE


class Odd:
    """Noise of every shape that the protocol allows: on three qubits, of one string alone, after a reset."""

    heeds_time = True
    is_trivial = False

    def after(self, operation: Operation) -> tuple[Channel, ...]:
        match operation:
            case Reset(qubit):
                return (PauliChannel((qubit,), (("X", 0.2),)),)
            case Gate("cx", (a, b)):
                other = 3 - a - b
                strings = (("XYZ", 0.15), ("IIX", 0.1), ("ZXI", 0.05))
                return (Relaxation(b, MICRO, 4 * MICRO, 6 * MICRO), PauliChannel((b, other, a), strings))
            case Gate("x", (a,)):
                return (PauliChannel((a,), (("Y", 1.0),)),)
            case Delay(a, seconds):
                return (Relaxation(a, seconds, math.inf, 3 * MICRO),)
            case _:
                return ()

    def readout(self, qubit: int) -> tuple[float, float]:
        return 0.0, 0.1 * qubit

    def on(self, qubits: tuple[int, ...]) -> Noise:
        assert qubits == (0, 1, 2)
        return self


ODD_START = (
    Gate("h", (0,)),
    Gate("cx", (0, 1)),
    Gate("x", (2,)),
    Delay(0, 2 * MICRO),
    Gate("h", (0,)),
    Gate("cx", (1, 2)),
)


@pytest.mark.parametrize("engine", ["aer-density-matrix", "aer-statevector", "trajectories", "noisy-branching", "stim"])
def test_any_noise_of_the_protocol(engine: str) -> None:
    again = (Reset(0), Gate("cx", (1, 0))) if engine != "trajectories" else ()
    circuit = circuit_of(3, 3, *ODD_START, *again, *MEASURED)
    twirl = engine in ("trajectories", "stim")
    assert (
        p_value(run(circuit, engine, Odd(), shots=6_000), NoisyReference(Odd(), twirl=twirl).distribution(circuit))
        > SURE
    )


@given(circuit=dynamic_circuits(), values=parameter_values(), seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_splitting_follows_any_control_flow(circuit: Circuit, values: list[float], seed: int) -> None:
    pub = sampling(circuit, values, shots=400, seed=seed).pubs[0]
    key = f"test {next(_keys)}"
    if not features_of(circuit).dynamic:
        return
    outcome, _ = run_noisy(pub, circuit, NoiseModel(), "noisy-branching", key)
    assert isinstance(outcome, Sampled)
    assert p_value(outcome.counts[0], distribution(circuit, values)) > SURE


def test_gates_whose_chances_all_differ_are_drawn_each_with_its_own() -> None:
    names = [("sx", 1), ("h", 1), ("sx", 2), ("h", 2), ("sx", 0), ("x", 1), ("x", 2), ("sx", 3), ("h", 3), ("x", 3)]
    gates = [Gate(name, (qubit,)) for name, qubit in names]
    gates += [Gate("cx", (0, 1)), Gate("cz", (1, 2)), Gate("cx", (3, 2)), Gate("rz", (1,), (0.4,)), Gate("h", (0,))]
    circuit = circuit_of(4, 3, *gates, *MEASURED)
    counts = run(circuit, "trajectories", shots=100_000)
    assert p_value(counts, NoisyReference(NOISE, twirl=True).distribution(circuit)) > SURE


@pytest.mark.parametrize(("name", "qubits"), [("x", (0,)), ("sx", (1,)), ("h", (3,)), ("cx", (0, 1)), ("cz", (3, 2))])
def test_gate_and_relaxation_have_the_calibrated_infidelity(name: str, qubits: tuple[int, ...]) -> None:
    dimension = 2 ** len(qubits)
    ideal = gate_matrix(name)
    # Average fidelity from the overlap of Choi states: F = (d·F_process + 1) / (d + 1).
    size = dimension**2
    pairs = range(dimension)
    entangled = np.zeros(size, dtype=complex)
    entangled[[index * dimension + index for index in pairs]] = 1 / math.sqrt(dimension)
    width = 2 * len(qubits)
    rho = conjugated(np.outer(entangled, entangled.conj()), ideal, range(len(qubits)))
    target = rho.copy()
    places = {qubit: place for place, qubit in enumerate(qubits)}
    for channel in NOISE.after(Gate(name, qubits)):
        rho = sum(
            (
                conjugated(rho, matrix, [places[q] for q in on_qubits])
                for matrix, on_qubits in kraus(channel, twirl=False)
            ),
            np.zeros((2**width, 2**width), dtype=complex),
        )
    process = float(np.trace(target @ rho).real)
    average = (dimension * process + 1) / (dimension + 1)
    assert 1 - average == pytest.approx(NOISE.calibration.gates[name][qubits].error, abs=1e-10)


def test_a_gate_that_the_device_has_not_is_refused() -> None:
    circuit = circuit_of(4, 1, Gate("t", (0,)), Measure(0, 0))
    pub = sampling(circuit, shots=10).pubs[0]
    with pytest.raises(UnsupportedProgramError, match="'t' on 0 is not native"):
        run_noisy(pub, circuit, NOISE, "trajectories", "not native")


def test_the_engine_follows_the_program() -> None:
    def engine(circuit: Circuit, shots: int = 1000) -> str:
        pub = sampling(circuit_of(1, 1, Measure(0, 0)), shots=shots).pubs[0]
        return plan_noisy(pub, circuit, WIDE).engine

    assert engine(CLIFFORD) == "stim"
    assert engine(GENERAL) == "aer-density-matrix"
    line = [Gate("rz", (q,), (0.3,)) for q in range(12)] + [Gate("cx", (q, q + 1)) for q in range(11)]
    assert engine(circuit_of(12, 1, *line, Measure(11, 0))) == "trajectories"
    assert engine(teleported()) == "noisy-branching"
    with pytest.raises(LimitError, match="too wide"):
        engine(circuit_of(40, 1, *(Gate("rz", (q,), (0.3,)) for q in range(40)), Measure(0, 0)))


WIDE = NoiseModel(depolarizing_1q=0.01, depolarizing_2q=0.02)
