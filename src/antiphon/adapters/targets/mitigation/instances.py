"""The circuits that measure an estimate: each noise factor in each basis, in as many random instances as asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from antiphon.adapters.targets.mitigation.bases import Basis
from antiphon.adapters.targets.mitigation.folding import can_fold, folded, reached
from antiphon.adapters.targets.mitigation.ground import Ground, Operations
from antiphon.adapters.targets.mitigation.programs import derived_seed, program_of, reading
from antiphon.adapters.targets.mitigation.randomising import Insertions, flips, randomised
from antiphon.adapters.targets.mitigation.readout import prepared
from antiphon.adapters.targets.mitigation.tallies import Cell
from antiphon.domain.circuits import Circuit
from antiphon.domain.mitigation import (
    ErrorCancellation,
    Mitigation,
    ReadoutCorrection,
    Twirling,
    ZeroNoiseExtrapolation,
    refusal,
)
from antiphon.domain.parameters import ParameterSets

PLAIN_INSTANCES = 8
"""Twirled instances of a circuit into which error cancellation puts nothing."""


@dataclass(frozen=True)
class Methods:
    """A `Mitigation` with its types narrowed."""

    readout: ReadoutCorrection | None
    twirling: Twirling | None
    zne: ZeroNoiseExtrapolation | None
    pec: ErrorCancellation | None
    decoupling: str | None
    sentinel: float

    @classmethod
    def of(cls, asked: Mitigation) -> Methods:
        """The methods asked for; the readout's method chosen."""
        readout = asked.readout if isinstance(asked.readout, ReadoutCorrection) else None
        twirling = asked.twirling if isinstance(asked.twirling, Twirling) else None
        if readout is not None and readout.method is None:
            measures = twirling is not None and twirling.measure
            readout = replace(readout, method="twirled" if measures else "local")
        return cls(
            readout,
            twirling,
            asked.zne if isinstance(asked.zne, ZeroNoiseExtrapolation) else None,
            asked.pec if isinstance(asked.pec, ErrorCancellation) else None,
            asked.dynamical_decoupling if isinstance(asked.dynamical_decoupling, str) else None,
            float(asked.sentinel),
        )

    @property
    def twirls_gates(self) -> bool:
        """Whether two-qubit gates are twirled."""
        return self.twirling is not None and self.twirling.gates

    @property
    def flips_bits(self) -> bool:
        """Whether measurements are twirled."""
        return self.twirling is not None and self.twirling.measure

    @property
    def randomizations(self) -> int:
        """Instances of each circuit."""
        if self.pec is not None:
            return self.pec.randomizations
        return 1 if self.twirling is None else self.twirling.randomizations

    @property
    def factors(self) -> tuple[float, ...]:
        """Of the noise, as asked."""
        return (1.0,) if self.zne is None else self.zne.factors

    @property
    def instances_each(self) -> int:
        """Circuits for one basis at one noise factor at most."""
        return self.randomizations + (PLAIN_INSTANCES if self.pec is not None else 0)

    def num_preparations(self, bits: int) -> int:
        """Circuits of a calibration of the readout of so many bits at most."""
        twirled = self.readout is not None and self.readout.method == "twirled"
        even = self.randomizations + self.randomizations % 2
        return min(even, 2 ** min(bits, 32)) if twirled else 2

    @property
    def num_instances(self) -> int:
        """Circuits for one basis at most, those that only tell the raw value included."""
        if self.pec is not None:
            return self.randomizations + PLAIN_INSTANCES + 1
        return len(self.factors) * self.randomizations


@dataclass(frozen=True)
class Instances:
    """Circuits that measure an estimate.

    Attributes:
        cells: Of the roles `role` and, where the raw value needs its own, `role` with "raw".
        factors: Of the noise, as reached.
        raw_role: Role of the cells that tell the raw value.
        gamma: Weight of a sample of error cancellation.
    """

    role: str
    raw_role: str
    cells: tuple[Cell, ...]
    factors: tuple[float, ...]
    gamma: float = 1.0


def check_foldable(methods: Methods, operations: Operations) -> None:
    """Refuse to amplify the noise of nothing.

    Raises:
        ProgramError: Code "mitigation-invalid".
    """
    zne = methods.zne
    if zne is None:
        return
    if not can_fold(operations, zne.folding):
        raise refusal(
            "zne",
            "the program has no gate that could be folded",
            'Use "folding": "all" for one-qubit gates, or leave zne out.',
        )
    found = [reached(operations, factor, zne.folding) for factor in zne.factors]
    if len(set(found)) < len(found):
        raise refusal(
            "zne",
            f"so few gates can be folded that the factors are {', '.join(f'{factor:.3g}' for factor in found)}",
            "Use odd numbers, such as [1, 3, 5], which any circuit reaches.",
        )


