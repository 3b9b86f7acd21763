"""Results given again: only to who asks, only where they would be the same, and labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from antiphon.domain.identity import Role
from antiphon.server.api.resources import JobView, ResultView
from programs import BELL
from served import Served, served

NOISE = {"noise": {"depolarizing_2q": 0.1}}
SEEDED = {"target": "sim.auto", "program": BELL, "shots": 100, "seed": 11}


def post(api: httpx2.Client, **body: Any) -> dict[str, Any]:
    answer = api.post("/v1/jobs", json={**SEEDED, **body}, headers={"Prefer": "wait=30"})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    JobView.model_validate(job)
    assert job["status"] == "Succeeded"
    return job


def test_a_seeded_result_is_given_again(api: httpx2.Client) -> None:
    first = post(api, name="first")
    again = post(api, name="again", cache="allow")
    assert again["id"] != first["id"]
    assert again["cached"]["job"] == first["id"]
    assert again["cached"]["age_s"] >= 0
    assert (again["name"], again["executor"], again["provenance"]["engine"]) == (
        "again",
        "inline",
        first["provenance"]["engine"],
    )
    assert first["cached"] is None
    result = api.get(again["links"]["result"]).json()
    ResultView.model_validate(result)
    assert result["outcomes"] == api.get(first["links"]["result"]).json()["outcomes"]
    assert result["cached"] == again["cached"]
    log = api.get(again["links"]["events"]).json()
    assert [line["event"] for line in log] == ["submitted", "claimed", "succeeded"]
    assert first["id"] in log[1]["why"]
    # A third names the job that ran, not the one that did not.
    assert post(api, cache="allow")["cached"]["job"] == first["id"]


def test_nobody_gets_what_was_not_asked_for(api: httpx2.Client) -> None:
    post(api, seed=12)
    assert post(api, seed=12)["cached"] is None
    assert post(api, seed=12, cache="never")["cached"] is None


@pytest.mark.parametrize(
    "change",
    [{"seed": 14}, {"shots": 101}, {"program": BELL + "x q[0];\n"}, {"target": "sim.mps"}, {"observables": "ZZ"}],
    ids=str,
)
def test_other_work_has_its_own_result(api: httpx2.Client, change: dict[str, Any]) -> None:
    post(api, seed=13)
    if "target" in change and change["target"] not in {
        each["name"] for each in api.get("/v1/targets").json()["targets"]
    }:
        pytest.skip("there is no such target")
    assert post(api, **{"seed": 13, **change, "cache": "allow"})["cached"] is None


def test_a_sample_is_given_again_only_when_asked_for(api: httpx2.Client) -> None:
    noisy = post(api, seed=15, options=NOISE)
    assert post(api, seed=15, options=NOISE, cache="allow")["cached"] is None
    assert post(api, seed=15, options=NOISE, cache=3600)["cached"] is None
    # The newest of the three that ran.
    assert post(api, seed=15, options=NOISE, cache="any")["cached"]["job"] > noisy["id"]
    unseeded = post(api, seed=None, shots=77)
    assert post(api, seed=None, shots=77, cache="allow")["cached"] is None
    again = post(api, seed=None, shots=77, cache="any")
    assert again["cached"] is not None
    source = api.get(f"/v1/jobs/{again['cached']['job']}").json()
    # The seeds are those of the result, so that a replay gives it.
    assert (again["seed"], again["pubs"]) == (source["seed"], source["pubs"])
    replayed = api.post(again["links"]["replay"]).json()
    assert replayed["cached"] is None
    assert api.get(replayed["links"]["comparison"]).json()["agreement"]["test"] == "identical"
    assert unseeded["id"] != again["id"]


def test_exact_values_need_no_seed(api: httpx2.Client) -> None:
    body = {"seed": None, "shots": None, "observables": {"ZZ": 0.125}}
    first = post(api, **body)
    assert post(api, **body, cache="allow")["cached"]["job"] == first["id"]


def test_an_old_result_is_old(api: httpx2.Client) -> None:
    post(api, seed=16)
    assert post(api, seed=16, cache=0)["cached"] is None
    assert post(api, seed=16, cache=3600)["cached"] is not None


def test_another_workspace_has_its_own_results(server: Served, api: httpx2.Client) -> None:
    post(api, seed=17)
    with server.client(workspace="elsewhere") as other:
        assert post(other, seed=17, cache="allow")["cached"] is None


def test_a_batch_always_runs(api: httpx2.Client) -> None:
    body = {"program": None, "programs": [BELL, BELL], "seed": 18}
    post(api, **body)
    assert post(api, **body, cache="any")["cached"] is None


def test_a_session_counts_what_was_given_again(api: httpx2.Client) -> None:
    post(api, seed=19)
    session = api.post("/v1/sessions", json={"target": "sim.auto"}).json()
    assert post(api, seed=19, cache="allow", session_id=session["id"])["cached"] is not None
    shown = api.get(session["links"]["self"]).json()
    assert (shown["jobs"], shown["pending"], shown["failed"]) == (1, 0, 0)


def test_what_did_not_run_counts_for_nothing(tmp_path: Path) -> None:
    with served(tmp_path, inline_seconds=0.1) as own, own.client(Role.ADMIN) as client:
        for dimension, limit in (("shots", 150), ("target-seconds", 50), ("jobs-in-flight", 1)):
            made = client.post("/v1/quotas", json={"dimension": dimension, "limit": limit})
            assert made.status_code == 201, made.text
        post(client)
        standing = {each["dimension"]: each for each in client.get("/v1/quotas").json()["quotas"]}
        assert standing["shots"]["used"] == 100
        used = client.get("/v1/usage").json()["total"]
        again = post(client, cache="allow")
        assert again["cached"] is not None
        after = {each["dimension"]: each for each in client.get("/v1/quotas").json()["quotas"]}
        assert [(after[name]["used"], after[name]["held"]) for name in after] == [
            (standing[name]["used"], 0) for name in after
        ]
        total = client.get("/v1/usage").json()["total"]
        assert (total["jobs"], total["shots"], total["seconds"]) == (used["jobs"] + 1, used["shots"], used["seconds"])
        refused = client.post("/v1/jobs", json=SEEDED)
        assert (refused.status_code, refused.json()["code"]) == (403, "quota-exceeded")
