from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.targets.vendors.assessing import VendorDevice
from antiphon.adapters.targets.vendors.snapshots import Snapshots
from antiphon.domain.calibrations import Calibration
from antiphon.domain.programs import Program
from antiphon.errors import ExecutionError, UnsupportedProgramError
from antiphon.frontends.recognise import to_program
from antiphon.ports.device_driver import DeviceDriver
from antiphon.ports.provider import RefusedByProviderError

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '
DEVICE = {
    "name": "two",
    "kind": "qpu",
    "qubits": 2,
    "profile": "Adaptive_RI",
    "max_shots": 100,
    "max_programs": 5,
    "formats": ["openqasm3"],
    "native_gates": ["x", "cx", "rz"],
    "coupling": [[0, 1]],
    "description": "Two qubits.",
}
CALIBRATION = {
    "target": "v.two",
    "taken_at": 100.0,
    "qubits": [[None, None, 0.0, 0.0], [1e-5, 1e-5, 0.02, 0.04]],
    "gates": {"x": {"0": [0.001, 1e-7], "1": [0.002, 1e-7]}, "cx": {"0,1": [0.01, 4e-7]}},
    "measure_s": 1e-6,
    "reset_s": 1e-6,
    "feedforward_s": 2e-6,
}


class Compiler:
    """Tells what it is told to, and keeps what it was asked."""

    def __init__(self, answer: Mapping[str, Any] | Exception) -> None:
        self.answer, self.asked = answer, list[Mapping[str, Any]]()

    def __call__(self, program: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(program)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def compiled(*operations: list[Any], layout: tuple[int, ...] = (0, 1)) -> dict[str, Any]:
    return {"qubits": 2, "bits": 2, "operations": list(operations), "layout": list(layout)}


def device(folder: Path, compiler: Compiler) -> VendorDevice:
    snapshots = Snapshots(folder / "two.jsonl", lambda: CALIBRATION)
    return VendorDevice("v", {"sdk": "1"}, DEVICE, 4, compiling=compiler, snapshots=snapshots)


def program(body: str) -> Program:
    return to_program(HEAD + body)


BELL = "qubit[2] q; bit[2] c; x q[0]; cx q[0], q[1]; c = measure q;"
THERE = compiled(["x", [0]], ["cx", [0, 1]], ["=measure", 0, 0], ["=measure", 1, 1])


def test_the_fidelity_is_that_of_what_the_vendor_compiled(tmp_path: Path) -> None:
    driver = device(tmp_path, Compiler(THERE))
    assert isinstance(driver, DeviceDriver)
    found = driver.assess(program(BELL), driver.calibration(1e9))
    assert found.fidelity == pytest.approx((1 - 1.5 * 0.001) * (1 - 1.25 * 0.01) * (1 - 0.03), rel=1e-9)
    assert (found.depth, found.gates, found.layout) == (3, {"x": 1, "cx": 1}, (0, 1))
    assert found.seconds == pytest.approx(1e-7 + 4e-7 + 1e-6)
    assert found.calibration == driver.calibration(1e9).digest


def test_a_program_is_compiled_once_for_every_calibration(tmp_path: Path) -> None:
    compiler = Compiler(THERE)
    driver = device(tmp_path, compiler)
    now = driver.calibration(1e9)
    worse = Calibration.from_json({**CALIBRATION, "gates": {"cx": {"0,1": [0.1, 4e-7]}}})
    assert driver.assess(program(BELL), worse).fidelity < driver.assess(program(BELL), now).fidelity
    assert len(compiler.asked) == 1
    assert compiler.asked[0]["bits"] == [0, 1]


def test_waiting_for_a_decision_costs(tmp_path: Path) -> None:
    branch = ["=if", ["not", 0], [["x", [1]]], []]
    answer = compiled(["x", [0]], ["cx", [0, 1]], ["=measure", 0, 0], branch, ["=measure", 1, 1])
    source = (
        "qubit[2] q; bit[2] c; x q[0]; cx q[0], q[1]; c[0] = measure q[0]; if (!c[0]) { x q[1]; } c[1] = measure q[1];"
    )
    driver = device(tmp_path, Compiler(answer))
    found = driver.assess(program(source), driver.calibration(1e9))
    assert found.feedforward_s >= 2e-6
    assert found.feedforward_loss > 0.1
    assert "physical qubit 1" in found.warnings[0]


def test_parameters_stand_where_no_gate_vanishes(tmp_path: Path) -> None:
    compiler = Compiler(compiled(["rz", [0], 0.3], ["=measure", 0, 0], layout=(0,)))
    driver = device(tmp_path, compiler)
    driver.assess(program("input float t; qubit q; bit c; rx(t) q; rz(2*t) q; c = measure q;"), driver.calibration(1e9))
    assert "rx(0.739" in compiler.asked[0]["text"]
    assert "rz(1.478" in compiler.asked[0]["text"]


def test_a_program_without_measurements_is_judged_as_if_all_were_measured(tmp_path: Path) -> None:
    compiler = Compiler(THERE)
    driver = device(tmp_path, compiler)
    driver.assess(program("qubit[2] q; x q[0]; cx q[0], q[1];"), driver.calibration(1e9))
    assert compiler.asked[0]["bits"] == [0, 1]


@pytest.mark.parametrize("error", [RefusedByProviderError("no"), NotImplementedError("never")])
def test_what_the_vendor_does_not_compile_is_no_program_of_it(tmp_path: Path, error: Exception) -> None:
    driver = device(tmp_path, Compiler(error))
    with pytest.raises(UnsupportedProgramError):
        driver.assess(program(BELL), driver.calibration(1e9))


@pytest.mark.parametrize(
    "answer", [{}, compiled(["wobble", [0]]), compiled(["=dance", 0]), {**THERE, "layout": ["here"]}]
)
def test_what_is_no_circuit_is_said_to_be_none(tmp_path: Path, answer: Mapping[str, Any]) -> None:
    driver = device(tmp_path, Compiler(answer))
    with pytest.raises(ExecutionError, match="no circuit"):
        driver.assess(program(BELL), driver.calibration(1e9))
