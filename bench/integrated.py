"""Five protocols that compute while their qubits live: branch-merged here, run shot by shot by Aer and the QDK.

The protocols are those of the tests, where all four languages are held against what was worked out by hand.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measure import DisagreementError, Pass, Refused, Row, Side, Timer, compare, tried
from bench.ours import Lab, fresh_lab
from bench.registry import Settings, case

if TYPE_CHECKING:
    from integrated_programs import Protocol

SIZES = (1_000, 10_000)
AER, QDK = "Aer, shot by shot", "qdk run_qir"


def _protocols() -> tuple[Protocol, ...]:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
    from integrated_programs import PROTOCOLS

    return PROTOCOLS


def _ours(lab: Lab, program: Any, shots: int, repeats: int) -> Side:
    target = lab.target
    target.submit(program, shots=shots, seed=0).wait(60)

    def side(number: int) -> Pass:
        counts: Mapping[str, int] = {}
        with Timer() as timer:
            for turn in range(repeats):
                counts = target.submit(program, shots=shots, seed=1000 * number + turn).result().counts
        return Pass(timer.seconds, repeats, counts)

    return side


def _aer(circuit: Any, shots: int, repeats: int) -> Side:
    from qiskit import transpile
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(max_parallel_threads=1)
    fitted = transpile(circuit, simulator)
    simulator.run(fitted, shots=shots).result().get_counts()

    def side(number: int) -> Pass:
        counts: Mapping[str, int] = {}
        with Timer() as timer:
            for turn in range(repeats):
                seed = 7919 * (1000 * number + turn)
                counts = simulator.run(fitted, shots=shots, seed_simulator=seed).result().get_counts()
        return Pass(timer.seconds, repeats, counts)

    return side


def _qdk(source: bytes, shots: int, repeats: int) -> Side:
    os.environ["QDK_PYTHON_TELEMETRY"] = "none"
    from qdk import simulation

    from antiphon.adapters.targets.sim.engines.qir import tallied

    text = source.decode()

    def side(number: int) -> Pass:
        values: list[Any] = []
        with Timer() as timer:
            for turn in range(repeats):
                values = simulation.run_qir(text, shots=shots, seed=7919 * (1000 * number + turn), type="cpu")
        return Pass(timer.seconds, repeats, tallied(values)[0])

    return side


def _far(protocol: Protocol, language: str, counts: Mapping[str, int]) -> float:
    """How far counts are from what was worked out, in total variation."""
    found = Counter(protocol.counts(language, counts))
    shots = found.total()
    return 0.5 * sum(abs(found[key] / shots - protocol.exact.get(key, 0.0)) for key in {*found, *protocol.exact})


def _rows(
    protocol: Protocol, language: str, peer: str, side: Side | Refused, shots: int, settings: Settings, repeats: int
) -> list[Row]:
    allowed = 0.5 * (len(protocol.exact) / shots) ** 0.5 + 0.05

    def check(name: str, ours: Mapping[str, int], theirs: Mapping[str, int]) -> None:
        for who, counts in (("Antiphon", ours), (name, theirs)):
            if _far(protocol, language, counts) > allowed:
                message = f"{who} is {_far(protocol, language, counts):.3f} away from what was worked out"
                raise DisagreementError(message)

    with fresh_lab() as lab:
        return compare(
            f"{protocol.name}, {'Q#' if language == 'qsharp' else 'Qiskit'}, {shots:,} shots",
            "job",
            _ours(lab, protocol.write[language](), shots, repeats),
            {peer: side},
            rounds=settings.rounds,
            check=check,
            note="Antiphon merges branches and keeps the job's record; the peer runs every shot and keeps nothing",
        )


@case("integrated")
def integrated(settings: Settings) -> list[Row]:
    """Teleportation, repeat until success, phase estimation, counted corrections, Bayesian estimation."""
    rows: list[Row] = []
    repeats = 1 if settings.quick else 3
    for shots in SIZES[:1] if settings.quick else SIZES:
        for protocol in _protocols():
            aer = tried(partial(_aer, protocol.write["qiskit"](), shots, repeats))
            rows += _rows(protocol, "qiskit", AER, aer, shots, settings, repeats)
            qdk = tried(partial(_qdk, protocol.write["qsharp"](), shots, repeats))
            rows += _rows(protocol, "qsharp", QDK, qdk, shots, settings, repeats)
    return rows
