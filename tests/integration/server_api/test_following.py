"""Status, results, items, records, cancelling and replays."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import httpx2
import pytest

from antiphon.domain.identity import Role
from antiphon.server.api.resources import ItemList, JobView, ReplayView, ResultView, StatusView
from programs import BELL, ENDLESS
from served import Served


def post(api: httpx2.Client, **body: Any) -> dict[str, Any]:
    answer = api.post("/v1/jobs", json={"target": "sim.auto", "program": BELL, "shots": 100, "seed": 7, **body})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_waiting_job_tells_its_place(idle: httpx2.Client) -> None:
    first, second = post(idle), post(idle)
    answer = idle.get(second["links"]["status"])
    assert answer.status_code == 200
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Cache-Control"] == "no-store"
    status = answer.json()
    StatusView.model_validate(status)
    assert (status["status"], status["stage"], status["version"]) == ("Waiting", "queue", 1)
    assert status["queue_position"] == idle.get(first["links"]["status"]).json()["queue_position"] + 1
    assert 0 < status["estimate"]["execute_s"] < 1


def test_what_has_ended_leads_to_its_result(api: httpx2.Client) -> None:
    job = post(api)
    answer = api.get(job["links"]["status"])
    assert answer.status_code == 303
    assert answer.headers["Location"] == answer.json()["links"]["result"] == job["links"]["result"]
    StatusView.model_validate(answer.json())
    assert (answer.json()["stage"], answer.json()["queue_position"]) == ("done", None)


@pytest.mark.parametrize("how", ["query", "header"])
def test_a_long_poll_ends_with_the_job(idle: httpx2.Client, how: str) -> None:
    job = post(idle)
    answers: list[httpx2.Response] = []

    def wait() -> None:
        asked: dict[str, Any] = (
            {"params": {"wait": 55}} if how == "query" else {"headers": {"Prefer": "respond-async, wait=55"}}
        )
        # The client's own limit is below the wait: only an answer at the job's end comes in time.
        answers.append(idle.get(job["links"]["status"], timeout=25, **asked))

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert idle.post(job["links"]["cancel"]).status_code == 202
    waiting.join()
    assert (answers[0].status_code, answers[0].json()["status"]) == (303, "Cancelled")
    assert answers[0].headers.get("Preference-Applied") == (None if how == "query" else "wait=55")


def test_a_long_poll_that_ends_first_is_pending(idle: httpx2.Client) -> None:
    job = post(idle)
    answer = idle.get(job["links"]["status"], params={"wait": 0.1})
    assert (answer.status_code, answer.json()["status"]) == (200, "Waiting")
    # Bounded, and waiting for another version only: this one is another already.
    assert idle.get(job["links"]["status"], params={"wait": 1e300, "known_version": 0}).status_code == 200
    for wrong in ("-1", "nan", "inf", "soon"):
        assert idle.get(job["links"]["status"], params={"wait": wrong}).status_code == 422
    for ignored in ("wait=-5", "wait=x", ';;"', "wait", "wait=1.5"):
        answer = idle.get(job["links"]["status"], headers={"Prefer": ignored})
        assert answer.status_code == 200
        assert "Preference-Applied" not in answer.headers


def test_a_job_has_a_tag_of_its_version(idle: httpx2.Client) -> None:
    job = post(idle)
    first = idle.get(job["links"]["self"])
    assert (first.status_code, first.headers["ETag"]) == (200, 'W/"v1"')
    JobView.model_validate(first.json())
    for known in ('W/"v1"', '"v1"', '"other", W/"v1"', "*"):
        again = idle.get(job["links"]["self"], headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", 'W/"v1"')
    idle.post(job["links"]["cancel"])
    changed = idle.get(job["links"]["self"], headers={"If-None-Match": 'W/"v1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, 'W/"v2"')
    assert changed.json()["error"]["code"] == "job-cancelled"


def test_a_result_never_changes(api: httpx2.Client) -> None:
    job = post(api)
    answer = api.get(job["links"]["result"])
    assert answer.headers["Cache-Control"] == "private, immutable, max-age=31536000"
    tag = answer.headers["ETag"]
    assert tag == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    ResultView.model_validate(answer.json())
    assert sum(answer.json()["outcomes"][0]["counts"][0].values()) == 100
    again = api.get(job["links"]["result"], headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert api.get(job["links"]["result"]).content == answer.content


def test_a_job_without_a_result_says_why(idle: httpx2.Client) -> None:
    job = post(idle)
    early = idle.get(job["links"]["result"])
    assert (early.status_code, early.json()["code"]) == (409, "job-not-finished")
    assert early.headers["Retry-After"] == "1"
    assert early.headers["Content-Type"] == "application/problem+json"
    idle.post(job["links"]["cancel"])
    late = idle.get(job["links"]["result"])
    assert (late.status_code, late.json()["code"]) == (409, "job-cancelled")
    assert job["id"] in late.json()["title"]
    assert "Retry-After" not in late.headers


def test_a_job_that_failed_keeps_its_own_code(api: httpx2.Client) -> None:
    job = post(api, program=ENDLESS, max_seconds=0.2, execution="process")
    assert api.get(job["links"]["status"], params={"wait": 30}).status_code == 303
    shown = api.get(job["links"]["self"])
    assert (shown.status_code, shown.json()["status"]) == (200, "Failed")
    answer = api.get(job["links"]["result"])
    assert (answer.status_code, answer.json()["code"]) == (409, shown.json()["error"]["code"])


def test_cancelling_is_a_request(api: httpx2.Client) -> None:
    by_post, by_delete = (post(api, program=ENDLESS, execution="process") for _ in range(2))
    for answer in (api.post(by_post["links"]["cancel"]), api.delete(by_delete["links"]["status"])):
        assert answer.status_code == 202
        assert answer.headers["Location"].endswith("/status")
        JobView.model_validate(answer.json())
        if answer.json()["status"] == "CancellationRequested":
            assert answer.json()["warnings"]
    for job in (by_post, by_delete):
        ended = api.get(job["links"]["status"], params={"wait": 30})
        assert (ended.status_code, ended.json()["status"]) == (303, "Cancelled")
    done = post(api)
    assert api.post(done["links"]["cancel"]).json()["status"] == "Succeeded"


def test_only_an_operator_cancels_what_others_submitted(idle_server: Served, idle: httpx2.Client) -> None:
    job = post(idle)
    with idle_server.client(name="bob") as bob:
        assert bob.get(job["links"]["self"]).status_code == 200
        for refused in (bob.post(job["links"]["cancel"]), bob.delete(job["links"]["status"])):
            assert (refused.status_code, refused.json()["code"]) == (403, "not-permitted")
    assert idle.get(job["links"]["self"]).json()["status"] == "Waiting"
    with idle_server.client(Role.OPERATOR, name="olga") as olga:
        assert olga.post(job["links"]["cancel"]).json()["status"] == "Cancelled"


def test_a_batch_shows_what_has_come_so_far(api: httpx2.Client, idle: httpx2.Client) -> None:
    job = post(api, program=None, programs=[BELL, BELL])
    answer = api.get(job["links"]["items"])
    ItemList.model_validate(answer.json())
    assert [item["status"] for item in answer.json()["items"]] == ["Succeeded", "Succeeded"]
    assert api.get(job["links"]["result"], params={"partial": True}).json() == answer.json()
    assert api.get(job["links"]["items"], headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    waiting = post(idle, program=None, programs=[BELL, BELL])
    partial = idle.get(waiting["links"]["result"], params={"partial": True})
    assert partial.status_code == 200
    assert [item["outcome"] for item in partial.json()["items"]] == [None, None]
    assert idle.get(waiting["links"]["result"]).status_code == 409
    assert api.get(f"/v1/jobs/{post(api)['id']}/items").json()["items"] == []


def test_a_record_holds_all_that_is_needed(api: httpx2.Client) -> None:
    job = post(api)
    answer = api.get(job["links"]["record"])
    record = answer.json()
    assert (record["schema"], record["id"], record["seed"]) == ("antiphon-record/1", job["id"], 7)
    assert record["programs"][job["pubs"][0]["program"]]["source"] == BELL
    assert record["result"] == job["result"]["outcomes"]
    assert api.get(job["links"]["record"], headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_replay_agrees(api: httpx2.Client) -> None:
    original = post(api)
    answer = api.post(original["links"]["replay"])
    assert answer.status_code == 202
    new = answer.json()
    assert new["id"] != original["id"]
    assert new["metadata"] == {"replay_of": original["id"]}
    verdict = api.get(new["links"]["comparison"])
    assert verdict.status_code == 200
    ReplayView.model_validate(verdict.json())
    assert verdict.json()["agreement"]["agrees"] is True
    assert verdict.json()["agreement"]["test"] == "identical"
    assert (verdict.json()["job"]["id"], verdict.json()["original"]["id"]) == (new["id"], original["id"])


def test_what_has_no_result_is_not_replayed_or_compared(idle: httpx2.Client, api: httpx2.Client) -> None:
    waiting = post(idle)
    assert idle.post(waiting["links"]["replay"]).json()["code"] == "job-not-finished"
    idle.post(waiting["links"]["cancel"])
    assert idle.post(waiting["links"]["replay"]).json()["code"] == "job-cancelled"
    one, other = post(api), post(api)
    assert api.get(f"{one['links']['self']}/replays/{other['id']}").status_code == 404
