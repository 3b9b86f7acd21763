import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antiphon.adapters.targets.emu import build_drivers
from antiphon.adapters.targets.emu import driver as driver_module
from antiphon.adapters.targets.emu.cache import CompiledCache
from antiphon.adapters.targets.emu.declared import DEVICES
from antiphon.adapters.targets.emu.driver import EmuDriver
from antiphon.domain.calibrations import GateFigures, QubitFigures
from antiphon.domain.circuits import (
    Affine,
    Bit,
    Circuit,
    Delay,
    Gate,
    If,
    Measure,
    Operation,
    Register,
    Reset,
    While,
)
from antiphon.domain.devices import Counted, DeviceLimit, DeviceShape
from antiphon.domain.observables import Observable
from antiphon.domain.programs import Profile
from antiphon.domain.work import JobKind, Pub, Work
from antiphon.errors import LimitError, UnsupportedProgramError
from antiphon.ports.device_driver import RUN_UNDER, DeviceDriver
from emu_devices import line_calibration, made_up, noise_free
from sim_work import circuit_of, counts_of, estimated, estimating, program_of, sampling, sets_of, teleportation

SHOTS = 10_000


@pytest.fixture
def drivers(tmp_path: Path) -> Mapping[str, EmuDriver]:
    return {name: EmuDriver(name, store=CompiledCache(tmp_path)) for name in DEVICES}


def ghz(width: int) -> Circuit:
    gates = [Gate("h", (0,)), *(Gate("cx", (qubit, qubit + 1)) for qubit in range(width - 1))]
    return circuit_of(width, width, *gates, *(Measure(qubit, qubit) for qubit in range(width)))


def ran(driver: EmuDriver, work: Work) -> Mapping[str, int]:
    return counts_of(driver.execute(work, driver.plan(work)))


def shape_of(driver: EmuDriver) -> DeviceShape:
    shape = driver.info.device
    assert shape is not None
    return shape


def close(chance: float, expected: float, shots: int = SHOTS) -> bool:
    return abs(chance - expected) < 5 * math.sqrt(expected * (1 - expected) / shots) + 1e-9


def test_every_device_is_built_and_is_one() -> None:
    built = build_drivers()
    assert tuple(built) == DEVICES
    for driver in built.values():
        assert isinstance(driver, DeviceDriver)
        assert driver.info.kind == "emulator"
        assert driver.info.device is not None
        json.dumps(driver.info.to_json())


# --- Noise ------------------------------------------------------------------------------------------------------------


def test_a_pulse_and_a_misread_qubit_are_what_the_calibration_says(tmp_path: Path) -> None:
    # Without relaxation a gate of infidelity e depolarises with p = 2e, so that 1 flips with probability e.
    figures = QubitFigures(math.inf, math.inf, 0.02, 0.07)
    calibration = line_calibration(2, one=GateFigures(0.03, 1e-7), qubits={0: figures, 1: figures})
    driver = made_up(calibration, folder=tmp_path)
    counts = ran(driver, sampling(circuit_of(1, 1, Gate("x", (0,)), Measure(0, 0)), shots=SHOTS, layout=[0]))
    assert close(counts["1"] / SHOTS, 0.97 * (1 - 0.07) + 0.03 * 0.02)


def test_a_qubit_decays_while_it_waits(tmp_path: Path) -> None:
    t1 = 50e-6
    calibration = line_calibration(2, qubits={0: QubitFigures(t1, t1, 0.0, 0.0)})
    driver = made_up(calibration, folder=tmp_path)
    operations = (Gate("x", (0,)), Delay(0, 30e-6), Gate("rz", (0,), (0.1,)))
    work = estimating(circuit_of(1, 0, *operations), Observable(1, (("Z", 1.0),)), layout=[0])
    plan = driver.plan(work)
    assert plan.engine == ("aer-density-matrix",)
    value = estimated(driver.execute(work, plan)).values[0]
    # The perfect gate's own 0.1 µs relax as well: it cannot be better than the qubit.
    assert value == pytest.approx(1 - 2 * math.exp(-30.1e-6 / t1), abs=2e-3)


