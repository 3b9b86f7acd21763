"""Bit 0 of a register is the rightmost character; a permuted measurement goes where it says."""

from __future__ import annotations

from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.subject import HEAD, Subject

# Neither pattern is its own mirror, as a whole or register by register, nor with the registers exchanged.
STRAIGHT = f"""{HEAD}qubit[5] q; bit[3] a; bit[2] b;
x q[0]; x q[3];
a[0] = measure q[0]; a[1] = measure q[1]; a[2] = measure q[2]; b[0] = measure q[3]; b[1] = measure q[4];
"""
PERMUTED = f"""{HEAD}qubit[5] q; bit[3] a; bit[2] b;
x q[0]; x q[3];
a[2] = measure q[0]; a[0] = measure q[1]; a[1] = measure q[2]; b[1] = measure q[3]; b[0] = measure q[4];
"""


def _run(subject: Subject) -> dict[str, Any]:
    subject.needs_qubits(5)
    return {
        "straight": subject.expect(STRAIGHT, "01 001"),
        "permuted": subject.expect(PERMUTED, "10 100"),
    }


BIT_ORDER = Check(
    "bit-order",
    "Bit 0 is the rightmost character, and a measurement goes into the bit that the program names.",
    "Bits permuted between SDKs; one vendor's Sampler and Executor order them differently.",
    _run,
)
