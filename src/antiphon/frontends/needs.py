"""Which instruction of a program needs which profile, where it stands, and how to do without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from antiphon.domain.circuits import (
    AssignBit,
    Break,
    Circuit,
    Continue,
    For,
    Gate,
    If,
    Measure,
    Operation,
    Reset,
    Unitary,
    While,
)
from antiphon.domain.needs import Need
from antiphon.domain.programs import Profile, Program
from antiphon.errors import AntiphonError, UnsupportedProgramError
from antiphon.frontends.places import SourcePlaces
from antiphon.frontends.recognise import source_places

AT_THE_END = "Measure at the end, each qubit once, and use another qubit in its place"
_AFTERWARDS = "Return the bit, and decide after the job; or submit a program for each case"
_BOUNDED = "Unroll the loop to a number of turns that is enough, each in a branch (Adaptive_RI)"
_CONSTANTS = "Choose among constant angles with branches on the bits (Adaptive_RI)"
_COUNT = "Return the bits, and compute from them after the job"


@dataclass(frozen=True, slots=True)
class _Found:
    profile: Profile
    index: int
    instruction: str
    way_out: str


def needs_of(program: Program) -> tuple[Need, ...]:
    """The first instruction for each profile above Base that the program needs, from the least profile on."""
    if program.circuit is None:
        way_out = "Write it without what the reason names; sim.auto may run it as it is"
        return (Need(program.profile, program.opaque_because, "", way_out),)
    places = _Places(program)
    first: dict[Profile, Need] = {}
    for found in _exceeding(program.circuit):
        if found.profile not in first:
            where = places.at(found.index)
            first[found.profile] = Need(found.profile, found.instruction, where, found.way_out)
    if program.profile not in first and program.profile is not Profile.BASE:
        # The circuit needs less than the program: what is computed from bits is already worked out in it.
        real = program.profile is Profile.ADAPTIVE_RIF
        what = f"{'floating-point ' if real else ''}arithmetic on what was measured"
        first[program.profile] = Need(program.profile, what, places.computed, _CONSTANTS if real else _COUNT)
    return tuple(sorted(first.values(), key=lambda need: need.profile.rank))


def profile_refusal(program: Program, offered: Profile, target: str) -> UnsupportedProgramError:
    """The error for a program that needs a larger profile than a target offers: what needs it, and the way out."""
    needs = [need for need in needs_of(program) if need.profile.rank > offered.rank]
    cause, way_out, details = "", "Use sim.auto.", {"needed": program.profile.value, "offered": offered.value}
    if needs:
        worst = needs[0]
        at = f" ({worst.where})" if worst.where else ""
        cause = f"it has {worst.instruction}{at}, which needs {worst.profile}"
        way_out = f"{worst.way_out}; or use sim.auto, or an emulated device such as emu.heron."
        details |= {"instruction": worst.instruction, "where": worst.where}
    return UnsupportedProgramError(
        f"The program needs the profile {program.profile}; {target} offers {offered}.",
        code="profile-unsupported",
        cause=cause,
        next_step=way_out,
        details=details,
    )


class _Places:
    """Where operations stand in the source; read when it is first asked."""

    def __init__(self, program: Program) -> None:
        self._program = program

    @cached_property
    def _read(self) -> SourcePlaces:
        try:
            return source_places(self._program)
        except AntiphonError:
            return SourcePlaces()  # the source was not read by a front end; the need is told all the same

    def at(self, index: int) -> str:
        """The place of the operation of that index in the circuit's walk."""
        places = self._read.operations
        return places[index] if index < len(places) else ""

    @property
    def computed(self) -> str:
        """The place of the first number that is computed from measured bits."""
        return self._read.computed


def _exceeding(circuit: Circuit) -> Iterator[_Found]:
    """Operations that Base has not, in program order, with their place in the walk."""
    used: set[int] = set()
    measured: set[int] = set()
    written: set[int] = set()
    for index, operation in enumerate(circuit.walk()):
        found = _control(operation)
        if found is None:
            found = _reuse(operation, used, measured, written)
        if found is not None:
            profile, what, way_out = found
            yield _Found(profile, index, what, way_out)


def _control(operation: Operation) -> tuple[Profile, str, str] | None:
    match operation:
        case While():
            return Profile.ADAPTIVE, "a loop that ends on a measurement", _BOUNDED
        case Break() | Continue():
            word = "break" if isinstance(operation, Break) else "continue"
            return Profile.ADAPTIVE, f"a {word} that depends on a measurement", _BOUNDED
        case If():
            return Profile.ADAPTIVE_RI, "a branch on measured bits", _AFTERWARDS
        case For():
            return Profile.ADAPTIVE_RI, "a loop", "Write its turns out"
        case AssignBit():
            return Profile.ADAPTIVE_RI, "a bit that is computed while the program runs", _COUNT
    return None


def _reuse(
    operation: Operation, used: set[int], measured: set[int], written: set[int]
) -> tuple[Profile, str, str] | None:
    found: str | None = None
    match operation:
        case Gate(_, qubits) | Unitary(_, qubits):
            again = next((qubit for qubit in qubits if qubit in measured), None)
            if again is not None:
                what = f"the gate {operation.name}" if isinstance(operation, Gate) else "an explicit unitary"
                found = f"{what} on qubit {again}, which was measured before"
            used.update(qubits)
        case Measure(qubit, clbit):
            if qubit in measured:
                found = f"a second measurement of qubit {qubit}"
            elif clbit in written:
                found = f"a second measurement into classical bit {clbit}"
            written.add(clbit)
            used.add(qubit)
            measured.add(qubit)
        case Reset(qubit) if qubit in used:
            found = f"a reset of qubit {qubit}, which was used before"
        case _:
            pass
    return None if found is None else (Profile.ADAPTIVE_RI, found, AT_THE_END)
