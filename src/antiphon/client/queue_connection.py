"""The part of the protocol between the client's objects and an engine that is about queues, estimates and money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from antiphon.domain.jobs import Job
from antiphon.domain.policies.advice import Advice
from antiphon.domain.policies.estimates import Estimate
from antiphon.domain.policies.explain import Explanation
from antiphon.domain.queues import Reservation
from antiphon.domain.resources import TargetResources
from antiphon.engine.queues.overview import QueueOverview
from antiphon.engine.requests import SubmitRequest
from antiphon.ports.queue_store import StoredPriceList


class QueueConnection(Protocol):
    """Where queues stand and how they are run; what jobs will wait and cost."""

    def queue(self, target: str) -> QueueOverview: ...  # noqa: D102
    def set_queue(self, target: str, changes: Mapping[str, Any]) -> QueueOverview: ...  # noqa: D102
    def prices(self, target: str) -> StoredPriceList | None: ...  # noqa: D102
    def set_prices(self, target: str, prices: Mapping[str, Any]) -> StoredPriceList: ...  # noqa: D102
    def resources(self, request: SubmitRequest) -> TargetResources: ...  # noqa: D102
    def quote(self, request: SubmitRequest) -> Estimate: ...  # noqa: D102
    def expected(self, job_id: str) -> Estimate: ...  # noqa: D102
    def advise(self, request: SubmitRequest, jobs: int, classical_s: float) -> Advice: ...  # noqa: D102
    def explain(self, job_id: str) -> Explanation: ...  # noqa: D102
    def resolve(self, job_id: str, *, arrived: bool, provider_id: str | None) -> Job: ...  # noqa: D102
    def reservations(self, target: str | None) -> list[Reservation]: ...  # noqa: D102
    def reserve(  # noqa: D102
        self, target: str, workspace: str | None, starts_at: float, ends_at: float, note: str
    ) -> Reservation: ...
    def cancel_reservation(self, reservation_id: str) -> Reservation: ...  # noqa: D102
