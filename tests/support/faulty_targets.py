"""Targets and connections that are wrong on purpose, each in one way that other platforms were wrong in."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from antiphon.adapters.targets.sim import build_drivers
from antiphon.client.embedded import EmbeddedConnection
from antiphon.domain.calibrations import Calibration, QubitFigures
from antiphon.domain.circuits import Bit, Circuit, Delay, For, Gate, If, Operation, Reset
from antiphon.domain.devices import Assessment, DeviceShape
from antiphon.domain.jobs import Job
from antiphon.domain.programs import Program
from antiphon.domain.results import Execution, Outcome, Sampled
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import Plan, Work
from antiphon.engine.context import Finished
from antiphon.engine.requests import SubmitRequest
from antiphon.errors import AntiphonError

NAME = "test.faulty"
TAKEN_AT = time.time() - 60
LONG_S = 1e-3
"""A delay of so long takes a qubit's phase, on the driver that heeds time."""

Rewrite = Callable[[Operation], list[Operation]]


@dataclass
class FaultyDriver:
    """A simulator with one fault; every job of it runs in the submitting process.

    Args:
        rewrite: What it makes of each operation.
        misread: What it makes of counts.
        refuses_options: False swallows options that it does not know.
        reseed: Whether it draws its own seeds.
    """

    rewrite: Rewrite | None = None
    misread: Callable[[Mapping[str, int]], Mapping[str, int]] | None = None
    reorder: bool = False
    refuses_options: bool = True
    reseed: bool = False
    info: TargetInfo = field(default_factory=lambda: _info())

    def plan(self, work: Work) -> Plan:
        """As the simulator's, but cheap and safe."""
        plan: Plan = _inner().plan(self._work(work))
        return replace(plan, cost=0.0, safe_inline=True)

    def execute(self, work: Work, plan: Plan) -> Execution:
        """Run what it made of the work."""
        del plan
        changed = self._work(work)
        done: Execution = _inner().execute(changed, _inner().plan(changed))
        return replace(done, outcomes=tuple(self._misread(outcome) for outcome in done.outcomes))

    def _work(self, work: Work) -> Work:
        options = work.options if self.refuses_options else {}
        pubs = tuple(replace(pub, program=self._program(pub.program), seed=self._seed(pub.seed)) for pub in work.pubs)
        return replace(work, pubs=pubs, options=options)

    def _seed(self, seed: int) -> int:
        return random.SystemRandom().getrandbits(63) if self.reseed else seed

    def _program(self, program: Program) -> Program:
        if self.rewrite is None or program.circuit is None:
            return program
        circuit = replace(program.circuit, operations=_rewritten(program.circuit.operations, self.rewrite))
        digest = f"{program.digest}-{id(self)}"  # engines keep what they read by digest
        if self.rewrite is not with_time or not any(isinstance(each, Delay) for each in program.circuit.walk()):
            return replace(program, circuit=circuit, digest=digest)
        return replace(
            program, circuit=_widened(circuit), num_qubits=circuit.num_qubits + 1, digest=program.digest + "f"
        )

    def _misread(self, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Sampled):
            return outcome
        counts = outcome.counts if self.misread is None else tuple(self.misread(each) for each in outcome.counts)
        return replace(outcome, counts=tuple(reversed(counts)) if self.reorder else counts)


class FaultyDevice(FaultyDriver):
    """The same, that says it is a device: a delay takes the phase of a qubit unless `rewrite` has dropped it."""

    keeps_calibration = True

    def calibration(self, at: float) -> Calibration:
        """The one there is."""
        del at
        figures = QubitFigures(1e-4, 1e-4, 0.0, 0.0)
        return Calibration(NAME, TAKEN_AT, (figures,) * 5, {}, 1e-6, 1e-6, 1e-6, "made up for tests")

    def calibrations(self, since: float, until: float) -> list[Calibration]:
        """The one there is."""
        del since
        return [self.calibration(until)]

    def assess(self, program: Program, calibration: Calibration) -> Assessment:
        """Nothing goes wrong on it but what waits."""
        layout = tuple(range(program.num_qubits))
        return Assessment(
            target=NAME, calibration=calibration.digest, layout=layout, depth=1, gates={}, seconds=1e-6, fidelity=1.0
        )

    def execute(self, work: Work, plan: Plan) -> Execution:
        """Run it, and keep the calibration."""
        done = super().execute(work, plan)
        return replace(done, calibration=self.calibration(time.time())) if self.keeps_calibration else done


def _info(**changes: Any) -> TargetInfo:
    info: TargetInfo = _inner().info
    return replace(info, name=NAME, provider="tests", **changes)


def device_info() -> TargetInfo:
    """What a faulty device declares."""
    shape = DeviceShape("superconducting", ("rz", "sx", "cx"))
    return replace(_info(kind="emulator", device=shape), limits=replace(_inner().info.limits, max_qubits=20))


