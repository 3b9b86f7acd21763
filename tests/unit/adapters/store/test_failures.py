from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from antiphon.adapters.store import databases, open_store
from antiphon.adapters.store import store as store_module
from antiphon.adapters.store.failures import translate
from antiphon.errors import MissingExtraError, StoreError
from antiphon.ports.job_store import JobQuery, VersionConflictError
from stored_facts import add_job, make_job, submitted

pytestmark = pytest.mark.usefixtures("migrated")


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder whose parents anybody may enter, unlike those of `tmp_path`."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def _without_privileges() -> Iterator[None]:
    # To root every folder is writable; as nobody the test means the same on every machine.
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "antiphon.db"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert caught.value.code == "store-corrupt"
    assert str(path) in caught.value.message
    assert "backup" in caught.value.next_step


def test_a_database_with_damaged_pages(tmp_path: Path) -> None:
    path = tmp_path / "antiphon.db"
    store = open_store(path)
    for _ in range(200):
        add_job(store)
    store.close()
    content = bytearray(path.read_bytes())
    # The first page says where the tables are; the rest is rubble.
    content[4_096:] = os.urandom(len(content) - 4_096)
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        store = open_store(path)
        with store.read() as tx:
            tx.find_jobs(JobQuery("default", limit=1_000))
    assert caught.value.code == "store-corrupt"


def test_a_folder_that_may_not_be_written(public_folder: Path) -> None:
    # What opening imports on demand is imported before the privileges go.
    open_store(public_folder / "first.db").close()
    public_folder.chmod(0o555)
    with _without_privileges():
        for place in (public_folder / "new.db", public_folder / "deeper" / "new.db", public_folder / "first.db"):
            with pytest.raises(StoreError) as caught:
                store = open_store(place)
                add_job(store)
            assert caught.value.code == "store-permission"
            assert "ANTIPHON_HOME" in caught.value.next_step


def test_a_full_disk_stores_nothing_and_the_store_goes_on_after(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    limits: list[int] = []

    def limit_pages(connection: sqlite3.Connection, *_: object) -> None:
        if limits:
            connection.execute(f"PRAGMA max_page_count = {limits[0]}")

    event.listen(store._database.engine, "checkout", limit_pages)
    first = add_job(store)
    limits.append(1)
    job = make_job(name="x" * 1_000_000)
    with pytest.raises(StoreError) as caught, store.write() as tx:
        tx.add_job(job, submitted(job))
    assert caught.value.code == "store-full"
    limits[0] = 1_000_000
    with store.read() as tx:
        assert tx.job(job.id) is None
        assert tx.job(first.id) == first
    add_job(store)
    store.close()


def test_a_lock_that_is_held_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "LOCK_WAIT_S", 0.05)
    store = open_store(tmp_path)
    other = sqlite3.connect(tmp_path / "antiphon.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError) as caught, store.write():
        pass
    assert caught.value.code == "store-busy"
    other.execute("ROLLBACK")
    other.close()
    add_job(store)
    store.close()


def test_a_thread_that_holds_the_pen_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LOCK_WAIT_S", 0.05)
    store = open_store(tmp_path)
    codes: list[str] = []

    def write() -> None:
        try:
            add_job(store)
        except StoreError as error:
            codes.append(error.code)

    with store.write():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert codes == ["store-busy"]
    add_job(store)
    store.close()


def test_a_block_that_raises_gives_back_pen_and_connection(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for _ in range(50):
        with pytest.raises(ZeroDivisionError), store.write():
            1 / 0  # noqa: B018
    add_job(store)
    store.close()


@pytest.mark.parametrize("url", ["mysql://host/db", "sqlite://", "sqlite:///:memory:", "://"])
def test_addresses_that_are_no_store(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert caught.value.code == "store-url"


def test_a_password_is_never_told() -> None:
    with pytest.raises(StoreError) as caught:
        open_store("postgresql://ada:sesame@127.0.0.1:1/antiphon")
    assert caught.value.code == "store-unreachable"
    assert "sesame" not in str(caught.value)
    with pytest.raises(StoreError) as caught:
        open_store("mysql://ada:sesame@host/db")
    assert "sesame" not in str(caught.value)


def test_postgresql_without_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError) as caught:
        open_store("postgresql://host/db")
    assert "antiphon[postgres]" in caught.value.next_step


class _PostgresError(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("from the server")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "code"),
    [
        ("53100", "store-full"),
        ("42501", "store-permission"),
        ("28P01", "store-permission"),
        ("3D000", "store-unreachable"),
        ("08006", "store-unreachable"),
        ("57P01", "store-unreachable"),
        ("55P03", "store-busy"),
        ("XX001", "store-corrupt"),
        ("22021", "store-unusable"),
        (None, "store-unusable"),
    ],
)
def test_states_of_postgresql(sqlstate: str | None, code: str) -> None:
    assert translate(_PostgresError(sqlstate), "here").code == code


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
def test_being_overtaken_means_to_read_again(sqlstate: str) -> None:
    assert isinstance(translate(_PostgresError(sqlstate), "here"), VersionConflictError)
