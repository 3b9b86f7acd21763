"""What every target that runs here promises alike; one suite over all of them.

Emulated devices are in it as they would be without noise: compiled, routed and scheduled, and exact.
"""

import math
import pickle

import numpy as np
import pytest

from antiphon.adapters.targets.sim import build_drivers
from antiphon.domain.circuits import Affine, Bit, Circuit, Gate, If, Measure, Register, Reset
from antiphon.domain.observables import Observable
from antiphon.domain.results import Execution, Sampled
from antiphon.domain.work import JobKind, Pub, Work
from antiphon.errors import AntiphonError, LimitError, ObservableError, ParameterError, UnsupportedProgramError
from antiphon.ports.target_driver import TargetDriver
from emu_devices import perfect
from sim_work import (
    assert_samples,
    circuit_of,
    counts_of,
    estimated,
    estimating,
    iterative_phase_estimation,
    program_of,
    sampling,
    sets_of,
    teleportation,
)

DEVICES = ("emu.heron", "emu.falcon", "emu.willow", "emu.ion")
SIMULATORS = build_drivers()
DRIVERS: dict[str, TargetDriver] = {**SIMULATORS, **{name: perfect(name) for name in DEVICES}}


@pytest.fixture(params=sorted(DRIVERS))
def driver(request: pytest.FixtureRequest) -> TargetDriver:
    return DRIVERS[str(request.param)]


def run(driver: TargetDriver, work: Work) -> Execution:
    return driver.execute(work, driver.plan(work))


def uniform(num_qubits: int = 4) -> Circuit:
    gates = [Gate("h", (qubit,)) for qubit in range(num_qubits)]
    return circuit_of(num_qubits, num_qubits, *gates, *(Measure(qubit, qubit) for qubit in range(num_qubits)))


def test_it_declares_itself(driver: TargetDriver) -> None:
    info = driver.info
    assert (info.name.split(".")[0], info.kind) in (("sim", "simulator"), ("emu", "emulator"))
    assert (info.device is None) == (info.kind == "simulator")
    assert info.version
    assert info.limits.max_qubits >= 10
    assert info.takes_noise == ("noise" in info.options)
    assert all(help_line for help_line in info.options.values())
    assert info is driver.info


def test_bit_0_is_rightmost(driver: TargetDriver) -> None:
    circuit = circuit_of(3, 3, Gate("x", (0,)), *(Measure(qubit, qubit) for qubit in range(3)))
    assert counts_of(run(driver, sampling(circuit))) == {"001": 1000}


def test_a_permuted_measurement_goes_where_it_says(driver: TargetDriver) -> None:
    circuit = circuit_of(3, 3, Gate("x", (0,)), Measure(0, 2), Measure(1, 0), Measure(2, 1))
    assert counts_of(run(driver, sampling(circuit))) == {"100": 1000}


def test_registers_stand_last_declared_leftmost_and_unmeasured_bits_read_0(driver: TargetDriver) -> None:
    registers = (Register("a", 2, 0), Register("b", 1, 2), Register("c", 2, 3))
    operations = (Gate("x", (1,)), Measure(1, 1), Measure(1, 2), Measure(0, 3))
    circuit = Circuit(2, registers, (), operations)
    assert counts_of(run(driver, sampling(circuit))) == {"00 1 10": 1000}


def test_entangled_counts(driver: TargetDriver) -> None:
    gates = (Gate("h", (0,)), Gate("cx", (0, 1)), Gate("cx", (1, 2)))
    circuit = circuit_of(3, 3, *gates, *(Measure(qubit, qubit) for qubit in range(3)))
    assert_samples(counts_of(run(driver, sampling(circuit))), circuit)


def test_the_same_seed_gives_the_same_counts(driver: TargetDriver) -> None:
    first, again = (run(driver, sampling(uniform(), seed=5)).outcomes for _ in range(2))
    assert first == again


def test_neighbouring_seeds_share_nothing(driver: TargetDriver) -> None:
    found = [counts_of(run(driver, sampling(uniform(), seed=seed))) for seed in (5, 6, 7)]
    assert found[0] != found[1] != found[2] != found[0]
    # A shift by one shot would move at most two outcomes by one.
    assert sum(abs(found[0].get(key, 0) - found[1].get(key, 0)) for key in {*found[0], *found[1]}) > 10


def test_parameters_bind_to_every_digit(driver: TargetDriver) -> None:
    turned = Gate("rx", (0,), (Affine(0.0, ((0, 1.0),)),))
    circuit = Circuit(1, (Register("c", 1, 0),), ("θ",), (turned, Measure(0, 0)))
    work = sampling(circuit, [[math.pi], [0.0], [3 * math.pi]])
    outcome = run(driver, work).outcomes[0]
    assert isinstance(outcome, Sampled)
    assert outcome.shape == (3,)
    assert outcome.counts == ({"1": 1000}, {"0": 1000}, {"1": 1000})


