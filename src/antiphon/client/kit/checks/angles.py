"""Angles arrive with every digit, in each gate that has one."""

from __future__ import annotations

import math
from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.client.kit.verdicts import CheckFailedError, NothingToCheckError
from antiphon.errors import LimitError, ProgramError

# What makes <Z> of qubit 0 the cosine of the angle: before the gate, the gate on these qubits, after it.
GATES = {
    "rx": ("", "q[0]", ""),
    "ry": ("", "q[0]", ""),
    "rz": ("h q[0];", "q[0]", "h q[0];"),
    "p": ("h q[0];", "q[0]", "h q[0];"),
    "crx": ("x q[1];", "q[1], q[0]", ""),
    "cry": ("x q[1];", "q[1], q[0]", ""),
    "crz": ("x q[1]; h q[0];", "q[1], q[0]", "h q[0];"),
    "cp": ("x q[1]; h q[0];", "q[1], q[0]", "h q[0];"),
    "rxx": ("", "q[0], q[1]", ""),
    "rzz": ("h q[0];", "q[0], q[1]", "h q[0];"),
}
OF_OPENQASM_2 = frozenset({"rxx", "rzz"})
"""The library of OpenQASM 3 has no such gates."""
ANGLE = 1.2345678
EXACT = 1e-4
"""Rounding to a thousandth moves the cosine four times as far."""
TURNS = 32
FINE = (math.pi / 2 + 2 * math.pi) / TURNS
"""So many turns by it make a right angle more than a full one; rounded to a hundredth they are off by 0.15."""
SAMPLED_SHOTS = 4_000


def _program(name: str, angle: float, turns: int = 1, *, measured: bool = False) -> str:
    before, qubits, after = GATES[name]
    gates = f"{name}({angle!r}) {qubits}; " * turns
    if name in OF_OPENQASM_2:
        end = " measure q[0] -> c[0];" if measured else ""
        return f'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2]; creg c[1]; {before} {gates}{after}{end}\n'
    end = " c[0] = measure q[0];" if measured else ""
    return f"{HEAD}qubit[2] q; bit[1] c; {before} {gates}{after}{end}\n"


def _run(subject: Subject) -> dict[str, Any]:
    subject.needs_qubits(2)
    seen: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for name in GATES:
        try:
            seen[name] = _exact(subject, name) if subject.info.estimates and not subject.is_noisy else None
            if seen[name] is None:
                seen[name] = _sampled(subject, name)
        except (ProgramError, LimitError) as error:
            seen.pop(name, None)
            refused[name] = error.code
    if not seen:
        raise NothingToCheckError("It refuses gates with angles like these.", refused=refused)
    return {"off by": seen, **({"refused": refused} if refused else {})}


def _exact(subject: Subject, name: str) -> float | None:
    try:
        job = subject.target.estimate(_program(name, ANGLE), {"IZ": 1.0})
    except LimitError as error:
        if error.code != "shots-missing":
            raise
        return None
    result = subject.finished(job)
    if result.stderr != 0.0:
        return None
    off = abs(float(result.values) - math.cos(ANGLE))
    if off > EXACT:
        raise CheckFailedError(
            f"{name}({ANGLE}) gives {float(result.values):.6f} where {math.cos(ANGLE):.6f} is right.",
            gate=name,
            off=off,
        )
    return off


def _sampled(subject: Subject, name: str) -> float:
    program = _program(name, FINE, TURNS, measured=True)
    shots = min(SAMPLED_SHOTS, subject.info.limits.max_shots)
    # A right angle is read as 1 in half of the shots, and errors pull towards the half: only a little is lost to them.
    allowed = 5 * math.sqrt(0.25 / shots) + 0.1 * (1.0 - subject.fidelity(program))
    if allowed > 0.06:
        raise NothingToCheckError(
            f"Its errors and its {shots} shots hide what rounding an angle would do.", allowed=allowed
        )
    counts = subject.finished(subject.target.submit(program, shots)).counts
    ones = int(counts.get("1", 0))
    off = abs(ones / shots - 0.5)
    if off > allowed:
        raise CheckFailedError(
            f"{TURNS} times {name}({FINE:.7f}) is read as 1 in {ones} of {shots} shots; half is right.",
            gate=name,
            off=off,
            allowed=allowed,
        )
    return off


ANGLES = Check(
    "angles",
    "Angles arrive with every digit, in each gate that has one.",
    "Angles of CPHASE and RZZ rounded on the way to the device.",
    _run,
)
