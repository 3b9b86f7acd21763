"""The same seed gives the same counts, and the next seed has nothing to do with it."""

from __future__ import annotations

from typing import Any

from antiphon.client.kit.check import Check
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.client.kit.verdicts import CheckFailedError, NothingToCheckError

PROGRAM = f"""{HEAD}qubit[4] q; bit[4] c;
h q[0]; h q[1]; h q[2]; h q[3];
c = measure q;
"""


def _run(subject: Subject) -> dict[str, Any]:
    if subject.info.kind == "qpu":
        raise NothingToCheckError("Nature takes no seed.")
    if not subject.info.seeded:
        raise NothingToCheckError("It declares that a seed decides nothing.")
    subject.needs_qubits(4)
    shots = min(1_000, subject.info.limits.max_shots)
    first, again, following = (subject.run(PROGRAM, shots, seed=seed) for seed in (5, 5, 6))
    under = [subject.take_up(each.job.id).record.get("calibration") or {} for each in (first, again)]
    if under[0].get("digest") != under[1].get("digest"):
        raise NothingToCheckError("The device was calibrated between the two runs.")
    if first.counts != again.counts:
        raise CheckFailedError("The same seed gives other counts.", first=first.counts, again=again.counts)
    moved = sum(
        abs(first.counts.get(key, 0) - following.counts.get(key, 0)) for key in {*first.counts, *following.counts}
    )
    # Sequences shifted by one shot would differ by two at most; independent ones differ by about 140.
    if shots >= 1_000 and moved <= 10:
        raise CheckFailedError(
            "Neighbouring seeds give nearly the same shots: they are one sequence, shifted.", moved=moved
        )
    return {"moved by the next seed": moved, "shots": shots}


SEEDS = Check(
    "seeds",
    "The same seed gives the same counts; the next seed gives independent ones.",
    "Seed s + 1 was seed s shifted by one shot.",
    _run,
)
