"""Variational loops: 200 evaluations through a session with the full record, beside the same loop by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.measure import DisagreementError, Pass, Row, Side, Timer, compare
from bench.ours import fresh_lab, session_loop
from bench.peers import AER, PEERS, Evaluate, same_value
from bench.problems import Expectation, qaoa, vqe_h2, vqe_lih, vqe_tfim
from bench.registry import Settings, case

EVALUATIONS = 200
QUICK_EVALUATIONS = 20


def hand_loop(evaluate: Evaluate, problem: Expectation, length: int) -> Side:
    """The peer's side: the same parameter sets from the start of the path, `length` of them."""
    evaluate(problem.path(1, seed=10_000)[0])  # warm, as ours is

    def side(number: int) -> Pass:
        path = problem.path(length, seed=number)
        with Timer() as timer:
            values = [evaluate(parameters) for parameters in path]
        return Pass(timer.seconds, length, values)

    return side


def check_values(peer: str, ours: Any, theirs: Any) -> None:
    """Every value the peer computed must be ours to 1e-6; a peer may have stopped earlier on the path."""
    for number, (a, b) in enumerate(zip(ours, theirs, strict=False)):
        if not same_value(a, b):
            message = f"evaluation {number}: Antiphon says {a!r}, {peer} says {b!r}"
            raise DisagreementError(message)


def _loop(name: str, problem: Expectation, settings: Settings, *, aim: float, peer_evaluations: int) -> list[Row]:
    length = QUICK_EVALUATIONS if settings.quick else EVALUATIONS
    fewer = min(length, 5 if settings.quick else peer_evaluations)
    with fresh_lab() as lab:
        return compare(
            name,
            "evaluation",
            session_loop(lab, problem, length),
            {peer: hand_loop(build(problem), problem, fewer) for peer, build in PEERS.items()},
            rounds=settings.rounds,
            check=check_values,
            aims={AER: aim},
            note=f"{length} evaluations a loop, one job each in one session, with the durable record",
        )


def _register(name: str, problem: Callable[[], Expectation], *, aim: float, peer_evaluations: int) -> None:
    @case(name)
    def run(settings: Settings) -> list[Row]:
        return _loop(name, problem(), settings, aim=aim, peer_evaluations=peer_evaluations)


# LiH and QAOA cost a peer 40 to 160 ms an evaluation: fewer of them in a pass, and times are taken per evaluation.
_register("vqe_h2", vqe_h2, aim=0.2, peer_evaluations=200)
_register("vqe_tfim", vqe_tfim, aim=0.1, peer_evaluations=200)
_register("vqe_lih", vqe_lih, aim=0.05, peer_evaluations=20)
_register("qaoa", qaoa, aim=0.1, peer_evaluations=50)
