"""What only PostgreSQL does: row locks that can cross, connections that a server ends, schemas it keeps itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from antiphon.adapters.store import open_store
from antiphon.adapters.store.databases import database_at
from antiphon.adapters.store.rows import job_row
from antiphon.adapters.store.schema import migrate
from antiphon.adapters.store.store import SqlJobStore
from antiphon.adapters.store.tables import SCHEMA_VERSIONS, jobs
from antiphon.domain.jobs import Job, JobStatus
from antiphon.errors import StoreError
from antiphon.ports.job_store import JobQuery, VersionConflictError
from real_postgres import RealPostgres
from stored_facts import add_job, claim, make_job, submitted


@pytest.fixture
def url(postgres_server: RealPostgres) -> str:
    return postgres_server.database()


@pytest.fixture
def store(url: str) -> Iterator[SqlJobStore]:
    store = open_store(url)
    yield store
    store.close()


def _end_other_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_of_two_transactions_that_wait_for_each_other_one_must_read_again(store: SqlJobStore) -> None:
    first, second = add_job(store), add_job(store)
    both_hold_one = threading.Barrier(2)
    conflicts: list[VersionConflictError] = []

    def lock(one: Job, other: Job) -> None:
        try:
            with store.write() as tx:
                tx.job(one.id)
                both_hold_one.wait(10)
                tx.job(other.id)
        except VersionConflictError as error:
            conflicts.append(error)

    threads = [threading.Thread(target=lock, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(conflicts) == 1
    assert "deadlock" in conflicts[0].cause


def test_a_server_that_ended_the_connections_is_found_again(store: SqlJobStore, url: str) -> None:
    job = add_job(store)
    with pytest.raises(StoreError) as caught, store.write() as tx:
        _end_other_connections(url)
        tx.job(job.id)
    assert caught.value.code == "store-unreachable"
    with store.read() as tx:
        assert tx.job(job.id) == job
    _end_other_connections(url)
    with pytest.raises(StoreError), store.read():
        pass
    add_job(store)


def test_an_older_schema_is_migrated(postgres_server: RealPostgres) -> None:
    url = postgres_server.empty_database()
    database = database_at(url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("BEGIN")
        migrate(connection, "0001")
    database.engine.dispose()
    job = make_job()
    # The columns that later revisions added are the last ones.
    names = jobs.columns.keys()
    row = dict(zip(names[: names.index("shots")], job_row(job), strict=False))
    with psycopg.connect(url) as connection:
        connection.execute(
            sql.SQL("INSERT INTO jobs ({}) VALUES ({})").format(
                sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(sql.Placeholder() * len(row))
            ),
            list(row.values()),
        )
    store = open_store(url)
    with store.read() as tx:
        assert tx.find_jobs(JobQuery("default", status=JobStatus.WAITING)) == [job]
        assert tx.count_jobs("default")[JobStatus.WAITING] == 1
    store.close()
    with psycopg.connect(url) as connection:
        definition = connection.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'jobs_waiting'").fetchone()
        history = connection.execute("SELECT revision FROM schema_history ORDER BY revision").fetchall()
    assert definition is not None
    assert "rank" in definition[0]
    assert history == [("0001",), (SCHEMA_VERSIONS[-1],)]


def test_a_newer_schema_is_refused(postgres_server: RealPostgres) -> None:
    url = postgres_server.empty_database()
    open_store(url).close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE antiphon_schema SET version_num = '9999'")
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert caught.value.code == "store-newer"


def test_tables_of_somebody_else_are_left_alone(postgres_server: RealPostgres) -> None:
    url = postgres_server.empty_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE music (name text)")
        open_store(url).close()
        connection.execute("DROP TABLE antiphon_schema")
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert caught.value.code == "store-foreign"


def test_the_queue_is_read_in_the_order_of_its_index(store: SqlJobStore, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        # Few rows are best read whole; the question is whether the index could hand them out.
        connection.execute("SET enable_seqscan = off")
        connection.execute("SET enable_sort = off")
        rows = connection.execute(
            "EXPLAIN SELECT * FROM jobs WHERE target = 'sim.auto' AND status = 'Waiting' "
            "ORDER BY rank, created_at, id LIMIT 10"
        ).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert "Index Scan using jobs_waiting_by_age" in plan
    assert "Sort" not in plan


def test_counters_of_connections_that_are_gone_are_folded(store: SqlJobStore, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as gone:
        for number in range(3):
            gone.execute(
                "INSERT INTO job_counts VALUES ('default', 'sim.auto', 'Succeeded', %s, %s)",
                (2**30 + number, number + 1),
            )
    job = add_job(store)
    with store.write() as tx:
        before = tx.count_jobs("default")
        tx.fold_counts()
        tx.fold_counts()
        assert tx.count_jobs("default") == before
        assert (before[JobStatus.SUCCEEDED], before[JobStatus.WAITING]) == (6, 1)
    with psycopg.connect(url, autocommit=True) as connection:
        shards = connection.execute("SELECT shard FROM job_counts WHERE status = 'Succeeded'").fetchall()
    assert shards == [(0,)]
    claim(store, job)


def test_counting_makes_nobody_wait(store: SqlJobStore, url: str) -> None:
    another = open_store(url)
    with store.write() as tx:
        first = make_job()
        tx.add_job(first, submitted(first))
        add_job(another)
        with another.read() as other:
            assert other.count_jobs("default")[JobStatus.WAITING] == 1
    with another.read() as other:
        assert other.count_jobs("default")[JobStatus.WAITING] == 2
    another.close()
