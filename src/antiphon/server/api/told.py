"""The `webhooks` section of the OpenAPI document: what a receiver gets, and what it should answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Header, Response

from antiphon.domain.webhooks import EVENT_TYPES
from antiphon.server.api.webhook_resources import CloudEventView

told = APIRouter()


async def _receive(
    body: Annotated[CloudEventView, Body(media_type="application/cloudevents+json")],
    webhook_id: Annotated[str, Header(description="The same for every try: what has come already can be dropped.")],
    webhook_timestamp: Annotated[int, Header(description="Seconds since the epoch; part of what is signed.")],
    webhook_signature: Annotated[str, Header(description="Signatures by Standard Webhooks 1.0, one for each secret.")],
) -> None:
    """Sent when it has happened. Answer 2xx within 15 s; 410 ends all deliveries to this webhook."""


for event_type in EVENT_TYPES:
    told.post(
        event_type,
        status_code=204,
        response_class=Response,
        summary=event_type,
        operation_id=event_type.replace(".", "_"),
        tags=["webhooks"],
    )(_receive)
