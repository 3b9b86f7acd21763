"""Error mitigation as an option of a job: what is asked for, checked and completed before anything is queued.

As JSON each method is `true` for its defaults, or an object of its settings; what is left out is not done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, Self

from antiphon.errors import ProgramError

EXTRAPOLATIONS = ("linear", "polynomial", "exponential")
FOLDINGS = ("two-qubit", "all", "circuit")
READOUTS = ("local", "twirled")
SEQUENCES = ("XX", "YY", "XY4", "XY8")
MOST_RANDOMIZATIONS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    @classmethod
    def read(cls, method: str, given: object) -> Self | None:
        """The settings that `given` says, None for false.

        Raises:
            ProgramError: It says something else (code "mitigation-invalid").
        """
        if given is None or given is False:
            return None
        if given is True:
            return cls()
        if isinstance(given, cls):
            return given
        if not isinstance(given, Mapping):
            raise refusal(method, f"it is {given!r}", f'Give true, or an object: {{"{_names(cls)[0]}": …}}.')
        unknown = sorted(set(given) - set(_names(cls)))
        if unknown:
            raise refusal(method, f"it has no setting {unknown[0]!r}", f"Use {', '.join(_names(cls))}.")
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadoutCorrection(_Settings):
    """Errors of measurements undone, as calibration circuits in the same job tell them.

    Attributes:
        method: "local": each qubit's confusion matrix, from all qubits prepared in 0 and in 1; for counts on the
            strings that were observed (M3: Nation et al., PRX Quantum 2, 040326). "twirled": each Pauli string is
            divided by what it reads in a twirled |0…0⟩ (T-REx: van den Berg et al., Phys. Rev. A 105, 032620), which
            holds for correlated errors too; for expectation values, and with measurements twirled. None chooses
            "twirled" where measurements are twirled.
        shots: Of all calibration circuits together; None is a tenth of the job's, 20,000 at most.
    """

    method: str | None = None
    shots: int | None = None

    def __post_init__(self) -> None:
        _one_of("readout", "method", self.method, (None, *READOUTS))
        if self.shots is not None:
            _whole("readout", "shots", self.shots, 100, 10_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twirling(_Settings):
    """Random Pauli operators around operations, undone at once: what is left of a coherent error is a Pauli channel.

    Attributes:
        randomizations: Circuits that share the shots.
        gates: Around two-qubit Clifford gates.
        measure: Random bit flips before measurements, undone in the outcome.
    """

    randomizations: int = 8
    gates: bool = True
    measure: bool = True

    def __post_init__(self) -> None:
        _whole("twirling", "randomizations", self.randomizations, 2, MOST_RANDOMIZATIONS)
        for name in ("gates", "measure"):
            if not isinstance(getattr(self, name), bool):
                raise refusal("twirling", f"{name} is {getattr(self, name)!r}", f"Give {name} as true or false.")
        if not (self.gates or self.measure):
            raise refusal("twirling", "neither gates nor measurements are twirled", "Leave twirling out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroNoiseExtrapolation(_Settings):
    """Values at amplified noise, extrapolated to none.

    Attributes:
        factors: Of the noise; the first is 1, at which the raw value is taken, and they rise.
        extrapolation: "linear", "polynomial" (of `degree`; None is one less than there are factors: Richardson), or
            "exponential" (towards the part of the observable that is a constant).
        degree: Of the polynomial.
        folding: What is repeated as G G⁻¹ G: "two-qubit" gates one by one, "all" gates one by one, or the whole
            "circuit".
    """

    factors: tuple[float, ...] = (1.0, 3.0)
    extrapolation: str = "linear"
    degree: int | None = None
    folding: str = "two-qubit"

    def __post_init__(self) -> None:
        _one_of("zne", "extrapolation", self.extrapolation, EXTRAPOLATIONS)
        _one_of("zne", "folding", self.folding, FOLDINGS)
        factors = self.factors
        if not isinstance(factors, Sequence) or not all(_is_number(factor) for factor in factors):
            raise refusal("zne", f"factors is {factors!r}", "Give a list of numbers, such as [1, 3].")
        rising = all(left < right for left, right in pairwise(factors))
        if not 2 <= len(factors) <= 10 or factors[0] != 1 or not rising or factors[-1] > 99:
            raise refusal(
                "zne",
                f"factors is {list(factors)}",
                "Give two to ten rising numbers from 1 to 99, the first of them 1.",
            )
        object.__setattr__(self, "factors", tuple(float(factor) for factor in factors))
        if self.degree is not None:
            if self.extrapolation != "polynomial":
                raise refusal("zne", "only a polynomial has a degree", 'Say "extrapolation": "polynomial".')
            _whole("zne", "degree", self.degree, 1, len(factors) - 1)

    @property
    def polynomial_degree(self) -> int | None:
        """Of what is fitted; None for an exponential."""
        if self.extrapolation == "exponential":
            return None
        if self.extrapolation == "linear":
            return 1
        return len(self.factors) - 1 if self.degree is None else self.degree


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCancellation(_Settings):
    """Probabilistic error cancellation: the inverse of each gate's noise as a signed mixture of circuits.

    The noise is that of the device's calibration, or of the job's `NoiseModel`; its channels are taken as twirled.

    Attributes:
        randomizations: Circuits drawn for each measurement basis.
    """

    randomizations: int = 100

    def __post_init__(self) -> None:
        _whole("pec", "randomizations", self.randomizations, 2, MOST_RANDOMIZATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigation:
    """What is done about the errors of a job; methods that are None, False or "" are not used.

    Args:
        readout: True, or a `ReadoutCorrection`, or its settings as a dict; so for each method.
        twirling: Also a number of randomizations.
        dynamical_decoupling: True for "XX", or a sequence: "XX", "YY", "XY4", "XY8".
        zne: Also the factors alone.
        pec: Also a number of randomizations.
        sentinel: Of estimates, the part of the shots that go to a Clifford circuit of the same shape, whose exact value
            is known: whether mitigation brings it nearer decides the verdict. True is a tenth.

    Raises:
        ProgramError: A setting is out of range, or two methods exclude each other (code "mitigation-invalid").
    """

    readout: ReadoutCorrection | Mapping[str, Any] | bool | None = None
    twirling: Twirling | Mapping[str, Any] | int | bool | None = None
    dynamical_decoupling: str | bool | None = None
    zne: ZeroNoiseExtrapolation | Mapping[str, Any] | Sequence[float] | bool | None = None
    pec: ErrorCancellation | Mapping[str, Any] | int | bool | None = None
    sentinel: float | bool = True

    def __post_init__(self) -> None:
        put: Callable[[Mitigation, str, object], None] = object.__setattr__
        put(self, "readout", ReadoutCorrection.read("readout", self.readout))
        put(self, "twirling", Twirling.read("twirling", _count(self.twirling)))
        factors: object = self.zne
        if isinstance(factors, list | tuple):
            factors = {"factors": tuple(factors)}
        put(self, "zne", ZeroNoiseExtrapolation.read("zne", factors))
        put(self, "pec", ErrorCancellation.read("pec", _count(self.pec)))
        sequence = "XX" if self.dynamical_decoupling is True else self.dynamical_decoupling or None
        _one_of("dynamical_decoupling", "sequence", sequence, (None, *SEQUENCES))
        put(self, "dynamical_decoupling", sequence)
        part: object = self.sentinel
        if isinstance(part, bool):
            part = 0.1 if part else 0.0
        if not (isinstance(part, int | float) and 0.0 <= part <= 0.5):
            raise refusal("sentinel", f"it is {self.sentinel!r}", "Give true, false, or a part from 0 to 0.5.")
        put(self, "sentinel", float(part))
        self._check_together()

    def _check_together(self) -> None:
        if self.zne is not None and self.pec is not None:
            raise refusal("pec", "zne is asked for too", "Choose one: both undo the errors of the same gates.")
        readout, twirling = self.readout, self.twirling
        measures = isinstance(twirling, Twirling) and twirling.measure
        if isinstance(readout, ReadoutCorrection) and readout.method == "twirled" and not measures:
            raise refusal("readout", "measurements are not twirled", 'Add "twirling": true, or use "method": "local".')

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return any((self.readout, self.twirling, self.dynamical_decoupling, self.zne, self.pec))

    def to_json(self) -> dict[str, Any]:
        """The methods in use with all their settings."""
        found: dict[str, Any] = {}
        for name in ("readout", "twirling", "zne", "pec"):
            settings = getattr(self, name)
            if settings is not None:
                found[name] = {
                    key: list(value) if isinstance(value, tuple) else value for key, value in asdict(settings).items()
                }
        if self.dynamical_decoupling is not None:
            found["dynamical_decoupling"] = self.dynamical_decoupling
        return {**found, "sentinel": self.sentinel}

    @classmethod
    def from_json(cls, data: object) -> Mitigation:
        """The inverse of `to_json`; settings that are left out have their defaults.

        Raises:
            ProgramError: Code "mitigation-invalid"; names the setting and the way out.
        """
        names = [field.name for field in fields(cls)]
        if not isinstance(data, Mapping):
            raise ProgramError(
                f"mitigation={data!r} is no set of methods.",
                code="mitigation-invalid",
                next_step=f'Give an object such as {{"readout": true, "zne": [1, 3]}}; methods: {", ".join(names)}.',
            )
        unknown = sorted(set(data) - set(names))
        if unknown:
            raise ProgramError(
                f"There is no mitigation called {unknown[0]!r}.",
                code="mitigation-invalid",
                next_step=f"Use {', '.join(names)}.",
            )
        return cls(**data)


def refusal(method: str, cause: str, next_step: str) -> ProgramError:
    """Settings that cannot be."""
    return ProgramError(
        f"The mitigation {method!r} cannot be done as given.",
        code="mitigation-invalid",
        cause=cause,
        next_step=next_step,
        details={"method": method},
    )


def _count(given: Any) -> Any:
    is_count = isinstance(given, int) and not isinstance(given, bool)
    return {"randomizations": given} if is_count else given


def _names(cls: type[_Settings]) -> list[str]:
    return [field.name for field in fields(cls)]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _one_of(method: str, name: str, value: object, allowed: Sequence[object]) -> None:
    if value not in allowed:
        choices = ", ".join(repr(each) for each in allowed if each is not None)
        raise refusal(method, f"{name} is {value!r}", f"Choose one of {choices}.")


def _whole(method: str, name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise refusal(method, f"{name} is {value!r}", f"Give a whole number from {least:,} to {most:,}.")
