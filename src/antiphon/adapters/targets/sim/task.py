"""One pub made ready for an engine, and what an engine hands back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from antiphon.adapters.targets.sim.angles import Floats
from antiphon.adapters.targets.sim.features import Features
from antiphon.adapters.targets.sim.readout import Flips
from antiphon.adapters.targets.sim.settings import Settings
from antiphon.domain.noise import Noise
from antiphon.domain.observables import Observable
from antiphon.domain.results import Estimated, ShotNoise
from antiphon.domain.work import Pub


class Value(NamedTuple):
    """An expectation value with its standard error, and of one from shots what `ShotNoise` says of it.

    `reach` is how far it can lie from `constant`.
    """

    value: float
    stderr: float = 0.0
    edge: float = 0.0
    pull: float = 0.0
    constant: float = 0.0
    reach: float = 0.0
    two_valued: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A pub with its circuit's features and its parameter values of shape (sets, parameters).

    `key` names the circuit: two tasks of one key have the same, apart from delays. `settings.noise` numbers qubits as
    the circuit does.
    """

    key: str
    pub: Pub
    features: Features
    parameters: Floats
    settings: Settings

    @property
    def shots(self) -> int:
        """Shots of each parameter set; only for work that has them."""
        assert self.pub.shots is not None
        return self.pub.shots

    def noise(self) -> Noise | None:
        """The noise, told of qubits as `features` numbers them."""
        noise = self.settings.noise
        return None if noise is None else noise.on(self.features.qubits)

    def flips(self) -> Flips | None:
        """How the measurements of a static circuit's readout are misread, in its order; None without noise."""
        noise = self.settings.noise
        return None if noise is None else Flips.reading(noise, self.features.read_from)

    def generator(self) -> np.random.Generator:
        """The random numbers of this pub; its sets draw from it one after the other."""
        return np.random.Generator(np.random.PCG64(self.pub.seed))


@dataclass(frozen=True, slots=True)
class Ran:
    """What an engine did.

    Attributes:
        counts: For sampling, the counts of each parameter set.
        values: For estimation, value and standard error in C order over the broadcast shape.
        probabilities: For sampling with exact probabilities, those of each parameter set.
        method: How, in the engine's words.
        precision: "single" or "double".
        num_calls: Times the state was evolved.
        seconds: How long it took, if that was before it was asked for.
    """

    method: str
    precision: str = "double"
    num_calls: int = 1
    counts: tuple[dict[str, int], ...] = ()
    values: tuple[Value, ...] = ()
    probabilities: tuple[dict[str, float], ...] | None = None
    seconds: float | None = None


def parameter_array(pub: Pub) -> Floats:
    """The pub's parameter values of shape (sets, parameters)."""
    sets = pub.parameters
    return np.frombuffer(sets.data, dtype="<f8").reshape(sets.num_sets, len(sets.names))


def estimated_shape(pub: Pub) -> tuple[int, ...]:
    """Shape of the result: parameters and observables broadcast by NumPy's rules."""
    if not pub.parameters.shape:
        return pub.observables_shape
    return np.broadcast_shapes(pub.parameters.shape, pub.observables_shape)


def over_observables(
    pub: Pub, evaluate: Callable[[int, Sequence[Observable]], Sequence[Value]]
) -> tuple[tuple[Value, ...], int]:
    """Evaluate each parameter set once with all observables it is paired with.

    `evaluate` takes the flat index of a set and the observables, in order. Returns the values in C order over the
    broadcast shape, and the number of sets evaluated.
    """
    assert pub.observables is not None
    if not pub.parameters.shape:
        return tuple(evaluate(0, pub.observables)), 1
    shape = estimated_shape(pub)
    sets = _flat_index(pub.parameters.shape, shape)
    chosen = _flat_index(pub.observables_shape, shape)
    pairs: dict[int, dict[int, Value]] = {}
    for set_index, observable_index in zip(sets, chosen, strict=True):
        pairs.setdefault(set_index, {})[observable_index] = Value(0.0)
    for set_index in sorted(pairs):
        wanted = sorted(pairs[set_index])
        values = evaluate(set_index, [pub.observables[index] for index in wanted])
        pairs[set_index] = dict(zip(wanted, values, strict=True))
    return tuple(pairs[s][o] for s, o in zip(sets, chosen, strict=True)), len(pairs)


def _flat_index(shape: tuple[int, ...], broadcast: tuple[int, ...]) -> list[int]:
    count = int(np.prod(shape, dtype=np.int64))
    flat: list[int] = np.broadcast_to(np.arange(count).reshape(shape), broadcast).ravel().tolist()
    return flat


def estimated(pub: Pub, values: Sequence[Value]) -> Estimated:
    """The outcome of a pub, from its values in C order over their shape."""
    noise = None
    if pub.shots is not None and values:
        noise = ShotNoise(
            edge=tuple(each.edge for each in values),
            pull=tuple(each.pull for each in values),
            low=tuple(each.constant - each.reach for each in values),
            high=tuple(each.constant + each.reach for each in values),
            two_valued=tuple(each.two_valued for each in values),
        ).packed()
    found = tuple(each.value for each in values)
    return Estimated(estimated_shape(pub), found, tuple(each.stderr for each in values), pub.shots, noise=noise)