@pytest.mark.parametrize("name", DEVICES)
def test_entangled_states_come_as_often_as_expected(name: str, drivers: Mapping[str, EmuDriver]) -> None:
    work = sampling(ghz(4), shots=SHOTS)
    plan = drivers[name].plan(work)
    counts = counts_of(drivers[name].execute(work, plan))
    right = (counts["0000"] + counts["1111"]) / SHOTS
    expected = plan.details["programs"][0]["expected_fidelity"]
    # Errors that change no count (phases) and that cancel are not seen: it comes out a little better, never worse.
    assert expected - 0.01 < right < 1 - (1 - expected) / 4


def test_a_cliffords_width_costs_nothing(drivers: Mapping[str, EmuDriver]) -> None:
    work = sampling(ghz(27), shots=4000)
    plan = drivers["emu.heron"].plan(work)
    assert plan.engine == ("stim",)
    assert plan.cost < 0.1
    counts = counts_of(drivers["emu.heron"].execute(work, plan))
    assert sum(counts.values()) == 4000
    assert (counts["0" * 27] + counts["1" * 27]) / 4000 > plan.details["programs"][0]["expected_fidelity"]


def test_each_state_is_right_more_often_on_the_better_device(drivers: Mapping[str, EmuDriver]) -> None:
    right = {}
    for name in ("emu.manila", "emu.ion"):
        counts = ran(drivers[name], sampling(ghz(5), shots=SHOTS))
        right[name] = (counts["00000"] + counts["11111"]) / SHOTS
    assert right["emu.ion"] > right["emu.manila"] + 0.1


# --- Where qubits are -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["emu.falcon", "emu.willow", "emu.ion"])
@pytest.mark.parametrize("flipped", range(5))
def test_a_flipped_qubit_reads_as_its_own_bit_after_routing(
    name: str, flipped: int, drivers: Mapping[str, EmuDriver]
) -> None:
    every = [(a, b) for a in range(5) for b in range(5) if a < b]
    there_and_back = [Gate("cx", pair) for pair in every + every[::-1]]
    operations: tuple[Operation, ...] = (
        *there_and_back,
        Gate("x", (flipped,)),
        *(Measure(qubit, qubit) for qubit in range(5)),
    )
    counts = ran(drivers[name], sampling(circuit_of(5, 5, *operations), shots=2000, optimization_level=0))
    expected = "".join("1" if qubit == flipped else "0" for qubit in reversed(range(5)))
    assert max(counts, key=lambda key: counts[key]) == expected


def test_values_are_of_the_programs_qubits_wherever_they_end_up(drivers: Mapping[str, EmuDriver]) -> None:
    every = [(a, b) for a in range(4) for b in range(4) if a < b]
    gates = [Gate("cx", pair) for pair in every + every[::-1]]
    circuit = circuit_of(4, 0, *gates, Gate("x", (2,)), Gate("h", (0,)))
    observables = [Observable(4, ((string, 1.0),)) for string in ("IIZI", "IZII", "ZIII", "IIIX", "IIIZ")]
    work = estimating(circuit, observables, shape=(5,), shots=4000, optimization_level=0)
    found = estimated(drivers["emu.falcon"].execute(work, drivers["emu.falcon"].plan(work)))
    np.testing.assert_allclose(found.values, [1, -1, 1, 1, 0], atol=0.4)
    assert [round(value) for value in found.values] == [1, -1, 1, 1, 0]


def test_exact_values_have_the_noise_in_them_and_agree_with_shots(drivers: Mapping[str, EmuDriver]) -> None:
    circuit = circuit_of(2, 0, Gate("h", (0,)), Gate("cx", (0, 1)), Gate("rx", (0,), (0.4,)))
    observable = Observable(2, (("ZZ", 0.7), ("XX", -0.3), ("IZ", 0.2)))
    driver = drivers["emu.manila"]
    exact_work = estimating(circuit, observable)
    exact = estimated(driver.execute(exact_work, driver.plan(exact_work)))
    shots_work = estimating(circuit, observable, shots=100_000)
    sampled = estimated(driver.execute(shots_work, driver.plan(shots_work)))
    ideal = 0.7 * math.cos(0.4) - 0.3
    assert abs(exact.values[0]) < abs(ideal) - 0.01
    assert abs(exact.values[0] - sampled.values[0]) < 5 * sampled.stderr[0]


