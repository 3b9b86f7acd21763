"""Queues, reservations, prices and advice as the native API shows them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.client.wire.times import from_iso, to_iso
from antiphon.domain.policies.advice import Advice, Option, Way
from antiphon.domain.policies.bills import Bill, BillLine
from antiphon.domain.policies.estimates import Coverage, Held, Quantiles
from antiphon.domain.queues import Access, Priority, QueuePolicy, Rank, Reservation
from antiphon.engine.queues.overview import ClassWaiting, Hold, QueueOverview
from antiphon.engine.queues.status import ShareOf
from antiphon.ports.queue_store import StoredPriceList

POLICY = ("slots", "access", "gap_s", "window_s", "patience_s", "aged_every", "quantum_s")
"""What an operator decides of a queue."""


def policy_to_json(policy: QueuePolicy) -> dict[str, Any]:
    """How a queue is run; the name of who decided is empty where it is not the asker's to know."""
    return {
        "slots": policy.slots,
        "access": policy.access.value,
        "gap_s": policy.gap_s,
        "window_s": policy.window_s,
        "patience_s": policy.patience_s,
        "aged_every": policy.aged_every,
        "quantum_s": policy.quantum_s,
        "version": policy.version,
        "updated_at": to_iso(policy.updated_at) if policy.version else None,
        "updated_by": policy.updated_by,
    }


def queue_to_json(view: QueueOverview) -> dict[str, Any]:
    """A queue as its resource."""
    hold, booked, following = view.hold, view.reservation, view.next_reservation
    return {
        "target": view.policy.target,
        "policy": policy_to_json(view.policy),
        "running": view.running,
        "waiting": [
            {"class": class_word(each.rank), "jobs": each.jobs, "planned_s": each.planned_s} for each in view.waiting
        ],
        "hold": None
        if hold is None
        else {
            "session": hold.session,
            "workspace": hold.workspace,
            "since": to_iso(hold.since),
            "until": to_iso(hold.until),
        },
        "reservation": None if booked is None else reservation_to_json(booked),
        "next_reservation": None if following is None else reservation_to_json(following),
        "expected_wait": {priority.value: found.to_json() for priority, found in view.waits.items()},
        "coverage": view.coverage.to_json(),
        "shares": [
            {
                "workspace": each.workspace,
                "user": each.user,
                "used_s": each.used_s,
                "weight": each.weight,
                "fraction": each.fraction,
            }
            for each in view.shares
        ],
    }


def queue_from_json(data: Mapping[str, Any]) -> QueueOverview:
    """The inverse of `queue_to_json`."""
    policy, hold, coverage = dict(data["policy"]), data["hold"], data["coverage"]
    booked, following = data["reservation"], data["next_reservation"]
    return QueueOverview(
        policy=QueuePolicy(
            target=data["target"],
            **{name: policy[name] for name in POLICY if name != "access"},
            access=Access(policy["access"]),
            version=policy["version"],
            updated_at=from_iso(policy["updated_at"]) or 0.0,
            updated_by=policy["updated_by"],
        ),
        running=data["running"],
        waiting=tuple(ClassWaiting(_RANKS[each["class"]], each["jobs"], each["planned_s"]) for each in data["waiting"]),
        hold=None
        if hold is None
        else Hold(hold["session"], hold["workspace"], from_iso(hold["since"]), from_iso(hold["until"])),
        reservation=None if booked is None else reservation_from_json(booked),
        next_reservation=None if following is None else reservation_from_json(following),
        waits={Priority(name): Quantiles.from_json(found) for name, found in data["expected_wait"].items()},
        coverage=Coverage(
            target=coverage["target"],
            priority=coverage["priority"],
            **{name: _held(coverage[name]) for name in ("wait", "run", "cost")},
        ),
        shares=tuple(ShareOf(**each) for each in data["shares"]),
    )


def class_word(rank: Rank) -> str:
    """A class of a queue as it is called on the wire: session-high, session, high or standard."""
    return rank.name.lower().replace("_", "-")


_RANKS = {class_word(rank): rank for rank in Rank}


def _held(data: Mapping[str, Any]) -> Held:
    return Held(data["jobs"], data["p50"], data["p80"], data["p95"])


def reservation_to_json(booked: Reservation) -> dict[str, Any]:
    """A reservation as its resource; of another workspace's the id and the names are null."""
    return {
        "id": booked.id or None,
        "target": booked.target,
        "workspace": booked.workspace or None,
        "starts_at": to_iso(booked.starts_at),
        "ends_at": to_iso(booked.ends_at),
        "note": booked.note,
        "created_by": booked.created_by or None,
        "created_at": to_iso(booked.created_at),
        "cancelled_at": to_iso(booked.cancelled_at),
    }


def reservation_from_json(data: Mapping[str, Any]) -> Reservation:
    """The inverse of `reservation_to_json`."""
    return Reservation(
        id=data["id"] or "",
        target=data["target"],
        workspace=data["workspace"] or "",
        starts_at=from_iso(data["starts_at"]) or 0.0,
        ends_at=from_iso(data["ends_at"]) or 0.0,
        created_by=data["created_by"] or "",
        created_at=from_iso(data["created_at"]) or 0.0,
        note=data["note"],
        cancelled_at=from_iso(data["cancelled_at"]),
    )


def prices_to_json(target: str, stored: StoredPriceList | None) -> dict[str, Any]:
    """A version of a target's price list; version 0 without one."""
    return {
        "target": target,
        "version": 0 if stored is None else stored.version,
        "created_at": None if stored is None else to_iso(stored.created_at),
        "prices": None if stored is None else stored.body,
    }


def prices_from_json(data: Mapping[str, Any]) -> StoredPriceList | None:
    """The inverse of `prices_to_json`; who set them is not told."""
    if data["prices"] is None:
        return None
    return StoredPriceList(
        target=data["target"],
        version=data["version"],
        body=data["prices"],
        created_at=from_iso(data["created_at"]) or 0.0,
        created_by="",
    )


def advice_from_json(data: Mapping[str, Any]) -> Advice:
    """The advice that `Advice.to_json` wrote."""
    return Advice(
        tuple(
            Option(
                Way(each["way"]), None if each["bill"] is None else _bill(each["bill"]), each["wall_s"], each["needs"]
            )
            for each in data["options"]
        ),
        data["why"],
    )


def _bill(data: Mapping[str, Any]) -> Bill:
    lines = tuple(BillLine(**line) for line in data["lines"])
    return Bill(lines=lines, currency=data["currency"], notes=tuple(data["notes"]))
