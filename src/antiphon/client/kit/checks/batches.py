"""Programs of a batch keep their order, their widths and their shots."""

from __future__ import annotations

import functools
from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.client.kit.verdicts import CheckFailedError, NothingToCheckError

PATTERNS = ("1", "001", "10", "0")


def _program(pattern: str) -> str:
    width = len(pattern)
    flips = " ".join(f"x q[{bit}];" for bit in range(width) if pattern[width - 1 - bit] == "1")
    return f"{HEAD}qubit[{width}] q; bit[{width}] c; {flips} c = measure q;\n"


def _run(subject: Subject) -> dict[str, Any]:
    subject.needs_qubits(3)
    if subject.info.limits.max_programs < len(PATTERNS):
        raise NothingToCheckError(f"It takes {subject.info.limits.max_programs} programs at a time.")
    programs = [_program(pattern) for pattern in PATTERNS]
    shots = min(100, subject.info.limits.max_shots)
    job = subject.accepted(functools.partial(subject.target.submit_batch, programs, shots))
    counts = subject.finished(job).counts
    if len(counts) != len(PATTERNS):
        raise CheckFailedError(f"{len(PATTERNS)} programs have {len(counts)} results.", job=job.id)
    for index, (pattern, found) in enumerate(zip(PATTERNS, counts, strict=True)):
        widths = sorted({len(key) for key in found})
        if widths != [len(pattern)]:
            raise CheckFailedError(
                f"Program {index} has {len(pattern)} bits, and outcomes of {widths} characters.", item=index
            )
        if sum(found.values()) != shots:
            raise CheckFailedError(f"Program {index} has {sum(found.values())} of {shots} shots.", item=index)
    return {
        f"program {index}": subject.judge(found, pattern, program)
        for index, (pattern, found, program) in enumerate(zip(PATTERNS, counts, programs, strict=True))
    }


BATCHES = Check(
    "batches",
    "A batch has one result for each program, in order, with the program's own width and shots.",
    "Counts of a batch padded to the widest program.",
    _run,
)
