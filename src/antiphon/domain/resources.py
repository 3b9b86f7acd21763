"""Resources: what a program takes, as it stands, on a target, and on a machine that corrects its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.domain.circuit_figures import CircuitFigures
from antiphon.domain.devices import Assessment
from antiphon.domain.policies.estimates import Estimate
from antiphon.domain.shown import Shown, span


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetResources:
    """What a program takes on one target.

    Attributes:
        version: The target's.
        figures: After compilation on a device; as submitted on what runs any gate; None for a program that only an
            engine of its own format reads.
        is_compiled: Which of both `figures` are.
        shots: Repetitions of each parameter set that the times and the cost are for.
        sets: Parameter sets.
        assessment: What a device's calibration says of it; None on what is no device.
        expected: Wait, run time and cost of the job if it were submitted now.
        warnings: What the user should know, each a sentence.
    """

    target: str
    version: str
    kind: str
    figures: CircuitFigures | None
    is_compiled: bool
    shots: int | None
    sets: int
    assessment: Assessment | None
    expected: Estimate
    warnings: tuple[str, ...] = ()
    shot_pause_s: float = 0.0

    @property
    def fidelity(self) -> float | None:
        """Estimated probability that a shot sees no error; None on what is no device."""
        return None if self.assessment is None else self.assessment.fidelity

    @property
    def device_s(self) -> float | None:
        """Seconds that shots and the pauses between them take the device; None on what is none, or without shots."""
        if self.assessment is None or self.shots is None:
            return None
        return self.sets * self.shots * (self.assessment.seconds + self.shot_pause_s)

    def to_json(self) -> dict[str, Any]:
        """The resources as JSON values."""
        return {
            "target": self.target,
            "version": self.version,
            "kind": self.kind,
            "figures": None if self.figures is None else self.figures.to_json(),
            "is_compiled": self.is_compiled,
            "shots": self.shots,
            "sets": self.sets,
            "device_s": self.device_s,
            "shot_pause_s": self.shot_pause_s,
            "fidelity": self.fidelity,
            "assessment": None if self.assessment is None else self.assessment.to_json(),
            "expected": self.expected.to_json(),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TargetResources:
        """The inverse of `to_json`."""
        figures, assessment = data["figures"], data["assessment"]
        return cls(
            target=data["target"],
            version=data["version"],
            kind=data["kind"],
            figures=None if figures is None else CircuitFigures(**figures),
            is_compiled=data["is_compiled"],
            shots=data["shots"],
            sets=data["sets"],
            assessment=None if assessment is None else _assessment(assessment),
            expected=Estimate.from_json(data["expected"]),
            warnings=tuple(data["warnings"]),
            shot_pause_s=data["shot_pause_s"],
        )


def _assessment(data: Mapping[str, Any]) -> Assessment:
    return Assessment(**{**data, "layout": tuple(data["layout"]), "warnings": tuple(data["warnings"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalCounts:
    """What a program needs of logical qubits, before any code is chosen.

    Attributes:
        rotations: By an angle that is no multiple of π/4; each is made of many T states.
        t: T gates.
        toffoli: CCX and CCZ gates.
    """

    qubits: int
    t: int
    rotations: int
    rotation_depth: int
    toffoli: int
    measurements: int

    def to_json(self) -> dict[str, int]:
        """The counts as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class PhysicalResources:
    """One way to run it with error correction: more qubits for less time, or the other way round.

    Attributes:
        qubits: Physical qubits in all.
        runtime_s: Seconds for one run of the program.
        error: Probability that a run fails, at most.
        code_distance: Of the code that holds the logical qubits.
        compute_qubits, factory_qubits: Physical qubits that hold logical ones, and that make T states.
        t_factories: How many make T states at the same time.
        t_states: T states used.
    """

    qubits: int
    runtime_s: float
    error: float
    code_distance: int | None
    compute_qubits: int
    factory_qubits: int
    t_factories: int
    t_states: int

    def to_json(self) -> dict[str, Any]:
        """The resources as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultTolerant:
    """What a program takes on a machine that corrects its errors.

    Attributes:
        qubit_model: Name of the physical qubits that are assumed.
        assumptions: What is assumed, in words.
        error_budget: The largest probability that a run may fail with.
        logical: What it needs of logical qubits.
        ways: The best trade-offs between qubits and time, fewest qubits first; empty when the budget cannot be met.
        notes: What the figures rest on, each a sentence.
        estimator: Package and version.
    """

    qubit_model: str
    assumptions: str
    error_budget: float
    logical: LogicalCounts
    ways: tuple[PhysicalResources, ...]
    notes: tuple[str, ...] = ()
    estimator: str = ""

    @property
    def smallest(self) -> PhysicalResources | None:
        """The way with the fewest physical qubits."""
        return self.ways[0] if self.ways else None

    @property
    def fastest(self) -> PhysicalResources | None:
        """The way with the shortest run time."""
        return min(self.ways, key=lambda way: way.runtime_s, default=None)

    def to_json(self) -> dict[str, Any]:
        """The estimate as JSON values."""
        return {
            "qubit_model": self.qubit_model,
            "assumptions": self.assumptions,
            "error_budget": self.error_budget,
            "logical": self.logical.to_json(),
            "ways": [way.to_json() for way in self.ways],
            "notes": list(self.notes),
            "estimator": self.estimator,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why there are no figures: the target does not take the program, or the estimator cannot read it."""

    what: str
    code: str
    message: str
    next_step: str = ""

    def to_json(self) -> dict[str, str]:
        """The refusal as JSON values."""
        return {"what": self.what, "code": self.code, "message": self.message, "next_step": self.next_step}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources(Shown):
    """What one program takes: as it stands, on each target that was asked, and with error correction. Prints well.

    Attributes:
        figures: As submitted; None for a program that only an engine of its own format reads.
        targets: In the order asked; a target that does not take the program says why.
        fault_tolerant: None when it was not asked for.
    """

    program: str
    digest: str
    shots: int | None
    figures: CircuitFigures | None
    targets: tuple[TargetResources | Refused, ...]
    fault_tolerant: FaultTolerant | Refused | None = None

    @property
    def on(self) -> Mapping[str, TargetResources]:
        """By target, those that take the program."""
        return {each.target: each for each in self.targets if isinstance(each, TargetResources)}

    def to_json(self) -> dict[str, Any]:
        """All figures as JSON values."""
        return {
            "program": self.program,
            "digest": self.digest,
            "shots": self.shots,
            "figures": None if self.figures is None else self.figures.to_json(),
            "targets": [each.to_json() for each in self.targets if isinstance(each, TargetResources)],
            "refused": [each.to_json() for each in self.targets if isinstance(each, Refused)],
            "fault_tolerant": None
            if self.fault_tolerant is None or isinstance(self.fault_tolerant, Refused)
            else self.fault_tolerant.to_json(),
            "fault_tolerant_refused": self.fault_tolerant.to_json()
            if isinstance(self.fault_tolerant, Refused)
            else None,
        }

    def __str__(self) -> str:
        """A few lines: the program, a line a target, and the machine with error correction."""
        lines = [f"{self.program or 'program'}: {in_words(self.figures)}"]
        for each in self.targets:
            if isinstance(each, Refused):
                lines.append(f"  {each.what}: refused: {each.message}")
                continue
            run = span(each.expected.run.p50 if each.device_s is None else each.device_s)
            told = [in_words(each.figures), f"{run} for {each.shots} shots" if each.shots else run]
            if each.fidelity is not None:
                told.append(f"fidelity {each.fidelity:.3g}")
            if each.expected.cost is not None:
                told.append(f"{each.expected.cost.p50:,.6g} {each.expected.currency}")
            lines.append(f"  {each.target}: {'; '.join(told)}")
            lines += [f"    note: {warning}" for warning in each.warnings]
        match self.fault_tolerant:
            case Refused(message=message):
                lines.append(f"  with error correction: {message}")
            case FaultTolerant() as found:
                lines.append(f"  with error correction ({found.qubit_model}, error at most {found.error_budget:g}):")
                lines += [f"    {way_in_words(way)}" for way in found.ways]
                lines += [f"    note: {note}" for note in found.notes]
        return "\n".join(lines)


def in_words(figures: CircuitFigures | None) -> str:
    """Such as "3 qubits, depth 5, 4 cx, 2 h"."""
    if figures is None:
        return "not counted"
    gates = sorted(figures.gates.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(
        [f"{figures.width} qubits", f"depth {figures.depth}", *(f"{count} {name}" for name, count in gates)]
    )


def way_in_words(way: PhysicalResources) -> str:
    """One way in a line."""
    distance = "" if way.code_distance is None else f", code distance {way.code_distance}"
    return f"{way.qubits:,} physical qubits, {span(way.runtime_s)} a run{distance}, {way.t_factories} T factories"
