"""A small, explicit noise model that a simulator target can apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from antiphon.errors import ProgramError


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Depolarising noise after each gate and a symmetric or asymmetric readout flip; all are probabilities.

    Attributes:
        depolarizing_1q: Probability p of the channel (1-p)ρ + p·I/2 after each one-qubit gate (not after `id`,
            barriers and delays).
        depolarizing_2q: The same with I/4 on the pair after each two-qubit gate; on larger gates and unitaries each
            qubit gets the one-qubit channel with this probability.
        readout_p01: Probability of reading 1 when the qubit is 0.
        readout_p10: Probability of reading 0 when the qubit is 1.
    """

    depolarizing_1q: float = 0.0
    depolarizing_2q: float = 0.0
    readout_p01: float = 0.0
    readout_p10: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (isinstance(value, int | float) and 0.0 <= value <= 1.0):
                raise ProgramError(
                    f"The noise model's {name} is {value!r}, which is not a probability.",
                    code="noise-invalid",
                    next_step=f"Give {name} as a number from 0 to 1.",
                )

    @property
    def is_trivial(self) -> bool:
        """True when nothing would happen."""
        return not any(asdict(self).values())

    def to_json(self) -> dict[str, float]:
        """The model as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NoiseModel:
        """The inverse of `to_json`; an unknown key is refused."""
        unknown = set(data) - set(cls.__slots__)
        if unknown:
            raise ProgramError(
                f"The noise model has no setting {min(unknown)!r}.",
                code="noise-invalid",
                next_step=f"Use {', '.join(cls.__slots__)}.",
            )
        return cls(**data)
