"""Compiled circuits under noise: what targets that emulate devices plan and run, on the simulators' own engines."""

from __future__ import annotations

from antiphon.adapters.targets.sim import choose
from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.demand import Choice, Demand
from antiphon.adapters.targets.sim.engines import running
from antiphon.adapters.targets.sim.features import Features
from antiphon.adapters.targets.sim.reading import features_of
from antiphon.adapters.targets.sim.settings import Settings
from antiphon.adapters.targets.sim.task import Ran, Task, parameter_array
from antiphon.domain.circuits import Circuit
from antiphon.domain.noise import Noise
from antiphon.domain.results import Outcome
from antiphon.domain.work import Pub

_features: BoundedCache[Features] = BoundedCache(2_000_000, lambda features: len(features.operations) + 1)


def plan_noisy(pub: Pub, circuit: Circuit, noise: Noise, key: str | None = None) -> Choice:
    """The engine that measured fastest for `circuit` under `noise`.

    Args:
        pub: Shots, parameters and observables; its program's own circuit is not looked at.
        circuit: What runs instead: on physical qubits, in gates that `noise` knows, with the program's registers,
            classical bits and parameters. The pub's observables are on its qubits.
        noise: Numbers qubits as `circuit` does. A trivial one is allowed.
        key: Names `circuit`, so that it is read once: equal keys mean equal circuits in all of this process.

    Raises:
        UnsupportedProgramError: A gate is none that the noise knows, or no engine runs such a program.
        LimitError: Too wide for noisy simulation, or for this machine's memory.
        MissingExtraError: The engine that could run it is not installed.
    """
    parameters = parameter_array(pub)
    features = _features_of(circuit, noise, key)
    num_terms = 1 if pub.observables is None else sum(len(item.terms) for item in pub.observables)
    demand = Demand(pub.program, features, pub.observables is None, pub.shots, Settings(noise=noise), num_terms)
    return choose.noisy(demand, parameters)


def run_noisy(pub: Pub, circuit: Circuit, noise: Noise, engine: str, key: str) -> tuple[Outcome, Ran]:
    """Run as planned by `plan_noisy`, whose arguments these are; the outcome, and how it came about.

    Counts are those of the program's registers. Expectation values include the errors of readout.

    Raises:
        ExecutionError: The engine ended without a result.
    """
    features = _features_of(circuit, noise, key)
    return running.run_circuit(engine, Task(key, pub, features, parameter_array(pub), Settings(noise=noise)))


def _features_of(circuit: Circuit, noise: Noise, key: str | None) -> Features:
    timed = noise.heeds_time
    if key is None:
        return features_of(circuit, keep_delays=timed)
    return _features.get((key, timed), lambda: features_of(circuit, keep_delays=timed))
