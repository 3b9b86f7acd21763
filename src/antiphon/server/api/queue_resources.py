"""Queues, prices, reservations, allotments and advice as models: what OpenAPI says of every answer and body."""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from antiphon.domain.policies.advice import Way
from antiphon.domain.policies.prices import LARGEST_PRICE, TaskUnit, WhenFailed
from antiphon.domain.queues import Access, Priority
from antiphon.engine.advise import LONGEST_CLASSICAL_S, MOST_JOBS
from antiphon.engine.queues.allotments import LARGEST
from antiphon.engine.queues.policies import AGED_EVERY, MOST_SLOTS, SECONDS
from antiphon.server.api.resources import QuantilesView, Resource
from antiphon.server.api.submissions import Body, Name, Submission, without_nul


class PolicyView(Resource):
    """How a queue is run."""

    slots: int | None = Field(description="How many jobs run at a time; null: as many as there are workers.")
    access: Access
    gap_s: float = Field(description="An exclusive hold ends when no job of its session came for so long.")
    window_s: float = Field(description="Use counts for fair shares with a weight that falls over this time.")
    patience_s: float = Field(description="A job that waited for so long is old.")
    aged_every: int = Field(description="Of every so many starts one is the oldest job, once that is old.")
    quantum_s: float = Field(description="A batch gives way after so much running while somebody else waits.")
    version: int = Field(description="0: no operator has decided about it.")
    updated_at: str | None
    updated_by: str = Field(description="Empty where it is not the caller's to know.")


def _within(name: str, what: str) -> Any:
    least, most = SECONDS[name]
    return Field(default_factory=lambda: math.nan, ge=least, le=most, description=what)


class PolicyChange(Body):
    """What of a policy shall change; what is left out stays."""

    slots: Annotated[int, Field(strict=True, ge=1, le=MOST_SLOTS)] | None = Field(
        default=None, description="null: as many jobs as there are workers."
    )
    access: Access = Field(default_factory=lambda: Access.SHARED, description="Others than shared need slots.")
    gap_s: float = _within("gap_s", "Seconds.")
    window_s: float = _within("window_s", "Seconds.")
    patience_s: float = _within("patience_s", "Seconds.")
    aged_every: Annotated[int, Field(strict=True, ge=AGED_EVERY[0], le=AGED_EVERY[1])] = Field(
        default_factory=lambda: 4
    )
    quantum_s: float = _within("quantum_s", "Seconds.")


class ClassView(Resource):
    """What waits of a class, in the order in which classes are served."""

    class_: str = Field(alias="class", description="session-high, session, high or standard.")
    jobs: int = Field(description="Counted up to 10,000.")
    planned_s: float


class HoldView(Resource):
    """The session that holds the target; null what is not the caller's to know."""

    session: str | None
    workspace: str | None
    since: str | None
    until: str | None = Field(description="Unless a job of it comes before; null while its jobs run.")


class ReservationView(Resource):
    """A window that is booked; of another workspace's the id and the names are null."""

    id: str | None
    target: str
    workspace: str | None
    starts_at: str
    ends_at: str
    note: str
    created_by: str | None
    created_at: str
    cancelled_at: str | None


class ReservationList(Resource):
    """Windows that are open or to come, by their start."""

    reservations: list[ReservationView]


class ReservationBody(Body):
    """A window to be."""

    target: Annotated[str, Field(min_length=1, max_length=200)]
    workspace: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="For whom; null is the caller's own workspace."
    )
    starts_at: dt.datetime = Field(description="No zone means UTC.")
    ends_at: dt.datetime
    note: Name = ""


class HeldView(Resource):
    """For how many of `jobs` the bounds of 50, 80 and 95 % held."""

    jobs: int
    p50: int
    p80: int
    p95: int
    in_words: str


class CoverageView(Resource):
    """How the bounds that were given for a target's newest jobs did."""

    target: str
    priority: str | None
    wait: HeldView
    run: HeldView
    cost: HeldView


class ShareView(Resource):
    """What a workspace, or with a `user` one of its users, has used of a target."""

    workspace: str
    user: str
    used_s: float = Field(description="Seconds, faded to now.")
    weight: float
    fraction: float = Field(description="Of the use of everybody by weight; of a user, of its workspace's.")


