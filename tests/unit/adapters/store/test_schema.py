from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from antiphon.adapters.store import open_store
from antiphon.adapters.store.columns import metadata
from antiphon.adapters.store.databases import database_at
from antiphon.adapters.store.schema import migrate
from antiphon.adapters.store.tables import SCHEMA_VERSIONS
from antiphon.domain.jobs import JobStatus
from antiphon.domain.queues import Rank
from antiphon.errors import StoreError
from antiphon.ports.job_store import JobQuery
from stored_facts import add_job

pytestmark = pytest.mark.usefixtures("migrated")

_OLDEST = Path(__file__).parent / "schema_0001.sql"


def _schema_of(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: " ".join(sql.split()).replace('"', "") for name, sql in rows if name != "antiphon_schema"}


@pytest.fixture
def old_store(tmp_path: Path) -> Path:
    path = tmp_path / "antiphon.db"
    connection = sqlite3.connect(path)
    connection.executescript(_OLDEST.read_text())
    connection.close()
    return path


def test_migrations_arrive_at_the_tables_the_code_uses(tmp_path: Path) -> None:
    open_store(tmp_path / "migrated.db").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'created.db'}")
    metadata.create_all(engine)
    engine.dispose()
    assert _schema_of(tmp_path / "migrated.db") == _schema_of(tmp_path / "created.db")


def test_every_migration_is_a_known_version() -> None:
    folder = Path(migrate.__code__.co_filename).parent / "migrations" / "versions"
    assert sorted(path.name[1:5] for path in folder.glob("v*.py")) == list(SCHEMA_VERSIONS)


def test_a_store_of_the_oldest_schema_is_migrated_with_all_it_holds(old_store: Path) -> None:
    store = open_store(old_store)
    with store.read() as tx:
        (session,) = [tx.session_by_key("default", "vqe")]
        assert session is not None
        first = tx.job_by_key("default", "first")
        assert first is not None
        jobs = tx.find_jobs(JobQuery("default", oldest_first=True))
        assert [job.status for job in jobs] == [JobStatus.WAITING, JobStatus.WAITING, JobStatus.SUCCEEDED]
        # One of them in a session, one outside: each is in its class of the queue.
        assert tx.first_waiting("sim.auto", Rank.SESSION, "default", jobs[1].created_by) is not None
        assert tx.first_waiting("sim.auto", Rank.STANDARD, "default", jobs[0].created_by) is not None
        assert tx.pending_jobs(session.id) == [jobs[1]]
        result = tx.result(jobs[2].id)
        assert result is not None
        assert result.body == '[{"values":[-1.137]}]'
        assert len(tx.items(first.id)) == 2
        assert [line.event for line in tx.events(jobs[2].id)] == ["submitted", "claimed", "succeeded"]
    add_job(store, id="job-new")
    with store.read() as tx:
        counts = tx.count_jobs("default")
        assert (counts[JobStatus.WAITING], counts[JobStatus.SUCCEEDED]) == (3, 1)
        assert tx.has_waiting("sim.auto", Rank.SESSION, "default")
    store.close()
    assert "rank" in _schema_of(old_store)["jobs_waiting"]


def test_a_copy_is_put_beside_the_file_before_it_is_migrated(old_store: Path) -> None:
    open_store(old_store).close()
    copy = old_store.with_name("antiphon.db.schema-0001")
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT version_num FROM antiphon_schema").fetchall() == [("0001",)]
    assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (3,)
    connection.close()
    copy.unlink()
    open_store(old_store).close()
    assert not copy.exists()


def test_a_migration_that_fails_leaves_the_old_store(old_store: Path) -> None:
    connection = sqlite3.connect(old_store)
    connection.execute("CREATE TABLE jobs_pending (in_the_way)")
    connection.close()
    before = _schema_of(old_store)
    with pytest.raises(StoreError):
        open_store(old_store)
    assert _schema_of(old_store) == before


def test_a_newer_store_is_refused_and_says_who_made_it(tmp_path: Path) -> None:
    path = tmp_path / "antiphon.db"
    open_store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE antiphon_schema SET version_num = '9999'")
    connection.execute("INSERT INTO schema_history VALUES ('9999', '7.3.1', '2030-01-01T00:00:00Z')")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert caught.value.code == "store-newer"
    assert "Antiphon 7.3.1" in caught.value.message
    assert "9999" in caught.value.cause
    assert "antiphon>=7.3.1" in caught.value.next_step


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "music.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (name)")
    connection.close()
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert caught.value.code == "store-foreign"
    assert list(_schema_of(path)) == ["songs"]


def test_the_file_keeps_a_write_ahead_log(tmp_path: Path) -> None:
    open_store(tmp_path / "antiphon.db").close()
    connection = sqlite3.connect(tmp_path / "antiphon.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    job = add_job(store)
    store.close()
    assert (tmp_path / "antiphon.db").is_file()
    store = open_store(f"sqlite:///{tmp_path / 'antiphon.db'}")
    with store.read() as tx:
        assert tx.job(job.id) == job
    store.close()
    assert database_at(tmp_path).url == store.url
