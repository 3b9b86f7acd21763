"""Queues, estimates and money of an engine behind HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from antiphon.client.connection import TargetView
from antiphon.client.remote.http import HttpSession
from antiphon.client.remote.pages import is_id
from antiphon.client.wire.explanations import explanation_from_json
from antiphon.client.wire.facts import badge_from_json, job_from_json
from antiphon.client.wire.queues import (
    advice_from_json,
    prices_from_json,
    queue_from_json,
    reservation_from_json,
)
from antiphon.client.wire.requests import submit_to_json
from antiphon.client.wire.times import to_iso
from antiphon.domain.badges import Badge
from antiphon.domain.jobs import Job
from antiphon.domain.policies.advice import Advice
from antiphon.domain.policies.estimates import Estimate
from antiphon.domain.policies.explain import Explanation
from antiphon.domain.queues import Reservation
from antiphon.domain.resources import TargetResources
from antiphon.engine.cancel import job_not_found
from antiphon.engine.queues.overview import QueueOverview
from antiphon.engine.queues.reservations import reservation_not_found
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.validate import check_request
from antiphon.ports.queue_store import StoredPriceList


class RemoteQueues:
    """Implements `QueueConnection` on a server, which says who may decide."""

    _http: HttpSession
    _views: dict[str, TargetView]

    def give_badge(self, badge: Badge) -> Badge:
        """See `engine.badges`; who and when are the server's to say."""
        body = badge.to_json()
        sent = {name: body[name] for name in ("version", "antiphon", "passed", "not_applicable", "failed")}
        return self._http.send("PUT", _target(badge.target, "badge"), badge_from_json, sent)

    def queue(self, target: str) -> QueueOverview:
        """See `engine.queues.overview`."""
        return self._http.get(_target(target, "queue"), queue_from_json)

    def set_queue(self, target: str, changes: Mapping[str, Any]) -> QueueOverview:
        """See `engine.queues.policies`."""
        return self._http.send("PATCH", _target(target, "queue"), queue_from_json, dict(changes), {"If-Match": "*"})

    def prices(self, target: str) -> StoredPriceList | None:
        """See `engine.prices`."""
        return self._http.get(_target(target, "prices"), prices_from_json)

    def set_prices(self, target: str, prices: Mapping[str, Any]) -> StoredPriceList:
        """See `engine.prices`."""

        def read(body: Mapping[str, Any]) -> StoredPriceList:
            return prices_from_json(body) or _no_prices()

        # Each is a version of its own.
        return self._http.send("PUT", _target(target, "prices"), read, dict(prices), once=True)

    def resources(self, request: SubmitRequest) -> TargetResources:
        """See `engine.resources`."""
        self._check(request)
        return self._http.post(_target(request.target, "resources"), TargetResources.from_json, submit_to_json(request))

    def quote(self, request: SubmitRequest) -> Estimate:
        """See `engine.estimates`."""
        self._check(request)
        return self._http.post(_target(request.target, "quotes"), Estimate.from_json, submit_to_json(request))

    def expected(self, job_id: str) -> Estimate:
        """See `engine.estimates`."""
        return self._http.get(_job(job_id, "expected"), Estimate.from_json)

    def advise(self, request: SubmitRequest, jobs: int, classical_s: float) -> Advice:
        """See `engine.advise`."""
        self._check(request)
        body = {**submit_to_json(request), "jobs": jobs, "classical_s": classical_s}
        return self._http.post(_target(request.target, "advice"), advice_from_json, body)

    def explain(self, job_id: str) -> Explanation:
        """See `engine.explain`."""
        return self._http.get(_job(job_id, "explanation"), explanation_from_json)

    def resolve(self, job_id: str, *, arrived: bool, provider_id: str | None) -> Job:
        """See `engine.providers.doubt`."""
        body = {"arrived": arrived, "provider_id": provider_id}
        return self._http.post(_job(job_id, "resolve"), job_from_json, body, once=True)

    def reservations(self, target: str | None) -> list[Reservation]:
        """See `engine.queues.reservations`."""
        return self._http.get(
            "/v1/reservations",
            lambda body: [reservation_from_json(each) for each in body["reservations"]],
            {"target": target},
        )

    def reserve(self, target: str, workspace: str | None, starts_at: float, ends_at: float, note: str) -> Reservation:
        """See `engine.queues.reservations`."""
        body = {
            "target": target,
            "workspace": workspace,
            "starts_at": to_iso(starts_at),
            "ends_at": to_iso(ends_at),
            "note": note,
        }
        return self._http.post("/v1/reservations", reservation_from_json, body, once=True)

    def cancel_reservation(self, reservation_id: str) -> Reservation:
        """See `engine.queues.reservations`."""
        if not is_id(reservation_id):
            raise reservation_not_found(reservation_id)
        return self._http.send("DELETE", f"/v1/reservations/{reservation_id}", reservation_from_json)

    def _check(self, request: SubmitRequest) -> None:
        """Refuse here what no server would take, in the words of an engine in this process."""
        view = self._views.get(request.target)
        if view is not None:
            check_request(request, view.info)


def _target(name: str, part: str) -> str:
    return f"/v1/targets/{quote(name, safe='')}/{part}"


def _job(job_id: str, part: str) -> str:
    if not is_id(job_id):
        raise job_not_found(job_id)
    return f"/v1/jobs/{job_id}/{part}"


def _no_prices() -> StoredPriceList:
    raise ValueError("a price list that was stored is not there")
