"""Jobs on a real Ray cluster of several processes: placed by resources, killed, lost, and told once.

The slow half is marked `chaos`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import executor_drivers
from antiphon import JobStatus, Workspace
from antiphon.adapters.executors.ray_cluster import RayExecutor
from antiphon.cli.exit_codes import UNREACHABLE
from antiphon.domain.results import Sampled
from executor_tasks import Reports, code, eventually, facts, is_running, read_when_there, run, task
from programs import BELL, ENDLESS

pytest.importorskip("ray", reason="Ray is not installed")
from ray_clusters import ray_cluster

MAIN = "from antiphon.cli.main import main; main()"

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.xdist_group("ray"),
    # Ray's own: sockets and processes that it leaves to the collector, interfaces that it means to change.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:ray"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with ray_cluster(num_cpus=2, resources={"qpu:test.driver": 1}) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def executor(cluster: Any) -> Iterator[RayExecutor]:
    executor = RayExecutor(cluster.address, executor_drivers.load_drivers)
    yield executor
    executor.close()


def test_the_driver_s_result_comes_home_from_another_process(executor: RayExecutor) -> None:
    report = run(executor, task(shots=7, payload=3_000_000))
    assert report.execution is not None
    assert report.execution.outcomes == (Sampled((), ({"00000000": 7},), 7),)
    assert facts(report)["pid"] != os.getpid()
    assert len(facts(report)["payload"]) == 3_000_000


def test_it_gives_the_cluster_as_many_tasks_as_it_has_processors(executor: RayExecutor) -> None:
    assert executor.capacity == 2


@pytest.mark.parametrize(
    ("action", "arguments", "ending"),
    [
        ("refuse", (), "too-wide"),
        ("fail", ("ValueError", "negative norm"), "engine-error"),
        ("fail", ("SystemExit", "1"), "engine-error"),
        ("segfault", (), "worker-crashed"),
    ],
)
def test_how_a_task_ends(executor: RayExecutor, action: str, arguments: tuple[str, ...], ending: str) -> None:
    assert code(run(executor, task(action, *arguments))) == ending


@pytest.mark.chaos
@pytest.mark.parametrize("action", ["hold", "hold-the-interpreter"])
def test_a_task_over_its_time_is_ended(executor: RayExecutor, tmp_path: Path, action: str) -> None:
    assert code(run(executor, task(action, str(tmp_path / "held"), seconds=1.0))) == "worker-timeout"
    pid = int((tmp_path / "held").read_text())
    eventually(lambda: not is_running(pid))


def test_a_cancelled_task_is_ended(executor: RayExecutor, tmp_path: Path) -> None:
    job, reports = task("hold", str(tmp_path / "held")), Reports()
    executor.start(job, reports)
    pid = int(read_when_there(tmp_path / "held"))
    executor.cancel(job.id)
    assert code(reports.the_one()) == "task-cancelled"
    eventually(lambda: not is_running(pid))


def test_a_killed_worker_is_told_once_and_run_no_second_time(executor: RayExecutor, tmp_path: Path) -> None:
    job, reports = task("hold", str(tmp_path / "held")), Reports()
    executor.start(job, reports)
    os.kill(int(read_when_there(tmp_path / "held")), signal.SIGKILL)
    (tmp_path / "held").unlink()
    assert code(reports.the_one()) == "worker-crashed"
    assert reports.num_waiting == 0
    assert not (tmp_path / "held").exists()


@pytest.mark.chaos
def test_one_qpu_runs_one_task_at_a_time(executor: RayExecutor, tmp_path: Path) -> None:
    first, second = Reports(), Reports()
    executor.start(task("meet", str(tmp_path / "first"), str(tmp_path / "go-on")), first)
    read_when_there(tmp_path / "first")
    # There is a processor for it, but no second QPU; a target without one is placed by its processor alone.
    executor.start(task("meet", str(tmp_path / "second"), str(tmp_path / "go-on")), second)
    assert code(run(executor, task(target="test.other"))) == "not-found"
    assert not (tmp_path / "second").exists()
    (tmp_path / "go-on").touch()
    facts(first.the_one())
    facts(second.the_one())


def test_what_fits_on_no_node_is_refused(executor: RayExecutor) -> None:
    job = task()
    report = run(executor, replace(job, plan=replace(job.plan, memory_bytes=2**50)))
    assert code(report) == "cluster-too-small"


@pytest.mark.chaos
def test_a_lost_node_gives_the_task_back(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=1, num_gpus=1, object_store_memory=80 * 2**20)
    executor = RayExecutor(cluster.address, executor_drivers.load_drivers, gpus=1.0, qpus=False)
    try:
        reports = Reports()
        executor.start(task("hold", str(tmp_path / "held")), reports)
        read_when_there(tmp_path / "held")
        cluster.remove_node(node, allow_graceful=False)
        assert code(reports.the_one()) in ("task-interrupted", "worker-crashed")
    finally:
        executor.close()


def test_no_cluster_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAIN, "worker", "--home", str(tmp_path / "lab"), "--ray", "127.0.0.1:1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == UNREACHABLE
    assert json.loads(done.stderr)["error"]["code"] == "cluster-unreachable"


@pytest.mark.chaos
def test_the_worker_command_serves_a_folder_from_the_cluster(cluster: Any, tmp_path: Path) -> None:
    home = tmp_path / "lab"
    command = [sys.executable, "-c", MAIN, "worker", "--home", str(home), "--ray", cluster.address, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as worker:
        try:
            assert worker.stdout is not None
            told = json.loads(worker.stdout.readline())
            assert told["runs_on"] == f"Ray at {cluster.address}"
            with Workspace(home, dispatch=False) as ws:
                job = ws.target("sim.auto").submit(BELL, shots=50, execution="process")
                batch = ws.target("sim.auto").submit_batch([BELL] * 3, shots=5, execution="process")
                assert sum(job.result(60).counts.values()) == 50
                assert len(batch.result(60).counts) == 3
                endless = ws.target("sim.auto").submit(ENDLESS, shots=5)
                eventually(lambda: endless.status is JobStatus.EXECUTING)
                endless.cancel().wait(60)
                assert endless.status is JobStatus.CANCELLED
                for each in (job, batch):
                    assert [event["event"] for event in each.events] == ["submitted", "claimed", "succeeded"]
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        finally:
            worker.kill()
