"""Targets as models: what OpenAPI says of them. The answers themselves are built by hand, in the same shapes."""

from __future__ import annotations

from pydantic import Field

from antiphon.domain.devices import Counted
from antiphon.domain.programs import Profile
from antiphon.domain.queues import Access
from antiphon.server.api.resources import Resource


class LimitsView(Resource):
    """The most a target takes in one job."""

    max_qubits: int
    max_shots: int
    max_programs: int
    max_parameter_sets: int
    max_operations: int
    max_seconds: float


class DeviceLimitView(Resource):
    """The most of something that a device takes, counted in programs as compiled for it."""

    of: str = Field(description=f"One of {', '.join(Counted)}.")
    most: float
    source: str = Field(description="Who publishes it, and where; of an assumption, why it is this figure.")
    published: bool = Field(description="False for an assumption.")
    weights: dict[str, float] = Field(description="How many instructions an operation makes on each of its qubits.")


class DeviceView(Resource):
    """Topology, native gates and limits of what behaves like hardware."""

    family: str
    native_gates: list[str]
    coupling: list[list[int]] = Field(description="Pairs that a two-qubit gate joins; empty: all to all.")
    limits: list[DeviceLimitView]
    mid_circuit: bool = Field(description="Whether it measures on the way, resets, and goes on.")
    positions: list[tuple[float, float]] = Field(
        description="Where each qubit is drawn: right and down, in units of the grid. Empty where nobody says."
    )
    shot_pause_s: float = Field(description="Seconds between the end of a shot and the start of the next.")
    shot_pause_source: str = Field(description="Who publishes it, and where; of an assumption, that it is one.")
    dt_s: float | None = Field(description="The time unit of its control system; null where it has none.")


class BadgeView(Resource):
    """How a target did when the contract kit was last run against it."""

    target: str
    version: str = Field(description="The target's then; with another one now the badge is stale.")
    antiphon: str = Field(description="Version of the kit.")
    at: str
    by: str = Field(description="Empty where it is not the caller's to know.")
    passed: int
    not_applicable: int
    failed: list[str] = Field(description="Names of the checks that failed.")
    outcome: str = Field(description='"passed", "2 failed", "nothing checked" or "stale".')


class TargetView(Resource):
    """A target with its queue."""

    name: str
    provider: str
    kind: str
    version: str
    num_qubits: int
    profile: Profile
    status: str = Field(description="Available, Degraded or Unavailable.")
    status_reason: str = Field(description="Why it is not available, and until when, where the target tells it.")
    max_shots: int
    estimates: bool
    takes_noise: bool
    seeded: bool
    options: dict[str, str]
    description: str
    limits: LimitsView
    slots: int | None = Field(description="How many jobs run on it at a time; null: as many as there are workers.")
    access: Access = Field(description="What a session gets of it.")
    queue_depth: int = Field(description="Jobs waiting for it, of everybody.")
    running: int = Field(description="Jobs it is executing, of everybody.")
    expected_wait: float | None = Field(description="Seconds until a job submitted now would start; null: not known.")
    device: DeviceView | None = Field(default=None, description="Left out for what is no device.")
    badge: BadgeView | None = Field(description="null: the contract kit was never run against it.")
    links: dict[str, str]


class TargetList(Resource):
    """Every target."""

    targets: list[TargetView]
