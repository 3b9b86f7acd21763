"""Parameter sets of a sweep keep their order, and parameters theirs."""

from __future__ import annotations

import functools
import math
from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.client.kit.verdicts import CheckFailedError, NothingToCheckError

# Declared in an order that is not the alphabet's.
PROGRAM = f"""{HEAD}input float zeta; input float alpha;
qubit[2] q; bit[2] c;
rx(zeta) q[0]; rx(alpha) q[1];
c = measure q;
"""
SETS = ((1, 0), (0, 0), (1, 1), (0, 1), (1, 0))
"""In units of π: (zeta, alpha)."""


def _run(subject: Subject) -> dict[str, Any]:
    subject.needs_qubits(2)
    if subject.info.limits.max_parameter_sets < len(SETS):
        raise NothingToCheckError(f"It takes {subject.info.limits.max_parameter_sets} parameter sets at a time.")
    by_place = [[math.pi * zeta, math.pi * alpha] for zeta, alpha in SETS]
    by_name = {"alpha": [row[1] for row in by_place], "zeta": [row[0] for row in by_place]}
    shots = min(100, subject.info.limits.max_shots)
    evidence: dict[str, Any] = {}
    for how, values in (("array", by_place), ("names", by_name)):
        job = subject.accepted_if_possible(functools.partial(subject.target.sweep, PROGRAM, values, shots))
        counts = subject.finished(job).counts
        if len(counts) != len(SETS):
            raise CheckFailedError(f"{len(SETS)} parameter sets have {len(counts)} results.", job=job.id)
        for (zeta, alpha), found in zip(SETS, counts, strict=True):
            bound = PROGRAM.replace("input float zeta; input float alpha;", "")
            bound = bound.replace("rx(zeta)", f"rx({math.pi * zeta!r})").replace(
                "rx(alpha)", f"rx({math.pi * alpha!r})"
            )
            subject.judge(found, f"{alpha}{zeta}", bound)
        evidence[how] = [max(found, key=found.__getitem__) for found in counts]
    return evidence


SWEEPS = Check(
    "sweeps",
    "A sweep has one result for each parameter set, in order; arrays are taken in the program's order of parameters.",
    "Values bound in alphabetical order; a[10] bound before a[2].",
    _run,
)
