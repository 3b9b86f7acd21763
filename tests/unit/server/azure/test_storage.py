from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from antiphon.adapters.blobs.files import FileBlobStore
from antiphon.adapters.store.azure_blobs import AzureBlobTransaction
from antiphon.composition import build_engine
from antiphon.server.azure.refusals import StorageRefusal
from antiphon.server.azure.room import COUNTED_EVERY_S, WorkspaceRoom
from antiphon.server.azure.storage import BLOBS_OF_FULL_SIZE, MOST_BLOBS, WRITTEN_OF_FULL_SIZE, BlobStorage

LIMIT = 100


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[BlobStorage]:
    engine = build_engine(tmp_path, dispatch=False)
    found = BlobStorage(engine.ctx, LIMIT)
    found.ensure_container("ours", "abc")
    yield found
    engine.close()


def put(storage: BlobStorage, name: str, data: bytes, *, overwrite: bool = True) -> None:
    storage.put("abc", name, data, content_type="x", overwrite=overwrite)


def test_a_container_has_one_owner(storage: BlobStorage) -> None:
    storage.ensure_container("ours", "abc")
    with pytest.raises(StorageRefusal) as caught:
        storage.ensure_container("theirs", "abc")
    assert caught.value.status == 403
    assert storage.belongs_to("ours", "abc")
    assert not storage.belongs_to("theirs", "abc")
    assert not storage.belongs_to("ours", "other")


def test_a_blob_has_a_largest_size(storage: BlobStorage) -> None:
    put(storage, "a", b"x" * LIMIT)
    with pytest.raises(StorageRefusal) as caught:
        put(storage, "a", b"x" * (LIMIT + 1))
    assert (caught.value.status, caught.value.code) == (413, "RequestBodyTooLarge")


def test_the_blocks_of_a_blob_have_it_together(storage: BlobStorage) -> None:
    storage.stage_block("abc", "a", "1", b"x" * 60)
    storage.stage_block("abc", "a", "1", b"y" * 60)
    with pytest.raises(StorageRefusal) as caught:
        storage.stage_block("abc", "a", "2", b"x" * 60)
    assert caught.value.status == 413
    with pytest.raises(StorageRefusal) as caught:
        storage.commit_blocks("abc", "a", ["1", "1"], content_type="", content_encoding="", overwrite=True)
    assert caught.value.status == 413
    storage.commit_blocks("abc", "a", ["1"], content_type="", content_encoding="", overwrite=True)
    found = storage.find("abc", "a")
    assert found is not None
    assert storage.read(found) == b"y" * 60
    with pytest.raises(StorageRefusal) as caught:
        storage.commit_blocks("abc", "a", ["1"], content_type="", content_encoding="", overwrite=True)
    assert caught.value.code == "InvalidBlockList"


def test_a_container_can_be_full_of_bytes(storage: BlobStorage) -> None:
    for number in range(BLOBS_OF_FULL_SIZE):
        put(storage, str(number), b"x" * LIMIT)
    with pytest.raises(StorageRefusal) as caught:
        put(storage, "more", b"x")
    assert caught.value.code == "AccountLimitExceeded"
    put(storage, "0", b"y" * LIMIT)


