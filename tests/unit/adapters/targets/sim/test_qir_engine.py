from __future__ import annotations

import math
from dataclasses import replace

import pytest

from antiphon.adapters.targets.sim.engines import qir as engine
from antiphon.domain.noise import NoiseModel
from antiphon.domain.observables import Observable
from antiphon.domain.parameters import NO_PARAMETERS, ParameterSets
from antiphon.domain.results import Counts, Sampled
from antiphon.domain.work import Pub
from antiphon.errors import ExecutionError, LimitError, UnsupportedProgramError
from antiphon.frontends.qir import program_from_qir
from qsharp_programs import bitcode, compiled, qir
from reference_simulator import distribution, total_variation

SHOTS = 4000


def sample(source: bytes, *, seed: int = 11, shots: int = SHOTS, noise: NoiseModel | None = None) -> Sampled:
    return engine.run(Pub(program_from_qir(source), NO_PARAMETERS, shots, seed), noise=noise)


def counts(source: bytes, *, seed: int = 11) -> Counts:
    return sample(source, seed=seed).counts[0]


@pytest.mark.parametrize("profile", ["Base", "Adaptive_RI", "Adaptive_RIF", "Adaptive"])
@pytest.mark.parametrize("name", ["bell", "ghz", "first_of_three", "two_arrays", "nested", "nothing", "every_gate"])
def test_bits_stand_in_the_same_order_as_in_the_circuit(name: str, profile: str) -> None:
    program = program_from_qir(qir(name, profile))
    assert program.circuit is not None
    sampled = sample(qir(name, profile))
    assert (sampled.shape, sampled.shots, sampled.outcomes) == ((), SHOTS, "bits")
    assert sum(sampled.counts[0].values()) == SHOTS
    assert total_variation(dict(sampled.counts[0]), distribution(program.circuit)) < 0.03


@pytest.mark.parametrize("profile", ["Adaptive_RI", "Adaptive_RIF", "Adaptive"])
def test_teleportation_agrees_with_its_circuit(profile: str) -> None:
    ones = counts(qir("teleport", profile))["1"] / SHOTS
    assert ones == pytest.approx(math.sin(0.35) ** 2, abs=0.02)


@pytest.mark.parametrize("profile", ["Adaptive_RIF", "Adaptive"])
def test_iterative_phase_estimation_finds_three_eighths(profile: str) -> None:
    # 0.375 is 0.011 in binary; the first result is its last digit.
    assert counts(qir("phase_estimation", profile)) == {"011": SHOTS}


def test_repeat_until_success_ends_on_a_measurement() -> None:
    sampled = sample(qir("repeat_until_success", "Adaptive"))
    assert sampled.outcomes == "values"
    for turns in (1, 2, 3):
        assert sampled.counts[0][f"(One, {turns})"] / SHOTS == pytest.approx(0.5**turns, abs=0.03)


@pytest.mark.parametrize(
    ("name", "profile", "expected"),
    [
        ("count", "Adaptive_RI", {"0": 0.25, "1": 0.5, "2": 0.25}),
        ("mixed", "Adaptive_RI", {"(false, Zero, 5)": 0.5, "(true, One, 5)": 0.5}),
        ("double", "Adaptive_RIF", {"-1.25": 0.5, "0.5": 0.5}),
    ],
)
def test_other_values_are_shown_as_qsharp_shows_them(name: str, profile: str, expected: dict[str, float]) -> None:
    sampled = sample(qir(name, profile))
    assert sampled.outcomes == "values"
    assert total_variation(dict(sampled.counts[0]), expected) < 0.03


def test_bitcode_runs_as_text_does() -> None:
    text = qir("phase_estimation", "Adaptive")
    assert counts(bitcode(text)) == counts(text)


def test_the_same_seed_gives_the_same_counts_and_neighbours_differ() -> None:
    source = qir("count")
    first = counts(source, seed=7)
    assert counts(source, seed=7) == first
    others = [counts(source, seed=seed) for seed in (6, 8, 7 + 2**32, 2**64 - 1)]
    assert all(other != first for other in others)


