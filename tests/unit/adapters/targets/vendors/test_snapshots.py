from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.targets.vendors import snapshots
from antiphon.adapters.targets.vendors.snapshots import Snapshots
from antiphon.errors import ExecutionError
from antiphon.ports.provider import TransientProviderError


def told(taken_at: float, error: float = 0.01) -> dict[str, Any]:
    return {
        "target": "x.y",
        "taken_at": taken_at,
        "qubits": [[1e-4, None, 0.01, 0.02]],
        "gates": {"x": {"0": [error, 1e-8]}},
        "measure_s": 1e-6,
        "reset_s": 1e-6,
        "feedforward_s": 1e-6,
    }


class Vendor:
    def __init__(self, *answers: Mapping[str, Any] | Exception | None) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self) -> Mapping[str, Any] | None:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "FRESH_S", -1.0)


def test_a_vendor_is_not_asked_again_soon(tmp_path: Path) -> None:
    vendor = Vendor(told(5.0))
    found = Snapshots(tmp_path / "x.jsonl", vendor)
    assert [each.taken_at for each in found.all()] == [each.taken_at for each in found.all()] == [5.0]
    assert vendor.asked == 1


@pytest.mark.usefixtures("impatient")
def test_what_was_told_before_is_kept_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.jsonl"
    found = Snapshots(path, Vendor(told(9.0), told(5.0), told(5.0)))
    for _ in range(3):
        kept = found.all()
    assert [each.taken_at for each in kept] == [5.0, 9.0]
    again = Snapshots(path, Vendor(TransientProviderError("away")))
    assert list(again.all()) == list(kept)


@pytest.mark.usefixtures("impatient")
def test_the_oldest_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MOST", 2)
    found = Snapshots(tmp_path / "x.jsonl", Vendor(*(told(at) for at in (1.0, 2.0, 3.0))))
    for _ in range(3):
        kept = found.all()
    assert [each.taken_at for each in kept] == [2.0, 3.0]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (TransientProviderError("away"), "away"),
        (None, "publishes no calibration"),
        (NotImplementedError("no"), "publishes no calibration"),
        ({"qubits": 3}, "no calibration"),
    ],
)
def test_where_nothing_is_known_it_says_why(tmp_path: Path, answer: Any, says: str) -> None:
    with pytest.raises(ExecutionError, match=says):
        Snapshots(tmp_path / "x.jsonl", Vendor(answer)).all()


def test_a_file_that_is_spoilt_or_cannot_be_written_costs_only_what_was_in_it(tmp_path: Path) -> None:
    spoilt = tmp_path / "x.jsonl"
    spoilt.write_text("not json\n")
    assert len(Snapshots(spoilt, Vendor(told(1.0))).all()) == 1
    nowhere = tmp_path / "file" / "x.jsonl"
    nowhere.parent.write_text("a file, not a folder")
    assert len(Snapshots(nowhere, Vendor(told(1.0))).all()) == 1
