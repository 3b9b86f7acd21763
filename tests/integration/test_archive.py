from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from qiskit import QuantumCircuit

from antiphon import Workspace
from antiphon.adapters.clocks import ManualClock
from antiphon.composition import build_engine
from antiphon.domain.jobs import Job, JobStatus
from antiphon.engine.archive import archive
from antiphon.engine.archive_files import lines_of
from antiphon.engine.archived import archived_record
from antiphon.engine.context import EngineContext
from antiphon.errors import LimitError, NotFoundError, StoreError
from antiphon.ports.archive_store import Archived
from antiphon.ports.job_store import JobQuery, StoredResult
from command_line import antiphon
from stored_facts import submitted

DAY_S = 86_400.0


def _bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


@contextmanager
def _later(home: Path, days: float = 100.0) -> Iterator[EngineContext]:
    running = build_engine(home, clock=ManualClock(time.time() + days * DAY_S), workers=0, dispatch=False)
    try:
        yield running.ctx
    finally:
        running.close()


def _run_one(home: Path, circuit: QuantumCircuit | None = None) -> str:
    with Workspace(home) as ws:
        job = ws.target("sim.auto").submit(circuit or _bell(), shots=50)
        job.result()
        return job.id


def _copies(ctx: EngineContext, job_id: str, count: int) -> list[str]:
    ids = []
    with ctx.store.write() as tx:
        job, result = tx.job(job_id), tx.result(job_id)
        assert job is not None
        assert result is not None
        for number in range(count):
            copy = dataclasses.replace(job, id=f"{job.id[:-5]}{number:05d}", key=None)
            tx.add_job(copy, submitted(copy))
            tx.add_result(StoredResult(copy.id, result.fence, result.body, result.artefact))
            ids.append(copy.id)
    return ids


def _all_lines(folder: Path) -> list[str]:
    return [line["id"] for file in folder.glob("*/*.jsonl.gz") for line in lines_of(file)]


def test_what_is_archived_has_its_whole_record_in_a_file_and_says_where(tmp_path: Path) -> None:
    job_id = _run_one(tmp_path)
    with Workspace(tmp_path) as ws:
        before = ws.job(job_id).record
    with _later(tmp_path) as ctx:
        report = archive(ctx, older_than_s=90 * DAY_S, folder=tmp_path / "archive")
        assert (report.jobs, report.left) == (1, 0)
        record = archived_record(ctx, "default", job_id)
        assert {name: record[name] for name in before} == before
        assert record["azure_item"] is None
        with ctx.store.read() as tx:
            assert sum(tx.count_jobs("default").values()) == 0
            assert tx.result(job_id) is None
    (file,) = report.files
    assert Path(file).parent.name == before["ended_at"][:7]
    with Workspace(tmp_path) as ws, pytest.raises(NotFoundError) as caught:
        ws.job(job_id)
    assert caught.value.code == "archived"
    assert file in caught.value.cause
    with Workspace(tmp_path) as ws, pytest.raises(NotFoundError) as unknown:
        ws.job("job_01K0000000000000000000000X")
    assert unknown.value.code == "not-found"


def test_values_that_nothing_names_any_more_go_and_the_others_stay(tmp_path: Path) -> None:
    other = QuantumCircuit(1, name="other")
    other.x(0)
    other.measure_all()
    _run_one(tmp_path)
    kept = _run_one(tmp_path, other)
    with _later(tmp_path) as ctx:
        with ctx.store.read() as tx:
            (old,) = [job for job in tx.find_jobs(JobQuery("default")) if job.id != kept]
            kept_job = tx.job(kept)
        assert kept_job is not None
        with ctx.store.write() as tx:
            went = Archived(id=kept, workspace="default", kind="job", archived_at=0.0, file="")
            assert tx.forget_job(kept_job, went)
            young = dataclasses.replace(kept_job, created_at=ctx.clock.now(), ended_at=ctx.clock.now())
            tx.add_job(young, submitted(young))
        report = archive(ctx, older_than_s=90 * DAY_S, folder=tmp_path / "archive")
        assert report.jobs == 1
        assert report.artefacts >= 1
        with ctx.store.read() as tx:
            assert tx.artefact(old.spec.pubs[0].program) is None
            program = tx.artefact(young.spec.pubs[0].program)
            assert program is not None
            assert program.facts is not None
            assert tx.artefact(program.facts["compiled"]) is not None
    again = _run_one(tmp_path)
    with Workspace(tmp_path) as ws:
        assert ws.job(again).record["programs"]