def test_exact_values_of_a_wide_program_are_refused_with_the_way_out(drivers: Mapping[str, EmuDriver]) -> None:
    gates = [Gate("rx", (qubit,), (0.3,)) for qubit in range(20)]
    gates += [Gate("cx", (qubit, qubit + 1)) for qubit in range(19)]
    with pytest.raises(LimitError) as caught:
        drivers["emu.heron"].plan(estimating(circuit_of(20, 0, *gates), Observable(20, (("Z" * 20, 1.0),))))
    assert "shots" in (caught.value.next_step or "")


# --- Control flow -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["emu.heron", "emu.ion", "emu.manila"])
def test_teleportation(name: str, drivers: Mapping[str, EmuDriver]) -> None:
    circuit = teleportation()
    work = sampling(circuit, shots=4000, profile=Profile.ADAPTIVE)
    driver = drivers[name]
    plan = driver.plan(work)
    found = counts_of(driver.execute(work, plan))
    ideal = driver.execute_under(work, plan, noise_free(driver.calibration(math.inf)))
    expected = counts_of(ideal)
    distance = sum(abs(found.get(key, 0) - expected.get(key, 0)) for key in {*found, *expected}) / 2 / 4000
    assert distance < 1 - plan.details["programs"][0]["expected_fidelity"] + 0.03


@pytest.mark.parametrize("name", ["emu.heron", "emu.ion"])
def test_a_qubit_is_reset_and_used_again(name: str, drivers: Mapping[str, EmuDriver]) -> None:
    operations = (Gate("x", (0,)), Measure(0, 0), Reset(0), Measure(0, 1), Gate("x", (0,)), Measure(0, 2))
    counts = ran(drivers[name], sampling(circuit_of(1, 3, *operations), shots=2000))
    assert counts["101"] > 1800


def test_a_loop_until_a_measurement_says_so(drivers: Mapping[str, EmuDriver]) -> None:
    operations = (
        Gate("h", (0,)),
        Measure(0, 0),
        While(Bit(0), (Reset(0), Gate("h", (0,)), Measure(0, 0))),
        If(Bit(0), (), (Gate("x", (1,)),)),
        Measure(1, 1),
    )
    counts = ran(drivers["emu.falcon"], sampling(circuit_of(2, 2, *operations), shots=1000))
    assert counts["10"] > 900


def test_waiting_for_a_decision_is_warned_of_by_qubit_and_loss(drivers: Mapping[str, EmuDriver]) -> None:
    plan = drivers["emu.manila"].plan(sampling(teleportation(), shots=100))
    (said,) = plan.warnings
    told = plan.details["programs"][0]
    assert f"{100 * told['feedforward_loss']:.1f} %" in said
    assert "T2" in said
    assert drivers["emu.manila"].plan(sampling(ghz(3))).warnings == ()


# --- Compiling --------------------------------------------------------------------------------------------------------


def test_a_sweep_is_compiled_once_for_all_its_sets(drivers: Mapping[str, EmuDriver]) -> None:
    turned = (Gate("rx", (0,), (Affine(0.0, ((0, 1.0),)),)), Gate("cx", (0, 1)), Measure(0, 0), Measure(1, 1))
    circuit = Circuit(2, (Register("c", 2, 0),), ("θ",), turned)
    driver = drivers["emu.ion"]
    work = sampling(circuit, [[0.0], [math.pi], [math.pi / 2]], shots=4000)
    plan = driver.plan(work)
    outcome = driver.execute(work, plan).outcomes[0]
    found = [counts.get("11", 0) / 4000 for counts in outcome.counts]  # type: ignore[union-attr]
    np.testing.assert_allclose(found, [0.0, 1.0, 0.5], atol=0.05)
    assert plan.details["programs"][0]["reused"] is False
    again = driver.plan(sampling(circuit, [[1.0]]))
    assert again.details["programs"][0]["reused"] is True
    assert again.compiled[0].key == plan.compiled[0].key


