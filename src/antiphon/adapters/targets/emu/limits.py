"""What a device takes: of a job before anything is compiled, of each program as compiled; with source and way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from antiphon.adapters.targets.emu.assessing import depth_of, two_qubit_gates
from antiphon.adapters.targets.emu.cache import Kept
from antiphon.domain.circuits import Circuit, Delay, Gate, Measure, Operation, Reset, Unitary
from antiphon.domain.devices import Counted, DeviceLimit
from antiphon.domain.work import Work
from antiphon.errors import LimitError


def check_work(name: str, limits: Iterable[DeviceLimit], work: Work) -> None:
    """Refuse a job that is too large for the device `name`, whatever is in its programs.

    Raises:
        LimitError: Too many programs, or executions of them (code "job-too-large").
    """
    for limit in limits:
        found = _of_a_job(limit.of, work)
        if found is not None and found > limit.most:
            held = "" if limit.published else ", as is assumed"
            raise LimitError(
                f"{name} takes {limit.most_text} {limit.of.words}{held}; this job has {limit.text(found)}.",
                code="job-too-large",
                cause=limit.source,
                next_step="Split the job into several, or ask for fewer shots.",
                details=_details(limit, found),
            )


def check_compiled(name: str, limits: Iterable[DeviceLimit], kept: Kept) -> None:
    """Refuse a program that is too long for the device `name`. A loop on measurements is counted once.

    Raises:
        LimitError: It has more layers, gates or instructions, or lasts longer than the device takes (code "too-deep").
    """
    for limit in limits:
        found = _of_a_program(limit, kept)
        if found is not None and found > limit.most:
            said = f"the program has {limit.text(found)} {limit.of.words}"
            if limit.of is Counted.SECONDS:
                said = f"a shot of the program lasts {limit.text(found)}"
            held = "" if limit.published else ", as is assumed"
            raise LimitError(
                f"Compiled, {said}; {name} takes {limit.most_text}{held}.",
                code="too-deep",
                cause=limit.source,
                next_step="Shorten the program, its delays or its waits for decisions, or raise optimization_level.",
                details=_details(limit, found),
            )


def _of_a_job(of: Counted, work: Work) -> float | None:
    match of:
        case Counted.PROGRAMS:
            return len(work.pubs)
        case Counted.EXECUTIONS:
            # Estimates may be split as the device likes.
            sampled = (pub for pub in work.pubs if pub.observables is None)
            return sum(pub.parameters.num_sets * (pub.shots or 0) for pub in sampled)
        case _:
            return None


def _of_a_program(limit: DeviceLimit, kept: Kept) -> float | None:
    match limit.of:
        case Counted.LAYERS:
            return depth_of(kept.circuit.operations)
        case Counted.TWO_QUBIT_GATES:
            return two_qubit_gates(kept.circuit)
        case Counted.INSTRUCTIONS:
            return max(instructions_of(kept.circuit, limit.weights).values(), default=0.0)
        case Counted.SECONDS:
            return kept.duration
        case _:
            return None


def instructions_of(circuit: Circuit, weights: Mapping[str, float]) -> dict[int, float]:
    """How many instructions the operations of each qubit make, those of every branch counted.

    Args:
        weights: How many an operation makes, by gate name, "measure", "reset" and "delay"; 1 for others.
    """
    found: dict[int, float] = {}
    for operation in circuit.walk():
        name, qubits = _named(operation)
        for qubit in qubits:
            found[qubit] = found.get(qubit, 0.0) + weights.get(name, 1.0)
    return found


def _named(operation: Operation) -> tuple[str, tuple[int, ...]]:
    match operation:
        case Gate(name, qubits):
            return name, qubits
        case Unitary(_, qubits):
            return "unitary", qubits
        case Measure(qubit):
            return "measure", (qubit,)
        case Reset(qubit):
            return "reset", (qubit,)
        case Delay(qubit):
            return "delay", (qubit,)
        case _:
            return "", ()


def _details(limit: DeviceLimit, found: float) -> dict[str, object]:
    return {"of": limit.of.value, "found": found, "most": limit.most, "published": limit.published}