def test_a_container_can_be_full_of_blobs(storage: BlobStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_BLOBS >= 100
    monkeypatch.setattr("antiphon.server.azure.storage.MOST_BLOBS", 3)
    for number in range(3):
        put(storage, str(number), b"")
    with pytest.raises(StorageRefusal):
        put(storage, "more", b"")


def test_a_container_goes_with_all_its_bytes(storage: BlobStorage, tmp_path: Path) -> None:
    put(storage, "a", b"data")
    storage.stage_block("abc", "b", "1", b"block")
    assert any(path.name == "abc" for path in tmp_path.rglob("abc"))
    storage.remove_container("abc")
    storage.remove_container("abc")
    assert storage.find("abc", "a") is None
    assert not any(tmp_path.rglob("abc"))
    with pytest.raises(StorageRefusal) as caught:
        put(storage, "a", b"data")
    assert caught.value.code == "ContainerNotFound"


def test_what_is_replaced_or_refused_counts_as_long_as_it_lies_on_the_disk(
    storage: BlobStorage, tmp_path: Path
) -> None:
    for number in range(WRITTEN_OF_FULL_SIZE):
        with contextlib.suppress(StorageRefusal):
            put(storage, "a", bytes([number]) * LIMIT, overwrite=number % 2 == 0)
    assert len(storage.blobs("abc")) == 1
    with pytest.raises(StorageRefusal) as caught:
        put(storage, "a", b"x" * LIMIT)
    assert caught.value.code == "AccountLimitExceeded"
    with pytest.raises(StorageRefusal) as caught:
        storage.stage_block("abc", "b", "1", b"x" * LIMIT)
    assert caught.value.code == "AccountLimitExceeded"
    kept = [file.stat().st_size for file in (tmp_path / "blobs" / "parts" / "abc").rglob("*") if file.is_file()]
    assert sum(kept) <= WRITTEN_OF_FULL_SIZE * LIMIT


def test_blocks_of_ever_more_blobs_count_together(storage: BlobStorage) -> None:
    with pytest.raises(StorageRefusal) as caught:
        for number in range(WRITTEN_OF_FULL_SIZE + 1):
            storage.stage_block("abc", f"b{number}", "1", bytes([number]) * LIMIT)
    assert caught.value.code == "AccountLimitExceeded"


def test_a_full_container_takes_results_all_the_same(storage: BlobStorage) -> None:
    for number in range(MOST_BLOBS):
        put(storage, f"b{number}", b"")
    with pytest.raises(StorageRefusal):
        put(storage, "one-more", b"")
    put(storage, "rawOutputData", b"x" * LIMIT)


def test_what_is_put_while_its_container_goes_is_refused_or_whole(
    storage: BlobStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = FileBlobStore.drop_part

    def again() -> None:
        with contextlib.suppress(StorageRefusal):
            storage.ensure_container("ours", "abc")
            put(storage, "again", b"new")

    other = threading.Thread(target=again)

    def dropping(blobs: FileBlobStore, name: str) -> None:
        other.start()
        other.join(0.2)
        drop(blobs, name)

    monkeypatch.setattr(FileBlobStore, "drop_part", dropping)
    storage.remove_container("abc")
    other.join(10)
    found = storage.find("abc", "again")
    assert found is None or storage.read(found) == b"new"


def test_a_container_whose_job_comes_while_others_are_collected_stays(
    storage: BlobStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = AzureBlobTransaction.empty_containers
    looks: list[bool] = []

    def looking(tx: AzureBlobTransaction, before: float, limit: int) -> Sequence[str]:
        found = original(tx, before, limit)
        looks.append(tx._runner.writable)
        return found if len(looks) == 1 else []  # as though an item named it by now

    monkeypatch.setattr(AzureBlobTransaction, "empty_containers", looking)
    storage.collect(2e12)
    assert looks == [False, True]
    assert storage.has_container("abc")


def test_a_workspace_has_a_largest_size_over_all_its_containers(storage: BlobStorage) -> None:
    small = BlobStorage(storage._ctx, LIMIT, max_workspace_bytes=150)
    small.ensure_container("ours", "def")
    small.ensure_container("theirs", "ghi")
    put(small, "a", b"x" * 90)
    with pytest.raises(StorageRefusal) as caught:
        small.put("def", "b", b"x" * 61, content_type="x", overwrite=True)
    assert (caught.value.status, caught.value.code) == (409, "AccountLimitExceeded")
    with pytest.raises(StorageRefusal):
        small.stage_block("def", "b", "1", b"x" * 61)
    small.put("def", "b", b"x" * 60, content_type="x", overwrite=True)
    small.put("ghi", "b", b"x" * 100, content_type="x", overwrite=True)
    small.put("abc", "rawOutputData", b"x" * 100, content_type="x", overwrite=True)


def test_room_is_there_again_once_containers_are_gone(storage: BlobStorage) -> None:
    put(storage, "a", b"x" * 90)
    passed = [0.0]
    room = WorkspaceRoom(storage._ctx, 100, now=lambda: passed[0])
    room.take("ours", 10)
    with pytest.raises(StorageRefusal):
        room.take("ours", 1)
    storage.remove_container("abc")
    with pytest.raises(StorageRefusal):
        room.take("ours", 1)
    passed[0] = COUNTED_EVERY_S
    room.take("ours", 100)
