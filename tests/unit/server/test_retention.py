from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from qiskit import QuantumCircuit

from antiphon import Workspace
from antiphon.adapters.clocks import ManualClock
from antiphon.engine.archive_files import lines_of
from antiphon.server.build import build_services
from antiphon.server.retention import DAY_S, tidy
from antiphon.server.services import Services
from antiphon.server.settings import ServerSettings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    with Workspace(tmp_path / "home") as ws:
        ws.target("sim.auto").submit(circuit, shots=10).result()
    return tmp_path / "home"


def _services(home: Path, **settings: object) -> Iterator[Services]:
    given = ServerSettings(home=home, workers=0, **settings)  # type: ignore[arg-type]
    services = build_services(given, clock=ManualClock(time.time() + 100 * DAY_S))
    yield services
    services.running.close()
    services.threads.shutdown()


@pytest.mark.parametrize(("days", "left"), [(None, 1), (200, 1), (30, 0)])
def test_what_is_older_than_the_setting_says_is_archived(
    home: Path, tmp_path: Path, days: int | None, left: int
) -> None:
    for services in _services(home, retention_days=days, archive_dir=tmp_path / "elsewhere"):
        tidy(services)
        with services.engine.store.read() as tx:
            assert sum(tx.count_jobs().values()) == left
    lines = [line for file in tmp_path.glob("elsewhere/*/*.jsonl.gz") for line in lines_of(file)]
    assert len(lines) == 1 - left


def test_the_archive_is_in_the_data_folder_unless_it_is_said(home: Path) -> None:
    for services in _services(home, retention_days=30):
        tidy(services)
    assert list(home.glob("archive/*/*.jsonl.gz"))
