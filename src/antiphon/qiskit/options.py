"""Options of the primitives, with the names that users of IBM's runtime know; attributes and dicts both work."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.domain.mitigation import Mitigation
from antiphon.domain.noise import NoiseModel
from antiphon.errors import AntiphonError

NOT_OFFERED = {
    "resilience_level": "error mitigation",
    "resilience": "error mitigation",
    "dynamical_decoupling": "dynamical decoupling",
    "twirling": "twirling",
}
"""Options of other runtimes that change results, and so are refused rather than ignored."""

_NEUTRAL = (None, 0, False, "Unset")


class OptionGroup:
    """Options under fixed names: an unknown one is refused, with the closest known name."""

    def __setattr__(self, name: str, value: Any) -> None:
        known = [each.name for each in dataclasses.fields(self)]  # type: ignore[arg-type]
        if name not in known:
            if name in NOT_OFFERED:
                if isinstance(value, bool | int | str | None) and value in _NEUTRAL:
                    return
                raise _not_offered(name)
            close = difflib.get_close_matches(name, known, n=1)
            raise AntiphonError(
                f"{type(self).__name__} has no option {name!r}.",
                code="option-unknown",
                next_step=f"Did you mean {close[0]!r}?" if close else f"Choose from {', '.join(known)}.",
                details={"option": name, "known": known},
            )
        current = self.__dict__.get(name)
        if isinstance(current, OptionGroup) and isinstance(value, Mapping):
            current.update(**value)
            return
        object.__setattr__(self, name, _checked(name, value))

    def __getattr__(self, name: str) -> Any:
        if name in NOT_OFFERED:
            raise _not_offered(name)
        raise AttributeError(f"{type(self).__name__} has no option {name!r}")

    def update(self, **values: Any) -> None:
        """Set several at once; a dict sets the options of a group."""
        for name, value in values.items():
            setattr(self, name, value)

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)


@dataclass
class SimulatorOptions(OptionGroup):
    """How a simulator runs.

    Attributes:
        noise_model: An `antiphon.NoiseModel`.
        seed_simulator: The job's seed, where the option `seed` is not given.
    """

    noise_model: NoiseModel | None = None
    seed_simulator: int | None = None


@dataclass
class EnvironmentOptions(OptionGroup):
    """What is kept with the job.

    Attributes:
        job_tags: Kept with the job, and given back by `job.tags`.
        log_level: Accepted, without effect: the program's own logging is configured in Python.
    """

    job_tags: list[str] | None = None
    log_level: str = "WARNING"


@dataclass
class _PrimitiveOptions(OptionGroup):
    seed: int | None = None
    max_execution_time: float | None = None
    mitigation: Mitigation | Mapping[str, Any] | None = None
    simulator: SimulatorOptions = field(default_factory=SimulatorOptions)
    environment: EnvironmentOptions = field(default_factory=EnvironmentOptions)

    def submit_options(self) -> dict[str, Any]:
        """What a submit takes of these."""
        found: dict[str, Any] = {"seed": self.simulator.seed_simulator if self.seed is None else self.seed}
        if self.max_execution_time is not None:
            found["max_seconds"] = float(self.max_execution_time)
        if self.simulator.noise_model is not None:
            found["noise"] = self.simulator.noise_model
        if self.mitigation is not None:
            found["mitigation"] = self.mitigation
        return found


@dataclass
class SamplerOptions(_PrimitiveOptions):
    """Options of `SamplerV2`.

    Attributes:
        default_shots: For pubs without shots of their own.
        seed: Of the job; the same seed, circuit and target give the same shots. None draws one, which is recorded.
        max_execution_time: Seconds of execution after which the job fails.
        mitigation: An `antiphon.Mitigation`, or a dict of its methods. `job.job.result()` has raw and mitigated side by
            side, with a verdict.
        simulator, environment: Groups of further options.
    """

    default_shots: int = 4096


@dataclass
class EstimatorOptions(_PrimitiveOptions):
    """Options of `EstimatorV2`.

    Attributes:
        default_precision: Standard error wanted of pubs without a precision of their own. 0 gives exact values.
        default_shots: Instead of a precision: that many shots.
        seed, max_execution_time, mitigation, simulator, environment: As for `SamplerOptions`.
    """

    default_precision: float = 0.0
    default_shots: int | None = None


def _checked(name: str, value: Any) -> Any:
    if name == "noise_model" and value is not None and not isinstance(value, NoiseModel):
        raise AntiphonError(
            f"A {type(value).__module__}.{type(value).__qualname__} is not a noise model that Antiphon applies.",
            code="noise-invalid",
            next_step="Give antiphon.NoiseModel(depolarizing_1q=…, depolarizing_2q=…, readout_p01=…, readout_p10=…).",
        )
    return value


def _not_offered(name: str) -> AntiphonError:
    return AntiphonError(
        f"The option {name!r} asks for {NOT_OFFERED[name]}, by a name that means other settings elsewhere.",
        code="option-unsupported",
        cause="ignoring it would give other results than you asked for",
        next_step="Remove the option, or give mitigation=antiphon.Mitigation(…).",
        details={"option": name},
    )


def coerce_options(kind: type[Any], options: Any) -> Any:
    """Options of `kind` from None, a mapping, or options already made (which stay the caller's own object).

    Raises:
        AntiphonError: Another type, an unknown option, or one that is not offered.
    """
    if options is None:
        return kind()
    if isinstance(options, kind):
        return options
    if isinstance(options, Mapping):
        made = kind()
        made.update(**options)
        return made
    raise AntiphonError(
        f"Options are given as a {type(options).__name__}.",
        code="option-invalid",
        next_step=f"Give a dict or {kind.__name__}(…).",
    )
