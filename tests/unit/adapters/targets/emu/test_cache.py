import os
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon.adapters.targets.emu.cache import CompiledCache, Kept, cache_folder
from antiphon.domain.circuits import Circuit, Gate, Measure
from sim_work import circuit_of

CIRCUIT = circuit_of(2, 1, Gate("rz", (1,), (0.1 + 0.2,)), Measure(1, 0))
KEPT = Kept(CIRCUIT, (1, 0), (0, 1), 0.25, 3e-6, ((1, 2e-6),))
KEY = "ab" + "0" * 62


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_is_kept_comes_back_and_what_is_not_does_not(tmp_path: Path) -> None:
    cache = CompiledCache(tmp_path)
    assert cache.get(KEY) is None
    cache.put(KEY, KEPT)
    assert cache.get(KEY) == KEPT
    assert CompiledCache(tmp_path).get(KEY) == KEPT


def test_another_process_finds_it(tmp_path: Path) -> None:
    CompiledCache(tmp_path).put(KEY, KEPT)
    code = (
        "import sys; from pathlib import Path; from antiphon.adapters.targets.emu.cache import CompiledCache\n"
        "print(CompiledCache(Path(sys.argv[1])).get(sys.argv[2]))"
    )
    out = subprocess.run([sys.executable, "-c", code, str(tmp_path), KEY], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str(KEPT)


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body[: len(body) // 2],
        lambda body: body.replace(b'"duration":3e-06', b'"duration":4e-06'),
        lambda body: body[:0],
        lambda body: b"\xff" * len(body),
        lambda body: body.split(b"\n")[0] + b"\n",
    ],
    ids=["cut short", "changed", "empty", "noise", "no body"],
)
def test_a_damaged_file_is_a_miss_and_is_written_anew(tmp_path: Path, damage: object) -> None:
    CompiledCache(tmp_path).put(KEY, KEPT)
    (path,) = files_in(tmp_path)
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    cache = CompiledCache(tmp_path)
    assert cache.get(KEY) is None
    cache.put(KEY, KEPT)
    assert CompiledCache(tmp_path).get(KEY) == KEPT


def test_writers_leave_nothing_behind_and_nobody_else_may_look(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    CompiledCache(folder).put(KEY, KEPT)
    (path,) = files_in(folder)
    assert path.name == f"{KEY}.json"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_without_a_place_to_write_it_still_serves_this_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    cache = CompiledCache(tmp_path / "file")
    cache.put(KEY, KEPT)
    assert cache.get(KEY) == KEPT


def test_files_used_least_recently_go_when_there_are_too_many(tmp_path: Path) -> None:
    cache = CompiledCache(tmp_path)
    cache.put(KEY, KEPT)
    size = files_in(tmp_path)[0].stat().st_size
    keys = [f"{number:02x}" + "0" * 62 for number in range(6)]
    cache = CompiledCache(tmp_path, most_bytes=3 * size)
    for age, key in enumerate(keys):
        cache.put(key, KEPT)
        path = tmp_path / key[:2] / f"{key}.json"
        os.utime(path, (1e9 + age, 1e9 + age))
    cache.sweep()
    left = {path.stem for path in files_in(tmp_path)}
    assert len(left) == 3
    assert {keys[4], keys[5]} <= left


def test_the_folder_moves_with_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here" / "compiled"
    cache = CompiledCache()
    cache.put(KEY, KEPT)
    assert len(files_in(tmp_path / "here")) == 1


def test_a_circuit_without_a_form_on_paper_is_kept_in_memory_alone(tmp_path: Path) -> None:
    odd = Kept(Circuit(1, (), (), ("nonsense",)), (0,), (0,), 0.0, 0.0, ())  # type: ignore[arg-type]
    cache = CompiledCache(tmp_path)
    cache.put(KEY, odd)
    assert cache.get(KEY) == odd
    assert files_in(tmp_path) == []
