"""Targets that mitigate, a circuit whose exact value is known, and noise for it."""

from __future__ import annotations

from typing import Any

from antiphon.adapters.targets import emu, sim
from antiphon.adapters.targets.mitigation import mitigating
from antiphon.domain.circuits import Circuit, Gate, Measure, Operation
from antiphon.domain.noise import NoiseModel
from antiphon.domain.observables import Observable
from antiphon.domain.results import Estimated, Execution, Sampled
from antiphon.domain.work import Plan, Work
from antiphon.ports.target_driver import TargetDriver
from sim_work import circuit_of, estimated, estimating

SIM = mitigating(sim.build_drivers()["sim.auto"])
MANILA = mitigating(emu.build_drivers()["emu.manila"])
EXACT = sim.build_drivers()["sim.statevector"]

READOUT = NoiseModel(readout_p01=0.06, readout_p10=0.08)
GATES = NoiseModel(depolarizing_2q=0.03)
BOTH = NoiseModel(depolarizing_1q=0.001, depolarizing_2q=0.02, readout_p01=0.02, readout_p10=0.06)

ANSATZ = circuit_of(
    3,
    0,
    *(Gate("ry", (qubit,), (0.4 + 0.3 * qubit,)) for qubit in range(3)),
    Gate("cx", (0, 1)),
    Gate("cx", (1, 2)),
    Gate("ry", (2,), (0.5,)),
    Gate("cx", (0, 1)),
)
ENERGY = Observable(3, (("III", 0.5), ("IZZ", 1.0), ("XXI", 0.5), ("ZII", 0.7)))


class Recording:
    """Runs what it is given, and keeps it."""

    def __init__(self, inner: TargetDriver) -> None:
        self.inner = inner
        self.info = inner.info
        self.ran: list[tuple[Work, Plan]] = []

    def plan(self, work: Work) -> Plan:
        return self.inner.plan(work)

    def execute(self, work: Work, plan: Plan) -> Execution:
        self.ran.append((work, plan))
        return self.inner.execute(work, plan)


class RecordingDevice(Recording):
    inner: Any

    def calibration(self, at: float) -> Any:
        return self.inner.calibration(at)

    def calibrations(self, since: float, until: float) -> Any:
        return self.inner.calibrations(since, until)

    def assess(self, program: Any, calibration: Any) -> Any:
        return self.inner.assess(program, calibration)


def run(driver: TargetDriver, work: Work) -> Execution:
    return driver.execute(work, driver.plan(work))


def estimate(
    mitigation: dict[str, Any],
    noise: NoiseModel | None,
    *,
    driver: TargetDriver = SIM,
    shots: int = 40_000,
    seed: int = 11,
    **options: Any,
) -> Estimated:
    given: dict[str, Any] = {} if noise is None else {"noise": noise.to_json()}
    return estimated(
        run(driver, estimating(ANSATZ, ENERGY, shots=shots, seed=seed, mitigation=mitigation, **given, **options))
    )


def exact_value(circuit: Circuit = ANSATZ, observable: Observable = ENERGY) -> float:
    return estimated(run(EXACT, estimating(circuit, observable))).values[0]


def told_of(outcome: Estimated | Sampled) -> dict[str, Any]:
    assert outcome.details is not None
    found: dict[str, Any] = outcome.details["mitigation"]
    return found


def ghz(width: int, *extra: Operation) -> Circuit:
    gates = [Gate("h", (0,)), *(Gate("cx", (q, q + 1)) for q in range(width - 1))]
    return circuit_of(width, width, *gates, *extra, *(Measure(q, q) for q in range(width)))
