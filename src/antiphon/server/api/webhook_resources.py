"""Webhooks, deliveries and the events they carry as models: what OpenAPI says of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from antiphon.domain.webhooks import DeliveryStatus
from antiphon.server.api.resources import Resource
from antiphon.server.api.submissions import Body
from antiphon.server.events.addresses import LONGEST_URL

EventType = Literal["job.succeeded", "job.failed", "job.cancelled", "session.ended"]
Events = Annotated[list[EventType], Field(max_length=100)]


class WebhookView(Resource):
    """A webhook: where deliveries go."""

    id: str
    workspace: str
    url: str
    events: list[EventType] = Field(description="Types it wants; empty for all.")
    enabled: bool
    disabled_at: str | None
    disabled_because: str
    secret_version: int = Field(description="Grows with each rotation.")
    rotated_at: str | None = Field(description="For a day from then on the secret before signs too.")
    created_at: str
    created_by: str


class WebhookWithSecret(WebhookView):
    """A webhook with its signing secret."""

    secret: str = Field(description="whsec_ and base64, as libraries for Standard Webhooks take it.")


class WebhookList(Resource):
    """All webhooks of the workspace, oldest first."""

    webhooks: list[WebhookView]


class WebhookBody(Body):
    """A webhook to be."""

    url: Annotated[str, Field(min_length=1, max_length=LONGEST_URL)] = Field(
        description="https:// or http://, of a public host, without user and password."
    )
    events: Events = Field(default_factory=list, description="Types it wants; empty for all.")


class WebhookChange(Body):
    """What shall be different; what is left out or null stays."""

    enabled: bool | None = None
    events: Events | None = None

    @model_validator(mode="after")
    def _says_something(self) -> WebhookChange:
        if self.enabled is None and self.events is None:
            raise ValueError("give enabled or events")
        return self


class DeliveryView(Resource):
    """A line of the delivery log."""

    id: str = Field(description="The webhook-id header of every try.")
    webhook: str
    type: str
    subject: str = Field(description="Id of the job, the session or the webhook that it is about.")
    status: DeliveryStatus
    attempts: int = Field(description="Tries so far; one that is under way is counted.")
    created_at: str
    next_at: str | None = Field(description="When it is tried next; null once it is over.")
    delivered_at: str | None
    last_status: int | None = Field(description="HTTP status of the last answer; null if there was none.")
    last_error: str
    event: dict[str, Any] = Field(description="The body that is sent: see the webhooks of this document.")


class DeliveryPage(Resource):
    """One page of the delivery log, newest first."""

    deliveries: list[DeliveryView]
    next: str | None = Field(description="Address of the next page; null on the last.")


class CloudEventData(Resource):
    """What happened to what; the links lead to the rest."""

    id: str
    name: str
    status: str
    target: str
    session_id: str | None
    links: dict[str, str]


class CloudEventView(Resource):
    """A CloudEvents 1.0 envelope."""

    specversion: Literal["1.0"]
    id: str = Field(description="The same for every webhook that is told of the event.")
    source: str = Field(description="urn:antiphon:workspace: and the name of the workspace.")
    type: str
    subject: str
    time: str
    datacontenttype: Literal["application/json"]
    data: CloudEventData
