"""Mitigation and shot allocation as options of any target that runs circuits: one job becomes many circuits.

A job without these options goes through as it is. With them its circuits are varied, run by the target itself, and
what they bring is combined; the raw values stay beside the mitigated ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Protocol

from antiphon.adapters.targets.mitigation.asking import OPTION_HELP, Asked, check_dynamic, check_pub, read_asked
from antiphon.adapters.targets.mitigation.device import as_compiled, compiled_ground
from antiphon.adapters.targets.mitigation.estimate_outcome import EstimateOutcome
from antiphon.adapters.targets.mitigation.estimate_plan import check_estimate
from antiphon.adapters.targets.mitigation.estimate_run import EstimateRun
from antiphon.adapters.targets.mitigation.ground import Ground, simulated, without_last_measurements
from antiphon.adapters.targets.mitigation.programs import derived_seed, program_of
from antiphon.adapters.targets.mitigation.sample_run import SampleRun, check_sample
from antiphon.adapters.targets.mitigation.tallies import Request
from antiphon.domain.calibrations import Calibration
from antiphon.domain.circuits import Circuit
from antiphon.domain.device_noise import DeviceNoise
from antiphon.domain.devices import Assessment
from antiphon.domain.evolve import evolve
from antiphon.domain.gate_counts import Tasks
from antiphon.domain.mitigation import refusal
from antiphon.domain.noise import Noise, NoiseModel
from antiphon.domain.programs import Program
from antiphon.domain.results import Estimated, Execution, Outcome, Sampled
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import Compiled, JobKind, Plan, Pub, Work
from antiphon.errors import LimitError
from antiphon.ports.compiling_driver import CompilingDriver
from antiphon.ports.device_driver import DeviceDriver, ScheduledDevice
from antiphon.ports.target_driver import TargetDriver

MOST_CIRCUITS = 20_000
COMPILED_UNDER = "compiled_under"
"""In a plan's details: the calibration that it was made for, where the device cannot find it again."""


