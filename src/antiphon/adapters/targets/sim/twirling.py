"""How far twirled relaxation is from what relaxation does.

Stabilizers and trajectories take relaxation as Pauli errors: a qubit in |1⟩ that waits then goes half of the way to an
even mixture instead of all of the way to |0⟩. After a gate that is nothing; in a measurement of T1 it is everything.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from antiphon.adapters.targets.sim.demand import Choice
from antiphon.domain.circuits import Delay, Measure, Operation
from antiphon.domain.noise import Noise, Relaxation

MOST = 0.01
"""The most that twirling may move a probability where an engine could do without."""

_TWIRL = ("stim", "trajectories", "trajectories-gpu", "aer-stabilizer")


def moved_by_twirling(operations: Iterable[Operation], noise: Noise) -> float:
    """The most by which twirling moves the chance to read a qubit as 1 if it waits in |1⟩: (1 - e^{-t/T1}) / 2.

    Args:
        operations: In any order; delays and measurements count.
        noise: Told of the same qubits as they are.
    """
    if not noise.heeds_time:
        return 0.0
    relaxed: defaultdict[int, float] = defaultdict(float)
    for operation in operations:
        if isinstance(operation, (Delay, Measure)):
            for channel in noise.after(operation):
                if isinstance(channel, Relaxation):
                    relaxed[channel.qubit] += channel.seconds / channel.t1
    return max((-math.expm1(-times) / 2.0 for times in relaxed.values()), default=0.0)


def said_of_twirling(choice: Choice, moved: float) -> Choice:
    """The choice, with a reason and a warning that say how far off it is, if its engine twirls and that shows.

    Args:
        moved: See `moved_by_twirling`.
    """
    if moved <= MOST or choice.engine not in _TWIRL:
        return choice
    off = f"up to {moved:.2g} off in a probability"
    return replace(
        choice,
        reason=f"{choice.reason}; relaxation taken as Pauli errors, which is {off}",
        warning=f"Qubits wait so long that relaxation shows, and {choice.engine}, which emulates so wide a program, "
        f"takes it as Pauli errors: {off}. Fewer qubits at once, or shorter waits, are emulated as they are.",
    )
