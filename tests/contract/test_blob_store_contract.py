from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from antiphon.adapters.blobs.files import FileBlobStore
from antiphon.errors import StoreError
from antiphon.ports.blob_store import BlobStore


@pytest.fixture(params=[FileBlobStore])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    store: BlobStore = request.param(tmp_path / "blobs")
    return store


def _file_of(folder: Path, digest: str) -> Path:
    name = digest.removeprefix("sha256:")
    return folder / name[:2] / name[2:]


def _all_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 4_096])
def test_what_is_put_comes_back_under_its_hash(blobs: BlobStore, data: bytes) -> None:
    digest = blobs.put(data)
    assert digest == "sha256:" + hashlib.sha256(data).hexdigest()
    assert blobs.get(digest) == data


def test_putting_twice_is_the_same_as_once(blobs: BlobStore, tmp_path: Path) -> None:
    assert blobs.put(b"same") == blobs.put(b"same")
    assert len(_all_files(tmp_path / "blobs")) == 1


def test_an_unknown_digest_is_missing(blobs: BlobStore) -> None:
    with pytest.raises(StoreError) as caught:
        blobs.get("sha256:" + "0" * 64)
    assert caught.value.code == "blob-missing"


@pytest.mark.parametrize("digest", ["", "sha256:", "sha256:../../../../etc/passwd", "md5:" + "0" * 64, "0" * 64])
def test_what_is_no_digest_never_reaches_the_file_system(blobs: BlobStore, digest: str) -> None:
    with pytest.raises(StoreError) as caught:
        blobs.get(digest)
    assert caught.value.code == "blob-missing"


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (3, 4), (0, 5), (9, 20), (20, 30), (4, 4), (5, 3)])
def test_a_range_is_a_slice_of_the_whole(blobs: BlobStore, start: int, stop: int) -> None:
    digest = blobs.put(b"0123456789")
    assert blobs.get_range(digest, start, stop) == b"0123456789"[start:stop]


def test_a_range_of_an_unknown_digest_is_missing(blobs: BlobStore) -> None:
    with pytest.raises(StoreError) as caught:
        blobs.get_range("sha256:" + "0" * 64, 0, 1)
    assert caught.value.code == "blob-missing"


def test_a_part_is_a_store_of_its_own_that_can_be_dropped_whole(blobs: BlobStore, tmp_path: Path) -> None:
    digest = blobs.put(b"shared")
    for name in ("one", "two"):
        assert blobs.part(name).put(b"shared") == digest
    only_in_one = blobs.part("one").put(b"only in one")
    with pytest.raises(StoreError):
        blobs.get(only_in_one)

    blobs.drop_part("one")
    blobs.drop_part("one")
    with pytest.raises(StoreError):
        blobs.part("one").get(digest)
    assert blobs.part("two").get(digest) == blobs.get(digest) == b"shared"
    assert len(_all_files(tmp_path / "blobs")) == 2


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\0", "a.b"])
def test_what_names_no_part_never_reaches_the_file_system(blobs: BlobStore, name: str) -> None:
    with pytest.raises(ValueError, match="part"):
        blobs.part(name)
    with pytest.raises(ValueError, match="part"):
        blobs.drop_part(name)


def test_a_damaged_blob_is_noticed_and_repaired_by_putting_it_again(blobs: BlobStore, tmp_path: Path) -> None:
    digest = blobs.put(b"precious")
    _file_of(tmp_path / "blobs", digest).write_bytes(b"precioux")
    with pytest.raises(StoreError) as caught:
        blobs.get(digest)
    assert caught.value.code == "blob-corrupt"
    blobs.put(b"precious")
    assert blobs.get(digest) == b"precious"


def test_threads_may_put_the_same_and_different_bytes(blobs: BlobStore) -> None:
    values = [bytes([index % 5]) * 10_000 for index in range(40)]
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(blobs.put, values))
    assert len(set(digests)) == 5
    assert [blobs.get(digest) for digest in digests] == values


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    blobs = FileBlobStore(tmp_path / "blobs")
    # A file size limit is the full disk that any user can have; Python ignores its signal and sees the error.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(StoreError) as caught:
            blobs.put(b"y" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert caught.value.code == "store-full"
    assert _all_files(tmp_path / "blobs") == []


def test_a_folder_that_cannot_be_made_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError):
        FileBlobStore(tmp_path / "file" / "blobs")


def test_leftovers_of_killed_writers_are_removed_after_a_day(tmp_path: Path) -> None:
    FileBlobStore(tmp_path)
    old, young = tmp_path / "unfinished" / "old", tmp_path / "unfinished" / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (0, 0))
    FileBlobStore(tmp_path)
    assert not old.exists()
    assert young.exists()


_PUT_FOR_EVER = """
import itertools, sys
from antiphon.adapters.blobs.files import FileBlobStore
blobs = FileBlobStore(sys.argv[1])
for index in itertools.count():
    blobs.put(str(index).encode() * 20_000)
"""


def test_a_killed_writer_leaves_only_whole_blobs(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", _PUT_FOR_EVER, str(tmp_path)])
    deadline = time.monotonic() + 30
    while len(_all_files(tmp_path)) < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    writer.kill()
    writer.wait()
    names = [path for path in _all_files(tmp_path) if path.parent.name != "unfinished"]
    assert len(names) >= 10
    blobs = FileBlobStore(tmp_path)
    for path in names:
        blobs.get(f"sha256:{path.parent.name}{path.name}")


def test_a_blob_is_deleted_unless_it_was_put_lately(blobs: BlobStore, tmp_path: Path) -> None:
    digest = blobs.put(b"old")
    assert not blobs.delete(digest, untouched_for=3_600.0)
    path = _file_of(tmp_path / "blobs", digest)
    os.utime(path, (1.0, 1.0))
    assert blobs.put(b"old") == digest
    assert not blobs.delete(digest, untouched_for=3_600.0)
    assert blobs.get(digest) == b"old"
    os.utime(path, (1.0, 1.0))
    assert blobs.delete(digest, untouched_for=3_600.0)
    assert not blobs.delete(digest, untouched_for=3_600.0)
    assert blobs.put(b"old") == digest
    assert blobs.get(digest) == b"old"
