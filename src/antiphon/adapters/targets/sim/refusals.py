"""What no engine of a simulator target takes, told in a user's words."""

from __future__ import annotations

from antiphon.adapters.targets.sim.angles import Floats
from antiphon.adapters.targets.sim.clifford import quarter_turns
from antiphon.adapters.targets.sim.demand import Demand
from antiphon.adapters.targets.sim.features import Features, name_of
from antiphon.domain.circuits import Gate, Unitary
from antiphon.errors import LimitError, UnsupportedProgramError


def static_only(demand: Demand, features: Features) -> None:
    """Refuse expectation values of a program that measures and goes on.

    Raises:
        UnsupportedProgramError: They are asked for.
    """
    if not demand.sampling:
        raise UnsupportedProgramError(
            "Expectation values are of the state at the end of a program that does not measure on the way.",
            code="estimate-dynamic",
            cause=features.dynamic,
            next_step="Take the measurements out of the program, or sample it and average yourself.",
        )


def require_clifford(features: Features, parameters: Floats) -> None:
    """Refuse a program that is not Clifford at every parameter set.

    Raises:
        UnsupportedProgramError: A gate is not Clifford at its angles; the message names it.
    """
    for index in range(len(parameters)):
        found = features.first_non_clifford(parameters[index])
        if found is not None:
            position, gate, angles = found
            raise _not_clifford(position, gate, angles)


def _not_clifford(position: int, gate: Gate | Unitary, angles: tuple[float, ...]) -> UnsupportedProgramError:
    at = f" at angle {', '.join(repr(angle) for angle in angles)}" if angles else ""
    cause = f"gate {position} is {name_of(gate)}{at} on qubits {list(gate.qubits)}, which is not Clifford"
    if angles and all(quarter_turns(angle) is not None for angle in angles):
        cause += " there"
    elif angles:
        cause += "; rotations are at multiples of π/2"
    return UnsupportedProgramError(
        "The stabilizer simulator runs Clifford gates only.",
        code="gate-not-clifford",
        cause=cause,
        next_step="Use sim.auto, which chooses an engine that runs every gate.",
        details={"gate": position, "angles": list(angles)},
    )


def noisy_exact(features: Features, widest: int) -> LimitError:
    """The error for exact noisy values on more qubits than a density matrix is held for."""
    return LimitError(
        f"Exact noisy expectation values on {features.num_qubits} qubits are too wide.",
        cause=f"they need a density matrix, which sim.auto holds up to {widest} qubits",
        next_step="Give shots, so that the values are sampled with a standard error.",
        details={"num_qubits": features.num_qubits},
    )


def noisy_too_wide(features: Features, widest: int) -> LimitError:
    """The error for a noisy program on more qubits than trajectories are run for."""
    return LimitError(
        f"A noisy program on {features.num_qubits} qubits that is not Clifford, or branches, is too wide.",
        cause=f"noise trajectories are run up to {widest} qubits",
        next_step="Use fewer qubits, only Clifford gates, or no noise.",
        details={"num_qubits": features.num_qubits},
    )