def _inner() -> Any:
    return _SIMULATORS["sim.auto"]


_SIMULATORS = build_drivers()


def _rewritten(operations: tuple[Operation, ...], rewrite: Rewrite) -> tuple[Operation, ...]:
    found: list[Operation] = []
    for operation in operations:
        match operation:
            case If(condition, then, otherwise):
                inner = If(condition, _rewritten(then, rewrite), _rewritten(otherwise, rewrite))
                found += rewrite(inner)
            case For(bodies):
                found.append(For(tuple(_rewritten(body, rewrite) for body in bodies)))
            case _:
                found += rewrite(operation)
    return tuple(found)


def _widened(circuit: Circuit) -> Circuit:
    """With a qubit of the driver's own, the last."""
    return replace(circuit, num_qubits=circuit.num_qubits + 1)


# --- what they do wrong to programs


def with_time(operation: Operation) -> list[Operation]:
    """Right: a long delay takes the phase of its qubit, into the qubit of the driver's own."""
    if isinstance(operation, Delay) and operation.seconds >= LONG_S:
        return [Gate("cx", (operation.qubit, _OWN))]
    return [operation]


_OWN = 1
"""In programs of one qubit, which those with delays are."""


def without_delays(operation: Operation) -> list[Operation]:
    return [] if isinstance(operation, Delay) else [operation]


def rounded(*names: str) -> Rewrite:
    """Angles of these gates have two decimals."""

    def rewrite(operation: Operation) -> list[Operation]:
        if isinstance(operation, Gate) and operation.name in names:
            params = tuple(round(each, 2) if isinstance(each, float) else each for each in operation.params)
            return [replace(operation, params=params)]
        return [operation]

    return rewrite


def without_conditions(operation: Operation) -> list[Operation]:
    return list(operation.then) if isinstance(operation, If) else [operation]


def never_otherwise(operation: Operation) -> list[Operation]:
    return [replace(operation, otherwise=())] if isinstance(operation, If) else [operation]


def from_the_wrong_end(operation: Operation) -> list[Operation]:
    """The first three bits of the circuit are read backwards by conditions."""
    return [replace(operation, condition=_mirrored(operation.condition))] if isinstance(operation, If) else [operation]


def _mirrored(condition: Any) -> Any:
    match condition:
        case Bit(index):
            return Bit(2 - index)
        case bool():
            return condition
    if hasattr(condition, "operands"):
        return replace(condition, operands=tuple(_mirrored(each) for each in condition.operands))
    return replace(condition, operand=_mirrored(condition.operand))


def without_resets(operation: Operation) -> list[Operation]:
    return [] if isinstance(operation, Reset) else [operation]


# --- what they do wrong to counts


def backwards(counts: Mapping[str, int]) -> Mapping[str, int]:
    """Each register from its other end."""
    return {" ".join(part[::-1] for part in key.split(" ")): count for key, count in counts.items()}


def merged(counts: Mapping[str, int]) -> Mapping[str, int]:
    return {key.replace(" ", ""): count for key, count in counts.items()}


def padded(counts: Mapping[str, int]) -> Mapping[str, int]:
    return {key.rjust(3, "0"): count for key, count in counts.items()}


def one_short(counts: Mapping[str, int]) -> Mapping[str, int]:
    first = next(iter(counts))
    return {key: count - (key == first) for key, count in counts.items() if count - (key == first)}


# --- connections that break the promises of jobs


class WithoutKeys(EmbeddedConnection):
    """Every submit is a new job."""

    def submit(self, request: SubmitRequest) -> Finished:
        return super().submit(replace(request, key=None))


class WithoutCancel(EmbeddedConnection):
    """Says yes, and goes on."""

    def cancel(self, job_id: str) -> Job:
        return self.job(job_id)


class WithoutLimits(EmbeddedConnection):
    """No job has a limit of its own."""

    def submit(self, request: SubmitRequest) -> Finished:
        return super().submit(replace(request, max_seconds=None))


class OnceOnly(EmbeddedConnection):
    """A result is gone once it was fetched."""

    def outcomes(self, job: Job) -> tuple[Outcome, ...]:
        fetched: set[str] = self.__dict__.setdefault("fetched", set())
        if job.id in fetched:
            raise AntiphonError("The result was deleted.", code="gone")
        fetched.add(job.id)
        return super().outcomes(job)


class BackInTime(EmbeddedConnection):
    """The log is told from its end."""

    def events(self, subject: str) -> list[dict[str, Any]]:
        return super().events(subject)[::-1]


class Untidy(EmbeddedConnection):
    """Stores what it refuses."""

    def submit(self, request: SubmitRequest) -> Finished:
        try:
            return super().submit(request)
        except AntiphonError as error:
            error.next_step = ""
            raise
