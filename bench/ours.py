"""Antiphon's side of every case: an embedded workspace in a fresh folder, with its whole durable record."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from antiphon import Target, Workspace
from bench.measure import Pass, Side, Timer
from bench.problems import Expectation


@dataclass(frozen=True, slots=True)
class Lab:
    """An embedded workspace and the folder it lives in."""

    workspace: Workspace
    home: Path

    @property
    def target(self) -> Target:
        """The target every case runs on."""
        return self.workspace.target("sim.auto")


@contextlib.contextmanager
def fresh_lab() -> Iterator[Lab]:
    """A workspace in a new temporary folder, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as folder:
        home = Path(folder) / "lab"
        workspace = Workspace(home)
        try:
            yield Lab(workspace, home)
        finally:
            workspace.close()


def session_loop(lab: Lab, problem: Expectation, length: int) -> Side:
    """A loop of `length` evaluations in one session, one job each; opening and closing the session are in the time."""
    target = lab.target
    _evaluate(target, problem, problem.path(1, seed=10_000)[0])  # compiled once, like the peers' circuits

    def side(number: int) -> Pass:
        path = problem.path(length, seed=number)
        with Timer() as timer, target.open_session(name=f"bench {number}"):
            values = [_evaluate(target, problem, parameters) for parameters in path]
        return Pass(timer.seconds, length, values)

    return side


def _evaluate(target: Target, problem: Expectation, parameters: NDArray[np.float64]) -> float:
    job = target.estimate(problem.circuit, problem.observable, parameters)
    return float(np.asarray(job.result().values).reshape(()))