class MitigatingDriver:
    """A target that also mitigates.

    Args:
        inner: Runs the circuits.
    """

    def __init__(self, inner: TargetDriver) -> None:
        self.inner = inner

    @cached_property
    def info(self) -> TargetInfo:
        """What the target declares, with the options that it has now."""
        info = self.inner.info
        return evolve(info, options={**info.options, **OPTION_HELP})

    def plan(self, work: Work) -> Plan:
        """As the target plans it; with mitigation, for all of the circuits.

        Raises:
            UnsupportedProgramError, ProgramError, LimitError, MissingExtraError: As the target's own; and for a method
                that does not fit the program or the target (code "mitigation-invalid").
        """
        return self._plan(work, self.inner.plan)

    def _plan(self, work: Work, planned: Callable[[Work], Plan]) -> Plan:
        asked = read_asked(work.options)
        if asked is None:
            return planned(work)
        if not asked.changes_anything:
            return planned(evolve(work, options=asked.left))
        for pub in work.pubs:
            check_pub(pub, asked, self.inner.info.name)
        base = planned(_base_of(work, asked))
        compiled = base.compiled or (None,) * len(work.pubs)
        found = [self._check(pub, made, asked, base) for pub, made in zip(work.pubs, compiled, strict=True)]
        circuits = sum(number for number, _ in found)
        if circuits > MOST_CIRCUITS:
            raise LimitError(
                f"Mitigation makes {circuits:,} circuits of the job; the limit is {MOST_CIRCUITS:,}.",
                next_step="Ask for fewer randomizations or noise factors, or split the job.",
            )
        each = max(1, circuits // len(work.pubs))
        alone = planned(_base_of(work, asked, circuits=each))
        what = ", ".join(name for name in asked.told if name != "sentinel") or "shots by variance"
        return evolve(
            base,
            reason=tuple(f"{reason}; {what}" for reason in base.reason),
            cost=alone.cost * each,
            num_calls=base.num_calls * each,
            details={**base.details, "mitigation": asked.told, "circuits": circuits},
            tasks=tuple(tasks for _, tasks in found),
            device_s=_device_seconds(base, work, [row for _, rows in found for row in rows]),
        )

    def execute(self, work: Work, plan: Plan) -> Execution:
        """Run all circuits, in as few calls of the target for each round as it takes them in, and combine the results.

        Raises:
            ExecutionError: The engine ended without a result, or errors of the readout cannot be undone.
        """
        asked = read_asked(work.options)
        if asked is None:
            return self.inner.execute(work, plan)
        if not asked.changes_anything:
            return self.inner.execute(evolve(work, options=asked.left), plan)
        compiled = plan.compiled or (None,) * len(work.pubs)
        runs = [self._run(pub, made, asked, plan) for pub, made in zip(work.pubs, compiled, strict=True)]
        told: list[Mapping[str, Any]] = []
        calibration: Calibration | None = None
        rounds, most = 0, self.inner.info.limits.max_programs
        while True:
            wanted = [(index, request) for index, run in enumerate(runs) for request in run.requests()]
            if not wanted:
                break
            for start in range(0, len(wanted), most):
                execution = self._call(wanted[start : start + most], rounds, asked, plan)
                told.append(execution.provenance)
                calibration = execution.calibration or calibration
            rounds += 1
        outcomes: tuple[Outcome, ...] = tuple(outcome_of(run) for run in runs)
        provenance = provenance_of(told, outcomes, asked)
        if asked.allocation is not None:
            # How many shots, and of what, was decided on the way.
            provenance["tasks"] = [
                [row.to_json() for row in run.tasks()] for run in runs if isinstance(run, EstimateRun)
            ]
        return Execution(outcomes, provenance, calibration)

    # --- one pub

    def _check(self, pub: Pub, made: Compiled | None, asked: Asked, plan: Plan) -> tuple[int, tuple[Tasks, ...]]:
        ground = self._ground(pub, made, asked, plan)
        if not ground.is_static:
            check_dynamic(asked.methods)
        if pub.observables is None:
            circuit = pub.program.circuit if made is None else made.circuit
            assert circuit is not None
            return check_sample(pub, ground, circuit, asked.methods)
        self._noise(asked, plan)
        return check_estimate(pub, ground, asked.methods, asked.allocation)

    def _run(self, pub: Pub, made: Compiled | None, asked: Asked, plan: Plan) -> EstimateRun | SampleRun:
        ground = self._ground(pub, made, asked, plan)
        if pub.observables is not None:
            noise = self._noise(asked, plan)
            return EstimateRun(pub, ground, asked.methods, asked.allocation, noise, asked.told)
        circuit = pub.program.circuit if made is None else made.circuit
        assert circuit is not None
        return SampleRun(pub, ground, circuit, asked.methods, asked.told)

    def _ground(self, pub: Pub, made: Compiled | None, asked: Asked, plan: Plan) -> Ground:
        shape = self.inner.info.device
        if made is None or shape is None:
            if asked.methods.decoupling is not None:
                raise refusal(
                    "dynamical_decoupling",
                    f"gates take no time on {self.inner.info.name}, so no qubit waits",
                    "Use it on a device, such as emu.heron.",
                )
            return simulated(pub.program)
        return compiled_ground(pub.program, made, self._calibration(plan), shape, asked.methods.decoupling)

    def _calibration(self, plan: Plan) -> Calibration:
        """The one that the plan compiled for."""
        assert isinstance(self.inner, DeviceDriver)
        told = plan.details.get(COMPILED_UNDER)
        return self.inner.calibration(plan.details["calibration"]["taken_at"]) if told is None else _read(told)

    def _noise(self, asked: Asked, plan: Plan) -> Noise | None:
        """What error cancellation takes the noise to be."""
        if asked.methods.pec is None:
            return None
        if self.inner.info.device is not None and "calibration" in plan.details:
            return DeviceNoise(self._calibration(plan))
        given = asked.left.get("noise")
        if not given:
            raise refusal(
                "pec",
                f"nothing is known of the noise of {self.inner.info.name}",
                "Give a NoiseModel with noise=, or use zne, which needs to know nothing.",
            )
        return NoiseModel.from_json(given)

    # --- one round

    def _call(self, wanted: Sequence[tuple[int, Request]], number: int, asked: Asked, plan: Plan) -> Execution:
        pubs = []
        for _, request in wanted:
            cell = request.tally.cell
            pubs.append(Pub(cell.program, cell.parameters, request.shots, derived_seed(cell.seed, "round", number)))
        work = Work(JobKind.BATCH, tuple(pubs), asked.left)
        if plan.compiled:
            details = {name: value for name, value in plan.details.items() if name not in _OWN_DETAILS}
            own = evolve(
                plan,
                engine=tuple(plan.engine[index] for index, _ in wanted),
                reason=tuple(plan.reason[index] for index, _ in wanted),
                compiled=tuple(self._made(request.tally.cell.program, plan) for _, request in wanted),
                details=details,
            )
        else:
            own = self.inner.plan(work)
        execution = self.inner.execute(work, own)
        for (_, request), outcome in zip(wanted, execution.outcomes, strict=True):
            assert isinstance(outcome, Sampled)
            request.tally.add(outcome.counts, request.shots)
        return execution

    @staticmethod
    def _made(program: Program, plan: Plan) -> Compiled:
        """The compiled circuit: one of the plan's own, or one that a mitigation made of it."""
        own = next((made for made in plan.compiled if made.circuit is program.circuit), None)
        return as_compiled(program) if own is None else own


def _device_seconds(base: Plan, work: Work, tasks: Sequence[Tasks]) -> float | None:
    """The machine's seconds for shots as long as the program's own: the pauses between them are most of the time."""
    own = sum(pub.parameters.num_sets * (pub.shots or 0) for pub in work.pubs)
    if base.device_s is None or not own:
        return base.device_s
    return base.device_s * sum(row.tasks * row.shots for row in tasks) / own


class MitigatingDevice(MitigatingDriver):
    """A device that also mitigates; its calibrations are the device's."""

    inner: DeviceDriver

    def calibration(self, at: float) -> Calibration:
        """As the device says."""
        return self.inner.calibration(at)

    def calibrations(self, since: float, until: float) -> Sequence[Calibration]:
        """As the device says."""
        return self.inner.calibrations(since, until)

    def assess(self, program: Program, calibration: Calibration) -> Assessment:
        """As the device says: of the program as it is."""
        return self.inner.assess(program, calibration)


class MitigatingEmulator(MitigatingDevice):
    """An emulated device that also mitigates; it still does whatever gives it a life."""

    inner: _Emulator

    def plan_under(self, work: Work, calibration: Calibration) -> Plan:
        """`plan` for that calibration, which goes with the plan if the device does not have it."""

        def planned(base: Work) -> Plan:
            plan = self.inner.plan_under(base, calibration)
            if base is work or self.inner.calibration(calibration.taken_at).digest == calibration.digest:
                return plan
            return evolve(plan, details={**plan.details, COMPILED_UNDER: calibration.to_json()})

        return self._plan(work, planned)

    def plans_singly(self, work: Work) -> bool:
        """As the device says; with mitigation False, since its circuits are counted over the whole job."""
        return (
            read_asked(work.options) is None
            and isinstance(self.inner, CompilingDriver)
            and self.inner.plans_singly(work)
        )

    def check(self, work: Work) -> None:
        """As the device does, of a work without mitigation."""
        if isinstance(self.inner, CompilingDriver):
            self.inner.check(work)

    def is_compiled(self, work: Work) -> bool:
        """As the device says."""
        return isinstance(self.inner, CompilingDriver) and self.inner.is_compiled(work)


class _Emulator(DeviceDriver, Protocol):
    def plan_under(self, work: Work, calibration: Calibration) -> Plan: ...


class MitigatingScheduledDevice(MitigatingDevice):
    """A device that also mitigates and knows when it is calibrated next."""

    inner: ScheduledDevice

    def next_calibration(self, at: float) -> float:
        """As the device says."""
        return self.inner.next_calibration(at)


_OWN_DETAILS = frozenset({"mitigation", "circuits", COMPILED_UNDER})


def _read(told: Mapping[str, Any]) -> Calibration:
    return _read_text(json.dumps(told, sort_keys=True))


@lru_cache(maxsize=8)
def _read_text(text: str) -> Calibration:
    return Calibration.from_json(json.loads(text))


def _base_of(work: Work, asked: Asked, circuits: int = 1) -> Work:
    """What the target plans for: the programs without the measurements at their end where those are replaced.

    Args:
        circuits: Among so many the shots are shared.
    """
    pubs = []
    for pub in work.pubs:
        circuit = pub.program.circuit
        assert circuit is not None
        shots = pub.shots
        if shots is not None and circuits > 1:
            # The target itself needs some for each basis of an estimate.
            terms = 0 if pub.observables is None else max((len(each.terms) for each in pub.observables), default=0)
            shots = min(shots, max(1, shots // circuits, 2 * terms))
        if pub.observables is None:
            pubs.append(evolve(pub, shots=shots))
            continue
        bare = without_last_measurements(circuit.operations)
        program = program_of(Circuit(circuit.num_qubits, circuit.registers, circuit.parameters, bare), pub.program)
        pubs.append(evolve(pub, program=program, shots=shots))
    return Work(work.kind, tuple(pubs), asked.left)


def outcome_of(run: EstimateRun | SampleRun) -> Outcome:
    """What came of one pub."""
    return EstimateOutcome(run).outcome() if isinstance(run, EstimateRun) else run.outcome()


def provenance_of(told: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome], asked: Asked) -> dict[str, Any]:
    """As the target's own of the first round, with sums over all and a summary; details are with the outcomes."""
    first = {name: value for name, value in told[0].items() if name != "pubs"} if told else {}
    seconds = sum(each.get("engine_s", 0.0) for each in told)
    found = {**first, "engine_s": seconds, "num_calls": sum(each.get("num_calls", 0) for each in told)}
    details = [outcome.details["mitigation"] for outcome in outcomes if "mitigation" in (outcome.details or {})]  # type: ignore[index]
    if details:
        found["mitigation"] = {
            "settings": asked.told,
            "verdicts": [each.get("verdict") for each in details],
            "overhead": {
                "shots": sum(each["overhead"]["shots"] for each in details),
                "circuits": sum(each["overhead"]["circuits"] for each in details),
                "seconds": seconds,
            },
        }
    if asked.allocation is not None:
        found["allocation"] = {
            **asked.allocation.to_json(),
            "shots": [outcome.shots for outcome in outcomes if isinstance(outcome, Estimated)],
        }
    return found