def test_a_plan_says_what_was_decided(drivers: Mapping[str, EmuDriver]) -> None:
    driver = drivers["emu.heron"]
    plan = driver.plan(sampling(ghz(3), optimization_level=3, calibration="2025-01-23"))
    told = plan.details
    january = driver.calibration(1.738e9)
    assert told["calibration"]["digest"] == january.digest
    assert told["calibration"]["published"] == "2025-01-23T16:35:51Z"
    assert told["optimization_level"] == 3
    assert told["programs"][0]["layout"] == list(plan.compiled[0].layout)
    assert json.loads(json.dumps(plan.to_json()))["details"]["programs"][0]["gates"]["cz"] == 2
    execution = driver.execute(sampling(ghz(3), calibration="2025-01-23"), plan)
    assert execution.calibration == january


def test_it_runs_under_another_calibration_than_it_was_compiled_for(tmp_path: Path) -> None:
    calibration = line_calibration(3)
    driver = made_up(calibration, folder=tmp_path)
    work = sampling(circuit_of(1, 1, Gate("x", (0,)), Measure(0, 0)), shots=SHOTS)
    plan = driver.plan(work)
    assert counts_of(driver.execute(work, plan)) == {"1": SHOTS}
    worse = replace(calibration, qubits=(QubitFigures(math.inf, math.inf, 0.0, 0.25),) * 3)
    told = replace(plan, details={**plan.details, RUN_UNDER: worse.to_json()})
    execution = driver.execute(work, told)
    assert close(counts_of(execution)["1"] / SHOTS, 0.75)
    assert execution.calibration == worse


def test_calibrations_are_listed_by_time(drivers: Mapping[str, EmuDriver]) -> None:
    falcon = drivers["emu.falcon"]
    every = falcon.calibrations(0.0, 2e9)
    assert [each.taken_at for each in every] == sorted((each.taken_at for each in every), reverse=True)
    assert len(every) == 4
    middle = every[2].taken_at
    assert falcon.calibrations(middle + 1, every[1].taken_at) == [every[1], every[2]]
    assert falcon.calibration(middle) == every[2]
    assert falcon.calibration(middle - 1) == every[3]
    assert falcon.calibration(0.0) == every[3]


def test_an_assessment_is_that_of_the_plan(drivers: Mapping[str, EmuDriver]) -> None:
    driver = drivers["emu.willow"]
    found = driver.assess(program_of(ghz(5)), driver.calibration(2e9))
    told = driver.plan(sampling(ghz(5))).details["programs"][0]
    assert (list(found.layout), found.depth, found.fidelity) == (
        told["layout"],
        told["depth"],
        told["expected_fidelity"],
    )
    assert found.gates["cz"] == 4
    assert found.seconds == told["shot_s"]


# --- Refusals ---------------------------------------------------------------------------------------------------------


def test_too_wide(drivers: Mapping[str, EmuDriver]) -> None:
    with pytest.raises(LimitError, match="6 qubits") as caught:
        drivers["emu.manila"].plan(sampling(ghz(6)))
    assert caught.value.code == "too-wide"


