"""Exactly as many shots as were asked for."""

from __future__ import annotations

from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.client.kit.verdicts import CheckFailedError

PROGRAM = f"{HEAD}qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;\n"
ASKED = (1, 7, 501)


def _run(subject: Subject) -> dict[str, Any]:
    subject.needs_qubits(2)
    seen: dict[str, int] = {}
    for shots in ASKED:
        if shots > subject.info.limits.max_shots:
            continue
        result = subject.run(PROGRAM, shots)
        counts = result.counts
        if any(not isinstance(count, int) or count < 1 for count in counts.values()):
            raise CheckFailedError("Counts should be whole numbers from 1 on.", counts=counts)
        if sum(counts.values()) != shots or result.shots != shots:
            raise CheckFailedError(
                f"{shots} shots were asked for; the counts sum to {sum(counts.values())}, and the result says "
                f"{result.shots}.",
                counts=counts,
            )
        seen[str(shots)] = sum(counts.values())
    return {"shots": seen}


SHOTS_SUM = Check(
    "shots",
    "The counts sum to the shots that were asked for.",
    "Shots lost or rounded up to a block; frequencies sent back as counts.",
    _run,
)
