"""How near the noise of our devices is to the vendor's own model of the same snapshot: Aer's, from IBM's fake backends.

The circuits that run are the same, as compiled by us with all their waits. Run as a script, it prints the table of
docs/explanation/emulated-devices.md.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import ControlFlowOp, Delay

from antiphon.adapters.targets.emu.cache import CompiledCache
from antiphon.adapters.targets.emu.driver import EmuDriver
from antiphon.adapters.targets.emu.recorded import recorded
from antiphon.adapters.targets.emu.to_qiskit import to_qiskit
from antiphon.domain.calibrations import Calibration
from antiphon.domain.work import JobKind, Pub, Work
from antiphon.frontends.recognise import to_program
from sim_work import counts_of, sets_of
from vendor_labs import environment_of

SCRIPT = Path(__file__).parent / "inside" / "ibm_noise.py"
TICK_S = 2e-9 / 9
BACKENDS = {"emu.manila": "FakeManilaV2", "emu.falcon": "FakeHanoiV2"}


def ghz(width: int) -> QuantumCircuit:
    circuit = QuantumCircuit(width, width)
    circuit.h(0)
    for qubit in range(width - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(width), range(width))
    return circuit


def layered(width: int) -> QuantumCircuit:
    """A hardware-efficient ansatz of three layers at angles drawn once."""
    rng = np.random.default_rng(5)
    circuit = QuantumCircuit(width, width)
    for _ in range(3):
        for qubit in range(width):
            circuit.ry(rng.uniform(0, 2 * math.pi), qubit)
            circuit.rz(rng.uniform(0, 2 * math.pi), qubit)
        for qubit in range(width - 1):
            circuit.cx(qubit, qubit + 1)
    circuit.measure(range(width), range(width))
    return circuit


def teleported() -> QuantumCircuit:
    """A state is teleported, and turned back to 0."""
    circuit = QuantumCircuit(3, 3)
    circuit.ry(0.7, 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test((circuit.clbits[1], 1)):
        circuit.x(2)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.z(2)
    circuit.ry(-0.7, 2)
    circuit.measure(2, 2)
    return circuit


def reused() -> QuantumCircuit:
    """A qubit is measured, reset and used again, twice."""
    circuit = QuantumCircuit(2, 3)
    for turn in range(2):
        circuit.h(0)
        circuit.cx(0, 1)
        circuit.measure(0, turn)
        circuit.reset(0)
    circuit.x(0)
    circuit.measure(0, 2)
    return circuit


PROGRAMS: Mapping[str, Callable[[], QuantumCircuit]] = {
    "GHZ, 5 qubits": lambda: ghz(5),
    "HEA, 5 qubits, 3 layers": lambda: layered(5),
    "teleportation": teleported,
    "measured, reset and used again": reused,
}


@dataclass(frozen=True)
class Compared:
    """Total variation distances from what Aer's model gives.

    Attributes:
        ours: As a user meets it, on the engine that was planned.
        alike: With what ours has beyond Aer's taken away, and nothing twirled.
        floor: What two samples of one distribution have on average.
    """

    device: str
    program: str
    ours: float
    alike: float
    floor: float


def compare(shots: int, folder: Path) -> list[Compared]:
    """Each of `PROGRAMS` on each device, and under Aer's model of the same snapshot."""
    asked = [str(environment_of("ibm") / "bin" / "python"), str(SCRIPT), str(shots)]
    ran: list[tuple[str, str, Mapping[str, int], Mapping[str, int]]] = []
    for device, backend in BACKENDS.items():
        driver = EmuDriver(device, store=CompiledCache(folder))
        newest = recorded(device).calibrations[-1]
        circuits = []
        for name, make in PROGRAMS.items():
            program = to_program(make())
            assert program.circuit is not None
            work = Work(JobKind.SAMPLE, (Pub(program, sets_of(program.circuit), shots, 3),))
            plan = driver.plan(work)
            exactly = replace(plan, engine=("aer-density-matrix",))
            ours = counts_of(driver.execute_under(work, plan, newest))
            alike = counts_of(driver.execute_under(work, exactly, as_aer_takes_it(newest)))
            ran.append((device, name, ours, alike))
            circuits.append(in_ticks(to_qiskit(plan.compiled[0].circuit)))
        file = folder / f"{backend}.qpy"
        with file.open("wb") as opened:
            qpy.dump(circuits, opened)
        asked += [backend, str(file)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    theirs = [counts for counts_of_device in json.loads(done.stdout) for counts in counts_of_device]
    return [
        Compared(device, name, distance(ours, other), distance(alike, other), floor_of(alike, other))
        for (device, name, ours, alike), other in zip(ran, theirs, strict=True)
    ]


def as_aer_takes_it(calibration: Calibration) -> Calibration:
    """Readout errors alike in both states; measuring and resetting do nothing else to a qubit."""
    means = [(each.readout_p01 + each.readout_p10) / 2 for each in calibration.qubits]
    qubits = tuple(
        replace(each, readout_p01=mean, readout_p10=mean) for each, mean in zip(calibration.qubits, means, strict=True)
    )
    return replace(calibration, qubits=qubits, resets_by_measuring=False, measure_s=0.0)


def in_ticks(circuit: QuantumCircuit) -> QuantumCircuit:
    """Its delays as whole numbers of IBM's tick: under a noise model Aer takes no others."""
    made = circuit.copy_empty_like()
    for instruction in circuit.data:
        operation = instruction.operation
        if isinstance(operation, Delay):
            operation = Delay(round(operation.duration / TICK_S), "dt")
        elif isinstance(operation, ControlFlowOp):
            operation = operation.replace_blocks([in_ticks(block) for block in operation.blocks])
        made.append(operation, instruction.qubits, instruction.clbits)
    return made


def distance(first: Mapping[str, int], second: Mapping[str, int]) -> float:
    """Total variation distance of two samples of as many shots."""
    return sum(abs(first.get(key, 0) - second.get(key, 0)) for key in {*first, *second}) / (2 * sum(first.values()))


def floor_of(first: Mapping[str, int], second: Mapping[str, int]) -> float:
    """Its mean, were both of one distribution: each difference of frequencies is then nearly normal."""
    shots = sum(first.values())
    chances = [(first.get(key, 0) + second.get(key, 0)) / (2 * shots) for key in {*first, *second}]
    return sum(math.sqrt(chance * (1 - chance) * 2 / shots * 2 / math.pi) for chance in chances) / 2


@pytest.mark.xdist_group("vendor-ibm")
def test_but_for_what_it_has_beyond_the_noise_is_that_of_the_vendors_own_model(tmp_path: Path) -> None:
    for found in compare(2_000, tmp_path):
        assert found.alike < 2 * found.floor, found
        assert found.ours < 0.1, found


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        for each in compare(50_000, Path(made)):
            print(f"| {each.device} | {each.program} | {each.ours:.3f} | {each.alike:.4f} | {each.floor:.4f} |")
