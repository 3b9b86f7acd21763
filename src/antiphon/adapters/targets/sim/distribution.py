"""Exact probabilities beside the counts: when they can be given, and how long they are.

They are read from the same state that the counts are drawn from, so that they cost little more than its last step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from antiphon.adapters.targets.sim.features import Features
from antiphon.adapters.targets.sim.settings import WHERE_POSSIBLE, Settings
from antiphon.domain.work import Pub
from antiphon.errors import LimitError, UnsupportedProgramError

MOST_QUBITS = 22
"""Wider states take seconds in double precision, and the counts alone are quicker from other engines."""

MOST_PROGRAM_BYTES = 16 * 2**20
MOST_WORK_BYTES = 64 * 2**20
_NUMBER_BYTES = 26  # a probability, its quotes and commas, as JSON

ENGINES = ("lightning", "lightning-gpu", "aer-statevector")
"""Engines that hold the whole state once for all shots."""


def settled(settings: Settings, pub: Pub, features: Features | None) -> Settings:
    """`settings` with the question answered whether this pub gets exact probabilities.

    Returns:
        Settings whose `exact_probabilities` is True (then in double precision) or False.

    Raises:
        UnsupportedProgramError: They were asked for and cannot be had; the cause says why.
    """
    if not settings.exact_probabilities:
        return settings
    why = obstacle(settings, pub, features)
    if not why:
        return replace(settings, exact_probabilities=True, precision="double")
    if settings.exact_probabilities == WHERE_POSSIBLE:
        return replace(settings, exact_probabilities=False)
    raise UnsupportedProgramError(
        "Exact probabilities of this program cannot be given.",
        code="probabilities-unavailable",
        cause=why,
        next_step=f'Leave the option out, or ask for exact_probabilities="{WHERE_POSSIBLE}".',
    )


def obstacle(settings: Settings, pub: Pub, features: Features | None) -> str:
    """Why there can be no exact probabilities of a pub; "" when there can."""
    if pub.observables is not None:
        return "expectation values are exact by themselves when no shots are given"
    if settings.noise is not None:
        return "noise was asked for, whose errors are drawn shot by shot"
    if settings.engine is not None and settings.engine not in ENGINES:
        return f"the engine {settings.engine} was asked for, which gives counts alone"
    if settings.precision == "single":
        return "single precision was asked for"
    if features is None:
        return pub.program.opaque_because or "its circuit cannot be read as a tape of gates"
    if features.dynamic:
        return f"it goes on after a measurement: {features.dynamic}"
    if features.num_qubits > MOST_QUBITS:
        return f"it has {features.num_qubits} qubits; at most {MOST_QUBITS} are taken for it"
    size = bytes_of(pub, features)
    if size > MOST_PROGRAM_BYTES:
        return (
            f"the 2^{len(_measured(features))} outcomes of {pub.parameters.num_sets} parameter set(s) would take up "
            f"to {size / 2**20:,.0f} MiB; at most {MOST_PROGRAM_BYTES // 2**20} MiB are kept"
        )
    return ""


def num_outcomes(features: Features) -> int:
    """The most outcomes that one parameter set can have."""
    return 1 << len(_measured(features))


def bytes_of(pub: Pub, features: Features) -> int:
    """What the probabilities of a pub may take as JSON."""
    characters = features.circuit.num_clbits + len(features.circuit.registers)
    return num_outcomes(features) * pub.parameters.num_sets * (characters + _NUMBER_BYTES)


def check_sum(sizes: Iterable[int]) -> None:
    """Refuse a work whose probabilities would be too long together.

    Raises:
        LimitError: Code "probabilities-too-long".
    """
    total = sum(sizes)
    if total > MOST_WORK_BYTES:
        raise LimitError(
            f"The exact probabilities of the whole job would take up to {total / 2**20:,.0f} MiB.",
            code="probabilities-too-long",
            cause=f"at most {MOST_WORK_BYTES // 2**20} MiB are kept of a job",
            next_step="Split the batch, or leave the option exact_probabilities out.",
            details={"bytes": total, "limit": MOST_WORK_BYTES},
        )


def _measured(features: Features) -> set[int]:
    return {qubit for qubit, _ in features.readout if qubit >= 0}
