"""Work: what a job asks of a target, resolved, and the plan a target made of it before it is queued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from antiphon.domain.circuits import Circuit
from antiphon.domain.evolve import evolve
from antiphon.domain.gate_counts import Tasks
from antiphon.domain.observables import Observable
from antiphon.domain.packed_circuits import PackedCircuit
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import Program


class JobKind(StrEnum):
    """What the user called; it decides the shape of the result, not how it runs."""

    SAMPLE = "sample"  # one program, one parameter set → counts
    ESTIMATE = "estimate"  # programs and observables → expectation values
    BATCH = "batch"  # many programs → counts of each
    SWEEP = "sweep"  # one program, many parameter sets → counts of each


@dataclass(frozen=True, slots=True)
class Pub:
    """Primitive unified bloc: one program, its parameter sets, and what to measure.

    Attributes:
        program: What runs.
        parameters: One set or an array of sets.
        observables: None to sample; else a flat tuple in C order over `observables_shape`, broadcast with
            `parameters.shape` by NumPy's rules.
        shots: Repetitions of each parameter set; None only for exact expectation values.
        seed: 64-bit seed of this pub, derived by hashing the job's seed with the pub's index, so that neighbouring
            seeds and neighbouring pubs share nothing.
    """

    program: Program
    parameters: ParameterSets
    shots: int | None
    seed: int
    observables: tuple[Observable, ...] | None = None
    observables_shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """All pubs of one job, with the target's options (JSON values; `noise` holds a `NoiseModel` as JSON)."""

    kind: JobKind
    pubs: tuple[Pub, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program as a target runs it: on its own qubits, in its own gates.

    Attributes:
        made: The circuit, or the circuit packed; see `circuit`.
        layout: Physical qubit of each qubit of the program at the start.
        final: The same at the end, after the swaps of routing.
        reused: It was compiled before, and nothing was compiled now.
        seconds: How long compiling took, then or now.
        key: Names what it was compiled from: equal keys have equal circuits.
        text: The circuit in OpenQASM 3, if it was written where it was compiled.
    """

    made: Circuit | PackedCircuit
    layout: tuple[int, ...]
    reused: bool
    seconds: float
    final: tuple[int, ...] = ()
    key: str = ""
    text: bytes | None = None

    @property
    def circuit(self) -> Circuit:
        """On physical qubits; registers, classical bits and parameters are those of the program."""
        return self.made.circuit if isinstance(self.made, PackedCircuit) else self.made


PROGRAMS = "programs"
"""In the details of a plan: what else was decided for each planned pub, in order, where a target tells that."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a target will run a work: decided and recorded before the job is queued.

    Of a batch for a target that compiles, only the first programs may be planned by then; see
    `ports.compiling_driver`.

    Attributes:
        engine: Name of the engine chosen for each planned pub, e.g. "lightning".
        reason: Why, for each planned pub, in words.
        cost: Estimated engine seconds of the whole work on this machine, an order of magnitude; of a device that
            lives, its seconds there.
        memory_bytes: Estimated peak memory of one pub.
        safe_inline: True only when the work cannot hang or crash the process and is bounded: no measurement-dependent
            loop, unless it is known to end soon with this seed, and no native interpreter of foreign code.
        num_calls: Simulator calls the plan makes (a sweep of 1,000 sets may be one).
        compiled: Each planned pub's program as it will run, from targets that compile; else empty.
        warnings: What the user should know before it is queued, each a sentence: a loss of fidelity while it waits for
            classical decisions, say.
        details: What else was decided, as JSON values, for the driver and for the record.
        tasks: What each pub becomes, where circuits run that are not the pub's own; else empty. It is what is charged.
        device_s: Seconds that its shots take the machine that the target stands for, with the pauses between them; None
            where the target itself takes the time that counts.
        pending: So many pubs at the end of the work are not planned yet; `cost`, `device_s` and `num_calls` take them
            to be like those that are.
    """

    engine: tuple[str, ...]
    reason: tuple[str, ...]
    cost: float
    memory_bytes: int
    safe_inline: bool
    num_calls: int = 1
    compiled: tuple[Compiled, ...] = ()
    warnings: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[tuple[Tasks, ...], ...] = ()
    pending: int = 0
    device_s: float | None = None

    def part(self, indices: Sequence[int]) -> Plan:
        """The plan of some of the pubs, all of which are planned; their share of the cost."""
        details = self.details
        if PROGRAMS in details:
            told = details[PROGRAMS]
            details = {**details, PROGRAMS: [told[index] for index in indices]}
        share = len(indices) / (len(self.engine) + self.pending)
        return evolve(
            self,
            engine=tuple(self.engine[index] for index in indices),
            reason=tuple(self.reason[index] for index in indices),
            cost=self.cost * share,
            device_s=None if self.device_s is None else self.device_s * share,
            num_calls=len(indices),
            compiled=tuple(self.compiled[index] for index in indices) if self.compiled else (),
            details=details,
            tasks=tuple(self.tasks[index] for index in indices) if self.tasks else (),
            pending=0,
        )

    def without_texts(self) -> Plan:
        """What is needed to run it: without the texts that only the record needs."""
        if not any(made.text for made in self.compiled):
            return self
        return evolve(self, compiled=tuple(evolve(made, text=None) for made in self.compiled))

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values, for the record."""
        return {
            "engine": list(self.engine),
            "reason": list(self.reason),
            "estimated_seconds": self.cost,
            "memory_bytes": self.memory_bytes,
            "num_calls": self.num_calls,
            **({} if self.device_s is None else {"device_seconds": self.device_s}),
            **({"pending": self.pending} if self.pending else {}),
            **({"warnings": list(self.warnings)} if self.warnings else {}),
            **({"details": dict(self.details)} if self.details else {}),
        }


def joined(plans: Sequence[Plan], pending: int = 0) -> Plan:
    """The plan of a work whose pubs were planned one by one, of which so many at the end are not planned yet.

    Args:
        plans: At least one; of one target, for the same options.
    """
    planned = sum(len(plan.engine) for plan in plans)
    details = plans[0].details
    if PROGRAMS in details:
        details = {**details, PROGRAMS: [told for plan in plans for told in plan.details[PROGRAMS]]}
    calls = sum(plan.num_calls for plan in plans)
    device = [plan.device_s for plan in plans if plan.device_s is not None]
    growth = (planned + pending) / planned
    return Plan(
        engine=tuple(engine for plan in plans for engine in plan.engine),
        reason=tuple(reason for plan in plans for reason in plan.reason),
        cost=sum(plan.cost for plan in plans) * growth,
        memory_bytes=max(plan.memory_bytes for plan in plans),
        # What is not known yet may be anything.
        safe_inline=not pending and all(plan.safe_inline for plan in plans),
        num_calls=round(calls * growth),
        compiled=tuple(made for plan in plans for made in plan.compiled),
        warnings=tuple(dict.fromkeys(said for plan in plans for said in plan.warnings)),
        details=details,
        tasks=tuple(tasks for plan in plans for tasks in plan.tasks),
        pending=pending,
        device_s=sum(device) * growth if device else None,
    )
