"""Queues, estimates and money on an engine of this process; whoever can write its folder runs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.domain.jobs import Job, as_told
from antiphon.domain.policies.advice import Advice
from antiphon.domain.policies.estimates import Estimate
from antiphon.domain.policies.explain import Explanation
from antiphon.domain.queues import Reservation
from antiphon.domain.resources import TargetResources
from antiphon.engine.advise import advise
from antiphon.engine.context import EngineContext
from antiphon.engine.estimates import estimate_before, estimate_now
from antiphon.engine.explain import explain
from antiphon.engine.prices import prices_of, set_prices
from antiphon.engine.providers.doubt import resolve_in_doubt
from antiphon.engine.queues.overview import QueueOverview, overview
from antiphon.engine.queues.policies import set_queue_policy
from antiphon.engine.queues.reservations import cancel_reservation, list_reservations, reserve
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.resources import target_resources
from antiphon.ports.queue_store import StoredPriceList


class EmbeddedQueues:
    """Implements `QueueConnection` on an engine of this process."""

    _ctx: EngineContext
    workspace: str
    who: str

    def queue(self, target: str) -> QueueOverview:
        """See `engine.queues.overview`."""
        return overview(self._ctx, target, workspace=self.workspace, everything=True)

    def set_queue(self, target: str, changes: Mapping[str, Any]) -> QueueOverview:
        """See `engine.queues.policies`."""
        set_queue_policy(self._ctx, target=target, by=self.who, **changes)
        return self.queue(target)

    def prices(self, target: str) -> StoredPriceList | None:
        """See `engine.prices`."""
        return prices_of(self._ctx, target)

    def set_prices(self, target: str, prices: Mapping[str, Any]) -> StoredPriceList:
        """See `engine.prices`."""
        return set_prices(self._ctx, target=target, prices=prices, by=self.who)

    def resources(self, request: SubmitRequest) -> TargetResources:
        """See `engine.resources`."""
        return target_resources(self._ctx, request)

    def quote(self, request: SubmitRequest) -> Estimate:
        """See `engine.estimates`."""
        return estimate_before(self._ctx, request)

    def expected(self, job_id: str) -> Estimate:
        """See `engine.estimates`."""
        return estimate_now(self._ctx, self.workspace, job_id)

    def advise(self, request: SubmitRequest, jobs: int, classical_s: float) -> Advice:
        """See `engine.advise`."""
        return advise(
            self._ctx,
            workspace=self.workspace,
            target=request.target,
            request=request,
            jobs=jobs,
            classical_s=classical_s,
        )

    def explain(self, job_id: str) -> Explanation:
        """See `engine.explain`."""
        return explain(self._ctx, workspace=self.workspace, job_id=job_id)

    def resolve(self, job_id: str, *, arrived: bool, provider_id: str | None) -> Job:
        """See `engine.providers.doubt`."""
        resolved = resolve_in_doubt(
            self._ctx, workspace=self.workspace, job_id=job_id, arrived=arrived, provider_id=provider_id, by=self.who
        )
        return as_told(resolved)

    def reservations(self, target: str | None) -> list[Reservation]:
        """See `engine.queues.reservations`."""
        return list_reservations(self._ctx, target)

    def reserve(self, target: str, workspace: str | None, starts_at: float, ends_at: float, note: str) -> Reservation:
        """See `engine.queues.reservations`."""
        return reserve(
            self._ctx,
            target=target,
            workspace=self.workspace if workspace is None else workspace,
            starts_at=starts_at,
            ends_at=ends_at,
            note=note,
            by=self.who,
        )

    def cancel_reservation(self, reservation_id: str) -> Reservation:
        """See `engine.queues.reservations`."""
        return cancel_reservation(self._ctx, reservation_id, by=self.who)