@dataclass(frozen=True)
class Cancelling:
    """What error cancellation puts into a circuit.

    Attributes:
        gamma: Weight of a sample.
        twirls: Whether the noise must be twirled to be what is undone.
    """

    insertions: Insertions
    gamma: float
    twirls: bool


def make_instances(
    ground: Ground,
    operations: Operations,
    parameters: ParameterSets,
    bases: Sequence[Basis],
    places: tuple[int, ...],
    methods: Methods,
    seed: int,
    role: str,
    cancelling: Cancelling | None,
) -> Instances:
    """All circuits for `operations`; the same seed makes the same ones."""
    raw_role = f"{role} raw".removeprefix("program ") if cancelling is not None else role
    builder = _Builder(ground, parameters, bases, places, methods, seed)
    if cancelling is not None:
        cells = [
            cell for number in range(len(bases)) for cell in builder.cancelled(role, operations, number, cancelling)
        ]
        cells += (builder.cell(raw_role, operations, (raw_role, 0, number, 0)) for number in range(len(bases)))
        return Instances(role, raw_role, tuple(cells), (1.0,), cancelling.gamma)
    cells, factors = [], []
    for index, factor in enumerate(methods.factors):
        rng = np.random.default_rng(derived_seed(seed, role, "fold", index))
        folding = "two-qubit" if methods.zne is None else methods.zne.folding
        stretched, true_factor = folded(operations, factor, folding, rng)
        factors.append(true_factor)
        for number in range(len(bases)):
            for instance in range(methods.randomizations):
                label = (role, index, number, instance)
                changed = stretched
                if methods.twirls_gates:
                    changed = randomised(stretched, builder.rng(label), twirl=True)
                share = 1.0 / methods.randomizations
                cells.append(builder.cell(role, changed, label, flipped=methods.flips_bits, share=share))
    return Instances(role, raw_role, tuple(cells), tuple(factors))


@dataclass(frozen=True)
class _Builder:
    ground: Ground
    parameters: ParameterSets
    bases: Sequence[Basis]
    places: tuple[int, ...]
    methods: Methods
    seed: int

    def cell(
        self,
        role: str,
        operations: Operations,
        label: tuple[str, int, int, int],
        *,
        flipped: bool = False,
        stratum: int = 0,
        weight: float = 1.0,
        share: float = 1.0,
    ) -> Cell:
        """One circuit, with its basis and its flips."""
        _, factor, number, instance = label
        turned = self.mask(label) if flipped else (False,) * len(self.places)
        body = (*operations, *self.bases[number].rotations(self.places), *prepared(self.places, turned))
        circuit = reading(self.ground.circuit, body, self.places, alone=self.ground.is_static)
        names = self.parameters.names
        circuit = Circuit(circuit.num_qubits, circuit.registers, names, self.ground.finish(circuit.operations))
        return Cell(
            role,
            program_of(circuit, self.ground.program),
            self.parameters,
            turned,
            derived_seed(self.seed, *label),
            factor,
            number,
            instance,
            stratum,
            weight,
            share,
        )

    def cancelled(self, role: str, operations: Operations, number: int, by: Cancelling) -> Iterator[Cell]:
        """Instances of one basis in two strata: nothing is put in, or something is.

        How likely the first is is known, so only the second is left to chance.
        """
        methods = self.methods
        randomizations = methods.randomizations
        twirl = by.twirls or methods.twirls_gates
        chance = by.insertions.none_chance
        plain = min(PLAIN_INSTANCES, randomizations) if twirl or methods.flips_bits else 1
        for instance in range(plain + randomizations * (chance < 1.0)):
            label = (role, 0, number, instance)
            rng = self.rng(label)
            put, sign = (None, 1) if instance < plain else by.insertions.drawn(rng)
            part, among = (chance, plain) if instance < plain else (1.0 - chance, randomizations)
            changed = randomised(operations, rng, twirl=twirl, put=put)
            yield self.cell(
                role,
                changed,
                label,
                flipped=methods.flips_bits,
                stratum=int(instance >= plain),
                weight=sign * by.gamma * part,
                share=part / among,
            )

    def rng(self, label: tuple[str, int, int, int]) -> np.random.Generator:
        """The random numbers of one instance."""
        return np.random.default_rng(derived_seed(self.seed, *label, "instance"))

    def mask(self, label: tuple[str, int, int, int]) -> tuple[bool, ...]:
        """The bits that the measurement of an instance flips."""
        role, factor, number, instance = label
        return flips(
            len(self.places),
            instance,
            lambda pair: np.random.default_rng(derived_seed(self.seed, role, factor, number, pair, "flips")),
        )
