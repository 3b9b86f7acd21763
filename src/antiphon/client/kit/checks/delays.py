"""A delay takes time, where time matters."""

from __future__ import annotations

import math
from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.client.kit.verdicts import CheckFailedError, NothingToCheckError
from antiphon.errors import LimitError, ProgramError

LADDER_S = (1e-4, 1e-2, 1.0, 100.0)
"""The longest is far beyond the coherence of any device there is."""
LONGEST_COHERENCE_S = 20.0


def _program(seconds: float) -> str:
    wait = f"delay[{seconds * 1e6!r}us] q[0]; " if seconds else ""
    return f"{HEAD}qubit[1] q; bit[1] c; h q[0]; {wait}h q[0]; c[0] = measure q[0];\n"


def _run(subject: Subject) -> dict[str, Any]:
    if subject.info.device is None:
        raise NothingToCheckError("It is no device: nothing happens to a qubit that waits.")
    _check_coherence(subject)
    shots = min(1_000, subject.info.limits.max_shots)
    before = subject.run(_program(0.0), shots).counts.get("1", 0) / shots
    seen: dict[str, float] = {"0": before}
    for seconds in LADDER_S:
        try:
            job = subject.target.submit(_program(seconds), shots)
        except (ProgramError, LimitError) as error:
            seen_all = {"read as 1 after": seen, "refused from": seconds}
            raise NothingToCheckError(f"It refuses a delay of {seconds:g} s: {error.message}", **seen_all) from error
        ones = subject.finished(job).counts.get("1", 0) / shots
        seen[f"{seconds:g}"] = ones
        if ones - before > max(0.2, 5 * math.sqrt(0.5 / shots)):
            return {"read as 1 after": seen}
    raise CheckFailedError(
        f"A superposition that waits {LADDER_S[-1]:g} s is as good as one that does not wait: delays are dropped.",
        **{"read as 1 after": seen},
    )


def _check_coherence(subject: Subject) -> None:
    try:
        calibrations = subject.target.calibrations(limit=1)
    except LimitError:
        return
    if calibrations and all(min(each.t1, each.t2) > LONGEST_COHERENCE_S for each in calibrations[0].qubits):
        raise NothingToCheckError("Its qubits keep their state for longer than any delay of the check.")


DELAYS = Check(
    "delays",
    "A delay in the program takes its time on the device.",
    "Delays dropped in translation, so that T1 and T2 came out as infinite.",
    _run,
)
