"""Measurement on the way, reset, and use of the qubit again."""

from __future__ import annotations

from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.client.kit.verdicts import NothingToCheckError
from antiphon.domain.programs import Profile

PROGRAM = f"""{HEAD}qubit[1] q; bit[3] c;
x q[0]; c[0] = measure q[0]; reset q[0]; c[1] = measure q[0]; x q[0]; c[2] = measure q[0];
"""


def _run(subject: Subject) -> dict[str, Any]:
    subject.needs(Profile.ADAPTIVE_RI, "measurement on the way")
    device = subject.info.device
    if device is not None and not device.mid_circuit:
        raise NothingToCheckError("The device measures at the end only.")
    return subject.expect(PROGRAM, "101")


MID_CIRCUIT = Check(
    "mid-circuit",
    "A qubit that was measured goes on in the state that was seen; a reset one is 0.",
    "Later measurements overwrote earlier ones; simulator and device disagreed on dynamic circuits.",
    _run,
)