@pytest.mark.parametrize(
    ("of", "most", "words"),
    [
        (Counted.LAYERS, 5, "layers"),
        (Counted.TWO_QUBIT_GATES, 1, "2 two-qubit gates"),
        (Counted.INSTRUCTIONS, 90, "instructions"),
        (Counted.SECONDS, 3e-6, "µs"),
    ],
)
def test_too_deep(tmp_path: Path, of: Counted, most: float, words: str) -> None:
    limit = DeviceLimit(of, most, "Somebody's page", published=of is not Counted.SECONDS, weights={"cz": 50})
    driver = made_up(line_calibration(3), folder=tmp_path, limits=(limit,))
    driver.plan(sampling(ghz(2)))
    for _ in range(2):  # compiled anew, and as kept
        with pytest.raises(LimitError, match=words) as caught:
            driver.plan(sampling(ghz(3)))
        assert caught.value.code == "too-deep"
        assert caught.value.cause == "Somebody's page"
        assert ("assumed" in str(caught.value)) == (not limit.published)


def test_every_machine_has_a_limit_on_what_is_deep(drivers: Mapping[str, EmuDriver]) -> None:
    for name, seconds in (("emu.ion", 3_600.0), ("emu.willow", 50e-6)):
        waits = circuit_of(1, 1, Gate("sx", (0,)), Delay(0, seconds), Gate("sx", (0,)), Measure(0, 0))
        with pytest.raises(LimitError, match="a shot of the program lasts") as caught:
            drivers[name].plan(sampling(waits))
        assert caught.value.code == "too-deep"
        limit = shape_of(drivers[name]).limit(Counted.SECONDS)
        assert limit is not None
        assert caught.value.cause == limit.source
    for name in ("emu.heron", "emu.falcon", "emu.manila"):
        shape = shape_of(drivers[name])
        limit = shape.limit(Counted.INSTRUCTIONS)
        assert limit is not None
        assert (limit.most, limit.published) == (26_800_000, True)
        assert "quantum.cloud.ibm.com" in limit.source
        assert set(limit.weights) >= {*shape.native_gates, "measure", "reset", "delay"}


def test_too_many_programs_shots_and_executions(drivers: Mapping[str, EmuDriver]) -> None:
    pub = Pub(program_of(ghz(2)), sets_of(ghz(2)), 10, 1)
    with pytest.raises(LimitError, match="300 programs of a job; this job has 301"):
        drivers["emu.manila"].plan(Work(JobKind.BATCH, (pub,) * 301))
    with pytest.raises(LimitError, match="shots"):
        drivers["emu.manila"].plan(sampling(ghz(2), shots=100_001))
    with pytest.raises(LimitError, match=r"10,000,000 executions .* has 10,100,000") as caught:
        drivers["emu.manila"].plan(Work(JobKind.BATCH, (replace(pub, shots=100_000),) * 101))
    assert caught.value.code == "job-too-large"
    assert "Split" in (caught.value.next_step or "")


@pytest.mark.parametrize(
    "options",
    [
        {"optimization_level": 4},
        {"optimization_level": True},
        {"optimization_level": "2"},
        {"layout": [0, 0]},
        {"layout": [0, 99]},
        {"layout": [0, 1, 2]},
        {"layout": "0,1"},
        {"compile_seed": -1},
        {"compile_seed": 1.5},
        {"calibration": "2020-01-01"},
        {"calibration": 3},
        {"noise": {"depolarizing_1q": 0.1}},
        {"colour": "red"},
    ],
)
def test_options_that_are_none_are_refused_with_the_way_out(
    options: dict[str, Any], drivers: Mapping[str, EmuDriver]
) -> None:
    with pytest.raises(UnsupportedProgramError) as caught:
        drivers["emu.manila"].plan(sampling(ghz(2), **options))
    assert caught.value.code == "option-invalid"
    assert caught.value.next_step


def test_programs_of_strangers_are_compiled_elsewhere_and_for_a_limited_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def apart(function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        asked.append(function.__name__)
        return function(*args, **named)

    driver = EmuDriver("emu.manila", store=CompiledCache(tmp_path), apart=apart)
    work = sampling(ghz(2))
    driver.plan(work)
    driver.plan(work)
    assert asked == ["prepare_apart"], "what is kept is not compiled again"
    monkeypatch.setattr(driver_module, "LONGEST_COMPILE_S", -1.0)
    with pytest.raises(LimitError) as found:
        driver.plan(work)
    assert found.value.code == "compile-too-long"
