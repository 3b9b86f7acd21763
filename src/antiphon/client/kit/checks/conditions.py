"""A gate on a condition runs when the condition holds, and a register is compared as the number it is."""

from __future__ import annotations

from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.client.kit.verdicts import NothingToCheckError
from antiphon.domain.programs import Profile

# The register holds 001. As a number that is 1, and 4 to who reads it from the other end.
PROGRAM = f"""{HEAD}qubit[5] q; bit[3] c; bit[2] o;
x q[0]; c[0] = measure q[0]; c[1] = measure q[1]; c[2] = measure q[2];
if (c == 1) {{ x q[3]; }}
if (c == 4) {{ x q[4]; }}
o[0] = measure q[3]; o[1] = measure q[4];
"""
# One bit that is 0, with something to do either way.
ELSE = f"""{HEAD}qubit[3] q; bit[1] c; bit[2] o;
c[0] = measure q[0];
if (c[0]) {{ x q[1]; }} else {{ x q[2]; }}
o[0] = measure q[1]; o[1] = measure q[2];
"""


def _run(subject: Subject) -> dict[str, Any]:
    subject.needs(Profile.ADAPTIVE_RI, "gates on conditions")
    device = subject.info.device
    if device is not None and not device.mid_circuit:
        raise NothingToCheckError("The device measures at the end only.")
    subject.needs_qubits(5)
    return {
        "register": subject.expect(PROGRAM, "01 001"),
        "else": subject.expect(ELSE, "10 0"),
    }


CONDITIONS = Check(
    "conditions",
    "A gate on a condition runs when it holds and not otherwise; c[0] is the least bit of a register as a number.",
    "Conditions dropped by a simulator; registers compared from the wrong end, without an error.",
    _run,
)
