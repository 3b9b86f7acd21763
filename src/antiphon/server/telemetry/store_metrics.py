"""Gauges that are read from the store when Prometheus asks: the same on every server of one database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from antiphon.domain.policies.holds import holds_now
from antiphon.domain.queues import Priority, Rank
from antiphon.domain.quotas import Quota, QuotaUse
from antiphon.engine.access.quotas import read_standing
from antiphon.engine.access.tenants import DEFAULT
from antiphon.engine.context import EngineContext
from antiphon.engine.queues.status import COUNTED
from antiphon.errors import AntiphonError
from antiphon.ports.job_store import Transaction

READ_EVERY_S = 1.0
"""Scrapes within so long get the same figures, however many there are."""

AVAILABLE = "Available"
_RANKS = {
    Rank.SESSION_HIGH: (Priority.HIGH.value, "true"),
    Rank.SESSION: (Priority.STANDARD.value, "true"),
    Rank.HIGH: (Priority.HIGH.value, "false"),
    Rank.STANDARD: (Priority.STANDARD.value, "false"),
}

log = logging.getLogger("antiphon.server")


@dataclass(frozen=True, slots=True)
class _Figures:
    depths: dict[str, tuple[int, int]] = field(default_factory=dict)
    ages: dict[str, float] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)
    heartbeats: dict[str, float] = field(default_factory=dict)
    quotas: dict[tuple[str, ...], float] = field(default_factory=dict)
    waiting: dict[tuple[str, ...], float] = field(default_factory=dict)
    held: dict[str, float] = field(default_factory=dict)


class StoreMetrics(Collector):
    """Queues, sessions, targets, quotas and heartbeats of all workspaces.

    `collect` blocks while the store is read. Without the store, `antiphon_store_up` is 0 and the rest is left out:
    an old figure would look like a good one.

    Args:
        by_workspace: Tell each workspace's quotas; otherwise the fullest of each dimension.
    """

    def __init__(self, ctx: EngineContext, *, by_workspace: bool = False) -> None:
        self._ctx = ctx
        self._by_workspace = by_workspace
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._figures: _Figures | None = None

    def describe(self) -> Iterable[Metric]:
        """Names, without a look at the store."""
        return self._families(_Figures())

    def collect(self) -> Iterable[Metric]:
        """The figures as of now, or of up to READ_EVERY_S ago."""
        with self._lock:
            now = time.monotonic()
            if self._read_at is None or now - self._read_at >= READ_EVERY_S:
                self._figures = self._read()
                self._read_at = time.monotonic()
            return self._families(self._figures)

    def _read(self) -> _Figures | None:
        try:
            with self._ctx.store.read() as tx:
                now = self._ctx.clock.now()
                oldest = tx.oldest_waiting(list(self._ctx.drivers))
                return _Figures(
                    tx.queue_depths(),
                    {target: max(0.0, now - at) for target, at in oldest.items()},
                    tx.live_sessions(),
                    {engine.id: engine.heartbeat_at for engine in tx.engines()},
                    self._quotas(tx, now),
                    self._waiting(tx, now),
                    self._held(tx, now),
                )
        except AntiphonError as error:
            log.warning("The store cannot be read for metrics.", extra={"code": error.code})
            return None

    def _waiting(self, tx: Transaction, now: float) -> dict[tuple[str, ...], float]:
        """Waiting jobs by target, priority, and whether a session has them; each counted up to `COUNTED`."""
        found: dict[tuple[str, ...], float] = {}
        for target in tx.targets_waited_for():
            for rank, _, jobs, _ in tx.work_ahead(target, Rank.STANDARD, "", "", now, COUNTED):
                labels = (target, *_RANKS[rank])
                found[labels] = found.get(labels, 0.0) + jobs
        return found

    def _held(self, tx: Transaction, now: float) -> dict[str, float]:
        states = {state.target: state for state in tx.queue_states()}
        return {
            name: float(name in states and states[name].held_by is not None and holds_now(states[name], now))
            for name in self._ctx.drivers
        }

    def _quotas(self, tx: Transaction, now: float) -> dict[tuple[str, ...], float]:
        found: dict[tuple[str, ...], float] = {}
        for workspace in sorted({DEFAULT, *(tenant.name for tenant in tx.tenants())}):
            for quota in tx.quotas(workspace):
                whose = (workspace,) if self._by_workspace else ()
                labels = (quota.dimension.value, quota.target or "", *whose)
                ratio = _ratio(quota, read_standing(tx, quota, now).use)
                found[labels] = max(ratio, found.get(labels, 0.0))
        return found

    def _families(self, figures: _Figures | None) -> list[Metric]:
        up = GaugeMetricFamily("antiphon_store_up", "1 while the database answers.")
        up.add_metric([], 0 if figures is None else 1)
        if figures is None:
            return [up]
        drivers = self._ctx.drivers
        depths = {name: figures.depths.get(name, (0, 0)) for name in drivers}
        whose = ["workspace"] if self._by_workspace else []
        which = "" if self._by_workspace else " by the workspace that has used most of it"
        return [
            up,
            _by_target(
                "antiphon_queue_depth", "Jobs that wait.", {name: waiting for name, (waiting, _) in depths.items()}
            ),
            _family(
                "antiphon_queue_waiting",
                f"Jobs that wait, by priority and whether a session has them; each counted up to {COUNTED:,}.",
                ["target", "priority", "in_session"],
                figures.waiting,
            ),
            _by_target("antiphon_queue_held", "1 while a session holds the target.", figures.held),
            _by_target("antiphon_jobs_running", "Jobs that run.", {name: run for name, (_, run) in depths.items()}),
            _by_target(
                "antiphon_queue_oldest_age_seconds",
                "Time since the oldest waiting job was submitted; 0 when none waits.",
                {name: figures.ages.get(name, 0.0) for name in drivers},
            ),
            _by_target(
                "antiphon_session_active",
                "Sessions that have not ended.",
                {name: figures.sessions.get(name, 0) for name in drivers},
            ),
            _by_target(
                "antiphon_target_up",
                "1 while the target takes jobs.",
                {name: float(driver.info.status == AVAILABLE) for name, driver in drivers.items()},
            ),
            _family(
                "antiphon_quota_used_ratio",
                f"Part of a quota that is used or held{which}.",
                ["dimension", "target", *whose],
                figures.quotas,
            ),
            _family(
                "antiphon_worker_last_heartbeat_timestamp_seconds",
                "When each engine last said that it lives.",
                ["worker"],
                {(worker,): at for worker, at in figures.heartbeats.items()},
            ),
        ]


def _ratio(quota: Quota, use: QuotaUse) -> float:
    return (use.used + use.held) / quota.limit if quota.limit > 0 else 1.0


def _by_target(name: str, text: str, values: dict[str, float] | dict[str, int]) -> GaugeMetricFamily:
    return _family(name, text, ["target"], {(target,): value for target, value in values.items()})


def _family(name: str, text: str, labels: list[str], values: dict[tuple[str, ...], float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for given, value in values.items():
        family.add_metric(list(given), value)
    return family
