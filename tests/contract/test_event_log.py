"""Following the log on PostgreSQL, where a line with a smaller `seq` may become visible last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from antiphon.adapters.store import open_store
from antiphon.adapters.store.store import SqlJobStore
from antiphon.server.events.log import LogReader, News
from real_postgres import RealPostgres
from stored_facts import add_job, make_job, submitted


@pytest.fixture
def store(postgres_server: RealPostgres) -> Iterator[SqlJobStore]:
    store = open_store(postgres_server.database())
    yield store
    store.close()


def test_the_line_of_a_transaction_that_commits_late_is_told(store: SqlJobStore) -> None:
    add_job(store)
    reader = LogReader(store, now=lambda: 0.0)
    assert reader.look() == News(jumped=True)
    early = make_job()
    with store.write() as tx:
        tx.add_job(early, submitted(early))
        late = add_job(store)
        assert reader.look(with_workspaces=True).subjects == ((late.id, "default"),)
    assert reader.look(with_workspaces=True).subjects == ((early.id, "default"),)
    assert reader.look() == News()


def test_a_line_that_was_on_its_way_before_the_first_look_is_told(store: SqlJobStore) -> None:
    reader = LogReader(store, now=lambda: 0.0)
    early = make_job()
    with store.write() as tx:
        tx.add_job(early, submitted(early))
        add_job(store)
        assert reader.look() == News(jumped=True)
    assert reader.look().subjects == ((early.id, None),)


def test_a_line_that_was_rolled_back_is_waited_for_and_forgotten(store: SqlJobStore) -> None:
    reader = LogReader(store, now=lambda: 0.0)
    never = make_job()
    with pytest.raises(RuntimeError), store.write() as tx:
        tx.add_job(never, submitted(never))
        raise RuntimeError
    job = add_job(store)
    reader.look()
    assert reader.look() == News()
    later = add_job(store)
    assert reader.look().subjects == ((later.id, None),)
    assert job.id != later.id