class QueueView(Resource):
    """Where a queue stands. Of other workspaces it tells classes and times, no names."""

    target: str
    policy: PolicyView
    running: int
    waiting: list[ClassView]
    hold: HoldView | None
    reservation: ReservationView | None = Field(description="The window that is open.")
    next_reservation: ReservationView | None
    expected_wait: dict[Priority, QuantilesView] = Field(description="Of a job submitted now, in seconds.")
    coverage: CoverageView
    shares: list[ShareView] = Field(description="The caller's workspace and its users; all for who runs the service.")
    links: dict[str, str]


Price = Annotated[float, Field(ge=0, le=LARGEST_PRICE)]


class PriceListBody(Body):
    """What a target charges; what is not given is free."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")]
    name: Name = ""
    per_task: Price = 0.0
    per_shot: Price = 0.0
    per_one_qubit_gate: Price = 0.0
    per_two_qubit_gate: Price = 0.0
    per_measurement: Price = 0.0
    per_second: Price = 0.0
    minimum: Price = 0.0
    task_unit: TaskUnit = TaskUnit.JOB
    priorities: dict[Priority, Price] = Field(default_factory=dict)
    session_per_second: Price = 0.0
    when_failed: WhenFailed = WhenFailed.SECONDS
    uncounted_gates: Annotated[int, Field(strict=True, ge=0, le=int(LARGEST_PRICE))] | None = None


class PricesView(Resource):
    """A target's price list; version 0 and null without one."""

    target: str
    version: int
    created_at: str | None
    prices: dict[str, Any] | None


class QuoteBody(Submission):
    """A job that is not submitted: the body of a submit. The target is that of the address."""

    target: Annotated[str, Field(max_length=200, description="Not read.")] = ""


class AdviceBody(QuoteBody):
    """One job of a loop."""

    jobs: Annotated[int, Field(strict=True, ge=1, le=MOST_JOBS)] = Field(description="How many there are.")
    classical_s: Annotated[float, Field(ge=0, le=LONGEST_CLASSICAL_S)] = Field(
        default=0.0, description="Seconds of the caller's own work between each two."
    )


class BillLineView(Resource):
    """One dimension of a bill."""

    dimension: str
    name: str
    unit: str
    consumed: float
    billed: float
    price: float
    amount: float


class BillView(Resource):
    """What a work costs."""

    currency: str
    total: float
    lines: list[BillLineView]
    notes: list[str]


class OptionView(Resource):
    """One way to submit the work."""

    way: Way
    bill: BillView | None = Field(description="Null where the target has no prices.")
    wall_s: float = Field(description="From the first submit to the last result.")
    needs: str = Field(description="What must be so that it can be taken, or empty.")


class AdviceView(Resource):
    """The three ways, the cheapest first, and why."""

    cheapest: Way
    why: str
    options: list[OptionView]


class AllotmentBody(Body):
    """A workspace's part of the targets, measured against the others'."""

    weight: Annotated[float, Field(ge=0, le=LARGEST)] | None = Field(description="null: the usual weight, 1.")


class AllotmentView(Resource):
    """A workspace's weight; null is the usual one, 1."""

    workspace: str
    weight: float | None


class AllotmentList(Resource):
    """The workspaces that have a weight of their own."""

    allotments: list[AllotmentView]


class AheadView(Resource):
    """Waiting jobs of one class that may start before a job."""

    what: str
    rule: str
    jobs: int
    planned_s: float
    at_least: bool


class StandingView(Resource):
    """What the workspace used, in seconds for each unit of its allotment."""

    allotment: float
    used_s: float
    median_s: float | None = Field(description="Of the others that wait in the class; null where nobody else does.")


class ExplanationView(Resource):
    """Why a job is where it is; `words` is all of it for people."""

    job_id: str
    status: str
    rule: str
    position: int | None
    at_least: bool
    ahead: list[AheadView]
    held: str | None
    standing: StandingView | None
    reservation: str | None
    changes: list[str]
    starts_bound: int | None
    starts_in_s: float | None
    words: str


class ResolveBody(Body):
    """What became of a job that is in doubt."""

    arrived: bool = Field(strict=True, description="Whether its provider has it; if not it is sent again.")
    provider_id: Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(without_nul)] | None = Field(
        default=None, description="The provider's name for it; needed when it arrived."
    )
