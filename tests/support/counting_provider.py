"""The other side of `counting_service`: an adapter as somebody else would write it, and the plugin that brings it."""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2

from antiphon.adapters.targets.sim import build_drivers
from antiphon.domain.results import Execution, outcome_from_json
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import Plan, Work
from antiphon.errors import ExecutionError
from antiphon.ports.provider import (
    AnswerLostError,
    ProviderJob,
    ProviderJobState,
    RefusedByProviderError,
    TargetPlugin,
    TransientProviderError,
)
from antiphon.ports.target_driver import TargetDriver

TARGET = "counting.sim"
NEVER_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class CountingDriver:
    """Plans as the simulator does; what runs, runs elsewhere."""

    def __init__(self, slots: int | None) -> None:
        self._sim: TargetDriver = build_drivers()["sim.auto"]
        self._info = replace(
            self._sim.info,
            name=TARGET,
            provider="counting",
            kind="qpu",
            slots=slots,
            description="Counts what it runs.",
        )

    @property
    def info(self) -> TargetInfo:
        return self._info

    def plan(self, work: Work) -> Plan:
        return self._sim.plan(work)

    def execute(self, work: Work, plan: Plan) -> Execution:  # noqa: ARG002 - the port's signature
        raise AssertionError("a job of a provider ran in this process")


class CountingProvider:
    """Implements `ports.provider.Provider` over HTTP."""

    def __init__(self, url: str, mode: str, *, timeout: float = 5.0, poll: float = 0.1, settle: float = 1.5) -> None:
        self._mode, self._poll, self._settle = mode, poll, settle
        self._client = httpx2.Client(base_url=url, timeout=timeout, trust_env=False)

    @property
    def poll_seconds(self) -> float:
        return self._poll

    @property
    def settle_seconds(self) -> float:
        return self._settle

    def send(self, key: str, work: Work, plan: Plan) -> ProviderJob:  # noqa: ARG002 - the port's signature
        try:
            answer = self._client.post("/jobs", json=write_work(key, work))
        except NEVER_LEFT as error:
            raise TransientProviderError("The provider cannot be reached.", cause=str(error)) from None
        except httpx2.TransportError as error:
            raise AnswerLostError("The connection broke.", cause=type(error).__name__) from None
        if answer.status_code in (429, 503):
            raise _busy(answer)
        if answer.status_code >= 500:
            raise AnswerLostError("The provider failed while it took the job.", cause=answer.text)
        if answer.status_code >= 400:
            raise RefusedByProviderError("The provider refused the job.", cause=answer.text)
        return read_job(answer.json())

    def find(self, key: str, since: float) -> ProviderJob | None:
        if self._mode == "neither":
            raise NotImplementedError
        asked = {"key": key} if self._mode == "key" else {"since": str(since)}
        asked["question"] = uuid.uuid4().hex
        answer = self._ask("GET", "/jobs", params=asked).json()
        if answer.get("asked") != asked:
            # An older listing would say that the job is not there.
            raise TransientProviderError("The answer was to another question.")
        found = [job for job in answer["jobs"] if job["key"] == key]
        return read_job(found[0]) if found else None

    def look(self, provider_id: str) -> ProviderJob:
        return read_job(self._ask("GET", f"/jobs/{provider_id}").json())

    def fetch(self, provider_id: str, work: Work, plan: Plan) -> Execution:  # noqa: ARG002 - the port's signature
        raise RefusedByProviderError("Its looks tell the outcomes, and this job has none.")

    def cancel(self, provider_id: str) -> None:
        self._ask("POST", f"/jobs/{provider_id}/cancel")

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        try:
            answer = self._client.request(method, path, **options)
        except httpx2.TransportError as error:
            raise TransientProviderError("The provider did not answer.", cause=type(error).__name__) from None
        if answer.status_code == 404:
            raise RefusedByProviderError("The provider has no such job.")
        if answer.status_code >= 400:
            raise _busy(answer)
        return answer


def _busy(answer: httpx2.Response) -> TransientProviderError:
    after = answer.headers.get("Retry-After")
    details = {"status": answer.status_code} | ({"retry_after_s": float(after)} if after else {})
    return TransientProviderError("The provider is busy.", cause=answer.text, details=details)


def write_work(key: str, work: Work) -> dict[str, Any]:
    """A work as the service reads it: programs as they were submitted."""
    return {
        "key": key,
        "kind": work.kind.value,
        "options": dict(work.options),
        "pubs": [
            {
                "format": pub.program.format.value,
                "source": base64.b64encode(pub.program.source).decode(),
                "name": pub.program.name,
                "entry_point": pub.program.entry_point,
                "names": list(pub.parameters.names),
                "shape": list(pub.parameters.shape),
                "data": base64.b64encode(pub.parameters.data).decode(),
                "shots": pub.shots,
                "seed": pub.seed,
            }
            for pub in work.pubs
        ],
    }


def read_job(body: Mapping[str, Any]) -> ProviderJob:
    """A job as the service tells it."""
    execution, error = None, None
    if "result" in body:
        outcomes = tuple(outcome_from_json(outcome) for outcome in body["result"]["outcomes"])
        execution = Execution(outcomes, body["result"]["provenance"])
    if "error" in body:
        error = ExecutionError(body["error"]["message"], code="counting-failed")
    return ProviderJob(
        id=body["id"],
        key=body["key"],
        state=ProviderJobState(body["state"]),
        execution=execution,
        error=error,
        cost=({"dimension": "task", "amount": 1, "total": body["cost"]},) if "cost" in body else (),
        seconds=body.get("seconds"),
    )


def targets() -> TargetPlugin:
    """The entry point: the service is where COUNTING_PROVIDER says, as "URL MODE SLOTS"."""
    url, mode, slots = os.environ["COUNTING_PROVIDER"].split()
    return plugin(url, mode, int(slots) or None, settle=4.0)


def plugin(url: str, mode: str, slots: int | None = 16, **times: float) -> TargetPlugin:
    """The target and its provider."""
    return TargetPlugin({TARGET: CountingDriver(slots)}, {TARGET: CountingProvider(url, mode, **times)})