def test_a_blob_that_nothing_names_is_deleted(tmp_path: Path) -> None:
    with Workspace(tmp_path) as ws:
        job = ws.target("sim.auto").sweep(
            _parametrised(), parameters=[[0.001 * number] for number in range(20_000)], shots=1
        )
        job.result()
    blobs = [path for path in (tmp_path / "blobs").glob("??/*") if path.is_file()]
    assert blobs
    for blob in blobs:
        os.utime(blob, (1.0, 1.0))
    with _later(tmp_path) as ctx:
        report = archive(ctx, older_than_s=90 * DAY_S, folder=tmp_path / "archive")
    assert report.blobs == len(blobs)
    assert not any(blob.exists() for blob in blobs)


def _parametrised() -> QuantumCircuit:
    from qiskit.circuit import Parameter

    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("a"), 0)
    circuit.measure_all()
    return circuit


def test_sessions_go_after_their_jobs(tmp_path: Path) -> None:
    with Workspace(tmp_path) as ws:
        with ws.target("sim.auto").open_session(name="loop") as session:
            ws.target("sim.auto").submit(_bell(), shots=10).result()
        session_id = session.id
    with _later(tmp_path) as ctx:
        report = archive(ctx, older_than_s=90 * DAY_S, folder=tmp_path / "archive")
        assert (report.jobs, report.sessions) == (1, 1)
        record = archived_record(ctx, "default", session_id)
        assert (record["archived"], record["name"]) == ("session", "loop")
        assert record["events"]
    with Workspace(tmp_path) as ws, pytest.raises(NotFoundError, match="archived on"):
        ws.session(session_id)


def test_what_is_young_or_has_not_ended_stays(tmp_path: Path) -> None:
    job_id = _run_one(tmp_path)
    with _later(tmp_path, days=80) as ctx:
        with ctx.store.write() as tx:
            job = tx.job(job_id)
            assert job is not None
            waiting = dataclasses.replace(
                job, id="job_waiting", status=JobStatus.WAITING, ended_at=None, created_at=0.0, owner=None
            )
            tx.add_job(waiting, submitted(waiting))
        assert archive(ctx, older_than_s=90 * DAY_S, folder=tmp_path / "archive").jobs == 0
        assert not (tmp_path / "archive").exists()
        with pytest.raises(LimitError):
            archive(ctx, older_than_s=3_600.0, folder=tmp_path / "archive")
        with ctx.store.read() as tx:
            assert tx.job("job_waiting") == waiting


def test_a_job_whose_record_cannot_be_read_stays(tmp_path: Path) -> None:
    job_id = _run_one(tmp_path)
    with _later(tmp_path) as ctx:
        with ctx.store.write() as tx:
            job = tx.job(job_id)
            assert job is not None
            tx.forget_artefacts([job.spec.pubs[0].program])
        report = archive(ctx, older_than_s=90 * DAY_S, folder=tmp_path / "archive")
        assert (report.jobs, report.left) == (0, 1)
        with ctx.store.read() as tx:
            assert tx.job(job_id) is not None


def test_a_job_that_changed_meanwhile_stays(tmp_path: Path) -> None:
    job_id = _run_one(tmp_path)
    with _later(tmp_path) as ctx, ctx.store.write() as tx:
        job = tx.job(job_id)
        assert job is not None
        went = Archived(id=job_id, workspace="default", kind="job", archived_at=0.0, file="")
        assert not tx.forget_job(dataclasses.replace(job, version=job.version + 1), went)
        assert not tx.forget_job(dataclasses.replace(job, status=JobStatus.WAITING), went)
        assert tx.archived(job_id, workspace="default") is None


