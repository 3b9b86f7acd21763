"""OpenQASM 2 and 3 text as a program.

The text is screened, parsed by the QDK's parser and lowered to a circuit; no engine ever reads the text again, since
tools disagree, silently, on the bit order of a register's value. Bit order: c[0] is the least significant bit.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from antiphon.domain.programs import Program, ProgramFormat, digest_of
from antiphon.errors import LimitError
from antiphon.frontends.openqasm_lower import Lowering
from antiphon.frontends.openqasm_parser import located, parse
from antiphon.frontends.places import SourcePlaces

# Reading the package's metadata takes longer than reading a small program.
installed_version = cache(version)


def places_in(text: str) -> SourcePlaces:
    """The line and column of the statement that made each operation."""
    parsed = parse(text)
    lowering = Lowering(parsed, traced=True)
    circuit = lowering.lowered().circuit
    at = lowering.evaluator.computed_at
    places = tuple("" if place is None else located(parsed.text, place) for place in lowering.places())
    assert len(places) == sum(1 for _ in circuit.walk())
    return SourcePlaces(places, "" if at is None else located(parsed.text, at))


def program_from_openqasm(text: str, *, name: str | None = None) -> Program:
    """The program that OpenQASM 2 or 3 text says.

    Registers stand in order of declaration; `input float` and `input angle` are the parameters, in that order too.
    Annotations (`@…`) have no effect, as the specification allows.

    Args:
        text: The program. Without a version header it is read as OpenQASM 3, or as 2 when it includes qelib1.inc.
        name: The user's name for it.

    Raises:
        ProgramError: It does not parse or makes no sense; the message shows the line.
        UnsupportedProgramError: It says something that a circuit cannot, such as a qubit that is chosen while it runs.
        LimitError: Too long, too deep, or too many operations once loops are unrolled.
        MissingExtraError: The QDK is not installed.
    """
    parsed = parse(text)
    try:
        lowered = Lowering(parsed).lowered()
    except RecursionError:
        raise LimitError(
            "The OpenQASM program is nested too deeply.", next_step="Use gate definitions and constants."
        ) from None
    source = text.encode()
    format_ = ProgramFormat.OPENQASM2 if parsed.version == 2 else ProgramFormat.OPENQASM3
    circuit, returns = lowered.circuit, lowered.returns
    return Program(
        format=format_,
        source=source,
        digest=digest_of(format_, source),
        name=name or "openqasm",
        circuit=circuit,
        num_qubits=circuit.num_qubits,
        registers=circuit.registers if returns is None else returns.registers,
        parameters=circuit.parameters,
        profile=lowered.profile,
        made_with={"qdk": installed_version("qdk")},
        returns=returns,
    )
