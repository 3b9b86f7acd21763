"""The options a simulator target understands, read from JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from antiphon.domain.noise import Noise, NoiseModel
from antiphon.domain.targets import option_refusal
from antiphon.errors import UnsupportedProgramError

WHERE_POSSIBLE: Literal["where possible"] = "where possible"

OPTION_HELP = {
    "noise": "A NoiseModel as JSON: depolarizing_1q, depolarizing_2q, readout_p01, readout_p10 (probabilities).",
    "max_bond_dimension": "Largest bond dimension of a matrix product state, an integer from 1; default unlimited.",
    "truncation_threshold": "Matrix product states drop Schmidt values whose squares sum to less; default 1e-16.",
    "engine": "Force an engine: lightning, qsim, stim, branching, noisy-branching, trajectories, lightning-gpu, "
    "trajectories-gpu, aer-statevector, aer-stabilizer, aer-mps or aer-density-matrix.",
    "precision": '"single" or "double"; default double for expectation values and single for counts from 16 qubits.',
    "exact_probabilities": "true for the exact probability of every outcome beside the counts (no noise, no "
    f'measurement on the way, 22 qubits at most; in double precision), or "{WHERE_POSSIBLE}".',
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of one work; the defaults are those of an empty mapping."""

    noise: Noise | None = None
    max_bond_dimension: int | None = None
    truncation_threshold: float = 1e-16
    engine: str | None = None
    precision: str | None = None
    exact_probabilities: bool | Literal["where possible"] = False


def read_settings(options: Mapping[str, Any], understood: Mapping[str, str], target: str) -> Settings:
    """Check and read the options of a work.

    Raises:
        UnsupportedProgramError: An option is unknown to the target, or its value is not of the kind it takes.
    """
    for name in options:
        if name == "noise" and name not in understood:
            raise option_refusal(target, name, f"{target} applies no noise", "Use sim.density_matrix or sim.auto.")
        if name not in understood:
            raise option_refusal(target, name, f"{target} has no option {name!r}", f"Use {', '.join(understood)}.")
    given = options.get("noise")
    if given is not None and not isinstance(given, Mapping):
        raise option_refusal(
            target, "noise", f"it is {given!r}", "Give a NoiseModel, e.g. antiphon.NoiseModel(depolarizing_2q=0.01)."
        )
    noise = NoiseModel.from_json(given) if given is not None else None
    bond = options.get("max_bond_dimension")
    if bond is not None and not (isinstance(bond, int) and not isinstance(bond, bool) and bond >= 1):
        raise option_refusal(target, "max_bond_dimension", f"it is {bond!r}", "Give an integer from 1.")
    threshold = options.get("truncation_threshold", 1e-16)
    if not (isinstance(threshold, int | float) and 0.0 <= threshold < 1.0):
        raise option_refusal(target, "truncation_threshold", f"it is {threshold!r}", "Give a number from 0 to below 1.")
    precision = options.get("precision")
    if precision not in (None, "single", "double"):
        raise option_refusal(target, "precision", f"it is {precision!r}", 'Give "single" or "double".')
    engine = options.get("engine")
    if engine is not None and not isinstance(engine, str):
        raise option_refusal(target, "engine", f"it is {engine!r}", "Give the name of an engine.")
    exact = options.get("exact_probabilities", False)
    if not isinstance(exact, bool) and exact != WHERE_POSSIBLE:
        raise option_refusal(
            target, "exact_probabilities", f"it is {exact!r}", f'Give true, false or "{WHERE_POSSIBLE}".'
        )
    used = None if noise is None or noise.is_trivial else noise
    return Settings(used, bond, float(threshold), engine, precision, exact)


def uniform_noise(settings: Settings) -> NoiseModel | None:
    """The noise of a program that is no circuit, whose engine attaches errors to gates by name.

    Raises:
        UnsupportedProgramError: The noise is a device's.
    """
    noise = settings.noise
    if noise is None or isinstance(noise, NoiseModel):
        return noise
    raise UnsupportedProgramError(
        "The noise of a device cannot be applied to a program that is no circuit.",
        code="noise-unsupported",
        next_step="Write the program as a circuit, without what its cause names.",
    )
