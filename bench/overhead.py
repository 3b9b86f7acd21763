"""What the engine itself costs: one small job at any size of the store, and a sweep beside as many jobs."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2

from bench.fill import fill_store
from bench.measure import DisagreementError, Pass, Row, Spread, Timer, compare
from bench.ours import fresh_lab
from bench.registry import Settings, case
from bench.sampling import check_marginals

SHOTS = 100


def _bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def _engine_seconds(job: Any) -> float:
    """Seconds inside the simulator, as the job's own record has them."""
    return float(job.record["provenance"]["engine_s"])


@case("overhead")
def overhead(settings: Settings) -> list[Row]:
    """From submit to result less the simulator's own seconds, inline 2-qubit jobs, as the store grows."""
    sizes = (0, 1_000) if settings.quick else (0, 10_000, 100_000)
    jobs = 50 if settings.quick else 300
    rows = []
    circuit = _bell()
    with fresh_lab() as lab:
        target = lab.target
        first = target.submit(circuit, shots=SHOTS)
        first.result()
        stored = 0
        for size in sizes:
            if size > stored:
                fill_store(lab.home, first.id, size - stored)
                stored = size
            for _ in range(20):
                target.submit(circuit, shots=SHOTS).result()
            samples = []
            for seed in range(jobs):
                start = time.perf_counter()
                job = target.submit(circuit, shots=SHOTS, seed=seed)
                job.result()
                elapsed = time.perf_counter() - start
                samples.append(elapsed - _engine_seconds(job))
            rows.append(
                Row(
                    "overhead",
                    f"job, {size:,} stored",
                    Spread.of(samples),
                    aim=1e-3,
                    notes=("submit to result less engine_s, an inline Bell pair of 100 shots",),
                )
            )
    return rows


@case("sweep")
def sweep(settings: Settings) -> list[Row]:
    """One sweep of 1000 parameter sets beside 1000 jobs of one set each, both Antiphon's own."""
    sets = 100 if settings.quick else 1000
    circuit = efficient_su2(4, reps=2)
    circuit.measure_all()
    with fresh_lab() as lab:
        target = lab.target

        def parameters(number: int) -> Any:
            return np.random.default_rng(number).uniform(-np.pi, np.pi, (sets, circuit.num_parameters))

        def one_sweep(number: int) -> Pass:
            values = parameters(number)
            with Timer() as timer:
                counts = target.sweep(circuit, parameters=values, shots=SHOTS).result().counts
            return Pass(timer.seconds, sets, list(counts))

        def many_jobs(number: int) -> Pass:
            values = parameters(number)
            with Timer() as timer:
                counts = [target.submit(circuit, parameters=row, shots=SHOTS).result().counts for row in values]
            return Pass(timer.seconds, sets, counts)

        def check(peer: str, swept: Any, single: Any) -> None:
            if len(swept) != len(single):
                message = f"a sweep of {sets} sets returned {len(swept)} counts"
                raise DisagreementError(message)
            for a, b in zip(swept, single, strict=True):
                check_marginals(peer, a, b)

        one_sweep(10_000)  # warm: compiled for both sides
        return compare(
            "sweep",
            "parameter set",
            one_sweep,
            {f"{sets} jobs of Antiphon": many_jobs},
            rounds=settings.rounds,
            check=check,
            aims={f"{sets} jobs of Antiphon": 0.1},
            note=f"4 qubits, 24 parameters, {SHOTS} shots each",
        )