def test_exact_values(driver: TargetDriver) -> None:
    circuit = circuit_of(2, 0, Gate("h", (0,)), Gate("cx", (0, 1)), Gate("s", (0,)))
    observables = [Observable(2, (("II", 0.5), (pauli, 2.0))) for pauli in ("XY", "YX", "ZZ", "IZ", "XX")]
    found = estimated(run(driver, estimating(circuit, observables, shape=(5,))))
    np.testing.assert_allclose(found.values, [2.5, 2.5, 2.5, 0.5, 0.5], atol=1e-9)
    assert found.shape == (5,)
    assert found.stderr == (0.0,) * 5
    assert found.shots is None


def test_values_from_shots_come_with_their_error(driver: TargetDriver) -> None:
    circuit = circuit_of(2, 0, Gate("h", (0,)))
    observable = Observable(2, (("IX", 1.0), ("IZ", 1.0)))
    found = estimated(run(driver, estimating(circuit, observable, shots=1000)))
    assert found.shots == 1000
    assert 0.02 < found.stderr[0] < 0.08
    assert abs(found.values[0] - 1.0) < 5 * found.stderr[0]


def test_mid_circuit_measurement_and_reset(driver: TargetDriver) -> None:
    operations = (Gate("x", (0,)), Measure(0, 0), Reset(0), Measure(0, 1), Gate("x", (0,)), Measure(0, 2))
    assert counts_of(run(driver, sampling(circuit_of(1, 3, *operations)))) == {"101": 1000}


def test_a_branch_on_a_measured_bit(driver: TargetDriver) -> None:
    operations = (
        Gate("h", (0,)),
        Measure(0, 0),
        If(Bit(0), (Gate("x", (1,)),), (Gate("x", (2,)),)),
        Measure(1, 1),
        Measure(2, 2),
    )
    circuit = circuit_of(3, 3, *operations)
    assert_samples(counts_of(run(driver, sampling(circuit))), circuit)


@pytest.mark.parametrize("circuit", [teleportation(), iterative_phase_estimation(0.3)])
def test_protocols(driver: TargetDriver, circuit: Circuit) -> None:
    if driver.info.name == "sim.stabilizer":
        with pytest.raises(UnsupportedProgramError, match="Clifford"):
            driver.plan(sampling(circuit))
    else:
        assert_samples(counts_of(run(driver, sampling(circuit))), circuit)


def test_a_batch_of_different_widths_is_not_padded(driver: TargetDriver) -> None:
    pubs = tuple(Pub(program_of(uniform(width)), sets_of(uniform(width)), 100, width) for width in (1, 3, 2))
    outcomes = run(driver, Work(JobKind.BATCH, pubs)).outcomes
    widths = [{len(key) for key in outcome.counts[0]} for outcome in outcomes if isinstance(outcome, Sampled)]
    assert widths == [{1}, {3}, {2}]


def test_work_and_plan_can_be_pickled(driver: TargetDriver) -> None:
    work = sampling(uniform())
    plan = driver.plan(work)
    there = build_drivers().get(driver.info.name) or perfect(driver.info.name)
    assert there.execute(*pickle.loads(pickle.dumps((work, plan)))).outcomes == driver.execute(work, plan).outcomes


def test_the_record_says_what_ran(driver: TargetDriver) -> None:
    told = run(driver, sampling(uniform())).provenance
    assert {"engine", "engine_version", "method", "precision", "why", "engine_s", "num_calls"} <= set(told)


@pytest.mark.parametrize(
    ("work", "kind"),
    [
        (sampling(uniform(), shots=0), LimitError),
        (sampling(uniform(), shots=10**12), LimitError),
        (sampling(uniform(), colour="red"), UnsupportedProgramError),
        (sampling(circuit_of(1, 1, Gate("h", (0,)))), AntiphonError),
        (sampling(circuit_of(20_000, 1, *(Gate("h", (q,)) for q in range(20_000)), Measure(0, 0))), LimitError),
        (estimating(uniform(2), Observable(3, (("ZZZ", 1.0),))), ObservableError),
        (
            estimating(Circuit(1, (), ("θ",), (Gate("x", (0,)),)), Observable(1, (("Z", 1.0),)), [math.nan]),
            ParameterError,
        ),
        (
            estimating(circuit_of(1, 1, Gate("h", (0,)), Measure(0, 0), Gate("h", (0,))), Observable(1, (("Z", 1.0),))),
            UnsupportedProgramError,
        ),
    ],
)
def test_refusals_are_typed_and_say_the_way_out(driver: TargetDriver, work: Work, kind: type[AntiphonError]) -> None:
    with pytest.raises(kind) as caught:
        driver.plan(work)
    assert caught.value.message
    assert caught.value.next_step
