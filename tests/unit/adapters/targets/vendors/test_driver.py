from __future__ import annotations

from typing import Any

import pytest

from antiphon.adapters.targets.vendors.driver import VendorDriver
from antiphon.domain.observables import Observable
from antiphon.domain.parameters import NO_PARAMETERS
from antiphon.domain.work import JobKind, Pub, Work
from antiphon.errors import AntiphonError, ExecutionError, LimitError, UnsupportedProgramError
from antiphon.frontends.recognise import to_program

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '
BELL = HEAD + "qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;"
DEVICE: dict[str, Any] = {
    "name": "one",
    "kind": "qpu",
    "family": "superconducting",
    "qubits": 5,
    "profile": "Base",
    "min_shots": 10,
    "max_shots": 100,
    "max_programs": 2,
    "formats": ["openqasm3"],
    "native_gates": ["cz", "rz", "sx", "prx", "measure"],
    "coupling": [[0, 1]],
    "description": "one",
    "options": {"level": "a number"},
}


def driver(**device: Any) -> VendorDriver:
    return VendorDriver("lab", {"sdk": "1"}, {**DEVICE, **device}, 3)


def work(*sources: str, shots: int | None = 50, **options: Any) -> Work:
    return Work(JobKind.BATCH, tuple(Pub(to_program(s), NO_PARAMETERS, shots, 1) for s in sources), options)


def test_a_device_as_a_target() -> None:
    info = driver().info
    assert (info.name, info.provider, info.kind, info.slots) == ("lab.one", "lab", "qpu", 3)
    assert info.device is not None
    assert info.device.native_gates == ("cz", "rz", "sx", "r")
    assert info.device.coupling == ((0, 1),)
    assert not info.seeded


def test_a_plan_says_what_will_be_sent() -> None:
    plan = driver().plan(work(BELL, BELL, level=2))
    assert plan.details == {"programs_sent": 2}
    assert not plan.safe_inline


def test_what_is_measured_in_the_middle_and_might_be_at_the_end_is_taken() -> None:
    driver().plan(work(HEAD + "qubit[2] q; bit[2] c; h q[0]; c[0] = measure q[0]; x q[1]; c[1] = measure q[1];"))


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        (work(BELL, BELL, BELL), LimitError, "programs-exceeded"),
        (work(BELL, shots=5), LimitError, "shots-too-few"),
        (work(BELL, shots=101), LimitError, "shots-exceeded"),
        (work(BELL, noise={}), UnsupportedProgramError, "option-unknown"),
        (work(HEAD + "qubit[6] q; bit[6] c; h q; c = measure q;"), LimitError, "too-wide"),
        (
            work(HEAD + "qubit q; bit c; h q; delay[1us] q; h q; c = measure q;"),
            UnsupportedProgramError,
            "delay-unsupported",
        ),
        (
            work(HEAD + "qubit q; bit c; h q; c = measure q; if (c) { x q; } c = measure q;"),
            UnsupportedProgramError,
            "profile-unsupported",
        ),
    ],
)
def test_what_it_cannot_run_is_refused_with_what_to_do(given: Work, kind: type[AntiphonError], code: str) -> None:
    with pytest.raises(kind) as refused:
        driver().plan(given)
    assert refused.value.code == code
    assert refused.value.next_step


def test_a_condition_on_many_bits_is_refused() -> None:
    everything = " && ".join(f"c[{bit}]" for bit in range(9))
    source = HEAD + f"qubit[3] q; bit[9] c; h q[0]; c[0] = measure q[0]; if ({everything}) {{ x q[1]; }}"
    with pytest.raises(UnsupportedProgramError) as refused:
        driver(profile="Adaptive").plan(work(source))
    assert refused.value.code == "condition-unsupported"


def test_exact_values_and_states_on_the_way_are_no_devices() -> None:
    program = to_program(HEAD + "qubit[1] q; h q[0];")
    observable = (Observable(1, (("X", 1.0),)),)
    exact = Work(JobKind.ESTIMATE, (Pub(program, NO_PARAMETERS, None, 1, observable, (1,)),))
    with pytest.raises(LimitError) as refused:
        driver().plan(exact)
    assert refused.value.code == "shots-missing"
    dynamic = to_program(HEAD + "qubit[1] q; bit c; h q[0]; c = measure q[0]; if (c) { x q[0]; }")
    estimate = Work(JobKind.ESTIMATE, (Pub(dynamic, NO_PARAMETERS, 50, 1, observable, (1,)),))
    with pytest.raises(UnsupportedProgramError) as unsupported:
        driver(profile="Adaptive").plan(estimate)
    assert unsupported.value.code == "estimate-dynamic"


def test_nothing_of_it_runs_here() -> None:
    given = work(BELL)
    with pytest.raises(ExecutionError):
        driver().execute(given, driver().plan(given))
