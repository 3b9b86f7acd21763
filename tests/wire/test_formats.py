"""What the genuine front ends send, run by our engine, and read by their own decoders; no server stands between."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from offline_clients import FRONT_ENDS, SHOTS, offline
from server_under_test import ANTIPHON, REPOSITORY

Answers = Callable[[str], AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    """The job of a front end, by name, with the result that our engine made of it."""
    with offline() as client:
        jobs = {name: submit(client) for name, submit in FRONT_ENDS.items()}
        done = subprocess.run(
            [str(Path(ANTIPHON).with_name("python")), "-m", "azure_formats"],
            input=json.dumps(client.sent),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY / "tests" / "support")},
        )
        assert done.returncode == 0, done.stderr
        bodies = dict(zip(jobs, json.loads(done.stdout), strict=True))
        yield lambda name: client.answered(jobs[name], bodies[name])


@pytest.mark.parametrize(
    ("name", "outcomes"),
    {
        "qsharp-own": {"([1, 0], [1])": ([1, 0], [1])},
        "qsharp-ionq": {"(0, 0)": (0, 0), "(1, 1)": (1, 1)},
        "qsharp-one": {"1": 1},
        "qsharp-adaptive": {f"(true, (2, 0.5), [{z}, 1])": (True, (2, 0.5), [z, 1]) for z in (0, 1)},
    }.items(),
)
def test_qsharp(answers: Answers, name: str, outcomes: dict[str, Any]) -> None:
    with answers(name) as job:
        histogram = job.get_results_histogram()
        shots = job.get_results_shots()
        assert {display: entry["outcome"] for display, entry in histogram.items()} == outcomes
        assert sum(entry["count"] for entry in histogram.values()) == len(shots) == SHOTS
        for entry in histogram.values():
            assert shots.count(entry["outcome"]) == entry["count"]
        assert job.get_results() == {display: entry["count"] / SHOTS for display, entry in histogram.items()}


def test_a_batch_gives_one_result_an_item(answers: Answers) -> None:
    with answers("qsharp-items") as job:
        assert job.get_results_histogram() == [{"([1, 0], [1])": {"outcome": ([1, 0], [1]), "count": SHOTS}}] * 3
        assert job.get_results_shots() == [[([1, 0], [1])] * SHOTS] * 3


@pytest.mark.parametrize(
    ("name", "counts"),
    {
        "qiskit-own": "01 0",
        "qiskit-quantinuum-qir": "01 0",
        "qiskit-rigetti": "01 0",
        "qiskit-quantinuum-qasm": "010",  # its decoder joins the registers
        "qiskit-ionq-qir": "011",
        "qiskit-ionq-json": "011",
        "qiskit-qci": "011",
    }.items(),
)
def test_qiskit_reads_its_own_bit_order(answers: Answers, name: str, counts: str) -> None:
    with answers(name) as job:
        assert job.result().get_counts() == {counts: SHOTS}


@pytest.mark.parametrize("name", ["cirq-own", "cirq-rigetti", "cirq-quantinuum", "cirq-ionq"])
def test_cirq_reads_its_own_keys(answers: Answers, name: str) -> None:
    with answers(name) as job:
        found = job.results()
        if isinstance(found, list):  # cirq-ionq's own: one result for each circuit
            found = found[0]
        if name == "cirq-ionq":
            found = found.to_cirq_result()
        measured = {key: array.tolist() for key, array in found.measurements.items()}
        assert measured == {"left": [[1, 0]] * SHOTS, "right": [[1]] * SHOTS}


def test_a_dictionary_sent_to_ionq(answers: Answers) -> None:
    with answers("dictionary-ionq") as job:
        assert job.get_results() == {"histogram": {"5": 1.0}}
