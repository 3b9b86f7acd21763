"""Between two programs: how long the worker has nothing to do, and whether compiling the next one makes it wait."""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np
from qiskit import QuantumCircuit

from bench.measure import Row, Spread
from bench.ours import fresh_lab
from bench.registry import Settings, case

SHOTS = 100
_seeds = itertools.count()  # a program that ran before is in the worker's caches


def _program(qubits: int, layers: int, seed: int) -> QuantumCircuit:
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(qubits)
    for _ in range(layers):
        for qubit in range(qubits):
            circuit.ry(float(rng.uniform(0, 6)), qubit)
        for qubit in range(qubits - 1):
            circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def gap_seconds(target: Any, qubits: int, layers: int, items: int) -> tuple[float, float]:
    """(seconds between two programs on average, seconds that one runs) of a batch of different programs."""
    programs = [_program(qubits, layers, next(_seeds)) for _ in range(items)]
    job = target.submit_batch(programs, shots=SHOTS, execution="process")
    job.wait(600)
    found = job.items
    began = min(item.started_at for item in found)
    ended = max(item.ended_at for item in found)
    ran = sum(item.provenance["engine_s"] for item in found)
    return (ended - began - ran) / items, ran / items


def compiled_ahead(target: Any, qubits: int, layers: int, jobs: int) -> tuple[float, float, float]:
    """(seconds a job of a row of jobs submitted one after the other, seconds one runs, seconds one is compiled)."""
    programs = [_program(qubits, layers, next(_seeds)) for _ in range(jobs)]
    began = time.perf_counter()
    sent = [target.submit(program, shots=SHOTS, execution="process") for program in programs]
    for job in sent:
        job.wait(600)
    each = (time.perf_counter() - began) / jobs
    ran = sum(job.stages["execute"] for job in sent) / jobs
    return each, ran, sum(job.stages["compile"] for job in sent) / jobs


def batch_compiled_ahead(target: Any, qubits: int, layers: int, items: int) -> tuple[float, float, float, float]:
    """(seconds of a batch, seconds of compiling in it, of running, and until it is queued)."""
    programs = [_program(qubits, layers, next(_seeds)) for _ in range(items)]
    began = time.perf_counter()
    job = target.submit_batch(programs, shots=SHOTS, execution="process")
    queued = time.perf_counter() - began
    job.wait(600)
    whole = time.perf_counter() - began
    compiling = sum(told["compile_s"] for told in job.record["provenance"]["plan"]["details"]["programs"])
    return whole, compiling, sum(item.provenance["engine_s"] for item in job.items), queued


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


@case("compile-ahead")
def compile_ahead(settings: Settings) -> list[Row]:
    """A row of different programs on an emulated device, whose compiling takes as long as their running."""
    rounds, jobs = (1, 6) if settings.quick else (settings.rounds, 20)
    with fresh_lab() as lab:
        target = lab.workspace.target("emu.falcon")
        target.submit(_program(3, 1, next(_seeds)), shots=1, execution="process").wait(300)
        measured = [compiled_ahead(target, 8, 6, jobs) for _ in range(rounds)]
        batch = [batch_compiled_ahead(target, 8, 6, 2 * jobs) for _ in range(rounds)]
    each = Spread.of([each for each, _, _ in measured])
    apart = Spread.of([ran + compiling for _, ran, compiling in measured])
    ratio = Spread.of([each / (ran + compiling) for each, ran, compiling in measured])
    note = (
        "different 8-qubit programs on emu.falcon, submitted one after the other; beside compiling and running each in "
        "turn, as their own stages say"
    )
    compiling, running, queued = (_middle([each[part] for each in batch]) for part in (1, 2, 3))
    said = f"compiled for {compiling:.2g} s, run for {running:.2g} s, queued after {queued:.2g} s"
    return [
        Row("compile-ahead", "job", each, "one after the other", apart, ratio, 1.0, (note,)),
        Row(
            "compile-ahead, batch",
            f"{2 * jobs} programs",
            Spread.of([whole for whole, *_ in batch]),
            "one after the other",
            Spread.of([compiling + running for _, compiling, running, _ in batch]),
            Spread.of([whole / (compiling + running) for whole, compiling, running, _ in batch]),
            1.0,
            (said,),
        ),
    ]


@case("batch-gap")
def batch_gap(settings: Settings) -> list[Row]:
    """Time in which no program of a batch runs, a program, for short programs (in chunks) and for longer ones."""
    rows = []
    with fresh_lab() as lab:
        lab.target.submit(_program(2, 1, 0), shots=1, execution="process").wait(120)
        for name, qubits, layers, items in (("short", 4, 20, 400), ("longer", 16, 60, 30)):
            gap_seconds(lab.target, qubits, layers, items)
            measured = [
                gap_seconds(lab.target, qubits, layers, items) for _ in range(2 if settings.quick else settings.rounds)
            ]
            ran = sorted(run for _, run in measured)[len(measured) // 2]
            rows.append(
                Row(
                    "batch-gap",
                    f"{name} programs, {1e3 * ran:.3g} ms each",
                    Spread.of([gap for gap, _ in measured]),
                    notes=(
                        "from the first program's start to the last one's end less what the programs ran, a program",
                    ),
                )
            )
    return rows
