"""One sampled pub under mitigation, from circuits to one outcome."""

from __future__ import annotations

from typing import Any

from antiphon.adapters.targets.mitigation.calibrating import Calibrating
from antiphon.adapters.targets.mitigation.ground import Ground
from antiphon.adapters.targets.mitigation.instances import Methods
from antiphon.adapters.targets.mitigation.programs import derived_seed
from antiphon.adapters.targets.mitigation.randomising import num_twirled
from antiphon.adapters.targets.mitigation.readout import preparations
from antiphon.adapters.targets.mitigation.sampling import Sampling, calibration_shots, check_pairs, read_last
from antiphon.adapters.targets.mitigation.tallies import Cell, Request
from antiphon.adapters.targets.mitigation.tasks import Charging, Running
from antiphon.adapters.targets.mitigation.verdict import overall
from antiphon.domain.circuits import Circuit
from antiphon.domain.evolve import evolve
from antiphon.domain.gate_counts import Tasks, count_gates
from antiphon.domain.mitigation import refusal
from antiphon.domain.results import Sampled
from antiphon.domain.work import Pub
from antiphon.errors import LimitError


def check_sample(pub: Pub, ground: Ground, circuit: Circuit, methods: Methods) -> tuple[int, tuple[Tasks, ...]]:
    """Refuse what counts cannot have; returns how many circuits it takes, and what is charged.

    Args:
        circuit: The program's, or the compiled one.

    Raises:
        ProgramError: A method does not fit (code "mitigation-invalid").
        LimitError: Fewer shots than random instances (code "shots-too-few").
    """
    for name, asked in (("zne", methods.zne), ("pec", methods.pec)):
        if asked is not None:
            raise refusal(
                name, "it corrects expectation values, and this job samples counts", "Use estimate, or leave it out."
            )
    if pub.program.returns is not None and (methods.readout is not None or methods.randomizations > 1):
        raise refusal(
            "twirling" if methods.readout is None else "readout",
            "the program returns something else than the bits that it measures, such as a number, or some of them only",
            "Return every measured bit as it is, and compute from the counts.",
        )
    if methods.readout is not None:
        check_pairs(read_last(circuit))
    if (pub.shots or 0) < methods.randomizations:
        raise LimitError(
            f"{pub.shots} shots are too few for {methods.randomizations} randomizations.",
            code="shots-too-few",
            next_step="Ask for at least one shot of each.",
        )
    bits = count_gates(pub.program).measured
    runs = [Running(1.0, methods.randomizations, pub.shots or 0, pub.parameters.num_sets)]
    if methods.readout is not None:
        runs.append(Running(None, 2, calibration_shots(pub, methods.readout)))
    charging = Charging(pub, ground, methods, bits)
    return sum(run.circuits for run in runs), charging.tasks(runs)


class SampleRun:
    """Counts as they were read, and probabilities with the readout's errors undone.

    Args:
        as_it_is: The circuit that runs where nothing about it is varied: the program's, or the compiled one.
    """

    def __init__(self, pub: Pub, ground: Ground, as_it_is: Circuit, methods: Methods, asked: Any) -> None:
        self._pub, self._asked, self._ground, self._methods = pub, asked, ground, methods
        pairs = read_last(as_it_is)
        calibrating = None
        if methods.readout is not None:
            places = tuple(qubit for qubit, _ in pairs)
            readout = evolve(methods.readout, method="local")
            calibrating = Calibrating(ground, places, preparations(len(places), None), readout, pub.seed)
        program = pub.program if as_it_is is pub.program.circuit else evolve(pub.program, circuit=as_it_is)
        cell = Cell("program", program, pub.parameters, (False,) * len(pairs), derived_seed(pub.seed, "program", 0))
        self._sampling = Sampling(pub, methods, ground, cell, pairs, calibrating)
        self.calibrating = calibrating

    def requests(self) -> list[Request]:
        """The only round; empty after it."""
        return self._sampling.requests()

    def outcome(self) -> Sampled:
        """What came of it."""
        pub, sampling = self._pub, self._sampling
        tallies = [*sampling.tallies, *(() if self.calibrating is None else self.calibrating.tallies)]
        told: dict[str, Any] = {
            "settings": self._asked,
            "overhead": {
                "shots": sum(tally.shots * tally.cell.parameters.num_sets for tally in tallies),
                "program_shots": (pub.shots or 0) * pub.parameters.num_sets,
                "circuits": len(tallies),
            },
            "shots_rule": "of each parameter set of the program; calibration runs beside them",
            "twirled_gates": num_twirled(self._ground.operations) if self._methods.twirls_gates else 0,
            "circuits": [tally.to_json() for tally in tallies],
        }
        if self.calibrating is not None:
            told |= sampling.readout()
            local = self.calibrating.local()
            told["readout"] = {
                "method": "m3",
                "shots": self.calibrating.shots,
                "bits": list(sampling.bits),
                "p01": local.p01.tolist(),
                "p10": local.p10.tolist(),
            }
            told["verdict"] = overall(told["verdicts"])
        return Sampled(pub.parameters.shape, sampling.counts(), pub.shots or 0, details={"mitigation": told})