def test_a_folder_that_cannot_be_written_loses_nothing(tmp_path: Path) -> None:
    job_id = _run_one(tmp_path)
    (tmp_path / "archive").write_text("in the way")
    with _later(tmp_path) as ctx:
        with pytest.raises(StoreError) as caught:
            archive(ctx, older_than_s=90 * DAY_S, folder=tmp_path / "archive")
        assert caught.value.code == "archive-unwritable"
        with ctx.store.read() as tx:
            assert tx.job(job_id) is not None


def test_the_log_goes_on_counting(tmp_path: Path) -> None:
    _run_one(tmp_path)
    with _later(tmp_path) as ctx:
        with ctx.store.read() as tx:
            last = tx.last_seq()
        archive(ctx, older_than_s=90 * DAY_S, folder=tmp_path / "archive")
        with ctx.store.read() as tx:
            assert tx.last_seq() == last


_ARCHIVE_LATER = """
import sys, time
from pathlib import Path
from antiphon.adapters.clocks import ManualClock
from antiphon.composition import build_engine
from antiphon.engine import archive
archive.BATCH = 20
home = Path(sys.argv[1])
running = build_engine(home, clock=ManualClock(time.time() + 100 * 86_400), workers=0, dispatch=False)
print("ready", flush=True)
archive.archive(running.ctx, older_than_s=90 * 86_400, folder=home / "archive")
print("done", flush=True)
"""


def test_whenever_it_is_killed_every_job_is_in_the_tables_or_in_a_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    pattern = _run_one(home)
    with _later(home) as ctx:
        ids = {pattern, *_copies(ctx, pattern, 400)}
    moments = random.Random(7)
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", _ARCHIVE_LATER, str(home)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
        process.wait()
        with _later(home) as ctx, ctx.store.read() as tx:
            stored = {job.id for job in tx.find_jobs(JobQuery("default", limit=1_000))}
            filed = set(_all_lines(home / "archive"))
            assert stored | filed == ids
            for job_id in ids - stored:
                gone = tx.archived(job_id, workspace="default")
                assert gone is not None
                assert job_id in {line["id"] for line in lines_of(Path(gone.file))}
    with _later(home) as ctx:
        archive(ctx, older_than_s=90 * DAY_S, folder=home / "archive")
        assert set(_all_lines(home / "archive")) == ids
        with ctx.store.read() as tx:
            assert sum(tx.count_jobs().values()) == 0


def test_the_command(tmp_path: Path) -> None:
    job_id = _run_one(tmp_path)
    _age(tmp_path, job_id)
    counted = antiphon(tmp_path, "archive", "--older-than", "90d", "--dry-run", "--json").data
    assert (counted["jobs"], counted["files"]) == (1, [])
    assert antiphon(tmp_path, "archive", "--older-than", "1h").code != 0
    assert antiphon(tmp_path, "archive").code != 0
    moved = antiphon(tmp_path, "archive", "--older-than", "90d", "--json").data
    assert moved["jobs"] == 1
    assert Path(moved["files"][0]).is_relative_to(tmp_path / "archive")
    shown = antiphon(tmp_path, "jobs", "show", job_id)
    assert shown.code != 0
    assert "archived on" in shown.err
    assert antiphon(tmp_path, "archive", "--show", job_id, "--json").data["id"] == job_id
    assert "nobody names" in antiphon(tmp_path, "archive", "--older-than", "90d").out


def _age(home: Path, job_id: str) -> None:
    """Make a job a year old."""
    with _later(home, 0) as ctx, ctx.store.write() as tx:
        job: Job | None = tx.job(job_id)
        assert job is not None
        went = Archived(id=job_id, workspace="default", kind="job", archived_at=0.0, file="")
        result = tx.result(job_id)
        assert result is not None
        tx.forget_job(job, went)
        old = dataclasses.replace(job, created_at=job.created_at - 365 * DAY_S, ended_at=job.created_at - 365 * DAY_S)
        tx.add_job(old, submitted(old))
        tx.add_result(result)
