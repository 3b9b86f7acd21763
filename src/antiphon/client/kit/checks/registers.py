"""Registers stand in the order of declaration, with their widths, whether measured or not."""

from __future__ import annotations

from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.client.kit.verdicts import CheckFailedError

PROGRAM = f"""{HEAD}qubit[2] q; bit[2] zeta; bit[1] alpha; bit[3] middle;
x q[1];
zeta[1] = measure q[1]; alpha[0] = measure q[1]; middle[0] = measure q[0];
"""
DECLARED = [["zeta", 2], ["alpha", 1], ["middle", 3]]


def _run(subject: Subject) -> dict[str, Any]:
    subject.needs_qubits(2)
    result = subject.run(PROGRAM)
    counts = result.counts
    shapes = {tuple(len(part) for part in key.split(" ")) for key in counts}
    if shapes != {(3, 1, 2)}:
        raise CheckFailedError(
            "Outcomes should have registers of 3, 1 and 2 bits, separated by single spaces, the last declared first.",
            shapes=[list(shape) for shape in shapes],
        )
    evidence = subject.judge(counts, "000 1 10", PROGRAM)
    [program] = subject.take_up(result.job.id).record["programs"].values()
    kept = [list(each) if isinstance(each, list | tuple) else each for each in program.get("registers", [])]
    return {**evidence, "declared": DECLARED, "in the record": kept}


REGISTERS = Check(
    "registers",
    "The register declared last stands leftmost, each with its own width; bits that were not measured read 0.",
    "Strings of several registers corrupted in production; registers merged into one.",
    _run,
)
