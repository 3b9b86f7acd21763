from typing import Any

import pytest

from antiphon.domain.circuits import Bit, Gate, If, Measure, Reset
from antiphon.domain.observables import Observable
from antiphon.domain.programs import Profile
from antiphon.errors import ProgramError, UnsupportedProgramError
from mitigated_work import ANSATZ, ENERGY, GATES, READOUT, SIM, ghz, run, told_of
from sim_work import circuit_of, estimating, sampling

# --- programs that measure on their way

TELEPORTING = circuit_of(2, 2, Gate("h", (0,)), Measure(0, 0), If(Bit(0), (Gate("x", (1,)),)), Reset(0), Measure(1, 1))


def test_readout_of_the_last_bits_of_an_integrated_program_is_corrected() -> None:
    work = sampling(
        TELEPORTING, shots=6000, profile=Profile.ADAPTIVE, noise=READOUT.to_json(), mitigation={"readout": True}
    )
    (found,) = run(SIM, work).outcomes
    told = told_of(found)
    assert told["readout"]["bits"] == [1]
    ones = sum(value for key, value in told["probabilities"][0].items() if key[0] == "1")
    # Bit 0 steers the program and stays as it was read: 1 in half of the shots, less what is misread.
    assert ones == pytest.approx(0.5 * (1 - 0.08) + 0.5 * 0.06, abs=0.03)


@pytest.mark.parametrize("method", [{"twirling": True}, {"zne": [1, 3]}, {"pec": True}])
def test_the_rest_is_refused_with_the_reason(method: dict[str, Any]) -> None:
    with pytest.raises(ProgramError) as refused:
        SIM.plan(sampling(TELEPORTING, profile=Profile.ADAPTIVE, noise=GATES.to_json(), mitigation=method))
    assert "on its way" in refused.value.cause
    assert "readout" in refused.value.next_step


def test_a_program_that_reads_nothing_at_its_end_has_no_readout_to_correct() -> None:
    circuit = circuit_of(1, 1, Gate("h", (0,)), Measure(0, 0), If(Bit(0), (Gate("x", (0,)),)))
    with pytest.raises(ProgramError, match="readout"):
        SIM.plan(sampling(circuit, profile=Profile.ADAPTIVE, mitigation={"readout": True}))


# --- what cannot be


@pytest.mark.parametrize(
    ("mitigation", "options", "said"),
    [
        ({"pec": True}, {}, "nothing is known of the noise"),
        ({"dynamical_decoupling": "XY4"}, {}, "no qubit waits"),
        ({"zne": [1, 3]}, {"observable": True}, "no gate that could be folded"),
        ({"zne": [1, 1.1, 3]}, {}, "the factors are 1, 1, 3"),
    ],
)
def test_what_a_target_cannot_do_is_refused(mitigation: dict[str, Any], options: dict[str, Any], said: str) -> None:
    circuit = circuit_of(1, 0, Gate("h", (0,))) if options else ANSATZ
    observable = Observable(1, (("Z", 1.0),)) if options else ENERGY
    with pytest.raises(ProgramError) as refused:
        SIM.plan(estimating(circuit, observable, shots=1000, mitigation=mitigation))
    assert said in refused.value.cause
    assert refused.value.next_step


def test_counts_have_no_extrapolation() -> None:
    with pytest.raises(ProgramError, match="zne") as refused:
        SIM.plan(sampling(ghz(2), mitigation={"zne": [1, 3]}))
    assert "expectation values" in refused.value.cause


def test_exact_probabilities_have_no_errors() -> None:
    with pytest.raises(ProgramError, match="readout"):
        SIM.plan(sampling(ghz(2), mitigation={"readout": True}, exact_probabilities=True))


def test_an_unknown_option_is_still_refused_by_the_target() -> None:
    with pytest.raises(UnsupportedProgramError, match="magic"):
        SIM.plan(estimating(ANSATZ, ENERGY, shots=1000, mitigation={"readout": True}, magic=1))