def test_every_set_of_a_sweep_has_a_seed_of_its_own() -> None:
    pub = Pub(program_from_qir(qir("count")), ParameterSets((), (3,), b""), 1000, 5)
    sampled = engine.run(pub, noise=None)
    assert sampled.shape == (3,)
    assert len({tuple(c.items()) for c in sampled.counts}) == 3


def test_the_chosen_entry_point_runs() -> None:
    one = qir("first_of_three", "Base").decode()
    # A second entry point beside the first, returning the opposite: the QDK alone would run whichever stands first.
    start, end = one.index("define i64 @ENTRYPOINT__main"), one.index("declare void")
    other = one[start:end].replace("ENTRYPOINT__main", "other")
    other = "\n".join(line for line in other.splitlines() if "__x__body" not in line)
    text = one[:start] + other + "\n" + one[start:]
    for entry_point, expected in (("other", "000"), ("ENTRYPOINT__main", "001")):
        for source in (text.encode(), bitcode(text.encode())):
            program = program_from_qir(source, entry_point=entry_point)
            assert engine.run(Pub(program, NO_PARAMETERS, 10, 1), noise=None).counts == ({expected: 10},)


# --- Noise ------------------------------------------------------------------------------------------------------------


def test_depolarising_noise_is_the_channel_of_the_model() -> None:
    one = compiled("operation Main() : Result { use q = Qubit(); X(q); return MResetZ(q); }")
    sampled = sample(one, shots=20_000, noise=NoiseModel(depolarizing_1q=0.4))
    assert sampled.counts[0]["0"] / 20_000 == pytest.approx(0.2, abs=0.015)
    two = compiled("operation Main() : Result[] { use q = Qubit[2]; CNOT(q[0], q[1]); return MResetEachZ(q); }")
    sampled = sample(two, shots=20_000, noise=NoiseModel(depolarizing_2q=0.4))
    expected = {"00": 0.7, "01": 0.1, "10": 0.1, "11": 0.1}
    assert total_variation(dict(sampled.counts[0]), expected) < 0.02


def test_trivial_noise_changes_nothing() -> None:
    assert sample(qir("count"), noise=NoiseModel()) == sample(qir("count"))


@pytest.mark.parametrize(
    ("name", "noise"), [("count", NoiseModel(readout_p01=0.1)), ("every_gate", NoiseModel(depolarizing_2q=0.1))]
)
def test_noise_that_the_simulator_would_get_wrong_is_refused(name: str, noise: NoiseModel) -> None:
    with pytest.raises(UnsupportedProgramError) as caught:
        sample(qir(name), noise=noise)
    assert caught.value.next_step


# --- Refusals and failures --------------------------------------------------------------------------------------------


def test_expectation_values_are_refused() -> None:
    pub = Pub(program_from_qir(qir("count")), NO_PARAMETERS, None, 1, (Observable(2, (("ZZ", 1.0),)),))
    with pytest.raises(UnsupportedProgramError, match="expectation"):
        engine.run(pub, noise=None)


def test_a_state_that_would_abort_the_process_is_never_tried() -> None:
    program = replace(program_from_qir(qir("count")), num_qubits=40)
    with pytest.raises(LimitError, match="40 qubits"):
        engine.run(Pub(program, NO_PARAMETERS, 1, 1), noise=None)


def test_a_panic_of_the_simulator_becomes_an_execution_error() -> None:
    # The simulator trusts the attribute and indexes out of bounds; the front end would refuse this module.
    source = qir("bell", "Base")
    wrong = source.replace(b'"required_num_qubits"="2"', b'"required_num_qubits"="0"')
    program = replace(program_from_qir(source), source=wrong)
    with pytest.raises(ExecutionError, match="simulator failed") as caught:
        engine.run(Pub(program, NO_PARAMETERS, 1, 1), noise=None)
    assert "PanicException" in caught.value.cause


def test_the_version_names_the_package() -> None:
    assert engine.version().startswith("qdk 1.")
