"""The engines by name: how each samples and estimates, its version, and forcing one by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from antiphon.adapters.targets.sim import choose, gpu
from antiphon.adapters.targets.sim.angles import Floats
from antiphon.adapters.targets.sim.demand import Choice, Demand
from antiphon.adapters.targets.sim.engines import (
    aer,
    branching,
    lightning,
    noisy_branching,
    qsim,
    stim_engine,
    trajectories,
)
from antiphon.adapters.targets.sim.engines.lightning_gpu import GpuState
from antiphon.adapters.targets.sim.settings import Settings, uniform_noise
from antiphon.adapters.targets.sim.task import Ran, Task, estimated
from antiphon.domain.results import Outcome, Sampled
from antiphon.domain.returned import as_returned
from antiphon.domain.work import Pub
from antiphon.errors import AntiphonError, ExecutionError, UnsupportedProgramError


@dataclass(frozen=True, slots=True)
class _Engine:
    package: str
    sample: Callable[[Task], Ran]
    estimate: Callable[[Task], Ran] | None
    static_only: bool = False
    takes_noise: bool = False
    dynamic_only: bool = False


_ENGINES = {
    "lightning": _Engine("pennylane-lightning", lightning.sample, lightning.estimate, static_only=True),
    "lightning-gpu": _Engine(
        "pennylane-lightning-gpu",
        partial(lightning.sample, kind=GpuState),
        partial(lightning.estimate, kind=GpuState),
        static_only=True,
    ),
    "branching": _Engine("pennylane-lightning", branching.sample, None, dynamic_only=True),
    "noisy-branching": _Engine(
        "pennylane-lightning", noisy_branching.sample, None, dynamic_only=True, takes_noise=True
    ),
    "trajectories": _Engine(
        "pennylane-lightning", trajectories.sample, trajectories.estimate, static_only=True, takes_noise=True
    ),
    "trajectories-gpu": _Engine(
        "pennylane-lightning-gpu",
        partial(trajectories.sample, kind=GpuState),
        partial(trajectories.estimate, kind=GpuState),
        static_only=True,
        takes_noise=True,
    ),
    "qsim": _Engine("qsimcirq", qsim.sample, None, static_only=True),
    "stim": _Engine("stim", stim_engine.sample, stim_engine.estimate, takes_noise=True),
    "aer-statevector": _Engine(
        "qiskit-aer", aer.sampler("statevector"), aer.estimator("statevector"), takes_noise=True
    ),
    "aer-stabilizer": _Engine("qiskit-aer", aer.sampler("stabilizer"), None, takes_noise=True),
    "aer-mps": _Engine("qiskit-aer", aer.sampler("matrix_product_state"), aer.estimator("matrix_product_state")),
    "aer-density-matrix": _Engine(
        "qiskit-aer", aer.sampler("density_matrix"), aer.estimator("density_matrix"), takes_noise=True
    ),
}

_OFFERED = {
    "sim.statevector": ("lightning", "lightning-gpu", "branching", "qsim", "aer-statevector"),
    "sim.stabilizer": ("stim", "aer-stabilizer"),
    "sim.mps": ("aer-mps",),
    "sim.density_matrix": ("aer-density-matrix",),
}


def run(engine: str, task: Task) -> Ran:
    """Sample or estimate a task on the engine of that name."""
    found = _ENGINES[engine]
    if task.pub.observables is None:
        try:
            return found.sample(task)
        except branching.TooManyHistoriesError:
            choose.need_aer(task.features)
            ran = aer.sampler("statevector")(task)
            return replace(ran, method=f"{ran.method} by Aer: more measurement histories than can be followed")
    assert found.estimate is not None
    return found.estimate(task)


def run_circuit(engine: str, task: Task) -> tuple[Outcome, Ran]:
    """Run a task on the engine of that name; its outcome, and how it came about.

    Raises:
        ExecutionError: The engine ended without a result.
    """
    pub = task.pub
    with _told_of(engine):
        ran = run(engine, task)
    if pub.observables is None:
        sampled = Sampled(pub.parameters.shape, ran.counts, task.shots, probabilities=ran.probabilities)
        return as_returned(pub.program.returns, sampled), ran
    if not np.isfinite([each.value for each in ran.values]).all():
        raise ExecutionError(f"The engine {engine} returned a value that is not a number.", code="engine-failed")
    return estimated(pub, ran.values), ran


def run_opaque(pub: Pub, engine: str, settings: Settings) -> tuple[Outcome, Ran]:
    """Run a program that has no circuit on the engine that takes its own format.

    Raises:
        ExecutionError: The engine ended without a result.
    """
    with _told_of(engine):
        return _run_opaque(pub, engine, settings)


@contextmanager
def _told_of(engine: str) -> Iterator[None]:
    """Whatever goes wrong inside, as an error that names the engine."""
    try:
        yield
    except AntiphonError:
        raise
    except MemoryError as error:
        raise ExecutionError(
            f"The engine {engine} ran out of memory.",
            code="memory-exhausted",
            cause=str(error),
            next_step="Use fewer qubits, or run when the machine has more memory free.",
        ) from error
    except Exception as error:
        raise ExecutionError(
            f"The engine {engine} ended without a result.",
            code="engine-failed",
            cause=f"{type(error).__name__}: {error}",
            next_step='Try another engine with the option "engine", and report the program.',
            details={"engine": engine},
        ) from error


def _run_opaque(pub: Pub, engine: str, settings: Settings) -> tuple[Sampled, Ran]:
    if engine == "qir":
        from antiphon.adapters.targets.sim.engines import qir  # its interpreter is an optional package

        return qir.run(pub, noise=uniform_noise(settings)), Ran("QIR interpreter")
    method = "density_matrix" if engine == "aer-density-matrix" else "statevector"
    return aer.run_opaque(pub, method, settings)


@cache
def version_of(engine: str) -> str:
    """The version of the package an engine comes from."""
    if engine == "qir":
        from antiphon.adapters.targets.sim.engines import qir

        return qir.version()
    package = _ENGINES[engine].package
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


def forced(name: str, choice: Choice, demand: Demand, target: str, parameters: Floats) -> Choice:
    """The engine asked for by name instead of the one chosen, where it can run the program.

    Raises:
        UnsupportedProgramError: The target has no such engine, or the engine cannot run this program.
    """
    offered = _OFFERED.get(target, tuple(_ENGINES))
    if name not in offered:
        raise refusal(name, f"{target} has no such engine", f"Use {', '.join(offered)}.")
    if name == choice.engine:
        return choice
    features, engine = demand.features, _ENGINES[name]
    assert features is not None
    other = f"Leave the option out, and {choice.engine} runs it."
    if name.endswith("-gpu") and gpu.found().why:
        raise refusal(name, gpu.found().why, other)
    if features.dynamic and engine.static_only:
        raise refusal(name, f"it runs static programs only, but {features.dynamic}", other)
    if not features.dynamic and engine.dynamic_only:
        raise refusal(name, "it is for programs that measure and go on", other)
    if not demand.sampling and engine.estimate is None:
        raise refusal(name, "it has no expectation values", other)
    if demand.settings.noise is not None and not engine.takes_noise:
        raise refusal(name, "it applies no noise", other)
    if demand.settings.noise is not None and name == "aer-statevector" and not demand.sampling:
        raise refusal(name, "one trajectory of a state vector is no noisy expectation value", other)
    if demand.settings.noise is None and name in ("trajectories", "trajectories-gpu", "noisy-branching"):
        raise refusal(name, "it is for noisy programs", other)
    if name in ("trajectories", "trajectories-gpu") and demand.exact:
        raise refusal(name, "it samples, so that it needs shots", other)
    if name in ("stim", "aer-stabilizer"):
        return replace(choose.stabilizer(demand, parameters), engine=name, reason="asked for by name")
    if name == "aer-mps":
        return replace(choose.matrix_product_state(demand), reason="asked for by name")
    if name == "aer-density-matrix":
        return replace(choose.density_matrix(demand), reason="asked for by name")
    if name == "aer-statevector":
        choose.need_aer(features)
    return replace(choice, engine=name, reason="asked for by name", safe=False, seconds=choice.seconds * 10)


def refusal(name: str, cause: str, next_step: str) -> UnsupportedProgramError:
    """The error for an engine asked for by name that cannot run the program."""
    return UnsupportedProgramError(
        f"The engine {name!r} cannot run this.",
        code="engine-unsupported",
        cause=cause,
        next_step=next_step,
        details={"engine": name},
    )
