"""Confidence intervals over HTTP: asked for by their level, and the same as the client makes."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from antiphon import Workspace
from antiphon.server.api.resources import ResultView
from programs import BELL
from served import Served

NOISE = {"depolarizing_2q": 0.02, "readout_p01": 0.02, "readout_p10": 0.05}


def post(api: httpx2.Client, **body: Any) -> str:
    asked = {"target": "sim.auto", "program": BELL, "shots": 2_000, "seed": 11, **body}
    answer = api.post("/v1/jobs", json=asked, headers={"Prefer": "wait=30"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "Succeeded"
    return str(answer.json()["id"])


def outcomes(api: httpx2.Client, job: str, level: float | None) -> list[dict[str, Any]]:
    answer = api.get(f"/v1/jobs/{job}/result", params={} if level is None else {"level": level})
    ResultView.model_validate(answer.json())
    found: list[dict[str, Any]] = answer.json()["outcomes"]
    return found


@pytest.fixture
def remote(server: Served) -> Workspace:
    return Workspace(server.url, api_key=server.key())


@pytest.mark.parametrize("options", [{}, {"noise": NOISE, "mitigation": {"readout": True}}], ids=["plain", "mitigated"])
def test_values(api: httpx2.Client, remote: Workspace, options: dict[str, Any]) -> None:
    job = post(api, observables={"ZZ": 1.0, "XX": 0.5}, options=options)
    assert "interval" not in outcomes(api, job, None)[0]
    (found,) = outcomes(api, job, 0.9)
    assert found["interval"]["level"] == 0.9
    low, high = remote.job(job).result().interval(0.9)
    assert (found["interval"]["low"], found["interval"]["high"]) == ([low], [high])
    assert low < found["values"][0] <= high


def test_counts(api: httpx2.Client, remote: Workspace) -> None:
    job = post(api, options={"noise": NOISE, "mitigation": {"readout": True}})
    (found,) = outcomes(api, job, 0.95)
    ends = remote.job(job).result().interval()
    assert found["interval"]["probabilities"] == [{key: list(pair) for key, pair in ends.items()}]
    assert ends["11"][0] < found["details"]["mitigation"]["probabilities"][0]["11"] < ends["11"][1]


@pytest.mark.parametrize("level", ["0", "1", "95", "much"])
def test_a_level_is_a_probability(api: httpx2.Client, level: str) -> None:
    answer = api.get(f"/v1/jobs/{post(api)}/result", params={"level": level})
    assert answer.status_code == 422
    assert "level" in answer.text
